//! What an aggregate looks like from outside.

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What the journal knows of an aggregate beside its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The stream's id; a number for every resource of the API.
    pub id: String,
    /// The last event's sequence: the resource's ETag.
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Stamp {
    /// The id as a number; 0 for a stream that is no resource of the API.
    #[must_use]
    pub fn number(&self) -> i64 {
        self.id.parse().unwrap_or_default()
    }
}

/// An aggregate that the API shows. The view is made here and nowhere else: a command answers with it,
/// the resource's projection stores it, queries return it.
pub trait Resource: Aggregate {
    /// The part of the aggregate that the view is made of; often the aggregate itself.
    type State: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static;
    type View: Serialize;

    /// That part of this aggregate.
    fn state(&self) -> &Self::State;

    /// Folds one event into the part. `Aggregate::apply` does the same for the whole.
    fn record(state: &mut Self::State, event: Self::Event);

    /// `None` while the first command has not been given.
    fn view(state: &Self::State, stamp: &Stamp) -> Option<Self::View>;
}
