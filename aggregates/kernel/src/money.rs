//! Rounding at the edges: half-up, away from zero, to a fixed number of decimals.
//!
//! Intermediate values keep full precision; only what is stored or shown goes through here.

use rust_decimal::{Decimal, RoundingStrategy};

/// `value` with exactly `decimals` decimals: "450" becomes "450.00".
#[must_use]
pub fn rounded(value: Decimal, decimals: u32) -> Decimal {
    let mut result = value.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
    result.rescale(decimals);
    if result.is_zero() {
        result.set_sign_positive(true)
    }
    result
}

/// An amount in a currency of `minor_units` decimals.
#[must_use]
pub fn minor_units(amount: Decimal, minor_units: u32) -> Decimal {
    rounded(amount, minor_units)
}

/// An amount in a currency of two decimals, which all built-in ones are.
#[must_use]
pub fn money(amount: Decimal) -> Decimal {
    rounded(amount, 2)
}

/// A percentage, two decimals.
#[must_use]
pub fn percent(value: Decimal) -> Decimal {
    rounded(value, 2)
}

/// Full-time equivalents, four decimals.
#[must_use]
pub fn effort(value: Decimal) -> Decimal {
    rounded(value, 4)
}

/// A cost per transaction, four decimals.
#[must_use]
pub fn unit_cost(value: Decimal) -> Decimal {
    rounded(value, 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_is_rounded_away_from_zero() {
        for (value, expected) in
            [("2.345", "2.35"), ("-2.345", "-2.35"), ("2.3449", "2.34"), ("7", "7.00"), ("-0.001", "0.00")]
        {
            let value: Decimal = value.parse().unwrap_or_default();
            assert_eq!(money(value).to_string(), expected);
        }
    }
}
