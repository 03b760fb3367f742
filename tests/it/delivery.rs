//! Proposals and projects: who may do what, races, and the worked values of spec 23.

use chrono::{Days, Duration, Utc};
use ddc::journal::{ExecuteError, Issuer};
use engagement::{
    proposal::{Proposal, ProposalCommand},
    solution_costing::{CostingCommand, SolutionCosting},
};
use kernel::SolutionCostingId;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    harness::{Node, Session},
    mission::Mission,
};

/// The seed's body.
fn offer(costing: impl Into<i64>) -> Value {
    json!({
        "solution_costing_id": costing.into(),
        "title": "DDC Automation Transformation Proposal",
        "executive_summary": "Proposal generated from approved solution costing and assessment insights.",
        "scope_of_work": "Implement automation roadmap across selected verticals.",
        "timeline_weeks": 16,
        "validity_days": 30,
        "deliverables": ["Solution blueprint", "Implementation plan", "Benefit tracking dashboard"],
        "terms_and_conditions": "Commercial terms as per MSA and SOW.",
        "status": "DRAFT"
    })
}

async fn submitted(mission: &Mission<'_>) -> i64 {
    let made = mission.consultant.post("/api/proposals/", offer(mission.costing)).await.expect(201);
    let number = made["id"].as_i64().unwrap();
    mission.consultant.post(&format!("/api/proposals/{number}/submit/"), json!({})).await.expect(200);
    number
}

/// The project of a proposal that the client approves with this body.
async fn approved(mission: &Mission<'_>, body: Value) -> Value {
    let number = submitted(mission).await;
    mission.client.post(&format!("/api/proposals/{number}/approve/"), body).await.expect(200)
}

/// The status that each of these gets.
async fn refused(who: &[(&Session<'_>, u16)], method: Method, path: &str, body: &Value) {
    for (place, (session, status)) in who.iter().enumerate() {
        let answer = session.send(method.clone(), path, &[], Some(body.clone())).await;
        assert_eq!(answer.status.as_u16(), *status, "{method} {path}, number {place}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_proposal_goes_from_the_approved_costing_to_the_project() {
    let node = Node::start().await;
    let mission = Mission::begin(&node).await;
    let made = mission.consultant.post("/api/proposals/", offer(mission.costing)).await.expect(201);
    let path = format!("/api/proposals/{}/", made["id"]);
    assert_eq!((made["status"].as_str(), made["total_value"].as_str()), (Some("DRAFT"), Some("81000.00")));
    // The client does not see a draft, the others do.
    mission.client.get(&path).await.expect_problem(404, "NOT_FOUND");
    assert_eq!(mission.client.get("/api/proposals/").await.expect(200)["count"], 0);
    for staff in [&mission.admin, &mission.reviewer, &mission.consultant] {
        staff.get(&path).await.expect(200);
    }
    let edited = mission.consultant.put(&path, json!({"title": "Better", "scope_of_work": null})).await.expect(200);
    assert_eq!((edited["title"].as_str(), edited["scope_of_work"].as_str()), (Some("Better"), Some("")));
    assert_eq!(edited["timeline_weeks"], 16);
    let sent = mission.consultant.post(&format!("{path}submit/"), json!({})).await.expect(200);
    assert_eq!(sent["status"], "SUBMITTED");
    mission.client.get(&path).await.expect(200);
    let query = format!("/api/proposals/?client={}&status=SUBMITTED&search=bett", sent["client"]);
    assert_eq!(mission.client.get(&query).await.expect(200)["count"], 1);
    assert_eq!(node.count("solution_costing.totals_disclosed").await, 1);

    let answer = mission.client.post(&format!("{path}approve/"), json!({"comment": "Go"})).await.expect(200);
    assert_eq!(answer["proposal"]["status"], "APPROVED");
    let project = &answer["project"];
    assert_eq!(answer["proposal"]["project_id"], project["id"]);
    assert_eq!((project["name"].as_str(), project["stage"].as_str()), (Some("Better"), Some("NOT_STARTED")));
    assert_eq!(project["budget_limit"], "81000.00");
    assert_eq!(project["milestones"].as_array().unwrap().len(), 3);
    assert_eq!(project["opportunities"][0]["target_savings"], "146740.96");
    let again = mission.client.post(&format!("{path}approve/"), json!({})).await.expect(200);
    assert_eq!(again, answer);
    assert_eq!(node.count("project.created").await, 1);
    let shown = mission.client.get(&format!("/api/projects/{}/", project["id"])).await.expect(200);
    assert_eq!(&shown, project);
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn rejected_withdrawn_and_deleted_proposals_come_back_or_make_room() {
    let node = Node::start().await;
    let mission = Mission::begin(&node).await;
    let number = submitted(&mission).await;
    let path = format!("/api/proposals/{number}/");
    let reason = json!({"reason": "too dear"});
    mission.client.post(&format!("{path}reject/"), json!({})).await.expect_problem(422, "REQUIRED");
    let rejected = mission.client.post(&format!("{path}reject/"), reason.clone()).await.expect(200);
    assert_eq!(
        (rejected["status"].as_str(), rejected["rejection_reason"].as_str()),
        (Some("REJECTED"), Some("too dear"))
    );
    // It is revised, not duplicated.
    mission
        .consultant
        .post("/api/proposals/", offer(mission.costing))
        .await
        .expect_problem(409, "COSTING_ALREADY_PROPOSED");
    let revised = mission.consultant.post(&format!("{path}revise/"), json!({})).await.expect(200);
    assert_eq!((revised["status"].as_str(), revised["revision"].as_i64()), (Some("DRAFT"), Some(2)));
    mission.client.get(&path).await.expect_problem(404, "NOT_FOUND");
    let withdrawn = mission.consultant.post(&format!("{path}withdraw/"), reason).await.expect(200);
    assert_eq!(withdrawn["status"], "WITHDRAWN");
    let problem =
        mission.consultant.post(&format!("{path}submit/"), json!({})).await.expect_problem(409, "INVALID_TRANSITION");
    assert_eq!(problem["allowed"], json!(["revise"]));
    mission.consultant.delete(&path).await.expect_problem(403, "FORBIDDEN");
    mission.admin.delete(&path).await.expect(204);
    mission.consultant.get(&path).await.expect_problem(404, "NOT_FOUND");
    assert_eq!(mission.admin.get(&path).await.expect(200)["is_deleted"], true);
    assert_eq!(mission.admin.get("/api/proposals/").await.expect(200)["count"], 0);
    assert_eq!(mission.admin.get("/api/proposals/?include_deleted=true").await.expect(200)["count"], 1);
    mission.consultant.post("/api/proposals/", offer(mission.costing)).await.expect(201);
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_racing_proposals_one_wins_and_of_racing_approvals_one_makes_the_project() {
    let node = Node::start().await;
    let mission = Mission::begin(&node).await;
    let other = Node::start_on(&node.database_url, &[]).await;
    let on_other = |session: &Session<'_>| Session { node: &other, token: session.token.clone() };
    let there = on_other(&mission.consultant);
    let body = || offer(mission.costing);
    let post = async |session: &Session<'_>| session.post("/api/proposals/", body()).await;
    let (here, admin) = (&mission.consultant, &mission.admin);
    let (a, b, c, d) = tokio::join!(post(here), post(&there), post(admin), post(&there));
    let mut statuses = [&a, &b, &c, &d].map(|answer| answer.status.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409], "{} {} {} {}", a.text, b.text, c.text, d.text);
    assert_eq!(node.count("proposal.created").await, 1);
    assert_eq!(node.count("solution_costing.proposal_linked").await, 1);

    let winner = [a, b, c, d].into_iter().find(|answer| answer.status.as_u16() == 201).unwrap();
    let path = format!("/api/proposals/{}/", winner.body["id"]);
    mission.consultant.post(&format!("{path}submit/"), json!({})).await.expect(200);
    let approve = async |session: &Session<'_>| {
        session.post(&format!("{path}approve/"), json!({"comment": "Go"})).await.expect(200)
    };
    let there = on_other(&mission.client);
    let client = &mission.client;
    let (a, b, c) = tokio::join!(approve(client), approve(&there), approve(client));
    assert_eq!((&a["project"]["id"], &a["project"]["id"]), (&b["project"]["id"], &c["project"]["id"]));
    assert_eq!(node.count("project.created").await, 1);
    assert_eq!(node.count("proposal.approved").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_opportunity_is_in_one_live_project() {
    let node = Node::start().await;
    let mission = Mission::begin(&node).await;
    let project = approved(&mission, json!({})).await["project"].clone();
    let second = mission.cost_again().await;
    let made = mission.consultant.post("/api/proposals/", offer(second)).await.expect(201);
    let path = format!("/api/proposals/{}/", made["id"]);
    mission.consultant.post(&format!("{path}submit/"), json!({})).await.expect(200);
    mission.client.post(&format!("{path}approve/"), json!({})).await.expect_problem(409, "OPPORTUNITY_IN_PROJECT");
    assert_eq!(mission.client.get(&path).await.expect(200)["status"], "SUBMITTED");
    let cancel = json!({"stage": "CANCELLED", "reason": "the second offer is better"});
    mission.consultant.put(&format!("/api/projects/{}/status/", project["id"]), cancel).await.expect(200);
    mission.client.post(&format!("{path}approve/"), json!({})).await.expect(200);
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn everybody_does_what_his_role_allows_and_strangers_see_nothing() {
    let node = Node::start().await;
    let mission = Mission::begin(&node).await;
    let nobody = node.anonymous();
    let [other_reviewer, other_consultant, other_client] = &mission.strangers[..] else { panic!("three strangers") };
    let Mission { reviewer, consultant, client, .. } = &mission;
    let reason = json!({"reason": "because"});
    refused(
        &[(&nobody, 401), (reviewer, 403), (client, 403), (other_client, 403), (other_consultant, 404)],
        Method::POST,
        "/api/proposals/",
        &offer(mission.costing),
    )
    .await;
    let number = submitted(&mission).await;
    let proposal = format!("/api/proposals/{number}/");
    let writers = [(&nobody, 401), (reviewer, 403), (client, 403), (other_reviewer, 403), (other_consultant, 404)];
    let empty = json!({});
    for (method, path, body) in [
        (Method::PUT, proposal.clone(), &empty),
        (Method::POST, format!("{proposal}submit/"), &empty),
        (Method::POST, format!("{proposal}revise/"), &empty),
        (Method::POST, format!("{proposal}withdraw/"), &reason),
    ] {
        refused(&writers, method, &path, body).await;
    }
    let deleters = [(&nobody, 401), (reviewer, 403), (client, 403), (consultant, 403), (other_consultant, 403)];
    refused(&deleters, Method::DELETE, &proposal, &empty).await;
    let deciders = [(&nobody, 401), (reviewer, 403), (consultant, 403), (other_client, 404)];
    refused(&deciders, Method::POST, &format!("{proposal}approve/"), &empty).await;
    refused(&deciders, Method::POST, &format!("{proposal}reject/"), &reason).await;
    let readers = [(&nobody, 401), (other_reviewer, 404), (other_consultant, 404), (other_client, 404)];
    refused(&readers, Method::GET, &proposal, &empty).await;

    let answer = mission.client.post(&format!("{proposal}approve/"), json!({})).await.expect(200);
    let project = format!("/api/projects/{}/", answer["project"]["id"]);
    let (milestone, opportunity) =
        (&answer["project"]["milestones"][0]["id"], &answer["project"]["opportunities"][0]["id"]);
    let expense = json!({"date": "2026-08-01", "category": "Travel", "amount": "1"});
    for (method, path, body) in [
        (Method::PUT, project.clone(), &empty),
        (Method::PUT, format!("{project}status/"), &empty),
        (Method::POST, format!("{project}milestones/"), &json!({"name": "Pilot"})),
        (Method::PUT, format!("{project}milestones/{milestone}/"), &empty),
        (Method::POST, format!("{project}expenses/"), &expense),
        (Method::PUT, format!("{project}opportunities/{opportunity}/"), &empty),
    ] {
        refused(&writers, method, &path, body).await;
    }
    refused(&readers, Method::GET, &project, &empty).await;
    refused(&readers, Method::GET, &format!("{project}variance/"), &empty).await;
    for reader in [&mission.admin, reviewer, consultant, client] {
        reader.get(&project).await.expect(200);
        reader.get(&format!("{project}variance/")).await.expect(200);
        assert_eq!(reader.get("/api/projects/").await.expect(200)["count"], 1);
        assert_eq!(reader.get("/api/proposals/").await.expect(200)["count"], 1);
        reader.post("/api/projects/", json!({})).await.expect_problem(405, "PROJECT_CREATION_AUTOMATIC");
    }
    for stranger in &mission.strangers {
        assert_eq!(stranger.get("/api/projects/").await.expect(200)["count"], 0);
        assert_eq!(stranger.get("/api/proposals/").await.expect(200)["count"], 0);
    }
    nobody.post("/api/projects/", json!({})).await.expect_problem(401, "NOT_AUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_worked_project_stands_as_the_contract_says() {
    let node = Node::start().await;
    let mission = Mission::begin(&node).await;
    // P3: sixteen weeks from the first of July.
    let answer = approved(&mission, json!({"project": {"start_date": "2026-07-01"}})).await;
    assert_eq!(answer["project"]["end_date"], "2026-10-20");
    let path = format!("/api/projects/{}/", answer["project"]["id"]);
    // P1: today is day 107 of 215.
    let start = Utc::now().date_naive() - Days::new(106);
    let seed = json!({
        "proposal": answer["proposal"]["id"],
        "name": "Finance Process Automation",
        "start_date": start,
        "end_date": start + Days::new(214),
        "budget_limit": 150000.00,
        "milestones": ["Requirements", "Pilot", "Go-Live"]
    });
    let project = mission.consultant.put(&path, seed).await.expect(200);
    assert_eq!(
        (project["name"].as_str(), project["budget_limit"].as_str()),
        (Some("Finance Process Automation"), Some("150000.00"))
    );
    for (place, (weight, percent)) in [(30, 100), (40, 50), (30, 0)].into_iter().enumerate() {
        let milestone = format!("{path}milestones/{}/", project["milestones"][place]["id"]);
        let body = json!({"weight": weight, "percent": percent, "due_date": null});
        mission.consultant.put(&milestone, body).await.expect(200);
    }
    mission.consultant.put(&format!("{path}status/"), json!({"stage": "IN_PROGRESS"})).await.expect(200);
    let expense = json!({"date": start, "category": "Team", "amount": "82500.00", "reference": "INV-1"});
    let posted = mission.consultant.post(&format!("{path}expenses/"), expense).await.expect(201);
    assert_eq!(
        (posted["amount"].as_str(), posted["tracking"]["actual_cost"].as_str()),
        (Some("82500.00"), Some("82500.00"))
    );
    let shown = mission.reviewer.get(&path).await.expect(200);
    let tracking = &shown["tracking"];
    let figures = [
        "planned_percent",
        "planned_value",
        "earned_value",
        "spi",
        "cpi",
        "estimate_at_completion",
        "budget_consumed_percent",
        "variance",
    ]
    .map(|name| tracking[name].as_str().unwrap());
    assert_eq!(figures, ["49.77", "74651.16", "75000.00", "1.005", "0.909", "165000.00", "55.00", "67500.00"]);
    assert_eq!((&shown["delivery_status"], &tracking["auto_delivery_status"]), (&json!("AT_RISK"), &json!("AT_RISK")));

    let opportunity = format!("{path}opportunities/{}/", shown["opportunities"][0]["id"]);
    mission.consultant.put(&opportunity, json!({"stage": "IN_PROGRESS", "actual_savings": 150000})).await.expect(200);
    let variance = mission.client.get(&format!("{path}variance/")).await.expect(200);
    assert_eq!(variance["total"]["cost_variance"], "67500.00");
    assert_eq!(variance["opportunities"][0]["savings_variance"], "3259.04");
    let reversal = json!({"reversal_of": posted["id"], "description": "posted twice"});
    let reversed = mission.consultant.post(&format!("{path}expenses/"), reversal.clone()).await.expect(201);
    assert_eq!(
        (reversed["amount"].as_str(), reversed["tracking"]["actual_cost"].as_str()),
        (Some("-82500.00"), Some("0.00"))
    );
    mission.consultant.post(&format!("{path}expenses/"), reversal).await.expect_problem(409, "ALREADY_REVERSED");
    let listed = mission.consultant.get("/api/projects/?stage=IN_PROGRESS&ordering=-budget_limit").await.expect(200);
    assert_eq!(listed["count"], 1);
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_offer_can_be_approved_on_its_last_day_and_expires_after_it() {
    let node = Node::start().await;
    let database_url = node.database_url.clone();
    let mission = Mission::begin(&node).await;
    let second = mission.cost_again().await;
    // P2: valid for 30 days, so over on the 31st.
    let over = sent_days_ago(&mission, mission.costing, 31).await;
    let last_day = sent_days_ago(&mission, second, 30).await;
    mission.client.post(&format!("{over}approve/"), json!({})).await.expect_problem(409, "PROPOSAL_EXPIRED");
    mission.client.post(&format!("{last_day}approve/"), json!({})).await.expect(200);
    assert_eq!(mission.consultant.get(&over).await.expect(200)["status"], "SUBMITTED");
    let token = mission.consultant.token.clone();
    drop(mission);
    drop(node);

    // A node that starts does what is due.
    let node = Node::start_on(&database_url, &[]).await;
    let consultant = Session { node: &node, token };
    node.recorded("proposal.expired", 1).await;
    assert_eq!(consultant.get(&over).await.expect(200)["status"], "EXPIRED");
    assert_eq!(consultant.get(&last_day).await.expect(200)["status"], "APPROVED");
    node.prove_projections().await;
}

/// The path of a proposal that was submitted so many days ago, by what its route does.
async fn sent_days_ago(mission: &Mission<'_>, costing: SolutionCostingId, days: i64) -> String {
    let made = mission.consultant.post("/api/proposals/", offer(costing)).await.expect(201);
    let number = made["id"].as_i64().unwrap();
    let at = Utc::now() - Duration::days(days);
    let issuer = Issuer { actor: mission.manager(), at, ..Issuer::system("proposal.submit") };
    let journal = &mission.admin.node.app.tenant.journal;
    let sent = journal.execute::<_, ExecuteError>(&issuer, async |unit| {
        unit.decide::<Proposal, _>(number, ProposalCommand::Submit { costing_is_approved: true }).await?;
        unit.decide::<SolutionCosting, _>(costing, CostingCommand::DiscloseTotals).await
    });
    sent.await.unwrap();
    let path = format!("/api/proposals/{number}/");
    mission.client.get(&path).await.expect(200);
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn bad_input_is_refused_by_name() {
    let node = Node::start().await;
    let mission = Mission::begin(&node).await;
    let with = |name: &str, value: Value| {
        let mut body = offer(mission.costing);
        body[name] = value;
        body
    };
    for (body, status, code, field) in [
        (with("status", json!("APPROVED")), 422, "INVALID", "status"),
        (with("timeline_weeks", json!(261)), 422, "VALUE_OUT_OF_RANGE", "timeline_weeks"),
        (with("validity_days", json!(0)), 422, "VALUE_OUT_OF_RANGE", "validity_days"),
        (with("timeline_weeks", json!("sixteen")), 400, "MALFORMED", "timeline_weeks"),
        (with("deliverables", json!(["Plan", " "])), 422, "INVALID", "deliverables[1]"),
        (with("title", json!("")), 422, "INVALID", "title"),
        (with("colour", json!(1)), 422, "UNKNOWN_FIELD", "colour"),
        (with("solution_costing_id", json!(0)), 422, "INVALID", "solution_costing_id"),
    ] {
        let problem = mission.consultant.post("/api/proposals/", body).await.expect_problem(status, code);
        assert!(problem["errors"][field].is_array(), "{field}: {problem}");
    }
    mission.consultant.post("/api/proposals/", offer(99)).await.expect_problem(404, "NOT_FOUND");
    mission.consultant.get("/api/proposals/?status=SENT").await.expect_problem(422, "INVALID");
    mission.consultant.get("/api/projects/?stage=BEGUN").await.expect_problem(422, "INVALID");
    mission.consultant.get("/api/proposals/abc/").await.expect_problem(404, "NOT_FOUND");

    let number = submitted(&mission).await;
    let approve = format!("/api/proposals/{number}/approve/");
    mission.admin.post(&approve, json!({})).await.expect_problem(422, "COMMENT_REQUIRED");
    for (project, code, field) in [
        (json!({"budget_limit": -1}), "VALUE_OUT_OF_RANGE", "budget_limit"),
        (json!({"start_date": "2026-07-01", "end_date": "2026-06-30"}), "END_BEFORE_START", "end_date"),
        (json!({"proposal": number + 1}), "OTHER_PROPOSAL", "proposal"),
        (json!({"milestones": vec!["m"; 501]}), "VALUE_OUT_OF_RANGE", "milestones"),
        (json!({"start_date": "yesterday"}), "INVALID", "project.start_date"),
    ] {
        let problem = mission.client.post(&approve, json!({"project": project})).await.expect_problem(422, code);
        assert!(problem["errors"][field].is_array(), "{field}: {problem}");
    }
    let answer = mission.client.post(&approve, json!({})).await.expect(200);
    let path = format!("/api/projects/{}/", answer["project"]["id"]);
    for (part, body, code, field) in [
        ("expenses/", json!({"category": "Travel", "amount": 1}), "REQUIRED", "date"),
        ("expenses/", json!({"reversal_of": 1, "amount": 1, "description": "x"}), "UNKNOWN_FIELD", "amount"),
        ("expenses/", json!({"date": "2026-07-01", "category": "T", "amount": 0}), "VALUE_OUT_OF_RANGE", "amount"),
        ("milestones/", json!({"name": "Pilot", "percent": 101}), "VALUE_OUT_OF_RANGE", "percent"),
        ("milestones/", json!({"name": "Pilot", "weight": 0}), "VALUE_OUT_OF_RANGE", "weight"),
    ] {
        let problem = mission.consultant.post(&format!("{path}{part}"), body).await.expect_problem(422, code);
        assert!(problem["errors"][field].is_array(), "{field}: {problem}");
    }
    let status = format!("{path}status/");
    mission.consultant.put(&status, json!({"stage": "COMPLETED"})).await.expect_problem(409, "INVALID_TRANSITION");
    mission.consultant.put(&status, json!({"stage": "CANCELLED"})).await.expect_problem(422, "REASON_REQUIRED");
    mission.consultant.put(&path, json!({"name": null})).await.expect_problem(422, "REQUIRED");
    mission.consultant.put(&format!("{path}milestones/999/"), json!({})).await.expect_problem(404, "NOT_FOUND");
    let stale = mission.consultant.send(Method::PUT, &path, &[("if-match", "\"99\"")], Some(json!({}))).await;
    stale.expect_problem(412, "VERSION_CONFLICT");
}
