//! The costs of a costing and what the investment earns.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CostedOpportunity, Line, OutOfRange, Terms, Totals, amount::sum, roll_up};
use crate::business_case::{self, Basis, Financials, Parameters};

/// Everything that is calculated of a costing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Amounts {
    pub totals: Totals,
    pub roi_summary: RoiSummary,
}

/// What the costed investment earns (spec 12.5): money and percent in two decimals, months in one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct RoiSummary {
    /// Gross, a year.
    pub annual_savings: Decimal,
    pub net_annual_savings: Decimal,
    /// Over the horizon; none without an investment.
    pub roi_percent: Option<Decimal>,
    pub payback_months: Option<Decimal>,
    pub npv: Decimal,
}

impl Amounts {
    /// Rolls the lines up, and takes one-time cost and yearly run cost against the opportunities' gross savings.
    ///
    /// # Errors
    /// When a figure does not fit.
    pub fn of(
        lines: &[Line],
        terms: &Terms,
        opportunities: &[CostedOpportunity],
        parameters: &Parameters,
    ) -> Result<Self, OutOfRange> {
        let totals = roll_up(lines, terms, opportunities)?;
        let gross = sum("annual_savings", opportunities.iter().map(|opportunity| opportunity.gross_savings))?;
        let (invested, run) = (totals.one_time_cost, totals.annual_run_cost);
        let earned = Financials::of(Basis::Costed, invested, gross, run, parameters)?;
        let roi_summary = RoiSummary {
            annual_savings: earned.annual_savings,
            net_annual_savings: earned.net_annual_savings,
            roi_percent: earned.roi_percent,
            payback_months: earned.payback_months,
            npv: earned.npv,
        };
        Ok(Self { totals, roi_summary })
    }

    /// What the investment earns, in full.
    ///
    /// # Errors
    /// When a figure is out of range.
    pub fn financials(&self, parameters: &Parameters) -> Result<Financials, business_case::OutOfRange> {
        let (invested, run) = (self.totals.one_time_cost, self.totals.annual_run_cost);
        Financials::of(Basis::Costed, invested, self.roi_summary.annual_savings, run, parameters)
    }
}

impl From<business_case::OutOfRange> for OutOfRange {
    fn from(business_case::OutOfRange(field): business_case::OutOfRange) -> Self {
        Self::of(field)
    }
}
