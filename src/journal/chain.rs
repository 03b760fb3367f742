//! What makes the journal trustworthy: a hash of each event, and a chain of the hashes of all appends.
//!
//! An event's hash is made by whoever decides; the chain's next block by the committer, for the append that comes next:
//! `sha256(hash of the block before || hashes of the append's events, in order)`.

use aws_lc_rs::digest::{Context, SHA256};
use chrono::{DateTime, Utc};

/// A SHA-256.
pub type Hash = [u8; 32];

/// What the first block builds on.
pub const GENESIS: Hash = [0; 32];

/// All of an event that its hash vouches for, exactly as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct Canonical<'a> {
    pub aggregate_type: &'a str,
    pub aggregate_id: &'a str,
    pub sequence: i64,
    pub event_type: &'a str,
    pub event_version: &'a str,
    pub recorded_at: DateTime<Utc>,
    pub payload: &'a str,
    pub metadata: &'a str,
}

/// The hash of an event's canonical bytes: numbers as 8 bytes, big-endian, the time in microseconds since 1970; texts
/// as UTF-8 after their length in bytes, so that no two events have the same bytes.
#[must_use]
pub fn event_hash(event: &Canonical<'_>) -> Hash {
    let mut context = Context::new(&SHA256);
    for text in [event.aggregate_type, event.aggregate_id] {
        update(&mut context, text);
    }
    context.update(&event.sequence.to_be_bytes());
    for text in [event.event_type, event.event_version] {
        update(&mut context, text);
    }
    context.update(&event.recorded_at.timestamp_micros().to_be_bytes());
    for text in [event.payload, event.metadata] {
        update(&mut context, text);
    }
    finish(context)
}

/// The hash of the block that follows `before` and holds events of these hashes.
#[must_use]
pub fn block_hash(before: &[u8], events: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(before);
    for hash in events {
        context.update(hash.as_ref());
    }
    finish(context)
}

fn update(context: &mut Context, text: &str) {
    // A length has no more bits than this on any machine that there is.
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    context.update(&length.to_be_bytes());
    context.update(text.as_bytes());
}

fn finish(context: Context) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_an_event_is_in_its_hash() {
        let event = Canonical {
            aggregate_type: "company",
            aggregate_id: "1",
            sequence: 1,
            event_type: "company.created",
            event_version: "1.0",
            recorded_at: DateTime::UNIX_EPOCH,
            payload: "{}",
            metadata: "{}",
        };
        let later = DateTime::from_timestamp_micros(1).unwrap_or_default();
        let others = [
            Canonical { aggregate_type: "companies", ..event },
            Canonical { aggregate_id: "2", ..event },
            Canonical { sequence: 2, ..event },
            Canonical { event_type: "company.changed", ..event },
            Canonical { event_version: "1.1", ..event },
            Canonical { recorded_at: later, ..event },
            Canonical { payload: "{ }", ..event },
            Canonical { metadata: "{ }", ..event },
            // The same bytes, cut elsewhere.
            Canonical { aggregate_type: "compan", aggregate_id: "y1", ..event },
        ];
        for other in others {
            assert_ne!(event_hash(&event), event_hash(&other), "{other:?}");
        }
        assert_eq!(event_hash(&event), event_hash(&event.clone()));
    }
}
