//! The delivery of an approved proposal (spec 16).
//!
//! A project is born in the same append as the approval: the shell appends the proposal's `Approve` and `Create` here
//! together. What the body of the approval leaves open is planned by [`crate::birth`]. The automatic delivery status
//! depends on the day, so every command that changes something looks again as of its own day, and the scheduler's
//! `Reassess` does so when nobody commands anything.

mod command;
mod event;
mod refusal;
mod rules;
mod state;
#[cfg(test)]
mod tests;

pub use command::{
    Birth, DetailsChange, ExpensePosting, MilestoneChange, MilestoneDraft, OpportunityChange, Overrides,
    ProjectCommand, StatusChange,
};
pub use event::ProjectEvent;
pub use refusal::ProjectRefusal;
pub use state::{
    DeliveryMode, Expense, KnownProject, Milestone, MilestoneStatus, Project, ProjectDetails, ProjectOpportunity,
    ProjectView, Stage,
};
