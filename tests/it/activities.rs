//! What was asked of the server (E46): who asked for what, and nothing that is secret.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{ADMIN, Node, PASSWORD, answer};

const PATH: &str = "/api/audit_logs/http-activities/";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_request_is_noted_with_who_asked_and_what_came_of_it() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let me = admin.get("/api/auth/me/").await.expect(200)["id"].clone();
    let made = admin.post("/api/common/company/", json!({"name": "Acme"})).await;
    let request = made.header("x-request-id").to_owned();
    let id = made.expect(201)["id"].clone();
    let agent = admin.request(Method::GET, &format!("/api/common/company/{id}/")).header("user-agent", "a browser");
    answer(agent).await.expect(200);
    node.anonymous().get("/api/common/companies/").await.expect_problem(401, "NOT_AUTHENTICATED");
    node.anonymous().get("/nowhere/").await.expect_problem(404, "NOT_FOUND");

    let noted = admin.get(&format!("{PATH}?request_id={request}")).await.expect(200);
    assert_eq!(noted["count"], 1, "{noted}");
    let row = &noted["results"][0];
    for (member, value) in [
        ("method", json!("POST")),
        ("path", json!("/api/common/company/")),
        ("route", json!("/api/common/company/")),
        ("status_code", json!(201)),
        ("user_id", me.clone()),
        ("ip", json!("127.0.0.1")),
        ("request_id", json!(request)),
    ] {
        assert_eq!(row[member], value, "{member} of {row}");
    }
    assert!(row["latency_ms"].as_f64().unwrap() > 0.0 && row["created_at"].is_string(), "{row}");

    let count = async |filter: &str| admin.get(&format!("{PATH}?{filter}")).await.expect(200)["count"].clone();
    assert_eq!(count("method=post&path=company").await, 1);
    assert_eq!(count("route=/api/common/company/%7Bid%7D/").await, 1);
    assert_eq!(count(&format!("user={me}&status_code=201")).await, 1);
    assert_eq!(count("status_code=401&path=companies").await, 1);
    assert_eq!(count("path=nowhere").await, 1);
    assert_eq!(count("user=999999").await, 0);
    assert_eq!(count("ip=10.1.1.1").await, 0);
    assert_eq!(count("to=2020-01-01").await, 0);
    assert_ne!(count("from=2020-01-01").await, 0);
    let nobody = admin.get(&format!("{PATH}?status_code=404&path=nowhere")).await.expect(200);
    assert_eq!((&nobody["results"][0]["user_id"], &nobody["results"][0]["route"]), (&Value::Null, &Value::Null));
    let browser = admin.get(&format!("{PATH}?route=/api/common/company/%7Bid%7D/")).await.expect(200);
    assert_eq!(browser["results"][0]["user_agent"], "a browser");
    let slowest = admin.get(&format!("{PATH}?ordering=-latency_ms&page_size=2")).await.expect(200);
    let next = slowest["next"].as_str().unwrap().trim_start_matches(&node.address).to_owned();
    let beyond = admin.get(&next).await.expect(200);
    let took = |page: &Value, row: usize| page["results"][row]["latency_ms"].as_f64().unwrap();
    assert!(took(&slowest, 0) >= took(&slowest, 1) && took(&slowest, 1) >= took(&beyond, 0), "{slowest} {beyond}");
    for (filter, field) in [("user=x", "user"), ("status_code=ok", "status_code"), ("from=soon", "from")] {
        let refused = admin.get(&format!("{PATH}?{filter}")).await.expect_problem(422, "INVALID");
        assert!(refused["errors"][field].is_array(), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_secret_is_noted_and_probes_are_not() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let pair = json!({"email": ADMIN, "password": PASSWORD});
    let pair = node.anonymous().post("/api/auth/login/?token=in-a-query", pair).await.expect(200);
    node.anonymous().post("/api/auth/token/refresh/", json!({"refresh": pair["refresh"]})).await.expect(200);
    node.anonymous().post("/api/auth/set-password/", json!({"token": "of-a-mail", "password": PASSWORD})).await;
    answer(node.anonymous().request(Method::GET, "/health/live/")).await.expect(200);
    answer(node.anonymous().request(Method::GET, "/api/a%00b/%FF/")).await.expect(404);
    assert_ne!(admin.get(PATH).await.expect(200)["count"], 0);
    let rows: Vec<String> = sqlx::query_scalar("SELECT row_to_json(a)::text FROM http_activities a")
        .fetch_all(&node.app.tenant.pool)
        .await
        .unwrap();
    let all = rows.join("\n");
    let token = admin.token.clone().unwrap();
    let secrets = [PASSWORD, &token, pair["access"].as_str().unwrap(), pair["refresh"].as_str().unwrap()];
    for secret in secrets.into_iter().chain(["in-a-query", "of-a-mail", "Bearer", ADMIN]) {
        assert!(!all.contains(secret), "{secret} is in {all}");
    }
    assert!(all.contains("/api/auth/set-password/") && !all.contains("/health/"), "{all}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_what_is_old_is_purged() {
    let node = Node::start().await;
    let insert = "INSERT INTO http_activities (method, path, status_code, latency_us, request_id, created_at)
         VALUES ('GET', '/old/', 200, 1, 'old', now() - interval '91 days'),
                ('GET', '/young/', 200, 1, 'young', now() - interval '89 days')";
    sqlx::query(insert).execute(&node.app.tenant.pool).await.unwrap();
    // What is noted is written before a node ends, and the one that takes over does what is due.
    node.anonymous().get("/last/").await.expect_problem(404, "NOT_FOUND");
    let url = node.database_url.clone();
    drop(node);
    let node = Node::start_on(&url, &[]).await;
    let admin = node.admin().await;
    for _ in 0..400 {
        let count = async |path| admin.get(&format!("{PATH}?path={path}")).await.expect(200)["count"].clone();
        if count("old").await == 0 && count("last").await == 1 {
            assert_eq!(count("young").await, 1);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the old ones stay, or the last ones are lost");
}
