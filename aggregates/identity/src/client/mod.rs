//! The profile around a CLIENT user: its company, its reviewer, and who consults it on which vertical.
//!
//! The user itself (login, role, email) is an aggregate of its own; a payload names a client by its user's id.

mod command;
mod event;
mod refusal;
mod rules;
mod state;
#[cfg(test)]
mod tests;

pub use command::{ClientChanges, ClientCommand, NewClient, PairFacts, StaffFacts};
pub use event::ClientEvent;
pub use refusal::ClientRefusal;
pub use state::{Client, ClientDetails, ClientView, Pair, Profile};
