//! The journal folded into fresh tables by several workers, each with its own share of the streams.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{ApplyError, Codec, NewFold, Recorded, replay::Replay};

/// How many events are taken at a time.
const PAGE: usize = 1000;
/// A shorter journal is not worth a second worker.
const SHORT: i64 = 20_000;
/// How often it is told how far the work is.
const TELL_EVERY: Duration = Duration::from_millis(200);
/// How many streams a worker has in memory at the most: some 100 MB. A share that has more is done in two halves, each of
/// which reads the journal anew.
const STREAMS: usize = 1 << 17;

/// One such work at a time: two would only get into each other's way, and take the pool's connections from all others.
static WORKING: Semaphore = Semaphore::const_new(1);

/// The streams whose id's hash ends in certain bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) bits: u32,
    pub(crate) value: u32,
}

impl Share {
    /// All streams in 2^`bits` shares.
    fn all(bits: u32) -> impl Iterator<Item = Self> {
        (0..1 << bits).map(move |value| Self { bits, value })
    }

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

/// How far the workers are, added up.
#[derive(Default)]
struct Meter {
    events: AtomicU64,
    /// Positions, each counted by the part of the streams that are done up to there.
    done: AtomicI64,
}

/// What came of a share.
enum Pass {
    Done(u64),
    TooLarge,
    Failed,
}

impl Work {
    /// Folds all streams; `tell` hears of (position, events).
    pub(crate) async fn run(self, tell: &mut (dyn FnMut(i64, u64) + Send)) -> Result<Outcome, ApplyError> {
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(4).ilog2();
        let shares = Share::all(if self.target < SHORT { 0 } else { workers });
        self.run_shares(shares, STREAMS, tell).await
    }

    async fn run_shares(
        self,
        shares: impl Iterator<Item = Share>,
        streams: usize,
        tell: &mut (dyn FnMut(i64, u64) + Send),
    ) -> Result<Outcome, ApplyError> {
        let _alone = WORKING.acquire().await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        let meter = Arc::new(Meter::default());
        let mut workers = JoinSet::new();
        for share in shares {
            workers.spawn(self.clone().share(share, streams, Arc::clone(&meter)));
        }
        let mut all = Outcome::default();
        let mut tick = tokio::time::interval(TELL_EVERY);
        loop {
            tokio::select! {
                ended = workers.join_next() => match ended {
                    None => return Ok(all),
                    Some(outcome) => {
                        let outcome = outcome.map_err(|_| sqlx::Error::WorkerCrashed)??;
                        all.events += outcome.events;
                        all.failed.extend(outcome.failed);
                    }
                },
                _ = tick.tick() => {
                    tell(meter.done.load(Ordering::Relaxed), meter.events.load(Ordering::Relaxed));
                }
            }
        }
    }

    /// Does a share, or its halves, or the halves of those.
    async fn share(self, share: Share, streams: usize, meter: Arc<Meter>) -> Result<Outcome, ApplyError> {
        let (mut outcome, mut shares) = (Outcome::default(), vec![share]);
        while let Some(share) = shares.pop() {
            match self.pass(share, streams, &meter).await? {
                Pass::Done(events) => outcome.events += events,
                Pass::TooLarge => shares.extend(share.halves()),
                Pass::Failed => outcome.failed.push(share),
            }
        }
        Ok(outcome)
    }

    async fn pass(&self, share: Share, streams: usize, meter: &Meter) -> Result<Pass, ApplyError> {
        let mut reader = Reader { connection: self.pool.acquire().await?, is_free: false };
        let mut tx = self.pool.begin().await?;
        sqlx::query("SELECT set_config('search_path', $1, true)").bind(&self.tables).execute(&mut *tx).await?;
        let mut told = Told { meter, share, done: 0, events: 0 };
        let replay = Replay::open(&mut reader.connection, self.kinds, share, self.target).await?;
        let pass = self.take(replay, &mut tx, streams, &mut told).await;
        if let Ok(Pass::Done(_)) = pass {
            reader.is_free = true;
            tx.commit().await?;
            return pass;
        }
        tx.rollback().await?;
        told.back();
        match pass {
            Err(error) if !error.is_outage() => {
                tracing::warn!(%error, "a share of the streams cannot be folded at once, it is done batch by batch");
                Ok(Pass::Failed)
            }
            pass => pass,
        }
    }

    async fn take(
        &self,
        mut replay: Replay<'_>,
        tx: &mut PgConnection,
        streams: usize,
        told: &mut Told<'_>,
    ) -> Result<Pass, ApplyError> {
        let mut fold = (self.fold)();
        let mut events = 0;
        loop {
            let page = replay.page(PAGE).await?;
            let Some(last) = page.last() else { break };
            fold.take(tx, &self.codec, &page.iter().collect::<Vec<_>>()).await?;
            if fold.holds() > streams {
                return Ok(Pass::TooLarge);
            }
            events += u64::try_from(page.len()).unwrap_or_default();
            told.reached(last, events);
        }
        drop(replay);
        fold.finish(tx, &self.codec).await?;
        Ok(Pass::Done(events))
    }
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

/// What a pass has told of itself.
struct Told<'a> {
    meter: &'a Meter,
    share: Share,
    done: i64,
    events: u64,
}

impl Told<'_> {
    fn reached(&mut self, last: &Recorded, events: u64) {
        let done = last.position >> self.share.bits;
        self.meter.done.fetch_add(done - self.done, Ordering::Relaxed);
        self.meter.events.fetch_add(events - self.events, Ordering::Relaxed);
        (self.done, self.events) = (done, events);
    }

    /// It was all for nothing.
    fn back(&mut self) {
        self.meter.done.fetch_sub(self.done, Ordering::Relaxed);
        self.meter.events.fetch_sub(self.events, Ordering::Relaxed);
        (self.done, self.events) = (0, 0);
    }
}
