//! One chunk of the pass: the appends that end in a range of positions, and all their events.

use std::collections::{HashMap, hash_map::Entry};

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use sqlx::{PgPool, Row, postgres::PgRow};

use super::{
    Failure, block_before,
    damage::{Block, Damage, diagnose},
};
use crate::journal::chain::{Canonical, Hash, block_hash, event_hash};

/// The appends that end after `after`, and not after `until`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk {
    pub(super) after: i64,
    pub(super) until: i64,
    pub(super) noted: Option<Hash>,
}

/// A stream's events in one chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamRun {
    pub(super) first: i64,
    /// Where the first of them is.
    pub(super) position: i64,
    pub(super) last: i64,
}

/// A chunk that is whole in itself.
pub(super) struct Checked {
    /// The end and the hash of the block that this chunk builds on.
    pub(super) before: i64,
    pub(super) before_hash: Hash,
    pub(super) last: i64,
    pub(super) hash: Hash,
    pub(super) events: u64,
    pub(super) blocks: u64,
    pub(super) has_noted: bool,
    pub(super) streams: HashMap<Box<str>, StreamRun>,
}

impl Chunk {
    pub(super) async fn check(self, pool: &PgPool) -> Result<Checked, Failure> {
        let (before, before_hash) = block_before(pool, self.after + 1).await?;
        let mut checked = Checked {
            before,
            before_hash,
            last: before,
            hash: before_hash,
            events: 0,
            blocks: 0,
            has_noted: false,
            streams: HashMap::new(),
        };
        let blocks = self.blocks(pool).await?;
        let Some(end) = blocks.last().map(|block| block.last) else { return Ok(checked) };
        let mut rows = sqlx::query(
            "SELECT position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload::text,
                    metadata::text, recorded_at, hash
             FROM events WHERE position > $1 AND position <= $2 ORDER BY position",
        )
        .bind(before)
        .bind(end)
        .fetch(pool);
        let mut hashes = Vec::new();
        for block in &blocks {
            if block.first != checked.last + 1 {
                return Err(Damage::Blocks { position: checked.last + 1 }.into());
            }
            hashes.clear();
            for position in block.first..=block.last {
                let row = rows.try_next().await?.ok_or(Damage::Missing { position })?;
                hashes.push(event(&row, position, &mut checked.streams)?);
            }
            if block_hash(&checked.hash, &hashes) != block.hash {
                drop(rows);
                return Err(explain(pool, &checked.hash, block, &hashes).await?.into());
            }
            checked.has_noted |= self.noted == Some(block.hash);
            checked.events += u64::try_from(hashes.len()).unwrap_or(u64::MAX);
            checked.blocks += 1;
            (checked.last, checked.hash) = (block.last, block.hash);
        }
        Ok(checked)
    }

    async fn blocks(self, pool: &PgPool) -> Result<Vec<Block>, Failure> {
        let rows = sqlx::query_as(
            "SELECT first_position, last_position, hash FROM journal_blocks
             WHERE last_position > $1 AND last_position <= $2 ORDER BY last_position",
        );
        rows.bind(self.after).bind(self.until).fetch_all(pool).await?.into_iter().map(block).collect()
    }
}

fn block((first, last, hash): (i64, i64, Vec<u8>)) -> Result<Block, Failure> {
    Ok(Block { first, last, hash: hash.try_into().map_err(|_| Damage::BlockHash { first, last })? })
}

/// Checks one event by itself and in its stream; answers its hash.
fn event(row: &PgRow, position: i64, streams: &mut HashMap<Box<str>, StreamRun>) -> Result<Hash, Failure> {
    if row.try_get::<i64, _>(0)? != position {
        return Err(Damage::Missing { position }.into());
    }
    let (kind, id, sequence): (&str, &str, i64) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
    let hash = event_hash(&Canonical {
        aggregate_type: kind,
        aggregate_id: id,
        sequence,
        event_type: row.try_get(4)?,
        event_version: row.try_get(5)?,
        payload: row.try_get(6)?,
        metadata: row.try_get(7)?,
        recorded_at: row.try_get::<DateTime<Utc>, _>(8)?,
    });
    let stream = format!("{kind}/{id}");
    if row.try_get::<&[u8], _>(9)? != hash {
        return Err(Damage::Changed { position, stream, sequence }.into());
    }
    match streams.entry(stream.into_boxed_str()) {
        Entry::Vacant(place) => {
            place.insert(StreamRun { first: sequence, position, last: sequence });
        }
        Entry::Occupied(mut run) => {
            let expected = run.get().last + 1;
            if sequence != expected {
                let stream = run.key().to_string();
                return Err(Damage::Sequence { position, stream, expected, found: sequence }.into());
            }
            run.get_mut().last = sequence;
        }
    }
    Ok(hash)
}

/// Says what is wrong with a block, by a look at the one after it.
async fn explain(pool: &PgPool, before: &Hash, damaged: &Block, hashes: &[Hash]) -> Result<Damage, Failure> {
    let next: Option<(i64, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT first_position, last_position, hash FROM journal_blocks
         WHERE last_position > $1 ORDER BY last_position LIMIT 1",
    )
    .bind(damaged.last)
    .fetch_optional(pool)
    .await?;
    let Some(next) = next.map(block).transpose()? else { return Ok(diagnose(before, damaged, hashes, None)) };
    let stored: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT hash FROM events WHERE position BETWEEN $1 AND $2 ORDER BY position")
            .bind(next.first)
            .bind(next.last)
            .fetch_all(pool)
            .await?;
    let stored: Vec<Hash> = stored.into_iter().filter_map(|hash| hash.try_into().ok()).collect();
    Ok(diagnose(before, damaged, hashes, Some((&next, &stored))))
}
