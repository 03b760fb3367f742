//! The kinds of look-ups: what each holds, what is accepted, what must be unique.

mod consultant_role;
mod currency;
mod day_rate;
mod industry_type;
mod operations_role;
mod region;
mod solution_component;
#[cfg(test)]
mod tests;
mod vertical;

use std::fmt::Debug;

pub use consultant_role::{ConsultantRoleChanges, ConsultantRoleDetails, ConsultantRoleKind};
pub use currency::{CurrencyChanges, CurrencyDetails, CurrencyKind};
pub use day_rate::ExperienceLevel;
pub use industry_type::{IndustryTypeChanges, IndustryTypeDetails, IndustryTypeKind};
pub use operations_role::{OperationsRoleChanges, OperationsRoleDetails, OperationsRoleKind};
pub use region::{RegionChanges, RegionDetails, RegionKind};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
pub use solution_component::{SolutionComponentChanges, SolutionComponentDetails, SolutionComponentKind};
use utoipa::ToSchema;
pub use vertical::{VerticalChanges, VerticalDetails, VerticalKind};

use crate::LookupRefusal;

/// What one kind of look-up adds to the life that all have in common (spec 4).
pub trait LookupKind: Clone + Debug + PartialEq + JsonSchema + Send + Sync + 'static {
    /// The aggregate's type; the first part of its events' names.
    const TYPE: &'static str;

    /// Stored type and version of created, details changed, used, deleted and restored, in this order.
    const EVENTS: [(&'static str, &'static str); 5];

    /// Once used it can be deactivated, but no longer deleted.
    const KEPT_ONCE_USED: bool;

    /// What it holds; also the payload that creates it.
    type Details: Serialize
        + DeserializeOwned
        + JsonSchema
        + ToSchema
        + Clone
        + Debug
        + PartialEq
        + Send
        + Sync
        + 'static;

    /// The payload that changes it: what is absent is kept, `null` clears.
    type Changes: DeserializeOwned + ToSchema + Default + Clone + Debug + PartialEq + Send + Sync + 'static;

    /// The details after the changes, not yet checked.
    fn change(details: &Self::Details, changes: Self::Changes) -> Self::Details;

    /// The details as they are stored: amounts with two decimals, codes in the case of their standard.
    ///
    /// # Errors
    /// When a value is out of its range.
    fn check(details: Self::Details) -> Result<Self::Details, LookupRefusal>;

    fn is_active(details: &Self::Details) -> bool;

    /// Switches it on or off.
    fn set_active(details: &mut Self::Details, is_active: bool);

    fn name(details: &Self::Details) -> &str;

    fn code(details: &Self::Details) -> Option<&str>;

    /// What no other look-up of this kind may have: the scope of its reservation, which ends in the member's name
    /// (`region.code`), and the value in lower case.
    fn unique_keys(details: &Self::Details) -> Vec<(&'static str, String)>;
}

/// The names of a kind's events: `events!("region")`.
macro_rules! events {
    ($kind:literal) => {
        [
            (concat!($kind, ".created"), "1.0"),
            (concat!($kind, ".details_changed"), "1.0"),
            (concat!($kind, ".used"), "1.0"),
            (concat!($kind, ".deleted"), "1.0"),
            (concat!($kind, ".restored"), "1.0"),
        ]
    };
}
use events;

/// What serde takes for an absent `is_active`.
const fn active() -> bool {
    true
}
