//! What comes of a costing: figures beside the report, a proposal, a project; and who sees all that.

use serde_json::{Value, json};

use super::world::World;
use crate::harness::{Node, Session};

/// The worked values C8 and F1 to F7 of the contract.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_report_shows_what_an_approved_costing_comes_to_beside_its_estimate() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let consultant = world.consultant().await;
    let client = world.login("client@ddc.test").await;
    let report = format!("/api/assessments/{}/report/", world.assessment);
    let draft = world.costing(&consultant).await;
    assert_eq!(consultant.get(&report).await.expect(200)["costed"], json!([]), "nothing is approved yet");
    consultant.delete(&draft).await.expect(204);

    let costing = world.approved_costing(&consultant).await;
    let shown = consultant.get(&report).await.expect(200);
    assert_eq!((&shown["summary_metrics"]["basis"], &shown["version"]), (&json!("ESTIMATE"), &json!(1)));
    let costed = &shown["costed"][0];
    for (member, value) in [
        ("basis", json!("COSTED")),
        ("costing_id", json!(World::number_of(&costing))),
        ("opportunity_ids", json!(world.opportunities)),
        ("currency", json!(world.currency)),
        ("investment", json!("135760.80")),
        ("annual_savings", json!("222856.96")),
        ("annual_run_cost", json!("21818.70")),
        ("net_annual_savings", json!("201038.26")),
        ("payback_months", json!("8.1")),
        ("payback_months_ramped", json!("14.8")),
        ("cash_flows", json!(["89609.78", "201038.26", "201038.26"])),
        ("npv", json!("262892.98")),
        ("roi_percent", json!("262.17")),
        ("first_year_roi_percent", json!("48.08")),
    ] {
        assert_eq!(costed[member], value, "{member} of {costed}");
    }
    // The client learns the price when it is offered, not before.
    assert_eq!(client.get(&report).await.expect(200)["costed"], json!([]));
    world.offer(&consultant, &costing).await;
    assert_eq!(client.get(&report).await.expect(200)["costed"], shown["costed"]);
    node.prove_projections().await;
}

/// The status that each of the paths answers.
async fn statuses<const N: usize>(session: &Session<'_>, paths: &[String; N]) -> [u16; N] {
    let mut statuses = [0; N];
    for (status, path) in statuses.iter_mut().zip(paths) {
        *status = session.get(path).await.status.as_u16();
    }
    statuses
}

/// How many the lists show of costings, proposals and projects.
async fn counts(session: &Session<'_>) -> Vec<Value> {
    let mut counts = Vec::new();
    for list in ["/api/solution_costing/", "/api/proposals/", "/api/projects/"] {
        counts.push(session.get(list).await.expect(200)["count"].clone());
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn all_that_came_of_an_assessment_is_seen_by_those_who_work_on_it_now() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let (consultant, admin) = (world.consultant().await, node.admin().await);
    let client = world.login("client@ddc.test").await;
    let costing = world.approved_costing(&consultant).await;
    let proposal = world.offer(&consultant, &costing).await;
    let approved = client.post(&format!("{proposal}approve/"), json!({})).await.expect(200);
    let assessment = format!("/api/assessments/{}/", world.assessment);
    let project = format!("/api/projects/{}/", approved["project"]["id"]);
    let all = [assessment.clone(), costing, proposal, project.clone()];
    let (of_old, of_new) = (["paired@ddc.test", "reviewer@ddc.test"], ["stranger@ddc.test", "other-reviewer@ddc.test"]);
    let expect = async |who: &[&str], is_in: bool| {
        for name in who {
            let session = world.login(name).await;
            assert_eq!(statuses(&session, &all).await, [if is_in { 200 } else { 404 }; 4], "{name}");
            assert_eq!(counts(&session).await, vec![json!(i32::from(is_in)); 3], "{name}");
        }
    };
    expect(&of_old, true).await;
    expect(&of_new, false).await;

    let pairs = world.verticals.map(|vertical| json!({"vertical_id": vertical, "consultant_id": world.stranger}));
    let team = json!({"reviewer_id": world.other_reviewer, "verticals_and_consultants": pairs});
    admin.put(&format!("/api/clients/{}/update/", world.client), team).await.expect(200);
    node.recorded("project.participants_changed", 1).await;
    expect(&of_old, false).await;
    expect(&of_new, true).await;
    expect(&["consultant@ddc.test", "client@ddc.test"], true).await;
    let stranger = world.login("stranger@ddc.test").await;
    stranger.put(&project, json!({"notes": "Taken over"})).await.expect(200);

    // Another manager, whom the client's team does not know of.
    let other_reviewer = world.login("other-reviewer@ddc.test").await;
    let why = json!({"comment_text": "Once more"});
    other_reviewer.post(&format!("{assessment}reject/"), why).await.expect(200);
    admin.put(&assessment, json!({"managed_by": world.stranger})).await.expect(200);
    node.recorded("project.participants_changed", 2).await;
    expect(&["consultant@ddc.test"], false).await;
    expect(&["stranger@ddc.test", "client@ddc.test"], true).await;
    for event in ["solution_costing.participants_changed", "proposal.participants_changed"] {
        assert_eq!(node.count(event).await, 2, "{event}: it is told once");
    }
    node.prove_projections().await;
}
