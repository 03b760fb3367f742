//! A whole engagement of one client, from the company to an expense of the project, made over HTTP by those whose work it
//! is; and strangers of each role, who work for another client or are one.

use kernel::UserId;
use serde_json::{Value, json};

use crate::harness::{Node, PASSWORD, Session};

pub(crate) const QUESTIONS: &str = "code,text,vertical_code,section,type,required,formula,value\n\
    P2P_ANNUAL_VOLUME,Invoices a year,P2P,Volumes,NUMBER,true,,25000\n\
    P2P_FTE,Full-time equivalents,P2P,People,NUMBER,true,,8\n\
    P2P_AVG_SALARY,Average salary,P2P,People,CURRENCY,true,,52000\n";

/// How often what happens behind the scenes is looked for.
const LOOKS: usize = 400;

/// A stranger: the role, and the session.
pub(crate) type Stranger<'a> = (&'static str, Session<'a>);

/// The engagement.
pub(crate) struct World<'a> {
    pub(crate) strangers: [Stranger<'a>; 3],
    pub(crate) client: Session<'a>,
    pub(crate) consultant: Session<'a>,
    pub(crate) reviewer: Session<'a>,
    /// The user of the other client.
    pub(crate) other: i64,
    other_consultant: i64,
    /// What stands for `{id}` in the paths that begin so; the longer ones come first.
    ids: Vec<(&'static str, i64)>,
    /// What stands for the other names in paths.
    parts: Vec<(&'static str, i64)>,
    pub(crate) question: i64,
}

fn number(of: &Value) -> i64 {
    of["id"].as_i64().unwrap_or_else(|| panic!("{of} has no id"))
}

async fn made(by: &Session<'_>, path: &str, body: Value) -> i64 {
    number(&by.post(path, body).await.expect(201))
}

async fn staff<'a>(node: &'a Node, admin: &Session<'a>, email: &str, role: &str) -> (i64, Session<'a>) {
    let body = json!({"email": email, "role": role, "password": PASSWORD});
    (made(admin, "/api/accounts/users/", body).await, node.login(email, PASSWORD).await)
}

async fn client<'a>(node: &'a Node, admin: &Session<'a>, email: &str, mut team: Value) -> (i64, Session<'a>) {
    let company = json!({"name": format!("The company of {email}")});
    team["company_id"] = json!(made(admin, "/api/common/company/", company).await);
    team["contact_email"] = json!(email);
    team["contact_name"] = json!("Ann Contact");
    let id = admin.post("/api/clients/add/", team).await.expect(201)["user_id"].as_i64().unwrap();
    let hash = ddc::auth::Password::try_from(PASSWORD.to_owned()).unwrap().hash().await.unwrap();
    hash.save(&node.app.tenant.pool, UserId::try_from(id).unwrap()).await.unwrap();
    (id, node.login(email, PASSWORD).await)
}

/// A band that both kinds of roles have.
fn band(name: &str) -> Value {
    json!({"name": name, "code": name.to_uppercase(), "experience_level": "SENIOR", "day_rate_min": "350.00",
        "day_rate_max": "550.00", "day_rate_current": "450.00"})
}

impl<'a> World<'a> {
    pub(crate) async fn build(node: &'a Node) -> Self {
        let admin = node.admin().await;
        let common = async |kind: &str, body: Value| made(&admin, &format!("/api/common/{kind}/"), body).await;
        let region = common("region", json!({"name": "USA", "code": "USA"})).await;
        let currency = common("currency", json!({"name": "US Dollar", "code": "USD"})).await;
        let vertical = common("vertical", json!({"name": "Procure to Pay", "code": "P2P"})).await;
        let industry = common("industry-type", json!({"name": "Retail", "code": "RETAIL"})).await;
        let consultant_role = common("consultant-role", band("architect")).await;
        let mut lead = band("lead");
        lead["number_of_days"] = json!(20);
        let role = common("operations-role", lead).await;
        let component = json!({"name": "RPA", "code": "RPA", "unit": "bot", "default_rate": "6500.00"});
        let component = made(&admin, "/api/solution_components/", component).await;

        let (reviewer_id, reviewer) = staff(node, &admin, "reviewer@ddc.test", "REVIEWER").await;
        let (consultant_id, consultant) = staff(node, &admin, "consultant@ddc.test", "CONSULTANT").await;
        let (other_reviewer_id, other_reviewer) = staff(node, &admin, "other-reviewer@ddc.test", "REVIEWER").await;
        let (other_consultant_id, other_consultant) =
            staff(node, &admin, "other-consultant@ddc.test", "CONSULTANT").await;
        let team = |reviewer: i64, consultant: i64| {
            let pair = json!({"vertical_id": vertical, "consultant_id": consultant});
            json!({"industry_id": industry, "reviewer_id": reviewer, "verticals_and_consultants": [pair]})
        };
        let (client_id, client) = self::client(node, &admin, "client@ddc.test", team(reviewer_id, consultant_id)).await;
        let theirs = team(other_reviewer_id, other_consultant_id);
        let (other, other_client) = self::client(node, &admin, "other-client@ddc.test", theirs).await;

        let assessment = json!({"name": "Finance Discovery Survey", "client": client_id, "industry_type": industry,
            "managed_by": consultant_id, "region_id": region, "vertical_ids": [vertical]});
        let assessment = made(&consultant, "/api/assessments/", assessment).await;
        let path = format!("/api/assessments/{assessment}/");
        let (opportunity, comment, question) = assess(&consultant, &client, &path, vertical).await;

        let card = json!({"name": "Card", "client": client_id, "assessment": null, "region": "USA",
            "currency": currency});
        let card = made(&consultant, "/api/rate_card/", card).await;
        let rates = json!({"status": "ACTIVE", "operations_roles": [{"role_id": role, "day_rate": "450.00",
            "number_of_days": 20}]});
        consultant.put(&format!("/api/rate_card/{card}/"), rates).await.expect(200);
        let solution_card = json!({"name": "Build", "base_rate_card": card, "currency": currency});
        let solution_card = made(&consultant, "/api/solution_rate_card/", solution_card).await;
        let costing = json!({"name": "Estimate", "assessment_opportunities": [opportunity], "rate_card": card});
        let costing = made(&consultant, "/api/solution_costing/", costing).await;
        let line = json!({"solution_costing": costing, "role": role, "headcount": "1.5", "duration_months": 6});
        let line = made(&consultant, "/api/solution_costing/line-items/", line).await;
        let (proposal, project) = sell(&consultant, &reviewer, &client, costing).await;

        Self {
            strangers: [("CLIENT", other_client), ("CONSULTANT", other_consultant), ("REVIEWER", other_reviewer)],
            ids: vec![
                ("/api/common/company/", 1),
                ("/api/common/region/", region),
                ("/api/common/currency/", currency),
                ("/api/common/vertical/", vertical),
                ("/api/common/industry-type/", industry),
                ("/api/common/operations-role/", role),
                ("/api/common/consultant-role/", consultant_role),
                ("/api/solution_components/", component),
                ("/api/accounts/users/", client_id),
                ("/api/clients/", client_id),
                ("/api/assessments/", assessment),
                ("/api/{collection}/", assessment),
                ("/api/rate_card/", card),
                ("/api/solution_rate_card/", solution_card),
                ("/api/solution_costing/line-items/", line),
                ("/api/solution_costing/", costing),
                ("/api/proposals/", proposal),
                ("/api/projects/", number(&project)),
                ("/api/notifications/", notification(&client).await),
            ],
            parts: vec![
                ("{user_id}", client_id),
                ("{opportunity}", opportunity),
                ("{comment}", comment),
                ("{mid}", number(&project["milestones"][0])),
                ("{poid}", number(&project["opportunities"][0])),
            ],
            question,
            client,
            consultant,
            reviewer,
            other,
            other_consultant: other_consultant_id,
        }
    }

    /// The stranger of a role.
    pub(crate) fn stranger(&self, role: &str) -> &Session<'a> {
        &self.strangers.iter().find(|(known, _)| *known == role).unwrap().1
    }

    /// The user of the consultant who is a stranger.
    pub(crate) fn other_consultant(&self) -> i64 {
        self.other_consultant
    }

    /// The id of what is under a path.
    pub(crate) fn id(&self, of: &str) -> i64 {
        let found = self.ids.iter().find(|(prefix, _)| of.starts_with(prefix));
        found.unwrap_or_else(|| panic!("the world has no {of}")).1
    }

    /// A path with the ids of the engagement's things.
    pub(crate) fn fill(&self, path: &str) -> String {
        let mut filled = path.to_owned();
        for (name, id) in &self.parts {
            filled = filled.replace(name, &id.to_string());
        }
        if filled.contains("{id}") {
            filled = filled.replace("{id}", &self.id(path).to_string());
        }
        filled.replace("{collection}", "assessments")
    }
}

/// Answers, finds and analyses; the opportunity, the client's comment and a question.
pub(crate) async fn assess(
    consultant: &Session<'_>,
    client: &Session<'_>,
    path: &str,
    vertical: i64,
) -> (i64, i64, i64) {
    consultant.upload(&format!("{path}upload-questions/"), "questions.csv", QUESTIONS).await.expect(201);
    let answers = consultant.get(&format!("{path}answers/")).await.expect(200);
    let question = answers["results"][0]["question_id"].as_i64().unwrap();
    let bots = json!({"vertical_id": vertical, "title": "Bots", "lever": "RPA", "complexity": "LOW",
        "addressable_effort_percent": "40", "automation_percent": "50", "realization_percent": "80"});
    let opportunity = made(consultant, &format!("{path}opportunities/"), bots).await;
    consultant.post(&format!("{path}run-analysis/"), json!({})).await.expect(202);
    for _ in 0..LOOKS {
        if consultant.get(path).await.expect(200)["status"] == "COMPLETED" {
            let comment = made(client, &format!("{path}comments/"), json!({"comment_text": "Fine"})).await;
            return (opportunity, comment, question);
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the analysis does not end");
}

/// From the draft of a costing to the project with an expense; the proposal and the project.
async fn sell(consultant: &Session<'_>, reviewer: &Session<'_>, client: &Session<'_>, costing: i64) -> (i64, Value) {
    let path = format!("/api/solution_costing/{costing}/");
    consultant.post(&format!("{path}submit/"), json!({})).await.expect(200);
    reviewer.post(&format!("{path}approve/"), json!({})).await.expect(200);
    let offer = json!({"solution_costing_id": costing, "title": "Offer", "timeline_weeks": 16, "validity_days": 30,
        "deliverables": ["Blueprint", "Plan"]});
    let proposal = made(consultant, "/api/proposals/", offer).await;
    let path = format!("/api/proposals/{proposal}/");
    consultant.post(&format!("{path}submit/"), json!({})).await.expect(200);
    let project = client.post(&format!("{path}approve/"), json!({})).await.expect(200)["project"].clone();
    let expense = json!({"date": project["start_date"], "category": "Travel", "amount": "10.00"});
    consultant.post(&format!("/api/projects/{}/expenses/", number(&project)), expense).await.expect(201);
    (proposal, project)
}

/// The first thing that the client was told.
async fn notification(client: &Session<'_>) -> i64 {
    for _ in 0..LOOKS {
        let told = client.get("/api/notifications/").await.expect(200);
        if told["count"] != 0 {
            return number(&told["results"][0]);
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the client is not told of anything");
}
