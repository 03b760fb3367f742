//! A corporate client, the parent record of its contacts.

mod command;
mod event;
mod refusal;
mod rules;
mod state;
#[cfg(test)]
mod tests;

pub use command::{CompanyChanges, CompanyCommand, NewCompany};
pub use event::CompanyEvent;
pub use refusal::CompanyRefusal;
pub use state::{Company, CompanyDetails, CompanyView};
