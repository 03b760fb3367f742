//! What a solution costs to build and run, line by line, from the draft to the reviewer's approval (spec 14).

mod command;
mod event;
mod refusal;
mod rules;
mod state;
#[cfg(test)]
mod tests;

pub use command::{
    AssessmentFacts, CostingCommand, FoundOpportunity, NewCosting, OpportunityFacts, ParameterChanges, Repricing,
    SupersededFacts,
};
pub use event::{CostingCreated, CostingEvent};
pub use refusal::CostingRefusal;
pub use state::{
    ClientView, CostingParameters, CostingStatus, CostingView, KnownCosting, PricedWith, SolutionCosting, client_view,
};
