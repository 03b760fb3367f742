//! How a project is planned from an approved proposal and its costing (spec 16.2), where the approval leaves it open.

use chrono::{Datelike, Days, NaiveDate};
use kernel::{MilestoneId, money};
use rust_decimal::Decimal;

use crate::{
    project::{
        Birth, Milestone, MilestoneStatus, ProjectDetails, ProjectEvent, ProjectOpportunity, ProjectRefusal, Stage,
    },
    proposal::Deliverable,
};

/// No single amount of a project is larger; so no product of two of them overflows.
const LARGEST_AMOUNT: i64 = 9_999_999_999_999;

/// A project has at most so many milestones.
pub const MOST_MILESTONES: usize = 500;

impl Birth {
    /// How many milestone ids the command must bring; never more than a project may have.
    #[must_use]
    pub fn milestone_count(&self) -> usize {
        self.overrides.milestones.as_ref().unwrap_or(&self.deliverables).len().min(MOST_MILESTONES)
    }
}

/// The first event of a project approved on that day.
///
/// # Errors
/// When an override is out of range, the dates are out of order, or ids are missing.
pub fn plan(birth: Birth, approved_on: NaiveDate) -> Result<ProjectEvent, ProjectRefusal> {
    if birth.overrides.proposal.is_some_and(|proposal| proposal != birth.proposal) {
        return Err(ProjectRefusal::OtherProposal);
    }
    let Birth { proposal, title, timeline_weeks, deliverables, costing, overrides, milestone_ids, opportunity_ids } =
        birth;
    let start_date = overrides.start_date.unwrap_or(approved_on);
    let end_date = match overrides.end_date {
        Some(end_date) => end_date,
        None => end_of(start_date, timeline_weeks).ok_or(ProjectRefusal::ValueOutOfRange { field: "end_date" })?,
    };
    let details = ProjectDetails {
        name: overrides.name.unwrap_or(title),
        start_date,
        end_date,
        budget_limit: budget(overrides.budget_limit.unwrap_or(costing.total_cost))?,
        pm_name: overrides.pm_name,
        notes: overrides.notes,
    };
    check_dates(&details)?;
    let names = overrides.milestones.unwrap_or(deliverables);
    check_number(&names)?;
    if milestone_ids.len() < names.len() || opportunity_ids.len() < costing.opportunities.len() {
        return Err(ProjectRefusal::IdsMissing);
    }
    let opportunities = opportunity_ids.into_iter().zip(costing.opportunities).map(|(id, costed)| ProjectOpportunity {
        id,
        assessment_opportunity_id: costed.id,
        stage: Stage::NotStarted,
        target_savings: money(costed.gross_savings),
        actual_savings: None,
        planned_cost: costed.cost,
        notes: None,
    });
    Ok(ProjectEvent::Created {
        proposal_id: proposal,
        solution_costing_id: costing.id,
        assessment_id: costing.assessment,
        milestones: milestones(names, milestone_ids, &details),
        opportunities: opportunities.collect(),
        details,
        currency: costing.currency,
        vertical_ids: costing.verticals,
        participants: costing.participants,
    })
}

/// P3: the last day of a timeline that begins on `start`.
#[must_use]
pub fn end_of(start: NaiveDate, weeks: u16) -> Option<NaiveDate> {
    start.checked_add_days(Days::new(u64::from(weeks).checked_mul(7)?.checked_sub(1)?))
}

/// # Errors
/// `VALUE_OUT_OF_RANGE` when these are more milestones than a project may have.
pub fn check_number(names: &[Deliverable]) -> Result<(), ProjectRefusal> {
    let is_fine = names.len() <= MOST_MILESTONES;
    if is_fine { Ok(()) } else { Err(ProjectRefusal::ValueOutOfRange { field: "milestones" }) }
}

/// Fresh milestones of equal weight, due at even distances, the last one on the last day.
#[must_use]
pub fn milestones(names: Vec<Deliverable>, ids: Vec<MilestoneId>, details: &ProjectDetails) -> Vec<Milestone> {
    let days = u64::try_from((details.end_date - details.start_date).num_days()).unwrap_or(0).saturating_add(1);
    let count = u64::try_from(names.len()).unwrap_or(u64::MAX).max(1);
    let due = |number: u64| {
        let offset = days.saturating_mul(number).checked_div(count).unwrap_or(0).saturating_sub(1);
        details.start_date.checked_add_days(Days::new(offset))
    };
    let fresh = |((name, id), number)| Milestone {
        id,
        name,
        weight: Decimal::ONE,
        due_date: due(number),
        percent: Decimal::ZERO,
        status: MilestoneStatus::Pending,
        completed_at: None,
    };
    names.into_iter().zip(ids).zip(1..).map(fresh).collect()
}

/// A budget in money: above zero and within range.
///
/// # Errors
/// `VALUE_OUT_OF_RANGE` of `budget_limit`.
pub fn budget(value: Decimal) -> Result<Decimal, ProjectRefusal> {
    positive(value, "budget_limit")
}

/// An amount of money above zero and within range.
///
/// # Errors
/// `VALUE_OUT_OF_RANGE` of the field.
pub fn positive(value: Decimal, field: &'static str) -> Result<Decimal, ProjectRefusal> {
    let value = bounded(value, field)?;
    if value > Decimal::ZERO { Ok(value) } else { Err(ProjectRefusal::ValueOutOfRange { field }) }
}

/// An amount of money within range, of either sign.
///
/// # Errors
/// `VALUE_OUT_OF_RANGE` of the field.
pub fn bounded(value: Decimal, field: &'static str) -> Result<Decimal, ProjectRefusal> {
    if value.abs() > Decimal::from(LARGEST_AMOUNT) {
        return Err(ProjectRefusal::ValueOutOfRange { field });
    }
    Ok(money(value))
}

/// # Errors
/// When the end lies before the start, or a year is none of this or the next century.
pub fn check_dates(details: &ProjectDetails) -> Result<(), ProjectRefusal> {
    check_day(details.start_date, "start_date")?;
    check_day(details.end_date, "end_date")?;
    if details.end_date < details.start_date { Err(ProjectRefusal::EndBeforeStart) } else { Ok(()) }
}

/// # Errors
/// `VALUE_OUT_OF_RANGE` of the field.
pub fn check_day(day: NaiveDate, field: &'static str) -> Result<(), ProjectRefusal> {
    let in_range = (1970..2200).contains(&day.year());
    if in_range { Ok(()) } else { Err(ProjectRefusal::ValueOutOfRange { field }) }
}
