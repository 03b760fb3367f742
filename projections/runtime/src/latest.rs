//! What a projection has folded last, so that it need not read back what it has just written.
//!
//! A fold of a stream's events up to a version is what it is, whoever made it, and whether or not it has been written: so
//! it serves the event that comes next in the stream, and no other.

use std::{hash::Hash, sync::Arc};

use moka::sync::Cache;

/// How much a projection keeps at hand (bytes).
const KEPT: u64 = 4 << 20;
/// What an entry takes beside what it holds.
const OVERHEAD: usize = 200;

/// The latest folds of streams, by whatever names a stream.
pub struct Latest<K, F>(Cache<K, Folded<F>>);

struct Folded<F> {
    version: i64,
    size: usize,
    fold: Arc<F>,
}

impl<F> Clone for Folded<F> {
    fn clone(&self) -> Self {
        Self { version: self.version, size: self.size, fold: Arc::clone(&self.fold) }
    }
}

impl<K: Hash + Eq + Send + Sync + 'static, F: Send + Sync + 'static> Default for Latest<K, F> {
    fn default() -> Self {
        let weigh = |_: &K, folded: &Folded<F>| u32::try_from(folded.size + OVERHEAD).unwrap_or(u32::MAX);
        Self(Cache::builder().weigher(weigh).max_capacity(KEPT).build())
    }
}

impl<K: Hash + Eq + Send + Sync + 'static, F: Send + Sync + 'static> Latest<K, F> {
    /// What the events before this one of a stream come to, if it is at hand.
    pub fn before(&self, stream: &K, sequence: i64) -> Option<Arc<F>> {
        self.0.get(stream).filter(|folded| folded.version + 1 == sequence).map(|folded| folded.fold)
    }

    /// Keeps what a stream's events up to a version come to; `size` is how many bytes that takes.
    pub fn keep(&self, stream: K, version: i64, fold: F, size: usize) {
        self.0.insert(stream, Folded { version, size, fold: Arc::new(fold) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_serves_the_next_event_and_no_other() {
        let latest = Latest::default();
        latest.keep(7, 3, "three events", 12);
        assert_eq!(latest.before(&7, 4).as_deref(), Some(&"three events"));
        for (stream, sequence) in [(7, 3), (7, 5), (8, 4)] {
            assert_eq!(latest.before(&stream, sequence), None, "{stream} {sequence}");
        }
    }
}
