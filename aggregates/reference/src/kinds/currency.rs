use kernel::{Change, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LookupKind, active, events};
use crate::LookupRefusal;

/// A currency of ISO 4217.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename = "Currency")]
pub struct CurrencyKind;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CurrencyDetails {
    /// Three letters, stored in upper case.
    pub code: Text<3, 3>,
    pub name: Text<1, 100>,
    #[serde(default)]
    pub symbol: Option<Text<1, 5>>,
    #[serde(default)]
    pub country: Option<Text<1, 100>>,
    /// Decimals of an amount, 0 to 4.
    #[serde(default = "two")]
    pub minor_units: u8,
    #[serde(default = "active")]
    pub is_active: bool,
}

/// A partial update: what is kept is absent.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CurrencyChanges {
    pub code: Option<Text<3, 3>>,
    pub name: Option<Text<1, 100>>,
    pub symbol: Change<Text<1, 5>>,
    pub country: Change<Text<1, 100>>,
    pub minor_units: Option<u8>,
    pub is_active: Option<bool>,
}

const fn two() -> u8 {
    2
}

impl LookupKind for CurrencyKind {
    const TYPE: &'static str = "currency";
    const EVENTS: [(&'static str, &'static str); 5] = events!("currency");
    const KEPT_ONCE_USED: bool = true;
    type Details = CurrencyDetails;
    type Changes = CurrencyChanges;

    fn change(old: &CurrencyDetails, changes: CurrencyChanges) -> CurrencyDetails {
        CurrencyDetails {
            code: changes.code.unwrap_or_else(|| old.code.clone()),
            name: changes.name.unwrap_or_else(|| old.name.clone()),
            symbol: changes.symbol.over(old.symbol.clone()),
            country: changes.country.over(old.country.clone()),
            minor_units: changes.minor_units.unwrap_or(old.minor_units),
            is_active: changes.is_active.unwrap_or(old.is_active),
        }
    }

    fn check(details: CurrencyDetails) -> Result<CurrencyDetails, LookupRefusal> {
        if !details.code.chars().all(|c| c.is_ascii_alphabetic()) {
            return Err(LookupRefusal::NotACurrencyCode);
        }
        if details.minor_units > 4 {
            return Err(LookupRefusal::MinorUnitsOutOfRange);
        }
        let code = Text::new(&details.code.to_ascii_uppercase()).map_err(|_| LookupRefusal::NotACurrencyCode)?;
        Ok(CurrencyDetails { code, ..details })
    }

    fn is_active(details: &CurrencyDetails) -> bool {
        details.is_active
    }

    fn set_active(details: &mut CurrencyDetails, is_active: bool) {
        details.is_active = is_active;
    }

    fn name(details: &CurrencyDetails) -> &str {
        &details.name
    }

    fn code(details: &CurrencyDetails) -> Option<&str> {
        Some(&details.code)
    }

    fn unique_keys(details: &CurrencyDetails) -> Vec<(&'static str, String)> {
        vec![("currency.code", details.code.key())]
    }
}
