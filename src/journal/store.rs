//! The two calls that insert events, and what the database says to them.

use chrono::{DateTime, Utc};
use kernel::UserId;
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

/// What became of one command of a batch on the second way.
pub(super) enum Outcome {
    Appended(i64),
    Conflict,
    KeyUsed,
}

/// Why a whole batch was not appended.
pub(super) enum BatchError {
    /// Somebody's expectation does not hold: go the second way.
    Refused,
    /// Not known whether it was; the streams must be read again.
    Unknown(sqlx::Error),
}

/// The database has gone, is going, or cannot take more at the moment.
pub(super) fn is_outage(error: &dyn DatabaseError) -> bool {
    error.code().is_some_and(|code| ["08", "25P03", "53", "57", "58"].iter().any(|class| code.starts_with(class)))
}

#[derive(Default)]
struct Columns<'a> {
    commands: Vec<i32>,
    types: Vec<&'a str>,
    ids: Vec<&'a str>,
    sequences: Vec<i64>,
    event_types: Vec<&'a str>,
    event_versions: Vec<&'a str>,
    payloads: Vec<&'a str>,
    metadatas: Vec<&'a str>,
    recorded: Vec<DateTime<Utc>>,
    hashes: Vec<u8>,
    expected_commands: Vec<i32>,
    expected_types: Vec<&'a str>,
    expected_ids: Vec<&'a str>,
    expected_versions: Vec<i64>,
    key_commands: Vec<i32>,
    key_users: Vec<i64>,
    keys: Vec<&'a str>,
    key_hashes: Vec<&'a str>,
    key_statuses: Vec<i32>,
    key_bodies: Vec<&'a str>,
    key_versions: Vec<Option<i64>>,
    key_offsets: Vec<i64>,
}

impl<'a> Columns<'a> {
    /// `with_written`: the second way checks the heads of written streams too; on the first the primary key does.
    fn of(batch: impl Iterator<Item = &'a Append>, with_written: bool) -> Self {
        let mut c = Self::default();
        for (command, append) in (0..).zip(batch) {
            for row in &append.rows {
                c.commands.push(command);
                c.types.push(&row.stream.kind);
                c.ids.push(&row.stream.id);
                c.sequences.push(row.sequence);
                c.event_types.push(&row.event_type);
                c.event_versions.push(&row.event_version);
                c.payloads.push(&row.payload);
                c.metadatas.push(&row.metadata);
                c.recorded.push(row.recorded_at);
                c.hashes.extend_from_slice(&row.hash);
            }
            let written = if with_written { append.written.as_slice() } else { &[] };
            for expected in written.iter().chain(&append.depended) {
                c.expected_commands.push(command);
                c.expected_types.push(&expected.stream.kind);
                c.expected_ids.push(&expected.stream.id);
                c.expected_versions.push(expected.version);
            }
            if let Some(kept) = &append.remembered {
                c.key_commands.push(command);
                c.key_users.push(kept.user.get());
                c.keys.push(&kept.key);
                c.key_hashes.push(&kept.hash);
                c.key_statuses.push(kept.answer.status.into());
                c.key_bodies.push(&kept.answer.body);
                c.key_versions.push(kept.answer.version);
                c.key_offsets.push(i64::try_from(c.types.len()).unwrap_or(i64::MAX));
            }
        }
        c
    }
}

/// The first way: the whole batch or nothing. Answers the position before its first event.
pub(super) async fn append<'a>(
    connection: &mut PgConnection,
    writer: &str,
    batch: impl Iterator<Item = &'a Append>,
) -> Result<i64, BatchError> {
    let c = Columns::of(batch, false);
    sqlx::query_scalar("SELECT append($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20)")
        .bind(writer)
        .bind(&c.types)
        .bind(&c.ids)
        .bind(&c.sequences)
        .bind(&c.event_types)
        .bind(&c.event_versions)
        .bind(&c.payloads)
        .bind(&c.metadatas)
        .bind(&c.recorded)
        .bind(&c.hashes)
        .bind(&c.expected_types)
        .bind(&c.expected_ids)
        .bind(&c.expected_versions)
        .bind(&c.key_users)
        .bind(&c.keys)
        .bind(&c.key_hashes)
        .bind(&c.key_statuses)
        .bind(&c.key_bodies)
        .bind(&c.key_versions)
        .bind(&c.key_offsets)
        .fetch_one(connection)
        .await
        .map_err(|error| match &error {
            sqlx::Error::Database(database) if !is_outage(database.as_ref()) => BatchError::Refused,
            _ => BatchError::Unknown(error),
        })
}

/// The second way: each command alone, in order, under one lock.
pub(super) async fn append_each<'a>(
    connection: &mut PgConnection,
    writer: &str,
    batch: impl Iterator<Item = &'a Append>,
) -> Result<Vec<Outcome>, sqlx::Error> {
    let c = Columns::of(batch, true);
    let outcomes: Vec<(String, Option<i64>)> = sqlx::query_as(
        "SELECT outcome, last_position
         FROM append_each($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22)
         ORDER BY command",
    )
    .bind(writer)
    .bind(&c.commands)
    .bind(&c.types)
    .bind(&c.ids)
    .bind(&c.sequences)
    .bind(&c.event_types)
    .bind(&c.event_versions)
    .bind(&c.payloads)
    .bind(&c.metadatas)
    .bind(&c.recorded)
    .bind(&c.hashes)
    .bind(&c.expected_commands)
    .bind(&c.expected_types)
    .bind(&c.expected_ids)
    .bind(&c.expected_versions)
    .bind(&c.key_commands)
    .bind(&c.key_users)
    .bind(&c.keys)
    .bind(&c.key_hashes)
    .bind(&c.key_statuses)
    .bind(&c.key_bodies)
    .bind(&c.key_versions)
    .fetch_all(connection)
    .await?;
    Ok(outcomes
        .into_iter()
        .map(|outcome| match outcome {
            (_, Some(position)) => Outcome::Appended(position),
            (reason, None) if reason == "key_used" => Outcome::KeyUsed,
            _ => Outcome::Conflict,
        })
        .collect())
}
