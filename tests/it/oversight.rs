//! The audit log, histories and the dashboard.

use serde_json::json;

use crate::{engagement::World, harness::Node};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_change_is_in_the_audit_log_with_what_it_changed() {
    let node = Node::start().await;
    let admin = node.admin().await;
    admin.post("/api/common/company/", json!({"name": "Acme"})).await.expect(201);
    let changed = admin.put("/api/common/company/1/update/", json!({"country": "India"})).await;
    let request = changed.header("x-request-id").to_owned();
    changed.expect(200);
    admin.delete("/api/common/company/1/delete/").await.expect(204);

    let log = admin.get("/api/audit_logs/?entity_type=company&entity_id=1").await.expect(200);
    let actions: Vec<&str> = log["results"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["company deleted", "company details changed", "company created"]);
    let change = &log["results"][1];
    assert_eq!(change["details"], json!({"country": {"old": null, "new": "India"}}));
    assert_eq!((change["operation"].as_str(), change["request_id"].as_str()), (Some("UPDATED"), Some(&*request)));
    assert_eq!((&change["role"], &change["command"]), (&json!("ADMIN"), &json!("company.change_details")));

    for (filter, count) in [
        ("operation=deleted&entity_type=company", 1),
        ("action=Company%20Created", 1),
        ("user=999", 0),
        (&format!("search={request}"), 1),
        ("to=2020-01-01", 0),
        ("from=2020-01-01&entity_type=company", 3),
        ("entity_type=reservation", 0),
    ] {
        let log = admin.get(&format!("/api/audit_logs/?{filter}")).await.expect(200);
        assert_eq!(log["count"], count, "{filter}");
    }
    admin.get("/api/audit_logs/?operation=CHANGED").await.expect_problem(422, "INVALID");
    admin.get("/api/audit_logs/?user=x").await.expect_problem(422, "INVALID");
    admin.get("/api/audit_logs/?format=xml").await.expect_problem(422, "INVALID");
    node.anonymous().get("/api/audit_logs/").await.expect_problem(401, "NOT_AUTHENTICATED");
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_export_of_the_audit_log_is_harmless_to_a_spreadsheet() {
    let node = Node::start().await;
    let admin = node.admin().await;
    admin.post("/api/common/company/", json!({"name": "=1+1"})).await.expect(201);
    for path in ["/api/audit_logs/export/?entity_type=company", "/api/audit_logs/?format=csv&entity_type=company"] {
        let answer = admin.get(path).await;
        assert!(answer.header("content-type").starts_with("text/csv"));
        let lines: Vec<&str> = answer.text.trim_end().split("\r\n").collect();
        assert_eq!(lines.len(), 2, "{}", answer.text);
        assert!(lines[0].starts_with("position,created_at,user,role,action"));
        assert!(lines[1].contains("company created"), "{}", lines[1]);
        assert!(!lines[1].split(',').any(|cell| cell.trim_start_matches('"').starts_with('=')), "{}", lines[1]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn personal_data_is_not_in_the_audit_log() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let log = admin.get("/api/audit_logs/?entity_type=user").await;
    assert!(!log.text.contains(crate::harness::ADMIN), "{}", log.text);
    assert!(log.text.contains("sealed"), "{}", log.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_admin_reads_the_history_of_a_thing_in_order() {
    let node = Node::start().await;
    let admin = node.admin().await;
    admin.post("/api/common/company/", json!({"name": "Acme"})).await.expect(201);
    admin.put("/api/common/company/1/update/", json!({"country": "India"})).await.expect(200);
    for collection in ["company", "companies"] {
        let history = admin.get(&format!("/api/{collection}/1/events/")).await.expect(200);
        assert_eq!((&history["count"], &history["next"]), (&json!(2), &json!(null)));
        assert_eq!(history["results"][0]["event_type"], "company.created");
        assert_eq!(history["results"][1]["sequence"], 2);
        assert_eq!(history["results"][1]["metadata"]["command"], "company.change_details");
    }
    let first = admin.get("/api/company/1/events/?page_size=1").await.expect(200);
    let next = first["next"].as_str().unwrap().trim_start_matches(&node.address).to_owned();
    let second = admin.get(&next).await.expect(200);
    assert_eq!(second["results"][0]["event_type"], "company.details_changed");
    admin.get("/api/company/7/events/").await.expect_problem(404, "NOT_FOUND");
    admin.get("/api/nonsense/1/events/").await.expect_problem(404, "NOT_FOUND");
    node.anonymous().get("/api/company/1/events/").await.expect_problem(401, "NOT_AUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_empty_dashboard_has_zeros_and_says_as_of_when() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let answer = admin.get("/api/dashboards/stats/").await;
    let position = answer.header("ddc-position").to_owned();
    let stats = answer.expect(200);
    assert_eq!(stats["as_of_position"].to_string(), position);
    assert_eq!((&stats["active_assessments"], &stats["yearly_baseline_savings"]), (&json!(0), &json!({})));
    assert_eq!((&stats["average_roi_percent"], &stats["total_milestones"]), (&json!(null), &json!(0)));
    let details = admin.get("/api/dashboards/details/?limit=5").await.expect(200);
    assert_eq!(details["recent_projects"], json!([]));
    admin.get("/api/dashboards/details/?limit=0").await.expect_problem(422, "INVALID");
    admin.get("/api/dashboards/stats/?from=soon").await.expect_problem(422, "INVALID");
    node.anonymous().get("/api/dashboards/stats/").await.expect_problem(401, "NOT_AUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_takes_part_in_an_assessment_reads_what_happened_to_it() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let path = world.fill("/api/assessments/{id}/history/");
    let admin = node.admin().await;
    let actions = |history: &serde_json::Value| -> Vec<String> {
        let rows = history["results"].as_array().unwrap().iter();
        rows.map(|row| row["action"].as_str().unwrap().trim_start_matches("assessment ").to_owned()).collect()
    };
    for staff in [&admin, &world.reviewer, &world.consultant] {
        let history = staff.get(&format!("{path}?page_size=100")).await.expect(200);
        let actions = actions(&history);
        assert_eq!(actions.last().map(String::as_str), Some("created"), "{history}");
        for action in ["questions imported", "analysis requested", "comment added", "opportunities claimed"] {
            assert!(actions.iter().any(|known| known == action), "{action} is not in {actions:?}");
        }
        let row = &history["results"][0];
        assert!(row["created_at"].is_string() && row["event_id"].is_i64() && row["details"].is_object(), "{row}");
        // Where from and in which request is ADMIN's to know, in the audit log.
        assert!(row.get("ip").is_none() && row.get("request_id").is_none(), "{row}");
    }
    let seen = world.client.get(&format!("{path}?page_size=100")).await.expect(200);
    let seen = actions(&seen);
    assert!(seen.iter().any(|action| action == "comment added"), "{seen:?}");
    assert!(!seen.iter().any(|action| action.contains("opportunities") || action.contains("costing")), "{seen:?}");
    let first = world.client.get(&format!("{path}?page_size=1")).await.expect(200);
    let next = first["next"].as_str().unwrap().trim_start_matches(&node.address).to_owned();
    assert_eq!(actions(&world.client.get(&next).await.expect(200))[0], seen[1]);
    assert_eq!(admin.get(&format!("{path}?to=2020-01-01")).await.expect(200)["count"], 0);
    admin.get(&format!("{path}?ordering=updated_at")).await.expect_problem(422, "INVALID");
}
