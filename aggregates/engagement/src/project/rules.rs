//! What may be done with a project, and when it is refused (spec 16.3, 16.4).

use chrono::{DateTime, NaiveDate, Utc};
use cqrs_es::{Aggregate, event_sink::EventSink};
use kernel::{Actor, ExpenseId, Issued, MilestoneId, ProjectOpportunityId, Text, percent};
use rust_decimal::Decimal;

use super::{
    Birth, DeliveryMode, DetailsChange, Expense, ExpensePosting, KnownProject, Milestone, MilestoneChange,
    MilestoneDraft, MilestoneStatus, OpportunityChange, Project, ProjectCommand, ProjectDetails, ProjectEvent,
    ProjectRefusal, Stage, StatusChange,
};
use crate::{birth, earned_value::share_percent, participants::Participants};

type Decision = Result<Vec<ProjectEvent>, ProjectRefusal>;

/// Percent of the budget, each announced once.
const THRESHOLDS: [u32; 3] = [80, 100, 120];

impl Aggregate for Project {
    const TYPE: &'static str = "project";
    type Command = Issued<ProjectCommand>;
    type Event = ProjectEvent;
    type Error = ProjectRefusal;
    type Services = ();

    async fn handle(&mut self, issued: Self::Command, (): &(), sink: &EventSink<Self>) -> Result<(), ProjectRefusal> {
        let Issued { by, at, command } = issued;
        let today = at.date_naive();
        // At its birth, its death and its return nobody asks how a project stands.
        let mut reassess = true;
        let events = match command {
            ProjectCommand::Create(birth) => {
                reassess = false;
                self.create(*birth, today)?
            }
            ProjectCommand::ChangeStatus(change) => self.change_status(by, today, change)?,
            ProjectCommand::ChangeDetails(change) => self.change_details(by, *change)?,
            ProjectCommand::AddMilestone { id, draft } => self.add_milestone(by, at, id, draft)?,
            ProjectCommand::ChangeMilestone { id, change } => self.change_milestone(by, at, id, change)?,
            ProjectCommand::PostExpense(posting) => self.post_expense(by, posting)?,
            ProjectCommand::ReverseExpense { id, reversal_of, description } => {
                self.reverse_expense(by, today, id, reversal_of, description)?
            }
            ProjectCommand::ChangeOpportunity { id, change } => self.change_opportunity(by, id, change)?,
            ProjectCommand::Reassess => {
                self.check_reassess(by)?;
                self.follow_up(sink, today).await;
                return Ok(());
            }
            ProjectCommand::RecordParticipants(participants) => {
                reassess = false;
                self.record_participants(by, participants)?
            }
            ProjectCommand::Delete { cascade_id, force } => {
                reassess = false;
                self.delete(by, cascade_id, force)?
            }
            ProjectCommand::Restore { cascade_id } => {
                reassess = false;
                self.restore(by, cascade_id.as_ref())?
            }
        };
        let something_happened = !events.is_empty();
        for event in events {
            sink.write(event, self).await;
        }
        if reassess && something_happened {
            self.follow_up(sink, today).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: ProjectEvent) {
        self.record(event);
    }
}

impl Project {
    fn create(&self, birth: Birth, today: NaiveDate) -> Decision {
        let Self::NotYet = self else { return Err(ProjectRefusal::AlreadyExists) };
        Ok(vec![birth::plan(birth, today)?])
    }

    fn change_status(&self, by: Actor, today: NaiveDate, change: StatusChange) -> Decision {
        let known = self.editable(by)?;
        if change.auto && change.delivery_status.is_some() {
            return Err(ProjectRefusal::AutoOrManual);
        }
        let mut events = Vec::new();
        let mut stage = known.stage;
        if let Some(to) = change.stage.filter(|to| *to != known.stage) {
            let forced = known.check_stage(by, to, &change)?;
            let reason = change.reason.clone();
            events.push(ProjectEvent::StageChanged { from: stage, to, on: today, by: by.user(), reason, forced });
            stage = to;
        }
        let pinned = known.delivery_mode == DeliveryMode::Manual;
        let delivery = match change.delivery_status {
            Some(to) if !pinned || to != known.delivery_status => Some((to, DeliveryMode::Manual)),
            None if change.auto && pinned => Some((known.account().delivery_status(today), DeliveryMode::Auto)),
            _ => None,
        };
        if let Some((to, mode)) = delivery {
            if stage.is_terminal() {
                return Err(ProjectRefusal::Closed);
            }
            events.push(ProjectEvent::DeliveryStatusChanged { to, mode, by: by.user(), reason: change.reason });
        }
        Ok(events)
    }

    fn change_details(&self, by: Actor, change: DetailsChange) -> Decision {
        let known = self.open(by)?;
        if change.proposal.is_some_and(|proposal| proposal != known.proposal_id) {
            return Err(ProjectRefusal::OtherProposal);
        }
        let old = known.details.clone();
        let details = ProjectDetails {
            name: change.name.unwrap_or(old.name),
            start_date: change.start_date.unwrap_or(old.start_date),
            end_date: change.end_date.unwrap_or(old.end_date),
            budget_limit: change.budget_limit.map_or(Ok(old.budget_limit), birth::budget)?,
            pm_name: change.pm_name.over(old.pm_name),
            notes: change.notes.over(old.notes),
        };
        birth::check_dates(&details)?;
        let mut events = Vec::new();
        if let Some(names) = change.milestones {
            birth::check_number(&names)?;
            if change.milestone_ids.len() < names.len() {
                return Err(ProjectRefusal::IdsMissing);
            }
            let mut kept = known.milestones.clone();
            let keep = |fresh: Milestone| match kept.iter().position(|m| m.name.key() == fresh.name.key()) {
                Some(place) => kept.remove(place),
                None => fresh,
            };
            let fresh = birth::milestones(names, change.milestone_ids, &details);
            let milestones: Vec<Milestone> = fresh.into_iter().map(keep).collect();
            if milestones != known.milestones {
                events.push(ProjectEvent::MilestonesReplaced(milestones));
            }
        }
        if details != known.details {
            events.insert(0, ProjectEvent::DetailsChanged(details));
        }
        Ok(events)
    }

    fn add_milestone(&self, by: Actor, at: DateTime<Utc>, id: MilestoneId, draft: MilestoneDraft) -> Decision {
        let known = self.open(by)?;
        if known.milestones.iter().any(|m| m.id == id) {
            return Ok(vec![]);
        }
        if known.milestones.len() >= birth::MOST_MILESTONES {
            return Err(ProjectRefusal::ValueOutOfRange { field: "milestones" });
        }
        let fresh = Milestone {
            id,
            name: draft.name,
            weight: weight(draft.weight.unwrap_or(Decimal::ONE))?,
            due_date: draft.due_date,
            percent: Decimal::ZERO,
            status: MilestoneStatus::Pending,
            completed_at: None,
        };
        Ok(vec![ProjectEvent::MilestoneAdded(advanced(fresh, at, draft.percent, draft.status)?)])
    }

    fn change_milestone(&self, by: Actor, at: DateTime<Utc>, id: MilestoneId, change: MilestoneChange) -> Decision {
        let known = self.open(by)?;
        let no_such = ProjectRefusal::NoSuchPart("milestone");
        let old = known.milestones.iter().find(|m| m.id == id).ok_or(no_such)?;
        let named = Milestone {
            name: change.name.unwrap_or_else(|| old.name.clone()),
            weight: change.weight.map_or(Ok(old.weight), weight)?,
            due_date: change.due_date.over(old.due_date),
            ..old.clone()
        };
        let new = advanced(named, at, change.percent, change.status)?;
        let is_completed = new.status == MilestoneStatus::Done && old.status != MilestoneStatus::Done;
        Ok(match (new == *old, is_completed) {
            (true, _) => vec![],
            (false, true) => vec![ProjectEvent::MilestoneCompleted(new)],
            (false, false) => vec![ProjectEvent::MilestoneChanged(new)],
        })
    }

    /// In any stage: invoices come late.
    fn post_expense(&self, by: Actor, posting: ExpensePosting) -> Decision {
        let known = self.editable(by)?;
        if known.expenses.iter().any(|expense| expense.id == posting.id) {
            return Ok(vec![]);
        }
        birth::check_day(posting.date, "date")?;
        let amount = birth::positive(posting.amount, "amount")?;
        let total = birth::bounded(known.actual_cost().saturating_add(amount), "amount")?;
        if posting.block_over_budget && total > known.details.budget_limit {
            return Err(ProjectRefusal::BudgetExceeded);
        }
        Ok(vec![ProjectEvent::ExpensePosted(Expense {
            id: posting.id,
            date: posting.date,
            category: posting.category,
            amount,
            description: posting.description,
            reference: posting.reference,
            posted_by: by.user(),
            reversal_of: None,
        })])
    }

    fn reverse_expense(
        &self,
        by: Actor,
        today: NaiveDate,
        id: ExpenseId,
        reversal_of: ExpenseId,
        description: Text<1, 1000>,
    ) -> Decision {
        let known = self.editable(by)?;
        let no_such = ProjectRefusal::NoSuchPart("expense");
        let old = known.expenses.iter().find(|expense| expense.id == reversal_of).ok_or(no_such)?;
        if old.reversal_of.is_some() {
            return Err(ProjectRefusal::ReversalNotReversible);
        }
        if known.expenses.iter().any(|expense| expense.reversal_of == Some(reversal_of)) {
            return Err(ProjectRefusal::AlreadyReversed);
        }
        let opposite = Decimal::ZERO.saturating_sub(old.amount);
        Ok(vec![ProjectEvent::ExpenseReversed(Expense {
            id,
            date: today,
            amount: opposite,
            description: Some(description),
            posted_by: by.user(),
            reversal_of: Some(reversal_of),
            ..old.clone()
        })])
    }

    /// In any stage of the project: benefits come after the work.
    fn change_opportunity(&self, by: Actor, id: ProjectOpportunityId, change: OpportunityChange) -> Decision {
        let known = self.editable(by)?;
        let no_such = ProjectRefusal::NoSuchPart("opportunity");
        let old = known.opportunities.iter().find(|o| o.id == id).ok_or(no_such)?;
        let mut events = Vec::new();
        if let Some(to) = change.stage.filter(|to| *to != old.stage) {
            let from = old.stage;
            if !from.next().contains(&to) {
                return Err(ProjectRefusal::InvalidTransition { from, to });
            }
            events.push(ProjectEvent::OpportunityStageChanged { id, from, to });
        }
        if let Some(actual_savings) = change.actual_savings {
            let actual_savings = birth::bounded(actual_savings, "actual_savings")?;
            if old.actual_savings != Some(actual_savings) {
                events.push(ProjectEvent::BenefitRecorded { id, actual_savings });
            }
        }
        let notes = change.notes.over(old.notes.clone());
        if notes != old.notes {
            events.push(ProjectEvent::OpportunityNoted { id, notes });
        }
        Ok(events)
    }

    fn check_reassess(&self, by: Actor) -> Result<(), ProjectRefusal> {
        self.visible(by)?;
        if by == Actor::System { Ok(()) } else { Err(ProjectRefusal::Forbidden) }
    }

    /// A deleted project learns it too: it may be restored.
    fn record_participants(&self, by: Actor, participants: Participants) -> Decision {
        let known = self.known().ok_or(ProjectRefusal::NotFound)?;
        if by != Actor::System {
            return Err(ProjectRefusal::Forbidden);
        }
        let unchanged = known.participants == participants;
        Ok(if unchanged { vec![] } else { vec![ProjectEvent::ParticipantsChanged(participants)] })
    }

    fn delete(&self, by: Actor, cascade_id: Option<String>, force: bool) -> Decision {
        let known = self.removable(by)?;
        if known.is_deleted {
            return Ok(vec![]);
        }
        if known.stage == Stage::InProgress && !force {
            return Err(ProjectRefusal::ActiveProject);
        }
        Ok(vec![ProjectEvent::Deleted { cascade_id }])
    }

    fn restore(&self, by: Actor, cascade_id: Option<&String>) -> Decision {
        let known = self.removable(by)?;
        let removed_by_it = cascade_id.is_none() || cascade_id == known.cascade_id.as_ref();
        Ok(if known.is_deleted && removed_by_it { vec![ProjectEvent::Restored] } else { vec![] })
    }

    /// The project, deleted or not, for an ADMIN.
    fn removable(&self, by: Actor) -> Result<&KnownProject, ProjectRefusal> {
        if by.is_admin() {
            return self.known().ok_or(ProjectRefusal::NotFound);
        }
        self.visible(by)?;
        Err(ProjectRefusal::Forbidden)
    }

    /// The project, if it is live and the actor may know of it.
    fn visible(&self, by: Actor) -> Result<&KnownProject, ProjectRefusal> {
        let seen = |known: &&KnownProject| !known.is_deleted && known.participants.include(by);
        self.known().filter(seen).ok_or(ProjectRefusal::NotFound)
    }

    /// The project, if the actor may change it.
    fn editable(&self, by: Actor) -> Result<&KnownProject, ProjectRefusal> {
        let known = self.visible(by)?;
        if known.is_edited_by(by) { Ok(known) } else { Err(ProjectRefusal::Forbidden) }
    }

    /// The project, if the actor may change it and it still runs.
    fn open(&self, by: Actor) -> Result<&KnownProject, ProjectRefusal> {
        let known = self.editable(by)?;
        if known.stage.is_terminal() { Err(ProjectRefusal::Closed) } else { Ok(known) }
    }

    /// What follows from a change by itself: thresholds of the budget, and the automatic status of that day.
    async fn follow_up(&mut self, sink: &EventSink<Self>, today: NaiveDate) {
        let Some(known) = self.known() else { return };
        let mut events = known.thresholds();
        events.extend(known.reassessed(today));
        for event in events {
            sink.write(event, self).await;
        }
    }
}

impl KnownProject {
    /// Whether the stage may be entered; `Ok(true)` when only because an ADMIN insists.
    fn check_stage(&self, by: Actor, to: Stage, change: &StatusChange) -> Result<bool, ProjectRefusal> {
        let from = self.stage;
        let reopens = from == Stage::Completed;
        if !from.next().contains(&to) {
            return Err(ProjectRefusal::InvalidTransition { from, to });
        }
        if reopens && !by.is_admin() {
            return Err(ProjectRefusal::Forbidden);
        }
        if (reopens || matches!(to, Stage::OnHold | Stage::Cancelled)) && change.reason.is_none() {
            return Err(ProjectRefusal::ReasonRequired);
        }
        let forced = to == Stage::Completed && self.milestones.iter().any(Milestone::is_open);
        if forced && !(change.force && by.is_admin()) {
            return Err(ProjectRefusal::OpenMilestones);
        }
        Ok(forced)
    }

    fn thresholds(&self) -> Vec<ProjectEvent> {
        let (actual_cost, budget_limit) = (self.actual_cost(), self.details.budget_limit);
        let consumed = share_percent(actual_cost, budget_limit).unwrap_or_default();
        let crossed = |percent: &u32| consumed >= (*percent).into() && !self.thresholds_crossed.contains(percent);
        let announce = |percent| ProjectEvent::BudgetThresholdCrossed { percent, actual_cost, budget_limit };
        THRESHOLDS.into_iter().filter(crossed).map(announce).collect()
    }

    fn reassessed(&self, today: NaiveDate) -> Option<ProjectEvent> {
        let to = self.account().delivery_status(today);
        let moves = self.delivery_mode == DeliveryMode::Auto && !self.stage.is_terminal() && to != self.delivery_status;
        moves.then_some(ProjectEvent::DeliveryStatusChanged { to, mode: DeliveryMode::Auto, by: None, reason: None })
    }
}

fn weight(value: Decimal) -> Result<Decimal, ProjectRefusal> {
    let in_range = value > Decimal::ZERO && value <= Decimal::from(1_000_000) && value == percent(value);
    if in_range { Ok(percent(value)) } else { Err(ProjectRefusal::ValueOutOfRange { field: "weight" }) }
}

/// The milestone after progress. Percent and status tell the same: DONE is 100, PENDING 0, IN_PROGRESS below 100; what
/// one leaves open follows from the other.
fn advanced(
    old: Milestone,
    at: DateTime<Utc>,
    done: Option<Decimal>,
    status: Option<MilestoneStatus>,
) -> Result<Milestone, ProjectRefusal> {
    use MilestoneStatus::{Done, InProgress, Pending, Skipped};
    if done.is_some_and(|done| done < Decimal::ZERO || done > Decimal::ONE_HUNDRED) {
        return Err(ProjectRefusal::ValueOutOfRange { field: "percent" });
    }
    let done = done.map(percent);
    let (status, done) = match (status, done) {
        (None, None) => (old.status, old.percent),
        (None, Some(done)) if old.status == Skipped => (Skipped, done),
        (None, Some(done)) if done == Decimal::ONE_HUNDRED => (Done, done),
        (None, Some(done)) if done.is_zero() => (if old.status == InProgress { InProgress } else { Pending }, done),
        (None, Some(done)) => (InProgress, done),
        (Some(Done), done) => (Done, done.unwrap_or(Decimal::ONE_HUNDRED)),
        (Some(Pending), done) => (Pending, done.unwrap_or(Decimal::ZERO)),
        (Some(status), done) => (status, done.unwrap_or(old.percent)),
    };
    let consistent = match status {
        Done => done == Decimal::ONE_HUNDRED,
        Pending => done.is_zero(),
        InProgress => done < Decimal::ONE_HUNDRED,
        Skipped => true,
    };
    if !consistent {
        return Err(ProjectRefusal::MilestoneInconsistent);
    }
    let completed_at = (status == Done).then(|| old.completed_at.unwrap_or(at));
    Ok(Milestone { percent: done, status, completed_at, ..old })
}
