use kernel::{Code, OpportunityTemplateId, Text, formula::Formula};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Complexity, Lever, OpportunityInput};
use crate::questionnaire::VerticalRef;

/// An opportunity of the lever library, to be instantiated where it applies (spec 12.7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct OpportunityTemplate {
    pub id: OpportunityTemplateId,
    /// Unique without regard to case.
    pub code: Code,
    /// Counts the changes of this template, from 1.
    pub version: u32,
    pub vertical: VerticalRef,
    pub lever: Lever,
    pub title: Text<1, 200>,
    pub description: Option<Text<1, 4000>>,
    pub addressable_effort_percent: Decimal,
    pub automation_percent: Decimal,
    pub realization_percent: Decimal,
    pub error_reduction_percent: Decimal,
    pub other_annual_benefit: Decimal,
    pub estimated_investment: Decimal,
    pub annual_run_cost: Decimal,
    pub complexity: Complexity,
    /// 1 to 3; `None` leaves it to the priority score.
    pub start_year: Option<u8>,
    /// Over the vertical's codes; `None`: always.
    pub applies_when: Option<Formula>,
    pub is_active: bool,
}

impl OpportunityTemplate {
    /// What it says about an opportunity.
    #[must_use]
    pub fn input(&self) -> OpportunityInput {
        OpportunityInput {
            vertical_id: self.vertical.id,
            title: self.title.clone(),
            description: self.description.clone(),
            lever: self.lever,
            addressable_effort_percent: self.addressable_effort_percent,
            automation_percent: self.automation_percent,
            realization_percent: self.realization_percent,
            error_reduction_percent: self.error_reduction_percent,
            other_annual_benefit: self.other_annual_benefit,
            estimated_investment: self.estimated_investment,
            annual_run_cost: self.annual_run_cost,
            complexity: self.complexity,
            start_year: self.start_year,
        }
    }
}
