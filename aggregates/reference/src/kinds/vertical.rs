use kernel::{Change, Code, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LookupKind, active, events};
use crate::LookupRefusal;

/// A process of the client that is diagnosed from end to end (spec 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename = "Vertical")]
pub struct VerticalKind;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerticalDetails {
    pub name: Text<1, 100>,
    /// `P2P`; the codes of its questions begin with it.
    pub code: Code,
    #[serde(default)]
    pub description: Option<Text<1, 2000>>,
    #[serde(default = "active")]
    pub is_active: bool,
}

/// A partial update: what is kept is absent.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VerticalChanges {
    pub name: Option<Text<1, 100>>,
    pub code: Option<Code>,
    pub description: Change<Text<1, 2000>>,
    pub is_active: Option<bool>,
}

impl LookupKind for VerticalKind {
    const TYPE: &'static str = "vertical";
    const EVENTS: [(&'static str, &'static str); 5] = events!("vertical");
    const KEPT_ONCE_USED: bool = false;
    type Details = VerticalDetails;
    type Changes = VerticalChanges;

    fn change(old: &VerticalDetails, changes: VerticalChanges) -> VerticalDetails {
        VerticalDetails {
            name: changes.name.unwrap_or_else(|| old.name.clone()),
            code: changes.code.unwrap_or_else(|| old.code.clone()),
            description: changes.description.over(old.description.clone()),
            is_active: changes.is_active.unwrap_or(old.is_active),
        }
    }

    fn check(details: VerticalDetails) -> Result<VerticalDetails, LookupRefusal> {
        Ok(details)
    }

    fn is_active(details: &VerticalDetails) -> bool {
        details.is_active
    }

    fn set_active(details: &mut VerticalDetails, is_active: bool) {
        details.is_active = is_active;
    }

    fn name(details: &VerticalDetails) -> &str {
        &details.name
    }

    fn code(details: &VerticalDetails) -> Option<&str> {
        Some(&details.code)
    }

    fn unique_keys(details: &VerticalDetails) -> Vec<(&'static str, String)> {
        vec![("vertical.code", details.code.key())]
    }
}
