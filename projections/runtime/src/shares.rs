//! The journal folded into fresh tables: one reads it, several workers fold it, each its own streams.

use std::sync::Arc;

use futures::future::join_all;
use sqlx::{PgPool, Postgres, Transaction, pool::PoolConnection};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};

use crate::{
    ApplyError, Codec, Fold, NewFold,
    replay::{Raw, Replay},
};

/// How many events a worker is given at a time, and how often it may be given some before it has taken them.
const PAGE: (usize, usize) = (500, 4);
/// How often, in events, it is told how far the work is.
const TELL_EVERY: u64 = 20_000;
/// A share is not made smaller than this part, 1/2^n, of all streams.
const SMALLEST: u32 = 12;

/// One such work at a time: two would only get into each other's way, and take the pool's connections from all others.
static WORKING: Semaphore = Semaphore::const_new(1);

/// How the work is divided.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A shorter journal is not worth a second worker.
    pub short: i64,
    /// How many streams a worker has in memory at the most. A share of them that has more is done in two halves, for each
    /// of which the journal is read anew.
    pub streams: usize,
}

impl Default for Limits {
    /// The streams are some 100 MB.
    fn default() -> Self {
        Self { short: 20_000, streams: 1 << 17 }
    }
}

/// The streams whose id's hash ends in certain bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) bits: u32,
    pub(crate) value: u32,
}

impl Share {
    const ALL: Self = Self { bits: 0, value: 0 };

    fn halves(self) -> [Self; 2] {
        let bits = self.bits + 1;
        [Self { bits, ..self }, Self { bits, value: self.value | 1 << self.bits }]
    }
}

/// What is to be folded, and where to.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) pool: PgPool,
    pub(crate) codec: Arc<Codec>,
    pub(crate) fold: NewFold,
    pub(crate) kinds: &'static [&'static str],
    /// The last position.
    pub(crate) target: i64,
    pub(crate) limits: Limits,
    /// The path on which the tables are found.
    pub(crate) tables: String,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) events: u64,
    /// The shares of which some event could not be folded; of these nothing is written.
    pub(crate) failed: Vec<Share>,
}

/// What came of a share.
enum Pass {
    Done(u64),
    TooLarge,
}

/// A worker's part of a share, folded and not yet written.
struct Part {
    fold: Box<dyn Fold>,
    tx: Transaction<'static, Postgres>,
}

impl Work {
    /// Folds all streams; `tell` hears of (position, events).
    pub(crate) async fn run(self, tell: &mut (dyn FnMut(i64, u64) + Send)) -> Result<Outcome, ApplyError> {
        let _alone = WORKING.acquire().await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        let work = Arc::new(self);
        let (mut outcome, mut shares) = (Outcome::default(), vec![Share::ALL]);
        // The part of the positions, counted once for each of the smallest shares.
        let mut done = 0;
        while let Some(share) = shares.pop() {
            let before = outcome.events;
            let mut tell = |position: i64, events| tell(done + (position >> share.bits), before + events);
            match work.pass(share, &mut tell).await {
                Ok(Pass::Done(events)) => outcome.events += events,
                Ok(Pass::TooLarge) => {
                    shares.extend(share.halves());
                    continue;
                }
                Err(error) if error.is_outage() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "streams cannot be folded at once, they are done batch by batch");
                    outcome.failed.push(share);
                }
            }
            done += work.target >> share.bits;
        }
        Ok(outcome)
    }

    async fn pass(self: &Arc<Self>, share: Share, tell: &mut (dyn FnMut(i64, u64) + Send)) -> Result<Pass, ApplyError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = if self.target < self.limits.short { 1 } else { cores.min(4) };
        let (mut parts, mut senders) = (Vec::new(), Vec::new());
        for _ in 0..workers {
            let (sender, pages) = mpsc::channel(PAGE.1);
            senders.push(sender);
            parts.push(tokio::spawn(Arc::clone(self).part(share, pages)));
        }
        let read = self.read(share, senders, tell).await;
        let Some(parts) = all(parts).await?.into_iter().collect::<Option<Vec<Part>>>() else {
            return Ok(Pass::TooLarge);
        };
        let events = read?;
        let writing = parts.into_iter().map(|Part { fold, mut tx }| {
            let work = Arc::clone(self);
            tokio::spawn(async move { fold.finish(&mut tx, &work.codec).await.map(|()| tx) })
        });
        let written = all(writing.collect()).await?;
        // All or none: a share of which something is missing is done again as a whole.
        for tx in written {
            tx.commit().await?;
        }
        Ok(Pass::Done(events))
    }

    /// Deals the events out, each stream's to the same worker. Ends early when a worker does.
    async fn read(
        &self,
        share: Share,
        workers: Vec<mpsc::Sender<Vec<Raw>>>,
        tell: &mut (dyn FnMut(i64, u64) + Send),
    ) -> Result<u64, ApplyError> {
        let mut reader = Reader { connection: self.pool.acquire().await?, is_free: false };
        let metadata = self.fold.reads_metadata;
        let mut replay = Replay::open(&mut reader.connection, self.kinds, share, self.target, metadata).await?;
        let mut hands: Vec<(mpsc::Sender<Vec<Raw>>, Vec<Raw>)> =
            workers.into_iter().map(|worker| (worker, Vec::with_capacity(PAGE.0))).collect();
        let (mut events, count) = (0, u64::try_from(hands.len()).unwrap_or(1));
        while let Some(raw) = replay.next().await? {
            events += 1;
            if events % TELL_EVERY == 0 {
                tell(raw.position()?, events);
            }
            let worker = usize::try_from(raw.hash()? % count).unwrap_or_default();
            let Some((worker, hand)) = hands.get_mut(worker) else { continue };
            hand.push(raw);
            if hand.len() == PAGE.0 && worker.send(std::mem::replace(hand, Vec::with_capacity(PAGE.0))).await.is_err() {
                return Ok(events);
            }
        }
        for (worker, hand) in hands {
            if worker.send(hand).await.is_err() {
                return Ok(events);
            }
        }
        drop(replay);
        reader.is_free = true;
        Ok(events)
    }

    /// Folds what it is given to the end; `None` when it is too much.
    async fn part(
        self: Arc<Self>,
        share: Share,
        mut pages: mpsc::Receiver<Vec<Raw>>,
    ) -> Result<Option<Part>, ApplyError> {
        let mut tx = self.pool.begin().await?;
        // It rests while its worker folds in memory; no watch over idle transactions is to end it for that.
        sqlx::query(
            "SELECT set_config('search_path', $1, true), set_config('idle_in_transaction_session_timeout', '0', true)",
        )
        .bind(&self.tables)
        .execute(&mut *tx)
        .await?;
        let mut fold = (self.fold.begin)();
        while let Some(page) = pages.recv().await {
            let metadata = page.iter().filter_map(|raw| raw.metadata().transpose()).collect::<Result<Vec<_>, _>>()?;
            let events = page.iter().enumerate().map(|(n, raw)| raw.by_ref(metadata.get(n)));
            fold.take(&mut tx, &self.codec, &events.collect::<Result<Vec<_>, _>>()?).await?;
            if fold.holds() > self.limits.streams && share.bits < SMALLEST {
                return Ok(None);
            }
        }
        Ok(Some(Part { fold, tx }))
    }
}

/// What all of them have come to. None is stopped half-way, as its connection could then not be used any more.
async fn all<T>(tasks: Vec<JoinHandle<Result<T, ApplyError>>>) -> Result<Vec<T>, ApplyError> {
    let ended = join_all(tasks).await;
    ended.into_iter().map(|ended| ended.map_err(|_| sqlx::Error::WorkerCrashed)?).collect()
}

/// A connection that may be in the middle of a copy: then nobody else can use it.
struct Reader {
    connection: PoolConnection<Postgres>,
    is_free: bool,
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !self.is_free {
            self.connection.close_on_drop();
        }
    }
}
