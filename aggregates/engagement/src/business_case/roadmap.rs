use std::collections::BTreeMap;

use kernel::{OpportunityId, VerticalId, money, percent};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Complexity, Opportunity, OutOfRange, Parameters, exact::Figure, financials::growth};

/// One of the three years of the roadmap (spec 12.6); money, 2 decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct RoadmapYear {
    /// 1 to 3.
    pub year: u8,
    pub label: String,
    pub investment: Decimal,
    pub gross_savings: Decimal,
    pub run_cost: Decimal,
    /// Gross less run cost less investment.
    pub net_savings: Decimal,
    /// The opportunities that start in this year.
    pub opportunity_ids: Vec<OpportunityId>,
}

const LABELS: [(u8, &str); 3] = [(1, "Stabilise & quick wins"), (2, "Scale"), (3, "Optimise")];

/// What the gap to others counts when no benchmark says how large it is.
pub const GAP_SCORE_WITHOUT_BENCHMARK: Decimal = Decimal::from_parts(50, 0, 0, false, 0);

/// Gives every active opportunity its priority score and, unless one was given, its start year.
pub(super) fn prioritise(
    opportunities: &mut [Opportunity],
    gap_scores: &BTreeMap<VerticalId, Decimal>,
) -> Result<(), OutOfRange> {
    let figure = Figure("priority_score");
    let best = opportunities.iter().filter(|one| one.is_active()).map(|one| one.gross_savings).max();
    let best = best.unwrap_or_default();
    for one in opportunities.iter_mut().filter(|one| one.is_active()) {
        // A share of the best keeps the numbers small, however large the savings are.
        let value = if best > Decimal::ZERO && one.gross_savings > Decimal::ZERO {
            figure.mul(figure.div(one.gross_savings, best)?, Decimal::ONE_HUNDRED)?
        } else {
            Decimal::ZERO
        };
        let ease = match one.complexity {
            Complexity::Low => 100,
            Complexity::Medium => 60,
            Complexity::High => 30,
        };
        let gap = gap_scores.get(&one.vertical_id).copied().unwrap_or(GAP_SCORE_WITHOUT_BENCHMARK);
        one.priority_score = percent(figure.sum([
            figure.percent_of(value, Decimal::from(50))?,
            figure.percent_of(Decimal::from(ease), Decimal::from(30))?,
            figure.percent_of(gap, Decimal::from(20))?,
        ])?);
        if !one.start_year_given {
            one.start_year = match one.priority_score {
                score if score >= Decimal::from(70) => 1,
                score if score >= Decimal::from(40) => 2,
                _ => 3,
            };
        }
    }
    Ok(())
}

/// The three years of the active opportunities.
pub(super) fn years(opportunities: &[Opportunity], parameters: &Parameters) -> Result<Vec<RoadmapYear>, OutOfRange> {
    LABELS.iter().map(|(year, label)| one_year(*year, label, opportunities, parameters)).collect()
}

fn one_year(
    year: u8,
    label: &str,
    opportunities: &[Opportunity],
    parameters: &Parameters,
) -> Result<RoadmapYear, OutOfRange> {
    let half = Decimal::new(5, 1);
    let mut sums = [Decimal::ZERO; 3];
    let mut opportunity_ids = Vec::new();
    for one in opportunities.iter().filter(|one| one.is_active() && one.start_year <= year) {
        let starts = one.start_year == year;
        let share = if starts && parameters.half_year_convention { half } else { Decimal::ONE };
        let [investment, gross, run] = &mut sums;
        if starts {
            *investment = Figure("investment").add(*investment, one.estimated_investment)?;
            opportunity_ids.push(one.id);
        }
        let figure = Figure("gross_savings");
        *gross = figure.add(*gross, figure.mul(one.gross_savings, share)?)?;
        let figure = Figure("run_cost");
        *run = figure.add(*run, figure.mul(one.annual_run_cost, share)?)?;
    }
    let [investment, gross_savings, run_cost] = sums.map(money);
    let figure = Figure("net_savings");
    let net_savings = figure.sub(figure.sub(gross_savings, run_cost)?, investment)?;
    Ok(RoadmapYear {
        year,
        label: label.to_owned(),
        investment,
        gross_savings,
        run_cost,
        net_savings: money(net_savings),
        opportunity_ids,
    })
}

/// `sum_y [ -I_y/(1+d)^(y-1) + (G_y - R_y)/(1+d)^y ]`: investment at the start of its year, savings at the end.
pub(super) fn programme_npv(years: &[RoadmapYear], parameters: &Parameters) -> Result<Decimal, OutOfRange> {
    let figure = Figure("programme_npv");
    let growth = growth(parameters.discount_rate_percent)?;
    let (value, _) = years.iter().try_fold((Decimal::ZERO, Decimal::ONE), |(value, start), year| {
        let end = figure.mul(start, growth)?;
        let earned = figure.sub(year.gross_savings, year.run_cost)?;
        let value = figure.sub(value, figure.div(year.investment, start)?)?;
        Ok((figure.add(value, figure.div(earned, end)?)?, end))
    })?;
    Ok(money(value))
}
