//! Every endpoint with each role, and every thing of an engagement with those who have nothing to do with it. What is
//! served is taken from the API's document, so a new route is refused here until the contract's answer stands in
//! `authorization/expected.rs`.

pub(crate) mod expected;
mod foreign;
mod input;
mod tokens;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    engagement::World,
    harness::{Answer, Node, PASSWORD, Session, answer},
};
use expected::{Operation, Rows, operations};

/// What a role hears of what it may never do. A refusal for a relation says what the relation lacks.
const BY_ROLE: &str = "your role may not do this";

/// A path to things that are not there.
fn nowhere(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{collection}" => "assessments",
        part if part.starts_with('{') => "999999999",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn is_by_role(answer: &Answer) -> bool {
    answer.status == StatusCode::FORBIDDEN && answer.body["detail"] == BY_ROLE
}

/// A request whose body cannot be read.
async fn unreadable(session: &Session<'_>, method: Method, path: &str) -> Answer {
    answer(session.request(method, path).header("content-type", "application/json").body("{")).await
}

/// Somebody of each role, who takes part in nothing.
async fn people(node: &Node) -> Vec<(&'static str, Session<'_>)> {
    let admin = node.admin().await;
    let mut people = Vec::new();
    for role in ["REVIEWER", "CONSULTANT", "CLIENT"] {
        let email = format!("{role}@ddc.test");
        let body = json!({"email": email, "role": role, "password": PASSWORD});
        admin.post("/api/accounts/users/", body).await.expect(201);
        people.push((role, node.login(&email, PASSWORD).await));
    }
    people.push(("ADMIN", admin));
    people
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_operation_is_for_the_roles_that_the_contract_names() {
    let node = Node::start().await;
    let people = people(&node).await;
    let mut wrong = Vec::new();
    for operation in operations() {
        let Operation { method, path, .. } = &operation;
        let at = nowhere(path);
        // Without a token nothing else is looked at.
        let stranger = unreadable(&node.anonymous(), method.clone(), &at).await;
        let told = (stranger.status.as_u16(), stranger.header("www-authenticate"));
        if operation.is_public() == (told == (401, "Bearer")) {
            wrong.push(format!("{method} {path} without a token: {told:?}"));
        }
        if operation.is_public() {
            continue;
        }
        for (role, session) in &people {
            let refused = unreadable(session, method.clone(), &at).await;
            let allowed = match *method {
                Method::GET => session.get(&at).await,
                _ => session.send(method.clone(), &at, &[], Some(json!({}))).await,
            };
            let is_right = if operation.is_disabled() {
                [&refused, &allowed].iter().all(|answer| answer.body["code"] == "PROJECT_CREATION_AUTOMATIC")
            } else if operation.is_for(role) {
                let there = !matches!(allowed.status.as_u16(), 401 | 403 | 405 | 500..);
                let unknown = operation.rows == Rows::Own && *method == Method::GET && allowed.status != 404;
                there && !unknown && !is_by_role(&refused)
            } else {
                // The role is known before the body is read and the id is looked for.
                is_by_role(&refused) && is_by_role(&allowed)
            };
            if !is_right {
                let told = (refused.status.as_u16(), allowed.status.as_u16(), &allowed.body["detail"]);
                wrong.push(format!("{method} {path} as {role}: {told:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Everything that has been written after a position.
async fn written_after(node: &Node, position: i64) -> Vec<(String, Value)> {
    sqlx::query_as("SELECT event_type, metadata::jsonb FROM events WHERE position > $1")
        .bind(position)
        .fetch_all(&node.app.tenant.pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_engagement_is_not_there_for_those_who_have_no_part_in_it() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let head = runtime::feed::head(&node.app.tenant.pool).await.unwrap();
    let mut wrong = Vec::new();
    for operation in operations().iter().filter(|operation| operation.path.contains('{')) {
        let at = world.fill(operation.path);
        let body = foreign::body(&world, operation);
        for (role, session) in &world.strangers {
            let status = match operation.rows {
                _ if !operation.is_for(role) => 403,
                Rows::Shared => 200,
                _ => 404,
            };
            // Whoever may not see a thing learns nothing of its version either.
            for headers in [&[][..], &[("if-match", "\"999\"")]] {
                let method = operation.method.clone();
                let file = operation.path.ends_with("/upload-questions/");
                let answer = match method {
                    Method::GET => session.send(method, &at, headers, None).await,
                    _ if file => session.upload(&at, "questions.csv", "code,text\nA,One\n").await,
                    _ => session.send(method, &at, headers, Some(body.clone())).await,
                };
                let by_role = status != 403 || is_by_role(&answer);
                if answer.status.as_u16() != status || !by_role {
                    wrong.push(format!("{} {at} {headers:?} as {role}: {}", operation.method, answer.text));
                }
            }
        }
    }
    for (role, method, path, body, status) in foreign::named_elsewhere(&world) {
        let body = (method != "GET").then_some(body);
        let answer = world.stranger(role).send(method.parse().unwrap(), &path, &[], body).await;
        if answer.status.as_u16() != status {
            wrong.push(format!("{method} {path} as {role}: {}", answer.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let written = written_after(&node, head).await;
    assert!(written.is_empty(), "{written:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn strangers_have_empty_lists_and_dashboards() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let client = world.id("/api/clients/");
    for operation in operations().iter().filter(|operation| operation.rows == Rows::List) {
        for (role, session) in world.strangers.iter().filter(|(role, _)| operation.is_for(role)) {
            // Neither all nor those that are asked for by name; their own client they see.
            for path in [operation.path.to_owned(), format!("{}?client={client}&user_id={client}", operation.path)] {
                let list = session.get(&path).await.expect(200);
                let others = list["results"].as_array().unwrap().iter().filter(|row| row["user_id"] != world.other);
                assert_eq!(others.count(), 0, "{path} as {role}: {list}");
            }
        }
        let own = world.client.get(operation.path).await;
        assert!(!operation.is_for("CLIENT") || own.expect(200)["count"] != 0, "{} is empty for all", operation.path);
    }
    for (role, session) in &world.strangers {
        let stats = session.get("/api/dashboards/stats/").await.expect(200);
        for number in ["active_assessments", "pending_proposals", "active_projects", "total_milestones"] {
            assert_eq!(stats[number], 0, "{number} as {role}");
        }
        let details = session.get("/api/dashboards/details/").await.expect(200);
        let lists = details.as_object().unwrap().iter().filter(|(_, value)| value.is_array());
        for (name, list) in lists {
            assert_eq!(list, &json!([]), "{name} as {role}");
        }
    }
}
