//! What a read model is: a name, a version, tables, and what each event does to them.
//!
//! Each version is a reader of its own, with its own claim, checkpoint, parked events and schema. So nodes of two builds
//! run side by side: each keeps up to date and reads what its own build defines, and neither can undo the other's. A version
//! that no node has run for a day is dropped: see [`crate::retire`].

use async_trait::async_trait;
use sqlx::PgConnection;

use crate::{Codec, CodecError, NewFold, Recorded, Rows};

/// Why a batch could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The database; tried again until it answers.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// An event that this projection does not understand; it is parked.
    #[error("position {position}: {reason}")]
    Event { position: i64, reason: String },
    /// What a newer build has written is not known here; another node has to go on.
    #[error("position {position}: {reason}")]
    Newer { position: i64, reason: String },
}

impl ApplyError {
    /// What an event that cannot be read means for a batch: it is parked, unless time or a newer build mends it.
    #[must_use]
    pub fn event(recorded: &Recorded, error: &CodecError) -> Self {
        Self::at(recorded.position, error)
    }

    /// The same, where only the event's position is known.
    pub(crate) fn at(position: i64, error: &CodecError) -> Self {
        match error {
            CodecError::Unavailable(reason) => Self::Database(sqlx::Error::Io(std::io::Error::other(reason.clone()))),
            error @ CodecError::Newer { .. } => Self::Newer { position, reason: error.to_string() },
            error => Self::Event { position, reason: error.to_string() },
        }
    }

    /// Whether trying again may help.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Event { .. } => false,
            Self::Newer { .. } => true,
            Self::Database(sqlx::Error::Database(error)) => error.code().is_some_and(|code| {
                ["08", "25P03", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
            }),
            Self::Database(_) => true,
        }
    }
}

/// A read model. All of it can be dropped and rebuilt; it has no side effects.
#[async_trait]
pub trait Projection: Send + Sync + 'static {
    /// The name of the projection, and of its checkpoint.
    fn name(&self) -> &'static str;

    /// Moves on whenever the tables or what is written to them change; the projection is then rebuilt.
    fn version(&self) -> i32;

    /// What the claim, the checkpoint and the parked events of this version go by.
    fn reader(&self) -> String {
        format!("{}_v{}", self.name(), self.version())
    }

    /// The schema of this version's tables.
    fn home(&self, tenant: &str) -> String {
        format!("{tenant}_{}", self.reader())
    }

    /// The aggregate types that it reads; empty means all.
    fn kinds(&self) -> &'static [&'static str];

    /// The names of its tables, without a schema.
    fn tables(&self) -> Vec<&'static str>;

    /// Creates the tables, names without a schema.
    fn schema(&self) -> String;

    /// Creates what makes queries fast but writing slow; a rebuild does it last.
    fn indexes(&self) -> String;

    /// For a projection to which the streams are independent of each other: by this a rebuild does many at once.
    fn fold(&self) -> Option<NewFold> {
        None
    }

    /// What a batch writes, of a projection that does nothing but write rows: they then go to the database in the one
    /// statement that moves the checkpoint. What it reads for that may be outside of any transaction.
    async fn rows(&self, _: &mut PgConnection, _: &Codec, _: &[Recorded]) -> Result<Option<Vec<Rows>>, ApplyError> {
        Ok(None)
    }

    /// Applies a batch, each table written once. The checkpoint moves in the same transaction.
    async fn apply(&self, tx: &mut PgConnection, codec: &Codec, events: &[Recorded]) -> Result<(), ApplyError> {
        for rows in self.rows(tx, codec, events).await?.unwrap_or_default() {
            rows.write(tx).await?;
        }
        Ok(())
    }
}
