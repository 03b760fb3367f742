//! How long a batch waits for those who are about to command.

use std::time::{Duration, Instant};

use super::flight::Took;

/// Flushes that take less are not worth two more questions for a batch, nor halves in the place of wholes.
const LONG: Duration = Duration::from_micros(500);
/// One batch in so many is timed apart: where all are large, nothing else tells what a flush is of what they take.
const TIMED: u32 = 64;
/// In smaller ones a flush is most of it anyway.
const LARGE: usize = 16;

/// When the next batch is worth closing.
///
/// Those who have just been answered command again at once, if they do at all. A batch that leaves without them makes two
/// appends of what could be one, and each costs a flush. So on a slow disk, where that is more than they take to come back,
/// it waits for them; elsewhere the database is better kept busy, and it waits only if nobody else is in it. And where all
/// else takes longer than a flush, it is done meanwhile: half of them are flushed while the other half's events are inserted.
#[derive(Default)]
pub(super) struct Pace {
    /// The least that an append has lately taken: what even a small one costs.
    least: Duration,
    /// What each command lately added to that.
    each: Duration,
    /// How many large batches ago that was timed.
    untimed: u32,
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
        2 * self.returning < self.least && !self.is_flushed_meanwhile(self.wanted)
    }

    /// Whether so many commands take longer than a flush, so that they are better halved.
    fn is_flushed_meanwhile(&self, commands: usize) -> bool {
        let commands = u32::try_from(commands).unwrap_or(u32::MAX);
        self.least > LONG && self.each * commands + self.returning > self.least
    }

    /// Whether a batch is to be sent behind one that is on its way: most of those who are about to command are in it.
    pub(super) fn is_worth_following(&self, flying: usize, gathered: usize) -> bool {
        gathered > 0 && gathered + self.wanted / 8 >= self.wanted && self.is_flushed_meanwhile(flying + gathered)
    }

    /// Whether the inserts of a batch that goes by itself are to be timed apart from its commit.
    pub(super) fn is_to_be_timed(&mut self, commands: usize) -> bool {
        self.untimed += u32::from(commands >= LARGE);
        let timed = self.untimed >= TIMED;
        if timed {
            self.untimed = 0;
        }
        timed
    }

    /// An append of so many commands has landed.
    pub(super) fn landed(&mut self, took: Took, commands: usize) {
        let (least, rest) = match took {
            Took::InAll(took) => (took, took.saturating_sub(self.least)),
            Took::Apart(inserts, commit) => (commit, inserts),
        };
        // It may become slower too, if slowly.
        let rising = self.least + self.least / 512;
        self.least = if self.least.is_zero() { least } else { least.min(rising) };
        let commands = u32::try_from(commands.max(1)).unwrap_or(u32::MAX);
        self.each = (7 * self.each + rest / commands) / 8;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk whose flush takes so many microseconds, after a batch of 64 that took 800 more.
    fn disk(flush: u64) -> Pace {
        let mut pace = Pace::default();
        let took = Took::Apart(Duration::from_micros(800), Duration::from_micros(flush));
        (0..50).for_each(|_| pace.landed(took, 64));
        pace.answered(64, 0, took.in_all());
        pace
    }

    #[test]
    fn a_batch_follows_another_when_most_are_in_it() {
        let pace = disk(1_000);
        assert!(!pace.is_worth_following(64, 55));
        assert!(pace.is_worth_following(64, 56));
    }

    #[test]
    fn few_wait_for_each_other_where_a_flush_takes_longer() {
        let mut pace = disk(1_000);
        pace.answered(16, 0, Duration::from_millis(1));
        assert!(pace.waits_for_all());
        assert!(!pace.is_worth_following(8, 16));
    }

    #[test]
    fn where_flushes_take_no_time_nobody_follows() {
        assert!(!disk(60).is_worth_following(64, 64));
    }

    #[test]
    fn one_large_batch_in_many_is_timed() {
        let mut pace = Pace::default();
        assert!(!(0..1_000).any(|_| pace.is_to_be_timed(LARGE - 1)));
        assert_eq!((0..3 * TIMED).filter(|_| pace.is_to_be_timed(LARGE)).count(), 3);
    }
}
