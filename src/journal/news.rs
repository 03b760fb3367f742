//! Tells this node's readers what it has appended, and behind that all nodes: nobody who commands waits for them.
//!
//! Appends that follow each other are one piece of news. What is lost here (the database went away, the node died) the
//! others find by their poll.

use std::{sync::Arc, time::Duration};

use runtime::feed::Feed;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::{mpsc, watch};

use super::store::Row;

/// How many appends may wait to be told.
const QUEUE: usize = 1024;
/// News come no closer together: each costs every node a look. This node's own readers do not wait for them.
const PAUSE: Duration = Duration::from_millis(3);

/// The positions before and at the end of what was appended.
pub(super) struct Appended {
    pub(super) base: i64,
    pub(super) end: i64,
}

/// The way to the one who tells.
pub(super) struct News(mpsc::Sender<Appended>);

impl News {
    /// `writer` is what this journal is called in its news, which are "base end writer".
    pub(super) fn start(pool: PgPool, writer: String) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(Teller { pool, connection: None, writer }.run(receiver));
        Self(sender)
    }

    pub(super) fn tell(&self, appended: Appended) {
        // With so many waiting, the database does not answer, and the others look for themselves.
        let _ = self.0.try_send(appended);
    }
}

/// Who is told of an append: this node's readers, and the other nodes.
pub(super) struct Told {
    pub(super) head: watch::Sender<i64>,
    pub(super) feed: Arc<Feed>,
    pub(super) news: News,
}

impl Told {
    /// The head moves before anyone is answered, so that whoever is answered finds it moved.
    pub(super) fn of(&self, base: i64, end: i64, rows: Vec<Row>) {
        if end == base {
            return;
        }
        if self.feed.is_running() {
            self.feed.offer((base + 1..).zip(rows).map(|(position, row)| row.appended(position)).collect());
        }
        advance(&self.head, end);
        self.news.tell(Appended { base, end });
    }
}

/// Moves the known head forward, never back.
pub(super) fn advance(head: &watch::Sender<i64>, position: i64) {
    head.send_if_modified(|known| {
        let news = position > *known;
        if news {
            *known = position;
        }
        news
    });
}

struct Teller {
    pool: PgPool,
    connection: Option<PgConnection>,
    writer: String,
}

impl Teller {
    async fn run(mut self, mut receiver: mpsc::Receiver<Appended>) {
        let mut appends = Vec::new();
        while receiver.recv_many(&mut appends, QUEUE).await > 0 {
            if let Err(error) = self.tell(&appends).await {
                self.connection = None;
                tracing::warn!(%error, "the other nodes were not told of an append, they will look for themselves");
            }
            appends.clear();
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn tell(&mut self, appends: &[Appended]) -> Result<(), sqlx::Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            // There is nothing in this transaction that would have to be flushed.
            None => {
                let options = self.pool.connect_options().as_ref().clone().options([("synchronous_commit", "off")]);
                PgConnection::connect_with(&options).await?
            }
        };
        let news: Vec<String> =
            ranges(appends).iter().map(|(base, end)| format!("{base} {end} {}", self.writer)).collect();
        sqlx::query("SELECT pg_notify('ddc_' || current_schema(), news) FROM unnest($1::text[]) AS news")
            .bind(&news)
            .execute(self.connection.insert(connection))
            .await?;
        Ok(())
    }
}

/// The appends with those that follow each other put together.
fn ranges(appends: &[Appended]) -> Vec<(i64, i64)> {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for append in appends {
        match ranges.last_mut() {
            Some((_, end)) if *end == append.base => *end = append.end,
            _ => ranges.push((append.base, append.end)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_node_appended_in_between_is_not_told_as_ours() {
        let appends = [(0, 2), (2, 3), (5, 6), (6, 9)].map(|(base, end)| Appended { base, end });
        assert_eq!(ranges(&appends), [(0, 3), (5, 9)]);
    }
}
