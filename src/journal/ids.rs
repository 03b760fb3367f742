//! Ids: positive integers a kind, handed out in blocks so that a create costs no round trip.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::PgPool;

use super::ExecuteError;

/// How many ids a node takes at a time. What is left of a block at a stop is lost: ids may have gaps …
const BLOCK: i64 = 20;
/// … which are larger only where many are made: a block that is used up within this is followed by one of twice the size …
const SOON: Duration = Duration::from_secs(1);
/// … up to this.
const BLOCK_LARGEST: i64 = 1280;

/// The ids this node has in hand.
pub struct Ids {
    pool: PgPool,
    blocks: Mutex<HashMap<&'static str, Arc<tokio::sync::Mutex<Block>>>>,
}

struct Block {
    ids: Range<i64>,
    size: i64,
    taken: Option<Instant>,
}

impl Ids {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool, blocks: Mutex::default() }
    }

    /// A new id of its kind.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn next<I: kernel::Id>(&self) -> Result<I, ExecuteError> {
        let block = self.block(I::KIND);
        // Whoever finds it used up takes the next one for all who wait.
        let mut block = block.lock().await;
        let id = match block.ids.next() {
            Some(id) => id,
            None => self.refill(I::KIND, &mut block).await?,
        };
        I::try_from(id).map_err(|_| ExecuteError::Fault(format!("{id} is no id of a {}", I::KIND)))
    }

    /// As many new ids.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn many<I: kernel::Id>(&self, count: usize) -> Result<Vec<I>, ExecuteError> {
        let mut ids = Vec::with_capacity(count);
        for _ in 0..count {
            ids.push(self.next().await?);
        }
        Ok(ids)
    }

    fn block(&self, kind: &'static str) -> Arc<tokio::sync::Mutex<Block>> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let none = || Arc::new(tokio::sync::Mutex::new(Block { ids: 0..0, size: BLOCK, taken: None }));
        Arc::clone(blocks.entry(kind).or_insert_with(none))
    }

    /// The first id of a new block.
    async fn refill(&self, kind: &'static str, block: &mut Block) -> Result<i64, ExecuteError> {
        let size = match block.taken {
            Some(taken) if taken.elapsed() < SOON => (block.size * 2).min(BLOCK_LARGEST),
            _ => BLOCK,
        };
        let first: i64 = sqlx::query_scalar(
            "INSERT INTO id_blocks (kind, next) VALUES ($1, 1 + $2)
             ON CONFLICT (kind) DO UPDATE SET next = id_blocks.next + $2 RETURNING next - $2",
        )
        .bind(kind)
        .bind(size)
        .fetch_one(&self.pool)
        .await?;
        *block = Block { ids: first + 1..first + size, size, taken: Some(Instant::now()) };
        Ok(first)
    }
}
