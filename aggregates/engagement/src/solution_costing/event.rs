use chrono::{DateTime, Utc};
use kernel::{AssessmentId, LineItemId, ProposalId, RegionId, SolutionCostingId, Text, UserId, domain_event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CostingParameters, PricedWith};
use crate::{
    participants::Participants,
    pricing::{Amounts, Line},
};

/// What happened to a costing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum CostingEvent {
    Created(Box<CostingCreated>),
    LineItemAdded {
        line: Box<Line>,
        by: Option<UserId>,
    },
    LineItemUpdated {
        line: Box<Line>,
        by: Option<UserId>,
    },
    LineItemRemoved {
        id: LineItemId,
        by: Option<UserId>,
    },
    /// The parameters as they are from now on.
    ParametersSet {
        parameters: Box<CostingParameters>,
        by: Option<UserId>,
    },
    /// The cards and savings from now on; the lines that come out otherwise follow as `LineItemUpdated`.
    Repriced {
        with: Box<PricedWith>,
        by: Option<UserId>,
    },
    /// All amounts, after whatever came before.
    Recalculated(Box<Amounts>),
    Submitted {
        by: Option<UserId>,
        at: DateTime<Utc>,
    },
    /// With all amounts as they were signed.
    Approved {
        by: Option<UserId>,
        at: DateTime<Utc>,
        amounts: Box<Amounts>,
    },
    Rejected {
        by: Option<UserId>,
        at: DateTime<Utc>,
        reason: Text<1, 4000>,
    },
    Revised {
        by: Option<UserId>,
    },
    Archived {
        by: Option<UserId>,
    },
    RateCardOutdated {
        version: u32,
    },
    ProposalLinked {
        proposal_id: ProposalId,
    },
    ProposalUnlinked {
        proposal_id: ProposalId,
    },
    TotalsDisclosed,
    ParticipantsChanged(Participants),
    Deleted {
        cascade_id: Option<Text<1, 64>>,
    },
    Restored,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostingCreated {
    pub assessment_id: AssessmentId,
    pub region_id: RegionId,
    pub participants: Participants,
    pub parameters: CostingParameters,
    pub with: PricedWith,
    pub amounts: Amounts,
    pub supersedes_id: Option<SolutionCostingId>,
    pub by: Option<UserId>,
}

domain_event!(CostingEvent:
    Created => "solution_costing.created",
    LineItemAdded => "solution_costing.line_item_added",
    LineItemUpdated => "solution_costing.line_item_updated",
    LineItemRemoved => "solution_costing.line_item_removed",
    ParametersSet => "solution_costing.parameters_set",
    Repriced => "solution_costing.repriced",
    Recalculated => "solution_costing.recalculated",
    Submitted => "solution_costing.submitted",
    Approved => "solution_costing.approved",
    Rejected => "solution_costing.rejected",
    Revised => "solution_costing.revised",
    Archived => "solution_costing.archived",
    RateCardOutdated => "solution_costing.rate_card_outdated",
    ProposalLinked => "solution_costing.proposal_linked",
    ProposalUnlinked => "solution_costing.proposal_unlinked",
    TotalsDisclosed => "solution_costing.totals_disclosed",
    ParticipantsChanged => "solution_costing.participants_changed",
    Deleted => "solution_costing.deleted",
    Restored => "solution_costing.restored",
);
