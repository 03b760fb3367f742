//! Day rates of operations and consultant roles in a region and currency (spec 11): standard, or of one client or
//! assessment.

mod command;
mod event;
mod refusal;
mod rules;
mod state;
#[cfg(test)]
mod tests;

pub use command::{
    AssessmentScope, CardChanges, ClientScope, NewRateCard, RateCardCommand, Reference, RoleRate, Staff,
};
pub use event::{RateCardDetails, RateCardEvent};
pub use refusal::RateCardRefusal;
pub use state::{CardRoleView, CardScope, CardSlot, CardState, RateCard, RateCardView};
