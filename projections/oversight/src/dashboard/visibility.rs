//! Whose rows count for whom (spec 2).

use kernel::{Actor, Role};
use runtime::page::{Condition, push_all};
use sqlx::{Postgres, QueryBuilder};

/// The rows of one dashboard table that the actor sees.
fn conditions(actor: Actor) -> Vec<Condition> {
    let live = Condition::Is("is_deleted", false);
    let Some(user) = actor.user().map(i64::from) else { return vec![live] };
    match actor.role() {
        None | Some(Role::Admin) => vec![live],
        Some(Role::Reviewer) => vec![live, Condition::Number("reviewer_id", user)],
        Some(Role::Consultant) => {
            let assigned = vec![Condition::Number("managed_by", user), Condition::Holds("consultant_ids", user)];
            vec![live, Condition::Any(assigned)]
        }
        Some(Role::Client) => {
            vec![live, Condition::Number("client_user_id", user), Condition::Is("is_sent", true)]
        }
    }
}

/// Begins a statement with the rows that the actor sees: `a` of assessments, `c` of costings, `p` of proposals, `j` of
/// projects. What belongs to a deleted assessment is gone with it, at once.
pub(super) fn visible_rows<'q>(actor: Actor, extra: &[Condition]) -> QueryBuilder<'q, Postgres> {
    let mut query = QueryBuilder::new("WITH ");
    let tables = [
        ("a", "dashboard_assessments", ""),
        ("c", "dashboard_costings", " AND assessment_id IN (SELECT id FROM live)"),
        ("p", "dashboard_proposals", " AND assessment_id IN (SELECT id FROM live)"),
        ("j", "dashboard_projects", " AND assessment_id IN (SELECT id FROM live)"),
    ];
    query.push("live AS (SELECT id FROM dashboard_assessments WHERE NOT is_deleted)");
    let mut conditions = conditions(actor);
    conditions.extend_from_slice(extra);
    for (name, table, within) in tables {
        query.push(format!(", {name} AS (SELECT * FROM {table} WHERE "));
        push_all(&mut query, &conditions);
        query.push(format!("{within})"));
    }
    query
}
