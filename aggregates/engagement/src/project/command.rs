use chrono::NaiveDate;
use kernel::{Change, ExpenseId, MilestoneId, ProjectOpportunityId, ProposalId, Text};
use rust_decimal::Decimal;

use super::{MilestoneStatus, Stage};
use crate::{
    earned_value::DeliveryStatus,
    participants::Participants,
    proposal::{CostingFacts, Deliverable, Title},
};

/// What can be asked of a project.
#[derive(Debug, Clone, PartialEq)]
pub enum ProjectCommand {
    Create(Box<Birth>),
    ChangeStatus(StatusChange),
    ChangeDetails(Box<DetailsChange>),
    AddMilestone {
        id: MilestoneId,
        draft: MilestoneDraft,
    },
    ChangeMilestone {
        id: MilestoneId,
        change: MilestoneChange,
    },
    PostExpense(ExpensePosting),
    /// `id` is the new expense's, which takes back the old one.
    ReverseExpense {
        id: ExpenseId,
        reversal_of: ExpenseId,
        description: Text<1, 1000>,
    },
    ChangeOpportunity {
        id: ProjectOpportunityId,
        change: OpportunityChange,
    },
    /// The scheduler's: the day has changed.
    Reassess,
    /// The system's: the assessment's people have changed.
    RecordParticipants(Participants),
    /// `force` counts for ADMIN and system only.
    Delete {
        cascade_id: Option<String>,
        force: bool,
    },
    /// With a `cascade_id` only what that cascade removed comes back.
    Restore {
        cascade_id: Option<String>,
    },
}

/// All that a project is born of. Ids: as many as [`Birth::milestone_count`] and the costing's opportunities.
#[derive(Debug, Clone, PartialEq)]
pub struct Birth {
    pub proposal: ProposalId,
    pub title: Title,
    pub timeline_weeks: u16,
    pub deliverables: Vec<Deliverable>,
    pub costing: CostingFacts,
    pub overrides: Overrides,
    pub milestone_ids: Vec<MilestoneId>,
    pub opportunity_ids: Vec<ProjectOpportunityId>,
}

impl DetailsChange {
    /// How many milestone ids the command must bring; never more than a project may have.
    #[must_use]
    pub fn milestone_count(&self) -> usize {
        self.milestones.as_ref().map_or(0, Vec::len).min(crate::birth::MOST_MILESTONES)
    }
}

/// The optional `project` object of an approval (the seed's "Create Project Payload").
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overrides {
    /// When given, it must be the approved one.
    pub proposal: Option<ProposalId>,
    pub name: Option<Title>,
    pub start_date: Option<NaiveDate>,
    pub end_date: Option<NaiveDate>,
    pub budget_limit: Option<Decimal>,
    pub milestones: Option<Vec<Deliverable>>,
    pub pm_name: Option<Text<1, 200>>,
    pub notes: Option<Text<1, 4000>>,
}

/// The body of E40.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StatusChange {
    pub stage: Option<Stage>,
    /// Pins the status by hand.
    pub delivery_status: Option<DeliveryStatus>,
    /// Lets go of the pin.
    pub auto: bool,
    pub reason: Option<Text<1, 4000>>,
    /// An ADMIN completes a project with open milestones.
    pub force: bool,
}

/// A partial update: what is absent is kept; `milestones` replaces the list whole, keeping those of the same name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DetailsChange {
    /// When given, it must be the project's own.
    pub proposal: Option<ProposalId>,
    pub name: Option<Title>,
    pub start_date: Option<NaiveDate>,
    pub end_date: Option<NaiveDate>,
    pub budget_limit: Option<Decimal>,
    pub milestones: Option<Vec<Deliverable>>,
    /// As many as `milestones` names.
    pub milestone_ids: Vec<MilestoneId>,
    pub pm_name: Change<Text<1, 200>>,
    pub notes: Change<Text<1, 4000>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct MilestoneDraft {
    pub name: Deliverable,
    /// 1 when absent.
    pub weight: Option<Decimal>,
    pub due_date: Option<NaiveDate>,
    pub percent: Option<Decimal>,
    pub status: Option<MilestoneStatus>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct MilestoneChange {
    pub name: Option<Deliverable>,
    pub weight: Option<Decimal>,
    pub due_date: Change<NaiveDate>,
    pub percent: Option<Decimal>,
    pub status: Option<MilestoneStatus>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ExpensePosting {
    pub id: ExpenseId,
    pub date: NaiveDate,
    pub category: Text<1, 100>,
    pub amount: Decimal,
    pub description: Option<Text<1, 1000>>,
    pub reference: Option<Text<1, 200>>,
    /// The setting `BLOCK_OVER_BUDGET`.
    pub block_over_budget: bool,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct OpportunityChange {
    pub stage: Option<Stage>,
    pub actual_savings: Option<Decimal>,
    pub notes: Change<Text<1, 4000>>,
}
