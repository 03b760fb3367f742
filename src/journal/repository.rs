//! The journal as cqrs-es sees it, so that any tool written for cqrs-es reads and writes it by the same rules.

use std::sync::Arc;

use chrono::{SubsecRound, Utc};
use cqrs_es::{
    Aggregate,
    persist::{PersistedEventRepository, PersistenceError, ReplayStream, SerializedEvent, SerializedSnapshot},
};
use futures::TryStreamExt;
use runtime::{COLUMNS, Recorded};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    ExecuteError, Journal,
    cache::StreamId,
    chain::GENESIS,
    request::Request,
    store::{Append, Expected, Row},
};

const REPLAY_BUFFER: usize = 200;

impl PersistedEventRepository for Journal {
    async fn get_events<A: Aggregate>(&self, aggregate_id: &str) -> Result<Vec<SerializedEvent>, PersistenceError> {
        self.0.repository.get_events::<A>(aggregate_id).await
    }

    async fn get_last_events<A: Aggregate>(
        &self,
        aggregate_id: &str,
        last_sequence: usize,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        self.0.repository.get_last_events::<A>(aggregate_id, last_sequence).await
    }

    async fn get_snapshot<A: Aggregate>(
        &self,
        aggregate_id: &str,
    ) -> Result<Option<SerializedSnapshot>, PersistenceError> {
        self.0.repository.get_snapshot::<A>(aggregate_id).await
    }

    /// Appends through the committer, like every other command. Snapshots are the journal's own business.
    async fn persist<A: Aggregate>(
        &self,
        events: &[SerializedEvent],
        _: Option<(String, Value, usize)>,
    ) -> Result<(), PersistenceError> {
        let Some(first) = events.first() else { return Ok(()) };
        let stream = StreamId::of::<A>(&first.aggregate_id);
        let sequence = |event: &SerializedEvent| i64::try_from(event.sequence).unwrap_or(i64::MAX);
        let rows = events
            .iter()
            .map(|event| {
                let row = Row {
                    stream: stream.clone(),
                    sequence: sequence(event),
                    event_type: event.event_type.clone(),
                    event_version: event.event_version.clone(),
                    payload: serde_json::to_string(&event.payload)?,
                    metadata: serde_json::to_string(&event.metadata)?.into(),
                    recorded_at: Utc::now().trunc_subsecs(6),
                    hash: GENESIS,
                };
                Ok(row.sealed())
            })
            .collect::<Result<_, serde_json::Error>>()?;
        let slot = self.0.streams.slot(stream.clone());
        let append = Append {
            rows,
            written: vec![Expected { stream, version: sequence(first) - 1 }],
            depended: Vec::new(),
            remembered: None,
        };
        let (done, outcome) = oneshot::channel();
        let request = Request { append, slots: vec![(Arc::clone(&slot), slot.generation())], done };
        let closed = |error: ExecuteError| PersistenceError::ConnectionError(Box::new(error));
        self.0.committer.reserve().await.map_err(closed)?.send(request);
        let outcome = outcome.await.map_err(|error| PersistenceError::UnknownError(Box::new(error)))?;
        // What the cache holds of the stream is now behind.
        slot.invalidate();
        match outcome {
            Ok(_) => Ok(()),
            Err(ExecuteError::Conflict | ExecuteError::KeyUsed) => Err(PersistenceError::OptimisticLockError),
            Err(error @ ExecuteError::Unavailable(_)) => Err(closed(error)),
            Err(error) => Err(PersistenceError::UnknownError(Box::new(error))),
        }
    }

    async fn stream_events<A: Aggregate>(&self, aggregate_id: &str) -> Result<ReplayStream, PersistenceError> {
        Ok(self.stream(A::TYPE, Some(aggregate_id.to_owned())))
    }

    async fn stream_all_events<A: Aggregate>(&self) -> Result<ReplayStream, PersistenceError> {
        Ok(self.stream(A::TYPE, None))
    }
}

impl Journal {
    /// Events of one kind in the order of their positions. A database error is the stream's last item.
    fn stream(&self, kind: &'static str, id: Option<String>) -> ReplayStream {
        let (mut feed, stream) = ReplayStream::new(REPLAY_BUFFER);
        let pool = self.0.pool.clone();
        tokio::spawn(async move {
            let query = format!(
                "SELECT {COLUMNS} FROM events WHERE aggregate_type = $1 AND ($2::text IS NULL OR aggregate_id = $2)
                 ORDER BY position"
            );
            let mut rows = sqlx::query_as::<_, Recorded>(&query).bind(kind).bind(id).fetch(&pool);
            loop {
                let item = match rows.try_next().await {
                    Ok(Some(recorded)) => serialized(recorded).map_err(PersistenceError::from),
                    Ok(None) => return,
                    Err(error) => Err(PersistenceError::ConnectionError(Box::new(error))),
                };
                let ended = item.is_err();
                if feed.push(item).await.is_err() || ended {
                    return;
                }
            }
        });
        stream
    }
}

fn serialized(recorded: Recorded) -> Result<SerializedEvent, serde_json::Error> {
    Ok(SerializedEvent::new(
        recorded.aggregate_id,
        usize::try_from(recorded.sequence).unwrap_or_default(),
        recorded.aggregate_type,
        recorded.event_type,
        recorded.event_version,
        serde_json::from_str(recorded.payload.get())?,
        serde_json::to_value(&recorded.metadata.0)?,
    ))
}
