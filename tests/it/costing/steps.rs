//! From the draft to the signed costing, and what it must not come to.

use std::time::Duration;

use kernel::{SolutionCostingId, testing::id};
use reqwest::Method;
use serde_json::json;

use super::world::World;
use crate::harness::Node;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_costing_is_signed_by_a_second_person_only() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let (consultant, admin) = (world.consultant().await, node.admin().await);
    let reviewer = world.login("reviewer@ddc.test").await;
    let path = world.priced_costing(&consultant).await;
    reviewer.post(&format!("{path}approve/"), json!({})).await.expect_problem(409, "INVALID_TRANSITION");
    // ADMIN edits last and submits, and so cannot sign.
    admin.put(&path, json!({"name": "Edited"})).await.expect(200);
    assert_eq!(admin.post(&format!("{path}submit/"), json!({})).await.expect(200)["status"], "SUBMITTED");
    admin.post(&format!("{path}approve/"), json!({})).await.expect_problem(403, "FORBIDDEN");
    consultant.post(&format!("{path}approve/"), json!({})).await.expect_problem(403, "FORBIDDEN");
    let other = world.login("other-reviewer@ddc.test").await;
    other.post(&format!("{path}approve/"), json!({})).await.expect_problem(404, "NOT_FOUND");
    consultant.put(&path, json!({"name": "Late"})).await.expect_problem(409, "INVALID_TRANSITION");

    // Sent back, taken up, handed in again, signed.
    reviewer.post(&format!("{path}reject/"), json!({})).await.expect_problem(422, "REQUIRED");
    let rejected = reviewer.post(&format!("{path}reject/"), json!({"reason": "Too dear"})).await.expect(200);
    assert_eq!((&rejected["status"], &rejected["rejection_reason"]), (&json!("REJECTED"), &json!("Too dear")));
    consultant.post(&format!("{path}revise/"), json!({})).await.expect(200);
    consultant.post(&format!("{path}submit/"), json!({})).await.expect(200);
    let approved = reviewer.post(&format!("{path}approve/"), json!({})).await.expect(200);
    assert_eq!((&approved["status"], &approved["approved_by"]), (&json!("APPROVED"), &json!(world.reviewer)));
    let again = reviewer.post(&format!("{path}approve/"), json!({})).await.expect(200);
    assert_eq!(again["version"], approved["version"], "what is done is not done twice");
    consultant.delete(&path).await.expect_problem(403, "FORBIDDEN");

    // The client sees the totals, and those only, once an offer was sent.
    let client = world.login("client@ddc.test").await;
    client.get(&path).await.expect_problem(404, "NOT_FOUND");
    let costing: SolutionCostingId = id(approved["id"].as_i64().unwrap());
    world.disclose(costing).await;
    let shown = client.get(&path).await.expect(200);
    assert_eq!(shown["total_cost"], approved["total_cost"]);
    for hidden in ["line_items", "internal_cost", "margin_amount", "cost_breakdown", "rate_card"] {
        assert!(shown.get(hidden).is_none(), "{hidden} is nobody's of the client's");
    }
    assert_eq!(client.get("/api/solution_costing/").await.expect(200)["count"], 1);
    let foreign = world.login("other-client@ddc.test").await;
    foreign.get(&path).await.expect_problem(404, "NOT_FOUND");
    assert_eq!(foreign.get("/api/solution_costing/").await.expect(200)["count"], 0);

    consultant.post(&format!("{path}archive/"), json!({})).await.expect_problem(403, "FORBIDDEN");
    assert_eq!(admin.post(&format!("{path}archive/"), json!({})).await.expect(200)["status"], "ARCHIVED");
    world.costing(&consultant).await;
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_two_costings_of_one_opportunity_one_comes_to_be() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let consultant = world.consultant().await;
    let body =
        json!({"name": "Race", "assessment_opportunities": [world.opportunities[0]], "rate_card": world.rate_card});
    let path = "/api/solution_costing/";
    let (one, other) = tokio::join!(consultant.post(path, body.clone()), consultant.post(path, body.clone()));
    let mut codes = [one.status.as_u16(), other.status.as_u16()];
    codes.sort_unstable();
    assert_eq!(codes, [201, 409], "{} {}", one.text, other.text);
    let won = if one.status == 201 { one } else { other };

    // Deleted, its opportunity is free; and a key makes one of two.
    consultant.delete(&format!("{path}{}/", won.body["id"])).await.expect(204);
    let key = [("idempotency-key", "costing-1")];
    let first = consultant.send(Method::POST, path, &key, Some(body.clone())).await;
    let again = consultant.send(Method::POST, path, &key, Some(body)).await;
    assert_eq!((first.status.as_u16(), &first.text), (201, &again.text));
    assert_eq!(consultant.get(path).await.expect(200)["count"], 1);
    let all = node.admin().await.get("/api/solution_costing/?include_deleted=true").await.expect(200);
    assert_eq!(all["count"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_draft_learns_that_its_rates_were_revised_and_is_priced_anew() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let (consultant, admin) = (world.consultant().await, node.admin().await);
    let path = world.priced_costing(&consultant).await;
    assert_eq!(consultant.get(&path).await.expect(200)["rate_card_outdated"], false);
    let rates = json!({"operations_roles": [{"role_id": world.role, "day_rate": "500.00"}]});
    admin.put(&format!("/api/rate_card/{}/", world.rate_card), rates).await.expect(200);
    let mut costing = consultant.get(&path).await.expect(200);
    for _ in 0..100 {
        if costing["rate_card_outdated"] == true {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        costing = consultant.get(&path).await.expect(200);
    }
    assert_eq!(costing["rate_card_outdated"], true);
    assert_eq!(costing["build_cost"], "81000.00", "nothing is priced anew by itself");
    let repriced = consultant.post(&format!("{path}reprice/"), json!({})).await.expect(200);
    assert_eq!(repriced["rate_card_outdated"], false);
    assert_eq!(repriced["build_cost"], "90000.00");
    assert_eq!(repriced["rate_card_version"], 3);
    node.prove_projections().await;
}
