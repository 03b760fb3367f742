//! What pricing has to know of cards, roles and components; other aggregates' facts, taken as they were then.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kernel::{
    AssessmentId, ConsultantRoleId, CurrencyId, OperationsRoleId, RateCardId, RegionId, SolutionComponentId,
    SolutionRateCardId, Text, UserId,
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whose roles a line is priced with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RoleType {
    #[default]
    Operations,
    Consultant,
}

/// A role of either kind; the two count separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum RoleRef {
    Operations(OperationsRoleId),
    Consultant(ConsultantRoleId),
}

impl RoleRef {
    #[must_use]
    pub const fn role_type(self) -> RoleType {
        match self {
            Self::Operations(_) => RoleType::Operations,
            Self::Consultant(_) => RoleType::Consultant,
        }
    }

    #[must_use]
    pub const fn id(self) -> i64 {
        match self {
            Self::Operations(id) => id.get(),
            Self::Consultant(id) => id.get(),
        }
    }
}

/// A master role. Day rates are per working day; `number_of_days` are working days a month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoleFacts {
    pub role: RoleRef,
    pub code: String,
    pub name: String,
    pub is_active: bool,
    pub day_rate_min: Decimal,
    pub day_rate_max: Decimal,
    pub day_rate_current: Decimal,
    /// `None` for a consultant role, which has none of its own.
    pub number_of_days: Option<u32>,
}

/// A role's entry in a rate card (spec 11.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CardRole {
    pub role: RoleRef,
    pub day_rate: Decimal,
    /// Working days a month; `None` leaves it to the role.
    pub number_of_days: Option<u32>,
    /// Per year.
    pub base_salary: Option<Decimal>,
    pub benefit_percentage: Option<Decimal>,
    pub overhead_percentage: Option<Decimal>,
    /// What a day costs the firm itself: given, or the loaded cost of a day (spec 11.5).
    pub cost_day_rate: Option<Decimal>,
    #[serde(rename = "override")]
    pub is_override: bool,
    pub reason: Option<Text<1, 500>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CardStatus {
    #[default]
    Draft,
    Active,
    Archived,
}

impl CardStatus {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Active => "ACTIVE",
            Self::Archived => "ARCHIVED",
        }
    }

    /// The one state that follows.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Draft => Some(Self::Active),
            Self::Active => Some(Self::Archived),
            Self::Archived => None,
        }
    }
}

/// A rate card with its rates at one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CardFacts {
    pub id: RateCardId,
    pub version: u32,
    pub status: CardStatus,
    pub currency: CurrencyId,
    pub region: RegionId,
    pub client: Option<UserId>,
    pub assessment: Option<AssessmentId>,
    pub effective_from: Option<NaiveDate>,
    pub effective_to: Option<NaiveDate>,
    pub roles: Vec<CardRole>,
}

impl CardFacts {
    #[must_use]
    pub fn role(&self, role: RoleRef) -> Option<&CardRole> {
        self.roles.iter().find(|entry| entry.role == role)
    }

    /// Whether the card is in force on `day`.
    #[must_use]
    pub fn is_in_force(&self, day: NaiveDate) -> bool {
        self.status == CardStatus::Active
            && self.effective_from.is_none_or(|from| from <= day)
            && self.effective_to.is_none_or(|to| day <= to)
    }

    /// Whether the card may price that assessment: its own, its client's in the region, or a standard one of the region.
    #[must_use]
    pub fn fits(&self, assessment: AssessmentId, client: UserId, region: RegionId) -> bool {
        match (self.assessment, self.client) {
            (Some(own), of) => own == assessment && of.is_none_or(|of| of == client),
            (None, Some(of)) => of == client && self.region == region,
            (None, None) => self.region == region,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Complexity {
    #[default]
    Low,
    Medium,
    High,
}

/// The multipliers that hold where a solution rate card says nothing (spec 11.1).
#[must_use]
pub fn default_complexity_multipliers() -> BTreeMap<Complexity, Decimal> {
    BTreeMap::from([
        (Complexity::Low, Decimal::new(100, 2)),
        (Complexity::Medium, Decimal::new(125, 2)),
        (Complexity::High, Decimal::new(150, 2)),
    ])
}

/// A component's entry in a solution rate card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct SolutionItem {
    pub component_id: SolutionComponentId,
    pub unit: Text<1, 50>,
    pub rate: Decimal,
    /// What a line of the component is unless it says otherwise.
    pub complexity: Complexity,
    pub multiplier: Decimal,
}

/// A solution rate card at one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SolutionCardFacts {
    pub id: SolutionRateCardId,
    pub version: u32,
    pub status: CardStatus,
    pub currency: CurrencyId,
    pub base_rate_card: Option<RateCardId>,
    pub pmo_percentage: Decimal,
    pub support_percentage: Decimal,
    /// Keys are [`location_key`]s.
    pub location_multipliers: BTreeMap<String, Decimal>,
    pub complexity_multipliers: BTreeMap<Complexity, Decimal>,
    pub items: Vec<SolutionItem>,
}

impl SolutionCardFacts {
    #[must_use]
    pub fn item(&self, component: SolutionComponentId) -> Option<&SolutionItem> {
        self.items.iter().find(|item| item.component_id == component)
    }
}

/// Locations are compared without regard to case and outer blanks.
#[must_use]
pub fn location_key(location: &str) -> String {
    location.trim().to_lowercase()
}

/// A master solution component; the rate is per unit, the effort in days per unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComponentFacts {
    pub id: SolutionComponentId,
    pub code: String,
    pub name: String,
    pub unit: String,
    pub default_rate: Decimal,
    pub default_effort_days: Option<Decimal>,
    pub is_active: bool,
}
