use kernel::{AssessmentId, Change, LineItemId, OpportunityId, ProposalId, RegionId, SolutionCostingId, Text};
use rust_decimal::Decimal;

use crate::{
    business_case::Parameters,
    participants::Participants,
    pricing::{CardFacts, ComponentFacts, CostedOpportunity, LineChanges, LineInput, RoleFacts, SolutionCardFacts},
};

/// What can be asked of a costing.
///
/// That an opportunity is in one live costing only is looked up outside (`costed_by`) and kept at the commit there.
#[derive(Debug, Clone, PartialEq)]
pub enum CostingCommand {
    Create(Box<NewCosting>),
    /// `cards` are the cards in force that the role may be found in when the costing's own lacks it (spec 11.4).
    AddLineItem {
        id: LineItemId,
        input: Box<LineInput>,
        cards: Vec<CardFacts>,
    },
    UpdateLineItem {
        id: LineItemId,
        changes: Box<LineChanges>,
        cards: Vec<CardFacts>,
    },
    RemoveLineItem {
        id: LineItemId,
    },
    SetParameters(Box<ParameterChanges>),
    Reprice(Box<Repricing>),
    Submit,
    Approve {
        assessment_is_in_rework: bool,
        /// `ALLOW_ADMIN_SELF_APPROVAL`.
        admin_may_approve_own: bool,
    },
    Reject {
        reason: Text<1, 4000>,
    },
    Revise,
    Archive,
    /// The system's: the rate card has a newer version than the costing is priced with.
    OutdateRateCard {
        version: u32,
    },
    /// The system's, in one append with the proposal's creation.
    LinkProposal {
        proposal: ProposalId,
    },
    /// The system's: the proposal is gone.
    UnlinkProposal {
        proposal: ProposalId,
    },
    /// The system's: a proposal of this costing was sent, so its client may see the totals.
    DiscloseTotals,
    /// The system's: the assessment's people have changed.
    RecordParticipants(Participants),
    /// `cascade_id` names the deletion of a parent that this one follows from.
    Delete {
        cascade_id: Option<Text<1, 64>>,
        force: bool,
        project_is_active: bool,
    },
    /// With a `cascade_id` only what that cascade removed comes back.
    Restore {
        cascade_id: Option<Text<1, 64>>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct NewCosting {
    pub name: Text<1, 200>,
    pub assessment: AssessmentFacts,
    pub opportunities: Vec<OpportunityFacts>,
    pub rate_card: CardFacts,
    pub solution_rate_card: Option<SolutionCardFacts>,
    pub supersedes: Option<SupersededFacts>,
}

/// What was learned of the assessment that the costing is for.
#[derive(Debug, Clone, PartialEq)]
pub struct AssessmentFacts {
    pub id: AssessmentId,
    pub region: RegionId,
    pub participants: Participants,
    /// COMPLETED or LOCKED.
    pub is_ready: bool,
    pub is_deleted: bool,
    pub parameters: Parameters,
}

/// An opportunity that was named; `found` is `None` when there is no such one, or it is deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct OpportunityFacts {
    pub id: OpportunityId,
    pub found: Option<FoundOpportunity>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct FoundOpportunity {
    pub assessment: AssessmentId,
    /// A year's (spec 12.4).
    pub gross_savings: Decimal,
    /// The costing, neither REJECTED nor ARCHIVED nor deleted, that it is in already.
    pub costed_by: Option<SolutionCostingId>,
}

/// The costing that a new one is to take the place of.
#[derive(Debug, Clone, PartialEq)]
pub struct SupersededFacts {
    pub id: SolutionCostingId,
    pub assessment: AssessmentId,
    pub is_approved: bool,
}

/// A partial update. A cleared percentage is the solution rate card's again, a cleared number of years the
/// assessment's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParameterChanges {
    pub name: Option<Text<1, 200>>,
    pub pmo_percentage: Change<Decimal>,
    pub support_percentage: Change<Decimal>,
    pub support_years_in_price: Change<Decimal>,
    pub number_of_bots: Change<u32>,
    pub number_of_processes: Change<u32>,
    pub duration_months: Change<Decimal>,
    pub solution_rate_card: Change<SolutionCardFacts>,
}

/// Everything that a costing is priced with, as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Repricing {
    pub rate_card: CardFacts,
    pub solution_rate_card: Option<SolutionCardFacts>,
    /// Cards in force that a role may be found in when the costing's own lacks it.
    pub cards: Vec<CardFacts>,
    /// The roles of the lines; one that is absent stays as it was.
    pub roles: Vec<RoleFacts>,
    /// The components of the lines; one that is absent stays as it was.
    pub components: Vec<ComponentFacts>,
    /// The savings of the opportunities; one that is absent stays as it was.
    pub opportunities: Vec<CostedOpportunity>,
    pub parameters: Parameters,
}
