//! Five failures within a quarter of an hour shut an email out for as long.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use std::sync::Mutex;

const FAILURES: usize = 5;
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// How many emails are remembered; the table is bounded, so guessing many names does not fill the memory.
const CAPACITY: u64 = 100_000;

/// Counts failed log-ins by email, on this node.
pub struct Throttle(moka::sync::Cache<String, Arc<Mutex<Vec<Instant>>>>);

impl Default for Throttle {
    fn default() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(CAPACITY).time_to_idle(WINDOW).build())
    }
}

impl Throttle {
    /// How long the email is shut out yet, if it is.
    #[must_use]
    pub fn shut_out(&self, email: &str) -> Option<Duration> {
        let failures = self.0.get(email)?;
        let failures = failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let recent: Vec<_> = failures.iter().filter(|at| at.elapsed() < WINDOW).collect();
        let last = recent.last().filter(|_| recent.len() >= FAILURES)?;
        Some(WINDOW.saturating_sub(last.elapsed()))
    }

    /// Notes a failure.
    pub fn failed(&self, email: &str) {
        let failures = self.0.get_with(email.to_owned(), Arc::default);
        let mut failures = failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        failures.retain(|at| at.elapsed() < WINDOW);
        failures.push(Instant::now());
    }

    /// A success forgets what failed before.
    pub fn succeeded(&self, email: &str) {
        self.0.invalidate(email);
    }
}
