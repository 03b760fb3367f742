//! The main job of the product as one journey over HTTP: a client is diagnosed, priced, offered, delivered. It is played
//! by `ddc demo`, as a newcomer would.

use std::process::Command;

use crate::harness::{ADMIN, Node, PASSWORD};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_client_is_diagnosed_priced_offered_and_delivered() {
    let node = Node::start().await;
    let (address, outbox) = (node.address.clone(), node.app.config.data.join("outbox"));
    let played = tokio::task::spawn_blocking(move || {
        Command::new(env!("CARGO_BIN_EXE_ddc"))
            .args(["demo", "--server", &address, "--admin-email", ADMIN, "--password", PASSWORD, "--dir"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/demo"))
            .arg("--outbox")
            .arg(outbox)
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    let told = String::from_utf8_lossy(&played.stdout);
    assert!(played.status.success(), "{told}\n{}", String::from_utf8_lossy(&played.stderr));
    let admin = node.admin().await;
    let stats = admin.get("/api/dashboards/stats/").await.expect(200);
    assert_eq!(stats["assessments_by_status"]["LOCKED"], 1, "{stats}");
    assert_eq!(stats["active_projects"], 1, "{stats}");
    let projects = admin.get("/api/projects/").await.expect(200);
    assert_eq!(projects["results"][0]["stage"], "IN_PROGRESS", "{projects}");
    let audit = admin.get("/api/audit_logs/?entity_type=proposal").await.expect(200);
    assert!(audit["count"].as_i64().unwrap() >= 3, "{audit}");
    node.prove_projections().await;
}
