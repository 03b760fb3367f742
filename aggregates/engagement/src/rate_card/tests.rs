use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use kernel::{
    Change, Kind, Refusal, Resource, Role, Stamp, Text,
    testing::{by, by_system, id, now},
};
use rust_decimal::Decimal;

use super::*;
use crate::pricing::{CardRole, CardStatus, RoleFacts, RoleRef};

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn given(events: Vec<RateCardEvent>) -> AggregateTestExecutor<RateCard> {
    TestFramework::<RateCard>::with(()).given(events)
}

fn staff() -> Staff {
    Staff { reviewer: Some(id(2)), consultants: vec![id(4)] }
}

fn new_card(is_custom: bool) -> NewRateCard {
    NewRateCard {
        name: Text::new("Custom Northeast USA Rate Card").unwrap(),
        currency: Reference { id: id(1), is_active: true },
        region: Reference { id: id(3), is_active: true },
        client: is_custom.then(|| ClientScope { id: id(12), is_active: true, staff: staff() }),
        assessment: None,
        effective_from: None,
        effective_to: None,
    }
}

fn created(is_custom: bool) -> RateCardEvent {
    RateCardEvent::Created {
        details: RateCardDetails {
            name: Text::new("Custom Northeast USA Rate Card").unwrap(),
            effective_from: None,
            effective_to: None,
        },
        currency_id: id(1),
        region_id: id(3),
        client_id: is_custom.then(|| id(12)),
        assessment_id: None,
        by: Some(id(4)),
    }
}

fn facts(role: RoleRef) -> RoleFacts {
    RoleFacts {
        role,
        code: "O2C_TL".to_owned(),
        name: "Order to Cash Team Lead".to_owned(),
        is_active: true,
        day_rate_min: d("350.00"),
        day_rate_max: d("550.00"),
        day_rate_current: d("450.00"),
        number_of_days: Some(20),
    }
}

const fn plain(role: RoleRef, day_rate: Decimal) -> RoleRate {
    RoleRate {
        role,
        day_rate,
        number_of_days: None,
        base_salary: None,
        benefit_percentage: None,
        overhead_percentage: None,
        cost_day_rate: None,
        is_override: false,
        reason: None,
    }
}

fn stored(role: RoleRef, day_rate: &str) -> CardRole {
    CardRole {
        role,
        day_rate: d(day_rate),
        number_of_days: Some(20),
        base_salary: None,
        benefit_percentage: None,
        overhead_percentage: None,
        cost_day_rate: None,
        is_override: false,
        reason: None,
    }
}

fn lead() -> RoleRef {
    RoleRef::Operations(id(2))
}

fn partner() -> RoleRef {
    RoleRef::Consultant(id(2))
}

fn revise(changes: CardChanges) -> RateCardCommand {
    RateCardCommand::Revise { changes, roles: vec![facts(lead()), facts(partner())], staff: staff() }
}

fn rates(operations: Vec<RoleRate>) -> RateCardCommand {
    revise(CardChanges { operations_roles: Some(operations), ..CardChanges::default() })
}

fn status(status: CardStatus) -> RateCardCommand {
    revise(CardChanges { status: Some(status), ..CardChanges::default() })
}

#[test]
fn a_card_is_created_once_and_its_scope_follows_from_its_client() {
    given(vec![])
        .when(by(4, Role::Consultant, RateCardCommand::Create(new_card(true))))
        .then_expect_events(vec![created(true)]);
    given(vec![created(true)])
        .when(by(4, Role::Consultant, RateCardCommand::Create(new_card(true))))
        .then_expect_error(RateCardRefusal::AlreadyExists);
    let mut card = RateCard::default();
    card.record(created(true));
    let stamp = Stamp { id: "5".to_owned(), version: 1, created_at: now(), updated_at: now() };
    let view = RateCard::view(&card, &stamp).unwrap();
    assert_eq!((view.scope, view.version, view.status), (CardScope::Custom, 1, CardStatus::Draft));
    assert_eq!(card.facts(id(5)).unwrap().client, Some(id(12)));
}

#[test]
fn a_consultant_writes_only_cards_of_own_clients() {
    let mut foreign = new_card(true);
    foreign.client.as_mut().unwrap().staff = Staff::default();
    given(vec![])
        .when(by(4, Role::Consultant, RateCardCommand::Create(foreign)))
        .then_expect_error(RateCardRefusal::NotFound);
    for (user, role, events) in [
        (4, Role::Consultant, vec![created(false)]),
        (2, Role::Reviewer, vec![created(true)]),
        (12, Role::Client, vec![created(true)]),
    ] {
        let error = given(events).when(by(user, role, status(CardStatus::Active))).inspect_result().unwrap_err();
        assert_eq!(error.kind(), Kind::Forbidden, "{role:?}");
    }
    given(vec![]).when(by(4, Role::Consultant, RateCardCommand::Create(new_card(false)))).inspect_result().unwrap_err();
    given(vec![created(true)])
        .when(by(9, Role::Consultant, status(CardStatus::Active)))
        .then_expect_error(RateCardRefusal::NotFound);
}

#[test]
fn a_card_refers_only_to_what_is_active() {
    let mut dead_region = new_card(false);
    dead_region.region.is_active = false;
    let mut dead_currency = new_card(false);
    dead_currency.currency.is_active = false;
    let mut dead_client = new_card(true);
    dead_client.client.as_mut().unwrap().is_active = false;
    for (new, field) in [(dead_region, "region"), (dead_currency, "currency"), (dead_client, "client")] {
        given(vec![])
            .when(by(1, Role::Admin, RateCardCommand::Create(new)))
            .then_expect_error(RateCardRefusal::InactiveReference(field));
    }
    let mut other = new_card(true);
    other.assessment = Some(AssessmentScope { id: id(7), client: id(13), is_deleted: false, staff: Staff::default() });
    given(vec![])
        .when(by(1, Role::Admin, RateCardCommand::Create(other)))
        .then_expect_error(RateCardRefusal::AssessmentOfAnotherClient);
}

#[test]
fn a_given_list_replaces_that_list_whole_and_makes_a_new_version() {
    let first = RateCardEvent::Revised { version: 2, roles: vec![stored(lead(), "450.00")] };
    given(vec![created(true)])
        .when(by(4, Role::Consultant, rates(vec![plain(lead(), d("450"))])))
        .then_expect_events(vec![first.clone()]);
    let more =
        revise(CardChanges { consultant_roles: Some(vec![plain(partner(), d("500"))]), ..CardChanges::default() });
    given(vec![created(true), first.clone()]).when(by(4, Role::Consultant, more)).then_expect_events(vec![
        RateCardEvent::Revised { version: 3, roles: vec![stored(lead(), "450.00"), stored(partner(), "500.00")] },
    ]);
    given(vec![created(true), first.clone()])
        .when(by(4, Role::Consultant, rates(vec![])))
        .then_expect_events(vec![RateCardEvent::Revised { version: 3, roles: vec![] }]);
    given(vec![created(true), first])
        .when(by(4, Role::Consultant, rates(vec![plain(lead(), d("450.00"))])))
        .then_expect_events(vec![]);
}

#[test]
fn a_day_rate_outside_the_band_needs_an_override_with_a_reason() {
    let refused = RateCardRefusal::DayRateOutOfBand { field: "operations_roles[0].day_rate".to_owned() };
    for rate in ["349.99", "550.01"] {
        given(vec![created(true)])
            .when(by(4, Role::Consultant, rates(vec![plain(lead(), d(rate))])))
            .then_expect_error(refused.clone());
    }
    for rate in ["350", "550"] {
        given(vec![created(true)])
            .when(by(4, Role::Consultant, rates(vec![plain(lead(), d(rate))])))
            .inspect_result()
            .unwrap();
    }
    let without_reason = RoleRate { is_override: true, ..plain(lead(), d("600")) };
    given(vec![created(true)])
        .when(by(4, Role::Consultant, rates(vec![without_reason.clone()])))
        .then_expect_error(refused.clone());
    assert_eq!((refused.kind(), refused.code()), (Kind::Unprocessable, "DAY_RATE_OUT_OF_BAND"));
    let excused = RoleRate { reason: Some(Text::new("scarce").unwrap()), ..without_reason };
    given(vec![created(true)]).when(by(4, Role::Consultant, rates(vec![excused]))).inspect_result().unwrap();
}

#[test]
fn the_cost_of_a_day_is_the_loaded_cost_unless_given() {
    let salaried = RoleRate {
        base_salary: Some(d("52000")),
        benefit_percentage: Some(d("22")),
        overhead_percentage: Some(d("15")),
        ..plain(lead(), d("450"))
    };
    let cost_of = |rate: RoleRate| {
        let events =
            given(vec![created(true)]).when(by(4, Role::Consultant, rates(vec![rate]))).inspect_result().unwrap();
        let RateCardEvent::Revised { roles, .. } = &events[0] else { panic!("no revision") };
        roles[0].cost_day_rate.unwrap().to_string()
    };
    assert_eq!(cost_of(salaried.clone()), "296.83");
    assert_eq!(cost_of(RoleRate { cost_day_rate: Some(d("310")), ..salaried }), "310.00");
}

#[test]
fn hostile_numbers_are_refused_by_name() {
    let good = plain(lead(), d("450"));
    for (rate, field) in [
        (RoleRate { day_rate: d("-1"), ..good.clone() }, "day_rate"),
        (RoleRate { day_rate: Decimal::MAX, ..good.clone() }, "day_rate"),
        (RoleRate { base_salary: Some(Decimal::MAX), ..good.clone() }, "base_salary"),
        (RoleRate { cost_day_rate: Some(d("-0.01")), ..good.clone() }, "cost_day_rate"),
        (RoleRate { overhead_percentage: Some(Decimal::MAX), ..good.clone() }, "overhead_percentage"),
        (RoleRate { number_of_days: Some(0), ..good.clone() }, "number_of_days"),
        (RoleRate { number_of_days: Some(32), ..good }, "number_of_days"),
    ] {
        let field = format!("operations_roles[0].{field}").into();
        given(vec![created(true)])
            .when(by(1, Role::Admin, rates(vec![rate])))
            .then_expect_error(RateCardRefusal::ValueOutOfRange { field });
    }
}

#[test]
fn a_list_names_known_active_roles_of_its_kind_once() {
    let twice = vec![plain(lead(), d("450")), plain(lead(), d("451"))];
    given(vec![created(true)])
        .when(by(1, Role::Admin, rates(twice)))
        .then_expect_error(RateCardRefusal::DuplicateRole { field: "operations_roles[1].role_id".to_owned() });
    for stranger in [RoleRef::Operations(id(77)), partner()] {
        given(vec![created(true)])
            .when(by(1, Role::Admin, rates(vec![plain(stranger, d("450"))])))
            .then_expect_error(RateCardRefusal::UnknownRole { field: "operations_roles[0].role_id".to_owned() });
    }
    let retired = RateCardCommand::Revise {
        changes: CardChanges { operations_roles: Some(vec![plain(lead(), d("400"))]), ..CardChanges::default() },
        roles: vec![RoleFacts { is_active: false, ..facts(lead()) }],
        staff: staff(),
    };
    given(vec![created(true)])
        .when(by(1, Role::Admin, retired.clone()))
        .then_expect_error(RateCardRefusal::InactiveReference("operations_roles"));
    let there = RateCardEvent::Revised { version: 2, roles: vec![stored(lead(), "450.00")] };
    given(vec![created(true), there]).when(by(1, Role::Admin, retired)).inspect_result().unwrap();
}

#[test]
fn a_card_goes_from_draft_to_active_to_archived_and_nowhere_else() {
    use CardStatus::{Active, Archived, Draft};
    let at = |state| match state {
        Draft => vec![created(true)],
        Active => vec![created(true), RateCardEvent::Activated],
        Archived => vec![created(true), RateCardEvent::Activated, RateCardEvent::Archived],
    };
    for from in [Draft, Active, Archived] {
        for to in [Draft, Active, Archived] {
            let result = given(at(from)).when(by(4, Role::Consultant, status(to))).inspect_result();
            let expected = match (from, to) {
                (Draft, Active) => Ok(vec![RateCardEvent::Activated]),
                (Active, Archived) => Ok(vec![RateCardEvent::Archived]),
                (from, to) if from == to => Ok(vec![]),
                (from, to) => Err(RateCardRefusal::InvalidTransition { from, to }),
            };
            assert_eq!(result, expected, "{from:?} -> {to:?}");
        }
    }
    given(at(Archived))
        .when(by(1, Role::Admin, rates(vec![plain(lead(), d("450"))])))
        .then_expect_error(RateCardRefusal::Archived);
}

#[test]
fn a_newer_card_supersedes_an_active_one() {
    let supersede = || by_system(RateCardCommand::Supersede { newer: id(6) });
    let active = vec![created(true), RateCardEvent::Activated];
    let superseded = RateCardEvent::Superseded { newer: id(6) };
    given(active.clone()).when(supersede()).then_expect_events(vec![superseded.clone()]);
    given([active, vec![superseded]].concat()).when(supersede()).then_expect_events(vec![]);
    given(vec![created(true)])
        .when(supersede())
        .then_expect_error(RateCardRefusal::InvalidTransition { from: CardStatus::Draft, to: CardStatus::Archived });
}

#[test]
fn a_card_does_not_end_before_it_starts() {
    let day = |n| chrono::NaiveDate::from_ymd_opt(2026, 6, n).unwrap();
    let backwards = CardChanges {
        effective_from: Change::Set(day(2)),
        effective_to: Change::Set(day(1)),
        ..CardChanges::default()
    };
    given(vec![created(true)])
        .when(by(1, Role::Admin, revise(backwards)))
        .then_expect_error(RateCardRefusal::EndsBeforeItStarts);
}

#[test]
fn a_card_that_was_never_created_is_not_found() {
    given(vec![]).when(by(1, Role::Admin, status(CardStatus::Active))).then_expect_error(RateCardRefusal::NotFound);
    given(vec![])
        .when(by_system(RateCardCommand::Supersede { newer: id(6) }))
        .then_expect_error(RateCardRefusal::NotFound);
}
