use std::collections::BTreeMap;

use kernel::{CurrencyId, RateCardId, Text, UserId, domain_event};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pricing::{Complexity, SolutionItem};

/// What happened to a solution rate card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum SolutionRateCardEvent {
    Created {
        base_rate_card: Option<RateCardId>,
        currency_id: CurrencyId,
        /// The base card is of a client or an assessment.
        is_custom: bool,
        terms: Box<SolutionCardTerms>,
        by: Option<UserId>,
    },
    /// Everything that the new version says.
    Revised {
        version: u32,
        terms: Box<SolutionCardTerms>,
    },
    Activated,
    Archived,
}

/// What a version says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SolutionCardTerms {
    pub name: Text<1, 200>,
    pub pmo_percentage: Decimal,
    pub support_percentage: Decimal,
    /// Keys are trimmed and in lower case.
    pub location_multipliers: BTreeMap<String, Decimal>,
    pub complexity_multipliers: BTreeMap<Complexity, Decimal>,
    pub items: Vec<SolutionItem>,
}

domain_event!(SolutionRateCardEvent:
    Created => "solution_rate_card.created",
    Revised => "solution_rate_card.revised",
    Activated => "solution_rate_card.activated",
    Archived => "solution_rate_card.archived",
);
