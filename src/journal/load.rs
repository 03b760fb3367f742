//! From the journal back to an aggregate: the snapshot and the events after it.

use chrono::{DateTime, Utc};
use cqrs_es::{
    Aggregate,
    persist::{PersistedEventRepository, PersistenceError},
};
use kernel::Stamp;
use runtime::CodecError;

use super::{ExecuteError, Journal};

/// How many events lie between two snapshots of a stream.
pub(super) const SNAPSHOT_EVERY: i64 = 100;

/// An aggregate and where its stream stands.
pub(super) struct Loaded<A> {
    pub(super) aggregate: A,
    pub(super) stamp: Stamp,
}

impl From<PersistenceError> for ExecuteError {
    fn from(error: PersistenceError) -> Self {
        match error {
            PersistenceError::ConnectionError(error) => Self::Unavailable(error.to_string()),
            PersistenceError::UnknownError(error) => match error.downcast::<sqlx::Error>() {
                Ok(error) => (*error).into(),
                Err(error) => Self::Fault(error.to_string()),
            },
            error => Self::Fault(error.to_string()),
        }
    }
}

/// Loads a stream; one that has no events is the aggregate's `NotYet` at version 0.
pub(super) async fn load<A: Aggregate>(journal: &Journal, id: &str) -> Result<Loaded<A>, ExecuteError> {
    let mut loaded = match snapshot::<A>(journal, id).await? {
        Some(loaded) => loaded,
        None => Loaded {
            aggregate: A::default(),
            stamp: Stamp {
                id: id.to_owned(),
                version: 0,
                created_at: DateTime::UNIX_EPOCH,
                updated_at: DateTime::UNIX_EPOCH,
            },
        },
    };
    let from = usize::try_from(loaded.stamp.version).unwrap_or_default();
    for event in journal.0.repository.get_last_events::<A>(id, from).await? {
        let (sequence, event_type) = (event.sequence, event.event_type.clone());
        let at: DateTime<Utc> =
            event.metadata.get("at").and_then(|at| at.as_str()).and_then(|at| at.parse().ok()).unwrap_or_default();
        let event: A::Event = journal.codec().serialized(event).await.map_err(|error| match error {
            error @ (CodecError::Unavailable(_) | CodecError::Newer { .. }) => error.into(),
            error => ExecuteError::Fault(format!("{}/{id} sequence {sequence} ({event_type}): {error}", A::TYPE)),
        })?;
        loaded.aggregate.apply(event);
        loaded.stamp.version = i64::try_from(sequence).unwrap_or(i64::MAX);
        loaded.stamp.updated_at = at;
        if sequence == 1 {
            loaded.stamp.created_at = at;
        }
    }
    Ok(loaded)
}

#[derive(sqlx::FromRow)]
struct Snapshot {
    last_sequence: i64,
    payload: sqlx::types::Json<Box<sqlx::types::JsonRawValue>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A snapshot that cannot be read any more (the state's form has changed) is no snapshot: the events are the truth.
async fn snapshot<A: Aggregate>(journal: &Journal, id: &str) -> Result<Option<Loaded<A>>, ExecuteError> {
    let row: Option<Snapshot> = sqlx::query_as(
        "SELECT last_sequence, payload, created_at, updated_at FROM snapshots
         WHERE aggregate_type = $1 AND aggregate_id = $2",
    )
    .bind(A::TYPE)
    .bind(id)
    .fetch_optional(journal.pool())
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(journal.codec().decode(row.payload.get()).await.ok().map(|aggregate| Loaded {
        aggregate,
        stamp: Stamp {
            id: id.to_owned(),
            version: row.last_sequence,
            created_at: row.created_at,
            updated_at: row.updated_at,
        },
    }))
}

/// A snapshot to be saved once the events that it holds are in the journal.
pub(super) struct PendingSnapshot {
    pub(super) kind: &'static str,
    pub(super) stamp: Stamp,
    pub(super) payload: String,
}

/// Saves a snapshot, unless a later one is there. Losing one costs a longer load, nothing else.
pub(super) async fn save(journal: &Journal, snapshot: PendingSnapshot) {
    let PendingSnapshot { kind, stamp, payload } = snapshot;
    let saved = sqlx::query(
        "INSERT INTO snapshots AS s (aggregate_type, aggregate_id, last_sequence, current_snapshot, payload, created_at, updated_at)
         VALUES ($1, $2, $3, $3 / $4, $5::json, $6, $7)
         ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE SET last_sequence = excluded.last_sequence,
             current_snapshot = excluded.current_snapshot, payload = excluded.payload, updated_at = excluded.updated_at
         WHERE s.last_sequence < excluded.last_sequence",
    )
    .bind(kind)
    .bind(&stamp.id)
    .bind(stamp.version)
    .bind(SNAPSHOT_EVERY)
    .bind(payload)
    .bind(stamp.created_at)
    .bind(stamp.updated_at)
    .execute(journal.pool())
    .await;
    if let Err(error) = saved {
        tracing::warn!(kind, id = stamp.id, %error, "a snapshot could not be saved");
    }
}
