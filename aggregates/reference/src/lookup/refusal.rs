use std::borrow::Cow;

use kernel::{Kind, Refusal};

/// Which rule of a look-up a command broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupRefusal {
    #[error("there is no such thing")]
    NotFound,
    #[error("only an ADMIN may change master data")]
    Forbidden,
    #[error("it exists already")]
    AlreadyExists,
    #[error("it is in use: it can be deactivated, but not deleted")]
    InUse,
    #[error("the day rates must satisfy 0 <= min <= current <= max")]
    DayRateOutOfBand,
    #[error("must be 1 to 31 days")]
    DaysOutOfRange,
    #[error("must be 0 to 4 decimals")]
    MinorUnitsOutOfRange,
    #[error("must be the three letters of ISO 4217")]
    NotACurrencyCode,
    #[error("must be 0 to 9999999999.99")]
    AmountOutOfRange { field: &'static str },
}

impl Refusal for LookupRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Forbidden => Kind::Forbidden,
            Self::AlreadyExists | Self::InUse => Kind::Conflict,
            Self::DayRateOutOfBand
            | Self::DaysOutOfRange
            | Self::MinorUnitsOutOfRange
            | Self::NotACurrencyCode
            | Self::AmountOutOfRange { .. } => Kind::Unprocessable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Forbidden => "FORBIDDEN",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::InUse => "IN_USE",
            Self::DayRateOutOfBand => "DAY_RATE_OUT_OF_BAND",
            Self::DaysOutOfRange => "DAYS_OUT_OF_RANGE",
            Self::MinorUnitsOutOfRange => "MINOR_UNITS_OUT_OF_RANGE",
            Self::NotACurrencyCode => "NOT_A_CURRENCY_CODE",
            Self::AmountOutOfRange { .. } => "AMOUNT_OUT_OF_RANGE",
        }
    }

    fn field(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::DayRateOutOfBand => Some(Cow::Borrowed("day_rate_current")),
            Self::DaysOutOfRange => Some(Cow::Borrowed("number_of_days")),
            Self::MinorUnitsOutOfRange => Some(Cow::Borrowed("minor_units")),
            Self::NotACurrencyCode => Some(Cow::Borrowed("code")),
            Self::AmountOutOfRange { field } => Some(Cow::Borrowed(*field)),
            Self::NotFound | Self::Forbidden | Self::AlreadyExists | Self::InUse => None,
        }
    }
}
