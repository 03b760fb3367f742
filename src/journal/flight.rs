//! A batch on its way to the database, while the next one is gathered.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use metrics::histogram;
use tokio::sync::oneshot;

use super::{
    line::Line,
    request::Request,
    statement::Statement,
    store::{BatchError, Tip},
};

/// A sent batch.
pub(super) struct Flight {
    pub(super) batch: Vec<Request>,
    /// Those without rows, which only wait for what is before them.
    pub(super) waiting: Vec<Request>,
    /// The journal's end before the batch, and after it.
    pub(super) base: Tip,
    pub(super) end: Tip,
    /// Whether nobody else appends meanwhile.
    pub(super) in_turn: bool,
    started: Instant,
    /// Unless it goes by itself: opened when the batch before it is in the journal.
    gate: Option<oneshot::Sender<()>>,
    stage: Stage,
}

enum Stage {
    Flying(Pin<Box<dyn Future<Output = Landed> + Send>>),
    Landed(Option<Landed>),
}

/// What became of a flight.
pub(super) struct Landed {
    /// To be used again, unless it is lost.
    pub(super) line: Option<Line>,
    pub(super) outcome: Result<(), BatchError>,
    pub(super) took: Took,
}

/// How long an append took.
#[derive(Debug, Clone, Copy)]
pub(super) enum Took {
    InAll(Duration),
    /// Its beginning, a mere round trip; the inserts; and after the batch before was in the journal, the commit.
    Apart {
        begin: Duration,
        inserts: Duration,
        commit: Duration,
    },
}

impl Took {
    pub(super) fn in_all(self) -> Duration {
        match self {
            Self::InAll(took) => took,
            Self::Apart { begin, inserts, commit } => begin + inserts + commit,
        }
    }
}

impl Flight {
    /// Sends a batch that goes by itself.
    pub(super) async fn send(batch: Vec<Request>, base: Tip, statement: Statement, mut line: Line) -> Self {
        let (end, in_turn, started) = (statement.end, line.has_turn(), Instant::now());
        let append = async move {
            let outcome = statement.append(line.connection()).await;
            let line = (!matches!(outcome, Err(BatchError::Unknown(_)))).then_some(line);
            Landed { line, outcome, took: Took::InAll(started.elapsed()) }
        };
        Self::begin(batch, [base, end], in_turn, None, Box::pin(append)).await
    }

    /// Sends a batch behind another one: the database works on it while that one is flushed, and it is committed when that
    /// one is in the journal.
    pub(super) async fn send_behind(batch: Vec<Request>, base: Tip, statement: Statement, line: Line) -> Self {
        let end = statement.end;
        let (gate, opened) = oneshot::channel();
        let append = Box::pin(append_behind(statement, line, opened));
        Self::begin(batch, [base, end], false, Some(gate), append).await
    }

    async fn begin(
        batch: Vec<Request>,
        ends: [Tip; 2],
        in_turn: bool,
        gate: Option<oneshot::Sender<()>>,
        append: Pin<Box<dyn Future<Output = Landed> + Send>>,
    ) -> Self {
        histogram!("ddc_append_batch_commands").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        let [base, end] = ends;
        let stage = Stage::Flying(append);
        let mut flight = Self { batch, waiting: Vec::new(), base, end, in_turn, started: Instant::now(), gate, stage };
        flight.go_on().await;
        flight
    }

    /// The batch before it is in the journal.
    pub(super) async fn open(&mut self) {
        if let Some(gate) = self.gate.take() {
            // Nobody waits there any more if the append has failed.
            let _ = gate.send(());
        }
        self.go_on().await;
    }

    /// The batch before it is not in the journal, so this one must not be.
    pub(super) async fn recall(&mut self) -> Landed {
        self.gate = None;
        poll_fn(|context| self.poll(context)).await
    }

    /// Does what can be done without waiting.
    async fn go_on(&mut self) {
        poll_fn(|context| {
            self.advance(context);
            Poll::Ready(())
        })
        .await;
    }

    pub(super) fn advance(&mut self, context: &mut Context<'_>) {
        if let Stage::Flying(append) = &mut self.stage
            && let Poll::Ready(landed) = append.as_mut().poll(context)
        {
            histogram!("ddc_append_seconds").record(self.started.elapsed());
            self.stage = Stage::Landed(Some(landed));
        }
    }

    /// What becomes of it, told once.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Landed> {
        self.advance(context);
        match &mut self.stage {
            Stage::Landed(landed) => landed.take().map_or(Poll::Pending, Poll::Ready),
            Stage::Flying(_) => Poll::Pending,
        }
    }
}

async fn append_behind(statement: Statement, mut line: Line, opened: oneshot::Receiver<()>) -> Landed {
    let (started, mut begin) = (Instant::now(), Duration::ZERO);
    let inserted = async {
        line.begin().await?;
        begin = started.elapsed();
        statement.append(line.connection()).await
    }
    .await;
    let inserts = started.elapsed() - begin;
    // Nothing is in the journal until the commit, whatever has happened.
    let refused = match inserted {
        Err(BatchError::Refused(reason)) => Some(reason),
        Err(BatchError::Unknown(error)) => Some(error.to_string()),
        Ok(()) => opened.await.is_err().then(|| "the batch before was not appended".to_owned()),
    };
    if let Some(reason) = refused {
        let line = line.roll_back().await.ok();
        return Landed { line, outcome: Err(BatchError::Refused(reason)), took: Took::InAll(begin + inserts) };
    }
    let before = Instant::now();
    let outcome = line.commit().await.map_err(BatchError::from);
    let line = outcome.is_ok().then_some(line);
    Landed { line, outcome, took: Took::Apart { begin, inserts, commit: before.elapsed() } }
}
