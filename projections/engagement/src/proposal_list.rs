//! Which proposals are there? Asked by staff for the engagements that they are assigned to, and by clients for what was
//! submitted to them; and by the scheduler: which offers are over?

use chrono::NaiveDate;
use engagement::proposal::{Proposal, ProposalView};
use kernel::{Actor, Role};
use runtime::{ResourceTable, page::Condition};
use serde_json::{Map, Value, json};
use sqlx::PgPool;

use crate::staff;

pub struct ProposalList;

impl ResourceTable for ProposalList {
    type Resource = Proposal;
    const NAME: &'static str = "proposal_list";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["proposal"];
    const COLUMNS: &'static str = "title text NOT NULL, status text NOT NULL, client_user_id bigint NOT NULL,
        reviewer_id bigint, staff_ids bigint[] NOT NULL, solution_costing_id bigint NOT NULL,
        assessment_id bigint NOT NULL, project_id bigint, total_value numeric NOT NULL, valid_until date,
        is_disclosed boolean NOT NULL, is_deleted boolean NOT NULL";
    const INDEXES: &'static str = "CREATE INDEX ON proposal_list (client_user_id, id);
        CREATE INDEX ON proposal_list (reviewer_id, id);
        CREATE INDEX ON proposal_list USING gin (staff_ids);
        CREATE INDEX ON proposal_list (assessment_id);
        CREATE INDEX ON proposal_list (solution_costing_id);
        CREATE INDEX ON proposal_list (valid_until) WHERE status = 'SUBMITTED' AND NOT is_deleted";

    fn columns(state: &Proposal, view: &ProposalView) -> Map<String, Value> {
        let columns = json!({
            "title": *view.content.title,
            "status": view.status,
            "client_user_id": view.client,
            "reviewer_id": view.reviewer_id,
            "staff_ids": state.known().map(|known| staff(&known.participants)).unwrap_or_default(),
            "solution_costing_id": view.solution_costing_id,
            "assessment_id": view.assessment_id,
            "project_id": view.project_id,
            "total_value": view.total_value,
            "valid_until": view.valid_until,
            "is_disclosed": view.submitted_at.is_some(),
            "is_deleted": view.is_deleted,
        });
        columns.as_object().cloned().unwrap_or_default()
    }
}

/// The rows that a caller sees (spec 2): staff what they are assigned to, a client what was submitted to him; what is
/// deleted only ADMIN, who asks for it.
#[must_use]
pub fn visible_to(actor: Actor, include_deleted: bool) -> Vec<Condition> {
    let mut conditions = crate::participants(actor, include_deleted);
    if actor.role() == Some(Role::Client) {
        conditions.push(Condition::Is("is_disclosed", true));
    }
    conditions
}

/// The submitted proposals whose last day was before `today`.
///
/// # Errors
/// When the database fails.
pub async fn over_before(pool: &PgPool, today: NaiveDate) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT id FROM proposal_list WHERE status = 'SUBMITTED' AND NOT is_deleted AND valid_until < $1 ORDER BY id",
    )
    .bind(today)
    .fetch_all(pool)
    .await
}

/// The proposals that came of an assessment, deleted ones too.
///
/// # Errors
/// When the database fails.
pub async fn of_assessment(pool: &PgPool, assessment: i64) -> Result<Vec<i64>, sqlx::Error> {
    let query = "SELECT id FROM proposal_list WHERE assessment_id = $1 ORDER BY id";
    sqlx::query_scalar(query).bind(assessment).fetch_all(pool).await
}
