use std::collections::BTreeMap;

use kernel::{CurrencyId, RateCardId, SolutionComponentId, Text};
use rust_decimal::Decimal;

use crate::{
    pricing::{CardStatus, Complexity, ComponentFacts},
    rate_card::{Reference, Staff},
};

/// What can be asked of a solution rate card.
#[derive(Debug, Clone, PartialEq)]
pub enum SolutionRateCardCommand {
    Create(Box<NewSolutionRateCard>),
    /// `staff` are those of the base card's client or assessment now; `components` those that the changes name.
    Revise {
        changes: Box<SolutionCardChanges>,
        staff: Staff,
        components: Vec<ComponentFacts>,
    },
}

/// The rate card that a solution rate card stands on; who may write the one may write the other.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseCard {
    pub id: RateCardId,
    pub currency: CurrencyId,
    /// Of a client or an assessment.
    pub is_custom: bool,
    pub is_archived: bool,
    pub staff: Staff,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NewSolutionRateCard {
    pub base: Option<BaseCard>,
    pub currency: Reference<CurrencyId>,
    /// Everything else, as in a revision; `name` is required.
    pub name: Text<1, 200>,
    pub terms: SolutionCardChanges,
    pub components: Vec<ComponentFacts>,
}

/// A partial update: what is kept is absent, a given list or map replaces the whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SolutionCardChanges {
    pub name: Option<Text<1, 200>>,
    pub status: Option<CardStatus>,
    pub pmo_percentage: Option<Decimal>,
    pub support_percentage: Option<Decimal>,
    pub location_multipliers: Option<BTreeMap<String, Decimal>>,
    /// A level that is absent has its default: LOW 1.00, MEDIUM 1.25, HIGH 1.50.
    pub complexity_multipliers: Option<BTreeMap<Complexity, Decimal>>,
    pub items: Option<Vec<ItemInput>>,
}

/// The rate of one component; what is absent is the component's own, or 1.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemInput {
    pub component: SolutionComponentId,
    pub unit: Option<Text<1, 50>>,
    pub rate: Option<Decimal>,
    pub complexity: Option<Complexity>,
    pub multiplier: Option<Decimal>,
}
