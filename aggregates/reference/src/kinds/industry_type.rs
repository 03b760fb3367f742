use kernel::{Code, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LookupKind, active, events};
use crate::LookupRefusal;

/// What a client does for a living; benchmarks differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename = "IndustryType")]
pub struct IndustryTypeKind;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IndustryTypeDetails {
    pub name: Text<1, 100>,
    /// `RETAIL`; benchmarks name it.
    pub code: Code,
    #[serde(default = "active")]
    pub is_active: bool,
}

/// A partial update: what is kept is absent.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IndustryTypeChanges {
    pub name: Option<Text<1, 100>>,
    pub code: Option<Code>,
    pub is_active: Option<bool>,
}

impl LookupKind for IndustryTypeKind {
    const TYPE: &'static str = "industry_type";
    const EVENTS: [(&'static str, &'static str); 5] = events!("industry_type");
    const KEPT_ONCE_USED: bool = false;
    type Details = IndustryTypeDetails;
    type Changes = IndustryTypeChanges;

    fn change(old: &IndustryTypeDetails, changes: IndustryTypeChanges) -> IndustryTypeDetails {
        IndustryTypeDetails {
            name: changes.name.unwrap_or_else(|| old.name.clone()),
            code: changes.code.unwrap_or_else(|| old.code.clone()),
            is_active: changes.is_active.unwrap_or(old.is_active),
        }
    }

    fn check(details: IndustryTypeDetails) -> Result<IndustryTypeDetails, LookupRefusal> {
        Ok(details)
    }

    fn is_active(details: &IndustryTypeDetails) -> bool {
        details.is_active
    }

    fn set_active(details: &mut IndustryTypeDetails, is_active: bool) {
        details.is_active = is_active;
    }

    fn name(details: &IndustryTypeDetails) -> &str {
        &details.name
    }

    fn code(details: &IndustryTypeDetails) -> Option<&str> {
        Some(&details.code)
    }

    fn unique_keys(details: &IndustryTypeDetails) -> Vec<(&'static str, String)> {
        vec![("industry_type.name", details.name.key()), ("industry_type.code", details.code.key())]
    }
}
