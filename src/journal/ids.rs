//! Ids: positive integers a kind, handed out in blocks so that a create costs no round trip.

use std::{collections::HashMap, ops::Range, sync::Mutex};

use sqlx::PgPool;

use super::ExecuteError;

/// How many ids a node takes at a time. What is left of a block at a stop is lost: ids may have gaps.
const BLOCK: i64 = 20;

/// The ids this node has in hand.
pub struct Ids {
    pool: PgPool,
    blocks: Mutex<HashMap<&'static str, Range<i64>>>,
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
        loop {
            if let Some(id) = self.take(I::KIND) {
                return I::try_from(id).map_err(|_| ExecuteError::Fault(format!("{id} is no id of a {}", I::KIND)));
            }
            let first: i64 = sqlx::query_scalar(
                "INSERT INTO id_blocks (kind, next) VALUES ($1, 1 + $2)
                 ON CONFLICT (kind) DO UPDATE SET next = id_blocks.next + $2 RETURNING next - $2",
            )
            .bind(I::KIND)
            .bind(BLOCK)
            .fetch_one(&self.pool)
            .await?;
            self.put(I::KIND, first..first + BLOCK);
        }
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

    fn take(&self, kind: &'static str) -> Option<i64> {
        self.blocks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_mut(kind)?.next()
    }

    /// A block that comes while another is in hand is lost, which does no harm.
    fn put(&self, kind: &'static str, block: Range<i64>) {
        self.blocks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(kind, block);
    }
}
