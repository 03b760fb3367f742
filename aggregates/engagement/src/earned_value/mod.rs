//! Where a project stands against its plan on a given day: standard earned value (spec 16.4).
//!
//! Pure figures of an [`Account`]. What overflows is no figure (`None`), never a panic.

mod variance;

use chrono::NaiveDate;
use kernel::{money, percent, rounded};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use variance::{OpportunityVariance, Share, Variance, VarianceTotal, variance};

/// A milestone may be overdue for so many days before a project is at risk for it.
const TOLERATED_DELAY_DAYS: i64 = 14;

/// What the figures are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub start_date: NaiveDate,
    pub end_date: NaiveDate,
    pub budget_limit: Decimal,
    /// AC: the sum of all expenses, reversals included.
    pub actual_cost: Decimal,
    /// Unrounded, 0..100.
    pub percent_complete: Decimal,
    /// The due date of the most overdue open milestone.
    pub earliest_open_due: Option<NaiveDate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeliveryStatus {
    OnTrack,
    AtRisk,
    Delayed,
}

/// The tracking numbers of a project as of a day; rounded for show.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Tracking {
    pub as_of: NaiveDate,
    /// Both ends included.
    pub total_days: i64,
    /// From the start to the day of the figures, both included; 0 before the start, all of them after the end.
    pub elapsed_days: i64,
    pub planned_percent: Decimal,
    pub percent_complete: Decimal,
    /// PV, money.
    pub planned_value: Option<Decimal>,
    /// EV, money.
    pub earned_value: Option<Decimal>,
    /// AC, money.
    pub actual_cost: Decimal,
    /// EV/PV, three decimals; `null` before the start.
    pub spi: Option<Decimal>,
    /// EV/AC, three decimals; `null` while nothing is spent.
    pub cpi: Option<Decimal>,
    /// EAC = budget/CPI, money; `null` without a CPI above zero.
    pub estimate_at_completion: Option<Decimal>,
    pub budget_consumed_percent: Option<Decimal>,
    /// What is left of the budget.
    pub variance: Option<Decimal>,
    /// What the figures alone say, whether or not a status is pinned by hand.
    pub auto_delivery_status: DeliveryStatus,
}

/// `sum(weight * percent) / sum(weight)`, unrounded; 0 when nothing has weight, `None` when it overflows.
pub fn percent_complete(work: impl IntoIterator<Item = (Decimal, Decimal)>) -> Option<Decimal> {
    let mut weights = Decimal::ZERO;
    let mut done = Decimal::ZERO;
    for (weight, percent) in work {
        weights = weights.checked_add(weight)?;
        done = done.checked_add(weight.checked_mul(percent)?)?;
    }
    if weights.is_zero() { Some(Decimal::ZERO) } else { done.checked_div(weights) }
}

/// The part of `whole` that `part` is, in percent, unrounded.
#[must_use]
pub fn share_percent(part: Decimal, whole: Decimal) -> Option<Decimal> {
    part.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(whole)
}

impl Account {
    fn total_days(&self) -> i64 {
        (self.end_date - self.start_date).num_days().saturating_add(1).max(1)
    }

    fn elapsed_days(&self, as_of: NaiveDate) -> i64 {
        (as_of - self.start_date).num_days().saturating_add(1).clamp(0, self.total_days())
    }

    /// PV. Multiplied first, divided last, as EV and EAC are: a third of the budget is not cut off early.
    fn planned_value(&self, as_of: NaiveDate) -> Option<Decimal> {
        self.budget_limit.checked_mul(self.elapsed_days(as_of).into())?.checked_div(self.total_days().into())
    }

    fn earned_value(&self) -> Option<Decimal> {
        self.budget_limit.checked_mul(self.percent_complete)?.checked_div(Decimal::ONE_HUNDRED)
    }

    fn spi(&self, as_of: NaiveDate) -> Option<Decimal> {
        self.earned_value()?.checked_div(self.planned_value(as_of)?)
    }

    fn cpi(&self) -> Option<Decimal> {
        // Nothing spent, or more reversed than spent, is no performance.
        if self.actual_cost <= Decimal::ZERO { None } else { self.earned_value()?.checked_div(self.actual_cost) }
    }

    fn estimate_at_completion(&self) -> Option<Decimal> {
        self.cpi()?;
        self.budget_limit.checked_mul(self.actual_cost)?.checked_div(self.earned_value()?)
    }

    /// min(SPI, CPI) >= 0.95 is on track, >= 0.85 at risk, below that delayed; what is undefined counts as 1, and a
    /// milestone overdue for more than 14 days is at least at risk.
    #[must_use]
    pub fn delivery_status(&self, as_of: NaiveDate) -> DeliveryStatus {
        let index = self.spi(as_of).unwrap_or(Decimal::ONE).min(self.cpi().unwrap_or(Decimal::ONE));
        let overdue = self.earliest_open_due.is_some_and(|due| (as_of - due).num_days() > TOLERATED_DELAY_DAYS);
        if index < Decimal::new(85, 2) {
            DeliveryStatus::Delayed
        } else if index < Decimal::new(95, 2) || overdue {
            DeliveryStatus::AtRisk
        } else {
            DeliveryStatus::OnTrack
        }
    }

    /// All figures as of a day.
    #[must_use]
    pub fn tracking(&self, as_of: NaiveDate) -> Tracking {
        let (elapsed, total) = (self.elapsed_days(as_of), self.total_days());
        Tracking {
            as_of,
            total_days: total,
            elapsed_days: elapsed,
            planned_percent: percent(share_percent(elapsed.into(), total.into()).unwrap_or_default()),
            percent_complete: percent(self.percent_complete),
            planned_value: self.planned_value(as_of).map(money),
            earned_value: self.earned_value().map(money),
            actual_cost: money(self.actual_cost),
            spi: self.spi(as_of).map(|spi| rounded(spi, 3)),
            cpi: self.cpi().map(|cpi| rounded(cpi, 3)),
            estimate_at_completion: self.estimate_at_completion().map(money),
            budget_consumed_percent: share_percent(self.actual_cost, self.budget_limit).map(percent),
            variance: self.budget_limit.checked_sub(self.actual_cost).map(money),
            auto_delivery_status: self.delivery_status(as_of),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// Milestones 30/40/30, the first done, the second half done.
    fn seed() -> Account {
        let work = [("30", "100"), ("40", "50"), ("30", "0")];
        Account {
            start_date: day("2026-07-01"),
            end_date: day("2027-01-31"),
            budget_limit: decimal("150000.00"),
            actual_cost: decimal("82500.00"),
            percent_complete: percent_complete(work.map(|(w, p)| (decimal(w), decimal(p)))).unwrap(),
            earliest_open_due: None,
        }
    }

    #[test]
    fn the_seed_project_is_at_risk_on_the_fifteenth_of_october() {
        let tracking = seed().tracking(day("2026-10-15"));
        assert_eq!((tracking.total_days, tracking.elapsed_days), (215, 107));
        let shown = [
            Some(tracking.planned_percent),
            tracking.planned_value,
            tracking.earned_value,
            tracking.spi,
            tracking.cpi,
            tracking.estimate_at_completion,
            tracking.budget_consumed_percent,
            tracking.variance,
        ];
        let shown = shown.map(|figure| figure.unwrap().to_string());
        assert_eq!(shown, ["49.77", "74651.16", "75000.00", "1.005", "0.909", "165000.00", "55.00", "67500.00"]);
        assert_eq!(tracking.auto_delivery_status, DeliveryStatus::AtRisk);
    }

    #[test]
    fn elapsed_days_stay_between_nothing_and_all() {
        for (as_of, elapsed) in
            [("2026-06-30", 0), ("2026-07-01", 1), ("2027-01-31", 215), ("2030-01-01", 215), ("1999-01-01", 0)]
        {
            assert_eq!(seed().tracking(day(as_of)).elapsed_days, elapsed, "{as_of}");
        }
    }

    #[test]
    fn what_is_undefined_counts_as_one() {
        let fresh = Account { actual_cost: Decimal::ZERO, percent_complete: Decimal::ZERO, ..seed() };
        let tracking = fresh.tracking(day("2026-06-30"));
        assert_eq!((tracking.spi, tracking.cpi, tracking.estimate_at_completion), (None, None, None));
        assert_eq!(tracking.auto_delivery_status, DeliveryStatus::OnTrack);
        // Money spent and nothing earned: a CPI of 0, and no end in sight.
        let spent = Account { percent_complete: Decimal::ZERO, ..seed() }.tracking(day("2026-06-30"));
        assert_eq!((spent.cpi, spent.estimate_at_completion), (Some(Decimal::ZERO), None));
        assert_eq!(spent.auto_delivery_status, DeliveryStatus::Delayed);
    }

    #[test]
    fn the_limits_themselves_belong_to_the_better_status() {
        // All time is over, so SPI is the percentage done.
        for (done, expected) in [
            ("95", DeliveryStatus::OnTrack),
            ("94.99", DeliveryStatus::AtRisk),
            ("85", DeliveryStatus::AtRisk),
            ("84.99", DeliveryStatus::Delayed),
        ] {
            let account = Account { percent_complete: decimal(done), actual_cost: Decimal::ZERO, ..seed() };
            assert_eq!(account.delivery_status(day("2027-01-31")), expected, "{done}");
        }
    }

    #[test]
    fn a_milestone_overdue_for_more_than_two_weeks_is_a_risk() {
        let account = Account {
            percent_complete: decimal("100"),
            actual_cost: Decimal::ZERO,
            earliest_open_due: Some(day("2026-10-01")),
            ..seed()
        };
        assert_eq!(account.delivery_status(day("2026-10-15")), DeliveryStatus::OnTrack);
        assert_eq!(account.delivery_status(day("2026-10-16")), DeliveryStatus::AtRisk);
    }

    proptest! {
        #[test]
        fn no_number_breaks_the_figures(
            budget in any::<i128>(), cost in any::<i128>(), done in any::<u64>(), scale in 0..=28_u32, shift in any::<i32>()
        ) {
            let limit = 2_i128.pow(96) - 1;
            let number = |n: i128| Decimal::try_from_i128_with_scale(n % limit, scale).unwrap_or_default();
            let start_date = day("2026-07-01");
            let account = Account {
                budget_limit: number(budget),
                actual_cost: number(cost),
                percent_complete: done.into(),
                ..seed()
            };
            let as_of = start_date + chrono::Duration::days(i64::from(shift % 90_000));
            let tracking = account.tracking(as_of);
            prop_assert!((0..=tracking.total_days).contains(&tracking.elapsed_days));
        }

        #[test]
        fn percent_complete_lies_between_the_least_and_the_most_done(
            work in prop::collection::vec((1..1_000_u32, 0..=100_u32), 1..20)
        ) {
            let done = percent_complete(work.iter().map(|&(w, p)| (w.into(), p.into()))).unwrap();
            let least = work.iter().map(|&(_, p)| Decimal::from(p)).min().unwrap();
            let most = work.iter().map(|&(_, p)| Decimal::from(p)).max().unwrap();
            prop_assert!(rounded(done, 6) >= least && rounded(done, 6) <= most);
        }
    }
}
