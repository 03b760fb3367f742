//! What an assessment is made of, each part with the rules that concern it alone.

mod analysis_run;
mod answer_change;
mod client_team;
mod comment;
mod digest;
mod opportunity_book;
mod profile;
mod signature;
mod verb;

pub use analysis_run::{AnalysisRun, Pins, RunStatus, STEPS};
pub use answer_change::{AnswerChange, Submission, SubmittedAnswer};
pub(crate) use answer_change::{as_given, is_empty};
pub use client_team::{ClientTeam, Pairing};
pub use comment::{Comment, CommentKind};
pub use digest::digest;
pub use opportunity_book::OpportunityBook;
pub use profile::{AnalysisStatus, Deletion, Details, Header, InputMethod, Profile, Status};
pub use signature::{Signature, default_policy};
pub use verb::Verb;
