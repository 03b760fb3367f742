//! Seeded events as the journal would have recorded them: hashed, and chained in blocks.

use std::fmt::Write as _;

use anyhow::Result;
use chrono::{DateTime, Utc};
use ddc::journal::chain::{Canonical, GENESIS, Hash, block_hash, event_hash};
use sqlx::{PgPool, postgres::PgPoolCopyExt};

use crate::seed::Shape;

/// Events of one append.
const BLOCK: usize = 100;

/// An event on its way into a table.
pub(crate) struct Event {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) sequence: u32,
    pub(crate) event_type: &'static str,
    pub(crate) payload: String,
    pub(crate) metadata: String,
    pub(crate) at: DateTime<Utc>,
}

impl Event {
    fn hash(&self) -> Hash {
        event_hash(&Canonical {
            aggregate_type: self.kind,
            aggregate_id: &self.id,
            sequence: i64::from(self.sequence),
            event_type: self.event_type,
            event_version: "1.0",
            recorded_at: self.at,
            payload: &self.payload,
            metadata: &self.metadata,
        })
    }

    /// A line of COPY's text format.
    pub(crate) fn write(&self, lines: &mut String, shape: Shape, position: u32) -> Result<()> {
        let escaped = |json: &str| json.replace('\\', "\\\\");
        if shape == Shape::Ddc {
            write!(lines, "{position}\t")?;
        }
        let Self { kind, id, sequence, event_type, .. } = self;
        write!(lines, "{kind}\t{id}\t{sequence}\t{event_type}\t1.0\t")?;
        write!(lines, "{}\t{}", escaped(&self.payload), escaped(&self.metadata))?;
        if shape != Shape::PostgresEs {
            write!(lines, "\t{}", self.at.to_rfc3339())?;
        }
        if shape == Shape::Ddc {
            lines.push('\t');
            write_hash(lines, &self.hash())?;
        }
        lines.push('\n');
        Ok(())
    }
}

/// As COPY reads a `bytea`.
fn write_hash(lines: &mut String, hash: &Hash) -> Result<()> {
    lines.push_str("\\\\x");
    hash.iter().try_for_each(|byte| write!(lines, "{byte:02x}"))?;
    Ok(())
}

/// The blocks of a seeded journal.
pub(crate) struct Chain {
    hash: Hash,
    pending: Vec<Hash>,
    lines: String,
}

impl Default for Chain {
    fn default() -> Self {
        Self { hash: GENESIS, pending: Vec::new(), lines: String::new() }
    }
}

impl Chain {
    pub(crate) fn add(&mut self, position: u32, event: &Event) -> Result<()> {
        self.pending.push(event.hash());
        if self.pending.len() == BLOCK { self.close(position) } else { Ok(()) }
    }

    /// The append ends here.
    fn close(&mut self, position: u32) -> Result<()> {
        let Some(first) = u32::try_from(self.pending.len()).ok().and_then(|events| position.checked_sub(events)) else {
            return Ok(());
        };
        if self.pending.is_empty() {
            return Ok(());
        }
        self.hash = block_hash(&self.hash, &self.pending);
        self.pending.clear();
        write!(self.lines, "{}\t{position}\t", first + 1)?;
        write_hash(&mut self.lines, &self.hash)?;
        self.lines.push('\n');
        Ok(())
    }

    /// Writes the blocks, and where the journal ends.
    pub(crate) async fn store(mut self, pool: &PgPool, position: u32) -> Result<()> {
        self.close(position)?;
        let statement = "COPY journal_blocks (first_position, last_position, hash) FROM STDIN";
        let mut copy = pool.copy_in_raw(statement).await?;
        for chunk in self.lines.as_bytes().chunks(1 << 20) {
            copy.send(chunk).await?;
        }
        copy.finish().await?;
        Ok(())
    }
}
