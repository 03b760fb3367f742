use kernel::{Code, VerticalId, money, rounded, unit_cost};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{OutOfRange, exact::Figure};

/// What is known of a vertical today: the answers to its canonical questions (spec 12.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct BaselineInputs {
    /// Transactions a year.
    pub annual_volume: Decimal,
    /// Full-time equivalents.
    pub fte: Decimal,
    /// A year, without benefits and overhead.
    pub avg_salary: Decimal,
    pub benefit_pct: Decimal,
    pub overhead_pct: Decimal,
    /// A year.
    pub non_labour_cost: Decimal,
    /// Share of the transactions that go wrong.
    pub error_rate_pct: Decimal,
    pub cost_per_error: Decimal,
    pub touchless_pct: Decimal,
    pub cycle_time_hours: Decimal,
}

/// What a vertical costs today (spec 12.3), as stored: money 2 decimals, unit cost 4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Baseline {
    pub vertical_id: VerticalId,
    pub vertical_code: Code,
    #[serde(flatten)]
    pub inputs: BaselineInputs,
    pub loaded_cost_per_fte: Decimal,
    pub labour_cost: Decimal,
    pub total_processing_cost: Decimal,
    /// `None` without volume.
    pub cost_per_transaction: Option<Decimal>,
    /// `None` without full-time equivalents.
    pub transactions_per_fte: Option<Decimal>,
    /// `None` without volume.
    pub minutes_per_transaction: Option<Decimal>,
}

/// The unrounded costs of a vertical; further calculation goes on with these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Costs {
    pub loaded_cost_per_fte: Decimal,
    pub labour_cost: Decimal,
    pub total_processing_cost: Decimal,
    pub cost_per_transaction: Option<Decimal>,
    pub transactions_per_fte: Option<Decimal>,
    pub minutes_per_transaction: Option<Decimal>,
}

/// Required inputs that have no answer; the codes of their questions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no answer to {}", codes.join(", "))]
pub struct MissingInputs {
    pub codes: Vec<String>,
}

impl BaselineInputs {
    /// Reads the canonical answers of a vertical: `answer` is asked for `<V>_ANNUAL_VOLUME` and so on. A missing
    /// optional one counts as 0.
    ///
    /// # Errors
    /// When volume, FTE or salary is missing.
    pub fn read(vertical: &Code, answer: impl Fn(&str) -> Option<Decimal>) -> Result<Self, MissingInputs> {
        let mut missing = Vec::new();
        let mut required = |name: &str| {
            let code = format!("{vertical}_{name}");
            answer(&code).unwrap_or_else(|| {
                missing.push(code);
                Decimal::ZERO
            })
        };
        let optional = |name: &str| answer(&format!("{vertical}_{name}")).unwrap_or_default();
        let inputs = Self {
            annual_volume: required("ANNUAL_VOLUME"),
            fte: required("FTE"),
            avg_salary: required("AVG_SALARY"),
            benefit_pct: optional("BENEFIT_PCT"),
            overhead_pct: optional("OVERHEAD_PCT"),
            non_labour_cost: optional("NON_LABOUR_COST"),
            error_rate_pct: optional("ERROR_RATE_PCT"),
            cost_per_error: optional("COST_PER_ERROR"),
            touchless_pct: optional("TOUCHLESS_PCT"),
            cycle_time_hours: optional("CYCLE_TIME_HOURS"),
        };
        if missing.is_empty() { Ok(inputs) } else { Err(MissingInputs { codes: missing }) }
    }

    /// The formulas of spec 12.3.
    ///
    /// # Errors
    /// When a cost is out of range.
    pub fn costs(&self, hours_per_fte: Decimal) -> Result<Costs, OutOfRange> {
        let loaded = Figure("loaded_cost_per_fte");
        let surcharges = loaded.add(self.benefit_pct, self.overhead_pct)?;
        let loaded_cost_per_fte = loaded.percent_of(self.avg_salary, loaded.add(Decimal::ONE_HUNDRED, surcharges)?)?;
        let labour_cost = Figure("labour_cost").mul(self.fte, loaded_cost_per_fte)?;
        let total_processing_cost = Figure("total_processing_cost").add(labour_cost, self.non_labour_cost)?;
        let ratio =
            |name, part: Decimal, whole: Decimal| (!whole.is_zero()).then(|| Figure(name).div(part, whole)).transpose();
        let effort = Figure("minutes_per_transaction");
        let minutes = effort.mul(effort.mul(self.fte, hours_per_fte)?, Decimal::from(60))?;
        Ok(Costs {
            loaded_cost_per_fte,
            labour_cost,
            total_processing_cost,
            cost_per_transaction: ratio("cost_per_transaction", total_processing_cost, self.annual_volume)?,
            transactions_per_fte: ratio("transactions_per_fte", self.annual_volume, self.fte)?,
            minutes_per_transaction: ratio("minutes_per_transaction", minutes, self.annual_volume)?,
        })
    }
}

impl Baseline {
    /// The baseline as stored.
    #[must_use]
    pub fn new(vertical_id: VerticalId, vertical_code: Code, inputs: BaselineInputs, costs: &Costs) -> Self {
        Self {
            vertical_id,
            vertical_code,
            inputs,
            loaded_cost_per_fte: money(costs.loaded_cost_per_fte),
            labour_cost: money(costs.labour_cost),
            total_processing_cost: money(costs.total_processing_cost),
            cost_per_transaction: costs.cost_per_transaction.map(unit_cost),
            transactions_per_fte: costs.transactions_per_fte.map(|rate| rounded(rate, 2)),
            minutes_per_transaction: costs.minutes_per_transaction.map(|minutes| rounded(minutes, 2)),
        }
    }
}
