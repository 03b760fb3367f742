//! Group commit: the appends of all commands that are waiting go to the database in one call.
//!
//! A node that appends alone knows the journal's end and needs one statement a batch. When that is refused, and as long
//! as another node appends too, it waits for its [`turn`].

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use metrics::{counter, histogram};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    ExecuteError,
    cache::Slot,
    news::{Appended, News},
    store::{self, Append, BatchError, Tip},
    turn::{self, Outcome, Turn},
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
    pub(super) fn start(pool: PgPool, news: News, head: watch::Sender<i64>) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let commits = Commits {
            pool,
            connection: None,
            news,
            head,
            end: None,
            alone: false,
            turn: None,
            pace: Pace::default(),
            receiver,
        };
        tokio::spawn(commits.run());
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

/// When the next batch is worth closing. Those who have just been answered command again at once, if they do at all: a
/// batch waits for as many as that, but no longer than an eighth of what an append takes.
#[derive(Default)]
struct Pace {
    wanted: usize,
    until: Option<Instant>,
}

impl Pace {
    fn answered(&mut self, commands: usize, waiting: usize, took: Duration) {
        self.wanted = commands + waiting;
        self.until = Some(Instant::now() + took / 8);
    }

    fn is_worth_waiting(&self, commands: usize) -> bool {
        commands < self.wanted && self.until.is_some_and(|until| Instant::now() < until)
    }
}

struct Commits {
    pool: PgPool,
    /// One of its own, so that no append waits for a connection or asks whether it still lives.
    connection: Option<PgConnection>,
    news: News,
    head: watch::Sender<i64>,
    /// The journal's end after this node's last append, unless what became of that is not known.
    end: Option<Tip>,
    /// Whether nobody else had appended since, the last time that it was looked at.
    alone: bool,
    /// Nobody else appends meanwhile.
    turn: Option<Turn>,
    pace: Pace,
    receiver: mpsc::Receiver<Request>,
}

impl Commits {
    async fn run(mut self) {
        let mut next = None;
        loop {
            let first = match next.take() {
                Some(request) => Some(request),
                None => self.next().await,
            };
            let Some(first) = first else { return };
            let batch = self.gather(first, &mut next).await;
            let (started, commands) = (Instant::now(), batch.len());
            self.commit(batch).await;
            self.pace.answered(commands, self.receiver.len(), started.elapsed());
            if self.turn.is_some_and(Turn::is_over) {
                self.leave().await;
            }
        }
    }

    /// The next command; a turn that nobody uses is left.
    async fn next(&mut self) -> Option<Request> {
        while self.turn.is_some() {
            if let Ok(request) = self.receiver.try_recv() {
                return Some(request);
            }
            if self.pace.is_worth_waiting(0) {
                tokio::task::yield_now().await;
            } else {
                self.leave().await;
            }
        }
        self.receiver.recv().await
    }

    async fn leave(&mut self) {
        if let (Some(turn), Some(connection)) = (self.turn.take(), &mut self.connection)
            && let Err(error) = turn.leave(connection).await
        {
            tracing::warn!(%error, "the connection on which this node appends was lost");
            self.connection = None;
        }
    }

    /// The commands that go together with `first`; one that was one too many is left in `next`.
    async fn gather(&mut self, first: Request, next: &mut Option<Request>) -> Vec<Request> {
        let mut bytes = first.bytes();
        let mut batch = vec![first];
        while batch.len() < BATCH_COMMANDS {
            let Ok(request) = self.receiver.try_recv() else {
                if !self.pace.is_worth_waiting(batch.len()) {
                    break;
                }
                // A timer is a hundred times too coarse for this.
                tokio::task::yield_now().await;
                continue;
            };
            bytes += request.bytes();
            if bytes > BATCH_BYTES {
                *next = Some(request);
                break;
            }
            batch.push(request);
        }
        batch
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
        match self.end.filter(|_| self.alone || self.turn.is_some()) {
            None => self.commit_in_turn(batch).await,
            Some(end) => match self.append(end, &batch).await {
                Ok(end) => self.succeed(end, batch),
                Err(BatchError::Refused(_)) => self.commit_in_turn(batch).await,
                Err(BatchError::Unknown(error)) => self.lose(&error, batch),
            },
        }
        histogram!("ddc_append_seconds").record(started.elapsed());
    }

    async fn append(&mut self, end: Tip, batch: &[Request]) -> Result<Tip, BatchError> {
        store::append(self.connection().await?, end, batch.iter().map(|request| &request.append)).await
    }

    fn succeed(&mut self, end: Tip, batch: Vec<Request>) {
        let mut position = self.end.map_or(0, |end| end.position);
        self.moved(position, end);
        for request in batch {
            position += i64::try_from(request.append.rows.len()).unwrap_or_default();
            request.succeed(position);
        }
    }

    /// Whether the batch was appended is not known.
    fn lose(&mut self, error: &sqlx::Error, batch: Vec<Request>) {
        (self.connection, self.turn, self.end) = (None, None, None);
        tracing::error!(%error, commands = batch.len(), "the journal cannot be reached");
        let detail = error.to_string();
        batch.into_iter().for_each(|request| request.fail(ExecuteError::Unavailable(detail.clone())));
    }

    /// The head moves before anyone is told, so that whoever is told finds it moved.
    fn moved(&mut self, base: i64, end: Tip) {
        self.end = Some(end);
        if end.position > base {
            advance(&self.head, end.position);
            self.news.tell(Appended { base, end: end.position });
        }
    }

    /// The second way. Should even that be refused as a whole, each command is tried alone, so that whatever is wrong
    /// with one never fails its neighbours.
    async fn commit_in_turn(&mut self, batch: Vec<Request>) {
        counter!("ddc_append_turns_total").increment(1);
        match self.append_in_turn(&batch).await {
            Ok(appended) => {
                self.alone = self.end == Some(appended.before);
                self.moved(appended.before.position, appended.after);
                batch.into_iter().zip(appended.outcomes).for_each(|(request, outcome)| match outcome {
                    Outcome::Appended(position) => request.succeed(position),
                    Outcome::Conflict => request.fail(ExecuteError::Conflict),
                    Outcome::KeyUsed => request.fail(ExecuteError::KeyUsed),
                });
            }
            Err(BatchError::Unknown(error)) => self.lose(&error, batch),
            Err(BatchError::Refused(reason)) if batch.len() == 1 => batch.into_iter().for_each(|request| {
                request.fail(ExecuteError::Fault(format!("the journal refused an append: {reason}")));
            }),
            Err(BatchError::Refused(reason)) => {
                tracing::warn!(reason, "a batch was refused twice, its commands are tried one by one");
                for request in batch {
                    if request.is_void() {
                        request.fail(ExecuteError::Conflict);
                    } else {
                        Box::pin(self.commit_in_turn(vec![request])).await;
                    }
                }
            }
        }
    }

    async fn append_in_turn(&mut self, batch: &[Request]) -> Result<turn::Appended, BatchError> {
        let appends: Vec<&Append> = batch.iter().map(|request| &request.append).collect();
        let held = self.turn;
        let connection = self.connection().await?;
        let turn = match held {
            Some(turn) => turn,
            None => Turn::take(connection).await?,
        };
        let appended = turn.append(connection, &appends).await;
        self.turn = Some(turn);
        appended
    }
}
