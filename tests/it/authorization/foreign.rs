//! What strangers ask of an engagement that they have nothing to do with.

use serde_json::{Value, json};

use super::expected::Operation;
use crate::engagement::World;

/// A body that the client's own people could send.
pub(super) fn body(world: &World<'_>, operation: &Operation) -> Value {
    let name = operation.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    match (operation.method.as_str(), operation.path) {
        (_, "/api/assessments/{id}/submit-answers/") => {
            let answer = json!({"question_id": world.question, "value": "9", "sub_answer": {}});
            json!({"assessment_id": world.id("/api/assessments/"), "answers": [answer]})
        }
        ("POST", "/api/assessments/{id}/comments/") => json!({"comment_text": "Hello"}),
        ("POST", "/api/assessments/{id}/opportunities/") => json!({
            "vertical_id": world.id("/api/common/vertical/"), "title": "Mine", "lever": "RPA", "complexity": "LOW",
            "addressable_effort_percent": "4", "automation_percent": "5", "realization_percent": "8",
        }),
        ("PUT", "/api/assessments/{id}/opportunities/{opportunity}/") => json!({"automation_percent": "100"}),
        (_, "/api/assessments/{id}/reject/") => json!({"comment_text": "No"}),
        ("PUT", "/api/solution_costing/line-items/{id}/") => json!({"headcount": "9"}),
        ("POST", "/api/projects/{id}/milestones/") => json!({"name": "Mine"}),
        ("PUT", "/api/projects/{id}/milestones/{mid}/") => json!({"percent": 100}),
        ("PUT", "/api/projects/{id}/opportunities/{poid}/") => json!({"actual_savings": "1.00"}),
        ("PUT", "/api/projects/{id}/status/") => json!({"stage": "IN_PROGRESS"}),
        (_, "/api/projects/{id}/expenses/") => json!({"date": "2026-01-05", "category": "Travel", "amount": "1.00"}),
        ("PUT", "/api/projects/{id}/") => json!({"notes": "Mine"}),
        ("PUT", "/api/proposals/{id}/") => json!({"title": "Mine"}),
        ("PUT", _) => json!({"name": "Mine"}),
        _ if matches!(name, "reject" | "lock" | "reopen" | "withdraw") => json!({"reason": "Mine"}),
        _ => json!({}),
    }
}

/// Whoever names another's things in a body or a query: who, how, and the refusal. A thing that is not there for the
/// caller is as good as none, so it is either 404 or the reference to it is refused.
pub(super) fn named_elsewhere(world: &World<'_>) -> Vec<(&'static str, &'static str, String, Value, u16)> {
    let (assessment, client) = (world.id("/api/assessments/"), world.id("/api/clients/"));
    let (card, costing) = (world.id("/api/rate_card/"), world.id("/api/solution_costing/"));
    let vertical = world.id("/api/common/vertical/");
    let opportunity: i64 = world.fill("{opportunity}").parse().unwrap();
    let answers = json!({"assessment_id": assessment, "answers": []});
    let stored = format!("/api/questionnaires/validate-answers/?assessment_id={assessment}");
    let to = str::to_owned;
    vec![
        ("CLIENT", "POST", to("/api/questionnaires/validate-answers/"), answers.clone(), 404),
        ("CONSULTANT", "POST", to("/api/questionnaires/validate-answers/"), answers, 404),
        ("CLIENT", "GET", stored.clone(), Value::Null, 404),
        ("CONSULTANT", "GET", stored.clone(), Value::Null, 404),
        ("REVIEWER", "GET", stored, Value::Null, 404),
        ("CLIENT", "GET", format!("/api/questionnaires/questions/?assessment_id={assessment}"), Value::Null, 404),
        ("CONSULTANT", "GET", format!("/api/questionnaires/questions/?assessment_id={assessment}"), Value::Null, 404),
        (
            "CONSULTANT",
            "POST",
            to("/api/assessments/"),
            json!({"name": "Mine", "client": client, "managed_by": world.other_consultant(),
                "vertical_ids": [vertical]}),
            422,
        ),
        (
            "CONSULTANT",
            "POST",
            to("/api/rate_card/"),
            json!({"name": "Mine", "client": client, "region": "USA", "currency": world.id("/api/common/currency/")}),
            404,
        ),
        (
            "CONSULTANT",
            "POST",
            to("/api/rate_card/"),
            json!({"name": "Mine", "assessment": assessment, "region": "USA",
                "currency": world.id("/api/common/currency/")}),
            404,
        ),
        (
            "CONSULTANT",
            "POST",
            to("/api/solution_rate_card/"),
            json!({"name": "Mine", "base_rate_card": card, "currency": world.id("/api/common/currency/")}),
            404,
        ),
        (
            "CONSULTANT",
            "POST",
            to("/api/solution_costing/"),
            json!({"name": "Mine", "assessment_opportunities": [opportunity], "rate_card": card}),
            404,
        ),
        (
            "CONSULTANT",
            "POST",
            to("/api/solution_costing/line-items/"),
            json!({"solution_costing": costing, "role": world.id("/api/common/operations-role/"), "headcount": "1",
                "duration_months": 1}),
            404,
        ),
        (
            "CONSULTANT",
            "POST",
            to("/api/proposals/"),
            json!({"solution_costing_id": costing, "title": "Mine", "timeline_weeks": 1, "validity_days": 1}),
            404,
        ),
    ]
}
