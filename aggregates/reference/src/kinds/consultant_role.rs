use kernel::{Code, Text};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ExperienceLevel, LookupKind, active, day_rate::Band, events};
use crate::LookupRefusal;

/// A tier of the firm's own consultants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename = "ConsultantRole")]
pub struct ConsultantRoleKind;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsultantRoleDetails {
    pub name: Text<1, 100>,
    pub code: Code,
    pub experience_level: ExperienceLevel,
    /// Amounts a day, two decimals: `0 <= min <= current <= max`.
    pub day_rate_min: Decimal,
    pub day_rate_max: Decimal,
    pub day_rate_current: Decimal,
    #[serde(default = "active")]
    pub is_active: bool,
}

/// A partial update: what is kept is absent.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConsultantRoleChanges {
    pub name: Option<Text<1, 100>>,
    pub code: Option<Code>,
    pub experience_level: Option<ExperienceLevel>,
    pub day_rate_min: Option<Decimal>,
    pub day_rate_max: Option<Decimal>,
    pub day_rate_current: Option<Decimal>,
    pub is_active: Option<bool>,
}

impl LookupKind for ConsultantRoleKind {
    const TYPE: &'static str = "consultant_role";
    const EVENTS: [(&'static str, &'static str); 5] = events!("consultant_role");
    const KEPT_ONCE_USED: bool = false;
    type Details = ConsultantRoleDetails;
    type Changes = ConsultantRoleChanges;

    fn change(old: &ConsultantRoleDetails, changes: ConsultantRoleChanges) -> ConsultantRoleDetails {
        ConsultantRoleDetails {
            name: changes.name.unwrap_or_else(|| old.name.clone()),
            code: changes.code.unwrap_or_else(|| old.code.clone()),
            experience_level: changes.experience_level.unwrap_or(old.experience_level),
            day_rate_min: changes.day_rate_min.unwrap_or(old.day_rate_min),
            day_rate_max: changes.day_rate_max.unwrap_or(old.day_rate_max),
            day_rate_current: changes.day_rate_current.unwrap_or(old.day_rate_current),
            is_active: changes.is_active.unwrap_or(old.is_active),
        }
    }

    fn check(details: ConsultantRoleDetails) -> Result<ConsultantRoleDetails, LookupRefusal> {
        let (min, max, current) = (details.day_rate_min, details.day_rate_max, details.day_rate_current);
        let Band { min, max, current } = Band { min, max, current }.check()?;
        Ok(ConsultantRoleDetails { day_rate_min: min, day_rate_max: max, day_rate_current: current, ..details })
    }

    fn is_active(details: &ConsultantRoleDetails) -> bool {
        details.is_active
    }

    fn set_active(details: &mut ConsultantRoleDetails, is_active: bool) {
        details.is_active = is_active;
    }

    fn name(details: &ConsultantRoleDetails) -> &str {
        &details.name
    }

    fn code(details: &ConsultantRoleDetails) -> Option<&str> {
        Some(&details.code)
    }

    fn unique_keys(details: &ConsultantRoleDetails) -> Vec<(&'static str, String)> {
        vec![("consultant_role.code", details.code.key())]
    }
}
