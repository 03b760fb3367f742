//! The one statement that inserts events.

use chrono::{DateTime, Utc};
use sqlx::{Execute, PgConnection, Postgres, postgres::PgArguments};

use super::{
    chain::block_hash,
    store::{Append, BatchError, Tip},
};

/// A batch as the statement takes it.
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

/// A batch as it is sent, which appends it whole or not at all.
///
/// It is one statement, for that is all that an append costs: positions and the next block are made here. Should the
/// journal have another end by now, the positions are taken and their key refuses them; so do the keys of the streams
/// and of the answers where they are. A stream that is only depended on is looked at: if the journal's end is what it is
/// taken for, then nothing has come after what the statement sees.
pub(super) struct Statement {
    text: String,
    arguments: PgArguments,
    /// The journal's end if the batch is appended.
    pub(super) end: Tip,
}

impl Statement {
    /// A batch that goes after `tip`.
    pub(super) fn after<'a>(tip: Tip, batch: impl Iterator<Item = &'a Append>) -> Result<Self, sqlx::Error> {
        let c = Columns::of(tip.position, batch);
        let hash = block_hash(&tip.hash, &c.hashes);
        let position = tip.position + i64::try_from(c.types.len()).unwrap_or(i64::MAX);
        let shape =
            Shape { single: c.types.len() == 1, depends: !c.depended_types.is_empty(), keeps: !c.keys.is_empty() };
        let text = shape.statement();
        let query = sqlx::query(&text).bind(tip.position).bind(position).bind(hash.as_slice());
        let arguments = c.bound_to(query, shape).take_arguments().map_err(sqlx::Error::Encode)?.unwrap_or_default();
        Ok(Self { text, arguments, end: Tip { position, hash } })
    }

    pub(super) async fn append(self, connection: &mut PgConnection) -> Result<Tip, BatchError> {
        let done = sqlx::query_with(&self.text, self.arguments).execute(connection).await?;
        if done.rows_affected() == 1 {
            Ok(self.end)
        } else {
            Err(BatchError::Refused("a stream that a command depends on has moved".to_owned()))
        }
    }
}

/// What a batch needs of the statement: what is not there is neither sent nor started.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// One event, given as values: arrays cost a fifth of the call.
    single: bool,
    depends: bool,
    keeps: bool,
}

/// Whoever appends waits for a node's turn to end.
const LOCK: &str = "pg_advisory_xact_lock('journal_blocks'::regclass::bigint)";

impl Shape {
    fn statement(self) -> String {
        // The first are the base, the end and the block's hash.
        let mut parameters = 3;
        let mut next = |kind: &str| {
            parameters += 1;
            format!("${parameters}::{kind}")
        };
        let kinds = ["text", "text", "bigint", "text", "text", "text", "text", "timestamptz", "bytea"];
        let rows = if self.single {
            let [kind, id, sequence, event_type, version, payload, metadata, at, hash] = kinds.map(&mut next);
            let gate = if self.depends { "FROM sound" } else { "" };
            format!(
                "SELECT $1 + 1, {kind}, {id}, {sequence}, {event_type}, {version}, {payload}::json, {metadata}::json,
                        {at}, {hash} {gate}"
            )
        } else {
            let arrays = kinds.map(|kind| next(&format!("{kind}[]"))).join(", ");
            let gate = if self.depends { "sound, " } else { "" };
            format!(
                "SELECT $1 + u.n, u.type, u.id, u.sequence, u.event_type, u.event_version, u.payload::json,
                        u.metadata::json, u.recorded, u.hash
                 FROM {gate} unnest({arrays}) WITH ORDINALITY
                     AS u(type, id, sequence, event_type, event_version, payload, metadata, recorded, hash, n)"
            )
        };
        let sound = if self.depends {
            let arrays = ["text[]", "text[]", "bigint[]"].map(&mut next).join(", ");
            format!(
                "sound AS MATERIALIZED (
                     SELECT FROM {LOCK} WHERE NOT EXISTS (
                         SELECT FROM unnest({arrays}) AS d(type, id, version)
                         WHERE d.version <> COALESCE((SELECT max(sequence) FROM events
                                                      WHERE aggregate_type = d.type AND aggregate_id = d.id), 0))
                 ),"
            )
        } else {
            String::new()
        };
        let kept = if self.keeps {
            let kinds = ["bigint[]", "text[]", "text[]", "integer[]", "text[]", "bigint[]", "bigint[]"];
            let arrays = kinds.map(&mut next).join(", ");
            let gate = if self.depends { "sound, " } else { "" };
            format!(
                ", kept AS (
                     INSERT INTO idempotency_keys (user_id, key, request_hash, status, body, version, position)
                     SELECT k.* FROM {gate} unnest({arrays}) AS k
                 )"
            )
        } else {
            String::new()
        };
        let gate = if self.depends { "sound" } else { LOCK };
        format!(
            "WITH {sound} appended AS (INSERT INTO events {rows}) {kept}
             INSERT INTO journal_blocks SELECT $1 + 1, $2, $3 FROM {gate}"
        )
    }
}

type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

impl Columns<'_> {
    fn bound_to<'q>(&'q self, query: Query<'q>, shape: Shape) -> Query<'q> {
        let mut query = if shape.single {
            query
                .bind(self.types.first())
                .bind(self.ids.first())
                .bind(self.sequences.first())
                .bind(self.event_types.first())
                .bind(self.event_versions.first())
                .bind(self.payloads.first())
                .bind(self.metadatas.first())
                .bind(self.recorded.first())
                .bind(self.hashes.first())
        } else {
            query
                .bind(&self.types)
                .bind(&self.ids)
                .bind(&self.sequences)
                .bind(&self.event_types)
                .bind(&self.event_versions)
                .bind(&self.payloads)
                .bind(&self.metadatas)
                .bind(&self.recorded)
                .bind(&self.hashes)
        };
        if shape.depends {
            query = query.bind(&self.depended_types).bind(&self.depended_ids).bind(&self.depended_versions);
        }
        if shape.keeps {
            query = query
                .bind(&self.key_users)
                .bind(&self.keys)
                .bind(&self.key_hashes)
                .bind(&self.key_statuses)
                .bind(&self.key_bodies)
                .bind(&self.key_versions)
                .bind(&self.key_positions);
        }
        query
    }
}
