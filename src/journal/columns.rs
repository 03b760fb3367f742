//! A batch as the statement takes it: an array a column.

use super::{
    array::{Array, Element},
    store::Append,
};

/// The columns of all tables that an append writes to, or looks at.
pub(super) struct Columns {
    pub(super) rows: [Array; 9],
    pub(super) depended: [Array; 3],
    /// The last is the position, counted from where the batch begins.
    pub(super) kept: [Array; 7],
}

impl Default for Columns {
    fn default() -> Self {
        use Element::{Bigint, Bytes, Integer, Json, Text, Timestamp};
        Self {
            rows: [Text, Text, Bigint, Text, Text, Json, Json, Timestamp, Bytes].map(Array::of),
            depended: [Text, Text, Bigint].map(Array::of),
            kept: [Bigint, Text, Text, Integer, Text, Bigint, Bigint].map(Array::of),
        }
    }
}

impl Columns {
    pub(super) fn of<'a>(batch: impl Iterator<Item = &'a Append>) -> Self {
        let mut columns = Self::default();
        batch.for_each(|append| columns.add(append));
        columns
    }

    pub(super) fn clear(&mut self) {
        self.rows.iter_mut().chain(&mut self.depended).chain(&mut self.kept).for_each(Array::clear);
    }

    /// Whether nothing must be looked at.
    pub(super) fn is_self_contained(&self) -> bool {
        self.depended.iter().all(Array::is_empty)
    }

    /// The events' hashes.
    pub(super) fn hashes(&self) -> impl Iterator<Item = &[u8]> {
        let [.., hashes] = &self.rows;
        hashes.elements()
    }

    /// How many events there are.
    pub(super) fn len(&self) -> i64 {
        let [.., hashes] = &self.rows;
        hashes.len()
    }

    /// Adds what a command appends.
    pub(super) fn add(&mut self, append: &Append) {
        let [types, ids, sequences, event_types, versions, payloads, metadatas, times, hashes] = &mut self.rows;
        for row in &append.rows {
            types.push(row.stream.kind.as_bytes());
            ids.push(row.stream.id.as_bytes());
            sequences.push_number(row.sequence);
            event_types.push(row.event_type.as_bytes());
            versions.push(row.event_version.as_bytes());
            payloads.push(row.payload.as_bytes());
            metadatas.push(row.metadata.as_bytes());
            times.push_time(row.recorded_at);
            hashes.push(&row.hash);
        }
        let [types, ids, versions] = &mut self.depended;
        for expected in &append.depended {
            types.push(expected.stream.kind.as_bytes());
            ids.push(expected.stream.id.as_bytes());
            versions.push_number(expected.version);
        }
        let [users, keys, hashes, statuses, bodies, versions, positions] = &mut self.kept;
        if let Some(kept) = &append.remembered {
            users.push_number(kept.user.get());
            keys.push(kept.key.as_bytes());
            hashes.push(kept.hash.as_bytes());
            statuses.push(&i32::from(kept.answer.status).to_be_bytes());
            bodies.push(kept.answer.body.as_bytes());
            versions.push_number_or_null(kept.answer.version);
            positions.push_number(times.len());
        }
    }
}
