use std::collections::{BTreeMap, BTreeSet};

use kernel::{Code, OpportunityId, VerticalId, effort, money, percent};
use rust_decimal::Decimal;

use super::{
    BadParameter, Baseline, BaselineInputs, Basis, Financials, NoFigure, Opportunity, OutOfRange, Parameters,
    RoadmapYear, VerticalSavings, exact::Figure, roadmap, savings,
};

/// What a vertical is evaluated with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerticalFacts {
    pub vertical_id: VerticalId,
    pub vertical_code: Code,
    pub inputs: BaselineInputs,
    /// The productivity of the target quartile; `None` without a benchmark.
    pub target_transactions_per_fte: Option<Decimal>,
    /// 0 to 100: 100 less the vertical's percentile, [`super::GAP_SCORE_WITHOUT_BENCHMARK`] without a benchmark.
    pub gap_score: Decimal,
}

/// All figures of a set of opportunities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// One for each vertical, in the order given.
    pub baselines: Vec<Baseline>,
    /// One for each vertical, in the order given.
    pub savings: Vec<VerticalSavings>,
    /// In the order given; those that are not active stay as they were.
    pub opportunities: Vec<Opportunity>,
    pub roadmap: Vec<RoadmapYear>,
    pub programme_npv: Decimal,
    pub financials: Financials,
    pub current_fte: Decimal,
    pub fte_savings: Decimal,
    pub baseline_cost: Decimal,
    pub savings_percent: Option<Decimal>,
}

/// Why opportunities cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    #[error("{0}")]
    Parameter(#[from] BadParameter),
    #[error("opportunity {id}: {bad}")]
    Opportunity { id: OpportunityId, bad: BadParameter },
    /// The double-counting rule of spec 12.4.
    #[error("the {field} of vertical {vertical_id} add up to {sum}, more than 100")]
    CountedTwice { vertical_id: VerticalId, field: &'static str, sum: Decimal },
    #[error("opportunity {id} is of vertical {vertical_id}, which is not evaluated")]
    UnknownVertical { id: OpportunityId, vertical_id: VerticalId },
}

/// Computes all figures of the opportunities (spec 12.3 to 12.6, 12.8).
///
/// # Errors
/// When a parameter or an input is outside its bounds, shares overlap, or a figure is out of range.
pub fn evaluate(
    verticals: &[VerticalFacts],
    mut opportunities: Vec<Opportunity>,
    parameters: &Parameters,
) -> Result<Evaluation, CaseError> {
    parameters.check()?;
    check(verticals, &opportunities)?;
    let mut baselines = Vec::with_capacity(verticals.len());
    let mut all_savings = Vec::with_capacity(verticals.len());
    for facts in verticals {
        let costs = facts.inputs.costs(parameters.hours_per_fte)?;
        all_savings.push(savings::of_vertical(facts, &costs, &mut opportunities, parameters)?);
        let (id, code) = (facts.vertical_id, facts.vertical_code.clone());
        baselines.push(Baseline::new(id, code, facts.inputs.clone(), &costs));
    }
    let gaps: BTreeMap<_, _> = verticals.iter().map(|facts| (facts.vertical_id, facts.gap_score)).collect();
    roadmap::prioritise(&mut opportunities, &gaps)?;
    let roadmap = roadmap::years(&opportunities, parameters)?;
    let programme_npv = roadmap::programme_npv(&roadmap, parameters)?;
    let mut financials = totals(&opportunities, parameters)?;
    let baseline_cost = Figure("baseline_cost").sum(baselines.iter().map(|one| one.total_processing_cost))?;
    let savings_percent = Figure("savings_percent").in_percent(financials.annual_savings, baseline_cost)?;
    if savings_percent.is_none() {
        financials.reasons.insert("savings_percent".to_owned(), NoFigure::NoBaseline);
    }
    Ok(Evaluation {
        current_fte: effort(Figure("current_fte").sum(verticals.iter().map(|facts| facts.inputs.fte))?),
        fte_savings: effort(Figure("fte_savings").sum(all_savings.iter().map(|one| one.fte_savings))?),
        baseline_cost: money(baseline_cost),
        savings_percent: savings_percent.map(percent),
        baselines,
        savings: all_savings,
        opportunities,
        roadmap,
        programme_npv,
        financials,
    })
}

/// The financials of the active opportunities' sums (spec 0, "Report figures").
fn totals(opportunities: &[Opportunity], parameters: &Parameters) -> Result<Financials, OutOfRange> {
    let active = || opportunities.iter().filter(|one| one.is_active());
    Financials::of(
        Basis::Estimate,
        Figure("investment").sum(active().map(|one| money(one.estimated_investment)))?,
        Figure("annual_savings").sum(active().map(|one| one.gross_savings))?,
        Figure("annual_run_cost").sum(active().map(|one| money(one.annual_run_cost)))?,
        parameters,
    )
}

fn check(verticals: &[VerticalFacts], opportunities: &[Opportunity]) -> Result<(), CaseError> {
    let known: BTreeSet<VerticalId> = verticals.iter().map(|facts| facts.vertical_id).collect();
    for one in opportunities.iter().filter(|one| one.is_active()) {
        one.input().check().map_err(|bad| CaseError::Opportunity { id: one.id, bad })?;
        if !known.contains(&one.vertical_id) {
            return Err(CaseError::UnknownVertical { id: one.id, vertical_id: one.vertical_id });
        }
    }
    Ok(())
}
