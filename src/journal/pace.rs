//! How long a batch waits for those who are about to command.

use std::time::{Duration, Instant};

/// When the next batch is worth closing. Those who have just been answered command again at once, if they do at all: a
/// batch waits for as many as that, but no longer than an eighth of what an append takes.
#[derive(Default)]
pub(super) struct Pace {
    wanted: usize,
    until: Option<Instant>,
}

impl Pace {
    pub(super) fn answered(&mut self, commands: usize, waiting: usize, took: Duration) {
        self.wanted = commands + waiting;
        self.until = Some(Instant::now() + took / 8);
    }

    pub(super) fn is_worth_waiting(&self, commands: usize) -> bool {
        commands < self.wanted && self.until.is_some_and(|until| Instant::now() < until)
    }
}
