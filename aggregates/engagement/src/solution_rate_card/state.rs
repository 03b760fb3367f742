use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::{Actor, CurrencyId, RateCardId, Resource, Role, SolutionRateCardId, Stamp, UserId};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{SolutionCardTerms, SolutionRateCardEvent};
use crate::{
    pricing::{CardStatus, Complexity, SolutionCardFacts, SolutionItem},
    rate_card::Staff,
};

/// A solution rate card as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum SolutionRateCard {
    #[default]
    NotYet,
    Known(Box<KnownSolutionCard>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownSolutionCard {
    pub base_rate_card: Option<RateCardId>,
    pub currency_id: CurrencyId,
    pub is_custom: bool,
    pub terms: SolutionCardTerms,
    pub status: CardStatus,
    /// Starts at 1.
    pub version: u32,
    pub created_by: Option<UserId>,
}

impl KnownSolutionCard {
    /// Staff see general cards; one on a custom base card is seen by those who work for its client or assessment.
    #[must_use]
    pub fn can_see(&self, actor: Actor, staff: &Staff) -> bool {
        actor.role() != Some(Role::Client) && (!self.is_custom || staff.includes(actor))
    }
}

impl SolutionRateCard {
    #[must_use]
    pub fn known(&self) -> Option<&KnownSolutionCard> {
        match self {
            Self::NotYet => None,
            Self::Known(card) => Some(card),
        }
    }

    /// The card as pricing takes it.
    #[must_use]
    pub fn facts(&self, id: SolutionRateCardId) -> Option<SolutionCardFacts> {
        self.known().map(|card| SolutionCardFacts {
            id,
            version: card.version,
            status: card.status,
            currency: card.currency_id,
            base_rate_card: card.base_rate_card,
            pmo_percentage: card.terms.pmo_percentage,
            support_percentage: card.terms.support_percentage,
            location_multipliers: card.terms.location_multipliers.clone(),
            complexity_multipliers: card.terms.complexity_multipliers.clone(),
            items: card.terms.items.clone(),
        })
    }

    pub(super) fn record(&mut self, event: SolutionRateCardEvent) {
        match (self, event) {
            (this, SolutionRateCardEvent::Created { base_rate_card, currency_id, is_custom, terms, by }) => {
                *this = Self::Known(Box::new(KnownSolutionCard {
                    base_rate_card,
                    currency_id,
                    is_custom,
                    terms: *terms,
                    status: CardStatus::Draft,
                    version: 1,
                    created_by: by,
                }));
            }
            (Self::Known(card), SolutionRateCardEvent::Revised { version, terms }) => {
                card.version = version;
                card.terms = *terms;
            }
            (Self::Known(card), SolutionRateCardEvent::Activated) => card.status = CardStatus::Active,
            (Self::Known(card), SolutionRateCardEvent::Archived) => card.status = CardStatus::Archived,
            (Self::NotYet, _) => {}
        }
    }
}

/// A solution rate card as the API shows it (spec 11.1).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SolutionRateCardView {
    pub id: i64,
    pub name: String,
    pub base_rate_card: Option<RateCardId>,
    pub currency: CurrencyId,
    pub pmo_percentage: Decimal,
    pub support_percentage: Decimal,
    pub location_multipliers: BTreeMap<String, Decimal>,
    pub complexity_multipliers: BTreeMap<Complexity, Decimal>,
    pub items: Vec<SolutionItem>,
    pub status: CardStatus,
    /// The card's own; the stream's is the ETag.
    pub version: u32,
    pub created_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for SolutionRateCard {
    type State = Self;
    type View = SolutionRateCardView;

    fn state(&self) -> &Self {
        self
    }

    fn record(state: &mut Self, event: SolutionRateCardEvent) {
        state.record(event);
    }

    fn view(state: &Self, stamp: &Stamp) -> Option<SolutionRateCardView> {
        let card = state.known()?.clone();
        Some(SolutionRateCardView {
            id: stamp.number(),
            name: card.terms.name.to_string(),
            base_rate_card: card.base_rate_card,
            currency: card.currency_id,
            pmo_percentage: card.terms.pmo_percentage,
            support_percentage: card.terms.support_percentage,
            location_multipliers: card.terms.location_multipliers,
            complexity_multipliers: card.terms.complexity_multipliers,
            items: card.terms.items,
            status: card.status,
            version: card.version,
            created_by: card.created_by,
            created_at: stamp.created_at,
            updated_at: stamp.updated_at,
        })
    }
}
