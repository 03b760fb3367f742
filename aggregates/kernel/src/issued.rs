//! A command with all that the outside knows about it.

use chrono::{DateTime, NaiveDate, Utc};

use crate::Actor;

/// Who commands what, and when. An aggregate knows nothing else of the outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Issued<C> {
    pub by: Actor,
    pub at: DateTime<Utc>,
    pub command: C,
}

impl<C> Issued<C> {
    pub const fn new(by: Actor, at: DateTime<Utc>, command: C) -> Self {
        Self { by, at, command }
    }

    /// The UTC day of the command.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.at.date_naive()
    }
}
