//! What has been done for a client? Asked by ADMIN, by the staff who look after it, and by the client itself (E17).

use chrono::{DateTime, Utc};
use kernel::{Actor, UserId};
use runtime::{
    ResourceTable,
    page::{Condition, push_all},
};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, QueryBuilder, types::Json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::{
    assessment_list::{self, AssessmentList},
    proposal_list::{self, ProposalList},
    solution_costing_list,
};

/// How many items each part shows; all of them are in the lists of their kind, page by page.
pub const ITEMS: i64 = 100;

/// A client's engagements, as far as the caller sees them.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ClientHistory {
    pub user_id: i64,
    pub assessments: Assessments,
    pub costings: Costings,
    pub proposals: Proposals,
    /// When anything of the above was last changed.
    pub last_activity_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Assessments {
    pub total: i64,
    pub by_status: BTreeMap<String, i64>,
    /// The newest 100, newest first.
    pub items: Vec<AssessmentItem>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AssessmentItem {
    pub id: i64,
    pub name: String,
    pub status: String,
    pub created_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Costings {
    pub total: i64,
    pub approved: i64,
    /// The newest 100, newest first. For the client those that were offered to it.
    pub items: Vec<CostingItem>,
}

/// Amounts are in the costing's currency, and text, so that no digit is lost on the way.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CostingItem {
    pub id: i64,
    pub name: String,
    pub status: String,
    pub currency: i64,
    pub total_cost: String,
    pub annual_savings: Option<String>,
    pub roi_percent: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Proposals {
    pub total: i64,
    pub by_status: BTreeMap<String, i64>,
    /// Of the APPROVED ones; `null` when they are in several currencies, which do not add up.
    pub approved_value: Option<String>,
    /// The newest 100, newest first. For the client those that were submitted to it.
    pub items: Vec<ProposalItem>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ProposalItem {
    pub id: i64,
    pub title: String,
    pub status: String,
    pub currency: i64,
    pub total_value: String,
    pub created_at: DateTime<Utc>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub approved_at: Option<DateTime<Utc>>,
    pub project_id: Option<i64>,
}

/// The read models that a history is made of: it is as of the one that is behind the others.
pub const SOURCES: [&str; 3] =
    [AssessmentList::NAME, solution_costing_list::SolutionCostingList::NAME, ProposalList::NAME];

/// Totals are over all rows, items are the newest: each part reads its rows once.
const PARTS: &str = "SELECT json_build_object(
    'user_id', (SELECT id FROM client),
    'assessments', json_build_object(
        'total', (SELECT count(*) FROM a),
        'by_status', (SELECT COALESCE(json_object_agg(status, n), '{}') FROM
            (SELECT status, count(*) AS n FROM a GROUP BY status) AS s),
        'items', (SELECT COALESCE(json_agg(json_build_object('id', id, 'name', name, 'status', status,
                'created_at', created_at, 'completed_at', body->'completed_at') ORDER BY id DESC), '[]')
            FROM (SELECT * FROM a ORDER BY id DESC LIMIT (SELECT items FROM client)) AS i)),
    'costings', json_build_object(
        'total', (SELECT count(*) FROM c),
        'approved', (SELECT count(*) FROM c WHERE status = 'APPROVED'),
        'items', (SELECT COALESCE(json_agg(json_build_object('id', id, 'name', name, 'status', status,
                'currency', body->'currency', 'total_cost', body->'total_cost',
                'annual_savings', body->'roi_summary'->'annual_savings',
                'roi_percent', body->'roi_summary'->'roi_percent') ORDER BY id DESC), '[]')
            FROM (SELECT * FROM c ORDER BY id DESC LIMIT (SELECT items FROM client)) AS i)),
    'proposals', json_build_object(
        'total', (SELECT count(*) FROM p),
        'by_status', (SELECT COALESCE(json_object_agg(status, n), '{}') FROM
            (SELECT status, count(*) AS n FROM p GROUP BY status) AS s),
        'approved_value', (SELECT CASE count(DISTINCT body->>'currency') WHEN 0 THEN '0.00'
                WHEN 1 THEN sum(total_value)::text END FROM p WHERE status = 'APPROVED'),
        'items', (SELECT COALESCE(json_agg(json_build_object('id', id, 'title', title, 'status', status,
                'currency', body->'currency', 'total_value', body->'total_value', 'created_at', created_at,
                'submitted_at', body->'submitted_at', 'approved_at', body->'approved_at',
                'project_id', project_id) ORDER BY id DESC), '[]')
            FROM (SELECT * FROM p ORDER BY id DESC LIMIT (SELECT items FROM client)) AS i)),
    'last_activity_at', (SELECT max(updated_at) FROM
        (SELECT updated_at FROM a UNION ALL SELECT updated_at FROM c UNION ALL SELECT updated_at FROM p) AS all_of_it))";

/// What the actor sees of a client's engagements, in one statement. What belongs to a deleted assessment is gone with it,
/// at once.
///
/// # Errors
/// When the database fails.
pub async fn of(pool: &PgPool, actor: Actor, client: UserId) -> Result<ClientHistory, sqlx::Error> {
    let mut query = QueryBuilder::new("WITH client AS (SELECT ");
    query.push_bind(client.get()).push("::bigint AS id, ").push_bind(ITEMS).push("::bigint AS items)");
    query.push(", live AS (SELECT id FROM assessment_list WHERE NOT is_deleted AND client_user_id = ");
    query.push_bind(client.get()).push(")");
    let parts = [
        ("a", AssessmentList::NAME, "", assessment_list::visible_to(actor, false)),
        (
            "c",
            solution_costing_list::table_of(actor),
            " AND assessment_id IN (SELECT id FROM live)",
            solution_costing_list::visible_to(actor, false),
        ),
        (
            "p",
            ProposalList::NAME,
            " AND assessment_id IN (SELECT id FROM live)",
            proposal_list::visible_to(actor, false),
        ),
    ];
    for (name, table, within, mut conditions) in parts {
        conditions.push(Condition::Number("client_user_id", client.get()));
        query.push(format!(", {name} AS (SELECT * FROM {table} WHERE "));
        push_all(&mut query, &conditions);
        query.push(format!("{within}) "));
    }
    query.push(PARTS);
    let Json(history) = query.build_query_scalar::<Json<ClientHistory>>().fetch_one(pool).await?;
    Ok(history)
}
