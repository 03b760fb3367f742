use kernel::{Code, Text};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ExperienceLevel, LookupKind, active, day_rate::Band, events};
use crate::LookupRefusal;

/// A role in the client's operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename = "OperationsRole")]
pub struct OperationsRoleKind;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationsRoleDetails {
    pub name: Text<1, 100>,
    pub code: Code,
    pub experience_level: ExperienceLevel,
    /// Amounts a day, two decimals: `0 <= min <= current <= max`.
    pub day_rate_min: Decimal,
    pub day_rate_max: Decimal,
    pub day_rate_current: Decimal,
    /// Working days a month, 1 to 31.
    pub number_of_days: u8,
    #[serde(default = "active")]
    pub is_active: bool,
}

/// A partial update: what is kept is absent.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OperationsRoleChanges {
    pub name: Option<Text<1, 100>>,
    pub code: Option<Code>,
    pub experience_level: Option<ExperienceLevel>,
    pub day_rate_min: Option<Decimal>,
    pub day_rate_max: Option<Decimal>,
    pub day_rate_current: Option<Decimal>,
    pub number_of_days: Option<u8>,
    pub is_active: Option<bool>,
}

impl LookupKind for OperationsRoleKind {
    const TYPE: &'static str = "operations_role";
    const EVENTS: [(&'static str, &'static str); 5] = events!("operations_role");
    const KEPT_ONCE_USED: bool = false;
    type Details = OperationsRoleDetails;
    type Changes = OperationsRoleChanges;

    fn change(old: &OperationsRoleDetails, changes: OperationsRoleChanges) -> OperationsRoleDetails {
        OperationsRoleDetails {
            name: changes.name.unwrap_or_else(|| old.name.clone()),
            code: changes.code.unwrap_or_else(|| old.code.clone()),
            experience_level: changes.experience_level.unwrap_or(old.experience_level),
            day_rate_min: changes.day_rate_min.unwrap_or(old.day_rate_min),
            day_rate_max: changes.day_rate_max.unwrap_or(old.day_rate_max),
            day_rate_current: changes.day_rate_current.unwrap_or(old.day_rate_current),
            number_of_days: changes.number_of_days.unwrap_or(old.number_of_days),
            is_active: changes.is_active.unwrap_or(old.is_active),
        }
    }

    fn check(details: OperationsRoleDetails) -> Result<OperationsRoleDetails, LookupRefusal> {
        let (min, max, current) = (details.day_rate_min, details.day_rate_max, details.day_rate_current);
        let Band { min, max, current } = Band { min, max, current }.check()?;
        if !(1..=31).contains(&details.number_of_days) {
            return Err(LookupRefusal::DaysOutOfRange);
        }
        Ok(OperationsRoleDetails { day_rate_min: min, day_rate_max: max, day_rate_current: current, ..details })
    }

    fn is_active(details: &OperationsRoleDetails) -> bool {
        details.is_active
    }

    fn set_active(details: &mut OperationsRoleDetails, is_active: bool) {
        details.is_active = is_active;
    }

    fn name(details: &OperationsRoleDetails) -> &str {
        &details.name
    }

    fn code(details: &OperationsRoleDetails) -> Option<&str> {
        Some(&details.code)
    }

    fn unique_keys(details: &OperationsRoleDetails) -> Vec<(&'static str, String)> {
        vec![("operations_role.code", details.code.key())]
    }
}
