//! The figures on top of the dashboard (E42).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::Actor;
use runtime::page::Condition;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::{PgExecutor, types::Json};
use utoipa::ToSchema;

use super::{position, visibility::visible_rows};

/// Only what was created within counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Period {
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
}

impl Period {
    fn conditions(self) -> Vec<Condition> {
        let since = self.from.map(|at| Condition::Since("created_at", at));
        let until = self.to.map(|at| Condition::Until("created_at", at));
        since.into_iter().chain(until).collect()
    }
}

/// How the work stands, of the rows that the caller sees.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Stats {
    /// Not LOCKED.
    pub active_assessments: i64,
    pub assessments_by_status: BTreeMap<String, i64>,
    /// SUBMITTED.
    pub pending_proposals: i64,
    /// Mean over the APPROVED costings that have one; `null` without any.
    pub average_roi_percent: Option<Decimal>,
    /// What all APPROVED costings earn over their horizon, less what they cost, over what they cost; `null` when
    /// nothing is invested, and when they are in several currencies, which do not add up.
    pub weighted_roi_percent: Option<Decimal>,
    /// The same for each currency.
    pub weighted_roi_percent_by_currency: BTreeMap<String, Decimal>,
    /// Gross savings a year of the APPROVED costings, for each currency.
    pub yearly_baseline_savings: BTreeMap<String, Decimal>,
    /// NOT_STARTED, IN_PROGRESS and ON_HOLD.
    pub active_projects: i64,
    pub completed_milestones: i64,
    /// Without those that are skipped.
    pub total_milestones: i64,
    pub as_of: DateTime<Utc>,
    /// The figures show all that happened up to this position.
    pub as_of_position: i64,
}

/// Decimals go as text, so that no digit is lost on the way.
const FIGURES: &str = ", money AS (
    SELECT COALESCE(max(k.code), c.currency_id::text) AS currency, sum(c.annual_savings) AS savings,
           round((sum(c.earned) - sum(c.investment)) / NULLIF(sum(c.investment), 0) * 100, 2) AS roi
    FROM c LEFT JOIN dashboard_currencies k ON k.id = c.currency_id WHERE c.status = 'APPROVED'
    GROUP BY c.currency_id)
SELECT json_build_object(
    'active_assessments', (SELECT count(*) FROM a WHERE status <> 'LOCKED'),
    'assessments_by_status', (SELECT COALESCE(json_object_agg(status, n), '{}') FROM
        (SELECT status, count(*) AS n FROM a GROUP BY status ORDER BY status) AS s),
    'pending_proposals', (SELECT count(*) FROM p WHERE status = 'SUBMITTED'),
    'average_roi_percent', (SELECT round(avg(roi_percent), 2)::text FROM c WHERE status = 'APPROVED'),
    'weighted_roi_percent', (SELECT CASE WHEN count(*) = 1 THEN max(roi)::text END FROM money),
    'weighted_roi_percent_by_currency',
        (SELECT COALESCE(json_object_agg(currency, roi::text), '{}') FROM money WHERE roi IS NOT NULL),
    'yearly_baseline_savings', (SELECT COALESCE(json_object_agg(currency, savings::text), '{}') FROM money),
    'active_projects', (SELECT count(*) FROM j WHERE status IN ('NOT_STARTED', 'IN_PROGRESS', 'ON_HOLD')),
    'completed_milestones', (SELECT COALESCE(sum(completed_milestones), 0) FROM j),
    'total_milestones', (SELECT COALESCE(sum(total_milestones), 0) FROM j),
    'as_of', now(), 'as_of_position', ";

/// Computes the figures of what the actor sees.
///
/// # Errors
/// When the database fails.
pub async fn stats(executor: impl PgExecutor<'_>, actor: Actor, period: Period) -> Result<Stats, sqlx::Error> {
    let mut query = visible_rows(actor, &period.conditions());
    query.push(FIGURES).push(position()).push(")");
    let Json(stats) = query.build_query_scalar::<Json<Stats>>().fetch_one(executor).await?;
    Ok(stats)
}
