//! What was worked on last (E43).

use chrono::{DateTime, Utc};
use kernel::Actor;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, types::Json};
use utoipa::ToSchema;

use super::{position, visibility::visible_rows};

/// The latest of each kind, of the rows that the caller sees.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Details {
    pub recent_assessments: Vec<RecentAssessment>,
    pub recent_proposals: Vec<RecentProposal>,
    pub recent_projects: Vec<RecentProject>,
    pub as_of: DateTime<Utc>,
    pub as_of_position: i64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecentAssessment {
    pub id: i64,
    pub name: String,
    /// The client's user.
    pub client: Option<i64>,
    /// The client's company.
    pub client_name: Option<String>,
    pub status: String,
    /// Of the latest report.
    pub annual_savings: Option<Decimal>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecentProposal {
    pub id: i64,
    pub title: String,
    pub client: Option<i64>,
    pub client_name: Option<String>,
    pub status: String,
    pub total_value: Decimal,
    pub currency: String,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecentProject {
    pub id: i64,
    pub name: String,
    pub client: Option<i64>,
    pub client_name: Option<String>,
    pub stage: String,
    pub percent_complete: Decimal,
    pub budget_limit: Decimal,
    pub currency: String,
    pub updated_at: DateTime<Utc>,
}

/// One of the lists: the newest rows of `from`, with the names that stand elsewhere.
fn recent(from: &str, own: &str) -> String {
    let money = if from == "a" { "" } else { "'currency', COALESCE(k.code, r.currency_id::text)," };
    let code = if from == "a" { "" } else { "LEFT JOIN dashboard_currencies k ON k.id = r.currency_id" };
    format!(
        "(SELECT COALESCE(json_agg(json_build_object('id', r.id, 'client', r.client_user_id, 'client_name', n.name,
                 {own}, {money} 'updated_at', r.updated_at) ORDER BY r.updated_at DESC, r.id DESC), '[]')
          FROM (SELECT * FROM {from} ORDER BY updated_at DESC, id DESC LIMIT (SELECT rows FROM size)) AS r {code}
          LEFT JOIN LATERAL (SELECT o.name FROM dashboard_clients l JOIN dashboard_companies o ON o.id = l.company_id
                             WHERE l.user_id = r.client_user_id ORDER BY l.id DESC LIMIT 1) AS n ON true)"
    )
}

/// The latest rows that the actor sees, at most `limit` of each kind.
///
/// # Errors
/// When the database fails.
pub async fn details(pool: &PgPool, actor: Actor, limit: i64) -> Result<Details, sqlx::Error> {
    let mut query = visible_rows(actor, &[]);
    query.push(", size AS (SELECT ").push_bind(limit).push("::bigint AS rows) SELECT json_build_object(");
    let lists = [
        ("recent_assessments", "a", "'name', r.name, 'status', r.status, 'annual_savings', r.annual_savings::text"),
        ("recent_proposals", "p", "'title', r.title, 'status', r.status, 'total_value', r.total_value::text"),
        (
            "recent_projects",
            "j",
            "'name', r.name, 'stage', r.status, 'percent_complete', r.percent_complete::text,
             'budget_limit', r.budget_limit::text",
        ),
    ];
    for (name, from, own) in lists {
        query.push(format!("'{name}', {}, ", recent(from, own)));
    }
    query.push("'as_of', now(), 'as_of_position', ").push(position()).push(")");
    let Json(details) = query.build_query_scalar::<Json<Details>>().fetch_one(pool).await?;
    Ok(details)
}
