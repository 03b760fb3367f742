//! What an engagement is priced with and what it comes to: rate cards, costings and their lines, each by each role.

mod outcome;
mod steps;
mod world;

use serde_json::json;

use crate::harness::Node;
use world::World;

/// The worked values C1 to C8 of the contract, and O3 and F1 that follow from them.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_worked_example_comes_out_to_the_last_digit() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let consultant = world.consultant().await;
    let path = world.costing(&consultant).await;
    let id = World::number_of(&path);

    let body = json!({"solution_costing": id, "role": world.role, "headcount": 1.5, "location": "US-East",
        "duration_months": 6});
    let c1 = consultant.post("/api/solution_costing/line-items/", body).await.expect(201);
    for (member, value) in [
        ("kind", "ROLE"),
        ("category", "BUILD"),
        ("role_type", "OPERATIONS"),
        ("effort_days", "180.0000"),
        ("unit_rate", "450.00"),
        ("amount", "81000.00"),
        ("cost_amount", "55800.00"),
        ("rate_source", "CLIENT_CARD"),
        ("location_multiplier", "1.00"),
    ] {
        assert_eq!(c1[member], value, "{member} of {c1}");
    }
    assert_eq!(c1["totals"]["build_cost"], "81000.00");
    assert_eq!(
        (&c1["totals"]["margin_amount"], &c1["totals"]["margin_percent"]),
        (&json!("25200.00"), &json!("31.11"))
    );
    let body = json!({"solution_costing": id, "component": world.rpa, "quantity": "3", "complexity": "MEDIUM"});
    let c2 = consultant.post("/api/solution_costing/line-items/", body).await.expect(201);
    assert_eq!(
        (&c2["amount"], &c2["kind"], &c2["rate_source"]),
        (&json!("24375.00"), &json!("COMPONENT"), &json!("COMPONENT"))
    );
    let body = json!({"solution_costing": id, "component": world.idp, "quantity": 2, "complexity": "HIGH",
        "multiplier": "1.10", "category": "LICENCE"});
    let c3 = consultant.post("/api/solution_costing/line-items/", body).await.expect(201);
    assert_eq!(c3["amount"], "15840.00");

    let body = json!({"pmo_percentage": "12.00", "support_percentage": 18, "number_of_bots": 3});
    let costing = consultant.put(&path, body).await.expect(200);
    for (member, value) in [
        ("build_cost", "121215.00"),
        ("pmo_cost", "14545.80"),
        ("support_cost", "21818.70"),
        ("total_cost", "157579.50"),
        ("one_time_cost", "135760.80"),
        ("tco_3y", "201216.90"),
    ] {
        assert_eq!(costing[member], value, "{member}");
    }
    assert_eq!(costing["roi_summary"]["annual_savings"], "222856.96");
    assert_eq!(costing["roi_summary"]["net_annual_savings"], "201038.26");
    assert_eq!(consultant.get(&path).await.expect(200), costing, "a query shows what the command answered");

    // A line changes, and the costing with it; then it goes.
    let line = format!("/api/solution_costing/line-items/{}/", c3["id"]);
    let changed = consultant.put(&line, json!({"quantity": 1})).await.expect(200);
    assert_eq!((&changed["amount"], &changed["totals"]["build_cost"]), (&json!("7920.00"), &json!("113295.00")));
    consultant.put(&line, json!({"headcount": 2})).await.expect_problem(422, "NOT_OF_THIS_KIND");
    consultant.delete(&line).await.expect(204);
    consultant.delete(&line).await.expect_problem(404, "NOT_FOUND");
    let costing = consultant.get(&path).await.expect(200);
    assert_eq!((&costing["build_cost"], costing["line_items"].as_array().unwrap().len()), (&json!("105375.00"), 2));
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn everybody_sees_and_does_only_what_is_his() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let consultant = world.consultant().await;
    let path = world.priced_costing(&consultant).await;
    let card = format!("/api/rate_card/{}/", world.rate_card);
    let solution_card = format!("/api/solution_rate_card/{}/", world.solution_rate_card);
    let anonymous = node.anonymous();
    for path in ["/api/rate_card/", "/api/solution_rate_card/", "/api/solution_costing/", &path, &card] {
        assert_eq!(anonymous.get(path).await.status, 401, "{path}");
    }
    // Who takes part sees it; who does not is told that there is nothing.
    for (name, costing, of_cards) in [
        ("admin@ddc.test", 200, 200),
        ("consultant@ddc.test", 200, 200),
        ("paired@ddc.test", 200, 200),
        ("reviewer@ddc.test", 200, 200),
        ("stranger@ddc.test", 404, 404),
        ("other-reviewer@ddc.test", 404, 404),
        ("client@ddc.test", 404, 403),
        ("other-client@ddc.test", 404, 403),
    ] {
        let session = world.login(name).await;
        assert_eq!(session.get(&path).await.status, costing, "{name}");
        assert_eq!(session.get(&card).await.status, of_cards, "{name}");
        assert_eq!(session.get(&solution_card).await.status, of_cards, "{name}");
        let count = session.get("/api/solution_costing/").await.expect(200)["count"].clone();
        assert_eq!(count, i32::from(costing == 200), "{name}");
        let list = session.get("/api/rate_card/").await;
        assert_eq!(list.status, if of_cards == 403 { 403 } else { 200 }, "{name}");
        if of_cards != 403 {
            assert_eq!(list.body["count"], i32::from(of_cards == 200), "{name}");
        }
    }
    // What a role may never do is 403, whatever it names; what another's is, 404.
    for name in ["reviewer@ddc.test", "client@ddc.test", "other-client@ddc.test"] {
        let session = world.login(name).await;
        for path in [
            "/api/rate_card/",
            "/api/solution_rate_card/",
            "/api/solution_costing/",
            "/api/solution_costing/line-items/",
        ] {
            session.post(path, json!({"nonsense": true})).await.expect_problem(403, "FORBIDDEN");
        }
        session.put(&path, json!({})).await.expect_problem(403, "FORBIDDEN");
        session.delete(&path).await.expect_problem(403, "FORBIDDEN");
        session.post(&format!("{path}submit/"), json!({})).await.expect_problem(403, "FORBIDDEN");
    }
    let stranger = world.login("stranger@ddc.test").await;
    stranger.put(&path, json!({"name": "Mine"})).await.expect_problem(404, "NOT_FOUND");
    stranger.put(&card, json!({"name": "Mine"})).await.expect_problem(404, "NOT_FOUND");
    stranger.put(&solution_card, json!({"name": "Mine"})).await.expect_problem(404, "NOT_FOUND");
    stranger.delete(&path).await.expect_problem(404, "NOT_FOUND");
    for step in ["submit", "revise", "reprice"] {
        stranger.post(&format!("{path}{step}/"), json!({})).await.expect_problem(404, "NOT_FOUND");
    }
    let body = json!({"name": "X", "assessment_opportunities": [world.opportunities[0]], "rate_card": world.rate_card});
    stranger.post("/api/solution_costing/", body).await.expect_problem(404, "NOT_FOUND");
    // A standard card is ADMIN's to make, and everybody's of the staff to see.
    let standard = json!({"name": "Standard", "client": null, "assessment": null, "region": world.region, "currency": world.currency});
    stranger.post("/api/rate_card/", standard.clone()).await.expect_problem(403, "FORBIDDEN");
    let made = node.admin().await.post("/api/rate_card/", standard).await.expect(201);
    assert_eq!((&made["scope"], &made["status"], &made["version"]), (&json!("STANDARD"), &json!("DRAFT"), &json!(1)));
    assert_eq!(stranger.get("/api/rate_card/?scope=STANDARD&region=zusa").await.expect(200)["count"], 1);
    assert_eq!(stranger.get("/api/rate_card/?region=mars").await.expect(200)["count"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_newer_card_takes_the_place_of_the_older_one() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let admin = node.admin().await;
    let newer = world.client_card(&admin, "Newer").await;
    let path = format!("/api/rate_card/{newer}/");
    assert_eq!(admin.put(&path, json!({"status": "ACTIVE"})).await.expect(200)["status"], "ACTIVE");
    let older = admin.get(&format!("/api/rate_card/{}/", world.rate_card)).await.expect(200);
    assert_eq!((&older["status"], &older["superseded_by"]), (&json!("ARCHIVED"), &json!(newer)));
    assert_eq!(admin.get("/api/rate_card/?status=ARCHIVED").await.expect(200)["count"], 1);
    assert_eq!(admin.get("/api/rate_card/").await.expect(200)["count"], 1);
    // Put away by hand, its place is free.
    admin.put(&path, json!({"status": "ARCHIVED"})).await.expect(200);
    admin.put(&path, json!({"status": "ACTIVE"})).await.expect_problem(409, "INVALID_TRANSITION");
    let third = world.client_card(&admin, "Third").await;
    admin.put(&format!("/api/rate_card/{third}/"), json!({"status": "ACTIVE"})).await.expect(200);
    // Rates outside the role's band want a reason.
    let path = format!("/api/rate_card/{third}/");
    let rate = json!({"operations_roles": [{"role_id": world.role, "day_rate": "600.00"}]});
    admin.put(&path, rate).await.expect_problem(422, "DAY_RATE_OUT_OF_BAND");
    let rate = json!({"operations_roles": [{"role_id": world.role, "day_rate": "600.00", "override": true,
        "reason": "Scarce"}]});
    assert_eq!(admin.put(&path, rate).await.expect(200)["version"], 2);
    let nobody = json!({"operations_roles": [{"role_id": 999_999, "day_rate": "1.00"}]});
    admin.put(&path, nobody).await.expect_problem(422, "UNKNOWN_REFERENCE");
    admin.delete(&format!("/api/common/currency/{}/delete/", world.currency)).await.expect_problem(409, "IN_USE");
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_wrong_with_a_payload_is_named() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let consultant = world.consultant().await;
    let path = world.costing(&consultant).await;
    let id = World::number_of(&path);
    let opportunities = world.opportunities;
    for (body, status, code) in [
        (json!({"name": "X", "assessment_opportunities": [], "rate_card": world.rate_card}), 422, "BAD_OPPORTUNITIES"),
        (json!({"name": "X", "assessment_opportunities": [999_999], "rate_card": world.rate_card}), 404, "NOT_FOUND"),
        (
            json!({"name": "X", "assessment_opportunities": opportunities, "rate_card": 999_999}),
            422,
            "UNKNOWN_REFERENCE",
        ),
        (json!({"name": "X", "assessment_opportunities": opportunities}), 422, "REQUIRED"),
        (json!({"name": 5, "assessment_opportunities": opportunities, "rate_card": 1}), 400, "MALFORMED"),
        (
            json!({"name": "X", "assessment_opportunities": opportunities, "rate_card": world.rate_card}),
            409,
            "OPPORTUNITY_ALREADY_COSTED",
        ),
    ] {
        consultant.post("/api/solution_costing/", body).await.expect_problem(status, code);
    }
    for (body, status, code) in [
        (json!({"solution_costing": id}), 422, "REQUIRED"),
        (json!({"solution_costing": 999_999, "role": 1, "headcount": 1, "duration_months": 1}), 404, "NOT_FOUND"),
        (json!({"solution_costing": id, "role": world.role, "headcount": 1}), 422, "REQUIRED"),
        (
            json!({"solution_costing": id, "role": world.role, "headcount": 0, "duration_months": 1}),
            422,
            "VALUE_OUT_OF_RANGE",
        ),
        (
            json!({"solution_costing": id, "role": world.role, "headcount": 1, "duration_months": 61}),
            422,
            "VALUE_OUT_OF_RANGE",
        ),
        (
            json!({"solution_costing": id, "role": 999_999, "headcount": 1, "duration_months": 1}),
            422,
            "INACTIVE_REFERENCE",
        ),
        (json!({"solution_costing": id, "role": world.role, "component": world.rpa}), 422, "NOT_OF_THIS_KIND"),
        (
            json!({"solution_costing": id, "component": world.rpa, "quantity": 1, "headcount": 1}),
            422,
            "NOT_OF_THIS_KIND",
        ),
        (
            json!({"solution_costing": id, "component": world.rpa, "quantity": 1, "opportunity_id": 999_999}),
            422,
            "FOREIGN_OPPORTUNITY",
        ),
        (
            json!({"solution_costing": id, "component": world.rpa, "quantity": "79228162514264337593543950335"}),
            422,
            "VALUE_OUT_OF_RANGE",
        ),
        (json!({"solution_costing": id, "colour": 1}), 422, "UNKNOWN_FIELD"),
    ] {
        consultant.post("/api/solution_costing/line-items/", body).await.expect_problem(status, code);
    }
    consultant.put(&path, json!({"pmo_percentage": 101})).await.expect_problem(422, "VALUE_OUT_OF_RANGE");
    consultant.post(&format!("{path}submit/"), json!({})).await.expect_problem(422, "NO_LINE_ITEMS");
    let stale = [("if-match", "\"99\"")];
    let answer = consultant.send(reqwest::Method::PUT, &path, &stale, Some(json!({"name": "New"}))).await;
    answer.expect_problem(412, "VERSION_CONFLICT");
    let card = json!({"name": "X", "region": "nowhere", "currency": world.currency, "client": world.client});
    consultant.post("/api/rate_card/", card).await.expect_problem(422, "UNKNOWN_REFERENCE");
}
