//! From the journal back to an aggregate: the snapshot and the events after it.

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use kernel::Stamp;
use runtime::{Metadata, RecordedRef};
use sqlx::types::{Json, JsonRawValue};

use super::{ExecuteError, Journal};

/// How many events lie between two snapshots of a stream.
pub(super) const SNAPSHOT_EVERY: i64 = 100;

/// An aggregate and where its stream stands.
pub(super) struct Loaded<A> {
    pub(super) aggregate: A,
    pub(super) stamp: Stamp,
}

/// A stream's snapshot, which is of no event type, or an event after it.
#[derive(sqlx::FromRow)]
struct Kept {
    position: i64,
    sequence: i64,
    event_type: Option<String>,
    event_version: String,
    payload: Json<Box<JsonRawValue>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Kept {
    /// `None` for the snapshot.
    fn event<'r, A: Aggregate>(&'r self, id: &'r str, metadata: &'r Metadata) -> Option<RecordedRef<'r>> {
        Some(RecordedRef {
            position: self.position,
            aggregate_type: A::TYPE,
            aggregate_id: id,
            sequence: self.sequence,
            event_type: self.event_type.as_deref()?,
            event_version: &self.event_version,
            payload: self.payload.get(),
            metadata,
            recorded_at: self.updated_at,
        })
    }
}

/// Loads a stream; one that has no events is the aggregate's `NotYet` at version 0.
pub(super) async fn load<A: Aggregate>(journal: &Journal, id: &str) -> Result<Loaded<A>, ExecuteError> {
    let kept = stream(journal, A::TYPE, id, true).await?;
    if let Some(snapshot) = kept.first().filter(|first| first.event_type.is_none()) {
        // One that cannot be read any more (the state's form has changed) is no snapshot: the events are the truth.
        if let Ok(aggregate) = journal.codec().decode(snapshot.payload.get()).await {
            let (created_at, updated_at) = (snapshot.created_at, snapshot.updated_at);
            let stamp = Stamp { id: id.to_owned(), version: snapshot.sequence, created_at, updated_at };
            return follow(journal, Loaded { aggregate, stamp }, &kept).await;
        }
        let all = stream(journal, A::TYPE, id, false).await?;
        return follow(journal, nothing(id), &all).await;
    }
    follow(journal, nothing(id), &kept).await
}

fn nothing<A: Aggregate>(id: &str) -> Loaded<A> {
    let at = DateTime::UNIX_EPOCH;
    Loaded { aggregate: A::default(), stamp: Stamp { id: id.to_owned(), version: 0, created_at: at, updated_at: at } }
}

/// Lets an aggregate go on by its events.
async fn follow<A: Aggregate>(
    journal: &Journal,
    mut loaded: Loaded<A>,
    kept: &[Kept],
) -> Result<Loaded<A>, ExecuteError> {
    let (id, unread) = (loaded.stamp.id.clone(), Metadata::default());
    let recorded: Vec<RecordedRef> = kept.iter().filter_map(|kept| kept.event::<A>(&id, &unread)).collect();
    let events: Vec<A::Event> = journal.codec().events(&recorded).await?;
    for (recorded, event) in recorded.iter().zip(events) {
        loaded.aggregate.apply(event);
        loaded.stamp.version = recorded.sequence;
        loaded.stamp.updated_at = recorded.recorded_at;
        if recorded.sequence == 1 {
            loaded.stamp.created_at = recorded.recorded_at;
        }
    }
    Ok(loaded)
}

/// In one question, for a stream that is not at hand costs as long as a command waits for its answer.
async fn stream(journal: &Journal, kind: &str, id: &str, snapshots: bool) -> Result<Vec<Kept>, ExecuteError> {
    let kept = sqlx::query_as(
        "WITH snapshot AS MATERIALIZED (
             SELECT last_sequence, payload, created_at, updated_at FROM snapshots
             WHERE aggregate_type = $1 AND aggregate_id = $2 AND $3
         )
         SELECT 0 AS position, last_sequence AS sequence, NULL AS event_type, '' AS event_version, payload, created_at,
                updated_at
         FROM snapshot
         UNION ALL
         SELECT position, sequence, event_type, event_version, payload, recorded_at, recorded_at FROM events
         WHERE aggregate_type = $1 AND aggregate_id = $2
               AND sequence > COALESCE((SELECT last_sequence FROM snapshot), 0)
         ORDER BY sequence",
    )
    .bind(kind)
    .bind(id)
    .bind(snapshots)
    .fetch_all(journal.pool())
    .await?;
    Ok(kept)
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
