//! An offer to a client, made from an approved costing (spec 15).
//!
//! The hard rule, that the costing is APPROVED and has no other live proposal, is kept by the costing's own stream:
//! the shell appends in one go `LinkProposal` on the costing with `Create` here, and `UnlinkProposal` with `Delete`
//! (`LinkProposal` again with `Restore`). What is rejected, expired or withdrawn stays linked: it is revised, not
//! duplicated. `Approve` names the project's id, and the project's `Create` goes into the same append, so that there
//! is never an approved proposal without its project, nor two.
//!
//! A client sees a proposal from its submission on; a revision hides it again until it is submitted.

mod command;
mod event;
mod refusal;
mod rules;
mod state;
#[cfg(test)]
mod tests;

pub use command::{Approval, CostedOpportunity, CostingFacts, NewProposal, ProposalChanges, ProposalCommand};
pub use event::ProposalEvent;
pub use refusal::ProposalRefusal;
pub use state::{Body, Deliverable, KnownProposal, Proposal, ProposalContent, ProposalStatus, ProposalView, Title};
