//! Five failures within a quarter of an hour shut an email out for as long.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{Mutex, OwnedMutexGuard};

const FAILURES: usize = 5;
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// How many emails are remembered; the table is bounded, so guessing many names does not fill the memory.
const CAPACITY: u64 = 100_000;

/// Counts failed log-ins by email, on this node.
pub struct Throttle(moka::sync::Cache<String, Arc<Mutex<Failures>>>);

impl Default for Throttle {
    fn default() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(CAPACITY).time_to_idle(WINDOW).build())
    }
}

/// When an email's log-ins failed, and until when it is shut out for that.
#[derive(Debug, Default)]
struct Failures {
    recent: Vec<Instant>,
    shut_until: Option<Instant>,
}

/// An email's turn: its attempts are looked at one after another, so that many at once are not more guesses.
pub struct Turn(OwnedMutexGuard<Failures>);

impl Throttle {
    /// Waits for the email's turn.
    ///
    /// # Errors
    /// How long the email is shut out yet, if it is.
    pub async fn turn(&self, email: &str) -> Result<Turn, Duration> {
        let failures = self.0.get_with(email.to_owned(), Arc::default).lock_owned().await;
        failures.shut_out(Instant::now()).map_or(Ok(Turn(failures)), Err)
    }

    /// Forgets what failed: who can read the email's mails need not wait.
    pub fn forgive(&self, email: &str) {
        self.0.invalidate(email);
    }
}

impl Turn {
    /// Notes a failure.
    pub fn failed(mut self) {
        self.0.note(Instant::now());
    }

    /// A success forgets what failed before.
    pub fn succeeded(mut self) {
        *self.0 = Failures::default();
    }
}

impl Failures {
    fn shut_out(&self, now: Instant) -> Option<Duration> {
        self.shut_until.map(|until| until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    fn note(&mut self, now: Instant) {
        self.recent.retain(|at| now.duration_since(*at) < WINDOW);
        self.recent.push(now);
        if self.recent.len() >= FAILURES {
            *self = Self { recent: Vec::new(), shut_until: Some(now + WINDOW) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_shut_an_email_out_for_a_quarter_of_an_hour_and_no_longer() {
        let (mut failures, begin) = (Failures::default(), Instant::now());
        let after = |minutes: u64| begin + Duration::from_secs(minutes * 60);
        for minute in 0..4 {
            failures.note(after(minute));
            assert_eq!(failures.shut_out(after(minute)), None);
        }
        failures.note(after(4));
        assert_eq!(failures.shut_out(after(4)), Some(WINDOW));
        assert_eq!(failures.shut_out(after(16)), Some(Duration::from_secs(3 * 60)));
        assert_eq!(failures.shut_out(after(19)), None);
        // One failure more is one of a new window.
        failures.note(after(19));
        assert_eq!(failures.shut_out(after(19)), None);
    }

    #[tokio::test]
    async fn guesses_at_once_are_looked_at_one_after_another() {
        let throttle = Arc::new(Throttle::default());
        let first = throttle.turn("a@ddc.test").await.unwrap_or_else(|_| panic!("shut out"));
        let others = (0..20).map(|_| {
            let throttle = Arc::clone(&throttle);
            tokio::spawn(async move { throttle.turn("a@ddc.test").await.map(Turn::failed).is_ok() })
        });
        let others: Vec<_> = others.collect();
        throttle.turn("b@ddc.test").await.unwrap_or_else(|_| panic!("another's turn waits")).failed();
        first.failed();
        let mut looked_at = 0;
        for other in others {
            looked_at += usize::from(other.await.unwrap());
        }
        assert_eq!(looked_at, FAILURES - 1);
        throttle.forgive("a@ddc.test");
        assert!(throttle.turn("a@ddc.test").await.is_ok());
    }
}
