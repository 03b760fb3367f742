use kernel::{VerticalId, effort, money};
use rust_decimal::{Decimal, RoundingStrategy};

use super::{
    BaselineInputs, CaseError, Costs, Opportunity, OutOfRange, Parameters, evaluation::VerticalFacts, exact::Figure,
};

/// What the active opportunities of one vertical save together, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerticalSavings {
    pub vertical_id: VerticalId,
    pub fte_savings: Decimal,
    pub gross_savings: Decimal,
    /// What the effort savings were multiplied with to stay below the cap; `None` when they did.
    pub scaling_factor: Option<Decimal>,
    /// Full-time equivalents above what the target quartile would need; `None` without a benchmark.
    pub fte_gap: Option<Decimal>,
    /// The effort savings are more than that gap: `SAVINGS_EXCEED_BENCHMARK`.
    pub exceeds_benchmark: bool,
}

/// Computes the figures of a vertical's active opportunities (spec 12.4).
pub(super) fn of_vertical(
    facts: &VerticalFacts,
    costs: &Costs,
    opportunities: &mut [Opportunity],
    parameters: &Parameters,
) -> Result<VerticalSavings, CaseError> {
    let mut active: Vec<&mut Opportunity> =
        opportunities.iter_mut().filter(|one| one.is_active() && one.vertical_id == facts.vertical_id).collect();
    disjoint(facts.vertical_id, &active)?;
    let figure = Figure("fte_savings");
    let mut efforts = Vec::with_capacity(active.len());
    for one in &active {
        let addressed = figure.percent_of(facts.inputs.fte, one.addressable_effort_percent)?;
        let automated = figure.percent_of(addressed, one.automation_percent)?;
        efforts.push(figure.percent_of(automated, one.realization_percent)?);
    }
    let wanted = figure.sum(efforts.iter().copied())?;
    let cap = figure.percent_of(facts.inputs.fte, parameters.savings_cap_percent)?;
    let scaling_factor = (wanted > cap).then(|| factor(cap, wanted)).transpose()?;
    for (one, effort) in active.iter_mut().zip(&efforts) {
        figures(one, *effort, scaling_factor, &facts.inputs, costs)?;
    }
    let fte_savings = figure.sum(active.iter().map(|one| one.fte_savings))?;
    let fte_gap = facts.target_transactions_per_fte.map(|target| fte_gap(&facts.inputs, target)).transpose()?.flatten();
    Ok(VerticalSavings {
        vertical_id: facts.vertical_id,
        fte_savings: effort(fte_savings),
        gross_savings: money(Figure("gross_savings").sum(active.iter().map(|one| one.gross_savings))?),
        scaling_factor,
        fte_gap: fte_gap.map(effort),
        exceeds_benchmark: fte_gap.is_some_and(|gap| fte_savings > gap),
    })
}

/// Shares of one whole must not add up to more than it, or savings would be counted twice.
fn disjoint(vertical_id: VerticalId, active: &[&mut Opportunity]) -> Result<(), CaseError> {
    let within = |field: &'static str, share: fn(&Opportunity) -> Decimal| {
        let sum = Figure(field).sum(active.iter().map(|one| share(one)))?;
        if sum > Decimal::ONE_HUNDRED { Err(CaseError::CountedTwice { vertical_id, field, sum }) } else { Ok(()) }
    };
    within("addressable_effort_percent", |one| one.addressable_effort_percent)?;
    within("error_reduction_percent", |one| one.error_reduction_percent)
}

/// Rounded down, so that the scaled savings never exceed the cap.
fn factor(cap: Decimal, wanted: Decimal) -> Result<Decimal, OutOfRange> {
    let exact = Figure("scaling_factor").div(cap, wanted)?;
    Ok(exact.round_dp_with_strategy(10, RoundingStrategy::ToNegativeInfinity))
}

fn figures(
    one: &mut Opportunity,
    wanted: Decimal,
    scaling: Option<Decimal>,
    inputs: &BaselineInputs,
    costs: &Costs,
) -> Result<(), OutOfRange> {
    // What was scaled to the cap must not be rounded above it again.
    let (fte, stored) = match scaling {
        None => (wanted, effort(wanted)),
        Some(factor) => {
            let fte = Figure("fte_savings").mul(wanted, factor)?;
            (fte, effort(fte.round_dp_with_strategy(4, RoundingStrategy::ToNegativeInfinity)))
        }
    };
    let error = Figure("error_savings");
    let errors = error.percent_of(inputs.annual_volume, inputs.error_rate_pct)?;
    let avoided = error.percent_of(errors, one.error_reduction_percent)?;
    one.fte_savings = stored;
    one.labour_savings = money(Figure("labour_savings").mul(fte, costs.loaded_cost_per_fte)?);
    one.error_savings = money(error.mul(avoided, inputs.cost_per_error)?);
    // The shown parts add up to the shown whole.
    let parts = [one.labour_savings, one.error_savings, money(one.other_annual_benefit)];
    one.gross_savings = money(Figure("gross_savings").sum(parts)?);
    one.net_savings = money(Figure("net_savings").sub(one.gross_savings, money(one.annual_run_cost))?);
    Ok(())
}

/// `max(0, FTE - volume / target)`; `None` for a target of 0.
pub(crate) fn fte_gap(inputs: &BaselineInputs, target: Decimal) -> Result<Option<Decimal>, OutOfRange> {
    if target.is_zero() {
        return Ok(None);
    }
    let figure = Figure("fte_gap");
    let needed = figure.div(inputs.annual_volume, target)?;
    Ok(Some(figure.sub(inputs.fte, needed)?.max(Decimal::ZERO)))
}
