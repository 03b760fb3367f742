//! What a change would be worth: baseline, savings, financials and roadmap (spec 12). Pure calculation.
//!
//! Intermediate values keep full precision; only what a report stores is rounded. Numbers come from users, so every
//! step is checked: one that leaves the range of a decimal is an [`OutOfRange`] that names the figure.

mod baseline;
mod evaluation;
mod exact;
mod financials;
mod opportunity;
mod parameters;
mod roadmap;
mod savings;
mod template;
#[cfg(test)]
mod tests;

pub use baseline::{Baseline, BaselineInputs, Costs, MissingInputs};
pub use evaluation::{CaseError, Evaluation, VerticalFacts, evaluate};
pub(crate) use exact::Figure;
pub use financials::{Basis, Financials, NoFigure};
pub use opportunity::{
    Complexity, Lever, Opportunity, OpportunityChanges, OpportunityInput, OpportunityStatus, Source,
};
pub use parameters::{BadParameter, Parameters, TargetQuartile};
pub use roadmap::{GAP_SCORE_WITHOUT_BENCHMARK, RoadmapYear};
pub use savings::VerticalSavings;
pub(crate) use savings::fte_gap;
pub use template::OpportunityTemplate;

/// A figure too large (or too small) to be calculated with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is out of range")]
pub struct OutOfRange(pub &'static str);
