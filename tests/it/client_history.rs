//! The history of a client (E17): what each who may see it sees of it.

use serde_json::{Value, json};

use crate::{engagement::World, harness::Node, mission::Mission};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_clients_history_counts_what_was_done_for_it() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let path = world.fill("/api/clients/{user_id}/history/");
    let admin = node.admin().await;
    for (who, session) in
        [("ADMIN", &admin), ("REVIEWER", &world.reviewer), ("CONSULTANT", &world.consultant), ("CLIENT", &world.client)]
    {
        let answer = session.get(&path).await;
        assert!(!answer.header("ddc-position").is_empty());
        let history = answer.expect(200);
        assert_eq!(history["user_id"], world.id("/api/clients/"), "{who}");
        assert_eq!(history["assessments"]["by_status"], json!({"COMPLETED": 1}), "{who}: {history}");
        let assessment = &history["assessments"]["items"][0];
        assert_eq!(assessment["name"], "Finance Discovery Survey");
        assert!(assessment["completed_at"].is_string(), "{assessment}");
        let costings = &history["costings"];
        assert_eq!((&costings["total"], &costings["approved"]), (&json!(1), &json!(1)), "{who}: {history}");
        assert_eq!(costings["items"][0]["total_cost"], "81000.00");
        assert!(costings["items"][0]["annual_savings"].is_string(), "{costings}");
        let proposals = &history["proposals"];
        assert_eq!((&proposals["total"], &proposals["approved_value"]), (&json!(1), &json!("81000.00")), "{who}");
        assert_eq!(proposals["items"][0]["project_id"], world.id("/api/projects/"));
        assert!(history["last_activity_at"].is_string());
        // Nothing of what a client may not see comes along.
        assert!(!history.to_string().contains("margin"), "{history}");
    }
    admin.get("/api/clients/999999/history/").await.expect_problem(404, "NOT_FOUND");

    // What is deleted is gone with all that came of it.
    let assessment = world.fill("/api/assessments/{id}/");
    admin.delete(&format!("{assessment}?force=true")).await.expect(204);
    for session in [&admin, &world.client] {
        let history = session.get(&path).await.expect(200);
        for part in ["assessments", "costings", "proposals"] {
            assert_eq!((&history[part]["total"], &history[part]["items"]), (&json!(0), &json!([])), "{history}");
        }
        assert_eq!(
            (&history["proposals"]["approved_value"], &history["last_activity_at"]),
            (&json!("0.00"), &Value::Null)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_client_sees_a_costing_once_its_proposal_was_sent() {
    let node = Node::start().await;
    let mission = Mission::begin(&node).await;
    let me = mission.client.get("/api/auth/me/").await.expect(200)["id"].clone();
    let path = format!("/api/clients/{me}/history/");
    let totals = async |session: &crate::harness::Session<'_>| {
        let history = session.get(&path).await.expect(200);
        ["assessments", "costings", "proposals"].map(|part| history[part]["total"].as_i64().unwrap())
    };
    assert_eq!(totals(&mission.consultant).await, [1, 1, 0]);
    assert_eq!(totals(&mission.client).await, [1, 0, 0]);
    let offer = json!({"solution_costing_id": i64::from(mission.costing), "title": "Offer", "timeline_weeks": 16,
        "validity_days": 30, "deliverables": ["Plan"]});
    let proposal = mission.consultant.post("/api/proposals/", offer).await.expect(201)["id"].clone();
    assert_eq!(totals(&mission.consultant).await, [1, 1, 1]);
    assert_eq!(totals(&mission.client).await, [1, 0, 0], "a draft is nothing to the client");
    mission.consultant.post(&format!("/api/proposals/{proposal}/submit/"), json!({})).await.expect(200);
    assert_eq!(totals(&mission.client).await, [1, 1, 1]);
    for stranger in &mission.strangers {
        stranger.get(&path).await.expect_problem(404, "NOT_FOUND");
    }
    node.anonymous().get(&path).await.expect_problem(401, "NOT_AUTHENTICATED");
}
