//! One line of a costing and what it comes to (spec 14.3).

use kernel::{LineItemId, OpportunityId, RateCardId, Text};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    CardFacts, Complexity, ComponentFacts, OutOfRange, RoleFacts, RoleRef, SolutionCardFacts,
    amount::{is_multiplier, product, stored, stored_effort},
    default_complexity_multipliers, location_key,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Category {
    #[default]
    Build,
    Transition,
    Licence,
}

/// Where a line's rate comes from, in the order in which it is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RateSource {
    AssessmentCard,
    ClientCard,
    StandardCard,
    Role,
    SolutionRateCard,
    Component,
}

impl RateSource {
    /// What kind of card it is.
    #[must_use]
    pub const fn of(card: &CardFacts) -> Self {
        match (card.assessment, card.client) {
            (Some(_), _) => Self::AssessmentCard,
            (None, Some(_)) => Self::ClientCard,
            (None, None) => Self::StandardCard,
        }
    }
}

/// What somebody asked for in a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineInput {
    pub category: Category,
    pub opportunity_id: Option<OpportunityId>,
    pub location: Option<Text<1, 100>>,
    /// `None` leaves it to the solution rate card, else 1.
    pub multiplier: Option<Decimal>,
    pub work: Work,
}

/// Who works how long, or how much of what is built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Work {
    Role { role: RoleFacts, headcount: Decimal, duration_months: Decimal },
    Component { component: ComponentFacts, quantity: Decimal, complexity: Option<Complexity> },
}

impl LineInput {
    /// The guards of spec 14.3: headcount above 0 and at most 999, duration above 0 and at most 60 months, quantity
    /// above 0, a multiplier above 0.
    ///
    /// # Errors
    /// Names the figure that is out of range.
    pub fn check(&self) -> Result<(), OutOfRange> {
        let within = |value: Decimal, largest: Decimal| value > Decimal::ZERO && value <= largest;
        let figures = match &self.work {
            Work::Role { headcount, duration_months, .. } => [
                ("headcount", within(*headcount, 999.into())),
                ("duration_months", within(*duration_months, 60.into())),
            ],
            Work::Component { quantity, .. } => [("quantity", within(*quantity, 1_000_000_000.into())), ("", true)],
        };
        let multiplier = ("multiplier", self.multiplier.is_none_or(is_multiplier));
        match figures.into_iter().chain([multiplier]).find(|(_, is_fine)| !is_fine) {
            Some((field, _)) => Err(OutOfRange::of(field)),
            None => Ok(()),
        }
    }

    /// Which member says what the line is priced by, and the id in it; a role's kind is its own.
    #[must_use]
    pub const fn subject(&self) -> (&'static str, Option<RoleRef>, i64) {
        match &self.work {
            Work::Role { role, .. } => ("role", Some(role.role), role.role.id()),
            Work::Component { component, .. } => ("component", None, component.id.get()),
        }
    }

    /// Whether what the line is priced by may be used in a new line.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        match &self.work {
            Work::Role { role, .. } => role.is_active,
            Work::Component { component, .. } => component.is_active,
        }
    }
}

impl Work {
    /// The same work with role or component as they are now; what is not among them stays as it was.
    #[must_use]
    pub fn refreshed(mut self, roles: &[RoleFacts], components: &[ComponentFacts]) -> Self {
        match &mut self {
            Self::Role { role, .. } => {
                if let Some(found) = roles.iter().find(|found| found.role == role.role) {
                    *role = found.clone();
                }
            }
            Self::Component { component, .. } => {
                if let Some(found) = components.iter().find(|found| found.id == component.id) {
                    *component = found.clone();
                }
            }
        }
        self
    }
}

/// The resolved rate of a line: per day of a role, per unit of a component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    pub unit_rate: Decimal,
    /// Working days a month; only of a role.
    pub number_of_days: Option<u32>,
    pub cost_day_rate: Option<Decimal>,
    pub source: RateSource,
    pub rate_card: Option<RateCardId>,
}

/// What a line comes to: money in two decimals, effort in four.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineAmounts {
    pub complexity: Option<Complexity>,
    pub complexity_multiplier: Decimal,
    pub multiplier: Decimal,
    pub location_multiplier: Decimal,
    /// False when a location was given that the solution rate card does not know: its multiplier is 1 then.
    pub location_is_known: bool,
    pub effort_days: Decimal,
    pub amount: Decimal,
    /// What the effort costs the firm; `None` without a cost rate.
    pub cost_amount: Option<Decimal>,
}

/// A line, its rate and its amounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    pub id: LineItemId,
    pub input: LineInput,
    pub rate: Rate,
    pub amounts: LineAmounts,
}

impl Line {
    /// Prices a line.
    ///
    /// # Errors
    /// When an amount does not fit.
    pub fn price(
        id: LineItemId,
        input: LineInput,
        rate: Rate,
        card: Option<&SolutionCardFacts>,
    ) -> Result<Self, OutOfRange> {
        let amounts = match &input.work {
            Work::Role { headcount, duration_months, .. } => {
                role_amounts(&input, &rate, card, *headcount, *duration_months)?
            }
            Work::Component { component, quantity, complexity } => {
                component_amounts(&input, &rate, card, component, *quantity, *complexity)?
            }
        };
        Ok(Self { id, input, rate, amounts })
    }
}

/// `amount = headcount * duration_months * number_of_days * unit_rate * location_multiplier * multiplier`.
fn role_amounts(
    input: &LineInput,
    rate: &Rate,
    card: Option<&SolutionCardFacts>,
    headcount: Decimal,
    months: Decimal,
) -> Result<LineAmounts, OutOfRange> {
    let effort = product("effort_days", &[headcount, months, rate.number_of_days.unwrap_or_default().into()])?;
    let (location_multiplier, location_is_known) = location(input, card);
    let multiplier = input.multiplier.unwrap_or(Decimal::ONE);
    let amount = product("amount", &[effort, rate.unit_rate, location_multiplier, multiplier])?;
    let cost = rate.cost_day_rate.map(|cost| stored("cost_amount", product("cost_amount", &[effort, cost])?));
    Ok(LineAmounts {
        complexity: None,
        complexity_multiplier: kernel::rounded(Decimal::ONE, 2),
        multiplier: kept(multiplier),
        location_multiplier: kept(location_multiplier),
        location_is_known,
        effort_days: stored_effort("effort_days", effort)?,
        amount: stored("amount", amount)?,
        cost_amount: cost.transpose()?,
    })
}

/// `amount = quantity * unit_rate * complexity_multiplier * multiplier`.
fn component_amounts(
    input: &LineInput,
    rate: &Rate,
    card: Option<&SolutionCardFacts>,
    component: &ComponentFacts,
    quantity: Decimal,
    complexity: Option<Complexity>,
) -> Result<LineAmounts, OutOfRange> {
    let item = card.and_then(|card| card.item(component.id));
    let complexity = complexity.or(item.map(|item| item.complexity)).unwrap_or_default();
    let complexity_multiplier = card
        .and_then(|card| card.complexity_multipliers.get(&complexity).copied())
        .or_else(|| default_complexity_multipliers().remove(&complexity))
        .unwrap_or(Decimal::ONE);
    let multiplier = input.multiplier.or(item.map(|item| item.multiplier)).unwrap_or(Decimal::ONE);
    let amount = product("amount", &[quantity, rate.unit_rate, complexity_multiplier, multiplier])?;
    let effort = product("effort_days", &[quantity, component.default_effort_days.unwrap_or_default()])?;
    Ok(LineAmounts {
        complexity: Some(complexity),
        complexity_multiplier: kept(complexity_multiplier),
        multiplier: kept(multiplier),
        // A component is built, not placed: its location is told but multiplies nothing.
        location_multiplier: kernel::rounded(Decimal::ONE, 2),
        location_is_known: true,
        effort_days: stored_effort("effort_days", effort)?,
        amount: stored("amount", amount)?,
        cost_amount: None,
    })
}

fn location(input: &LineInput, card: Option<&SolutionCardFacts>) -> (Decimal, bool) {
    let Some(name) = &input.location else { return (Decimal::ONE, true) };
    let found = card.and_then(|card| card.location_multipliers.get(&location_key(name)));
    (found.copied().unwrap_or(Decimal::ONE), found.is_some())
}

/// A multiplier with at least two decimals, and no more than it was given.
fn kept(multiplier: Decimal) -> Decimal {
    kernel::rounded(multiplier, multiplier.scale().max(2))
}
