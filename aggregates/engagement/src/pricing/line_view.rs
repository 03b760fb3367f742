//! What a line looks like from outside.

use kernel::{LineItemId, OpportunityId, SolutionComponentId};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Category, Complexity, Line, RateSource, RoleType, Work};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LineKind {
    Role,
    Component,
}

/// A line item as the API shows it (spec 14.3); what belongs to the other kind is null.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LineItemView {
    pub id: LineItemId,
    pub solution_costing: i64,
    pub kind: LineKind,
    pub category: Category,
    pub opportunity_id: Option<OpportunityId>,
    pub role: Option<i64>,
    pub role_type: Option<RoleType>,
    pub headcount: Option<Decimal>,
    pub location: Option<String>,
    pub duration_months: Option<Decimal>,
    pub component: Option<SolutionComponentId>,
    pub quantity: Option<Decimal>,
    pub unit_rate: Decimal,
    pub complexity: Option<Complexity>,
    pub complexity_multiplier: Decimal,
    pub multiplier: Decimal,
    pub location_multiplier: Decimal,
    pub effort_days: Decimal,
    pub amount: Decimal,
    pub cost_amount: Option<Decimal>,
    pub rate_source: RateSource,
    /// `UNKNOWN_LOCATION`: the location multiplier is 1 because the solution rate card does not name the location.
    pub warnings: Vec<&'static str>,
}

impl Line {
    /// The line as one of costing `solution_costing`.
    #[must_use]
    pub fn view(&self, solution_costing: i64) -> LineItemView {
        let (input, amounts) = (&self.input, &self.amounts);
        let mut view = LineItemView {
            id: self.id,
            solution_costing,
            kind: LineKind::Role,
            category: input.category,
            opportunity_id: input.opportunity_id,
            role: None,
            role_type: None,
            headcount: None,
            location: input.location.as_ref().map(ToString::to_string),
            duration_months: None,
            component: None,
            quantity: None,
            unit_rate: self.rate.unit_rate,
            complexity: amounts.complexity,
            complexity_multiplier: amounts.complexity_multiplier,
            multiplier: amounts.multiplier,
            location_multiplier: amounts.location_multiplier,
            effort_days: amounts.effort_days,
            amount: amounts.amount,
            cost_amount: amounts.cost_amount,
            rate_source: self.rate.source,
            warnings: if amounts.location_is_known { Vec::new() } else { vec!["UNKNOWN_LOCATION"] },
        };
        match &input.work {
            Work::Role { role, headcount, duration_months } => {
                view.role = Some(role.role.id());
                view.role_type = Some(role.role.role_type());
                view.headcount = Some(*headcount);
                view.duration_months = Some(*duration_months);
            }
            Work::Component { component, quantity, .. } => {
                view.kind = LineKind::Component;
                view.component = Some(component.id);
                view.quantity = Some(*quantity);
            }
        }
        view
    }
}
