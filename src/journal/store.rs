//! The one statement that inserts events, and what the database says to it.

use chrono::{DateTime, Utc};
use kernel::UserId;
use sqlx::{PgConnection, error::DatabaseError};

use super::{
    cache::StreamId,
    chain::{Canonical, Hash, block_hash, event_hash},
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
             ARRAY(SELECT EXISTS (SELECT FROM idempotency_keys i WHERE i.user_id = k.user_id AND i.key = k.key)
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

#[derive(Default)]
struct Columns<'a> {
    types: Vec<&'a str>,
    ids: Vec<&'a str>,
    sequences: Vec<i64>,
    event_types: Vec<&'a str>,
    event_versions: Vec<&'a str>,
    payloads: Vec<&'a str>,
    metadatas: Vec<&'a str>,
    recorded: Vec<DateTime<Utc>>,
    hashes: Vec<&'a [u8]>,
    depended_types: Vec<&'a str>,
    depended_ids: Vec<&'a str>,
    depended_versions: Vec<i64>,
    key_users: Vec<i64>,
    keys: Vec<&'a str>,
    key_hashes: Vec<&'a str>,
    key_statuses: Vec<i32>,
    key_bodies: Vec<&'a str>,
    key_versions: Vec<Option<i64>>,
    key_positions: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn of(base: i64, batch: impl Iterator<Item = &'a Append>) -> Self {
        let mut c = Self::default();
        let mut position = base;
        for append in batch {
            for row in &append.rows {
                c.types.push(&row.stream.kind);
                c.ids.push(&row.stream.id);
                c.sequences.push(row.sequence);
                c.event_types.push(&row.event_type);
                c.event_versions.push(&row.event_version);
                c.payloads.push(&row.payload);
                c.metadatas.push(&row.metadata);
                c.recorded.push(row.recorded_at);
                c.hashes.push(&row.hash);
                position += 1;
            }
            for expected in &append.depended {
                c.depended_types.push(&expected.stream.kind);
                c.depended_ids.push(&expected.stream.id);
                c.depended_versions.push(expected.version);
            }
            if let Some(kept) = &append.remembered {
                c.key_users.push(kept.user.get());
                c.keys.push(&kept.key);
                c.key_hashes.push(&kept.hash);
                c.key_statuses.push(kept.answer.status.into());
                c.key_bodies.push(&kept.answer.body);
                c.key_versions.push(kept.answer.version);
                c.key_positions.push(position);
            }
        }
        c
    }
}

/// Appends a batch after `tip`, whole or not at all, and answers the journal's new end.
///
/// It is one statement, for that is all that an append costs: positions and the next block are made here. Should the
/// journal have another end by now, the positions are taken and their key refuses them; so do the keys of the streams
/// and of the answers where they are. A stream that is only depended on is looked at: if the journal's end is `tip`, then
/// nothing has come after what the statement sees.
pub(super) async fn append<'a>(
    connection: &mut PgConnection,
    tip: Tip,
    batch: impl Iterator<Item = &'a Append>,
) -> Result<Tip, BatchError> {
    let c = Columns::of(tip.position, batch);
    let hash = block_hash(&tip.hash, &c.hashes);
    let end = tip.position + i64::try_from(c.types.len()).unwrap_or(i64::MAX);
    let done = sqlx::query(
        "WITH turn AS MATERIALIZED (
             SELECT pg_advisory_xact_lock('journal_blocks'::regclass::bigint)
         ), sound AS MATERIALIZED (
             SELECT FROM turn WHERE NOT EXISTS (
                 SELECT FROM unnest($13::text[], $14::text[], $15::bigint[]) AS d(type, id, version)
                 WHERE d.version <> COALESCE((SELECT max(sequence) FROM events
                                              WHERE aggregate_type = d.type AND aggregate_id = d.id), 0))
         ), appended AS (
             INSERT INTO events
             SELECT $1 + u.n, u.type, u.id, u.sequence, u.event_type, u.event_version, u.payload::json,
                    u.metadata::json, u.recorded, u.hash
             FROM sound, unnest($4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[],
                                $11::timestamptz[], $12::bytea[])
                 WITH ORDINALITY
                 AS u(type, id, sequence, event_type, event_version, payload, metadata, recorded, hash, n)
         ), kept AS (
             INSERT INTO idempotency_keys (user_id, key, request_hash, status, body, version, position)
             SELECT k.* FROM sound, unnest($16::bigint[], $17::text[], $18::text[], $19::integer[], $20::text[],
                                           $21::bigint[], $22::bigint[]) AS k
         )
         INSERT INTO journal_blocks SELECT $1 + 1, $2, $3 FROM sound",
    )
    .bind(tip.position)
    .bind(end)
    .bind(hash.as_slice())
    .bind(&c.types)
    .bind(&c.ids)
    .bind(&c.sequences)
    .bind(&c.event_types)
    .bind(&c.event_versions)
    .bind(&c.payloads)
    .bind(&c.metadatas)
    .bind(&c.recorded)
    .bind(&c.hashes)
    .bind(&c.depended_types)
    .bind(&c.depended_ids)
    .bind(&c.depended_versions)
    .bind(&c.key_users)
    .bind(&c.keys)
    .bind(&c.key_hashes)
    .bind(&c.key_statuses)
    .bind(&c.key_bodies)
    .bind(&c.key_versions)
    .bind(&c.key_positions)
    .execute(connection)
    .await?;
    if done.rows_affected() == 1 {
        Ok(Tip { position: end, hash })
    } else {
        Err(BatchError::Refused("a stream that a command depends on has moved".to_owned()))
    }
}
