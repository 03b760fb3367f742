//! Input that is none: each kind of command, each kind of member. Whatever is wrong is refused by name, and nothing of it
//! is stored. What a company's body and an uploaded file can have wrong is proved beside them.

use reqwest::Method;
use serde_json::json;

use super::expected::operations;
use crate::{
    engagement::World,
    harness::{Node, answer},
};

/// What is sent (as text: not all of it is JSON), and the refusal: its status, its code, and the member that it names.
type Case = (&'static str, &'static str, String, u16, &'static str, &'static str);

const NAME: &str = "name";
const LEAD: &str = "/api/common/operations-role/{id}/update/";
const LINES: &str = "/api/solution_costing/line-items/";
const EXPENSES: &str = "/api/projects/{id}/expenses/";
const MILESTONES: &str = "/api/projects/{id}/milestones/";
const CARD: &str = "/api/rate_card/{id}/";
const PROPOSAL: &str = "/api/proposals/{id}/";
const ASSESSMENT: &str = "/api/assessments/{id}/";
const USER: &str = "/api/accounts/users/{id}/";

fn numbers() -> Vec<Case> {
    let with = |method, path, member: &str, value: &str, status, code, field| -> Case {
        (method, path, format!("{{\"{member}\":{value}}}"), status, code, field)
    };
    vec![
        with("PUT", LEAD, "day_rate_current", "-1", 422, "AMOUNT_OUT_OF_RANGE", "day_rate_current"),
        with("PUT", LEAD, "day_rate_current", "NaN", 400, "MALFORMED", ""),
        with("PUT", LEAD, "day_rate_current", "\"NaN\"", 422, "INVALID", "day_rate_current"),
        with("PUT", LEAD, "day_rate_current", "Infinity", 400, "MALFORMED", ""),
        with("PUT", LEAD, "day_rate_current", "1e400", 400, "MALFORMED", ""),
        with("PUT", LEAD, "day_rate_current", "\"1e400\"", 422, "INVALID", "day_rate_current"),
        with("PUT", LEAD, "day_rate_current", "true", 400, "MALFORMED", "day_rate_current"),
        with("PUT", LEAD, "day_rate_current", "[450]", 400, "MALFORMED", "day_rate_current"),
        with("PUT", LEAD, "number_of_days", "0", 422, "DAYS_OUT_OF_RANGE", "number_of_days"),
        with("PUT", LEAD, "number_of_days", "-1", 422, "INVALID", "number_of_days"),
        with("PUT", LEAD, "number_of_days", "99999999999999999999999", 400, "MALFORMED", "number_of_days"),
        with("PUT", LEAD, "number_of_days", "1.5", 400, "MALFORMED", "number_of_days"),
        with("PUT", LEAD, "experience_level", "\"WIZARD\"", 422, "INVALID", "experience_level"),
        with(
            "PUT",
            "/api/common/currency/{id}/update/",
            "minor_units",
            "5",
            422,
            "MINOR_UNITS_OUT_OF_RANGE",
            "minor_units",
        ),
        with("PUT", PROPOSAL, "validity_days", "9223372036854775808", 422, "INVALID", "validity_days"),
        with("POST", MILESTONES, "weight", "1", 422, "REQUIRED", "name"),
        with("PUT", "/api/solution_costing/{id}/", "pmo_percentage", "\"much\"", 422, "INVALID", "pmo_percentage"),
        with("PUT", "/api/assessments/{id}/", "current_step", "-1", 422, "INVALID", "current_step"),
    ]
}

fn texts_and_dates() -> Vec<Case> {
    let long = "x".repeat(5000);
    let expense = |date: &str, amount: &str| format!(r#"{{"date":{date},"category":"Travel","amount":{amount}}}"#);
    vec![
        ("POST", EXPENSES, expense("\"2026-02-30\"", "1"), 422, "INVALID", "date"),
        ("POST", EXPENSES, expense("\"yesterday\"", "1"), 422, "INVALID", "date"),
        ("POST", EXPENSES, expense("20260101", "1"), 400, "MALFORMED", "date"),
        ("POST", EXPENSES, expense("\"2026-01-05\"", "\"many\""), 422, "INVALID", "amount"),
        ("POST", EXPENSES, expense("\"2026-01-05\"", "-1"), 422, "VALUE_OUT_OF_RANGE", "amount"),
        ("PUT", CARD, r#"{"effective_to":"2026-13-01"}"#.to_owned(), 422, "INVALID", "effective_to"),
        ("POST", MILESTONES, format!(r#"{{"name":"{long}"}}"#), 422, "INVALID", NAME),
        ("POST", MILESTONES, r#"{"name":"   "}"#.to_owned(), 422, "INVALID", NAME),
        ("POST", MILESTONES, r#"{"name":"a\u0000b"}"#.to_owned(), 422, "INVALID", NAME),
        ("POST", MILESTONES, r#"{"name":"\ud800"}"#.to_owned(), 400, "MALFORMED", ""),
        ("POST", MILESTONES, r#"{"name":"A","due_date":"0000-00-00"}"#.to_owned(), 422, "INVALID", "due_date"),
        ("POST", MILESTONES, r#"{"name":"A","name":"B"}"#.to_owned(), 400, "MALFORMED", NAME),
        ("POST", MILESTONES, r#"{"name":"A"} {}"#.to_owned(), 400, "MALFORMED", ""),
        ("POST", MILESTONES, r#"{"name":"#.to_owned() + &"[".repeat(100_000), 400, "MALFORMED", ""),
        ("POST", MILESTONES, "[]".to_owned(), 400, "MALFORMED", "body"),
        ("POST", MILESTONES, r#" ["Mine", 1, null, null, null]"#.to_owned(), 400, "MALFORMED", "body"),
        ("POST", MILESTONES, "null".to_owned(), 400, "MALFORMED", "body"),
        ("POST", MILESTONES, String::new(), 400, "MALFORMED", ""),
        (
            "POST",
            "/api/assessments/{id}/comments/",
            format!(r#"{{"comment_text":"{long}"}}"#),
            422,
            "INVALID",
            "comment_text",
        ),
        ("PUT", USER, r#"{"email":"a b@c"}"#.to_owned(), 422, "INVALID", "email"),
        ("PUT", USER, r#"{"email":"a\u0000@ddc.test"}"#.to_owned(), 422, "INVALID", "email"),
        ("PUT", PROPOSAL, format!(r#"{{"title":"{long}"}}"#), 422, "INVALID", "title"),
    ]
}

/// Members within members are named with the way to them.
fn nested() -> Vec<Case> {
    let roles = r#"{"operations_roles":[{"role_id":1,"day_rate":"1.00"},{"role_id":-5,"day_rate":"x"}]}"#;
    let unknown = r#"{"operations_roles":[{"role_id":1,"day_rate":"1.00","colour":1}]}"#;
    vec![
        ("PUT", CARD, roles.to_owned(), 422, "INVALID", "operations_roles[1].day_rate"),
        ("PUT", CARD, unknown.to_owned(), 422, "UNKNOWN_FIELD", "operations_roles[0].colour"),
        ("PUT", USER, r#"{"profile":{"colour":1}}"#.to_owned(), 422, "UNKNOWN_FIELD", "profile.colour"),
        ("PUT", USER, r#"{"profile":{"city":["Pune"]}}"#.to_owned(), 400, "MALFORMED", "profile.city"),
        ("PUT", PROPOSAL, r#"{"deliverables":["Plan",5]}"#.to_owned(), 400, "MALFORMED", "deliverables[1]"),
        ("PUT", ASSESSMENT, r#"{"vertical_ids":[0]}"#.to_owned(), 422, "INVALID", "vertical_ids[0]"),
        (
            "PUT",
            ASSESSMENT,
            r#"{"ble_parameters":{"colour":1}}"#.to_owned(),
            422,
            "UNKNOWN_FIELD",
            "ble_parameters.colour",
        ),
        ("PUT", "/api/projects/{id}/status/", r#"{"stage":"PAUSED"}"#.to_owned(), 422, "INVALID", "stage"),
        (
            "PUT",
            "/api/projects/{id}/opportunities/{poid}/",
            r#"{"actual_savings":{}}"#.to_owned(),
            400,
            "MALFORMED",
            "actual_savings",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_wrong_with_a_body_is_refused_by_name_and_nothing_is_stored() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let admin = node.admin().await;
    let head = runtime::feed::head(&node.app.tenant.pool).await.unwrap();
    let line = |member: &str, value: &str| {
        let costing = world.id("/api/solution_costing/");
        format!(r#"{{"solution_costing":{costing},"role":1,"headcount":1,"duration_months":1,"{member}":{value}}}"#)
    };
    let mut cases = [numbers(), texts_and_dates(), nested()].concat();
    cases.push(("POST", LINES, line("multiplier", "\"one\""), 422, "INVALID", "multiplier"));
    cases.push(("POST", LINES, line("quantity", "[]"), 400, "MALFORMED", "quantity"));
    cases.push(("POST", LINES, line("location", "\"\""), 422, "INVALID", "location"));
    cases.push(("POST", LINES, line("headcount", "2"), 400, "MALFORMED", "headcount"));
    let mut wrong = Vec::new();
    for (method, path, body, status, code, field) in cases {
        let shown: String = body.chars().take(80).collect();
        let request = admin.request(method.parse().unwrap(), &world.fill(path));
        let refused = answer(request.header("content-type", "application/json").body(body)).await;
        let named = field.is_empty() || refused.body["errors"][field].is_array();
        if (refused.status.as_u16(), refused.body["code"].as_str()) != (status, Some(code)) || !named {
            let told: String = refused.text.chars().take(300).collect();
            wrong.push(format!("{method} {path} {shown}: not {status} {code} {field}, but {told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let written = super::written_after(&node, head).await;
    assert!(written.is_empty(), "{written:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_wrong_around_a_body_is_refused_too() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let (admin, head) = (node.admin().await, runtime::feed::head(&node.app.tenant.pool).await.unwrap());
    let comments = world.fill("/api/assessments/{id}/comments/");
    let send = async |path: &str, kind: &str, body: Vec<u8>| {
        answer(world.consultant.request(Method::POST, path).header("content-type", kind).body(body)).await
    };
    let json = "application/json";
    let text = |text: &str| text.as_bytes().to_vec();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""] {
        let refused = send(&comments, kind, text(r#"{"comment_text":"A"}"#)).await;
        refused.expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    send(&comments, json, b"{\"comment_text\":\"\xff\"}".to_vec()).await.expect_problem(400, "MALFORMED");
    send(&comments, json, vec![b' '; 11 << 20]).await.expect_problem(413, "TOO_LARGE");
    // A stranger learns nothing of what a body should be, and nobody's body is kept that is too large.
    let foreign = world.stranger("REVIEWER").request(Method::POST, "/api/proposals/").body(vec![b' '; 11 << 20]);
    answer(foreign).await.expect_problem(403, "FORBIDDEN");

    for id in ["0", "-1", "abc", "1.5", "999999999", "99999999999999999999999", "%00", "1%2F2"] {
        for path in ["assessments", "proposals", "projects", "solution_costing", "rate_card", "accounts/users"] {
            let told = admin.get(&format!("/api/{path}/{id}/")).await;
            assert_eq!(
                (told.status.as_u16(), told.header("content-type")),
                (404, "application/problem+json"),
                "{path} {id}"
            );
        }
    }
    for (query, field) in [
        ("page=abc", "page"),
        ("page=0", "page"),
        ("page_size=0", "page_size"),
        ("page_size=-5", "page_size"),
        ("cursor=garbage", "cursor"),
        ("ordering=password_hash", "ordering"),
        ("client=abc", "client"),
        ("client=-1", "client"),
        ("include_deleted=perhaps", "include_deleted"),
    ] {
        let refused = admin.get(&format!("/api/assessments/?{query}")).await;
        assert_eq!(refused.status.as_u16(), 422, "{query}: {}", refused.text);
        assert!(refused.body["errors"][field].is_array(), "{query}: {}", refused.text);
    }
    for path in ["assessments", "proposals", "projects", "solution_costing", "clients", "accounts/users", "audit_logs"]
    {
        for search in ["%00", "%25", "%5C", "'%3B--", "%FF"] {
            let told = admin.get(&format!("/api/{path}/?search={search}")).await;
            assert!(matches!(told.status.as_u16(), 200 | 400 | 422), "{path} {search}: {}", told.text);
        }
    }
    // Whatever a list has, it can be asked to be ordered by it, and refuses the rest.
    let lists = operations().into_iter().filter(|one| one.method == Method::GET && !one.path.contains('{'));
    for operation in lists.filter(|one| !one.is_public()) {
        for column in ["id", "-created_at", "updated_at", "-name", "body"] {
            let told = admin.get(&format!("{}?ordering={column}", operation.path)).await;
            assert!(told.status.is_success() || told.status == 422, "{} {column}: {}", operation.path, told.text);
        }
    }
    let stale = [("if-match", "\"soon\"")];
    let path = world.fill("/api/proposals/{id}/");
    admin.send(Method::PUT, &path, &stale, Some(json!({"title": "A"}))).await.expect_problem(400, "MALFORMED");
    let key = "k".repeat(5000);
    let key = [("idempotency-key", &*key)];
    let keyed = world.consultant.send(Method::POST, &comments, &key, Some(json!({"comment_text": "A"}))).await;
    assert!(matches!(keyed.status.as_u16(), 400 | 422), "{}", keyed.text);
    let written = super::written_after(&node, head).await;
    let commands = written.iter().filter(|(event, _)| !event.starts_with("user."));
    assert_eq!(commands.count(), 0, "{written:?}");
}
