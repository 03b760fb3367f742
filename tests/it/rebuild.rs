//! A rebuild makes what the live projection made, however its work is divided, and parks what that parked.

use runtime::rebuild::{Limits, rebuild_within};
use serde_json::json;
use sqlx::PgPool;

use crate::harness::{Node, until};

/// Every second stream is one too many: shares are halved again and again.
const TIGHT: Limits = Limits { short: 0, streams: 2 };

/// Rebuilds a projection, which is equal to the live one.
async fn equal(node: &Node, name: &str, limits: Limits) {
    let tenant = &node.app.tenant;
    let projection = tenant.projections.iter().find(|projection| projection.name() == name).unwrap();
    let codec = tenant.journal.codec();
    let report = rebuild_within(&tenant.pool, codec, projection.as_ref(), limits, &mut |_| {}).await.unwrap();
    assert_eq!(report.differing, Some(vec![]), "{name}, {limits:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_rebuild_is_the_same_in_one_share_and_in_many() {
    let node = Node::start().await;
    let admin = node.admin().await;
    for n in 1..=9 {
        let company = json!({"name": format!("Tab\t, \"quote\" \\ and line\n {n}"), "country": "Österreich"});
        admin.post("/api/common/company/", company).await.expect(201);
    }
    for n in 1..=5 {
        admin.put(&format!("/api/common/company/{n}/update/"), json!({"name": format!("New {n}")})).await.expect(200);
    }
    node.prove_projections().await;
    for name in ["company_list", "dashboard", "audit_log", "user_list"] {
        equal(&node, name, TIGHT).await;
    }
    node.prove_projections().await;
}

/// Puts an event that says nothing behind a stream's last, and after it one that is a repetition of an earlier one.
async fn damage(pool: &PgPool, company: &str) {
    let copy = |sequence: &str, payload: &str| {
        format!(
            "WITH head AS (
                 INSERT INTO journal_blocks SELECT position + 1, position + 1, hash FROM journal_head
                 RETURNING last_position AS position
             )
             INSERT INTO events
             SELECT head.position, aggregate_type, aggregate_id, {sequence}, event_type, event_version, {payload}, metadata,
                    recorded_at, events.hash
             FROM events, head WHERE aggregate_type = 'company' AND aggregate_id = $1 AND sequence = 2"
        )
    };
    for statement in [copy("3", "'{\"Nonsense\": 1}'"), copy("4", "payload")] {
        assert_eq!(sqlx::query(&statement).bind(company).execute(pool).await.unwrap().rows_affected(), 1);
    }
}

async fn parked(pool: &PgPool) -> Vec<(i64, String, String)> {
    let query = "SELECT position, aggregate_id, error FROM parked_events WHERE reader LIKE 'company_list%' ORDER BY 1";
    sqlx::query_as(query).fetch_all(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_rebuild_parks_what_the_live_projection_parked() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let pool = &node.app.tenant.pool;
    for n in 1..=6 {
        admin.post("/api/common/company/", json!({"name": format!("Company {n}")})).await.expect(201);
        admin.put(&format!("/api/common/company/{n}/update/"), json!({"name": format!("New {n}")})).await.expect(200);
    }
    damage(pool, "3").await;
    let live = until("both are parked", async || Some(parked(pool).await).filter(|parked| parked.len() == 2)).await;
    for limits in [Limits::default(), TIGHT] {
        equal(&node, "company_list", limits).await;
        assert_eq!(parked(pool).await, live, "{limits:?}");
    }
    // The others of its share are there, and it is as the event before left it.
    let list = admin.get("/api/common/companies/").await.expect(200);
    let names: Vec<&str> =
        list["results"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["New 1", "New 2", "New 3", "New 4", "New 5", "New 6"]);
}
