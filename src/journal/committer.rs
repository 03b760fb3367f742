//! Group commit: the appends of all commands that are waiting go to the database in one call.
//!
//! A node that appends alone knows the journal's end and needs one statement a batch; while one is on its way, the next is
//! gathered. Where flushes take long, that one goes before the first has come, over a second connection, and is committed
//! after it. When one is refused, and as long as another node appends too, it waits for its [`turn`].

use std::{future::poll_fn, io, task::Poll, thread, time::Instant};

use metrics::counter;
use sqlx::PgPool;
use tokio::{runtime::Builder, sync::mpsc};

use super::{
    ExecuteError,
    columns::Columns,
    flight::{Flight, Landed},
    line::Line,
    news::Told,
    pace::Pace,
    request::{Request, still_so},
    statement::Statement,
    store::{Append, BatchError, Tip},
    turn::{self, Outcome},
};

/// How many commands may wait; beyond that, callers wait before they hand over.
const QUEUE: usize = 4096;
/// A batch is closed at this many commands …
pub(super) const BATCH_COMMANDS: usize = 512;
/// … or at this many bytes of payload.
const BATCH_BYTES: usize = 4 << 20;
/// So many callers are answered before it is looked whether half of them have commanded again.
const ANSWERS: usize = 4;

/// The node's one way to the journal.
pub(super) struct Committer(mpsc::Sender<Request>);

impl Committer {
    /// On a thread of its own, which ends with the journal: nothing else that a node does keeps an append waiting.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(super) fn start(pool: PgPool, told: Told) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let commits = Commits {
            pool,
            lines: Vec::new(),
            told,
            end: None,
            alone: false,
            pace: Pace::default(),
            receiver,
            closed: false,
            gathered: Vec::new(),
            bytes: 0,
            columns: Columns::default(),
            flight: None,
            follower: None,
        };
        let runtime = Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("journal".to_owned()).spawn(move || runtime.block_on(commits.run()))?;
        Ok(Self(sender))
    }

    /// A place in the queue.
    pub(super) async fn reserve(&self) -> Result<mpsc::Permit<'_, Request>, ExecuteError> {
        self.0.reserve().await.map_err(|_| ExecuteError::Unavailable("the journal is shutting down".to_owned()))
    }
}

struct Commits {
    pool: PgPool,
    /// Two at the most, those on which a batch is on its way not among them.
    lines: Vec<Line>,
    told: Told,
    /// The journal's end after this node's last append, unless what became of that is not known.
    end: Option<Tip>,
    /// Whether nobody else had appended since, the last time that it was looked at.
    alone: bool,
    pace: Pace,
    receiver: mpsc::Receiver<Request>,
    /// All who could command have gone.
    closed: bool,
    /// The next batch, and how large it is.
    gathered: Vec<Request>,
    bytes: usize,
    /// The same as the statement takes it: put together while the batch before is on its way.
    columns: Columns,
    flight: Option<Flight>,
    /// The batch that has been sent behind it.
    follower: Option<Flight>,
}

impl Commits {
    async fn run(mut self) {
        loop {
            self.gather();
            if self.flight.is_none() && self.is_pressed() {
                // Looked at once: it ends by the clock, and whoever is gathered by then must not be left waiting.
                if self.has_room() && self.pace.is_worth_waiting(self.gathered.len()) {
                    // A timer is a hundred times too coarse for this; whoever is about to command may well need this core.
                    thread::yield_now();
                } else if self.gathered.is_empty() {
                    self.leave_turn().await;
                } else {
                    self.send().await;
                }
            } else if self.may_follow() {
                self.follow().await;
            } else if !self.wait().await {
                return;
            }
        }
    }

    /// Takes what is waiting into the next batch.
    fn gather(&mut self) {
        while self.has_room()
            && let Ok(request) = self.receiver.try_recv()
        {
            self.take(request);
        }
    }

    fn take(&mut self, request: Request) {
        self.pace.commanded();
        self.bytes += request.bytes();
        self.columns.add(&request.append);
        self.gathered.push(request);
    }

    fn has_room(&self) -> bool {
        self.gathered.len() < BATCH_COMMANDS && self.bytes < BATCH_BYTES
    }

    /// Whether the next batch, or a turn, waits for those who are about to command.
    fn is_pressed(&self) -> bool {
        !self.gathered.is_empty() || self.has_turn()
    }

    /// Waits for the next command or for what becomes of the batch on its way. False: nobody is left.
    async fn wait(&mut self) -> bool {
        let takes = !self.closed && self.has_room();
        let Self { flight, follower, receiver, .. } = self;
        let landing = poll_fn(|context| {
            if let Some(follower) = follower {
                follower.advance(context);
            }
            flight.as_mut().map_or(Poll::Pending, |flight| flight.poll(context))
        });
        tokio::select! {
            biased;
            landed = landing => self.landed(landed).await,
            request = receiver.recv(), if takes => match request {
                Some(request) => self.take(request),
                None => self.closed = true,
            },
        }
        !(self.closed && self.flight.is_none() && self.gathered.is_empty())
    }

    /// Whether it is this node's turn, and nothing is on its way.
    fn has_turn(&self) -> bool {
        self.lines.iter().any(Line::has_turn)
    }

    async fn leave_turn(&mut self) {
        if let Some(index) = self.lines.iter().position(Line::has_turn) {
            match self.lines.swap_remove(index).leave_turn().await {
                Ok(line) => self.lines.push(line),
                Err(error) => tracing::warn!(%error, "the connection on which this node appends was lost"),
            }
        }
    }

    /// The one that has the turn, if there is one.
    async fn line(&mut self) -> Result<Line, sqlx::Error> {
        let turn = self.lines.iter().position(Line::has_turn);
        match turn.map(|index| self.lines.swap_remove(index)).or_else(|| self.lines.pop()) {
            Some(line) => Ok(line),
            None => Line::connect(&self.pool).await,
        }
    }

    /// Takes what still holds of the next batch, and those who only wait for what is before them.
    fn close(&mut self) -> (Vec<Request>, Vec<Request>) {
        let batch = std::mem::take(&mut self.gathered);
        self.bytes = 0;
        let (waiting, batch): (Vec<_>, Vec<_>) = batch.into_iter().partition(|request| request.append.rows.is_empty());
        let commands = batch.len();
        let batch = still_so(batch);
        if batch.len() < commands {
            self.columns.clear();
            batch.iter().for_each(|request| self.columns.add(&request.append));
        }
        (batch, waiting)
    }

    /// Sends the next batch on its way.
    async fn send(&mut self) {
        let (batch, waiting) = self.close();
        if !batch.is_empty() {
            match self.end {
                Some(tip) if self.alone || self.has_turn() => match self.ready(tip).await {
                    Ok((statement, line)) => {
                        let apart = !line.has_turn() && self.pace.is_to_be_timed(batch.len());
                        self.flight = Some(if apart {
                            let mut flight = Flight::send_behind(batch, tip, statement, line).await;
                            flight.open().await;
                            flight
                        } else {
                            Flight::send(batch, tip, statement, line).await
                        });
                    }
                    Err(error) => self.lose(&error, batch),
                },
                _ => {
                    let (commands, started) = (batch.len(), Instant::now());
                    self.commit_in_turn(batch).await;
                    self.pace.answered(commands, self.receiver.len(), started.elapsed());
                }
            }
        }
        self.columns.clear();
        match &mut self.flight {
            Some(flight) => flight.waiting.extend(waiting),
            None => waiting.into_iter().for_each(Request::settle),
        }
    }

    /// Whether the next batch is to be sent behind the one on its way. What the database would look at for it must not be on
    /// its way too.
    fn may_follow(&self) -> bool {
        let follows = self.follower.is_none() && self.alone && self.columns.is_self_contained();
        let Some(flight) = self.flight.as_ref().filter(|flight| follows && !flight.in_turn) else { return false };
        self.pace.is_worth_following(flight.batch.len(), self.gathered.len())
    }

    async fn follow(&mut self) {
        let Some(tip) = self.flight.as_ref().map(|flight| flight.end) else { return };
        let (batch, waiting) = self.close();
        if !batch.is_empty() {
            match self.ready(tip).await {
                Ok((statement, line)) => {
                    self.follower = Some(Flight::send_behind(batch, tip, statement, line).await);
                }
                Err(error) => self.lose(&error, batch),
            }
        }
        self.columns.clear();
        if let Some(last) = self.follower.as_mut().or(self.flight.as_mut()) {
            last.waiting.extend(waiting);
        }
    }

    /// What a batch needs to go after `tip`.
    async fn ready(&mut self, tip: Tip) -> Result<(Statement, Line), sqlx::Error> {
        Ok((Statement::after(tip, &self.columns)?, self.line().await?))
    }

    async fn landed(&mut self, landed: Landed) {
        if let Some(flight) = self.flight.take() {
            self.settle(flight, landed).await;
        }
        if self.lines.iter().any(Line::is_over) {
            self.leave_turn().await;
        }
    }

    /// Tells each caller what became of a flight.
    async fn settle(&mut self, flight: Flight, landed: Landed) {
        let commands = flight.batch.len();
        let Flight { batch, waiting, base, end, .. } = flight;
        self.lines.extend(landed.line);
        match landed.outcome {
            Ok(()) => {
                self.end = Some(end);
                self.pace.landed(landed.took, commands);
                // The next batch first: the database has nothing to do meanwhile, and those who are answered have.
                self.flight = self.follower.take();
                if let Some(next) = &mut self.flight {
                    next.open().await;
                } else if !self.gathered.is_empty() {
                    self.send_meanwhile(1).await;
                }
                self.succeed(base, end, batch).await;
            }
            Err(error) => {
                let followed = self.recall().await;
                match error {
                    BatchError::Unknown(error) => self.lose(&error, batch),
                    BatchError::Refused(_) => self.commit_in_turn(batch).await,
                }
                if let Some(followed) = followed {
                    self.commit_in_turn(followed.batch).await;
                    followed.waiting.into_iter().for_each(Request::settle);
                }
            }
        }
        waiting.into_iter().for_each(Request::settle);
        self.pace.answered(commands, self.gathered.len() + self.receiver.len(), landed.took.in_all());
    }

    /// Takes back what was sent behind a batch that was not appended.
    async fn recall(&mut self) -> Option<Flight> {
        let mut follower = self.follower.take()?;
        self.lines.extend(follower.recall().await.line);
        Some(follower)
    }

    /// Answers those whose commands are in the journal.
    async fn succeed(&mut self, base: Tip, end: Tip, mut batch: Vec<Request>) {
        let mut position = base.position;
        let positions: Vec<i64> = batch
            .iter()
            .map(|request| {
                position += i64::try_from(request.append.rows.len()).unwrap_or_default();
                position
            })
            .collect();
        let rows = batch.iter_mut().flat_map(|request| std::mem::take(&mut request.append.rows)).collect();
        self.told.of(base.position, end.position, rows);
        let half = batch.len().div_ceil(2);
        let mut answers = batch.into_iter().zip(positions).peekable();
        while answers.peek().is_some() {
            answers.by_ref().take(ANSWERS).for_each(|(request, position)| request.succeed(position));
            // Where callers share this core, each commands again before the next one is answered: by the time that all are,
            // all would be in one batch, and the database and they would take turns instead of working side by side.
            self.send_meanwhile(half).await;
        }
    }

    /// Sends the next batch while callers are yet to be answered, if nothing is on its way and so many are in it.
    async fn send_meanwhile(&mut self, least: usize) {
        if self.flight.is_none() && self.alone && !self.pace.waits_for_all() {
            self.gather();
            if self.gathered.len() >= least {
                Box::pin(self.send()).await;
            }
        }
    }

    /// Whether the batch was appended is not known.
    fn lose(&mut self, error: &sqlx::Error, batch: Vec<Request>) {
        self.lines.clear();
        self.end = None;
        tracing::error!(%error, commands = batch.len(), "the journal cannot be reached");
        let detail = error.to_string();
        batch.into_iter().for_each(|request| request.fail(ExecuteError::Unavailable(detail.clone())));
    }

    /// The second way. Should even that be refused as a whole, each command is tried alone, so that whatever is wrong
    /// with one never fails its neighbours.
    async fn commit_in_turn(&mut self, batch: Vec<Request>) {
        let mut batch = still_so(batch);
        if batch.is_empty() {
            return;
        }
        counter!("ddc_append_turns_total").increment(1);
        match self.append_in_turn(&batch).await {
            Ok(appended) => {
                self.alone = self.end == Some(appended.before);
                self.end = Some(appended.after);
                let held = batch.iter_mut().zip(&appended.outcomes);
                let held = held.filter(|(_, outcome)| matches!(outcome, Outcome::Appended(_)));
                let rows = held.flat_map(|(request, _)| std::mem::take(&mut request.append.rows)).collect();
                self.told.of(appended.before.position, appended.after.position, rows);
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
                    Box::pin(self.commit_in_turn(vec![request])).await;
                }
            }
        }
    }

    async fn append_in_turn(&mut self, batch: &[Request]) -> Result<turn::Appended, BatchError> {
        let appends: Vec<&Append> = batch.iter().map(|request| &request.append).collect();
        let mut line = self.line().await?;
        line.take_turn().await?;
        let appended = turn::append(&mut line, &appends).await;
        self.lines.push(line);
        appended
    }
}
