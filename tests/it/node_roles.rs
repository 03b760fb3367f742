//! Nodes that share the work: one serves, another does the rest.

use serde_json::json;

use crate::harness::Node;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_node_serves_and_another_does_the_rest() {
    let front = Node::start_with(&[("DDC_ROLES", "api")]).await;
    let pool = &front.app.tenant.pool;
    let claims = "SELECT count(*) FROM claims";
    assert_eq!(sqlx::query_scalar::<_, i64>(claims).fetch_one(pool).await.unwrap(), 0, "it takes no other work");
    let back = Node::start_on(&front.database_url, &[("DDC_ROLES", "projector,relay,consumer,reactor")]).await;
    let admin = front.admin().await;
    let company = admin.post("/api/common/company/", json!({"name": "Acme"})).await.expect(201);
    // What the one wrote the other has made visible.
    let list = admin.get("/api/common/companies/").await.expect(200);
    assert_eq!(list["results"][0]["id"], company["id"]);
    back.anonymous().get("/health/live/").await.expect(200);
    back.anonymous().post("/api/auth/login/", json!({})).await.expect_problem(404, "NOT_FOUND");
    back.prove_projections().await;
}
