//! Where the rates of one costing are looked up.

use kernel::{AssessmentId, RegionId, UserId};

use super::{CardFacts, Line, Rate, SolutionCardFacts, Work, resolve_component, resolve_role};

/// All that a line's rate can come from.
#[derive(Debug, Clone, Copy)]
pub struct PriceBook<'a> {
    pub card: &'a CardFacts,
    pub solution_card: Option<&'a SolutionCardFacts>,
    /// Cards in force that a role may be found in when the first lacks it.
    pub others: &'a [CardFacts],
    pub place: (AssessmentId, UserId, RegionId),
}

impl PriceBook<'_> {
    /// The rate that holds now.
    #[must_use]
    pub fn rate(&self, work: &Work) -> Rate {
        match work {
            Work::Role { role, .. } => resolve_role(role, self.card, self.others, self.place),
            Work::Component { component, .. } => resolve_component(component, self.solution_card),
        }
    }

    /// The rate of a line that was priced before, under another solution rate card; a role's does not depend on it.
    #[must_use]
    pub fn rate_again(&self, line: &Line) -> Rate {
        match &line.input.work {
            Work::Role { .. } => line.rate.clone(),
            work @ Work::Component { .. } => self.rate(work),
        }
    }
}
