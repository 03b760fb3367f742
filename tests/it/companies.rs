//! Companies, and with them what every resource has: problems, versions, idempotency keys, read-your-writes.

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::harness::Node;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_company_is_created_once_under_an_idempotency_key() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let key = [("idempotency-key", "k1")];
    let body = json!({"name": "Acme"});
    let first = admin.send(Method::POST, "/api/common/company/", &key, Some(body.clone())).await;
    let again = admin.send(Method::POST, "/api/common/company/", &key, Some(body.clone())).await;
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    assert_eq!(first.header("etag"), "\"1\"");
    let other = admin.send(Method::POST, "/api/common/company/", &key, Some(json!({"name": "Other"}))).await;
    other.expect_problem(422, "IDEMPOTENCY_KEY_REUSED");
    let list = admin.get("/api/common/companies/").await.expect(200);
    assert_eq!(list["count"], 1);
    // A refusal is replayed too.
    let key = [("idempotency-key", "k2")];
    let refused = admin.send(Method::POST, "/api/common/company/", &key, Some(body.clone())).await;
    refused.expect_problem(409, "NAME_TAKEN");
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stale_version_is_refused_and_changes_nothing() {
    let node = Node::start().await;
    let admin = node.admin().await;
    admin.post("/api/common/company/", json!({"name": "Acme"})).await.expect(201);
    let path = "/api/common/company/1/update/";
    let seen = [("if-match", "\"1\"")];
    admin.send(Method::PUT, path, &seen, Some(json!({"country": "India"}))).await.expect(200);
    let stale = admin.send(Method::PUT, path, &seen, Some(json!({"country": "USA"}))).await;
    assert_eq!(stale.expect_problem(412, "VERSION_CONFLICT")["version"], 2);
    assert_eq!(admin.get("/api/common/company/1/").await.expect(200)["country"], "India");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn bad_bodies_are_refused_by_name() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let path = "/api/common/company/";
    for (body, status, code, field) in [
        (json!({}), 422, "REQUIRED", "name"),
        (json!({"name": "A", "colour": 1}), 422, "UNKNOWN_FIELD", "colour"),
        (json!({"name": 5}), 400, "MALFORMED", "name"),
        (json!({"name": ""}), 422, "INVALID", "name"),
        (json!({"name": "x".repeat(201)}), 422, "INVALID", "name"),
        (json!({"name": "A", "parent_id": -1}), 422, "INVALID", "parent_id"),
        (json!({"name": "A", "parent_id": 1}), 422, "INACTIVE_REFERENCE", "parent_id"),
    ] {
        let problem = admin.post(path, body).await.expect_problem(status, code);
        assert!(problem["errors"][field].is_array(), "{problem}");
    }
    let raw = |text: &'static str, kind: &'static str| {
        admin.request(Method::POST, path).header("content-type", kind).body(text)
    };
    crate::harness::answer(raw("{\"name\":", "application/json")).await.expect_problem(400, "MALFORMED");
    crate::harness::answer(raw("{\"name\":NaN}", "application/json")).await.expect_problem(400, "MALFORMED");
    crate::harness::answer(raw("{\"name\":\"a\",\"name\":\"b\"}", "application/json"))
        .await
        .expect_problem(400, "MALFORMED");
    crate::harness::answer(raw("name=a", "text/plain")).await.expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let large = admin.request(Method::POST, path).header("content-type", "application/json").body(vec![b' '; 11 << 20]);
    crate::harness::answer(large).await.expect_problem(413, "TOO_LARGE");
    assert_eq!(admin.get("/api/common/companies/").await.expect(200)["count"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn pages_follow_each_other_both_ways() {
    let node = Node::start().await;
    let admin = node.admin().await;
    for number in 10..17 {
        admin.post("/api/common/company/", json!({"name": format!("Company {number}")})).await.expect(201);
    }
    let names = |page: &serde_json::Value| -> Vec<String> {
        page["results"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let relative = |url: &serde_json::Value| url.as_str().map(|url| url.trim_start_matches(&node.address).to_owned());
    let (mut path, mut seen) = (Some("/api/common/companies/?page_size=3".to_owned()), Vec::new());
    let mut last = serde_json::Value::Null;
    while let Some(here) = path {
        last = admin.get(&here).await.expect(200);
        assert_eq!(last["count"], 7);
        seen.extend(names(&last));
        path = relative(&last["next"]);
    }
    let expected: Vec<String> = (10..17).map(|number| format!("Company {number}")).collect();
    assert_eq!(seen, expected);
    let before = admin.get(&relative(&last["previous"]).unwrap()).await.expect(200);
    assert_eq!(names(&before), expected[3..6]);
    let second = admin.get("/api/common/companies/?page_size=3&page=2&ordering=-name").await.expect(200);
    assert_eq!(names(&second), ["Company 13", "Company 12", "Company 11"]);
    admin.get("/api/common/companies/?page=501").await.expect_problem(422, "PAGE_TOO_DEEP");
    admin.get("/api/common/companies/?cursor=nonsense").await.expect_problem(422, "INVALID");
}

/// A long list is not counted with every page, but whoever writes finds the write counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn ones_own_writes_are_counted_in_a_long_list() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let create = async |number: usize| {
        admin.post("/api/common/company/", json!({"name": format!("Company {number}")})).await.expect(201)
    };
    for tens in 0..55 {
        join_all((0..10).map(|one| create(tens * 10 + one))).await;
    }
    for more in 0..3 {
        assert_eq!(admin.get("/api/common/companies/").await.expect(200)["count"], 550 + more);
        create(550 + more).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_position_that_does_not_exist_is_not_waited_for_and_deceives_no_later_reader() {
    let node = Node::start().await;
    let admin = node.admin().await;
    admin.post("/api/common/company/", json!({"name": "Acme"})).await.expect(201);
    let far = [("ddc-min-position", "1000000000")];
    for path in ["/api/common/company/1/", "/api/common/companies/", "/api/auth/me/"] {
        let answer = admin.send(Method::GET, path, &far, None).await;
        assert_eq!(answer.header("retry-after"), "1");
        answer.expect_problem(503, "UNAVAILABLE");
    }
    let known = node.app.tenant.progress.position("company_list");
    assert!(known <= *node.app.tenant.journal.head().borrow(), "the read model is taken to be at {known}");
}
