//! Assessments over HTTP: from the first question to the lock, and what everybody may and may not do to them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Node, PASSWORD, Session};

const QUESTIONS: &str = "code,text,vertical_code,section,type,required,formula,value\n\
    P2P_ANNUAL_VOLUME,Invoices a year,P2P,Volumes,NUMBER,true,,25000\n\
    P2P_FTE,Full-time equivalents,P2P,People,NUMBER,true,,\n\
    P2P_AVG_SALARY,Average salary,P2P,People,CURRENCY,true,,\n\
    P2P_PER_FTE,Invoices per FTE,P2P,People,CALCULATED,false,{P2P_ANNUAL_VOLUME}/{P2P_FTE},\n";

/// A client with a reviewer and a consultant, and strangers of each role.
struct Cast<'a> {
    admin: Session<'a>,
    consultant: Session<'a>,
    reviewer: Session<'a>,
    client: Session<'a>,
    strangers: [Session<'a>; 3],
    client_id: i64,
    consultant_id: i64,
    vertical: i64,
    other_vertical: i64,
    region: i64,
    industry: i64,
}

async fn user<'a>(node: &'a Node, admin: &Session<'a>, email: &str, role: &str) -> (Session<'a>, i64) {
    let body = json!({"email": email, "role": role, "password": PASSWORD});
    let user = admin.post("/api/accounts/users/", body).await.expect(201);
    (node.login(email, PASSWORD).await, user["id"].as_i64().unwrap())
}

async fn client<'a>(node: &'a Node, admin: &Session<'a>, email: &str, others: Value) -> (Session<'a>, i64) {
    let mut body = json!({"contact_email": email, "contact_name": "Ann Contact"});
    body.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    let client = admin.post("/api/clients/add/", body).await.expect(201);
    let id = client["user_id"].as_i64().unwrap();
    let hash = ddc::auth::Password::try_from(PASSWORD.to_owned()).unwrap().hash().await.unwrap();
    hash.save(&node.app.tenant.pool, kernel::UserId::try_from(id).unwrap()).await.unwrap();
    (node.login(email, PASSWORD).await, id)
}

async fn made(admin: &Session<'_>, path: &str, body: Value) -> i64 {
    admin.post(path, body).await.expect(201)["id"].as_i64().unwrap()
}

impl<'a> Cast<'a> {
    async fn of(node: &'a Node) -> Self {
        let admin = node.admin().await;
        let vertical = made(&admin, "/api/common/vertical/", json!({"name": "Procure to Pay", "code": "P2P"})).await;
        let other_vertical =
            made(&admin, "/api/common/vertical/", json!({"name": "Order to Cash", "code": "O2C"})).await;
        let region = made(&admin, "/api/common/region/", json!({"name": "USA", "code": "USA"})).await;
        let industry = made(&admin, "/api/common/industry-type/", json!({"name": "Retail", "code": "RETAIL"})).await;
        let company = made(&admin, "/api/common/company/", json!({"name": "Acme"})).await;
        let (consultant, consultant_id) = user(node, &admin, "consultant@ddc.test", "CONSULTANT").await;
        let (reviewer, reviewer_id) = user(node, &admin, "reviewer@ddc.test", "REVIEWER").await;
        let pairs = json!([{"vertical_id": vertical, "consultant_id": consultant_id}]);
        let team = json!({"company_id": company, "reviewer_id": reviewer_id, "verticals_and_consultants": pairs});
        let (client, client_id) = self::client(node, &admin, "client@ddc.test", team).await;
        let strangers = [
            user(node, &admin, "other.consultant@ddc.test", "CONSULTANT").await.0,
            user(node, &admin, "other.reviewer@ddc.test", "REVIEWER").await.0,
            self::client(node, &admin, "other.client@ddc.test", json!({"company_id": company})).await.0,
        ];
        Self {
            admin,
            consultant,
            reviewer,
            client,
            strangers,
            client_id,
            consultant_id,
            vertical,
            other_vertical,
            region,
            industry,
        }
    }

    /// The payload of spec 8.2.
    fn body(&self, name: &str) -> Value {
        json!({
            "name": name,
            "client": self.client_id,
            "industry_type": self.industry,
            "managed_by": self.consultant_id,
            "input_method": "QUESTIONNAIRE",
            "region_id": self.region,
            "vertical_ids": [self.vertical, self.other_vertical],
            "current_step": 1,
            "total_steps": 5,
        })
    }

    /// An assessment of one vertical with its questions, and the path of it.
    async fn assessment(&self) -> String {
        let mut body = self.body("Finance Discovery Survey");
        body["vertical_ids"] = json!([self.vertical]);
        let created = self.consultant.post("/api/assessments/", body).await.expect(201);
        let path = format!("/api/assessments/{}/", created["id"]);
        let report =
            self.consultant.upload(&format!("{path}upload-questions/"), "questions.csv", QUESTIONS).await.expect(201);
        assert_eq!((&report["created"], &report["errors"]), (&json!(4), &json!([])), "{report}");
        path
    }

    /// Answers all that is required.
    async fn answer(&self, path: &str) -> Value {
        let id = id_of(path);
        let questions = self.questions(path).await;
        let answers = json!([
            {"question_id": questions[1], "value": "8", "sub_answer": {}},
            {"question_id": questions[2], "value": "52,000", "sub_answer": {}},
        ]);
        let body = json!({"assessment_id": id, "answers": answers});
        self.consultant.post(&format!("{path}submit-answers/"), body).await.expect(200)
    }

    /// The ids of the uploaded questions: the first one's answer came with the file, the others follow it.
    async fn questions(&self, path: &str) -> Vec<i64> {
        let answers = self.consultant.get(&format!("{path}answers/")).await.expect(200);
        let first = answers["results"][0]["question_id"].as_i64().unwrap();
        (first..first + 4).collect()
    }

    /// Runs the analysis and waits for its end.
    async fn analyse(&self, path: &str, body: Value) -> Value {
        let asked = self.consultant.post(&format!("{path}run-analysis/"), body).await.expect(202);
        assert_eq!(asked["status"], "queued");
        for _ in 0..400 {
            let runs = self.consultant.get(&format!("{path}analysis-runs/")).await.expect(200);
            if runs["results"][0]["finished_at"].is_string() {
                assert_eq!(runs["results"][0]["id"], asked["run_id"]);
                return runs["results"][0].clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the analysis does not end");
    }
}

fn id_of(path: &str) -> i64 {
    path.trim_matches('/').rsplit('/').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_assessment_is_answered_analysed_reviewed_and_locked() {
    let node = Node::start().await;
    let cast = Cast::of(&node).await;
    let path = cast.assessment().await;
    let at = |verb: &str| format!("{path}{verb}/");

    cast.consultant.post(&at("run-analysis"), json!({})).await.expect_problem(422, "VALIDATION_FAILED");
    let saved = cast.answer(&path).await;
    assert_eq!((&saved["saved"], &saved["unchanged"]), (&json!(2), &json!(0)), "{saved}");
    assert_eq!(saved["validation"]["calculated"]["P2P_PER_FTE"], "3125.00", "{saved}");
    assert_eq!(saved["completion"]["percent"], "100.00");
    assert_eq!(cast.answer(&path).await["unchanged"], 2);
    let answers = cast.client.get(&at("answers")).await.expect(200);
    assert_eq!(answers["count"], 4, "{answers}");

    let run = cast.analyse(&path, json!({})).await;
    assert_eq!((&run["status"], &run["progress"]), (&json!("SUCCEEDED"), &json!(100)), "{run}");
    let report = cast.client.get(&at("report")).await.expect(200);
    assert_eq!(report["summary_metrics"]["baseline_cost"], "416000.00", "{report}");
    assert_eq!((&report["version"], &report["narrative_source"]), (&json!(1), &json!("TEMPLATE")));

    cast.client.post(&at("approve"), json!({})).await.expect_problem(409, "SIGNATURE_OUT_OF_ORDER");
    cast.consultant.post(&at("approve"), json!({})).await.expect_problem(403, "FORBIDDEN");
    cast.reviewer.post(&at("reject"), json!({})).await.expect_problem(422, "COMMENT_REQUIRED");
    let question = cast.questions(&path).await[1];
    let why = json!({"comment_text": "Please check the team", "question": question});
    let rework = cast.reviewer.post(&at("reject"), why).await.expect(200);
    assert_eq!((&rework["status"], &rework["rework_count"]), (&json!("REWORK"), &json!(1)));
    let comments = cast.consultant.get(&at("comments")).await.expect(200);
    assert_eq!(comments["results"][0]["kind"], "REWORK", "{comments}");
    let comment = comments["results"][0]["id"].clone();
    let resolved = cast.consultant.post(&at(&format!("comments/{comment}/resolve")), json!({})).await.expect(200);
    assert_eq!(resolved["resolved_by"], cast.consultant_id);

    cast.analyse(&path, json!({})).await;
    assert_eq!(cast.client.get(&at("report")).await.expect(200)["version"], 2);
    let older = cast.client.get(&format!("{path}report/?version=1")).await.expect(200);
    assert_eq!(older["status"], "SUPERSEDED");
    cast.client.get(&format!("{path}report/?version=3")).await.expect_problem(404, "NOT_FOUND");
    let once = cast.reviewer.post(&at("approve"), json!({})).await.expect(200);
    assert_eq!(once["status"], "COMPLETED");
    let twice = cast.client.post(&at("approve"), json!({"comment": "Agreed"})).await.expect(200);
    assert_eq!((&twice["status"], &twice["approvals"][1]["signature"]), (&json!("LOCKED"), &json!(2)));
    let refused = cast.consultant.post(&at("comments"), json!({"comment_text": "Late"})).await;
    assert_eq!(refused.expect_problem(409, "INVALID_TRANSITION")["from"], "LOCKED");
    cast.admin.post(&at("reopen"), json!({"reason": "A new plant"})).await.expect(200);
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn everybody_sees_and_does_only_what_the_role_admits() {
    let node = Node::start().await;
    let cast = Cast::of(&node).await;
    for refused in [&cast.reviewer, &cast.client] {
        refused.post("/api/assessments/", cast.body("Mine")).await.expect_problem(403, "FORBIDDEN");
    }
    node.anonymous().get("/api/assessments/").await.expect_problem(401, "NOT_AUTHENTICATED");
    let path = cast.assessment().await;
    let id = id_of(&path);
    let answers = json!({"assessment_id": id, "answers": []});
    for insider in [&cast.admin, &cast.consultant, &cast.reviewer, &cast.client] {
        assert_eq!(insider.get("/api/assessments/").await.expect(200)["count"], 1);
        insider.get(&path).await.expect(200);
        insider.get(&format!("{path}opportunities/")).await.expect(200);
    }
    for stranger in &cast.strangers {
        assert_eq!(stranger.get("/api/assessments/").await.expect(200)["count"], 0);
        for part in ["", "answers/", "comments/", "opportunities/", "analysis-runs/", "report/"] {
            stranger.get(&format!("{path}{part}")).await.expect_problem(404, "NOT_FOUND");
        }
        let said = json!({"comment_text": "Hello"});
        stranger.post(&format!("{path}comments/"), said).await.expect_problem(404, "NOT_FOUND");
    }
    let [consultant, reviewer, client] = &cast.strangers;
    consultant.post(&format!("{path}submit-answers/"), answers.clone()).await.expect_problem(404, "NOT_FOUND");
    consultant.put(&path, json!({"name": "Stolen"})).await.expect_problem(404, "NOT_FOUND");
    consultant.post(&format!("{path}run-analysis/"), json!({})).await.expect_problem(404, "NOT_FOUND");
    consultant.post(&format!("{path}cancel-analysis/"), json!({})).await.expect_problem(404, "NOT_FOUND");
    reviewer.post(&format!("{path}approve/"), json!({})).await.expect_problem(404, "NOT_FOUND");
    client.post(&format!("{path}reject/"), json!({})).await.expect_problem(404, "NOT_FOUND");

    let submit = format!("{path}submit-answers/");
    cast.client.post(&submit, answers.clone()).await.expect_problem(403, "CLIENT_CANNOT_ANSWER");
    cast.reviewer.post(&submit, answers.clone()).await.expect_problem(403, "FORBIDDEN");
    cast.consultant.put(&path, json!({"client_can_answer": true})).await.expect(200);
    cast.client.post(&submit, answers.clone()).await.expect(200);
    let validate = "/api/questionnaires/validate-answers/";
    cast.client.post(validate, answers.clone()).await.expect(200);
    cast.reviewer.post(validate, answers).await.expect_problem(403, "FORBIDDEN");
    let stored = cast.reviewer.get(&format!("{validate}?assessment_id={id}")).await.expect(200);
    assert_eq!(stored["valid"], false, "{stored}");
    for (who, verb, body) in [
        (&cast.client, "run-analysis/", json!({})),
        (&cast.reviewer, "run-analysis/", json!({})),
        (&cast.consultant, "lock/", json!({"reason": "x"})),
        (&cast.reviewer, "reopen/", json!({"reason": "x"})),
        (&cast.client, "opportunities/", json!({})),
    ] {
        who.post(&format!("{path}{verb}"), body).await.expect_problem(403, "FORBIDDEN");
    }
    cast.consultant.delete(&path).await.expect_problem(403, "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn bad_input_is_refused_by_name_and_stores_nothing() {
    let node = Node::start().await;
    let cast = Cast::of(&node).await;
    let with = |member: &str, value: Value| {
        let mut body = cast.body("Finance Discovery Survey");
        body[member] = value;
        body
    };
    for (body, code, field) in [
        (with("client", json!(999)), "CLIENT_NOT_ACTIVE", "client"),
        (with("managed_by", json!(cast.client_id)), "MANAGER_NOT_ELIGIBLE", "managed_by"),
        (with("region_id", json!(999)), "REGION_NOT_ACTIVE", "region_id"),
        (with("vertical_ids", json!([])), "VERTICALS_REQUIRED", "vertical_ids"),
        (with("vertical_ids", json!([cast.other_vertical])), "CONSULTANT_NOT_ASSIGNED", "managed_by"),
        (with("current_step", json!(6)), "STEP_OUT_OF_RANGE", "current_step"),
        (with("colour", json!(1)), "UNKNOWN_FIELD", "colour"),
    ] {
        let problem = cast.consultant.post("/api/assessments/", body).await.expect_problem(422, code);
        assert!(problem["errors"][field].is_array(), "{problem}");
    }
    let path = cast.assessment().await;
    let again = cast.body("finance discovery survey ");
    cast.consultant.post("/api/assessments/", again).await.expect_problem(409, "NAME_TAKEN");
    let id = id_of(&path);
    let submit = format!("{path}submit-answers/");
    let question = cast.questions(&path).await[1];
    let answers = |id: i64, question: i64, value: &str| json!({"assessment_id": id, "answers": [{"question_id": question, "value": value, "sub_answer": {}}]});
    cast.consultant.post(&submit, answers(id + 1, question, "8")).await.expect_problem(422, "ID_MISMATCH");
    cast.consultant.post(&submit, answers(id, 9999, "8")).await.expect_problem(422, "UNKNOWN_QUESTION");
    cast.consultant.post(&submit, answers(id, question, "eight")).await.expect_problem(422, "NOT_A_NUMBER");
    let validate = "/api/questionnaires/validate-answers/";
    let result = cast.consultant.post(validate, answers(id, question, "eight")).await.expect(200);
    assert_eq!(result["valid"], false);
    assert_eq!(cast.consultant.get(&format!("{path}answers/")).await.expect(200)["count"], 1);
    cast.consultant.get(validate).await.expect_problem(422, "REQUIRED");

    let upload = format!("{path}upload-questions/");
    cast.consultant.upload(&upload, "questions.xlsx", "x").await.expect_problem(415, "UNSUPPORTED_FILE_TYPE");
    cast.consultant.upload(&upload, "questions.csv", "a,b\n1,2\n").await.expect_problem(422, "NO_HEADER");
    let (long, many) = ("x".repeat(100_000), ",x".repeat(100));
    for header in [format!("code,text,{long}\nA,One,1\n"), format!("code,text{many}\nA,One\n")] {
        cast.consultant.upload(&upload, "questions.csv", header).await.expect_problem(422, "INVALID_HEADER");
    }
    let many = format!("code,text\n{}", "A,One\n".repeat(5001));
    cast.consultant.upload(&upload, "questions.csv", many).await.expect_problem(422, "TOO_MANY_ROWS");
    cast.consultant.upload(&upload, "questions.csv", vec![0xff, 0xfe]).await.expect_problem(422, "NOT_UTF8");
    cast.consultant.post(&upload, json!({})).await.expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let twice = "code,text\nA,One\nA,Two\n";
    let atomic = format!("{upload}?atomic=true");
    cast.consultant.upload(&atomic, "questions.csv", twice).await.expect_problem(422, "IMPORT_FAILED");
    let report = cast.consultant.upload(&upload, "questions.csv", twice).await.expect(201);
    assert_eq!((&report["created"], report["errors"].as_array().unwrap().len()), (&json!(1), 1), "{report}");
    cast.admin.get("/api/assessments/?status=OPEN").await.expect_problem(422, "INVALID");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn details_change_names_are_kept_unique_and_a_deleted_assessment_comes_back() {
    let node = Node::start().await;
    let cast = Cast::of(&node).await;
    let path = cast.assessment().await;
    let stale =
        cast.consultant.send(Method::PUT, &path, &[("if-match", "\"1\"")], Some(json!({"name": "Stale"}))).await;
    stale.expect_problem(412, "VERSION_CONFLICT");
    let both = json!([cast.vertical, cast.other_vertical]);
    let renamed = cast.consultant.put(&path, json!({"name": "Second Survey", "vertical_ids": both})).await.expect(200);
    assert_eq!((&renamed["name"], &renamed["vertical_ids"]), (&json!("Second Survey"), &both));
    let first = json!([cast.other_vertical]);
    cast.consultant.put(&path, json!({"vertical_ids": first})).await.expect_problem(422, "CONFIRMATION_REQUIRED");
    let other = cast.admin.post("/api/assessments/", cast.body("Finance Discovery Survey")).await.expect(201);
    cast.consultant.put(&path, json!({"name": "Finance Discovery Survey"})).await.expect_problem(409, "NAME_TAKEN");

    let opportunities = format!("{path}opportunities/");
    let bots = json!({"vertical_id": cast.vertical, "title": "Bots", "lever": "RPA", "complexity": "LOW",
        "addressable_effort_percent": "40", "automation_percent": "50", "realization_percent": "80"});
    cast.answer(&path).await;
    let added = cast.consultant.post(&opportunities, bots.clone()).await.expect(201);
    assert_eq!(added["fte_savings"], "1.2800", "{added}");
    cast.consultant.post(&opportunities, bots).await.expect(422);
    let one = format!("{opportunities}{}/", added["id"]);
    let changed = cast.consultant.put(&one, json!({"automation_percent": "100"})).await.expect(200);
    assert_eq!(changed["fte_savings"], "2.5600");
    assert_eq!(cast.client.get(&opportunities).await.expect(200)["count"], 1);
    cast.consultant.delete(&one).await.expect(204);
    assert_eq!(cast.client.get(&opportunities).await.expect(200)["count"], 0);
    cast.consultant.put(&one, json!({})).await.expect_problem(404, "NOT_FOUND");

    cast.admin.delete(&path).await.expect(204);
    cast.consultant.get(&path).await.expect_problem(404, "NOT_FOUND");
    assert_eq!(cast.admin.get("/api/assessments/").await.expect(200)["count"], 1);
    let other = format!("/api/assessments/{}/", other["id"]);
    cast.admin.put(&other, json!({"name": "Second Survey"})).await.expect(200);
    cast.admin.post(&format!("{path}restore/"), json!({})).await.expect_problem(409, "NAME_TAKEN");
    cast.admin.put(&other, json!({"name": "Third Survey"})).await.expect(200);
    cast.admin.post(&format!("{path}restore/"), json!({})).await.expect(200);
    cast.consultant.get(&path).await.expect(200);
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_analysis_that_was_cancelled_leaves_the_assessment_where_it_was() {
    let node = Node::start().await;
    let cast = Cast::of(&node).await;
    let path = cast.assessment().await;
    cast.answer(&path).await;
    cast.consultant.post(&format!("{path}cancel-analysis/"), json!({})).await.expect_problem(409, "INVALID_TRANSITION");
    let asked = cast.consultant.post(&format!("{path}run-analysis/"), json!({})).await.expect(202);
    let cancelled = cast.consultant.post(&format!("{path}cancel-analysis/"), json!({})).await;
    // The analysis may have been faster; then there is nothing to cancel.
    let runs = cast.consultant.get(&format!("{path}analysis-runs/")).await.expect(200);
    assert_eq!(runs["results"][0]["id"], asked["run_id"]);
    let status = &cast.consultant.get(&path).await.expect(200)["status"];
    match cancelled.status.as_u16() {
        200 => assert_eq!((status, &runs["results"][0]["status"]), (&json!("DRAFT"), &json!("CANCELLED"))),
        409 => assert_eq!((status, &runs["results"][0]["status"]), (&json!("COMPLETED"), &json!("SUCCEEDED"))),
        other => panic!("{other}: {}", cancelled.text),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_consultant_who_is_paired_with_the_client_later_sees_its_assessments() {
    let node = Node::start().await;
    let cast = Cast::of(&node).await;
    let path = cast.assessment().await;
    let [newcomer, ..] = &cast.strangers;
    newcomer.get(&path).await.expect_problem(404, "NOT_FOUND");
    let id = newcomer.get("/api/auth/me/").await.expect(200)["id"].clone();
    let pairs = json!([{"vertical_id": cast.vertical, "consultant_id": id}]);
    let client = format!("/api/clients/{}/update/", cast.client_id);
    cast.admin.put(&client, json!({"verticals_and_consultants": pairs})).await.expect(200);
    for _ in 0..200 {
        if newcomer.get(&path).await.status == 200 {
            newcomer.get(&format!("{path}answers/")).await.expect(200);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the assessment does not hear of its new consultant");
}
