//! The auditor's pass over the journal: every hash, the chain, the positions, the order of each stream.
//!
//! One pass in chunks of positions, several at a time; what holds across chunks (the order of the streams) is put
//! together in the order of the chunks. The first damage ends the pass and is named.

mod chunk;
mod damage;

use std::collections::HashMap;

use futures::{StreamExt, TryStreamExt, stream};
use sqlx::PgPool;

use self::chunk::{Chunk, StreamRun};
pub use self::damage::Damage;
use super::chain::{GENESIS, Hash};

/// Positions in a chunk.
const CHUNK: i64 = 20_000;

/// Where the journal ends, and the hash that vouches for all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub position: i64,
    pub hash: Hash,
}

/// What is to be checked: whole appends, from the one that holds `from` to the one that holds `to`.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    pub from: i64,
    /// The journal's end when `None`.
    pub to: Option<i64>,
    /// A hash that was noted earlier: one of the range's appends must have it.
    pub head: Option<Hash>,
}

/// What was found to be as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub first: i64,
    pub last: i64,
    pub events: u64,
    pub blocks: u64,
    /// The hash of the last append that was checked.
    pub hash: Hash,
}

/// Why the pass did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("the journal is damaged: {0}")]
    Damaged(#[from] Damage),
    #[error("the journal cannot be read: {0}")]
    Unavailable(#[from] sqlx::Error),
}

/// The journal's head as it is stored.
///
/// # Errors
/// When the database cannot be reached.
pub async fn head(pool: &PgPool) -> Result<Head, Failure> {
    Ok(ends(pool).await?.0)
}

/// The journal's head, and the position of its last event, as they are at one moment.
async fn ends(pool: &PgPool) -> Result<(Head, i64), Failure> {
    let (position, hash, last): (i64, Vec<u8>, i64) =
        sqlx::query_as("SELECT position, hash, COALESCE((SELECT max(position) FROM events), 0) FROM journal_head")
            .fetch_one(pool)
            .await?;
    let hash = hash.try_into().map_err(|_| Damage::Blocks { position })?;
    Ok((Head { position, hash }, last))
}

/// Checks a range of the journal as it is now; `progress` hears of the position reached and the one to reach.
///
/// # Errors
/// The damage at the lowest position; that the database cannot be read.
pub async fn verify(
    pool: &PgPool,
    range: Range,
    progress: &mut (dyn FnMut(i64, i64) + Send),
) -> Result<Verified, Failure> {
    let (head, last) = ends(pool).await?;
    if range.from > head.position && head.position > 0 {
        return Err(Damage::OutOfRange { from: range.from, head: head.position }.into());
    }
    let (mut before, mut hash) = block_before(pool, range.from).await?;
    let end = match range.to {
        Some(to) if to < head.position => block_end(pool, to).await?,
        _ => head.position,
    };
    let mut verified = Verified { first: before + 1, last: before, events: 0, blocks: 0, hash };
    let mut streams: HashMap<Box<str>, i64> = HashMap::new();
    let whole = before == 0;
    let mut noted = range.head.is_none_or(|noted| noted == hash);
    let begin = before;
    let starts = (0..).map(move |n| begin + n * CHUNK).take_while(move |start| *start < end);
    let workers = std::thread::available_parallelism().map_or(2, usize::from) + 1;
    let mut chunks = stream::iter(starts)
        .map(|start| {
            let chunk = Chunk { after: start, until: (start + CHUNK).min(end), noted: range.head };
            let pool = pool.clone();
            // A task each: the hashing of one chunk is not to wait for the rows of another.
            async move {
                match tokio::spawn(async move { chunk.check(&pool).await }).await {
                    Ok(checked) => checked,
                    Err(error) => Err(Failure::Unavailable(sqlx::Error::Protocol(error.to_string()))),
                }
            }
        })
        .buffered(workers);
    while let Some(chunk) = chunks.try_next().await? {
        // The blocks of a chunk are those that end in it; it tells which block it built on.
        if (chunk.before, chunk.before_hash) != (before, hash) {
            return Err(Damage::Blocks { position: before + 1 }.into());
        }
        for (stream, run) in chunk.streams {
            follow(&mut streams, stream, run, whole)?;
        }
        noted |= chunk.has_noted;
        verified.events += chunk.events;
        verified.blocks += chunk.blocks;
        (before, hash) = (chunk.last, chunk.hash);
        (verified.last, verified.hash) = (before, hash);
        progress(before, end);
    }
    if before < end {
        return Err(Damage::Blocks { position: before + 1 }.into());
    }
    if end == head.position && last > end {
        return Err(Damage::Blocks { position: end + 1 }.into());
    }
    if !noted {
        return Err(Damage::NotOfThisChain { last: verified.last }.into());
    }
    Ok(verified)
}

/// Holds a stream's events in a chunk against those of the chunks before. In a pass that does not begin with the
/// journal, a stream's first event may have any number.
fn follow(streams: &mut HashMap<Box<str>, i64>, stream: Box<str>, run: StreamRun, whole: bool) -> Result<(), Damage> {
    let known = streams.get(&stream).copied();
    let expected = known.map_or(if whole { 1 } else { run.first }, |last| last + 1);
    if run.first != expected {
        return Err(Damage::Sequence { position: run.position, stream: stream.into(), expected, found: run.first });
    }
    streams.insert(stream, run.last);
    Ok(())
}

/// The end and the hash of the last block that ends before a position.
async fn block_before(pool: &PgPool, position: i64) -> Result<(i64, Hash), Failure> {
    let before: Option<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT last_position, hash FROM journal_blocks WHERE last_position < $1 ORDER BY last_position DESC LIMIT 1",
    )
    .bind(position)
    .fetch_optional(pool)
    .await?;
    match before {
        None => Ok((0, GENESIS)),
        Some((last, hash)) => Ok((last, hash.try_into().map_err(|_| Damage::BlockHash { first: last, last })?)),
    }
}

/// The end of the block that holds a position.
async fn block_end(pool: &PgPool, position: i64) -> Result<i64, Failure> {
    let end: Option<i64> = sqlx::query_scalar(
        "SELECT last_position FROM journal_blocks WHERE last_position >= $1 ORDER BY last_position LIMIT 1",
    )
    .bind(position)
    .fetch_optional(pool)
    .await?;
    end.ok_or_else(|| Damage::Blocks { position }.into())
}
