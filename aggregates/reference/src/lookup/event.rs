use cqrs_es::DomainEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::LookupKind;

/// What happened to a look-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(bound = "")]
#[schemars(rename = "{K}Event")]
pub enum LookupEvent<K: LookupKind> {
    Created(K::Details),
    /// The details as they are from now on.
    DetailsChanged(K::Details),
    /// For the first time something refers to it.
    Used,
    Deleted,
    Restored,
}

impl<K: LookupKind> LookupEvent<K> {
    /// Stored type and version of every event of this aggregate.
    pub const TYPES: &'static [(&'static str, &'static str)] = &K::EVENTS;

    fn named(&self) -> (&'static str, &'static str) {
        let [created, details_changed, used, deleted, restored] = K::EVENTS;
        match self {
            Self::Created(_) => created,
            Self::DetailsChanged(_) => details_changed,
            Self::Used => used,
            Self::Deleted => deleted,
            Self::Restored => restored,
        }
    }
}

// By hand, because the names depend on the kind.
impl<K: LookupKind> DomainEvent for LookupEvent<K> {
    fn event_type(&self) -> String {
        self.named().0.to_owned()
    }

    fn event_version(&self) -> String {
        self.named().1.to_owned()
    }
}
