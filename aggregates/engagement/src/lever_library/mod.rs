//! The lever library: the opportunity templates of the installation, in one stream (spec 12.7).
//!
//! It changes by imports only, each all or nothing. An analysis instantiates the active templates of the assessment's
//! verticals whose condition is true.

mod command;
mod event;
mod refusal;
mod rules;
mod state;
#[cfg(test)]
mod tests;

pub use command::{LeverLibraryCommand, TemplateItem};
pub use event::LeverLibraryEvent;
pub use refusal::LeverLibraryRefusal;
pub use state::{LeverLibrary, LeverLibraryView};
