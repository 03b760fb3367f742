use std::collections::BTreeSet;

use chrono::{Duration, NaiveDate};
use cqrs_es::{Aggregate, test::TestFramework};
use kernel::{
    Actor, Change, Issued, Refusal, Resource,
    Role::{self, Admin, Client, Consultant, Reviewer},
    Stamp, Text,
    testing::{by, by_system, id, now},
};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::{
    earned_value::DeliveryStatus,
    participants::Participants,
    proposal::{CostedOpportunity, CostingFacts},
};

type Event = ProjectEvent;
type Refused = ProjectRefusal;
type Command = ProjectCommand;

const ADMIN: (i64, Role) = (1, Admin);
const MANAGER: (i64, Role) = (4, Consultant);

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn text<const MIN: usize, const MAX: usize>(text: &str) -> Text<MIN, MAX> {
    Text::new(text).unwrap()
}

fn birth(overrides: Overrides) -> Birth {
    Birth {
        proposal: id(4),
        title: text("Automation"),
        timeline_weeks: 16,
        deliverables: ["Blueprint", "Plan", "Dashboard"].map(text).to_vec(),
        costing: CostingFacts {
            id: id(3),
            assessment: id(7),
            is_approved: true,
            total_cost: decimal("157579.50"),
            currency: id(1),
            verticals: vec![id(2)],
            opportunities: vec![CostedOpportunity {
                id: id(70),
                gross_savings: decimal("146740.96"),
                cost: decimal("81000"),
            }],
            participants: Participants {
                client: id(12),
                reviewer: Some(id(3)),
                managed_by: id(4),
                consultants: BTreeSet::from([id(5)]),
            },
        },
        overrides,
        milestone_ids: vec![id(31), id(32), id(33)],
        opportunity_ids: vec![id(61)],
    }
}

/// The seed's payload.
fn seed() -> Overrides {
    Overrides {
        proposal: Some(id(4)),
        name: Some(text("Finance Process Automation")),
        start_date: Some(day("2026-07-01")),
        end_date: Some(day("2027-01-31")),
        budget_limit: Some(decimal("150000.00")),
        milestones: Some(["Requirements", "Pilot", "Go-Live"].map(text).to_vec()),
        ..Overrides::default()
    }
}

fn born() -> Event {
    crate::birth::plan(birth(seed()), day("2026-06-01")).unwrap()
}

fn staged(from: Stage, to: Stage) -> Event {
    Event::StageChanged { from, to, on: day("2026-06-01"), by: Some(id(4)), reason: None, forced: false }
}

fn in_stage(stage: Stage) -> Vec<Event> {
    let mut events = vec![born()];
    if stage != Stage::NotStarted {
        events.push(staged(Stage::NotStarted, Stage::InProgress));
    }
    if !matches!(stage, Stage::NotStarted | Stage::InProgress) {
        events.push(staged(Stage::InProgress, stage));
    }
    events
}

fn decide(given: Vec<Event>, (user, role): (i64, Role), command: Command) -> Result<Vec<Event>, Refused> {
    TestFramework::<Project>::with(()).given(given).when(by(user, role, command)).inspect_result()
}

fn decide_on(date: &str, given: Vec<Event>, command: Command) -> Result<Vec<Event>, Refused> {
    let at = day(date).and_hms_opt(9, 0, 0).unwrap().and_utc();
    let issued = Issued::new(Actor::System, at, command);
    TestFramework::<Project>::with(()).given(given).when(issued).inspect_result()
}

fn fold(events: impl IntoIterator<Item = Event>) -> Project {
    let mut project = Project::default();
    events.into_iter().for_each(|event| project.apply(event));
    project
}

fn stage(to: Stage) -> Command {
    Command::ChangeStatus(StatusChange { stage: Some(to), ..StatusChange::default() })
}

fn stage_because(to: Stage) -> Command {
    Command::ChangeStatus(StatusChange { stage: Some(to), reason: Some(text("Why")), ..StatusChange::default() })
}

fn expense(number: i64, amount: &str) -> ExpensePosting {
    ExpensePosting {
        id: id(number),
        date: day("2026-06-01"),
        category: text("LICENCE"),
        amount: decimal(amount),
        description: None,
        reference: None,
        block_over_budget: false,
    }
}

fn progress(number: i64, percent: Option<&str>, status: Option<MilestoneStatus>) -> Command {
    let change = MilestoneChange { percent: percent.map(decimal), status, ..MilestoneChange::default() };
    Command::ChangeMilestone { id: id(number), change }
}

fn grown(mut given: Vec<Event>, commands: Vec<Command>) -> Vec<Event> {
    for command in commands {
        given.extend(decide(given.clone(), MANAGER, command).unwrap());
    }
    given
}

/// P3 and the other defaults.
#[test]
fn a_project_is_planned_from_its_proposal_and_costing() {
    let overrides = Overrides { start_date: Some(day("2026-07-01")), ..Overrides::default() };
    let project = fold(decide(vec![], ADMIN, Command::Create(Box::new(birth(overrides)))).unwrap());
    let known = project.known().unwrap();
    assert_eq!(&*known.details.name, "Automation");
    assert_eq!(known.details.end_date, day("2026-10-20"));
    assert_eq!(known.details.budget_limit, decimal("157579.50"));
    let due: Vec<_> = known.milestones.iter().filter_map(|m| m.due_date).collect();
    assert_eq!(due, [day("2026-08-06"), day("2026-09-12"), day("2026-10-20")]);
    assert_eq!(known.opportunities[0].target_savings, decimal("146740.96"));
    let today = fold([crate::birth::plan(birth(Overrides::default()), day("2026-06-01")).unwrap()]);
    assert_eq!(today.known().unwrap().details.start_date, day("2026-06-01"));
}

#[test]
fn an_approval_may_override_the_plan_within_limits() {
    let project = fold([born()]);
    let known = project.known().unwrap();
    assert_eq!((known.details.end_date, known.details.budget_limit), (day("2027-01-31"), decimal("150000.00")));
    assert_eq!(&*known.milestones[2].name, "Go-Live");
    let huge = Decimal::MAX;
    for (overrides, code) in [
        (Overrides { budget_limit: Some(huge), ..seed() }, "VALUE_OUT_OF_RANGE"),
        (Overrides { budget_limit: Some(Decimal::ZERO), ..seed() }, "VALUE_OUT_OF_RANGE"),
        (Overrides { start_date: Some(NaiveDate::MAX), end_date: None, ..seed() }, "VALUE_OUT_OF_RANGE"),
        (Overrides { end_date: Some(day("2026-06-30")), ..seed() }, "END_BEFORE_START"),
        (Overrides { proposal: Some(id(5)), ..seed() }, "OTHER_PROPOSAL"),
        (Overrides { milestones: Some(vec![text("M"); 4]), ..seed() }, "IDS_MISSING"),
    ] {
        let refusal = decide(vec![], ADMIN, Command::Create(Box::new(birth(overrides)))).unwrap_err();
        assert_eq!(refusal.code(), code);
    }
    let again = decide(vec![born()], ADMIN, Command::Create(Box::new(birth(seed()))));
    assert_eq!(again, Err(Refused::AlreadyExists));
}

#[test]
fn a_stage_changes_as_the_table_says() {
    use Stage::{Cancelled, Completed, InProgress, NotStarted, OnHold};
    let all = [NotStarted, InProgress, OnHold, Completed, Cancelled];
    for from in all {
        for to in all {
            let command = Command::ChangeStatus(StatusChange {
                stage: Some(to),
                reason: Some(text("Why")),
                force: true,
                ..StatusChange::default()
            });
            let result = decide(in_stage(from), ADMIN, command);
            if from == to {
                assert_eq!(result, Ok(vec![]));
            } else if from.next().contains(&to) {
                let events = result.unwrap();
                assert!(matches!(&events[0], Event::StageChanged { to: reached, .. } if *reached == to));
            } else {
                assert_eq!(result, Err(Refused::InvalidTransition { from, to }));
            }
        }
    }
}

#[test]
fn holding_cancelling_and_reopening_need_a_reason_and_reopening_an_admin() {
    let running = || in_stage(Stage::InProgress);
    for to in [Stage::OnHold, Stage::Cancelled] {
        assert_eq!(decide(running(), MANAGER, stage(to)), Err(Refused::ReasonRequired));
        assert!(decide(running(), MANAGER, stage_because(to)).is_ok());
    }
    let done = || in_stage(Stage::Completed);
    assert_eq!(decide(done(), MANAGER, stage_because(Stage::InProgress)), Err(Refused::Forbidden));
    assert_eq!(decide(done(), ADMIN, stage(Stage::InProgress)), Err(Refused::ReasonRequired));
    assert!(decide(done(), ADMIN, stage_because(Stage::InProgress)).is_ok());
}

#[test]
fn open_milestones_keep_a_project_from_completion_unless_an_admin_insists() {
    let force =
        |force| Command::ChangeStatus(StatusChange { stage: Some(Stage::Completed), force, ..StatusChange::default() });
    let running = in_stage(Stage::InProgress);
    assert_eq!(decide(running.clone(), MANAGER, force(true)), Err(Refused::OpenMilestones));
    assert_eq!(decide(running.clone(), ADMIN, force(false)), Err(Refused::OpenMilestones));
    let events = decide(running.clone(), ADMIN, force(true)).unwrap();
    assert!(matches!(events[0], Event::StageChanged { forced: true, .. }));
    let closed = vec![
        progress(31, Some("100"), None),
        progress(32, None, Some(MilestoneStatus::Done)),
        progress(33, None, Some(MilestoneStatus::Skipped)),
    ];
    let events = decide(grown(running, closed), MANAGER, stage(Stage::Completed)).unwrap();
    assert!(matches!(events[0], Event::StageChanged { forced: false, .. }));
}

#[test]
fn who_sees_a_project_and_who_edits_it() {
    for (who, refusal) in [
        ((12, Client), Refused::Forbidden),
        ((3, Reviewer), Refused::Forbidden),
        ((13, Client), Refused::NotFound),
        ((9, Consultant), Refused::NotFound),
        ((9, Reviewer), Refused::NotFound),
    ] {
        for command in [stage(Stage::InProgress), Command::PostExpense(expense(1, "1")), progress(31, None, None)] {
            assert_eq!(decide(vec![born()], who, command), Err(refusal.clone()));
        }
    }
    assert!(decide(vec![born()], (5, Consultant), stage(Stage::InProgress)).is_ok());
    assert_eq!(decide(vec![], ADMIN, stage(Stage::InProgress)), Err(Refused::NotFound));
}

/// P1, through the events.
#[test]
fn the_seed_project_is_at_risk_on_the_fifteenth_of_october() {
    let weigh = |number, weight: &str| {
        let change = MilestoneChange { weight: Some(decimal(weight)), ..MilestoneChange::default() };
        Command::ChangeMilestone { id: id(number), change }
    };
    let commands = vec![
        weigh(31, "30"),
        weigh(32, "40"),
        weigh(33, "30"),
        progress(31, None, Some(MilestoneStatus::Done)),
        progress(32, Some("50"), None),
        Command::PostExpense(expense(51, "82500.00")),
    ];
    let mut history = grown(in_stage(Stage::InProgress), commands);
    let changed = |to| Event::DeliveryStatusChanged { to, mode: DeliveryMode::Auto, by: None, reason: None };
    // The second milestone was due on 2026-11-20, so only the figures speak.
    history.extend(decide_on("2026-10-14", history.clone(), Command::Reassess).unwrap());
    assert_eq!(decide_on("2026-10-15", history.clone(), Command::Reassess), Ok(vec![]));
    let project = fold(history);
    let known = project.known().unwrap();
    assert_eq!(known.delivery_status, DeliveryStatus::AtRisk);
    let tracking = known.tracking(day("2026-10-15"));
    assert_eq!(tracking.planned_value, Some(decimal("74651.16")));
    assert_eq!(tracking.estimate_at_completion, Some(decimal("165000.00")));
    assert_eq!(tracking.auto_delivery_status, DeliveryStatus::AtRisk);
    let late = decide_on("2026-08-01", in_stage(Stage::InProgress), Command::Reassess);
    assert_eq!(late, Ok(vec![changed(DeliveryStatus::Delayed)]));
    assert_eq!(decide(vec![born()], ADMIN, Command::Reassess), Err(Refused::Forbidden));
}

#[test]
fn a_status_set_by_hand_stays_until_it_is_automatic_again() {
    let set =
        |status, auto| Command::ChangeStatus(StatusChange { delivery_status: status, auto, ..StatusChange::default() });
    let pinned = grown(in_stage(Stage::InProgress), vec![set(Some(DeliveryStatus::AtRisk), false)]);
    assert_eq!(decide_on("2026-12-01", pinned.clone(), Command::Reassess), Ok(vec![]));
    assert_eq!(decide(pinned.clone(), MANAGER, set(Some(DeliveryStatus::AtRisk), false)), Ok(vec![]));
    let free = decide(pinned, MANAGER, set(None, true)).unwrap();
    assert!(matches!(free[..], [Event::DeliveryStatusChanged { mode: DeliveryMode::Auto, .. }]));
    let both = set(Some(DeliveryStatus::Delayed), true);
    assert_eq!(decide(vec![born()], MANAGER, both), Err(Refused::AutoOrManual));
    let closed = set(Some(DeliveryStatus::Delayed), false);
    assert_eq!(decide(in_stage(Stage::Completed), MANAGER, closed), Err(Refused::Closed));
}

#[test]
fn a_milestones_percent_and_status_tell_the_same() {
    use MilestoneStatus::{Done, InProgress, Pending, Skipped};
    for (percent, status, expected) in [
        (Some("100"), None, Ok((Done, "100.00"))),
        (Some("40"), None, Ok((InProgress, "40.00"))),
        (None, Some(Done), Ok((Done, "100"))),
        (None, Some(Skipped), Ok((Skipped, "0"))),
        (Some("50"), Some(Done), Err(Refused::MilestoneInconsistent)),
        (Some("50"), Some(Pending), Err(Refused::MilestoneInconsistent)),
        (Some("100"), Some(InProgress), Err(Refused::MilestoneInconsistent)),
        (Some("101"), None, Err(Refused::ValueOutOfRange { field: "percent" })),
        (Some("-1"), None, Err(Refused::ValueOutOfRange { field: "percent" })),
    ] {
        let result = decide(vec![born()], MANAGER, progress(31, percent, status));
        let shown = result.map(|events| match &events[0] {
            Event::MilestoneChanged(m) | Event::MilestoneCompleted(m) => {
                assert_eq!(m.completed_at.is_some(), m.status == Done);
                (m.status, m.percent)
            }
            other => panic!("{other:?}"),
        });
        assert_eq!(shown, expected.map(|(status, percent)| (status, decimal(percent))));
    }
    let unknown = decide(vec![born()], MANAGER, progress(99, None, None));
    assert_eq!(unknown, Err(Refused::NoSuchPart("milestone")));
    let closed = decide(in_stage(Stage::Completed), MANAGER, progress(31, Some("1"), None));
    assert_eq!(closed, Err(Refused::Closed));
}

#[test]
fn a_milestone_is_added_once() {
    let draft = MilestoneDraft {
        name: text("Training"),
        weight: Some(decimal("2.5")),
        due_date: None,
        percent: None,
        status: None,
    };
    let add = |weight| Command::AddMilestone { id: id(34), draft: MilestoneDraft { weight, ..draft.clone() } };
    let more = grown(vec![born()], vec![add(None)]);
    assert_eq!(fold(more.clone()).known().unwrap().milestones.len(), 4);
    assert_eq!(decide(more, MANAGER, add(None)), Ok(vec![]));
    let refused = decide(vec![born()], MANAGER, add(Some(Decimal::MAX)));
    assert_eq!(refused, Err(Refused::ValueOutOfRange { field: "weight" }));
}

#[test]
fn each_threshold_of_the_budget_is_announced_once() {
    let crossed = |events: Vec<Event>| -> Vec<u32> {
        let percent =
            |event| if let Event::BudgetThresholdCrossed { percent, .. } = event { Some(percent) } else { None };
        events.into_iter().filter_map(percent).collect()
    };
    let mut history = vec![born()];
    for (number, amount, expected) in
        [(1, "119999.99", vec![]), (2, "0.01", vec![80]), (3, "60000", vec![100, 120]), (4, "60000", vec![])]
    {
        let events = decide(history.clone(), MANAGER, Command::PostExpense(expense(number, amount))).unwrap();
        assert_eq!(crossed(events.clone()), expected, "{amount}");
        history.extend(events);
    }
    let block = ExpensePosting { block_over_budget: true, ..expense(1, "150000.01") };
    assert_eq!(decide(vec![born()], MANAGER, Command::PostExpense(block)), Err(Refused::BudgetExceeded));
    let exact = ExpensePosting { block_over_budget: true, ..expense(1, "150000.00") };
    assert!(decide(vec![born()], MANAGER, Command::PostExpense(exact)).is_ok());
}

#[test]
fn an_expense_is_never_edited_but_reversed_once() {
    let reverse =
        |number, of| Command::ReverseExpense { id: id(number), reversal_of: id(of), description: text("Typo") };
    let history = grown(vec![born()], vec![Command::PostExpense(expense(1, "500")), reverse(2, 1)]);
    let project = fold(history.clone());
    assert_eq!(project.known().unwrap().actual_cost(), Decimal::ZERO);
    assert_eq!(project.known().unwrap().expenses[1].amount, decimal("-500"));
    assert_eq!(decide(history.clone(), MANAGER, reverse(3, 1)), Err(Refused::AlreadyReversed));
    assert_eq!(decide(history.clone(), MANAGER, reverse(3, 2)), Err(Refused::ReversalNotReversible));
    assert_eq!(decide(history.clone(), MANAGER, reverse(3, 9)), Err(Refused::NoSuchPart("expense")));
    assert_eq!(decide(history, MANAGER, Command::PostExpense(expense(1, "500"))), Ok(vec![]));
}

#[test]
fn details_change_in_part_and_milestones_of_the_same_name_stay() {
    let history = grown(vec![born()], vec![progress(32, Some("50"), None)]);
    let change = DetailsChange {
        pm_name: Change::Set(text("Ann")),
        milestones: Some(["pilot", "Rollout"].map(text).to_vec()),
        milestone_ids: vec![id(41), id(42)],
        ..DetailsChange::default()
    };
    let known = fold(grown(history, vec![Command::ChangeDetails(Box::new(change))]));
    let ids: Vec<_> = known.known().unwrap().milestones.iter().map(|m| (m.id.get(), m.percent)).collect();
    assert_eq!(ids, [(32, decimal("50")), (42, Decimal::ZERO)]);
    let nothing = Command::ChangeDetails(Box::default());
    assert_eq!(decide(vec![born()], MANAGER, nothing.clone()), Ok(vec![]));
    assert_eq!(decide(in_stage(Stage::Cancelled), MANAGER, nothing), Err(Refused::Closed));
}

#[test]
fn a_benefit_is_recorded_against_its_target() {
    let change = OpportunityChange {
        stage: Some(Stage::InProgress),
        actual_savings: Some(decimal("150000")),
        notes: Change::Set(text("Better than planned")),
    };
    let command = Command::ChangeOpportunity { id: id(61), change };
    let history = grown(vec![born()], vec![command.clone()]);
    assert_eq!(decide(history.clone(), MANAGER, command), Ok(vec![]));
    let variance = fold(history).known().unwrap().variance();
    assert_eq!(variance.total.savings_variance, decimal("3259.04"));
    assert_eq!(variance.total.baseline_cost, decimal("150000.00"));
    let jump = OpportunityChange { stage: Some(Stage::Completed), ..OpportunityChange::default() };
    let refused = decide(vec![born()], MANAGER, Command::ChangeOpportunity { id: id(61), change: jump });
    assert_eq!(refused, Err(Refused::InvalidTransition { from: Stage::NotStarted, to: Stage::Completed }));
}

#[test]
fn a_running_project_is_deleted_by_force_only_and_restored_by_its_cascade() {
    let delete = |force| Command::Delete { cascade_id: Some("a".to_owned()), force };
    assert_eq!(decide(in_stage(Stage::InProgress), ADMIN, delete(false)), Err(Refused::ActiveProject));
    assert_eq!(decide(vec![born()], MANAGER, delete(true)), Err(Refused::Forbidden));
    let gone =
        [in_stage(Stage::InProgress), decide(in_stage(Stage::InProgress), ADMIN, delete(true)).unwrap()].concat();
    assert_eq!(decide(gone.clone(), ADMIN, delete(false)), Ok(vec![]));
    assert_eq!(decide(gone.clone(), ADMIN, stage(Stage::InProgress)), Err(Refused::NotFound));
    let restore = |name: &str| by_system(Command::Restore { cascade_id: Some(name.to_owned()) });
    TestFramework::<Project>::with(()).given(gone.clone()).when(restore("b")).then_expect_events(vec![]);
    TestFramework::<Project>::with(()).given(gone).when(restore("a")).then_expect_events(vec![Event::Restored]);
}

#[test]
fn the_view_has_the_fields_of_the_contract() {
    let project = fold(grown(vec![born()], vec![Command::PostExpense(expense(1, "75000"))]));
    let stamp = Stamp { id: "40".to_owned(), version: 2, created_at: now(), updated_at: now() + Duration::days(1) };
    let view = serde_json::to_value(Project::view(&project, &stamp).unwrap()).unwrap();
    for (field, value) in [
        ("id", serde_json::json!(40)),
        ("proposal", serde_json::json!(4)),
        ("stage", serde_json::json!("NOT_STARTED")),
        ("delivery_status", serde_json::json!("DELAYED")),
        ("budget_limit", serde_json::json!("150000.00")),
        ("client", serde_json::json!(12)),
        ("vertical_ids", serde_json::json!([2])),
        ("percent_complete", serde_json::json!("0.00")),
        ("actual_cost", serde_json::json!("75000.00")),
        ("budget_consumed_percent", serde_json::json!("50.00")),
    ] {
        assert_eq!(view[field], value, "{field}");
    }
}

#[test]
fn changed_participants_are_recorded_by_the_system_and_count_at_once() {
    let people = birth(seed()).costing.participants;
    let others = Participants { managed_by: id(9), consultants: BTreeSet::new(), ..people.clone() };
    let record = Command::RecordParticipants(others.clone());
    assert_eq!(decide(vec![born()], ADMIN, record.clone()), Err(Refused::Forbidden));
    assert_eq!(decide_on("2026-06-01", vec![born()], Command::RecordParticipants(people)), Ok(vec![]));
    let changed = decide_on("2026-06-01", vec![born()], record).unwrap();
    assert_eq!(changed, vec![Event::ParticipantsChanged(others)]);
    let history = [vec![born()], changed].concat();
    assert_eq!(decide(history.clone(), MANAGER, stage(Stage::InProgress)), Err(Refused::NotFound));
    assert!(decide(history, (9, Consultant), stage(Stage::InProgress)).is_ok());
}

proptest! {
    #[test]
    fn no_amount_breaks_a_project(mantissa in any::<i128>(), scale in 0..=28_u32) {
        let number = Decimal::try_from_i128_with_scale(mantissa % (2_i128.pow(96) - 1), scale).unwrap_or_default();
        let post = Command::PostExpense(ExpensePosting { amount: number, ..expense(1, "1") });
        let budget = DetailsChange { budget_limit: Some(number), ..DetailsChange::default() };
        for command in [post, Command::ChangeDetails(Box::new(budget)), progress(31, None, None)] {
            let events = decide(vec![born()], MANAGER, command);
            let project = fold([vec![born()], events.unwrap_or_default()].concat());
            prop_assert!(project.known().unwrap().tracking(day("2026-10-15")).variance.is_some());
        }
    }
}
