//! Parked events: seen, waited behind, and retried by command.

use std::process::{Command, Output};

use serde_json::json;
use sqlx::Executor;

use crate::harness::{Node, until};

/// A command of another process on the node's database.
async fn ddc(node: &Node, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ddc"));
    command
        .args(arguments)
        .env("DATABASE_URL", &node.database_url)
        .env("DDC_DATA", &node.app.config.data)
        .env("SECRET_KEY", "a secret key for the tests only")
        .env("DDC_MASTER_KEY", "a master key for the tests only");
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn told(output: &Output) -> (Option<i32>, String) {
    let errors = String::from_utf8_lossy(&output.stderr);
    (output.status.code(), format!("{}{errors}", String::from_utf8_lossy(&output.stdout)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn parked_events_are_shown_and_retried_by_command() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let pool = &node.app.tenant.pool;
    admin.post("/api/common/company/", json!({"name": "Acme"})).await.expect(201);
    admin.get("/api/common/company/1/").await.expect(200);
    // What a read model cannot take, and what comes after it in the same stream, waits; another stream goes on.
    pool.execute("ALTER TABLE company_list ADD CONSTRAINT broken CHECK (name <> 'Acme & Sons')").await.unwrap();
    for change in [json!({"name": "Acme & Sons"}), json!({"name": "Acme Group"})] {
        admin.put("/api/common/company/1/update/", change).await.expect(200);
        // Seen before the next one is given: of two that come together only what they come to is written.
        admin.get("/api/common/company/1/").await.expect(200);
    }
    admin.post("/api/common/company/", json!({"name": "Other"})).await.expect(201);
    let names = async || {
        let list = admin.get("/api/common/companies/").await.expect(200);
        let rows = list["results"].as_array().unwrap().clone();
        rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["Acme", "Other"]);

    let (code, text) = told(&ddc(&node, &["projections", "status"]).await);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.lines().any(|line| line.starts_with("company_list ") && line.ends_with(" 2 parked")), "{text}");
    let retry = ["projections", "retry", "company_list"];
    let (code, text) = told(&ddc(&node, &retry).await);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("company_list: 0 events applied, 2 still parked"), "{text}");

    pool.execute("ALTER TABLE company_list DROP CONSTRAINT broken").await.unwrap();
    let (code, text) = told(&ddc(&node, &retry).await);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("company_list: 2 events applied, 0 still parked"), "{text}");
    assert_eq!(names().await, ["Acme Group", "Other"]);
    // The stream goes on, now that nothing waits.
    admin.put("/api/common/company/1/update/", json!({"name": "Acme"})).await.expect(200);
    until("the read model shows it", async || (names().await == ["Acme", "Other"]).then_some(())).await;
    let (code, text) = told(&ddc(&node, &["projections", "retry", "nothing"]).await);
    assert_eq!(code, Some(1), "{text}");
    node.prove_projections().await;
}
