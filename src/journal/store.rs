//! What goes into the journal and what is expected of it, and what the database says to that.

use chrono::{DateTime, Utc};
use kernel::UserId;
use runtime::feed::Appended;
use sqlx::{PgConnection, error::DatabaseError};

use super::{
    cache::StreamId,
    chain::{Canonical, Hash, event_hash},
};

/// An event on its way into the journal.
pub(super) struct Row {
    pub(super) stream: StreamId,
    pub(super) sequence: i64,
    pub(super) event_type: String,
    pub(super) event_version: String,
    pub(super) payload: String,
    pub(super) metadata: std::sync::Arc<str>,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) hash: Hash,
}

impl Row {
    /// The same row with the hash of all the rest.
    pub(super) fn sealed(mut self) -> Self {
        self.hash = event_hash(&Canonical {
            aggregate_type: &self.stream.kind,
            aggregate_id: &self.stream.id,
            sequence: self.sequence,
            event_type: &self.event_type,
            event_version: &self.event_version,
            recorded_at: self.recorded_at,
            payload: &self.payload,
            metadata: &self.metadata,
        });
        self
    }
}

impl Row {
    /// The same row, now that it is in the journal.
    pub(super) fn appended(self, position: i64) -> Appended {
        Appended {
            position,
            aggregate_type: self.stream.kind.into_owned(),
            aggregate_id: self.stream.id.into_string(),
            sequence: self.sequence,
            event_type: self.event_type,
            event_version: self.event_version,
            payload: self.payload,
            metadata: self.metadata,
            recorded_at: self.recorded_at,
        }
    }
}

/// A stream and the version it must be at.
pub(super) struct Expected {
    pub(super) stream: StreamId,
    pub(super) version: i64,
}

/// What a command answers over HTTP: kept under its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    /// The resource's version, for the ETag.
    pub version: Option<i64>,
}

/// An answer that was given before.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredAnswer {
    pub request_hash: String,
    pub status: i32,
    pub body: String,
    pub version: Option<i64>,
    pub position: i64,
}

/// An answer to be kept.
pub(super) struct Remembered {
    pub(super) user: UserId,
    pub(super) key: String,
    pub(super) hash: String,
    pub(super) answer: Answer,
}

/// All that one command appends.
#[derive(Default)]
pub(super) struct Append {
    pub(super) rows: Vec<Row>,
    /// The version before this command of every stream that it writes.
    pub(super) written: Vec<Expected>,
    /// Streams that it only depends on.
    pub(super) depended: Vec<Expected>,
    pub(super) remembered: Option<Remembered>,
}

impl Append {
    /// All that must be so: of the streams written, then of those only depended on.
    pub(super) fn expected(&self) -> impl Iterator<Item = &Expected> {
        self.written.iter().chain(&self.depended)
    }
}

/// The journal's end: what the next append builds on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) position: i64,
    pub(super) hash: Hash,
}

/// Why a batch was not appended.
pub(super) enum BatchError {
    /// Nothing was appended: the journal has another end, somebody's expectation does not hold, or this is why.
    Refused(String),
    /// Not known whether it was; the streams must be read again.
    Unknown(sqlx::Error),
}

impl From<sqlx::Error> for BatchError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) if !is_outage(database.as_ref()) => Self::Refused(database.to_string()),
            _ => Self::Unknown(error),
        }
    }
}

/// The database has gone, is going, or cannot take more at the moment.
pub(super) fn is_outage(error: &dyn DatabaseError) -> bool {
    error.code().is_some_and(|code| ["08", "25P03", "53", "57", "58"].iter().any(|class| code.starts_with(class)))
}

/// Where the journal and the streams that a batch expects something of are, and which of its keys have been used.
pub(super) struct Present {
    pub(super) tip: Tip,
    /// Of each expectation, in the order of the batch: written streams before those only depended on.
    pub(super) versions: Vec<i64>,
    /// Of each answer to be remembered, in the order of the batch.
    pub(super) used: Vec<bool>,
}

/// Looks at the present, which stays as it is for as long as the node has its turn.
pub(super) async fn present<'a>(
    connection: &mut PgConnection,
    batch: impl Iterator<Item = &'a Append>,
) -> Result<Present, sqlx::Error> {
    let (mut types, mut ids, mut users, mut keys) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for append in batch {
        for expected in append.expected() {
            types.push(&*expected.stream.kind);
            ids.push(&*expected.stream.id);
        }
        if let Some(kept) = &append.remembered {
            users.push(kept.user.get());
            keys.push(kept.key.as_str());
        }
    }
    let (position, hash, versions, used): (i64, Vec<u8>, Vec<i64>, Vec<bool>) = sqlx::query_as(
        "SELECT position, hash,
             ARRAY(SELECT COALESCE((SELECT max(sequence) FROM events WHERE aggregate_type = type AND aggregate_id = id), 0)
                   FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS expected(type, id, n) ORDER BY n),
             ARRAY(SELECT COALESCE((SELECT true FROM idempotency_keys i WHERE i.user_id = k.user_id AND i.key = k.key), false)
                   FROM unnest($3::bigint[], $4::text[]) WITH ORDINALITY AS k(user_id, key, n) ORDER BY n)
         FROM journal_head",
    )
    .bind(&types)
    .bind(&ids)
    .bind(&users)
    .bind(&keys)
    .fetch_one(connection)
    .await?;
    let hash = hash.try_into().map_err(|_| sqlx::Error::Protocol("the journal's head has no SHA-256".to_owned()))?;
    Ok(Present { tip: Tip { position, hash }, versions, used })
}
