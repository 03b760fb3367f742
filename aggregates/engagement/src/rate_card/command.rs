use chrono::NaiveDate;
use kernel::{Actor, AssessmentId, Change, CurrencyId, RateCardId, RegionId, Role, Text, UserId};
use rust_decimal::Decimal;

use crate::pricing::{CardStatus, RoleFacts, RoleRef};

/// What can be asked of a rate card.
///
/// That at most one card of a slot is ACTIVE is kept outside: `Revise` to ACTIVE and the older card's `Supersede` are
/// one append.
#[derive(Debug, Clone, PartialEq)]
pub enum RateCardCommand {
    Create(NewRateCard),
    Revise {
        changes: CardChanges,
        /// The roles that the changes name, as they are now.
        roles: Vec<RoleFacts>,
        /// Who works for the card's client or assessment now; empty for a standard card.
        staff: Staff,
    },
    /// A newer card of the same slot became ACTIVE.
    Supersede {
        newer: RateCardId,
    },
}

/// Another context's thing that a card refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference<I> {
    pub id: I,
    pub is_active: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NewRateCard {
    pub name: Text<1, 200>,
    pub currency: Reference<CurrencyId>,
    pub region: Reference<RegionId>,
    pub client: Option<ClientScope>,
    pub assessment: Option<AssessmentScope>,
    pub effective_from: Option<NaiveDate>,
    pub effective_to: Option<NaiveDate>,
}

/// The client whose card it is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientScope {
    pub id: UserId,
    pub is_active: bool,
    pub staff: Staff,
}

/// The assessment whose card it is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct AssessmentScope {
    pub id: AssessmentId,
    pub client: UserId,
    pub is_deleted: bool,
    pub staff: Staff,
}

/// Who works for a client or on an assessment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Staff {
    pub reviewer: Option<UserId>,
    /// Paired with the client, or managing the assessment.
    pub consultants: Vec<UserId>,
}

impl Staff {
    /// ADMIN, and whoever is among the staff in the role that they have.
    #[must_use]
    pub fn includes(&self, actor: Actor) -> bool {
        match actor {
            Actor::System | Actor::User { role: Role::Admin, .. } => true,
            Actor::User { id, role: Role::Reviewer } => self.reviewer == Some(id),
            Actor::User { id, role: Role::Consultant } => self.consultants.contains(&id),
            Actor::User { role: Role::Client, .. } => false,
        }
    }
}

/// A partial update: what is kept is absent, a given list replaces that list whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CardChanges {
    pub name: Option<Text<1, 200>>,
    pub status: Option<CardStatus>,
    pub effective_from: Change<NaiveDate>,
    pub effective_to: Change<NaiveDate>,
    /// Every entry names an operations role.
    pub operations_roles: Option<Vec<RoleRate>>,
    /// Every entry names a consultant role.
    pub consultant_roles: Option<Vec<RoleRate>>,
}

/// The rates of one role. Day rates per working day, salary a year, percentages of the salary.
#[derive(Debug, Clone, PartialEq)]
pub struct RoleRate {
    pub role: RoleRef,
    pub day_rate: Decimal,
    pub number_of_days: Option<u32>,
    pub base_salary: Option<Decimal>,
    pub benefit_percentage: Option<Decimal>,
    pub overhead_percentage: Option<Decimal>,
    pub cost_day_rate: Option<Decimal>,
    pub is_override: bool,
    pub reason: Option<Text<1, 500>>,
}
