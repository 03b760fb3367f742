//! What components of a solution cost, and what PMO, support, location and complexity add (spec 11.1).

mod command;
mod event;
mod refusal;
mod rules;
mod state;
#[cfg(test)]
mod tests;

pub use command::{BaseCard, ItemInput, NewSolutionRateCard, SolutionCardChanges, SolutionRateCardCommand};
pub use event::{SolutionCardTerms, SolutionRateCardEvent};
pub use refusal::SolutionRateCardRefusal;
pub use state::{KnownSolutionCard, SolutionRateCard, SolutionRateCardView};
