//! What the users were told: which command was acknowledged at which position, which was refused, which is unknown.

use std::sync::{Mutex, PoisonError};

/// A command that its user has finished with.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The idempotency key; the request id of each attempt is the key, a dot and a number.
    pub(crate) key: String,
    pub(crate) what: String,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// At this position; something happened for sure when the command was to make something.
    Acknowledged { position: i64, eventful: bool },
    /// With this status.
    Refused(u16),
    /// The run ended before it was answered.
    Unknown,
}

/// Everything that was told, by all users.
#[derive(Default)]
pub(crate) struct Ledger {
    entries: Mutex<Vec<Entry>>,
    wrongs: Mutex<Vec<String>>,
    asked_again: std::sync::atomic::AtomicU64,
}

impl Ledger {
    pub(crate) fn note(&self, entry: Entry) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Something that must never be told.
    pub(crate) fn wrong(&self, what: String) {
        self.wrongs.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    pub(crate) fn wrongs(&self) -> Vec<String> {
        self.wrongs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn ask_again(&self) {
        self.asked_again.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    pub(crate) fn asked_again(&self) -> u64 {
        self.asked_again.load(std::sync::atomic::Ordering::Relaxed)
    }
}
