//! A diagnosis of a client's processes: questions, answers, analysis, report, review and sign-off (spec 8).
//!
//! - **State machine**: DRAFT → RUNNING → COMPLETED → LOCKED, with REWORK in between; `Verb::is_allowed_in` is the
//!   table, everything else is `INVALID_TRANSITION`. RUNNING means that the analysis is at work; when it comes to
//!   nothing, the assessment is back where it came from.
//! - **Questions** are a snapshot of the bank, taken at creation; uploads and further verticals add to it.
//! - **Analysis** is done outside, on what this aggregate holds; it reports each step by a command that names its run.
//!   What a run reports after its end (a second delivery, a late worker) changes nothing and is no error.
//! - **Participants** (the client's reviewer and consultants) are facts of the client. They come with the creation, and
//!   `RecordParticipants` follows them, so that visibility is decided here and never by a projection.
//! - **Costings** are built on opportunities. That an opportunity is in one live costing only (or
//!   also in the one that is to supersede it), that costings are born
//!   and approved only while the assessment is COMPLETED or LOCKED, and that an assessment with an approved costing
//!   stays locked, spans two aggregates; so it is kept here, by commands that travel in the same append as the costing's
//!   own: `ClaimOpportunities` with its creation, revision or restoration, `RecordCostingApproval` with its approval,
//!   `ReleaseOpportunities` with its rejection, archiving or deletion. No rule needs to look a costing up.
//! - **Bookkeeping** (participants, releases, what a run reports) goes on while the assessment is deleted, so that it
//!   is true when the assessment is restored.
//!
//! The parts, with what concerns each alone, are in `assessment_parts`; the decisions in `assessment_rules`, a file a
//! topic; `rules.rs` is the table of commands.

mod command;
mod event;
mod refusal;
mod rules;
mod state;
#[cfg(test)]
mod tests;

pub use command::*;
pub use event::{AssessmentEvent, Created};
pub use refusal::AssessmentRefusal;
pub use state::{Assessment, AssessmentView};

pub use crate::assessment_parts::*;
