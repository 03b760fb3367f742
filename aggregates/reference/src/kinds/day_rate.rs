//! What both kinds of roles share: a tier of experience and a band of day rates.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::LookupRefusal;

/// How experienced somebody in a role is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExperienceLevel {
    Junior,
    Mid,
    Senior,
    Lead,
    Principal,
}

/// The day rates of a role, in the currency of the rate card that uses it.
pub(super) struct Band {
    pub(super) min: Decimal,
    pub(super) max: Decimal,
    pub(super) current: Decimal,
}

impl Band {
    /// Two decimals, and `0 <= min <= current <= max` (spec 4).
    pub(super) fn check(self) -> Result<Self, LookupRefusal> {
        let band = Self {
            min: amount(self.min, "day_rate_min")?,
            max: amount(self.max, "day_rate_max")?,
            current: amount(self.current, "day_rate_current")?,
        };
        if band.min <= band.current && band.current <= band.max {
            Ok(band)
        } else {
            Err(LookupRefusal::DayRateOutOfBand)
        }
    }
}

/// An amount of decimal(12,2) that is not negative, with two decimals.
pub(super) fn amount(value: Decimal, field: &'static str) -> Result<Decimal, LookupRefusal> {
    let limit = Decimal::from(10_000_000_000_i64);
    let value = kernel::money(value);
    if value.is_sign_negative() || value >= limit {
        return Err(LookupRefusal::AmountOutOfRange { field });
    }
    Ok(value)
}
