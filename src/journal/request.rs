//! What waits to be appended.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{ExecuteError, cache::Slot, store::Append};

/// One command's append, and who waits for it. One without rows only waits for what is before it in the queue.
pub(super) struct Request {
    pub(super) append: Append,
    /// The slots written, each with the generation that was decided on.
    pub(super) slots: Vec<(Arc<Slot>, u64)>,
    pub(super) done: oneshot::Sender<Result<i64, ExecuteError>>,
}

impl Request {
    pub(super) fn is_void(&self) -> bool {
        self.slots.iter().any(|(slot, generation)| slot.generation() != *generation)
    }

    pub(super) fn bytes(&self) -> usize {
        self.append.rows.iter().map(|row| row.payload.len() + row.metadata.len()).sum()
    }

    /// All that was before it in the queue is settled.
    pub(super) fn settle(self) {
        let settled = if self.is_void() { Err(ExecuteError::Conflict) } else { Ok(0) };
        let _ = self.done.send(settled);
    }

    pub(super) fn succeed(self, position: i64) {
        // A caller that has gone away no longer wants to know.
        let _ = self.done.send(Ok(position));
    }

    /// What was decided on this command's events is void too.
    pub(super) fn fail(self, error: ExecuteError) {
        for (slot, _) in &self.slots {
            slot.invalidate();
        }
        let _ = self.done.send(Err(error));
    }
}

/// Those that were decided on what is still so.
pub(super) fn still_so(batch: Vec<Request>) -> Vec<Request> {
    let (void, batch): (Vec<_>, Vec<_>) = batch.into_iter().partition(Request::is_void);
    void.into_iter().for_each(|request| request.fail(ExecuteError::Conflict));
    batch
}
