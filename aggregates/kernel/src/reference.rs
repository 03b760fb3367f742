//! What one aggregate is told of another, and what links a cascade.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Text;

/// The id of another thing, and whether it may be newly referred to: it exists, is active and not deleted.
///
/// Existing references stay as they are when the thing is deactivated; only new ones are refused (spec 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference<I> {
    pub id: I,
    pub is_active: bool,
}

impl<I: Copy + PartialEq> Reference<I> {
    pub const fn new(id: I, is_active: bool) -> Self {
        Self { id, is_active }
    }

    /// The id, unless it is a new reference to something inactive.
    #[must_use]
    pub fn over(self, old: Option<I>) -> Option<I> {
        (self.is_active || old == Some(self.id)).then_some(self.id)
    }
}

/// One deletion and all that it took along, so that its restoration brings back exactly that (spec 21).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CascadeId(pub Text<1, 64>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_new_reference_to_something_inactive_is_refused() {
        assert_eq!(Reference::new(1, true).over(None), Some(1));
        assert_eq!(Reference::new(1, false).over(Some(1)), Some(1));
        assert_eq!(Reference::new(1, false).over(Some(2)), None);
        assert_eq!(Reference::new(1, false).over(None), None);
    }
}
