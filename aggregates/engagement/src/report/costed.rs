use kernel::{CurrencyId, OpportunityId, SolutionCostingId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    business_case::Financials,
    solution_costing::{CostingStatus, KnownCosting},
};

/// What an approved costing makes of the estimate for its opportunities (spec 12.5). It stands beside the report's own
/// figures, never in their place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct CostedFigures {
    pub costing_id: SolutionCostingId,
    pub name: String,
    pub opportunity_ids: Vec<OpportunityId>,
    /// The currency of all money in these figures.
    pub currency: CurrencyId,
    #[serde(flatten)]
    pub financials: Financials,
}

impl CostedFigures {
    /// Those of a costing that is approved and there; of any other there are none.
    #[must_use]
    pub fn of(id: SolutionCostingId, costing: &KnownCosting) -> Option<Self> {
        if costing.status != CostingStatus::Approved || costing.is_deleted {
            return None;
        }
        Some(Self {
            costing_id: id,
            name: costing.parameters.name.to_string(),
            opportunity_ids: costing.opportunity_ids(),
            currency: costing.with.rate_card.currency,
            // What is out of range was refused when the costing was calculated.
            financials: costing.amounts.financials(&costing.with.parameters).ok()?,
        })
    }
}
