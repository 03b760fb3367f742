use std::collections::BTreeSet;

use chrono::{Duration, NaiveDate};
use cqrs_es::{Aggregate, test::TestFramework};
use kernel::{
    Actor, Issued, Kind, Refusal, Resource,
    Role::{self, Admin, Client, Consultant, Reviewer},
    Stamp, Text,
    testing::{by, by_system, id, now},
};
use proptest::prelude::*;

use super::*;
use crate::participants::Participants;

type Event = ProposalEvent;
type Refused = ProposalRefusal;
type Command = ProposalCommand;

const CREATOR: (i64, Role) = (4, Consultant);
const MANAGER: (i64, Role) = (6, Consultant);
const PAIRED: (i64, Role) = (5, Consultant);
const CLIENT: (i64, Role) = (12, Client);
const REVIEWER: (i64, Role) = (3, Reviewer);
const ADMIN: (i64, Role) = (1, Admin);

fn people() -> Participants {
    let consultants = BTreeSet::from([id(4), id(5)]);
    Participants { client: id(12), reviewer: Some(id(3)), managed_by: id(6), consultants }
}

fn costing() -> CostingFacts {
    CostingFacts {
        id: id(3),
        assessment: id(7),
        is_approved: true,
        total_cost: "157579.5".parse().unwrap(),
        currency: id(1),
        verticals: vec![id(2)],
        opportunities: vec![],
        participants: people(),
    }
}

fn offer() -> NewProposal {
    NewProposal {
        costing: costing(),
        title: Text::new("Automation").unwrap(),
        executive_summary: Text::new("Summary").unwrap(),
        scope_of_work: Text::new("").unwrap(),
        timeline_weeks: 16,
        validity_days: 30,
        deliverables: vec![Text::new("Blueprint").unwrap(), Text::new("Dashboard").unwrap()],
        terms_and_conditions: Text::new("As per MSA").unwrap(),
    }
}

fn content() -> ProposalContent {
    let new = offer();
    ProposalContent {
        title: new.title,
        executive_summary: new.executive_summary,
        scope_of_work: new.scope_of_work,
        timeline_weeks: 16,
        validity_days: 30,
        deliverables: new.deliverables,
        terms_and_conditions: new.terms_and_conditions,
    }
}

fn created() -> Event {
    Event::Created {
        solution_costing_id: id(3),
        assessment_id: id(7),
        content: content(),
        total_value: "157579.50".parse().unwrap(),
        currency: id(1),
        participants: people(),
        by: Some(id(4)),
    }
}

/// P2: submitted on 2026-06-01 with 30 days, valid until 2026-07-01.
fn last_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 7, 1).unwrap()
}

fn submitted(by: i64) -> Event {
    Event::Submitted { by: Some(id(by)), at: now(), valid_until: last_day() }
}

fn approved() -> Event {
    Event::Approved { by: Some(id(12)), at: now(), on_behalf: false, comment: None, project_id: id(40) }
}

fn why() -> Text<1, 4000> {
    Text::new("Because").unwrap()
}

fn rejected() -> Event {
    Event::Rejected { by: Some(id(12)), at: now(), on_behalf: false, reason: why() }
}

fn withdrawn() -> Event {
    Event::Withdrawn { by: Some(id(4)), at: now(), reason: why() }
}

fn expired() -> Event {
    Event::Expired { valid_until: last_day() }
}

fn in_status(status: ProposalStatus) -> Vec<Event> {
    match status {
        ProposalStatus::Draft => vec![created()],
        ProposalStatus::Submitted => vec![created(), submitted(4)],
        ProposalStatus::Approved => vec![created(), submitted(4), approved()],
        ProposalStatus::Rejected => vec![created(), submitted(4), rejected()],
        ProposalStatus::Expired => vec![created(), submitted(4), expired()],
        ProposalStatus::Withdrawn => vec![created(), submitted(4), withdrawn()],
    }
}

const ALL: [ProposalStatus; 6] = [
    ProposalStatus::Draft,
    ProposalStatus::Submitted,
    ProposalStatus::Approved,
    ProposalStatus::Rejected,
    ProposalStatus::Expired,
    ProposalStatus::Withdrawn,
];

fn approval() -> Approval {
    Approval { comment: None, project: id(40), costing_is_approved: true, admin_may_approve_own: false }
}

fn approve() -> Command {
    Command::Approve(approval())
}

fn approve_on_behalf() -> Command {
    Command::Approve(Approval { comment: Some(why()), ..approval() })
}

fn submit() -> Command {
    Command::Submit { costing_is_approved: true }
}

fn revise() -> Command {
    Command::Revise { costing_is_approved: true }
}

fn delete() -> Command {
    Command::Delete { cascade_id: None, force: false, project_is_active: false }
}

fn retitle() -> Command {
    let title = Some(Text::new("New title").unwrap());
    Command::Edit(Box::new(ProposalChanges { title, ..ProposalChanges::default() }))
}

fn decide(given: Vec<Event>, (user, role): (i64, Role), command: Command) -> Result<Vec<Event>, Refused> {
    TestFramework::<Proposal>::with(()).given(given).when(by(user, role, command)).inspect_result()
}

fn decide_after(days: i64, given: Vec<Event>, who: Actor, command: Command) -> Result<Vec<Event>, Refused> {
    let issued = Issued::new(who, now() + Duration::days(days), command);
    TestFramework::<Proposal>::with(()).given(given).when(issued).inspect_result()
}

fn client() -> Actor {
    Actor::User { id: id(12), role: Client }
}

#[test]
fn a_proposal_is_created_once_by_an_assigned_consultant_or_an_admin() {
    let create = || Command::Create(Box::new(offer()));
    assert_eq!(decide(vec![], CREATOR, create()), Ok(vec![created()]));
    assert!(decide(vec![], ADMIN, create()).is_ok());
    assert_eq!(decide(vec![created()], CREATOR, create()), Err(Refused::AlreadyExists));
    assert_eq!(decide(vec![], CLIENT, create()), Err(Refused::Forbidden));
    assert_eq!(decide(vec![], REVIEWER, create()), Err(Refused::Forbidden));
    assert_eq!(decide(vec![], (9, Consultant), create()), Err(Refused::NotFound));
}

#[test]
fn only_an_approved_costing_can_be_proposed_submitted_or_revised() {
    let new = NewProposal { costing: CostingFacts { is_approved: false, ..costing() }, ..offer() };
    let no = Err(Refused::CostingNotApproved);
    assert_eq!(decide(vec![], CREATOR, Command::Create(Box::new(new))), no);
    assert_eq!(decide(vec![created()], CREATOR, Command::Submit { costing_is_approved: false }), no);
    let rejected = in_status(ProposalStatus::Rejected);
    assert_eq!(decide(rejected, CREATOR, Command::Revise { costing_is_approved: false }), no);
    let direct = Approval { comment: Some(why()), costing_is_approved: false, ..approval() };
    assert_eq!(decide(vec![created()], ADMIN, Command::Approve(direct)), no);
    assert_eq!(Refused::CostingNotApproved.kind(), Kind::Unprocessable);
}

#[test]
fn weeks_and_days_are_bounded() {
    for (weeks, days, field) in [
        (0, 30, "timeline_weeks"),
        (261, 30, "timeline_weeks"),
        (-1, 30, "timeline_weeks"),
        (i64::MAX, 30, "timeline_weeks"),
        (16, 0, "validity_days"),
        (16, 366, "validity_days"),
    ] {
        let new = NewProposal { timeline_weeks: weeks, validity_days: days, ..offer() };
        let refusal = decide(vec![], CREATOR, Command::Create(Box::new(new))).unwrap_err();
        assert_eq!((refusal.code(), refusal.field().as_deref()), ("VALUE_OUT_OF_RANGE", Some(field)));
    }
    for (weeks, days) in [(1, 1), (260, 365)] {
        let new = NewProposal { timeline_weeks: weeks, validity_days: days, ..offer() };
        assert!(decide(vec![], CREATOR, Command::Create(Box::new(new))).is_ok());
    }
}

#[test]
fn every_command_is_refused_in_the_states_that_do_not_allow_it() {
    use ProposalStatus::{Approved, Draft, Expired, Rejected, Submitted, Withdrawn};
    type Case = (&'static str, (i64, Role), Command, &'static [ProposalStatus]);
    let cases: [Case; 6] = [
        ("edit", CREATOR, retitle(), &[Submitted, Approved, Rejected, Expired, Withdrawn]),
        ("submit", CREATOR, submit(), &[Approved, Rejected, Expired, Withdrawn]),
        ("approve", ADMIN, approve_on_behalf(), &[Rejected, Withdrawn]),
        ("reject", ADMIN, Command::Reject { reason: why() }, &[Draft, Approved, Expired, Withdrawn]),
        ("withdraw", CREATOR, Command::Withdraw { reason: why() }, &[Approved, Rejected, Expired]),
        ("revise", CREATOR, revise(), &[Draft, Submitted, Approved]),
    ];
    for (command, who, given, refused_in) in cases {
        for status in ALL {
            let result = decide(in_status(status), who, given.clone());
            if refused_in.contains(&status) {
                assert_eq!(result, Err(Refused::InvalidTransition { from: status, command }));
            } else {
                let not_valid_any_more = command == "approve" && status == Expired;
                assert!(result.is_ok() || not_valid_any_more, "{command} {status:?} {result:?}");
            }
        }
    }
    for status in [Draft, Approved, Rejected, Withdrawn] {
        let result = decide_after(31, in_status(status), Actor::System, Command::Expire);
        assert_eq!(result, Err(Refused::InvalidTransition { from: status, command: "expire" }));
    }
}

#[test]
fn a_wrong_transition_says_what_is_allowed() {
    let refusal = decide(in_status(ProposalStatus::Rejected), CREATOR, submit()).unwrap_err();
    let members = serde_json::json!({"from": "REJECTED", "command": "submit", "allowed": ["revise"]});
    assert_eq!(serde_json::Value::Object(refusal.members()), members);
    assert_eq!((refusal.kind(), refusal.code()), (Kind::Conflict, "INVALID_TRANSITION"));
}

#[test]
fn what_is_done_already_is_no_event() {
    for (status, who, command) in [
        (ProposalStatus::Submitted, CREATOR, submit()),
        (ProposalStatus::Approved, CLIENT, approve()),
        (ProposalStatus::Approved, ADMIN, approve()),
        (ProposalStatus::Rejected, CLIENT, Command::Reject { reason: why() }),
        (ProposalStatus::Withdrawn, CREATOR, Command::Withdraw { reason: why() }),
        (ProposalStatus::Draft, CREATOR, Command::Edit(Box::default())),
        (ProposalStatus::Draft, ADMIN, Command::Restore { cascade_id: None }),
    ] {
        assert_eq!(decide(in_status(status), who, command.clone()), Ok(vec![]), "{command:?}");
    }
    let again = decide_after(31, in_status(ProposalStatus::Expired), Actor::System, Command::Expire);
    assert_eq!(again, Ok(vec![]));
}

#[test]
fn a_draft_is_edited_by_its_owner() {
    let edited = ProposalContent { title: Text::new("New title").unwrap(), ..content() };
    for who in [CREATOR, MANAGER, ADMIN] {
        assert_eq!(decide(vec![created()], who, retitle()), Ok(vec![Event::Edited(edited.clone())]));
    }
    assert_eq!(decide(vec![created()], PAIRED, retitle()), Err(Refused::Forbidden));
    assert_eq!(decide(vec![created()], REVIEWER, retitle()), Err(Refused::Forbidden));
}

#[test]
fn a_draft_is_invisible_to_its_client_and_so_is_a_revision() {
    let draft_again = [in_status(ProposalStatus::Rejected), vec![Event::Revised { revision: 2 }]].concat();
    let never_sent = vec![created(), withdrawn()];
    for given in [vec![created()], draft_again, never_sent] {
        assert_eq!(decide(given.clone(), CLIENT, approve()), Err(Refused::NotFound));
        assert_eq!(decide(given, CLIENT, Command::Reject { reason: why() }), Err(Refused::NotFound));
    }
}

#[test]
fn strangers_do_not_know_of_a_proposal() {
    for who in [(13, Client), (9, Consultant), (8, Reviewer)] {
        for command in [approve(), submit(), retitle(), revise(), delete(), Command::Withdraw { reason: why() }] {
            assert_eq!(decide(in_status(ProposalStatus::Submitted), who, command), Err(Refused::NotFound));
        }
    }
}

/// P2.
#[test]
fn a_proposal_can_be_approved_on_its_last_day_and_not_after() {
    assert_eq!(decide(vec![created()], CREATOR, submit()), Ok(vec![submitted(4)]));
    let given = || in_status(ProposalStatus::Submitted);
    let events = decide_after(30, given(), client(), approve()).unwrap();
    let at = now() + Duration::days(30);
    let on_time = Event::Approved { by: Some(id(12)), at, on_behalf: false, comment: None, project_id: id(40) };
    assert_eq!(events, vec![on_time]);
    let refusal = Refused::Expired { valid_until: last_day() };
    let late = Err(refusal.clone());
    assert_eq!(decide_after(31, given(), client(), approve()), late);
    assert_eq!(decide_after(31, in_status(ProposalStatus::Expired), client(), approve()), late);
    assert_eq!((refusal.kind(), refusal.code()), (Kind::Conflict, "PROPOSAL_EXPIRED"));
}

#[test]
fn the_scheduler_alone_expires_and_only_after_the_last_day() {
    let given = || in_status(ProposalStatus::Submitted);
    assert_eq!(decide_after(31, given(), Actor::System, Command::Expire), Ok(vec![expired()]));
    let early = Err(Refused::StillValid { valid_until: last_day() });
    assert_eq!(decide_after(30, given(), Actor::System, Command::Expire), early);
    assert_eq!(decide(given(), ADMIN, Command::Expire), Err(Refused::Forbidden));
}

#[test]
fn only_the_client_or_an_admin_with_a_comment_signs() {
    let given = || in_status(ProposalStatus::Submitted);
    for who in [CREATOR, MANAGER, PAIRED, REVIEWER] {
        assert_eq!(decide(given(), who, approve()), Err(Refused::Forbidden));
        assert_eq!(decide(given(), who, Command::Reject { reason: why() }), Err(Refused::Forbidden));
    }
    assert_eq!(decide(given(), ADMIN, approve()), Err(Refused::CommentRequired));
    let events = decide(given(), ADMIN, approve_on_behalf()).unwrap();
    assert!(matches!(&events[..], [Event::Approved { on_behalf: true, comment: Some(_), .. }]));
    assert_eq!(decide(given(), CLIENT, Command::Reject { reason: why() }), Ok(vec![rejected()]));
}

#[test]
fn a_draft_is_approved_directly_by_an_admin_only() {
    let events = decide(vec![created()], ADMIN, approve_on_behalf()).unwrap();
    let signed =
        Event::Approved { by: Some(id(1)), at: now(), on_behalf: true, comment: Some(why()), project_id: id(40) };
    assert_eq!(events, vec![submitted(1), signed]);
    for who in [CREATOR, PAIRED, REVIEWER] {
        assert_eq!(decide(vec![created()], who, approve_on_behalf()), Err(Refused::Forbidden));
    }
}

#[test]
fn the_creator_cannot_approve_unless_the_installation_lets_admins() {
    let Event::Created { solution_costing_id, assessment_id, content, total_value, currency, participants, .. } =
        created()
    else {
        panic!()
    };
    let by = Some(id(1));
    let own = Event::Created { solution_costing_id, assessment_id, content, total_value, currency, participants, by };
    assert_eq!(decide(vec![own.clone()], ADMIN, approve_on_behalf()), Err(Refused::OwnProposal));
    let allowed = Approval { comment: Some(why()), admin_may_approve_own: true, ..approval() };
    assert_eq!(decide(vec![own], ADMIN, Command::Approve(allowed)).unwrap().len(), 2);
}

#[test]
fn a_revision_is_counted_and_can_be_submitted_again() {
    for status in [ProposalStatus::Rejected, ProposalStatus::Expired, ProposalStatus::Withdrawn] {
        let revised = vec![Event::Revised { revision: 2 }];
        assert_eq!(decide(in_status(status), CREATOR, revise()), Ok(revised.clone()));
        let again = [in_status(status), revised].concat();
        assert_eq!(decide(again, MANAGER, submit()), Ok(vec![submitted(6)]));
    }
}

#[test]
fn a_proposal_is_deleted_and_restored_by_an_admin() {
    let deleted = Event::Deleted { cascade_id: None };
    assert_eq!(decide(vec![created()], ADMIN, delete()), Ok(vec![deleted.clone()]));
    assert_eq!(decide(vec![created()], CREATOR, delete()), Err(Refused::Forbidden));
    let gone = vec![created(), deleted];
    assert_eq!(decide(gone.clone(), ADMIN, delete()), Ok(vec![]));
    assert_eq!(decide(gone.clone(), ADMIN, submit()), Err(Refused::NotFound));
    assert_eq!(decide(gone.clone(), CREATOR, delete()), Err(Refused::NotFound));
    assert_eq!(decide(gone, ADMIN, Command::Restore { cascade_id: None }), Ok(vec![Event::Restored]));
}

#[test]
fn a_running_project_blocks_the_deletion_unless_forced() {
    let given = || in_status(ProposalStatus::Approved);
    let delete = |force| Command::Delete { cascade_id: None, force, project_is_active: true };
    assert_eq!(decide(given(), ADMIN, delete(false)), Err(Refused::ActiveProject));
    assert_eq!(decide(given(), ADMIN, delete(true)), Ok(vec![Event::Deleted { cascade_id: None }]));
}

#[test]
fn a_cascade_restores_only_what_it_deleted() {
    let cascade = |name: &str| Some(name.to_owned());
    let gone = vec![created(), Event::Deleted { cascade_id: cascade("a") }];
    let restore = |cascade_id| {
        let command = by_system(Command::Restore { cascade_id });
        TestFramework::<Proposal>::with(()).given(gone.clone()).when(command).inspect_result()
    };
    assert_eq!(restore(cascade("b")), Ok(vec![]));
    assert_eq!(restore(cascade("a")), Ok(vec![Event::Restored]));
}

#[test]
fn changed_participants_are_recorded_by_the_system_and_count_at_once() {
    let others = Participants { managed_by: id(9), consultants: BTreeSet::new(), ..people() };
    let record = Command::RecordParticipants(others.clone());
    let given = || TestFramework::<Proposal>::with(()).given(vec![created()]);
    let changed = Event::ParticipantsChanged(others);
    given().when(by_system(record.clone())).then_expect_events(vec![changed.clone()]);
    given().when(by_system(Command::RecordParticipants(people()))).then_expect_events(vec![]);
    given().when(by(1, Admin, record)).then_expect_error(Refused::Forbidden);
    assert_eq!(decide(vec![created(), changed.clone()], CREATOR, submit()), Err(Refused::NotFound));
    assert!(decide(vec![created(), changed], (9, Consultant), submit()).is_ok());
}

#[test]
fn what_was_never_created_is_not_found() {
    for command in [submit(), approve(), revise(), delete(), retitle(), Command::Restore { cascade_id: None }] {
        assert_eq!(decide(vec![], ADMIN, command), Err(Refused::NotFound));
    }
}

#[test]
fn the_view_has_the_fields_of_the_contract() {
    let mut proposal = Proposal::default();
    for event in in_status(ProposalStatus::Approved) {
        proposal.apply(event);
    }
    let stamp = Stamp { id: "4".to_owned(), version: 3, created_at: now(), updated_at: now() };
    let view = serde_json::to_value(Proposal::view(&proposal, &stamp).unwrap()).unwrap();
    for (field, value) in [
        ("id", serde_json::json!(4)),
        ("solution_costing_id", serde_json::json!(3)),
        ("title", serde_json::json!("Automation")),
        ("timeline_weeks", serde_json::json!(16)),
        ("deliverables", serde_json::json!(["Blueprint", "Dashboard"])),
        ("status", serde_json::json!("APPROVED")),
        ("total_value", serde_json::json!("157579.50")),
        ("revision", serde_json::json!(1)),
        ("created_by", serde_json::json!(4)),
        ("valid_until", serde_json::json!("2026-07-01")),
        ("approved_by", serde_json::json!(12)),
        ("project_id", serde_json::json!(40)),
        ("is_deleted", serde_json::json!(false)),
        ("version", serde_json::json!(3)),
    ] {
        assert_eq!(view[field], value, "{field}");
    }
    assert!(Proposal::view(&Proposal::NotYet, &stamp).is_none());
}

#[test]
fn events_survive_json() {
    for event in ALL.into_iter().flat_map(in_status) {
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
    }
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(submit()),
        Just(approve_on_behalf()),
        Just(retitle()),
        Just(revise()),
        Just(Command::Reject { reason: why() }),
        Just(Command::Withdraw { reason: why() }),
        Just(delete()),
        Just(Command::Restore { cascade_id: None }),
    ]
}

proptest! {
    /// Whatever is done in whatever order: a command given twice in a row has no second effect, save a revision.
    #[test]
    fn a_repeated_command_changes_nothing(commands in prop::collection::vec(any_command(), 0..12)) {
        let mut history = vec![created()];
        for command in commands {
            if let Ok(events) = decide(history.clone(), ADMIN, command.clone()) {
                history.extend(events);
                prop_assert!(decide(history.clone(), ADMIN, command).unwrap_or_default().is_empty());
            }
        }
    }
}
