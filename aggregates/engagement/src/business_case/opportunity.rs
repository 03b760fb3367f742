use kernel::{AssessmentId, Change, OpportunityId, OpportunityTemplateId, Text, VerticalId};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::BadParameter;

/// The means by which effort or errors go away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Lever {
    Rpa,
    Idp,
    Workflow,
    Standardisation,
    Outsourcing,
    Policy,
    Ai,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Complexity {
    Low,
    Medium,
    High,
}

/// Where an opportunity comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Source {
    /// Instantiated from the lever library and renewed with every analysis.
    Template,
    /// Entered by hand; an analysis only recomputes its figures.
    Manual,
    /// From the library, then changed by hand; the changes survive an analysis.
    Adjusted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OpportunityStatus {
    Active,
    /// The last analysis did not find it any more, but a costing uses it. Counts in no total.
    Stale,
    /// Removed by hand. Counts in no total and is not shown; kept so that an analysis does not bring it back.
    Removed,
}

/// What a person (or a template) says about an opportunity (spec 12.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpportunityInput {
    pub vertical_id: VerticalId,
    pub title: Text<1, 200>,
    #[serde(default)]
    pub description: Option<Text<1, 4000>>,
    pub lever: Lever,
    #[serde(default)]
    pub addressable_effort_percent: Decimal,
    #[serde(default)]
    pub automation_percent: Decimal,
    #[serde(default)]
    pub realization_percent: Decimal,
    #[serde(default)]
    pub error_reduction_percent: Decimal,
    /// Money a year, beside effort and errors.
    #[serde(default)]
    pub other_annual_benefit: Decimal,
    /// Money, once.
    #[serde(default)]
    pub estimated_investment: Decimal,
    /// Money a year.
    #[serde(default)]
    pub annual_run_cost: Decimal,
    pub complexity: Complexity,
    /// 1 to 3. When it is given it is kept; else the priority score decides.
    #[serde(default)]
    pub start_year: Option<u8>,
}

/// A partial update of an opportunity: what is absent stays; the vertical cannot change.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OpportunityChanges {
    pub title: Option<Text<1, 200>>,
    pub description: Change<Text<1, 4000>>,
    pub lever: Option<Lever>,
    pub addressable_effort_percent: Option<Decimal>,
    pub automation_percent: Option<Decimal>,
    pub realization_percent: Option<Decimal>,
    pub error_reduction_percent: Option<Decimal>,
    pub other_annual_benefit: Option<Decimal>,
    pub estimated_investment: Option<Decimal>,
    pub annual_run_cost: Option<Decimal>,
    pub complexity: Option<Complexity>,
    /// `null` leaves it to the priority score again.
    pub start_year: Change<u8>,
}

/// One way to save, with what it is worth (spec 12.4), as stored: FTE 4 decimals, money 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Opportunity {
    pub id: OpportunityId,
    pub assessment_id: AssessmentId,
    pub vertical_id: VerticalId,
    pub source: Source,
    pub status: OpportunityStatus,
    /// The template it was made from, if any.
    pub template_id: Option<OpportunityTemplateId>,
    pub title: Text<1, 200>,
    pub description: Option<Text<1, 4000>>,
    pub lever: Lever,
    pub addressable_effort_percent: Decimal,
    pub automation_percent: Decimal,
    pub realization_percent: Decimal,
    pub error_reduction_percent: Decimal,
    pub other_annual_benefit: Decimal,
    pub estimated_investment: Decimal,
    pub annual_run_cost: Decimal,
    pub complexity: Complexity,
    /// 1 to 3.
    pub start_year: u8,
    /// Whether the start year was given by hand or template rather than by the priority score.
    pub start_year_given: bool,
    /// 0 to 100, two decimals.
    pub priority_score: Decimal,
    pub fte_savings: Decimal,
    pub labour_savings: Decimal,
    pub error_savings: Decimal,
    /// Labour, errors and other benefits, a year.
    pub gross_savings: Decimal,
    /// Gross less run cost, a year.
    pub net_savings: Decimal,
}

impl OpportunityInput {
    /// # Errors
    /// The first member that is outside its bounds: shares 0 to 100, money not below 0, start year 1 to 3.
    pub fn check(&self) -> Result<(), BadParameter> {
        let shares = [
            ("addressable_effort_percent", self.addressable_effort_percent),
            ("automation_percent", self.automation_percent),
            ("realization_percent", self.realization_percent),
            ("error_reduction_percent", self.error_reduction_percent),
        ];
        let amounts = [
            ("other_annual_benefit", self.other_annual_benefit),
            ("estimated_investment", self.estimated_investment),
            ("annual_run_cost", self.annual_run_cost),
        ];
        if let Some((field, _)) =
            shares.iter().find(|(_, share)| !(Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(share))
        {
            return Err(BadParameter { field, message: "must be 0 to 100" });
        }
        if let Some((field, _)) = amounts.iter().find(|(_, amount)| *amount < Decimal::ZERO) {
            return Err(BadParameter { field, message: "must not be below 0" });
        }
        if self.start_year.is_some_and(|year| !(1..=3).contains(&year)) {
            return Err(BadParameter { field: "start_year", message: "must be 1, 2 or 3" });
        }
        Ok(())
    }
}

impl Opportunity {
    /// An active opportunity whose figures are still to be computed.
    #[must_use]
    pub fn new(id: OpportunityId, assessment_id: AssessmentId, source: Source, input: OpportunityInput) -> Self {
        Self {
            id,
            assessment_id,
            vertical_id: input.vertical_id,
            source,
            status: OpportunityStatus::Active,
            template_id: None,
            title: input.title,
            description: input.description,
            lever: input.lever,
            addressable_effort_percent: input.addressable_effort_percent,
            automation_percent: input.automation_percent,
            realization_percent: input.realization_percent,
            error_reduction_percent: input.error_reduction_percent,
            other_annual_benefit: input.other_annual_benefit,
            estimated_investment: input.estimated_investment,
            annual_run_cost: input.annual_run_cost,
            complexity: input.complexity,
            start_year: input.start_year.unwrap_or(3),
            start_year_given: input.start_year.is_some(),
            priority_score: Decimal::ZERO,
            fte_savings: Decimal::ZERO,
            labour_savings: Decimal::ZERO,
            error_savings: Decimal::ZERO,
            gross_savings: Decimal::ZERO,
            net_savings: Decimal::ZERO,
        }
    }

    /// What was said about it, without the figures.
    #[must_use]
    pub fn input(&self) -> OpportunityInput {
        OpportunityInput {
            vertical_id: self.vertical_id,
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
            start_year: self.start_year_given.then_some(self.start_year),
        }
    }

    /// The same opportunity with another input; its figures are still to be computed.
    #[must_use]
    pub fn with(&self, input: OpportunityInput) -> Self {
        Self {
            status: self.status,
            template_id: self.template_id,
            ..Self::new(self.id, self.assessment_id, self.source, input)
        }
    }

    /// Whether it counts in totals.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == OpportunityStatus::Active
    }

    /// What makes it the same opportunity in the next analysis: vertical, lever, and title without regard to case.
    #[must_use]
    pub fn identity(&self) -> (VerticalId, Lever, String) {
        (self.vertical_id, self.lever, self.title.key())
    }
}

impl OpportunityChanges {
    /// The input after the changes.
    #[must_use]
    pub fn over(self, old: OpportunityInput) -> OpportunityInput {
        OpportunityInput {
            vertical_id: old.vertical_id,
            title: self.title.unwrap_or(old.title),
            description: self.description.over(old.description),
            lever: self.lever.unwrap_or(old.lever),
            addressable_effort_percent: self.addressable_effort_percent.unwrap_or(old.addressable_effort_percent),
            automation_percent: self.automation_percent.unwrap_or(old.automation_percent),
            realization_percent: self.realization_percent.unwrap_or(old.realization_percent),
            error_reduction_percent: self.error_reduction_percent.unwrap_or(old.error_reduction_percent),
            other_annual_benefit: self.other_annual_benefit.unwrap_or(old.other_annual_benefit),
            estimated_investment: self.estimated_investment.unwrap_or(old.estimated_investment),
            annual_run_cost: self.annual_run_cost.unwrap_or(old.annual_run_cost),
            complexity: self.complexity.unwrap_or(old.complexity),
            start_year: self.start_year.over(old.start_year),
        }
    }
}
