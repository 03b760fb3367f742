//! Arithmetic that says which figure does not fit, where `Decimal` would panic.

use std::borrow::Cow;

use rust_decimal::Decimal;

/// A figure that is larger than can be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is out of range")]
pub struct OutOfRange {
    pub field: Cow<'static, str>,
}

impl OutOfRange {
    pub(crate) const fn of(field: &'static str) -> Self {
        Self { field: Cow::Borrowed(field) }
    }
}

/// What a column of 18 digits, two of them decimals, can hold.
const LARGEST: Decimal = Decimal::from_parts(1_874_919_424, 2_328_306, 0, false, 0);

pub(crate) fn product(field: &'static str, factors: &[Decimal]) -> Result<Decimal, OutOfRange> {
    factors.iter().try_fold(Decimal::ONE, |product, factor| product.checked_mul(*factor)).ok_or(OutOfRange::of(field))
}

pub(crate) fn sum(field: &'static str, terms: impl IntoIterator<Item = Decimal>) -> Result<Decimal, OutOfRange> {
    terms.into_iter().try_fold(Decimal::ZERO, |sum, term| sum.checked_add(term)).ok_or(OutOfRange::of(field))
}

/// `percent` per cent of `amount`.
pub(crate) fn part(field: &'static str, amount: Decimal, percent: Decimal) -> Result<Decimal, OutOfRange> {
    product(field, &[amount, percent, Decimal::new(1, 2)])
}

/// An amount as it is stored: two decimals, below 10^16.
pub(crate) fn stored(field: &'static str, amount: Decimal) -> Result<Decimal, OutOfRange> {
    within(field, amount).map(kernel::money)
}

/// Days of effort as they are stored: four decimals, below 10^16.
pub(crate) fn stored_effort(field: &'static str, days: Decimal) -> Result<Decimal, OutOfRange> {
    within(field, days).map(kernel::effort)
}

fn within(field: &'static str, value: Decimal) -> Result<Decimal, OutOfRange> {
    if value.abs() < LARGEST { Ok(value) } else { Err(OutOfRange::of(field)) }
}

/// Whether a percentage is one: 0 to 100.
#[must_use]
pub fn is_percentage(value: Decimal) -> bool {
    (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&value)
}

/// Whether an amount somebody gave can be one: not negative, and storable.
#[must_use]
pub fn is_amount(value: Decimal) -> bool {
    value >= Decimal::ZERO && value < LARGEST
}

/// Whether a multiplier somebody gave is one: above 0 and at most 1000.
#[must_use]
pub fn is_multiplier(value: Decimal) -> bool {
    value > Decimal::ZERO && value <= Decimal::ONE_THOUSAND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_stored_amount_is_below_ten_to_the_sixteenth() {
        assert_eq!(LARGEST.to_string(), "10000000000000000");
        assert!(stored("amount", LARGEST).is_err());
        assert!(is_amount(LARGEST - Decimal::ONE) && !is_amount(LARGEST));
        assert_eq!(stored("amount", Decimal::ONE).unwrap().to_string(), "1.00");
    }
}
