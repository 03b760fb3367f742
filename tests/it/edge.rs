//! The edge: what every route does alike, whoever asks.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::harness::{Node, PASSWORD, Session};

const IMPORT: &str = "/api/questionnaires/import/";

async fn consultant<'a>(node: &'a Node, admin: &Session<'_>) -> (i64, Session<'a>) {
    let body = json!({"email": "carl@ddc.test", "role": "CONSULTANT", "password": PASSWORD});
    let user = admin.post("/api/accounts/users/", body).await.expect(201)["id"].as_i64().unwrap();
    (user, node.login("carl@ddc.test", PASSWORD).await)
}

/// The status of the answer to an upload of which nothing but its head is ever sent.
async fn answered_before_the_body(node: &Node, token: Option<&str>) -> u16 {
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let head = format!(
        "POST {IMPORT} HTTP/1.1\r\nHost: ddc.test\r\n{token}Content-Type: multipart/form-data; boundary=b\r\n\
         Content-Length: 1000000\r\n\r\n"
    );
    let mut stream = TcpStream::connect(node.address.trim_start_matches("http://")).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    let read = timeout(Duration::from_secs(30), stream.read_exact(&mut status)).await;
    read.expect("there is no answer before the body").unwrap();
    String::from_utf8_lossy(&status).strip_prefix("HTTP/1.1 ").unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_upload_is_not_taken_in_from_one_who_may_not_send_it() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let (user, carl) = consultant(&node, &admin).await;
    assert_eq!(answered_before_the_body(&node, None).await, 401);
    assert_eq!(answered_before_the_body(&node, Some("nonsense")).await, 401);
    assert_eq!(answered_before_the_body(&node, carl.token.as_deref()).await, 403);
    // The answer reaches one who sends all the same.
    for size in [1, 100_000, 5_000_000] {
        carl.upload(IMPORT, "questions.json", vec![b' '; size]).await.expect_problem(403, "FORBIDDEN");
    }
    admin.post(&format!("/api/accounts/users/{user}/deactivate/"), json!({})).await.expect(200);
    assert_eq!(answered_before_the_body(&node, carl.token.as_deref()).await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_refused_method_is_answered_with_those_that_there_are() {
    let node = Node::start().await;
    let admin = node.admin().await;
    for (method, path, allowed) in [
        (Method::DELETE, "/api/common/companies/", "GET"),
        (Method::PATCH, "/api/common/company/1/", "GET"),
        (Method::GET, "/api/auth/login/", "POST"),
        (Method::GET, "/api/auth/login", "POST"),
    ] {
        let answer = admin.send(method.clone(), path, &[], None).await;
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
        answer.expect_problem(405, "METHOD_NOT_ALLOWED");
    }
    // A route may be there to say why there is none.
    let answer = admin.post("/api/projects/", json!({})).await;
    assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET"));
    let unknown = admin.get("/api/nothing/").await;
    assert_eq!(unknown.header("allow"), "");
    unknown.expect_problem(404, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_api_explorer_loads_all_that_its_page_asks_for() {
    let node = Node::start().await;
    let page = node.anonymous().get("/docs").await;
    assert_eq!(page.status, 200, "{}", page.text);
    let asked: Vec<&str> = page
        .text
        .split(['"', '\''])
        .filter(|part| [".js", ".css", ".png"].iter().any(|kind| part.ends_with(kind)))
        .map(|part| part.trim_start_matches("./"))
        .collect();
    assert!(asked.len() > 3, "{}", page.text);
    for file in asked {
        let file = node.anonymous().get(&format!("/docs/{file}")).await;
        assert_eq!(file.status, 200, "{}", file.text);
    }
    node.anonymous().get("/openapi.json").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_tells_how_it_is_in_numbers() {
    let node = Node::start().await;
    node.admin().await.get("/api/common/companies/").await.expect(200);
    let told = node.anonymous().get("/metrics").await.text;
    for metric in [
        "ddc_http_request_seconds",
        "ddc_append_batch_commands",
        "ddc_append_seconds",
        "ddc_projection_lag_events",
        "ddc_relay_lag_events",
    ] {
        assert!(told.contains(metric), "{metric} is missing in {told}");
    }
}
