//! Old event versions to new ones. No version has been replaced yet.

use cqrs_es::persist::EventUpcaster;

/// In the order in which they are to be applied.
#[must_use]
pub fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    Vec::new()
}
