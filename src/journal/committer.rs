//! Group commit: the appends of all commands that are waiting go to the database in one call.
//!
//! While one batch is flushed the next commands are executed and queue up; the slower the disk, the larger the batch.

use std::{sync::Arc, time::Instant};

use metrics::{counter, histogram};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    ExecuteError,
    cache::Slot,
    store::{self, Append, BatchError, Outcome},
};

/// How many commands may wait; beyond that, callers wait before they hand over.
const QUEUE: usize = 4096;
/// A batch is closed at this many commands …
const BATCH_COMMANDS: usize = 512;
/// … or at this many bytes of payload.
const BATCH_BYTES: usize = 4 << 20;

/// One command's append, and who waits for it. One without rows only waits for what is before it in the queue.
pub(super) struct Request {
    pub(super) append: Append,
    /// The slots written, each with the generation that was decided on.
    pub(super) slots: Vec<(Arc<Slot>, u64)>,
    pub(super) done: oneshot::Sender<Result<i64, ExecuteError>>,
}

impl Request {
    fn is_void(&self) -> bool {
        self.slots.iter().any(|(slot, generation)| slot.generation() != *generation)
    }

    fn bytes(&self) -> usize {
        self.append.rows.iter().map(|row| row.payload.len() + row.metadata.len()).sum()
    }

    fn succeed(self, position: i64) {
        // A caller that has gone away no longer wants to know.
        let _ = self.done.send(Ok(position));
    }

    /// What was decided on this command's events is void too.
    fn fail(self, error: ExecuteError) {
        for (slot, _) in &self.slots {
            slot.invalidate();
        }
        let _ = self.done.send(Err(error));
    }
}

/// The node's one way to the journal.
pub(super) struct Committer(mpsc::Sender<Request>);

impl Committer {
    /// `writer` names this journal in the news of what it appends.
    pub(super) fn start(pool: PgPool, writer: String, head: watch::Sender<i64>) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(Commits { pool, connection: None, writer, head }.run(receiver));
        Self(sender)
    }

    /// A place in the queue.
    pub(super) async fn reserve(&self) -> Result<mpsc::Permit<'_, Request>, ExecuteError> {
        self.0.reserve().await.map_err(|_| ExecuteError::Unavailable("the journal is shutting down".to_owned()))
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

struct Commits {
    pool: PgPool,
    /// One of its own, so that no append waits for a connection or asks whether it still lives.
    connection: Option<PgConnection>,
    writer: String,
    head: watch::Sender<i64>,
}

impl Commits {
    async fn run(mut self, mut receiver: mpsc::Receiver<Request>) {
        let mut waiting = None;
        loop {
            let first = match waiting.take() {
                Some(request) => request,
                None => match receiver.recv().await {
                    Some(request) => request,
                    None => return,
                },
            };
            let mut bytes = first.bytes();
            let mut batch = vec![first];
            while batch.len() < BATCH_COMMANDS {
                let Ok(request) = receiver.try_recv() else { break };
                bytes += request.bytes();
                if bytes > BATCH_BYTES {
                    waiting = Some(request);
                    break;
                }
                batch.push(request);
            }
            self.commit(batch).await;
        }
    }

    async fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => PgConnection::connect_with(&self.pool.connect_options()).await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Appends a batch and tells each caller what became of it.
    async fn commit(&mut self, batch: Vec<Request>) {
        let (waiting, batch): (Vec<_>, Vec<_>) = batch.into_iter().partition(|request| request.append.rows.is_empty());
        self.commit_rows(batch).await;
        for request in waiting {
            let settled = if request.is_void() { Err(ExecuteError::Conflict) } else { Ok(0) };
            let _ = request.done.send(settled);
        }
    }

    async fn commit_rows(&mut self, batch: Vec<Request>) {
        let (void, batch): (Vec<_>, Vec<_>) = batch.into_iter().partition(Request::is_void);
        void.into_iter().for_each(|request| request.fail(ExecuteError::Conflict));
        if batch.is_empty() {
            return;
        }
        let started = Instant::now();
        histogram!("ddc_append_batch_commands").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        match self.append(&batch).await {
            Ok(base) => self.succeed(base, batch),
            Err(BatchError::Refused) => self.commit_each(batch).await,
            Err(BatchError::Unknown(error)) => {
                self.connection = None;
                tracing::error!(%error, commands = batch.len(), "the journal cannot be reached");
                let detail = error.to_string();
                batch.into_iter().for_each(|request| request.fail(ExecuteError::Unavailable(detail.clone())));
            }
        }
        histogram!("ddc_append_seconds").record(started.elapsed());
    }

    async fn append(&mut self, batch: &[Request]) -> Result<i64, BatchError> {
        let writer = self.writer.clone();
        let connection = self.connection().await.map_err(BatchError::Unknown)?;
        store::append(connection, &writer, batch.iter().map(|request| &request.append)).await
    }

    /// The head moves before anyone is told, so that whoever is told finds it moved.
    fn succeed(&self, base: i64, batch: Vec<Request>) {
        let ends = batch.iter().scan(base, |position, request| {
            *position += i64::try_from(request.append.rows.len()).unwrap_or_default();
            Some(*position)
        });
        let ends: Vec<i64> = ends.collect();
        advance(&self.head, ends.last().copied().unwrap_or(base));
        for (request, end) in batch.into_iter().zip(ends) {
            request.succeed(end);
        }
    }

    /// The second way of a refused batch. Should even that be refused as a whole, each command is tried alone, so that
    /// whatever is wrong with one never fails its neighbours.
    async fn commit_each(&mut self, batch: Vec<Request>) {
        counter!("ddc_append_refused_batches_total").increment(1);
        match self.append_each(&batch).await {
            Ok(outcomes) => self.settle(batch, outcomes),
            Err(error) if batch.len() == 1 => batch.into_iter().for_each(|request| {
                request.fail(match &error {
                    sqlx::Error::Database(database) if !store::is_outage(database.as_ref()) => {
                        ExecuteError::Fault(format!("the journal refused an append: {error}"))
                    }
                    _ => ExecuteError::Unavailable(error.to_string()),
                });
            }),
            Err(error) => {
                tracing::warn!(%error, "a batch was refused twice, its commands are tried one by one");
                for request in batch {
                    if request.is_void() {
                        request.fail(ExecuteError::Conflict);
                    } else {
                        Box::pin(self.commit_each(vec![request])).await;
                    }
                }
            }
        }
    }

    async fn append_each(&mut self, batch: &[Request]) -> Result<Vec<Outcome>, sqlx::Error> {
        let writer = self.writer.clone();
        let connection = self.connection().await?;
        let outcomes = store::append_each(connection, &writer, batch.iter().map(|request| &request.append)).await;
        if outcomes.as_ref().is_err_and(|error| error.as_database_error().is_none_or(store::is_outage)) {
            self.connection = None;
        }
        outcomes
    }

    fn settle(&self, batch: Vec<Request>, outcomes: Vec<Outcome>) {
        let mut outcomes = outcomes.into_iter();
        for request in batch {
            match outcomes.next() {
                Some(Outcome::Appended(position)) => {
                    advance(&self.head, position);
                    request.succeed(position);
                }
                Some(Outcome::Conflict) => request.fail(ExecuteError::Conflict),
                Some(Outcome::KeyUsed) => request.fail(ExecuteError::KeyUsed),
                None => request.fail(ExecuteError::Fault("the journal did not report on a command".to_owned())),
            }
        }
    }
}
