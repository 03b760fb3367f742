//! Read your writes: how far each projection is known to be, and waiting for it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::sync::watch;

/// How often another node's progress is looked up.
const LOOK: Duration = Duration::from_millis(20);

/// The projection was not there in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the read model has not reached the position yet")]
pub struct Behind;

/// The positions of all projections, as this node knows them.
#[derive(Clone)]
pub struct Progress(Arc<HashMap<&'static str, watch::Sender<i64>>>);

impl Progress {
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = &'static str>) -> Self {
        Self(Arc::new(names.into_iter().map(|name| (name, watch::Sender::new(0))).collect()))
    }

    pub(crate) fn reached(&self, name: &str, position: i64) {
        if let Some(sender) = self.0.get(name) {
            sender.send_if_modified(|known| {
                let news = position > *known;
                if news {
                    *known = position;
                }
                news
            });
        }
    }

    /// Where a projection is known to be.
    #[must_use]
    pub fn position(&self, name: &str) -> i64 {
        self.0.get(name).map_or(0, |sender| *sender.borrow())
    }

    /// Waits until a projection has reached a position, whichever node runs it.
    ///
    /// # Errors
    /// [`Behind`] when it takes longer than `limit`, or the database cannot be asked.
    pub async fn wait(&self, pool: &PgPool, name: &str, position: i64, limit: Duration) -> Result<i64, Behind> {
        let sender = self.0.get(name).ok_or(Behind)?;
        let mut receiver = sender.subscribe();
        let reached = async {
            loop {
                let known = *receiver.borrow_and_update();
                if known >= position {
                    return known;
                }
                if tokio::time::timeout(LOOK, receiver.changed()).await.is_err() {
                    // Perhaps another node runs it.
                    if let Ok(Some(checkpoint)) = crate::checkpoint::load(pool, name).await {
                        self.reached(name, checkpoint.position);
                    }
                }
            }
        };
        tokio::time::timeout(limit, reached).await.map_err(|_| Behind)
    }
}
