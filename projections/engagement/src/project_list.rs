//! Which projects are there, and how do they stand? Asked by staff for the engagements that they are assigned to, and by
//! clients for their own; and by the scheduler: whose automatic status may have changed with the day?

use engagement::project::{DeliveryMode, Project, ProjectView};
use kernel::Actor;
use runtime::{ResourceTable, page::Condition};
use serde_json::{Map, Value, json};
use sqlx::PgPool;

use crate::staff;

pub struct ProjectList;

impl ResourceTable for ProjectList {
    type Resource = Project;
    const NAME: &'static str = "project_list";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["project"];
    const COLUMNS: &'static str = "name text NOT NULL, stage text NOT NULL, delivery_status text NOT NULL,
        client_user_id bigint NOT NULL, reviewer_id bigint, staff_ids bigint[] NOT NULL,
        assessment_id bigint NOT NULL, proposal_id bigint NOT NULL, start_date date NOT NULL, end_date date NOT NULL,
        budget_limit numeric NOT NULL, is_tracked boolean NOT NULL, is_deleted boolean NOT NULL";
    const INDEXES: &'static str = "CREATE INDEX ON project_list (client_user_id, id);
        CREATE INDEX ON project_list (reviewer_id, id);
        CREATE INDEX ON project_list USING gin (staff_ids);
        CREATE INDEX ON project_list (assessment_id);
        CREATE INDEX ON project_list (proposal_id);
        CREATE INDEX ON project_list (id) WHERE is_tracked";

    fn columns(state: &Project, view: &ProjectView) -> Map<String, Value> {
        let columns = json!({
            "name": *view.details.name,
            "stage": view.stage,
            "delivery_status": view.delivery_status,
            "client_user_id": view.client,
            "reviewer_id": view.reviewer_id,
            "staff_ids": state.known().map(|known| staff(&known.participants)).unwrap_or_default(),
            "assessment_id": view.assessment_id,
            "proposal_id": view.proposal,
            "start_date": view.details.start_date,
            "end_date": view.details.end_date,
            "budget_limit": view.details.budget_limit,
            "is_tracked": !view.is_deleted && !view.stage.is_terminal() && view.delivery_mode == DeliveryMode::Auto,
            "is_deleted": view.is_deleted,
        });
        columns.as_object().cloned().unwrap_or_default()
    }
}

/// The rows that a caller sees (spec 2): staff what they are assigned to, a client his own; what is deleted only ADMIN,
/// who asks for it.
#[must_use]
pub fn visible_to(actor: Actor, include_deleted: bool) -> Vec<Condition> {
    crate::participants(actor, include_deleted)
}

/// The next projects after `id`, in order, whose delivery status follows the figures of the day.
///
/// # Errors
/// When the database fails.
pub async fn tracked_after(pool: &PgPool, id: i64, limit: i64) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT id FROM project_list WHERE is_tracked AND id > $1 ORDER BY id LIMIT $2")
        .bind(id)
        .bind(limit)
        .fetch_all(pool)
        .await
}

/// The projects that came of an assessment, deleted ones too.
///
/// # Errors
/// When the database fails.
pub async fn of_assessment(pool: &PgPool, assessment: i64) -> Result<Vec<i64>, sqlx::Error> {
    let query = "SELECT id FROM project_list WHERE assessment_id = $1 ORDER BY id";
    sqlx::query_scalar(query).bind(assessment).fetch_all(pool).await
}
