//! The journal: the one place where business state changes, and the one door for commands.
//!
//! A command is carried out in a [`Unit`]: it holds the streams it writes (commands to one stream queue up on a node),
//! decides on their state from the cache, and hands all its events over as one append. One [`committer`] gathers the
//! appends that are waiting and makes one call of them: one round trip, one lock, one flush for a whole batch.
//!
//! A stream's new state is back in the cache, for the next command to decide on, as soon as its events are handed over,
//! so several commands on one hot stream travel in one batch. Should the append fail, the stream's *generation* moves on:
//! whatever was decided on the state that never came to be is refused by the committer and decided again.
//!
//! Cost of a command on a cached stream: one wait for a batch. On a cold one: a look-up more.

mod array;
mod cache;
pub mod chain;
mod columns;
mod committer;
mod flight;
mod ids;
mod issuer;
mod line;
mod load;
mod news;
mod pace;
mod repository;
mod request;
mod reservation;
mod statement;
mod store;
mod turn;
mod unit;
mod upcasters;
mod vault;
pub mod verify;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use kernel::UserId;
use postgres_es::PostgresEventRepository;
use runtime::{Codec, feed::Feed};
use sqlx::PgPool;
use tokio::sync::watch;

pub use ids::Ids;
pub use issuer::Issuer;
pub use reservation::{Reservation, ReservationEvent};
pub use store::{Answer, StoredAnswer};
pub use unit::{Committed, Unit};
pub use upcasters::upcasters;
pub use vault::{MasterKey, PostgresVault};

use self::{
    cache::Streams,
    committer::Committer,
    load::Loaded,
    news::{News, Told},
};

/// Why a command did not come about.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    #[error("{0}")]
    Refused(#[from] Refused),
    /// The stream is not at the version that the caller saw.
    #[error("the resource has moved on to version {actual}")]
    VersionConflict { actual: i64 },
    /// Lost the race for a stream again and again.
    #[error("others are changing the same things; try again")]
    Conflict,
    /// The idempotency key was used by a command that was faster.
    #[error("the idempotency key has been used")]
    KeyUsed,
    /// The database cannot be reached; whether the command came about is not known.
    #[error("the journal cannot be reached: {0}")]
    Unavailable(String),
    /// Too many wait for what takes long; nothing was begun.
    #[error("the node is busy")]
    Busy,
    /// A newer build has written what this one does not know; a node of that build can.
    #[error("{0}")]
    Newer(String),
    /// What is stored cannot be read, or what is decided cannot be stored: a fault, never the caller's.
    #[error("{0}")]
    Fault(String),
}

/// A rule said no.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    pub kind: kernel::Kind,
    pub code: &'static str,
    pub detail: String,
    pub field: Option<String>,
    pub members: serde_json::Map<String, serde_json::Value>,
}

impl Refused {
    pub fn new(refusal: &impl kernel::Refusal) -> Self {
        Self {
            kind: refusal.kind(),
            code: refusal.code(),
            detail: refusal.to_string(),
            field: refusal.field().map(Into::into),
            members: refusal.members(),
        }
    }

    /// A field refused by the shell itself, e.g. a reference to something that is not there.
    pub fn field(code: &'static str, field: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: kernel::Kind::Unprocessable,
            code,
            detail: detail.into(),
            field: Some(field.to_owned()),
            members: serde_json::Map::new(),
        }
    }

    /// Something that must be unique is taken.
    pub fn conflict(code: &'static str, field: &str, detail: impl Into<String>) -> Self {
        Self { kind: kernel::Kind::Conflict, ..Self::field(code, field, detail) }
    }

    /// There is no such thing, or the caller may not know that there is.
    pub fn not_found(what: &str) -> Self {
        Self {
            kind: kernel::Kind::NotFound,
            code: "NOT_FOUND",
            detail: format!("there is no such {what}"),
            field: None,
            members: serde_json::Map::new(),
        }
    }
}

impl From<sqlx::Error> for ExecuteError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) if !store::is_outage(error.as_ref()) => Self::Fault(error.to_string()),
            error => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<runtime::CodecError> for ExecuteError {
    fn from(error: runtime::CodecError) -> Self {
        match error {
            runtime::CodecError::Unavailable(reason) => Self::Unavailable(reason),
            error @ runtime::CodecError::Newer { .. } => Self::Newer(error.to_string()),
            error => Self::Fault(error.to_string()),
        }
    }
}

impl From<runtime::ApplyError> for ExecuteError {
    fn from(error: runtime::ApplyError) -> Self {
        match error {
            runtime::ApplyError::Database(error) => error.into(),
            runtime::ApplyError::Newer { reason, .. } => Self::Newer(reason),
            error @ runtime::ApplyError::Event { .. } => Self::Fault(error.to_string()),
        }
    }
}

/// How often a command that lost a race is decided anew before the caller is told.
const TRIES: usize = 8;

/// A tenant's journal, as this node sees it. Cheap to clone.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    pool: PgPool,
    codec: Arc<Codec>,
    repository: PostgresEventRepository,
    streams: Streams,
    committer: Committer,
    ids: Ids,
    installation_key: aws_lc_rs::hmac::Key,
    head: watch::Sender<i64>,
    feed: Arc<Feed>,
    /// Up to here the streams that other nodes have moved are known as such.
    followed: AtomicI64,
    /// What this journal is called in the news of its appends.
    writer: String,
    last_written: moka::sync::Cache<UserId, i64>,
}

impl Journal {
    /// Opens the journal of the schema that the pool's connections look into.
    ///
    /// # Errors
    /// When the database does not answer or was not migrated.
    pub async fn open(pool: PgPool, codec: Arc<Codec>, installation_key: &[u8]) -> Result<Self, sqlx::Error> {
        let position: i64 = sqlx::query_scalar("SELECT position FROM journal_head").fetch_one(&pool).await?;
        let head = watch::Sender::new(position);
        let writer = uuid::Uuid::now_v7().to_string();
        let feed = Feed::new(pool.clone(), head.subscribe());
        let told =
            Told { head: head.clone(), feed: Arc::clone(&feed), news: News::start(pool.clone(), writer.clone()) };
        Ok(Self(Arc::new(Inner {
            repository: PostgresEventRepository::new(pool.clone()),
            streams: Streams::default(),
            committer: Committer::start(pool.clone(), told)?,
            ids: Ids::new(pool.clone()),
            installation_key: aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, installation_key),
            last_written: moka::sync::Cache::builder()
                .max_capacity(100_000)
                .time_to_live(Duration::from_secs(60))
                .build(),
            pool,
            codec,
            head,
            feed,
            followed: AtomicI64::new(position),
            writer,
        })))
    }

    #[must_use]
    pub fn codec(&self) -> &Arc<Codec> {
        &self.0.codec
    }

    #[must_use]
    pub fn ids(&self) -> &Ids {
        &self.0.ids
    }

    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.0.pool
    }

    /// The last position that this node knows of, and the news of later ones.
    #[must_use]
    pub fn head(&self) -> watch::Receiver<i64> {
        self.0.head.subscribe()
    }

    /// The journal's end as this node's readers see it; somebody has to keep it going.
    #[must_use]
    pub fn feed(&self) -> &Arc<Feed> {
        &self.0.feed
    }

    /// Tells of appends, of whichever node, in the order in which it made them: forgets what is known of the streams that
    /// another node has moved.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn hear(&self, news: &str) -> Result<(), sqlx::Error> {
        let mut parts = news.split(' ');
        let (Some(base), Some(position), Some(writer)) = (number(parts.next()), number(parts.next()), parts.next())
        else {
            tracing::warn!(news, "news of the journal that are none");
            return Ok(());
        };
        if writer == self.0.writer {
            // Nothing of ours is news, unless something of others before it was missed.
            let _ = self.0.followed.compare_exchange(base, position, Ordering::AcqRel, Ordering::Acquire);
        }
        self.advance(position).await
    }

    /// Tells of a position that has been reached, perhaps by another node: forgets what is known of the streams that
    /// others have moved on the way to it.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn advance(&self, position: i64) -> Result<(), sqlx::Error> {
        let known = self.0.followed.load(Ordering::Acquire);
        if position > known {
            let moved: Vec<(String, String, i64)> = sqlx::query_as(
                "SELECT aggregate_type, aggregate_id, max(sequence) FROM events WHERE position > $1 AND position <= $2
                 GROUP BY aggregate_type, aggregate_id",
            )
            .bind(known)
            .bind(position)
            .fetch_all(&self.0.pool)
            .await?;
            for (kind, id, version) in moved {
                self.0.streams.moved(kind, &id, version);
            }
            self.0.followed.fetch_max(position, Ordering::AcqRel);
        }
        news::advance(&self.0.head, position);
        Ok(())
    }

    /// Makes sure that what is read from here on is no older than a position, whichever node wrote it. Answers whether the
    /// journal has come that far.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn follow(&self, position: i64) -> Result<bool, sqlx::Error> {
        if position > self.0.followed.load(Ordering::Acquire) {
            let head = runtime::feed::head(&self.0.pool).await?;
            self.advance(head).await?;
            return Ok(position <= head);
        }
        Ok(true)
    }

    /// The last position that this user wrote on this node within a minute.
    #[must_use]
    pub fn last_written(&self, user: UserId) -> Option<i64> {
        self.0.last_written.get(&user)
    }

    /// Carries out a command: `work` decides in a [`Unit`], whose events are then appended whole or not at all. When
    /// another command was faster, `work` is done again on what that one left.
    ///
    /// # Errors
    /// What `work` refuses; else why the append did not come about.
    pub async fn execute<T, E: From<ExecuteError>>(
        &self,
        issuer: &Issuer,
        mut work: impl AsyncFnMut(&mut Unit<'_>) -> Result<T, E>,
    ) -> Result<Committed<T>, E> {
        for attempt in 1.. {
            let mut unit = Unit::new(self, issuer);
            let output = work(&mut unit).await;
            let contended = unit.is_contended();
            match output {
                Err(_) if contended && attempt < TRIES => {}
                Err(_) if contended => return Err(ExecuteError::Conflict.into()),
                // Nothing is appended that would show that what was decided on had been moved by another node.
                Err(_) if attempt < TRIES && unit.settled().await?.is_none() => {}
                Err(error) => return Err(error),
                Ok(output) if unit.is_empty() => match (unit.settled().await?, unit.moved_on_to()) {
                    (Some(_), Some(actual)) => return Err(ExecuteError::VersionConflict { actual }.into()),
                    (Some(position), None) => return Ok(Committed { output, position, appended: false }),
                    (None, _) if attempt < TRIES => {}
                    (None, _) => return Err(ExecuteError::Conflict.into()),
                },
                Ok(output) => match unit.commit().await {
                    Ok(position) => return Ok(Committed { output, position, appended: true }),
                    Err(ExecuteError::Conflict) if attempt < TRIES => {}
                    Err(error) => return Err(error.into()),
                },
            }
            tracing::debug!(command = issuer.command, attempt, "lost a race, deciding again");
        }
        Err(ExecuteError::Conflict.into())
    }

    /// Looks at an aggregate's present state, as far as this node knows it, without a claim that it stays so.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub async fn read<A: cqrs_es::Aggregate + 'static, R>(
        &self,
        id: impl ToString,
        look: impl FnOnce(&A, &kernel::Stamp) -> R,
    ) -> Result<R, ExecuteError> {
        let (slot, mut guard) = self.0.streams.lock::<A>(&id.to_string()).await;
        if guard.as_ref().is_none_or(|state| !state.is_of(slot.generation())) {
            let generation = slot.generation();
            *guard = None;
            let loaded = load::load::<A>(self, &id.to_string()).await?;
            slot.saw(loaded.stamp.version);
            *guard = Some(cache::State::new(loaded, generation));
        }
        let state = guard.as_ref().and_then(cache::State::get::<Loaded<A>>);
        let loaded = state.ok_or_else(|| ExecuteError::Fault(format!("{} has two types of state", A::TYPE)))?;
        Ok(look(&loaded.aggregate, &loaded.stamp))
    }
}

fn number(text: Option<&str>) -> Option<i64> {
    text?.parse().ok()
}
