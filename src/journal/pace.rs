//! How long a batch waits for those who are about to command.

use std::time::{Duration, Instant};

/// When the next batch is worth closing.
///
/// Those who have just been answered command again at once, if they do at all. A batch that leaves without them makes two
/// appends of what could be one, and each costs a flush. So on a slow disk, where that is more than they take to come back,
/// it waits for them; elsewhere the database is better kept busy, and it waits only if nobody else is in it.
#[derive(Default)]
pub(super) struct Pace {
    /// The least that an append has lately taken: what even a small one costs.
    least: Duration,
    /// How long it lately took until most of those who were answered had commanded again.
    returning: Duration,
    away: Option<Away>,
    wanted: usize,
    until: Option<Instant>,
}

/// Those who were answered last.
struct Away {
    since: Instant,
    /// How many are yet to command until it is most of them.
    left: usize,
    /// Beyond this it makes no difference.
    longest: Duration,
}

impl Pace {
    /// Whether a batch that somebody is waiting in is to wait for those who are answered.
    pub(super) fn waits_for_all(&self) -> bool {
        2 * self.returning < self.least
    }

    /// An append has landed.
    pub(super) fn landed(&mut self, took: Duration) {
        // It may become slower too, if slowly.
        let rising = self.least + self.least / 64;
        self.least = if self.least.is_zero() { took } else { took.min(rising) };
    }

    /// So many commands of an append were answered, while so many others are waiting.
    pub(super) fn answered(&mut self, commands: usize, waiting: usize, took: Duration) {
        let now = Instant::now();
        let patience = if self.waits_for_all() { self.returning + self.returning / 2 } else { took / 8 };
        self.wanted = commands + waiting;
        self.until = Some(now + patience);
        self.away = Some(Away { since: now, left: (commands - commands / 8).max(1), longest: 2 * took });
    }

    /// Somebody commands.
    pub(super) fn commanded(&mut self) {
        if let Some(away) = &mut self.away {
            away.left -= 1;
            if away.left == 0 {
                let took = away.since.elapsed().min(away.longest);
                self.returning = (7 * self.returning + took) / 8;
                self.away = None;
            }
        }
    }

    pub(super) fn is_worth_waiting(&self, commands: usize) -> bool {
        commands < self.wanted && self.until.is_some_and(|until| Instant::now() < until)
    }
}
