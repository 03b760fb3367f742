//! The journal as readers see it: what comes after a position, in order, without holes.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::sync::watch;

use crate::{COLUMNS, Epochs, Recorded, checkpoint};

/// A poll behind the wake-up calls, should one be lost.
const POLL: Duration = Duration::from_secs(1);

/// The events after a position; `kinds` empty means all.
///
/// # Errors
/// When the database cannot be reached.
pub async fn after(
    connection: &mut PgConnection,
    position: i64,
    until: i64,
    kinds: &[&str],
    limit: i64,
) -> Result<Vec<Recorded>, sqlx::Error> {
    let query = format!(
        "SELECT {COLUMNS} FROM events
         WHERE position > $1 AND position <= $2 AND (cardinality($3::text[]) = 0 OR aggregate_type = ANY($3))
         ORDER BY position LIMIT $4"
    );
    sqlx::query_as(&query).bind(position).bind(until).bind(kinds).bind(limit).fetch_all(connection).await
}

/// The last position of the journal.
///
/// # Errors
/// When the database cannot be reached.
pub async fn head(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT position FROM journal_head").fetch_one(pool).await
}

/// What a reader is to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// The epoch under which this node runs the reader.
    pub epoch: i64,
    /// Where the reader stands.
    pub position: i64,
    /// How far the journal goes.
    pub head: i64,
}

/// A reader's place on this node: waits until the node has the claim and the journal has news.
pub struct Place {
    pub name: String,
    pool: PgPool,
    epochs: watch::Receiver<Epochs>,
    head: watch::Receiver<i64>,
    /// The epoch under which `position` was read.
    known: Option<(i64, i64)>,
}

impl Place {
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        pool: PgPool,
        epochs: watch::Receiver<Epochs>,
        head: watch::Receiver<i64>,
    ) -> Self {
        Self { name: name.into(), pool, epochs, head, known: None }
    }

    /// Waits for the next turn; `None` when the node is shutting down.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn turn(&mut self) -> Result<Option<Turn>, sqlx::Error> {
        loop {
            let epoch = self.epochs.borrow_and_update().get(&self.name).copied();
            let Some(epoch) = epoch else {
                self.known = None;
                if self.epochs.changed().await.is_err() {
                    return Ok(None);
                }
                continue;
            };
            let position = match self.known {
                Some((at, position)) if at == epoch => position,
                _ => {
                    let mut connection = self.pool.acquire().await?;
                    checkpoint::begin(&mut connection, &self.name, 1, 0).await?;
                    drop(connection);
                    checkpoint::load(&self.pool, &self.name).await?.map_or(0, |checkpoint| checkpoint.position)
                }
            };
            self.known = Some((epoch, position));
            let known = *self.head.borrow_and_update();
            if known > position {
                return Ok(Some(Turn { epoch, position, head: known }));
            }
            tokio::select! {
                news = self.head.changed() => if news.is_err() { return Ok(None) },
                news = self.epochs.changed() => if news.is_err() { return Ok(None) },
                () = tokio::time::sleep(POLL) => {
                    let head = head(&self.pool).await?;
                    if head > position {
                        return Ok(Some(Turn { epoch, position, head }));
                    }
                }
            }
        }
    }

    /// The checkpoint has moved, by this reader.
    pub fn moved(&mut self, epoch: i64, position: i64) {
        self.known = Some((epoch, position));
    }

    /// The checkpoint may have been moved by another: read it again.
    pub fn doubt(&mut self) {
        self.known = None;
    }
}
