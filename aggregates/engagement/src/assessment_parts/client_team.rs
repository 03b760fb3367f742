use std::collections::BTreeSet;

use kernel::{UserId, VerticalId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A consultant of the client for one vertical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Pairing {
    pub vertical: VerticalId,
    pub consultant: UserId,
}

/// Who works for the client: reviewer and consultants.
///
/// The client's pairs are kept for all its verticals, so that a vertical added later finds its consultants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientTeam {
    pub reviewer: Option<UserId>,
    pub pairs: BTreeSet<Pairing>,
}

impl ClientTeam {
    /// The consultants who are paired with the client for one of `verticals`.
    #[must_use]
    pub fn consultants(&self, verticals: &[VerticalId]) -> BTreeSet<UserId> {
        self.pairs.iter().filter(|pair| verticals.contains(&pair.vertical)).map(|pair| pair.consultant).collect()
    }
}
