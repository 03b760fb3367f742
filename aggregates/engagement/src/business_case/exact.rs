use rust_decimal::Decimal;

use super::OutOfRange;

/// Arithmetic on one figure: whatever leaves the range of a decimal is refused in the figure's name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure(pub(crate) &'static str);

impl Figure {
    pub(crate) fn add(self, a: Decimal, b: Decimal) -> Result<Decimal, OutOfRange> {
        a.checked_add(b).ok_or(OutOfRange(self.0))
    }

    pub(crate) fn sub(self, a: Decimal, b: Decimal) -> Result<Decimal, OutOfRange> {
        a.checked_sub(b).ok_or(OutOfRange(self.0))
    }

    pub(crate) fn mul(self, a: Decimal, b: Decimal) -> Result<Decimal, OutOfRange> {
        a.checked_mul(b).ok_or(OutOfRange(self.0))
    }

    /// Also out of range when `b` is zero.
    pub(crate) fn div(self, a: Decimal, b: Decimal) -> Result<Decimal, OutOfRange> {
        a.checked_div(b).ok_or(OutOfRange(self.0))
    }

    /// `share` percent of `value`.
    pub(crate) fn percent_of(self, value: Decimal, share: Decimal) -> Result<Decimal, OutOfRange> {
        self.mul(value, self.div(share, Decimal::ONE_HUNDRED)?)
    }

    /// How many percent of `whole` are `part`; `None` of nothing.
    pub(crate) fn in_percent(self, part: Decimal, whole: Decimal) -> Result<Option<Decimal>, OutOfRange> {
        if whole.is_zero() {
            return Ok(None);
        }
        self.div(self.mul(part, Decimal::ONE_HUNDRED)?, whole).map(Some)
    }

    pub(crate) fn sum(self, values: impl IntoIterator<Item = Decimal>) -> Result<Decimal, OutOfRange> {
        values.into_iter().try_fold(Decimal::ZERO, |sum, value| self.add(sum, value))
    }
}
