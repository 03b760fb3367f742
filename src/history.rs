//! One stream of the journal, read as it is stored: for auditors, over HTTP and on the command line.

use runtime::{COLUMNS, Recorded};
use sqlx::PgPool;

/// How many events a stream has; its sequences run from 1 to there.
///
/// # Errors
/// When the database fails.
pub async fn length(pool: &PgPool, aggregate: &str, id: &str) -> Result<i64, sqlx::Error> {
    let query = "SELECT COALESCE(max(sequence), 0) FROM events WHERE aggregate_type = $1 AND aggregate_id = $2";
    sqlx::query_scalar(query).bind(aggregate).bind(id).fetch_one(pool).await
}

/// The events of a stream after a sequence, oldest first, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn events(
    pool: &PgPool,
    aggregate: &str,
    id: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<Recorded>, sqlx::Error> {
    let query = format!(
        "SELECT {COLUMNS} FROM events WHERE aggregate_type = $1 AND aggregate_id = $2 AND sequence > $3
         ORDER BY sequence LIMIT $4"
    );
    sqlx::query_as(&query).bind(aggregate).bind(id).bind(after).bind(limit).fetch_all(pool).await
}
