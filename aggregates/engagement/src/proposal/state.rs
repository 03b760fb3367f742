use chrono::{DateTime, NaiveDate, Utc};
use kernel::{Actor, AssessmentId, CurrencyId, ProjectId, Resource, Role, SolutionCostingId, Stamp, Text, UserId};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ProposalEvent;
use crate::participants::Participants;

pub type Title = Text<1, 200>;
pub type Body = Text<0, 20_000>;
pub type Deliverable = Text<1, 500>;

/// A proposal as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Proposal {
    #[default]
    NotYet,
    Known(Box<KnownProposal>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownProposal {
    pub solution_costing_id: SolutionCostingId,
    pub assessment_id: AssessmentId,
    pub content: ProposalContent,
    pub status: ProposalStatus,
    pub total_value: Decimal,
    pub currency: CurrencyId,
    pub revision: u32,
    pub participants: Participants,
    pub created_by: Option<UserId>,
    /// Of this revision; with it the client sees the proposal.
    pub submitted_at: Option<DateTime<Utc>>,
    pub valid_until: Option<NaiveDate>,
    pub approved_by: Option<UserId>,
    pub approved_at: Option<DateTime<Utc>>,
    pub approval_comment: Option<Text<1, 4000>>,
    pub rejected_by: Option<UserId>,
    pub rejected_at: Option<DateTime<Utc>>,
    pub rejection_reason: Option<Text<1, 4000>>,
    pub withdrawal_reason: Option<Text<1, 4000>>,
    pub project_id: Option<ProjectId>,
    pub is_deleted: bool,
    /// The cascade that deleted it, if one did.
    pub cascade_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProposalStatus {
    Draft,
    Submitted,
    Approved,
    Rejected,
    Expired,
    Withdrawn,
}

impl ProposalStatus {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Submitted => "SUBMITTED",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
            Self::Expired => "EXPIRED",
            Self::Withdrawn => "WITHDRAWN",
        }
    }

    /// The commands of the table of spec 15.3.
    #[must_use]
    pub const fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Draft => &["edit", "submit", "approve", "withdraw"],
            Self::Submitted => &["approve", "reject", "expire", "withdraw"],
            Self::Approved => &[],
            Self::Rejected | Self::Expired | Self::Withdrawn => &["revise"],
        }
    }
}

/// What the proposal says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct ProposalContent {
    pub title: Title,
    pub executive_summary: Body,
    pub scope_of_work: Body,
    pub timeline_weeks: u16,
    pub validity_days: u16,
    pub deliverables: Vec<Deliverable>,
    pub terms_and_conditions: Body,
}

/// A proposal as the API shows it (spec 15.1).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProposalView {
    pub id: i64,
    pub solution_costing_id: SolutionCostingId,
    pub assessment_id: AssessmentId,
    pub client: UserId,
    pub reviewer_id: Option<UserId>,
    #[serde(flatten)]
    pub content: ProposalContent,
    pub status: ProposalStatus,
    pub total_value: Decimal,
    pub currency: CurrencyId,
    pub revision: u32,
    pub created_by: Option<UserId>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub valid_until: Option<NaiveDate>,
    pub approved_by: Option<UserId>,
    pub approved_at: Option<DateTime<Utc>>,
    pub approval_comment: Option<Text<1, 4000>>,
    pub rejected_by: Option<UserId>,
    pub rejected_at: Option<DateTime<Utc>>,
    pub rejection_reason: Option<Text<1, 4000>>,
    pub withdrawal_reason: Option<Text<1, 4000>>,
    pub project_id: Option<ProjectId>,
    pub is_deleted: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

impl Proposal {
    /// The proposal, deleted or not.
    #[must_use]
    pub fn known(&self) -> Option<&KnownProposal> {
        match self {
            Self::NotYet => None,
            Self::Known(known) => Some(known),
        }
    }

    pub(super) fn record(&mut self, event: ProposalEvent) {
        match (self, event) {
            (
                this,
                ProposalEvent::Created {
                    solution_costing_id,
                    assessment_id,
                    content,
                    total_value,
                    currency,
                    participants,
                    by,
                },
            ) => {
                *this = Self::Known(Box::new(KnownProposal {
                    solution_costing_id,
                    assessment_id,
                    content,
                    status: ProposalStatus::Draft,
                    total_value,
                    currency,
                    revision: 1,
                    participants,
                    created_by: by,
                    submitted_at: None,
                    valid_until: None,
                    approved_by: None,
                    approved_at: None,
                    approval_comment: None,
                    rejected_by: None,
                    rejected_at: None,
                    rejection_reason: None,
                    withdrawal_reason: None,
                    project_id: None,
                    is_deleted: false,
                    cascade_id: None,
                }));
            }
            (Self::Known(known), event) => known.record(event),
            (Self::NotYet, _) => {}
        }
    }
}

impl KnownProposal {
    /// Row visibility (spec 2): a client sees what was submitted to him, staff what they are assigned to now; to have
    /// created it is not enough.
    #[must_use]
    pub fn is_visible_to(&self, actor: Actor) -> bool {
        match actor {
            Actor::User { role: Role::Client, .. } => self.participants.include(actor) && self.submitted_at.is_some(),
            _ => self.participants.include(actor),
        }
    }

    /// ADMIN, or the owner: who created it, or manages the assessment.
    #[must_use]
    pub fn is_owned_by(&self, actor: Actor) -> bool {
        let owns = |user| self.created_by == Some(user) || self.participants.managed_by == user;
        actor.is_admin() || (actor.role() == Some(Role::Consultant) && actor.user().is_some_and(owns))
    }

    fn record(&mut self, event: ProposalEvent) {
        match event {
            ProposalEvent::Created { .. } => {}
            ProposalEvent::Edited(content) => self.content = content,
            ProposalEvent::Submitted { at, valid_until, .. } => {
                self.status = ProposalStatus::Submitted;
                self.submitted_at = Some(at);
                self.valid_until = Some(valid_until);
            }
            ProposalEvent::Approved { by, at, comment, project_id, .. } => {
                self.status = ProposalStatus::Approved;
                self.approved_by = by;
                self.approved_at = Some(at);
                self.approval_comment = comment;
                self.project_id = Some(project_id);
            }
            ProposalEvent::Rejected { by, at, reason, .. } => {
                self.status = ProposalStatus::Rejected;
                self.rejected_by = by;
                self.rejected_at = Some(at);
                self.rejection_reason = Some(reason);
            }
            ProposalEvent::Expired { .. } => self.status = ProposalStatus::Expired,
            ProposalEvent::Withdrawn { reason, .. } => {
                self.status = ProposalStatus::Withdrawn;
                self.withdrawal_reason = Some(reason);
            }
            ProposalEvent::Revised { revision } => {
                // Who rejected the last revision, and why, stays to be read while the next one is written.
                self.status = ProposalStatus::Draft;
                self.revision = revision;
                self.submitted_at = None;
                self.valid_until = None;
                self.withdrawal_reason = None;
            }
            ProposalEvent::ParticipantsChanged(participants) => self.participants = participants,
            ProposalEvent::Deleted { cascade_id } => {
                self.is_deleted = true;
                self.cascade_id = cascade_id;
            }
            ProposalEvent::Restored => {
                self.is_deleted = false;
                self.cascade_id = None;
            }
        }
    }
}

impl Resource for Proposal {
    type State = Self;
    type View = ProposalView;

    fn state(&self) -> &Self {
        self
    }

    fn record(state: &mut Self, event: ProposalEvent) {
        state.record(event);
    }

    fn view(state: &Self, stamp: &Stamp) -> Option<ProposalView> {
        let known = state.known()?.clone();
        Some(ProposalView {
            id: stamp.number(),
            solution_costing_id: known.solution_costing_id,
            assessment_id: known.assessment_id,
            client: known.participants.client,
            reviewer_id: known.participants.reviewer,
            content: known.content,
            status: known.status,
            total_value: known.total_value,
            currency: known.currency,
            revision: known.revision,
            created_by: known.created_by,
            submitted_at: known.submitted_at,
            valid_until: known.valid_until,
            approved_by: known.approved_by,
            approved_at: known.approved_at,
            approval_comment: known.approval_comment,
            rejected_by: known.rejected_by,
            rejected_at: known.rejected_at,
            rejection_reason: known.rejection_reason,
            withdrawal_reason: known.withdrawal_reason,
            project_id: known.project_id,
            is_deleted: known.is_deleted,
            created_at: stamp.created_at,
            updated_at: stamp.updated_at,
            version: stamp.version,
        })
    }
}
