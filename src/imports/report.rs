//! What an import came to.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The counts of an import.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Report {
    pub created: usize,
    pub updated: usize,
    pub unchanged: usize,
    /// Rows that the file's rows took the place of (benchmarks only).
    pub removed: usize,
    /// Always empty: an import with an error is refused whole.
    pub errors: Vec<Value>,
    /// Nothing was kept: this is what the import would come to.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// The version of the question bank from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_version: Option<u32>,
    /// The version of the benchmark set from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_version: Option<u32>,
}

impl Report {
    /// What is different in a library after an import of so many items.
    pub(super) fn between<T: PartialEq>(before: &BTreeMap<i64, T>, after: &BTreeMap<i64, T>, items: usize) -> Self {
        let created = after.keys().filter(|id| !before.contains_key(id)).count();
        let removed = before.keys().filter(|id| !after.contains_key(id)).count();
        let changed = |(id, new): &(&i64, &T)| before.get(*id).is_some_and(|old| old != *new);
        let updated = after.iter().filter(changed).count();
        let unchanged = items.saturating_sub(created).saturating_sub(updated);
        Self { created, updated, unchanged, removed, ..Self::default() }
    }
}

/// The items of a library by their ids.
pub(super) fn by_id<I: Into<i64>, T>(items: impl Iterator<Item = (I, T)>) -> BTreeMap<i64, T> {
    items.map(|(id, item)| (id.into(), item)).collect()
}
