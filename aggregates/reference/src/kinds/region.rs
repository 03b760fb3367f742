use kernel::{Change, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LookupKind, active, events};
use crate::LookupRefusal;

/// A part of the world with its own salaries and rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename = "Region")]
pub struct RegionKind;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionDetails {
    pub name: Text<1, 100>,
    /// `USA`, `UK`, `INDIA`.
    #[serde(default)]
    pub code: Option<Text<1, 10>>,
    #[serde(default = "active")]
    pub is_active: bool,
}

/// A partial update: what is kept is absent.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RegionChanges {
    pub name: Option<Text<1, 100>>,
    pub code: Change<Text<1, 10>>,
    pub is_active: Option<bool>,
}

impl LookupKind for RegionKind {
    const TYPE: &'static str = "region";
    const EVENTS: [(&'static str, &'static str); 5] = events!("region");
    const KEPT_ONCE_USED: bool = false;
    type Details = RegionDetails;
    type Changes = RegionChanges;

    fn change(old: &RegionDetails, changes: RegionChanges) -> RegionDetails {
        RegionDetails {
            name: changes.name.unwrap_or_else(|| old.name.clone()),
            code: changes.code.over(old.code.clone()),
            is_active: changes.is_active.unwrap_or(old.is_active),
        }
    }

    fn check(details: RegionDetails) -> Result<RegionDetails, LookupRefusal> {
        Ok(details)
    }

    fn is_active(details: &RegionDetails) -> bool {
        details.is_active
    }

    fn set_active(details: &mut RegionDetails, is_active: bool) {
        details.is_active = is_active;
    }

    fn name(details: &RegionDetails) -> &str {
        &details.name
    }

    fn code(details: &RegionDetails) -> Option<&str> {
        details.code.as_deref()
    }

    fn unique_keys(details: &RegionDetails) -> Vec<(&'static str, String)> {
        let code = details.code.as_ref().map(|code| ("region.code", code.key()));
        [("region.name", details.name.key())].into_iter().chain(code).collect()
    }
}
