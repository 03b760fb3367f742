//! What a projection does with many events at once, when no event of one stream has to do with those of another.

use async_trait::async_trait;
use sqlx::PgConnection;

use crate::{ApplyError, Codec, RecordedRef};

/// A projection's work on some of the streams, all of whose events it takes from their first on. What a batch leaves in
/// the tables for the next one, it keeps in memory, and writes it once at the end. It is made of what
/// [`crate::Projection::apply`] is made of.
///
/// An error is not cleared up after: whoever gets one gives up the transaction and lets `apply` do it.
#[async_trait]
pub trait Fold: Send {
    /// Takes the next events.
    async fn take(
        &mut self,
        tx: &mut PgConnection,
        codec: &Codec,
        events: &[RecordedRef<'_>],
    ) -> Result<(), ApplyError>;

    /// How many streams, or the like, it has in memory.
    fn holds(&self) -> usize;

    /// Writes what it has in memory.
    async fn finish(self: Box<Self>, tx: &mut PgConnection, codec: &Codec) -> Result<(), ApplyError>;
}

/// How a fold begins.
#[derive(Clone, Copy)]
pub struct NewFold {
    /// With nothing.
    pub begin: fn() -> Box<dyn Fold>,
    /// Whether it asks who and what stands behind an event: if not, it is given events without it, which are cheaper.
    pub reads_metadata: bool,
}
