//! Events that a reader could not apply, and those that wait behind them.

use std::collections::HashSet;

use sqlx::PgConnection;

use crate::Recorded;

/// The streams that wait: (aggregate type, id).
pub type Waiting = HashSet<(String, String)>;

/// The streams of which a reader has parked events.
///
/// # Errors
/// When the database cannot be reached.
pub async fn waiting(connection: &mut PgConnection, reader: &str) -> Result<Waiting, sqlx::Error> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT DISTINCT aggregate_type, aggregate_id FROM parked_events WHERE reader = $1")
            .bind(reader)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().collect())
}

/// Parks an event, with the reason.
///
/// # Errors
/// When the database cannot be reached.
pub async fn park(tx: &mut PgConnection, reader: &str, event: &Recorded, error: &str) -> Result<(), sqlx::Error> {
    tracing::error!(reader, position = event.position, event_type = event.event_type, error, "an event was parked");
    metrics::counter!("ddc_events_parked_total", "reader" => reader.to_owned()).increment(1);
    sqlx::query(
        "INSERT INTO parked_events (reader, position, aggregate_type, aggregate_id, error) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(reader)
    .bind(event.position)
    .bind(&event.aggregate_type)
    .bind(&event.aggregate_id)
    .bind(error)
    .execute(tx)
    .await?;
    Ok(())
}
