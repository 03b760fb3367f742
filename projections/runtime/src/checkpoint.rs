//! How far a reader has come. A checkpoint moves only under the epoch of the reader's claim, and only from where the
//! reader believed it to be: a node that slept past its claim moves nothing.

use sqlx::{PgConnection, PgPool};

use crate::Rows;

/// The checkpoint was not where the reader believed, or is under a later epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the checkpoint has been moved by another")]
pub struct Fenced;

/// Where a reader stands, and of which version what it has built is: 0 while there is nothing.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Checkpoint {
    pub name: String,
    pub version: i32,
    pub position: i64,
}

/// Where a reader stands; at the beginning when it has never run.
///
/// # Errors
/// When the database cannot be reached.
pub async fn load(pool: &PgPool, name: &str) -> Result<Option<Checkpoint>, sqlx::Error> {
    sqlx::query_as("SELECT name, version, position FROM checkpoints WHERE name = $1")
        .bind(name)
        .fetch_optional(pool)
        .await
}

/// As [`load`], and nobody else moves it or puts parked events back until the transaction ends. To be taken before any
/// table of the reader: all take the checkpoint first, so that none waits for the other.
///
/// # Errors
/// When the database cannot be reached.
pub async fn hold(tx: &mut PgConnection, name: &str) -> Result<Option<Checkpoint>, sqlx::Error> {
    sqlx::query_as("SELECT name, version, position FROM checkpoints WHERE name = $1 FOR UPDATE")
        .bind(name)
        .fetch_optional(tx)
        .await
}

/// Notes that a reader's tables have changed although its checkpoint stays where it is: whoever goes by that looks again.
///
/// # Errors
/// When the database cannot be reached.
pub async fn touch(tx: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE checkpoints SET updated_at = now() WHERE name = $1").bind(name).execute(tx).await?;
    Ok(())
}

/// Notes that a reader begins, unless it has begun before.
///
/// # Errors
/// When the database cannot be reached.
pub async fn begin(connection: &mut PgConnection, name: &str, version: i32, position: i64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO checkpoints (name, version, position, epoch) VALUES ($1, $2, $3, 0) ON CONFLICT (name) DO NOTHING",
    )
    .bind(name)
    .bind(version)
    .bind(position)
    .execute(connection)
    .await?;
    Ok(())
}

/// What a checkpoint that was moved says of its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Whether some of its events are parked.
    pub has_parked: bool,
}

/// The statement that moves a checkpoint: `$1` its name, `$2` the epoch, `$3` from where and `$4` to where.
const ADVANCE: &str = "UPDATE checkpoints SET position = $4, epoch = $2, updated_at = now()
                       WHERE name = $1 AND epoch <= $2 AND position = $3";

/// Moves a checkpoint. In the transaction of the batch's effect, this makes the effect happen exactly once.
///
/// # Errors
/// The inner error when another has moved it: the transaction must then be given up.
pub async fn advance(
    connection: &mut PgConnection,
    name: &str,
    epoch: i64,
    from: i64,
    to: i64,
) -> Result<Result<Moved, Fenced>, sqlx::Error> {
    let query = format!("{ADVANCE} RETURNING EXISTS (SELECT FROM parked_events WHERE reader = $1)");
    let has_parked: Option<bool> =
        sqlx::query_scalar(&query).bind(name).bind(epoch).bind(from).bind(to).fetch_optional(connection).await?;
    Ok(has_parked.map(|has_parked| Moved { has_parked }).ok_or(Fenced))
}

/// Moves a checkpoint and writes rows with it, in one statement.
///
/// # Errors
/// The inner error when another has moved it: then nothing was written.
pub(crate) async fn advance_with(
    connection: &mut PgConnection,
    name: &str,
    epoch: i64,
    (from, to): (i64, i64),
    rows: &[Rows],
) -> Result<Result<(), Fenced>, sqlx::Error> {
    let rows = || rows.iter().filter(|rows| !rows.is_empty());
    let writes =
        rows().zip(5..).map(|(rows, text)| format!(", rows{text} AS ({})", rows.statement(text, Some("moved"))));
    let query = format!("WITH moved AS ({ADVANCE} RETURNING 1) {} SELECT FROM moved", writes.collect::<String>());
    let query = sqlx::query(&query).bind(name).bind(epoch).bind(from).bind(to);
    let moved = rows().fold(query, |query, rows| query.bind(rows.text())).fetch_optional(connection).await?;
    Ok(moved.map(drop).ok_or(Fenced))
}
