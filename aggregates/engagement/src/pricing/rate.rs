//! Which rate a line gets (spec 11.4), and what a person costs with everything (spec 11.5).

use kernel::{AssessmentId, RegionId, UserId};
use rust_decimal::Decimal;

use super::{
    CardFacts, ComponentFacts, OutOfRange, Rate, RateSource, RoleFacts, SolutionCardFacts,
    amount::{product, stored, sum},
};

/// Working days a month where neither card nor role says so; the seed's sample has 20.
const DAYS_A_MONTH: u32 = 20;

/// `base_salary * (1 + (benefit + overhead) / 100)`, a year's cost, unrounded (spec 11.5).
///
/// # Errors
/// When the result does not fit.
pub fn loaded_annual(base_salary: Decimal, benefit: Decimal, overhead: Decimal) -> Result<Decimal, OutOfRange> {
    let percent = sum("overhead_percentage", [Decimal::ONE_HUNDRED, benefit, overhead])?;
    product("base_salary", &[base_salary, percent, Decimal::new(1, 2)])
}

/// `loaded_annual / (number_of_days * 12)`, a day's cost in two decimals (spec 11.5); `None` without days.
///
/// # Errors
/// When the result does not fit.
pub fn loaded_day(annual: Decimal, number_of_days: u32) -> Result<Option<Decimal>, OutOfRange> {
    let days = product("number_of_days", &[number_of_days.into(), 12.into()])?;
    annual.checked_div(days).map(|day| stored("cost_day_rate", day)).transpose()
}

/// The rate of a role: the costing's own card, then the assessment's, the client's and the standard card of the
/// region (of the costing's currency), then the role's current day rate.
///
/// `others` are the cards in force that might apply; those that do not fit are passed over.
#[must_use]
pub fn resolve_role(
    role: &RoleFacts,
    own: &CardFacts,
    others: &[CardFacts],
    (assessment, client, region): (AssessmentId, UserId, RegionId),
) -> Rate {
    let mut fitting: Vec<&CardFacts> = others
        .iter()
        .filter(|card| card.currency == own.currency && card.id != own.id && card.fits(assessment, client, region))
        .collect();
    fitting.sort_by_key(|card| (RateSource::of(card), std::cmp::Reverse(card.id)));
    let found = std::iter::once(own).chain(fitting).find_map(|card| Some((card, card.role(role.role)?)));
    let days_of_role = role.number_of_days.unwrap_or(DAYS_A_MONTH);
    match found {
        Some((card, entry)) => Rate {
            unit_rate: kernel::money(entry.day_rate),
            number_of_days: Some(entry.number_of_days.unwrap_or(days_of_role)),
            cost_day_rate: entry.cost_day_rate,
            source: RateSource::of(card),
            rate_card: Some(card.id),
        },
        None => Rate {
            unit_rate: kernel::money(role.day_rate_current),
            number_of_days: Some(days_of_role),
            cost_day_rate: None,
            source: RateSource::Role,
            rate_card: None,
        },
    }
}

/// The rate of one unit of a component: the solution rate card's, else the component's own.
#[must_use]
pub fn resolve_component(component: &ComponentFacts, card: Option<&SolutionCardFacts>) -> Rate {
    let item = card.and_then(|card| card.item(component.id));
    Rate {
        unit_rate: kernel::money(item.map_or(component.default_rate, |item| item.rate)),
        number_of_days: None,
        cost_day_rate: None,
        source: if item.is_some() { RateSource::SolutionRateCard } else { RateSource::Component },
        rate_card: None,
    }
}
