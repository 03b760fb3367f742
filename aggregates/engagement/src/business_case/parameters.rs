use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The knobs of the calculation (spec 12.1). An absent member has its default; the report shows all that were used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Yearly, in percent.
    pub discount_rate_percent: Decimal,
    /// Years over which net present value and return are counted.
    pub horizon_years: u8,
    /// Share of the gross savings reached in year 1, 2, …; the last value repeats.
    pub ramp_percent: Vec<Decimal>,
    /// Working hours of one full-time equivalent a year.
    pub hours_per_fte: Decimal,
    /// Years of support that a quoted price includes.
    pub support_years_in_price: Decimal,
    /// The quartile whose productivity savings are checked against.
    pub target_quartile: TargetQuartile,
    /// The most that may be saved of a vertical's full-time equivalents.
    pub savings_cap_percent: Decimal,
    /// Whether an opportunity counts half in the year in which it starts.
    pub half_year_convention: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TargetQuartile {
    Median,
    Top,
}

/// A parameter outside its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} {message}")]
pub struct BadParameter {
    pub field: &'static str,
    pub message: &'static str,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            discount_rate_percent: Decimal::new(1000, 2),
            horizon_years: 3,
            ramp_percent: vec![Decimal::from(50), Decimal::ONE_HUNDRED, Decimal::ONE_HUNDRED],
            hours_per_fte: Decimal::from(1760),
            support_years_in_price: Decimal::ONE,
            target_quartile: TargetQuartile::Median,
            savings_cap_percent: Decimal::ONE_HUNDRED,
            half_year_convention: true,
        }
    }
}

impl Parameters {
    /// # Errors
    /// The first parameter that is outside its bounds.
    pub fn check(&self) -> Result<(), BadParameter> {
        let percent = |value: Decimal| (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&value);
        let rules = [
            (percent(self.discount_rate_percent), "discount_rate_percent", "must be 0 to 100"),
            ((1..=10).contains(&self.horizon_years), "horizon_years", "must be 1 to 10"),
            ((1..=10).contains(&self.ramp_percent.len()), "ramp_percent", "must hold 1 to 10 values"),
            (self.ramp_percent.iter().copied().all(percent), "ramp_percent", "must hold values of 0 to 100"),
            (
                self.hours_per_fte > Decimal::ZERO && self.hours_per_fte <= Decimal::from(8784),
                "hours_per_fte",
                "must be above 0 and at most 8784",
            ),
            (
                (Decimal::ZERO..=Decimal::TEN).contains(&self.support_years_in_price),
                "support_years_in_price",
                "must be 0 to 10",
            ),
            (percent(self.savings_cap_percent), "savings_cap_percent", "must be 0 to 100"),
        ];
        match rules.into_iter().find(|(holds, ..)| !holds) {
            Some((_, field, message)) => Err(BadParameter { field, message }),
            None => Ok(()),
        }
    }
}
