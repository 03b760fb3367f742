//! Which costings are there, and what do they come to? Asked by staff, and, for the totals of what was offered to them,
//! by clients; and beside the report of their assessment: what do its approved costings make of the estimate?

use engagement::{
    report::CostedFigures,
    solution_costing::{CostingView, SolutionCosting, client_view},
};
use kernel::{Actor, Role, SolutionCostingId, Stamp};
use runtime::{ResourceTable, page::Condition};
use serde_json::{Map, Value, json};
use sqlx::{PgPool, types::Json};

use crate::visibility;

pub struct SolutionCostingList;

impl SolutionCostingList {
    /// The rows as a client may see them: the totals alone, and only of what was offered (spec 2). Stands where a table
    /// stands.
    pub const OFFERED: &'static str = "(SELECT id, version, created_at, updated_at, client_body AS body, status,
        is_deleted, client_user_id, assessment_id, rate_card, name FROM solution_costing_list
        WHERE client_body IS NOT NULL) AS offered_costing";
}

impl ResourceTable for SolutionCostingList {
    type Resource = SolutionCosting;
    const NAME: &'static str = "solution_costing_list";
    const VERSION: i32 = 2;
    const KINDS: &'static [&'static str] = &["solution_costing"];
    const COLUMNS: &'static str = "client_body json, costed_figures json, name text NOT NULL, status text NOT NULL,
        is_deleted boolean NOT NULL, client_user_id bigint NOT NULL, reviewer_id bigint, staff_ids bigint[] NOT NULL,
        assessment_id bigint NOT NULL, rate_card bigint NOT NULL,
        total_cost numeric NOT NULL";
    const INDEXES: &'static str = "CREATE INDEX ON solution_costing_list (client_user_id, id);
        CREATE INDEX ON solution_costing_list (reviewer_id, id);
        CREATE INDEX ON solution_costing_list USING gin (staff_ids);
        CREATE INDEX ON solution_costing_list (assessment_id);
        CREATE INDEX ON solution_costing_list (rate_card) WHERE status = 'DRAFT'";

    fn columns(state: &SolutionCosting, view: &CostingView) -> Map<String, Value> {
        let Some(known) = state.known() else { return Map::new() };
        let stamp = Stamp {
            id: view.id.to_string(),
            version: view.version,
            created_at: view.created_at,
            updated_at: view.updated_at,
        };
        let id = SolutionCostingId::try_from(view.id).ok();
        let columns = json!({
            "costed_figures": id.and_then(|id| CostedFigures::of(id, known)),
            "client_body": client_view(state, &stamp),
            "name": view.name,
            "status": view.status,
            "is_deleted": view.is_deleted,
            "client_user_id": known.participants.client,
            "reviewer_id": known.participants.reviewer,
            "staff_ids": visibility::staff(&known.participants),
            "assessment_id": view.assessment_id,
            "rate_card": view.rate_card,
            "total_cost": view.totals.total_cost,
        });
        columns.as_object().cloned().unwrap_or_default()
    }
}

/// The table to ask on behalf of that caller.
#[must_use]
pub fn table_of(actor: Actor) -> &'static str {
    if actor.role() == Some(Role::Client) { SolutionCostingList::OFFERED } else { SolutionCostingList::NAME }
}

/// The rows that a caller sees: those of the engagements that he takes part in.
#[must_use]
pub fn visible_to(actor: Actor, include_deleted: bool) -> Vec<Condition> {
    visibility::participants(actor, include_deleted)
}

/// The figures of an assessment's approved costings, oldest first: for a client those that were offered.
///
/// # Errors
/// When the database fails.
pub async fn costed_figures(pool: &PgPool, assessment: i64, actor: Actor) -> Result<Vec<CostedFigures>, sqlx::Error> {
    let query = "SELECT costed_figures FROM solution_costing_list
        WHERE assessment_id = $1 AND costed_figures IS NOT NULL AND (client_body IS NOT NULL OR NOT $2) ORDER BY id";
    let is_client = actor.role() == Some(Role::Client);
    let figures: Vec<Json<CostedFigures>> =
        sqlx::query_scalar(query).bind(assessment).bind(is_client).fetch_all(pool).await?;
    Ok(figures.into_iter().map(|Json(figures)| figures).collect())
}

/// The drafts that are priced with a rate card, whatever its version.
///
/// # Errors
/// When the database fails.
pub async fn drafts_priced_with(pool: &PgPool, rate_card: i64) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT id FROM solution_costing_list WHERE rate_card = $1 AND status = 'DRAFT' ORDER BY id")
        .bind(rate_card)
        .fetch_all(pool)
        .await
}

/// The costings that came of an assessment, deleted ones too.
///
/// # Errors
/// When the database fails.
pub async fn of_assessment(pool: &PgPool, assessment: i64) -> Result<Vec<i64>, sqlx::Error> {
    let query = "SELECT id FROM solution_costing_list WHERE assessment_id = $1 ORDER BY id";
    sqlx::query_scalar(query).bind(assessment).fetch_all(pool).await
}
