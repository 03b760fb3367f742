//! Anything that others refer to and that has no life of its own beyond being there, on or off.

mod command;
mod event;
mod refusal;
mod rules;
mod state;
#[cfg(test)]
mod tests;

pub use command::LookupCommand;
pub use event::LookupEvent;
pub use refusal::LookupRefusal;
pub use state::{Lookup, LookupView};
