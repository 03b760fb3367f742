//! How slowly a body may come. Who sends a byte now and then keeps a connection, but not for ever.

use std::time::{Duration, Instant};

use actix_web::http::StatusCode;

use super::problem::Problem;

/// A body has this long …
const WITHIN: Duration = Duration::from_secs(10);
/// … and a second more for each so many bytes that have come.
const BYTES_A_SECOND: usize = 16 << 10;

/// A body on its way.
pub(super) struct Pace {
    begun: Instant,
    came: usize,
}

impl Pace {
    pub(super) fn begin() -> Self {
        Self { begun: Instant::now(), came: 0 }
    }

    /// Notes what has come.
    pub(super) fn came(&mut self, bytes: usize) {
        self.came += bytes;
    }

    /// Waits for the next piece.
    ///
    /// # Errors
    /// 408 when it takes too long.
    pub(super) async fn wait<T>(&self, piece: impl Future<Output = T>) -> Result<T, Problem> {
        let earned = Duration::from_secs(u64::try_from(self.came / BYTES_A_SECOND).unwrap_or(u64::MAX));
        let late = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "TOO_SLOW", "the body comes too slowly");
        tokio::time::timeout_at((self.begun + WITHIN + earned).into(), piece).await.map_err(late)
    }
}
