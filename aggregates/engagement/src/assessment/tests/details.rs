use kernel::{Change, Reference, Role, testing::id};
use rust_decimal::Decimal;

use super::support::*;
use crate::{
    assessment::{AssessmentCommand as Command, AssessmentEvent as Event, AssessmentRefusal as Refused, *},
    business_case::Parameters,
};

fn update(changes: DetailChanges) -> Command {
    Command::UpdateDetails(Box::new(changes))
}

fn vertical(number: i64, is_active: bool) -> NewVertical {
    let mut questions = snapshot();
    questions.questions.push(question(60, "R2R_FTE", 9));
    NewVertical { vertical: Reference::new(id(number), is_active), questions }
}

fn verticals(numbers: &[i64], confirm: bool) -> Command {
    let verticals = Some(numbers.iter().map(|number| vertical(*number, true)).collect());
    update(DetailChanges { verticals, confirm, ..DetailChanges::default() })
}

#[test]
fn an_assessment_is_created_once_as_a_draft_with_its_questions() {
    let of = assessment(created());
    assert_eq!(of.live().map(|profile| profile.status), Some(Status::Draft));
    assert_eq!(of.questions(), &snapshot());
    assert_eq!(decide(created(), ADMIN, create(new())), Err(Refused::AlreadyExists));
}

#[test]
fn admins_and_consultants_create_and_nobody_else() {
    for who in [ADMIN, MANAGER] {
        assert_eq!(decide(vec![], who, create(new())).unwrap().len(), 1);
    }
    for who in [REVIEWER, CLIENT] {
        assert_eq!(decide(vec![], who, create(new())), Err(Refused::Forbidden));
    }
}

#[test]
fn every_guard_of_the_creation_names_what_is_wrong() {
    let manager = |role, is_active| ManagerFacts { user: id(MANAGER.0), role, is_active };
    let bad_parameters = Parameters { discount_rate_percent: Decimal::from(101), ..Parameters::default() };
    let refused: Vec<(NewAssessment, &str, &str)> = vec![
        (
            NewAssessment { client: ClientFacts { is_active: false, ..new().client }, ..new() },
            "CLIENT_NOT_ACTIVE",
            "client",
        ),
        (NewAssessment { managed_by: manager(None, true), ..new() }, "MANAGER_NOT_ELIGIBLE", "managed_by"),
        (
            NewAssessment { managed_by: manager(Some(Role::Reviewer), true), ..new() },
            "MANAGER_NOT_ELIGIBLE",
            "managed_by",
        ),
        (
            NewAssessment { managed_by: manager(Some(Role::Consultant), false), ..new() },
            "MANAGER_NOT_ELIGIBLE",
            "managed_by",
        ),
        (
            NewAssessment {
                managed_by: ManagerFacts { user: id(6), role: Some(Role::Consultant), is_active: true },
                ..new()
            },
            "CONSULTANT_NOT_ASSIGNED",
            "managed_by",
        ),
        (
            NewAssessment { industry_type: Some(Reference::new(id(1), false)), ..new() },
            "INDUSTRY_NOT_ACTIVE",
            "industry_type",
        ),
        (NewAssessment { region: Some(Reference::new(id(2), false)), ..new() }, "REGION_NOT_ACTIVE", "region_id"),
        (NewAssessment { verticals: vec![], ..new() }, "VERTICALS_REQUIRED", "vertical_ids"),
        (
            NewAssessment { verticals: vec![Reference::new(id(P2P), true); 2], ..new() },
            "DUPLICATE_VERTICAL",
            "vertical_ids",
        ),
        (
            NewAssessment { verticals: vec![Reference::new(id(P2P), false)], ..new() },
            "VERTICAL_NOT_ACTIVE",
            "vertical_ids",
        ),
        (NewAssessment { current_step: 6, ..new() }, "STEP_OUT_OF_RANGE", "current_step"),
        (NewAssessment { current_step: 0, ..new() }, "STEP_OUT_OF_RANGE", "current_step"),
        (NewAssessment { total_steps: 0, ..new() }, "STEP_OUT_OF_RANGE", "total_steps"),
        (
            NewAssessment { ble_parameters: bad_parameters, ..new() },
            "PARAMETER_OUT_OF_RANGE",
            "ble_parameters.discount_rate_percent",
        ),
        (NewAssessment { approval_policy: vec![Role::Reviewer], ..new() }, "BAD_APPROVAL_POLICY", "approval_policy"),
        (
            NewAssessment { approval_policy: vec![Role::Client, Role::Client], ..new() },
            "BAD_APPROVAL_POLICY",
            "approval_policy",
        ),
    ];
    for (new, code, field) in refused {
        assert_eq!(invalid_code(decide(vec![], ADMIN, create(new))), (code, field.to_owned()));
    }
}

#[test]
fn an_admin_or_anybody_for_a_client_without_pairs_may_manage() {
    let admin = ManagerFacts { user: id(1), role: Some(Role::Admin), is_active: true };
    assert!(decide(vec![], ADMIN, create(NewAssessment { managed_by: admin, ..new() })).is_ok());
    let unpaired = ManagerFacts { user: id(6), role: Some(Role::Consultant), is_active: true };
    let client = ClientFacts { pairs: std::collections::BTreeSet::new(), ..new().client };
    assert!(decide(vec![], ADMIN, create(NewAssessment { managed_by: unpaired, client, ..new() })).is_ok());
}

#[test]
fn only_details_that_differ_are_an_update() {
    let changes = DetailChanges {
        name: Some(text("Renamed")),
        region: Change::Clear,
        current_step: Some(3),
        ..DetailChanges::default()
    };
    let given = and(draft(), MANAGER, update(changes.clone()));
    let details = profile(given.clone()).details;
    assert_eq!((&*details.name, details.region_id, details.current_step), ("Renamed", None, 3));
    assert_eq!(details.industry_type, Some(id(1)));
    assert_eq!(decide(given, MANAGER, update(changes)), Ok(vec![]));
}

#[test]
fn what_is_referred_to_already_may_have_been_deactivated() {
    let set = |number, is_active| DetailChanges {
        region: Change::Set(Reference::new(id(number), is_active)),
        ..DetailChanges::default()
    };
    assert_eq!(decide(draft(), MANAGER, update(set(2, false))), Ok(vec![]));
    let result = decide(draft(), MANAGER, update(set(3, false)));
    assert_eq!(invalid_code(result), ("REGION_NOT_ACTIVE", "region_id".to_owned()));
    let industry = Change::Set(Reference::new(id(3), false));
    let result =
        decide(draft(), MANAGER, update(DetailChanges { industry_type: industry, ..DetailChanges::default() }));
    assert_eq!(invalid_code(result), ("INDUSTRY_NOT_ACTIVE", "industry_type".to_owned()));
}

#[test]
fn every_guard_of_an_update_names_what_is_wrong() {
    let given = and(draft(), MANAGER, update(DetailChanges { current_step: Some(3), ..DetailChanges::default() }));
    let nobody = ManagerFacts { user: id(77), role: None, is_active: false };
    let bad = Parameters { horizon_years: 0, ..Parameters::default() };
    for (changes, code) in [
        (DetailChanges { current_step: Some(2), ..DetailChanges::default() }, "STEP_BACKWARDS"),
        (DetailChanges { current_step: Some(6), ..DetailChanges::default() }, "STEP_OUT_OF_RANGE"),
        (DetailChanges { total_steps: Some(2), ..DetailChanges::default() }, "STEP_OUT_OF_RANGE"),
        (DetailChanges { managed_by: Some(nobody), ..DetailChanges::default() }, "MANAGER_NOT_ELIGIBLE"),
        (DetailChanges { ble_parameters: Some(bad), ..DetailChanges::default() }, "PARAMETER_OUT_OF_RANGE"),
        (DetailChanges { verticals: Some(vec![]), ..DetailChanges::default() }, "VERTICALS_REQUIRED"),
        (
            DetailChanges {
                verticals: Some(vec![vertical(P2P, true), vertical(P2P, true)]),
                ..DetailChanges::default()
            },
            "DUPLICATE_VERTICAL",
        ),
        (
            DetailChanges {
                verticals: Some(vec![vertical(P2P, true), vertical(9, false)]),
                ..DetailChanges::default()
            },
            "VERTICAL_NOT_ACTIVE",
        ),
    ] {
        assert_eq!(invalid_code(decide(given.clone(), MANAGER, update(changes))).0, code);
    }
}

#[test]
fn a_list_of_verticals_replaces_the_old_one_whole() {
    let events = decide(draft(), MANAGER, verticals(&[O2C, 9], true)).unwrap();
    let [
        Event::VerticalAdded { vertical_id, questions, .. },
        Event::VerticalRemoved { vertical_id: removed, dropped_answers },
    ] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!((*vertical_id, *removed, dropped_answers.len()), (id(9), id(P2P), 3));
    assert_eq!(questions.iter().map(|question| question.id.get()).collect::<Vec<_>>(), [60]);
    let of = assessment(and(draft(), MANAGER, verticals(&[O2C, 9], true)));
    assert_eq!(of.live().map(|profile| profile.vertical_ids.clone()), Some(vec![id(O2C), id(9)]));
    assert_eq!(of.questions().questions.iter().map(|one| one.id.get()).collect::<Vec<_>>(), [DISPUTES, 60]);
    assert_eq!(of.answers().count(), 0);
}

#[test]
fn a_vertical_with_answers_goes_only_when_that_is_confirmed() {
    let remove = |vertical, confirm| Command::RemoveVertical { vertical: id(vertical), confirm };
    assert_eq!(decide(draft(), MANAGER, remove(P2P, false)), Err(Refused::ConfirmationRequired { answers: 3 }));
    assert_eq!(decide(draft(), MANAGER, remove(P2P, true)).unwrap().len(), 1);
    assert_eq!(decide(draft(), MANAGER, remove(O2C, false)).unwrap().len(), 1);
    assert_eq!(decide(draft(), MANAGER, remove(9, false)), Ok(vec![]));
    let single = and(draft(), MANAGER, remove(O2C, false));
    assert_eq!(invalid_code(decide(single, MANAGER, remove(P2P, true))).0, "VERTICALS_REQUIRED");
}

#[test]
fn a_vertical_that_a_costing_is_built_on_stays() {
    let given = and(completed(), MANAGER, claim(1, &[BOTS]));
    let given = and(given, CLIENT, reject(vec![note(1, None)]));
    let remove = Command::RemoveVertical { vertical: id(P2P), confirm: true };
    let in_use = Refused::OpportunityInUse { opportunity: id(BOTS), costing: id(1) };
    assert_eq!(decide(given, MANAGER, remove.clone()), Err(in_use));
    let of = assessment(and(rework(), MANAGER, remove));
    assert_eq!(of.opportunities().count(), 0);
}

#[test]
fn a_vertical_is_added_once() {
    let add = |number, is_active| Command::AddVertical(Box::new(vertical(number, is_active)));
    assert_eq!(decide(draft(), MANAGER, add(P2P, true)), Ok(vec![]));
    assert_eq!(invalid_code(decide(draft(), MANAGER, add(9, false))).0, "VERTICAL_NOT_ACTIVE");
}
