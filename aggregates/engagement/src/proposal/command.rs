use kernel::{AssessmentId, CurrencyId, OpportunityId, ProjectId, SolutionCostingId, Text, VerticalId};
use rust_decimal::Decimal;

use super::{Body, Deliverable, Title};
use crate::participants::Participants;

/// What can be asked of a proposal.
#[derive(Debug, Clone, PartialEq)]
pub enum ProposalCommand {
    Create(Box<NewProposal>),
    Edit(Box<ProposalChanges>),
    Submit {
        costing_is_approved: bool,
    },
    Approve(Approval),
    Reject {
        reason: Text<1, 4000>,
    },
    /// The scheduler's: the offer's last day is over.
    Expire,
    Withdraw {
        reason: Text<1, 4000>,
    },
    Revise {
        costing_is_approved: bool,
    },
    /// The system's: the assessment's people have changed.
    RecordParticipants(Participants),
    /// `cascade_id` names the deletion of a parent that this one follows from.
    Delete {
        cascade_id: Option<String>,
        force: bool,
        project_is_active: bool,
    },
    /// With a `cascade_id` only what that cascade removed comes back.
    Restore {
        cascade_id: Option<String>,
    },
}

/// What was learned of the costing that is proposed, and of the assessment behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct CostingFacts {
    pub id: SolutionCostingId,
    pub assessment: AssessmentId,
    pub is_approved: bool,
    pub total_cost: Decimal,
    pub currency: CurrencyId,
    pub verticals: Vec<VerticalId>,
    pub opportunities: Vec<CostedOpportunity>,
    pub participants: Participants,
}

/// An opportunity inside a costing.
#[derive(Debug, Clone, PartialEq)]
pub struct CostedOpportunity {
    pub id: OpportunityId,
    /// A year's gross savings (spec 12.4).
    pub gross_savings: Decimal,
    /// The part of the costing's lines that is allocated to it (spec 14.3); only the proportions matter.
    pub cost: Decimal,
}

/// The body of a new proposal and the costing that it offers.
#[derive(Debug, Clone, PartialEq)]
pub struct NewProposal {
    pub costing: CostingFacts,
    pub title: Title,
    pub executive_summary: Body,
    pub scope_of_work: Body,
    /// 1..260.
    pub timeline_weeks: i64,
    /// 1..365.
    pub validity_days: i64,
    pub deliverables: Vec<Deliverable>,
    pub terms_and_conditions: Body,
}

/// A partial update: what is absent is kept. No member can be cleared; an empty text says the same.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProposalChanges {
    pub title: Option<Title>,
    pub executive_summary: Option<Body>,
    pub scope_of_work: Option<Body>,
    pub timeline_weeks: Option<i64>,
    pub validity_days: Option<i64>,
    pub deliverables: Option<Vec<Deliverable>>,
    pub terms_and_conditions: Option<Body>,
}

/// The client's signature, or an ADMIN's on behalf of the client.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// Required of an ADMIN.
    pub comment: Option<Text<1, 4000>>,
    /// The id of the project that is born in the same append.
    pub project: ProjectId,
    /// Looked at when a DRAFT is submitted and approved in one go.
    pub costing_is_approved: bool,
    /// The setting `ALLOW_ADMIN_SELF_APPROVAL`.
    pub admin_may_approve_own: bool,
}
