//! Read your writes: how far each projection is known to be, and waiting for it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::sync::watch;

use crate::Projection;

/// How often another node's progress is looked up.
const LOOK: Duration = Duration::from_millis(20);

/// The projection was not there in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the read model has not reached the position yet")]
pub struct Behind;

/// The positions of all projections, as this node knows them.
#[derive(Clone)]
pub struct Progress(Arc<HashMap<&'static str, Known>>);

struct Known {
    reader: String,
    version: i32,
    kinds: &'static [&'static str],
    /// [`UNKNOWN`] until it has been seen once: perhaps it is yet to be built.
    position: watch::Sender<i64>,
    /// The last position that somebody has waited for.
    wanted: watch::Sender<i64>,
}

const UNKNOWN: i64 = -1;

impl Progress {
    #[must_use]
    pub fn new<'a>(projections: impl IntoIterator<Item = &'a dyn Projection>) -> Self {
        let known = |projection: &dyn Projection| {
            let (reader, version, kinds) = (projection.reader(), projection.version(), projection.kinds());
            let (position, wanted) = (watch::Sender::new(UNKNOWN), watch::Sender::new(UNKNOWN));
            (projection.name(), Known { reader, version, kinds, position, wanted })
        };
        Self(Arc::new(projections.into_iter().map(known).collect()))
    }

    pub(crate) fn reached(&self, name: &str, position: i64) {
        if let Some(known) = self.0.get(name) {
            raise(&known.position, position);
        }
    }

    /// The positions that are waited for.
    #[must_use]
    pub fn wanted(&self, name: &str) -> Option<watch::Receiver<i64>> {
        self.0.get(name).map(|known| known.wanted.subscribe())
    }

    /// The reader that builds a read model.
    #[must_use]
    pub fn reader(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|known| known.reader.as_str())
    }

    /// Where a projection is known to be.
    #[must_use]
    pub fn position(&self, name: &str) -> i64 {
        self.0.get(name).map_or(0, |known| (*known.position.borrow()).max(0))
    }

    /// Waits until a projection has reached a position, whichever node runs it.
    ///
    /// # Errors
    /// [`Behind`] when it takes longer than `limit`, be it that it is yet to be built, or the database cannot be asked.
    pub async fn wait(&self, pool: &PgPool, name: &str, position: i64, limit: Duration) -> Result<i64, Behind> {
        let known = self.0.get(name).ok_or(Behind)?;
        let mut receiver = known.position.subscribe();
        let reaching = async {
            let mut look = if *receiver.borrow() == UNKNOWN { Duration::ZERO } else { LOOK };
            loop {
                let reached = *receiver.borrow_and_update();
                if reached >= position {
                    return reached;
                }
                raise(&known.wanted, position);
                if tokio::time::timeout(look, receiver.changed()).await.is_err() {
                    // Perhaps another node runs it.
                    if let Ok(Some(noted)) = shown(pool, known, position).await {
                        self.reached(name, noted);
                    }
                }
                look = LOOK;
            }
        };
        tokio::time::timeout(limit, reaching).await.map_err(|_| Behind)
    }
}

fn raise(known: &watch::Sender<i64>, position: i64) {
    known.send_if_modified(|known| {
        let news = position > *known;
        *known = position.max(*known);
        news
    });
}

/// Up to where a read model that another node runs shows everything: its checkpoint, or `wanted` if nothing on the way
/// there concerns it, since the checkpoint follows only now and then over what does not. (A position that the journal does
/// not have yet is none: what will stand there may well concern it.)
async fn shown(pool: &PgPool, known: &Known, wanted: i64) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT CASE WHEN c.position < $2 AND cardinality($3::text[]) > 0
                          AND EXISTS (SELECT FROM events WHERE position = $2) AND NOT EXISTS (
                    SELECT FROM events WHERE position > c.position AND position <= $2 AND aggregate_type = ANY($3))
                THEN $2 ELSE c.position END
         FROM checkpoints c WHERE name = $1 AND version = $4",
    )
    .bind(&known.reader)
    .bind(wanted)
    .bind(known.kinds)
    .bind(known.version)
    .fetch_optional(pool)
    .await
}
