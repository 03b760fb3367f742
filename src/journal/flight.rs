//! A batch on its way to the database, while the next one is gathered.

use std::{
    pin::{Pin, pin},
    task::Poll,
    time::{Duration, Instant},
};

use super::{
    committer::Request,
    line::Line,
    statement::Statement,
    store::{BatchError, Tip},
};
use metrics::histogram;

/// A sent batch.
pub(super) struct Flight {
    pub(super) batch: Vec<Request>,
    /// Those without rows, which only wait for what is before them.
    pub(super) waiting: Vec<Request>,
    /// The journal's end before the batch, and after it.
    pub(super) base: Tip,
    pub(super) end: Tip,
    started: Instant,
    append: Pin<Box<dyn Future<Output = Landed> + Send>>,
}

/// What became of a flight.
pub(super) struct Landed {
    /// To be used again, unless it is not known what became of the flight.
    pub(super) line: Option<Line>,
    pub(super) outcome: Result<Tip, BatchError>,
}

impl Flight {
    /// Ready to be sent.
    pub(super) fn new(batch: Vec<Request>, base: Tip, statement: Statement, mut line: Line) -> Self {
        histogram!("ddc_append_batch_commands").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        let end = statement.end;
        let append = Box::pin(async move {
            let outcome = statement.append(line.connection()).await;
            let line = (!matches!(outcome, Err(BatchError::Unknown(_)))).then_some(line);
            Landed { line, outcome }
        });
        Self { batch, waiting: Vec::new(), base, end, started: Instant::now(), append }
    }

    /// Sends it, without waiting for what becomes of it, unless that is known at once.
    pub(super) async fn send(&mut self) -> Option<Landed> {
        match futures::poll!(pin!(self.land())) {
            Poll::Pending => None,
            Poll::Ready(landed) => Some(landed),
        }
    }

    /// Waits for what becomes of it.
    pub(super) async fn land(&mut self) -> Landed {
        let landed = self.append.as_mut().await;
        histogram!("ddc_append_seconds").record(self.took());
        landed
    }

    pub(super) fn took(&self) -> Duration {
        self.started.elapsed()
    }
}
