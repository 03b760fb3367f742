//! Each worker's own connections for queries.
//!
//! A pool's connection is tended by the node's runtime, so that two threads wake for each answer, and the pool asks the
//! database once more whenever a connection is given back. Together that costs more than a page.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::Arc,
    thread::available_parallelism,
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection, PgPool, postgres::PgConnectOptions};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, SemaphorePermit},
};
use tokio_util::context::TokioContext;

use crate::tenant::RESTED;

/// A worker has so many: the database is busy with few, and the more there are, the less each finds in the processor's
/// cache …
const EACH: usize = 4;
/// … and a node's workers have no more than this together, unless there are more workers.
const TOGETHER: usize = 32;
/// How long a query waits for one.
const WITHIN: Duration = Duration::from_secs(10);
/// What a connection has gathered at the database is let go after this.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// The connections of one worker. Cheap to clone.
#[derive(Clone)]
pub(super) struct Readers(Rc<Inner>);

struct Inner {
    /// The worker's.
    runtime: Handle,
    options: Arc<PgConnectOptions>,
    places: Semaphore,
    idle: RefCell<Vec<Reader>>,
}

struct Reader {
    connection: PgConnection,
    made: Instant,
    used: Instant,
}

impl Readers {
    /// Connections to where the pool's go, of the worker that calls this; none is made yet.
    pub(super) fn new(pool: &PgPool) -> Self {
        let workers = available_parallelism().map_or(1, Into::into);
        let places = Semaphore::new((TOGETHER / workers).clamp(1, EACH));
        let (runtime, options) = (Handle::current(), pool.connect_options());
        Self(Rc::new(Inner { runtime, options, places, idle: RefCell::default() }))
    }

    /// Asks over a connection that nobody else is using.
    ///
    /// # Errors
    /// When none can be had, and what the query fails with.
    pub(super) async fn read<T>(
        &self,
        query: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let (_place, mut reader) =
            tokio::time::timeout(WITHIN, self.take()).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        let answer = query(&mut reader.connection).await;
        // Whatever else has failed may have left it in the middle of something.
        if answer.as_ref().err().is_none_or(is_of_what_was_asked) {
            reader.used = Instant::now();
            self.0.idle.borrow_mut().push(reader);
        }
        answer
    }

    async fn take(&self) -> Result<(SemaphorePermit<'_>, Reader), sqlx::Error> {
        let place = self.0.places.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.0.idle.borrow_mut().pop();
        if let Some(mut reader) = idle.filter(|reader| reader.made.elapsed() < LIFETIME) {
            // It may have been cut off unnoticed.
            if reader.used.elapsed() < RESTED || reader.connection.ping().await.is_ok() {
                return Ok((place, reader));
            }
        }
        let connecting = PgConnection::connect_with(&self.0.options);
        let (connection, now) = (TokioContext::new(connecting, self.0.runtime.clone()).await?, Instant::now());
        Ok((place, Reader { connection, made: now, used: now }))
    }
}

/// 22xxx: a value that does not convert, e.g. a cursor's.
fn is_of_what_was_asked(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code.starts_with("22"))
}
