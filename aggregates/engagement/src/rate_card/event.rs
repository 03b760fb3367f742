use chrono::NaiveDate;
use kernel::{AssessmentId, CurrencyId, RateCardId, RegionId, Text, UserId, domain_event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pricing::CardRole;

/// What happened to a rate card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum RateCardEvent {
    Created {
        details: RateCardDetails,
        currency_id: CurrencyId,
        region_id: RegionId,
        client_id: Option<UserId>,
        assessment_id: Option<AssessmentId>,
        by: Option<UserId>,
    },
    /// Name and dates as they are from now on.
    DetailsChanged(RateCardDetails),
    /// All rates of the new version.
    Revised {
        version: u32,
        roles: Vec<CardRole>,
    },
    Activated,
    Archived,
    /// Archived because a newer card took its place.
    Superseded {
        newer: RateCardId,
    },
}

/// What of a card can be changed and is no rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RateCardDetails {
    pub name: Text<1, 200>,
    pub effective_from: Option<NaiveDate>,
    pub effective_to: Option<NaiveDate>,
}

domain_event!(RateCardEvent:
    Created => "rate_card.created",
    DetailsChanged => "rate_card.details_changed",
    Revised => "rate_card.revised",
    Activated => "rate_card.activated",
    Archived => "rate_card.archived",
    Superseded => "rate_card.superseded",
);
