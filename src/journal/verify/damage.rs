//! What can be wrong with a journal, and finding out which of it is.

use crate::journal::chain::{Hash, block_hash};

/// The first thing that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("position {position} is missing")]
    Missing { position: i64 },
    #[error(
        "position {position} ({stream} {sequence}): the event's bytes are not those of its hash: a column was changed"
    )]
    Changed { position: i64, stream: String, sequence: i64 },
    #[error("position {position}: {stream} goes on with {found}, not with {expected}")]
    Sequence { position: i64, stream: String, expected: i64, found: i64 },
    #[error("positions {one} and {other} have changed places")]
    Swapped { one: i64, other: i64 },
    #[error(
        "positions {first} to {last}: these are not the events that were appended there: they were changed together \
         with their hashes, or the append's own hash or the one before it was"
    )]
    BlockHash { first: i64, last: i64 },
    #[error("positions {first} to {last}: the append's own hash was changed, its events and what follows were not")]
    BlockRewritten { first: i64, last: i64 },
    #[error("position {position}: there is no append that begins here, or more than one")]
    Blocks { position: i64 },
    #[error(
        "the noted head is not among the appends up to position {last}: the journal was cut off or rewritten since, or \
         the head is another journal's or out of the range"
    )]
    NotOfThisChain { last: i64 },
    #[error("there is no position {from}: the journal ends at {head}")]
    OutOfRange { from: i64, head: i64 },
}

/// An append as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) hash: Hash,
}

/// Why a block's hash is not that of its events, all of which have the hash that they should have.
pub(super) fn diagnose(before: &Hash, block: &Block, events: &[Hash], next: Option<(&Block, &[Hash])>) -> Damage {
    if let Some((one, other)) = exchanged(before, &block.hash, events) {
        return Damage::Swapped { one: block.first + one, other: block.first + other };
    }
    let Block { first, last, .. } = *block;
    let computed = block_hash(before, events);
    match next {
        Some((next, hashes)) if block_hash(&computed, hashes) == next.hash => Damage::BlockRewritten { first, last },
        _ => Damage::BlockHash { first, last },
    }
}

/// The two places whose exchange makes the block what it was.
fn exchanged(before: &Hash, wanted: &Hash, events: &[Hash]) -> Option<(i64, i64)> {
    let mut order: Vec<&Hash> = events.iter().collect();
    for one in 0..order.len() {
        for other in one + 1..order.len() {
            order.swap(one, other);
            if block_hash(before, order.iter().copied()) == *wanted {
                return Some((i64::try_from(one).ok()?, i64::try_from(other).ok()?));
            }
            order.swap(one, other);
        }
    }
    None
}
