//! How long a batch waits for those who are about to command.

use std::time::{Duration, Instant};

use super::{committer::BATCH_COMMANDS, flight::Took};

/// Flushes that take less are not worth two more round trips for a batch, nor halves in the place of wholes.
const LONG: Duration = Duration::from_micros(500);
/// One batch in so many is timed apart: nothing else tells what a flush is of what it takes.
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
    /// Of batches that were timed apart: the least that a round trip and a commit have lately taken …
    trip: Duration,
    commit: Duration,
    /// … and the inserts of a command.
    each: Duration,
    /// How many large batches go by until the next one is.
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
        let flush = self.commit.saturating_sub(self.trip);
        flush > LONG.max(2 * self.trip) && self.each * commands + self.returning > flush
    }

    /// Whether a batch is to be sent behind one that is on its way: most of those who are about to command are in it, or
    /// half of all.
    pub(super) fn is_worth_following(&self, flying: usize, gathered: usize) -> bool {
        let (most, half) = (self.wanted - self.wanted / 8, (flying + self.wanted) / 2);
        gathered > 0 && gathered >= most.min(half) && self.is_flushed_meanwhile(flying + gathered)
    }

    /// Whether the inserts of a batch that goes by itself are to be timed apart from its commit.
    pub(super) fn is_to_be_timed(&mut self, commands: usize) -> bool {
        if commands < LARGE {
            return false;
        }
        let timed = self.untimed == 0;
        self.untimed = if timed { TIMED - 1 } else { self.untimed - 1 };
        timed
    }

    /// An append of so many commands has landed.
    pub(super) fn landed(&mut self, took: Took, commands: usize) {
        let small = match took {
            Took::InAll(took) => took,
            Took::Apart { begin, inserts, commit } => {
                let commands = u32::try_from(commands.max(1)).unwrap_or(u32::MAX);
                self.trip = least(self.trip, begin);
                self.commit = least(self.commit, commit);
                self.each = smooth(self.each, inserts.saturating_sub(self.trip) / commands);
                commit
            }
        };
        self.least = least(self.least, small);
    }

    /// So many commands of an append were answered, while so many others are waiting.
    pub(super) fn answered(&mut self, commands: usize, waiting: usize, took: Duration) {
        let now = Instant::now();
        let patience = if self.waits_for_all() { self.returning + self.returning / 2 } else { took / 8 };
        self.wanted = (commands + waiting).min(BATCH_COMMANDS);
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

/// The least of lately: it may become more too, if slowly.
fn least(lately: Duration, now: Duration) -> Duration {
    if lately.is_zero() { now } else { now.min(lately + lately / 64) }
}

fn smooth(lately: Duration, now: Duration) -> Duration {
    if lately.is_zero() { now } else { (7 * lately + now) / 8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After batches of 64 whose inserts took 800 us; round trips and flushes take so many.
    fn database(trip: u64, flush: u64) -> Pace {
        let mut pace = Pace::default();
        let [begin, inserts, commit] = [trip, 800 + trip, flush + trip].map(Duration::from_micros);
        let took = Took::Apart { begin, inserts, commit };
        (0..50).for_each(|_| pace.landed(took, 64));
        pace.answered(64, 0, took.in_all());
        pace
    }

    #[test]
    fn a_batch_follows_another_when_most_are_in_it() {
        let pace = database(50, 1_000);
        assert!(!pace.is_worth_following(64, 55));
        assert!(pace.is_worth_following(64, 56));
    }

    #[test]
    fn batches_that_follow_each_other_become_halves() {
        let mut pace = database(50, 1_000);
        pace.answered(100, 0, Duration::from_millis(1));
        assert!(!pace.is_worth_following(28, 63));
        assert!(pace.is_worth_following(28, 64));
    }

    #[test]
    fn few_wait_for_each_other_where_a_flush_takes_longer() {
        let mut pace = database(50, 1_000);
        pace.answered(16, 0, Duration::from_millis(1));
        assert!(pace.waits_for_all());
        assert!(!pace.is_worth_following(8, 16));
    }

    #[test]
    fn where_flushes_take_no_longer_than_round_trips_nobody_follows() {
        assert!(!database(50, 60).is_worth_following(64, 64));
        assert!(!database(2_000, 1_000).is_worth_following(64, 64));
    }

    #[test]
    fn one_large_batch_in_many_is_timed() {
        let mut pace = Pace::default();
        assert!(!(0..1_000).any(|_| pace.is_to_be_timed(LARGE - 1)));
        assert!(pace.is_to_be_timed(LARGE), "the first tells what disk it is");
        assert_eq!((0..3 * TIMED).filter(|_| pace.is_to_be_timed(LARGE)).count(), 3);
    }
}
