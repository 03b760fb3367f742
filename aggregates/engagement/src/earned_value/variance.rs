//! Plan against actual, for each opportunity and in total (spec 16.4).
//!
//! Savings are recorded per opportunity. Costs are not: expenses belong to the project. So the budget and what was
//! spent are both shared out by the same key, what the costing allocated to each opportunity (its target savings where
//! it allocated nothing), and the last opportunity takes the rounding remainder: columns add up.

use kernel::{OpportunityId, ProjectOpportunityId, money};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

/// What one opportunity contributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    pub id: ProjectOpportunityId,
    pub assessment_opportunity_id: OpportunityId,
    /// What the costing allocated to it; only the proportions matter.
    pub planned_cost: Decimal,
    pub target_savings: Decimal,
    /// `None` until a benefit is recorded; it then counts as nothing.
    pub actual_savings: Option<Decimal>,
}

/// Money throughout. A cost variance above zero is under budget, a savings variance above zero is over target.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Variance {
    pub opportunities: Vec<OpportunityVariance>,
    pub total: VarianceTotal,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OpportunityVariance {
    pub id: ProjectOpportunityId,
    pub assessment_opportunity_id: OpportunityId,
    #[serde(flatten)]
    pub figures: VarianceTotal,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, ToSchema)]
pub struct VarianceTotal {
    pub baseline_cost: Decimal,
    pub actual_cost: Decimal,
    pub cost_variance: Decimal,
    pub baseline_savings: Decimal,
    pub actual_savings: Decimal,
    pub savings_variance: Decimal,
}

impl VarianceTotal {
    fn of(baseline_cost: Decimal, actual_cost: Decimal, baseline_savings: Decimal, actual_savings: Decimal) -> Self {
        Self {
            baseline_cost: money(baseline_cost),
            actual_cost: money(actual_cost),
            cost_variance: money(baseline_cost.saturating_sub(actual_cost)),
            baseline_savings: money(baseline_savings),
            actual_savings: money(actual_savings),
            savings_variance: money(actual_savings.saturating_sub(baseline_savings)),
        }
    }
}

/// The comparison of a project with this budget and this sum of expenses.
#[must_use]
pub fn variance(budget_limit: Decimal, actual_cost: Decimal, shares: &[Share]) -> Variance {
    let key = key(shares);
    let baselines = shared(budget_limit, &key);
    let actuals = shared(actual_cost, &key);
    let opportunities = shares.iter().zip(baselines.into_iter().zip(actuals)).map(|(share, (baseline, actual))| {
        let recorded = share.actual_savings.unwrap_or_default();
        OpportunityVariance {
            id: share.id,
            assessment_opportunity_id: share.assessment_opportunity_id,
            figures: VarianceTotal::of(baseline, actual, share.target_savings, recorded),
        }
    });
    let target = sum(shares.iter().map(|share| share.target_savings));
    let recorded = sum(shares.iter().filter_map(|share| share.actual_savings));
    Variance {
        opportunities: opportunities.collect(),
        total: VarianceTotal::of(budget_limit, actual_cost, target, recorded),
    }
}

fn sum(values: impl Iterator<Item = Decimal>) -> Decimal {
    values.fold(Decimal::ZERO, Decimal::saturating_add)
}

/// The weights by which costs are shared out; equal ones when nothing else is known.
fn key(shares: &[Share]) -> Vec<Decimal> {
    let usable = |weights: &Vec<Decimal>| {
        weights.iter().all(|weight| !weight.is_sign_negative()) && weights.iter().any(|weight| !weight.is_zero())
    };
    let costs = || shares.iter().map(|share| share.planned_cost).collect();
    let savings = || shares.iter().map(|share| share.target_savings).collect();
    [costs(), savings()].into_iter().find(usable).unwrap_or_else(|| vec![Decimal::ONE; shares.len()])
}

/// `amount` by the weights, each share rounded to money; the last one takes the remainder.
fn shared(amount: Decimal, weights: &[Decimal]) -> Vec<Decimal> {
    let whole = sum(weights.iter().copied());
    let mut rest = amount;
    let mut parts: Vec<Decimal> = weights
        .iter()
        .map(|weight| {
            let part = amount.checked_mul(*weight).and_then(|product| product.checked_div(whole));
            let part = money(part.unwrap_or_default());
            rest = rest.saturating_sub(part);
            part
        })
        .collect();
    if let Some(last) = parts.last_mut() {
        *last = last.saturating_add(rest);
    }
    parts
}

#[cfg(test)]
mod tests {
    use kernel::testing::id;
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn share(number: i64, planned_cost: &str, target: &str, actual: Option<&str>) -> Share {
        Share {
            id: id(number),
            assessment_opportunity_id: id(number + 100),
            planned_cost: decimal(planned_cost),
            target_savings: decimal(target),
            actual_savings: actual.map(decimal),
        }
    }

    #[test]
    fn costs_and_savings_are_compared_per_opportunity_and_in_total() {
        let shares = [share(1, "2", "146740.96", Some("150000.00")), share(2, "1", "76116.00", None)];
        let variance = variance(decimal("100000.00"), decimal("40000.00"), &shares);
        let shown = |v: &VarianceTotal| {
            [v.baseline_cost, v.actual_cost, v.cost_variance, v.baseline_savings, v.actual_savings, v.savings_variance]
                .map(|figure| figure.to_string())
        };
        let first = ["66666.67", "26666.67", "40000.00", "146740.96", "150000.00", "3259.04"];
        let second = ["33333.33", "13333.33", "20000.00", "76116.00", "0.00", "-76116.00"];
        let total = ["100000.00", "40000.00", "60000.00", "222856.96", "150000.00", "-72856.96"];
        assert_eq!(variance.opportunities.iter().map(|o| shown(&o.figures)).collect::<Vec<_>>(), [first, second]);
        assert_eq!(shown(&variance.total), total);
    }

    #[test]
    fn without_allocated_costs_the_target_savings_are_the_key_and_then_equality() {
        let by_savings = [share(1, "0", "75", None), share(2, "0", "25", None)];
        let equal = [share(1, "0", "0", None), share(2, "0", "0", None)];
        for (shares, first) in [(by_savings, "75.00"), (equal, "50.00")] {
            let variance = variance(decimal("100.00"), Decimal::ZERO, &shares);
            assert_eq!(variance.opportunities[0].figures.baseline_cost.to_string(), first);
        }
        assert!(variance(decimal("100.00"), Decimal::ZERO, &[]).opportunities.is_empty());
    }

    proptest! {
        #[test]
        fn a_column_adds_up(
            cents in 0..1_000_000_000_i64, spent in 0..1_000_000_000_i64, weights in prop::collection::vec(0..10_000_u32, 1..12)
        ) {
            let shares: Vec<Share> =
                weights.iter().zip(1..).map(|(weight, number)| share(number, &weight.to_string(), "1", None)).collect();
            let (budget, cost) = (Decimal::new(cents, 2), Decimal::new(spent, 2));
            let variance = variance(budget, cost, &shares);
            prop_assert_eq!(sum(variance.opportunities.iter().map(|o| o.figures.baseline_cost)), budget);
            prop_assert_eq!(sum(variance.opportunities.iter().map(|o| o.figures.actual_cost)), cost);
        }
    }
}
