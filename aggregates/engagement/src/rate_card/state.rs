use chrono::{DateTime, NaiveDate, Utc};
use kernel::{Actor, AssessmentId, CurrencyId, RateCardId, RegionId, Resource, Role, Stamp, UserId};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{RateCardDetails, RateCardEvent, Staff};
use crate::pricing::{CardFacts, CardRole, CardStatus, RoleType};

/// A rate card as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum RateCard {
    #[default]
    NotYet,
    Known(CardState),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CardState {
    pub details: RateCardDetails,
    pub currency_id: CurrencyId,
    pub region_id: RegionId,
    pub client_id: Option<UserId>,
    pub assessment_id: Option<AssessmentId>,
    pub status: CardStatus,
    /// Of the rates; starts at 1.
    pub version: u32,
    pub roles: Vec<CardRole>,
    pub created_by: Option<UserId>,
    pub superseded_by: Option<RateCardId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CardScope {
    Standard,
    Custom,
}

/// Of all cards with the same slot at most one is ACTIVE (spec 11.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CardSlot {
    pub scope: CardScope,
    pub client: Option<UserId>,
    pub assessment: Option<AssessmentId>,
    pub region: RegionId,
    pub currency: CurrencyId,
}

impl CardState {
    #[must_use]
    pub const fn scope(&self) -> CardScope {
        if self.client_id.is_none() && self.assessment_id.is_none() { CardScope::Standard } else { CardScope::Custom }
    }

    #[must_use]
    pub const fn slot(&self) -> CardSlot {
        CardSlot {
            scope: self.scope(),
            client: self.client_id,
            assessment: self.assessment_id,
            region: self.region_id,
            currency: self.currency_id,
        }
    }

    /// Staff see standard cards; a custom one is seen by those who work for its client or assessment.
    #[must_use]
    pub fn can_see(&self, actor: Actor, staff: &Staff) -> bool {
        actor.role() != Some(Role::Client) && (self.scope() == CardScope::Standard || staff.includes(actor))
    }
}

impl RateCard {
    #[must_use]
    pub const fn known(&self) -> Option<&CardState> {
        match self {
            Self::NotYet => None,
            Self::Known(card) => Some(card),
        }
    }

    /// The card as pricing takes it.
    #[must_use]
    pub fn facts(&self, id: RateCardId) -> Option<CardFacts> {
        self.known().map(|card| CardFacts {
            id,
            version: card.version,
            status: card.status,
            currency: card.currency_id,
            region: card.region_id,
            client: card.client_id,
            assessment: card.assessment_id,
            effective_from: card.details.effective_from,
            effective_to: card.details.effective_to,
            roles: card.roles.clone(),
        })
    }

    pub(super) fn record(&mut self, event: RateCardEvent) {
        if let RateCardEvent::Created { details, currency_id, region_id, client_id, assessment_id, by } = event {
            *self = Self::Known(CardState {
                details,
                currency_id,
                region_id,
                client_id,
                assessment_id,
                status: CardStatus::Draft,
                version: 1,
                roles: Vec::new(),
                created_by: by,
                superseded_by: None,
            });
            return;
        }
        let Self::Known(card) = self else { return };
        match event {
            RateCardEvent::Created { .. } => {}
            RateCardEvent::DetailsChanged(details) => card.details = details,
            RateCardEvent::Revised { version, roles } => {
                card.version = version;
                card.roles = roles;
            }
            RateCardEvent::Activated => card.status = CardStatus::Active,
            RateCardEvent::Archived => card.status = CardStatus::Archived,
            RateCardEvent::Superseded { newer } => {
                card.status = CardStatus::Archived;
                card.superseded_by = Some(newer);
            }
        }
    }
}

/// A rate card as the API shows it (spec 11.1).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RateCardView {
    pub id: i64,
    pub name: String,
    /// Of the rates; the stream's own version is the ETag.
    pub version: u32,
    pub currency: CurrencyId,
    pub region: RegionId,
    pub scope: CardScope,
    pub status: CardStatus,
    pub client: Option<UserId>,
    pub assessment: Option<AssessmentId>,
    pub effective_from: Option<NaiveDate>,
    pub effective_to: Option<NaiveDate>,
    pub operations_roles: Vec<CardRoleView>,
    pub consultant_roles: Vec<CardRoleView>,
    pub superseded_by: Option<RateCardId>,
    pub created_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A role's rates in a card.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CardRoleView {
    pub rate_card_id: i64,
    pub role_id: i64,
    pub day_rate: Decimal,
    pub number_of_days: Option<u32>,
    pub base_salary: Option<Decimal>,
    pub benefit_percentage: Option<Decimal>,
    pub overhead_percentage: Option<Decimal>,
    pub cost_day_rate: Option<Decimal>,
    #[serde(rename = "override")]
    pub is_override: bool,
    pub reason: Option<String>,
}

fn roles(card: &CardState, id: i64, of: RoleType) -> Vec<CardRoleView> {
    let of_type = card.roles.iter().filter(|entry| entry.role.role_type() == of);
    of_type
        .map(|entry| CardRoleView {
            rate_card_id: id,
            role_id: entry.role.id(),
            day_rate: entry.day_rate,
            number_of_days: entry.number_of_days,
            base_salary: entry.base_salary,
            benefit_percentage: entry.benefit_percentage,
            overhead_percentage: entry.overhead_percentage,
            cost_day_rate: entry.cost_day_rate,
            is_override: entry.is_override,
            reason: entry.reason.as_ref().map(ToString::to_string),
        })
        .collect()
}

impl Resource for RateCard {
    type State = Self;
    type View = RateCardView;

    fn state(&self) -> &Self {
        self
    }

    fn record(state: &mut Self, event: RateCardEvent) {
        state.record(event);
    }

    fn view(state: &Self, stamp: &Stamp) -> Option<RateCardView> {
        let card = state.known()?;
        Some(RateCardView {
            id: stamp.number(),
            name: card.details.name.to_string(),
            version: card.version,
            currency: card.currency_id,
            region: card.region_id,
            scope: card.scope(),
            status: card.status,
            client: card.client_id,
            assessment: card.assessment_id,
            effective_from: card.details.effective_from,
            effective_to: card.details.effective_to,
            operations_roles: roles(card, stamp.number(), RoleType::Operations),
            consultant_roles: roles(card, stamp.number(), RoleType::Consultant),
            superseded_by: card.superseded_by,
            created_by: card.created_by,
            created_at: stamp.created_at,
            updated_at: stamp.updated_at,
        })
    }
}
