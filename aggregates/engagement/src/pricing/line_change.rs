//! A partial update of what somebody asked for in a line.

use kernel::{Change, OpportunityId, Text};
use rust_decimal::Decimal;

use super::{Category, Complexity, ComponentFacts, LineInput, RoleFacts, Work};

/// What is kept is absent. A line stays of its kind: what belongs to the other kind is refused.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LineChanges {
    pub category: Option<Category>,
    pub opportunity_id: Change<OpportunityId>,
    pub location: Change<Text<1, 100>>,
    pub multiplier: Change<Decimal>,
    pub role: Option<RoleFacts>,
    pub headcount: Option<Decimal>,
    pub duration_months: Option<Decimal>,
    pub component: Option<ComponentFacts>,
    pub quantity: Option<Decimal>,
    pub complexity: Change<Complexity>,
}

/// A member that a line of this kind does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line of this kind has no {0}")]
pub struct NotOfThisKind(pub &'static str);

impl LineChanges {
    /// The line's input after the change.
    ///
    /// # Errors
    /// When a member belongs to the other kind of line.
    pub fn over(self, old: LineInput) -> Result<LineInput, NotOfThisKind> {
        let work = match old.work {
            Work::Role { role, headcount, duration_months } => {
                let foreign = [
                    (self.component.is_some(), "component"),
                    (self.quantity.is_some(), "quantity"),
                    (matches!(self.complexity, Change::Set(_)), "complexity"),
                ];
                none_of(foreign)?;
                Work::Role {
                    role: self.role.unwrap_or(role),
                    headcount: self.headcount.unwrap_or(headcount),
                    duration_months: self.duration_months.unwrap_or(duration_months),
                }
            }
            Work::Component { component, quantity, complexity } => {
                let foreign = [
                    (self.role.is_some(), "role"),
                    (self.headcount.is_some(), "headcount"),
                    (self.duration_months.is_some(), "duration_months"),
                ];
                none_of(foreign)?;
                Work::Component {
                    component: self.component.unwrap_or(component),
                    quantity: self.quantity.unwrap_or(quantity),
                    complexity: self.complexity.over(complexity),
                }
            }
        };
        Ok(LineInput {
            category: self.category.unwrap_or(old.category),
            opportunity_id: self.opportunity_id.over(old.opportunity_id),
            location: self.location.over(old.location),
            multiplier: self.multiplier.over(old.multiplier),
            work,
        })
    }
}

fn none_of(foreign: [(bool, &'static str); 3]) -> Result<(), NotOfThisKind> {
    match foreign.into_iter().find(|(is_given, _)| *is_given) {
        Some((_, member)) => Err(NotOfThisKind(member)),
        None => Ok(()),
    }
}
