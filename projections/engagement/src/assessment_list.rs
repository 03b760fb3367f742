//! Which assessments are there? Asked by everybody, each about those that he takes part in.

use engagement::assessment::{Assessment, AssessmentView, Header};
use kernel::{Actor, UserId};
use runtime::{ResourceTable, page::Condition};
use serde_json::{Map, Value, json};

pub struct AssessmentList;

impl ResourceTable for AssessmentList {
    type Resource = Assessment;
    const NAME: &'static str = "assessment_list";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["assessment"];
    const COLUMNS: &'static str = "name text NOT NULL, status text NOT NULL, client_user_id bigint NOT NULL,
        reviewer_id bigint, managed_by bigint NOT NULL, staff_ids bigint[] NOT NULL, region_id bigint,
        vertical_ids bigint[] NOT NULL, is_deleted boolean NOT NULL";
    const INDEXES: &'static str = "CREATE INDEX ON assessment_list (client_user_id, id);
        CREATE INDEX ON assessment_list (reviewer_id, id);
        CREATE INDEX ON assessment_list USING gin (staff_ids);
        CREATE INDEX ON assessment_list (id) WHERE status = 'RUNNING'";

    fn columns(header: &Header, view: &AssessmentView) -> Map<String, Value> {
        let staff = header.known().map(|profile| crate::staff(&profile.participants())).unwrap_or_default();
        let columns = json!({
            "name": view.name,
            "status": view.status,
            "client_user_id": view.client,
            "reviewer_id": view.reviewer_id,
            "managed_by": view.managed_by,
            "staff_ids": staff,
            "region_id": view.region_id,
            "vertical_ids": view.vertical_ids,
            "is_deleted": view.is_deleted,
        });
        columns.as_object().cloned().unwrap_or_default()
    }
}

/// The rows that a caller sees (spec 8.5).
#[must_use]
pub fn visible_to(actor: Actor, include_deleted: bool) -> Vec<Condition> {
    crate::participants(actor, include_deleted)
}

/// The assessments that an analysis may be at work on: candidates only, each decides for itself.
///
/// # Errors
/// When the database fails.
pub async fn running(pool: &sqlx::PgPool) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT id FROM assessment_list WHERE status = 'RUNNING' ORDER BY id").fetch_all(pool).await
}

/// The assessments of a client, deleted ones too.
///
/// # Errors
/// When the database fails.
pub async fn of_client(pool: &sqlx::PgPool, client: UserId) -> Result<Vec<i64>, sqlx::Error> {
    let query = "SELECT id FROM assessment_list WHERE client_user_id = $1 ORDER BY id";
    sqlx::query_scalar(query).bind(client.get()).fetch_all(pool).await
}
