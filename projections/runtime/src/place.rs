//! A reader's place in the journal: when it is its turn, and how much of the way it has to note.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::{Epochs, Recorded, checkpoint, feed::Feed};

/// What does not concern a reader is passed without a note; the checkpoint follows within this.
const NOTE_WITHIN: Duration = Duration::from_secs(1);

/// What a reader is to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// The epoch under which this node runs the reader.
    pub epoch: i64,
    /// Where the checkpoint stands.
    pub noted: i64,
    /// Where the reader stands: there was nothing for it on the way from the checkpoint to here.
    pub position: i64,
    /// How far it can go.
    pub head: i64,
    /// The checkpoint is to follow even if there is nothing for the reader.
    pub note: bool,
    /// The checkpoint has just been read.
    pub fresh: bool,
}

/// What a reader gets in a turn.
pub struct Batch {
    pub events: Vec<Recorded>,
    /// Where the reader stands after it.
    pub position: i64,
    /// Whether the checkpoint has to move.
    pub note: bool,
}

struct Known {
    epoch: i64,
    noted: i64,
    position: i64,
    since: Instant,
}

/// A reader's place on this node: waits until the node has the claim and the journal has news.
pub struct Place {
    pub name: String,
    feed: Arc<Feed>,
    epochs: watch::Receiver<Epochs>,
    /// The journal's end, at once and now and then.
    reached: watch::Receiver<i64>,
    gathered: watch::Receiver<i64>,
    wanted: Option<watch::Receiver<i64>>,
    known: Option<Known>,
}

impl Place {
    #[must_use]
    pub fn new(name: impl Into<String>, feed: &Arc<Feed>, epochs: watch::Receiver<Epochs>) -> Self {
        let (reached, gathered) = feed.news();
        Self { name: name.into(), feed: Arc::clone(feed), epochs, reached, gathered, wanted: None, known: None }
    }

    /// With the positions that somebody waits for: they are gone to as soon as they can be had.
    #[must_use]
    pub fn hastened_by(mut self, wanted: Option<watch::Receiver<i64>>) -> Self {
        self.wanted = wanted;
        self
    }

    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.feed
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
            let fresh = self.known.as_ref().is_none_or(|known| known.epoch != epoch);
            if fresh {
                let position = self.checkpoint().await?;
                self.known = Some(Known { epoch, noted: position, position, since: Instant::now() });
            }
            let Some(known) = &self.known else { continue };
            let (noted, position) = (known.noted, known.position);
            let note = noted < position && known.since.elapsed() >= NOTE_WITHIN;
            let is_wanted = self.wanted.as_mut().is_some_and(|wanted| *wanted.borrow_and_update() > position);
            let head = (*self.reached.borrow_and_update()).max(position);
            let gathered = *self.gathered.borrow_and_update();
            if (is_wanted && head > position) || gathered > position || note || fresh {
                return Ok(Some(Turn { epoch, noted, position, head, note, fresh }));
            }
            let due = if noted < position { NOTE_WITHIN.saturating_sub(known.since.elapsed()) } else { Duration::MAX };
            let wanted = async {
                if let Some(wanted) = &mut self.wanted
                    && wanted.changed().await.is_ok()
                {
                    return;
                }
                std::future::pending().await
            };
            tokio::select! {
                news = self.gathered.changed() => if news.is_err() { return Ok(None) },
                news = self.reached.changed(), if is_wanted => if news.is_err() { return Ok(None) },
                () = wanted => {}
                news = self.epochs.changed() => if news.is_err() { return Ok(None) },
                () = tokio::time::sleep(due) => {}
            }
        }
    }

    async fn checkpoint(&self) -> Result<i64, sqlx::Error> {
        let pool = self.feed.pool();
        let mut connection = pool.acquire().await?;
        // Of no version: a projection still has to be built then.
        checkpoint::begin(&mut connection, &self.name, 0, 0).await?;
        drop(connection);
        Ok(checkpoint::load(pool, &self.name).await?.map_or(0, |checkpoint| checkpoint.position))
    }

    /// The events of a turn that concern the reader.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn batch(&self, turn: Turn, kinds: &[&str], limit: i64) -> Result<Batch, sqlx::Error> {
        let events = self.feed.after(turn.position, turn.head, kinds, limit).await?;
        // A batch that was cut short ends at its last event; else everything up to the head has been seen.
        let cut = i64::try_from(events.len()).unwrap_or(limit) == limit;
        let position = events.last().filter(|_| cut).map_or(turn.head, |event| event.position);
        Ok(Batch { note: turn.note || !events.is_empty(), events, position })
    }

    /// The checkpoint has moved, by this reader.
    pub fn moved(&mut self, turn: Turn, position: i64) {
        if let Some(known) = self.known.as_mut().filter(|known| known.epoch == turn.epoch) {
            (known.noted, known.position, known.since) = (position, position, Instant::now());
        }
    }

    /// There was nothing for this reader up to a position.
    pub fn passed(&mut self, turn: Turn, position: i64) {
        if let Some(known) = self.known.as_mut().filter(|known| known.epoch == turn.epoch) {
            if known.noted == known.position {
                known.since = Instant::now();
            }
            known.position = position;
        }
    }

    /// Where the reader stands, as far as it is known.
    #[must_use]
    pub fn position(&self) -> Option<i64> {
        self.known.as_ref().map(|known| known.position)
    }

    /// The checkpoint may have been moved by another: read it again.
    pub fn doubt(&mut self) {
        self.known = None;
    }
}
