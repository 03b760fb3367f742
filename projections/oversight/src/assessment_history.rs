//! What happened to an assessment, and who did it? Asked by those who take part in it: the audit log without what is
//! ADMIN's (where from, in which request).

use chrono::{DateTime, Utc};
use kernel::{Actor, AssessmentId, Role};
use runtime::page::Condition;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::audit_log::Operation;

/// The rows, in the place of a table. A client does not learn that something is costed before it is offered.
pub const TABLE: &str = "(SELECT id, entity_id, created_at,
    action IN ('assessment opportunities claimed', 'assessment opportunities released',
               'assessment costing approval recorded') AS is_of_costing,
    json_build_object('id', id, 'user', user_id, 'role', body->'role', 'action', action, 'operation', operation,
                      'details', body->'details', 'event_id', body->'event_id', 'created_at', created_at) AS body
    FROM audit_log WHERE entity_type = 'assessment') AS assessment_history";

/// Something that happened to an assessment.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssessmentHistoryEntry {
    pub id: i64,
    /// Who did it; `null` is the system.
    pub user: Option<i64>,
    pub role: Option<String>,
    /// What happened in words: "assessment answers submitted".
    pub action: String,
    pub operation: Operation,
    /// What changed: a field's name, and its value before and after.
    #[schema(value_type = Object)]
    pub details: Map<String, Value>,
    /// The event's position in the journal.
    pub event_id: i64,
    pub created_at: DateTime<Utc>,
}

/// The rows of an assessment that an actor who takes part in it sees.
#[must_use]
pub fn conditions(actor: Actor, id: AssessmentId) -> Vec<Condition> {
    let mut conditions = vec![Condition::Text("entity_id", id.to_string())];
    if actor.role() == Some(Role::Client) {
        conditions.push(Condition::Is("is_of_costing", false));
    }
    conditions
}
