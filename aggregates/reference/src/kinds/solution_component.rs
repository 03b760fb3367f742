use kernel::{Change, Code, Text};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LookupKind, active, day_rate::amount, events};
use crate::LookupRefusal;

/// A part that solutions are built of and priced by (spec 11.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename = "SolutionComponent")]
pub struct SolutionComponentKind;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SolutionComponentDetails {
    pub name: Text<1, 100>,
    /// `RPA`, `IDP`.
    pub code: Code,
    /// What is counted: bot, process, document type.
    pub unit: Text<1, 40>,
    /// The price of one unit, two decimals.
    pub default_rate: Decimal,
    /// Days of work for one unit, two decimals.
    #[serde(default)]
    pub default_effort_days: Option<Decimal>,
    #[serde(default = "active")]
    pub is_active: bool,
}

/// A partial update: what is kept is absent.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SolutionComponentChanges {
    pub name: Option<Text<1, 100>>,
    pub code: Option<Code>,
    pub unit: Option<Text<1, 40>>,
    pub default_rate: Option<Decimal>,
    pub default_effort_days: Change<Decimal>,
    pub is_active: Option<bool>,
}

impl LookupKind for SolutionComponentKind {
    const TYPE: &'static str = "solution_component";
    const EVENTS: [(&'static str, &'static str); 5] = events!("solution_component");
    const KEPT_ONCE_USED: bool = false;
    type Details = SolutionComponentDetails;
    type Changes = SolutionComponentChanges;

    fn change(old: &SolutionComponentDetails, changes: SolutionComponentChanges) -> SolutionComponentDetails {
        SolutionComponentDetails {
            name: changes.name.unwrap_or_else(|| old.name.clone()),
            code: changes.code.unwrap_or_else(|| old.code.clone()),
            unit: changes.unit.unwrap_or_else(|| old.unit.clone()),
            default_rate: changes.default_rate.unwrap_or(old.default_rate),
            default_effort_days: changes.default_effort_days.over(old.default_effort_days),
            is_active: changes.is_active.unwrap_or(old.is_active),
        }
    }

    fn check(details: SolutionComponentDetails) -> Result<SolutionComponentDetails, LookupRefusal> {
        let default_effort_days =
            details.default_effort_days.map(|days| amount(days, "default_effort_days")).transpose()?;
        let default_rate = amount(details.default_rate, "default_rate")?;
        Ok(SolutionComponentDetails { default_rate, default_effort_days, ..details })
    }

    fn is_active(details: &SolutionComponentDetails) -> bool {
        details.is_active
    }

    fn set_active(details: &mut SolutionComponentDetails, is_active: bool) {
        details.is_active = is_active;
    }

    fn name(details: &SolutionComponentDetails) -> &str {
        &details.name
    }

    fn code(details: &SolutionComponentDetails) -> Option<&str> {
        Some(&details.code)
    }

    fn unique_keys(details: &SolutionComponentDetails) -> Vec<(&'static str, String)> {
        vec![("solution_component.code", details.code.key())]
    }
}
