use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{
    Actor, AssessmentId, CurrencyId, ExpenseId, MilestoneId, OpportunityId, ProjectOpportunityId, ProposalId, Resource,
    Role, SolutionCostingId, Stamp, Text, UserId, VerticalId, money, percent,
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ProjectEvent;
use crate::{
    earned_value::{Account, DeliveryStatus, Share, Tracking, Variance, percent_complete, share_percent, variance},
    participants::Participants,
    proposal::{Deliverable, Title},
};

/// A project as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Project {
    #[default]
    NotYet,
    Known(Box<KnownProject>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownProject {
    pub proposal_id: ProposalId,
    pub solution_costing_id: SolutionCostingId,
    pub assessment_id: AssessmentId,
    pub details: ProjectDetails,
    pub currency: CurrencyId,
    pub vertical_ids: Vec<VerticalId>,
    pub stage: Stage,
    pub delivery_status: DeliveryStatus,
    pub delivery_mode: DeliveryMode,
    pub actual_start: Option<NaiveDate>,
    pub actual_end: Option<NaiveDate>,
    pub milestones: Vec<Milestone>,
    pub opportunities: Vec<ProjectOpportunity>,
    pub expenses: Vec<Expense>,
    /// Percent; each is crossed once in the project's life.
    pub thresholds_crossed: BTreeSet<u32>,
    pub participants: Participants,
    pub is_deleted: bool,
    pub cascade_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct ProjectDetails {
    pub name: Title,
    pub start_date: NaiveDate,
    pub end_date: NaiveDate,
    pub budget_limit: Decimal,
    pub pm_name: Option<Text<1, 200>>,
    pub notes: Option<Text<1, 4000>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Stage {
    NotStarted,
    InProgress,
    OnHold,
    Completed,
    Cancelled,
}

impl Stage {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "NOT_STARTED",
            Self::InProgress => "IN_PROGRESS",
            Self::OnHold => "ON_HOLD",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The table of spec 16.3. COMPLETED to IN_PROGRESS is an ADMIN's reopening.
    #[must_use]
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::NotStarted | Self::OnHold => &[Self::InProgress, Self::Cancelled],
            Self::InProgress => &[Self::OnHold, Self::Completed, Self::Cancelled],
            Self::Completed => &[Self::InProgress],
            Self::Cancelled => &[],
        }
    }

    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeliveryMode {
    Auto,
    Manual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MilestoneStatus {
    Pending,
    InProgress,
    Done,
    Skipped,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Milestone {
    pub id: MilestoneId,
    pub name: Deliverable,
    pub weight: Decimal,
    pub due_date: Option<NaiveDate>,
    pub percent: Decimal,
    pub status: MilestoneStatus,
    pub completed_at: Option<DateTime<Utc>>,
}

impl Milestone {
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.status, MilestoneStatus::Pending | MilestoneStatus::InProgress)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct ProjectOpportunity {
    pub id: ProjectOpportunityId,
    pub assessment_opportunity_id: OpportunityId,
    pub stage: Stage,
    pub target_savings: Decimal,
    pub actual_savings: Option<Decimal>,
    /// What the costing allocated to it.
    pub planned_cost: Decimal,
    pub notes: Option<Text<1, 4000>>,
}

/// Never edited; another one with the opposite amount takes it back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Expense {
    pub id: ExpenseId,
    pub date: NaiveDate,
    pub category: Text<1, 100>,
    pub amount: Decimal,
    pub description: Option<Text<1, 1000>>,
    pub reference: Option<Text<1, 200>>,
    pub posted_by: Option<UserId>,
    pub reversal_of: Option<ExpenseId>,
}

/// A project as the API shows it (spec 16.1). What depends on the day is [`KnownProject::tracking`].
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProjectView {
    pub id: i64,
    pub proposal: ProposalId,
    pub solution_costing_id: SolutionCostingId,
    pub assessment_id: AssessmentId,
    pub client: UserId,
    pub reviewer_id: Option<UserId>,
    #[serde(flatten)]
    pub details: ProjectDetails,
    pub currency: CurrencyId,
    pub vertical_ids: Vec<VerticalId>,
    pub stage: Stage,
    pub delivery_status: DeliveryStatus,
    pub delivery_mode: DeliveryMode,
    pub actual_start: Option<NaiveDate>,
    pub actual_end: Option<NaiveDate>,
    pub milestones: Vec<Milestone>,
    pub opportunities: Vec<ProjectOpportunity>,
    pub expenses: Vec<Expense>,
    pub percent_complete: Decimal,
    pub actual_cost: Decimal,
    pub budget_consumed_percent: Decimal,
    pub is_deleted: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

impl Project {
    /// The project, deleted or not.
    #[must_use]
    pub fn known(&self) -> Option<&KnownProject> {
        match self {
            Self::NotYet => None,
            Self::Known(known) => Some(known),
        }
    }

    pub(super) fn record(&mut self, event: ProjectEvent) {
        match (self, event) {
            (
                this,
                ProjectEvent::Created {
                    proposal_id,
                    solution_costing_id,
                    assessment_id,
                    details,
                    currency,
                    vertical_ids,
                    milestones,
                    opportunities,
                    participants,
                },
            ) => {
                *this = Self::Known(Box::new(KnownProject {
                    proposal_id,
                    solution_costing_id,
                    assessment_id,
                    details,
                    currency,
                    vertical_ids,
                    stage: Stage::NotStarted,
                    delivery_status: DeliveryStatus::OnTrack,
                    delivery_mode: DeliveryMode::Auto,
                    actual_start: None,
                    actual_end: None,
                    milestones,
                    opportunities,
                    expenses: vec![],
                    thresholds_crossed: BTreeSet::new(),
                    participants,
                    is_deleted: false,
                    cascade_id: None,
                }));
            }
            (Self::Known(known), event) => known.record(event),
            (Self::NotYet, _) => {}
        }
    }
}

impl KnownProject {
    /// ADMIN, or a consultant assigned: everybody else who sees it only reads.
    #[must_use]
    pub fn is_edited_by(&self, actor: Actor) -> bool {
        actor.is_admin() || (actor.role() == Some(Role::Consultant) && self.participants.include(actor))
    }

    /// Whether it holds its opportunities, so that no other project may have them.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.is_deleted && self.stage != Stage::Cancelled
    }

    /// The sum of all expenses; posting keeps it in range.
    #[must_use]
    pub fn actual_cost(&self) -> Decimal {
        self.expenses.iter().fold(Decimal::ZERO, |sum, expense| sum.saturating_add(expense.amount))
    }

    /// What is skipped is no longer part of the work, so it weighs nothing.
    #[must_use]
    pub fn account(&self) -> Account {
        let work = self.milestones.iter().filter(|m| m.status != MilestoneStatus::Skipped);
        let open = self.milestones.iter().filter(|m| m.is_open());
        Account {
            start_date: self.details.start_date,
            end_date: self.details.end_date,
            budget_limit: self.details.budget_limit,
            actual_cost: self.actual_cost(),
            percent_complete: percent_complete(work.map(|m| (m.weight, m.percent))).unwrap_or_default(),
            earliest_open_due: open.filter_map(|m| m.due_date).min(),
        }
    }

    /// The tracking numbers of spec 16.4 as of a day.
    #[must_use]
    pub fn tracking(&self, as_of: NaiveDate) -> Tracking {
        self.account().tracking(as_of)
    }

    /// Plan against actual, of cost and savings.
    #[must_use]
    pub fn variance(&self) -> Variance {
        let share = |o: &ProjectOpportunity| Share {
            id: o.id,
            assessment_opportunity_id: o.assessment_opportunity_id,
            planned_cost: o.planned_cost,
            target_savings: o.target_savings,
            actual_savings: o.actual_savings,
        };
        let shares: Vec<Share> = self.opportunities.iter().map(share).collect();
        variance(self.details.budget_limit, self.actual_cost(), &shares)
    }

    fn record(&mut self, event: ProjectEvent) {
        match event {
            ProjectEvent::Created { .. } => {}
            ProjectEvent::StageChanged { to, on, .. } => {
                self.stage = to;
                if to == Stage::InProgress {
                    self.actual_start = self.actual_start.or(Some(on));
                }
                self.actual_end = to.is_terminal().then_some(on);
            }
            ProjectEvent::DeliveryStatusChanged { to, mode, .. } => {
                self.delivery_status = to;
                self.delivery_mode = mode;
            }
            ProjectEvent::DetailsChanged(details) => self.details = details,
            ProjectEvent::MilestonesReplaced(milestones) => self.milestones = milestones,
            ProjectEvent::MilestoneAdded(milestone) => self.milestones.push(milestone),
            ProjectEvent::MilestoneChanged(new) | ProjectEvent::MilestoneCompleted(new) => {
                if let Some(milestone) = self.milestones.iter_mut().find(|m| m.id == new.id) {
                    *milestone = new;
                }
            }
            ProjectEvent::ExpensePosted(expense) | ProjectEvent::ExpenseReversed(expense) => {
                self.expenses.push(expense);
            }
            ProjectEvent::BudgetThresholdCrossed { percent, .. } => {
                self.thresholds_crossed.insert(percent);
            }
            ProjectEvent::OpportunityStageChanged { id, to, .. } => self.on_opportunity(id, |o| o.stage = to),
            ProjectEvent::BenefitRecorded { id, actual_savings } => {
                self.on_opportunity(id, |o| o.actual_savings = Some(actual_savings));
            }
            ProjectEvent::OpportunityNoted { id, notes } => self.on_opportunity(id, |o| o.notes = notes),
            ProjectEvent::ParticipantsChanged(participants) => self.participants = participants,
            ProjectEvent::Deleted { cascade_id } => {
                self.is_deleted = true;
                self.cascade_id = cascade_id;
            }
            ProjectEvent::Restored => {
                self.is_deleted = false;
                self.cascade_id = None;
            }
        }
    }

    fn on_opportunity(&mut self, id: ProjectOpportunityId, change: impl FnOnce(&mut ProjectOpportunity)) {
        if let Some(opportunity) = self.opportunities.iter_mut().find(|o| o.id == id) {
            change(opportunity);
        }
    }
}

impl Resource for Project {
    type State = Self;
    type View = ProjectView;

    fn state(&self) -> &Self {
        self
    }

    fn record(state: &mut Self, event: ProjectEvent) {
        state.record(event);
    }

    fn view(state: &Self, stamp: &Stamp) -> Option<ProjectView> {
        let known = state.known()?;
        let account = known.account();
        let consumed = share_percent(account.actual_cost, account.budget_limit).unwrap_or_default();
        let known = known.clone();
        Some(ProjectView {
            id: stamp.number(),
            proposal: known.proposal_id,
            solution_costing_id: known.solution_costing_id,
            assessment_id: known.assessment_id,
            client: known.participants.client,
            reviewer_id: known.participants.reviewer,
            details: known.details,
            currency: known.currency,
            vertical_ids: known.vertical_ids,
            stage: known.stage,
            delivery_status: known.delivery_status,
            delivery_mode: known.delivery_mode,
            actual_start: known.actual_start,
            actual_end: known.actual_end,
            milestones: known.milestones,
            opportunities: known.opportunities,
            expenses: known.expenses,
            percent_complete: percent(account.percent_complete),
            actual_cost: money(account.actual_cost),
            budget_consumed_percent: percent(consumed),
            is_deleted: known.is_deleted,
            created_at: stamp.created_at,
            updated_at: stamp.updated_at,
            version: stamp.version,
        })
    }
}
