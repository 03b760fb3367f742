use chrono::NaiveDate;
use kernel::{
    AssessmentId, CurrencyId, ProjectOpportunityId, ProposalId, SolutionCostingId, Text, UserId, VerticalId,
    domain_event,
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DeliveryMode, Expense, Milestone, ProjectDetails, ProjectOpportunity, Stage};
use crate::{earned_value::DeliveryStatus, participants::Participants};

/// What happened to a project. `by` is absent where the system acted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum ProjectEvent {
    Created {
        proposal_id: ProposalId,
        solution_costing_id: SolutionCostingId,
        assessment_id: AssessmentId,
        details: ProjectDetails,
        currency: CurrencyId,
        vertical_ids: Vec<VerticalId>,
        milestones: Vec<Milestone>,
        opportunities: Vec<ProjectOpportunity>,
        participants: Participants,
    },
    StageChanged {
        from: Stage,
        to: Stage,
        on: NaiveDate,
        by: Option<UserId>,
        reason: Option<Text<1, 4000>>,
        /// Completed with open milestones.
        forced: bool,
    },
    DeliveryStatusChanged {
        to: DeliveryStatus,
        mode: DeliveryMode,
        by: Option<UserId>,
        reason: Option<Text<1, 4000>>,
    },
    /// The details as they are from now on.
    DetailsChanged(ProjectDetails),
    MilestonesReplaced(Vec<Milestone>),
    MilestoneAdded(Milestone),
    /// The milestone as it is from now on.
    MilestoneChanged(Milestone),
    MilestoneCompleted(Milestone),
    ExpensePosted(Expense),
    /// The expense that takes another one back.
    ExpenseReversed(Expense),
    BudgetThresholdCrossed {
        percent: u32,
        actual_cost: Decimal,
        budget_limit: Decimal,
    },
    OpportunityStageChanged {
        id: ProjectOpportunityId,
        from: Stage,
        to: Stage,
    },
    BenefitRecorded {
        id: ProjectOpportunityId,
        actual_savings: Decimal,
    },
    OpportunityNoted {
        id: ProjectOpportunityId,
        notes: Option<Text<1, 4000>>,
    },
    ParticipantsChanged(Participants),
    Deleted {
        cascade_id: Option<String>,
    },
    Restored,
}

domain_event!(ProjectEvent:
    Created => "project.created",
    StageChanged => "project.stage_changed",
    DeliveryStatusChanged => "project.delivery_status_changed",
    DetailsChanged => "project.details_changed",
    MilestonesReplaced => "project.milestones_replaced",
    MilestoneAdded => "project.milestone_added",
    MilestoneChanged => "project.milestone_changed",
    MilestoneCompleted => "project.milestone_completed",
    ExpensePosted => "project.expense_posted",
    ExpenseReversed => "project.expense_reversed",
    BudgetThresholdCrossed => "project.budget_threshold_crossed",
    OpportunityStageChanged => "project.opportunity_stage_changed",
    BenefitRecorded => "project.benefit_recorded",
    OpportunityNoted => "project.opportunity_noted",
    ParticipantsChanged => "project.participants_changed",
    Deleted => "project.deleted",
    Restored => "project.restored",
);
