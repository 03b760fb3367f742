use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use kernel::{
    Issued, Refusal, Resource, Role, Stamp, Text,
    testing::{by, id, now},
};
use rust_decimal::Decimal;

use super::*;
use crate::{
    pricing::{CardStatus, Complexity, ComponentFacts, default_complexity_multipliers},
    rate_card::{Reference, Staff},
};

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn staff() -> Staff {
    Staff { reviewer: Some(id(2)), consultants: vec![id(4)] }
}

fn component() -> ComponentFacts {
    ComponentFacts {
        id: id(1),
        code: "RPA".to_owned(),
        name: "Robot".to_owned(),
        unit: "bot".to_owned(),
        default_rate: d("6500"),
        default_effort_days: None,
        is_active: true,
    }
}

fn new(base: Option<BaseCard>) -> SolutionRateCardCommand {
    SolutionRateCardCommand::Create(Box::new(NewSolutionRateCard {
        base,
        currency: Reference { id: id(1), is_active: true },
        name: Text::new("Automation").unwrap(),
        terms: SolutionCardChanges { pmo_percentage: Some(d("12")), ..SolutionCardChanges::default() },
        components: vec![],
    }))
}

fn base(is_custom: bool) -> BaseCard {
    BaseCard { id: id(5), currency: id(1), is_custom, is_archived: false, staff: staff() }
}

fn revise(changes: SolutionCardChanges) -> SolutionRateCardCommand {
    let changes = Box::new(changes);
    SolutionRateCardCommand::Revise { changes, staff: staff(), components: vec![component()] }
}

fn admin(command: SolutionRateCardCommand) -> Issued<SolutionRateCardCommand> {
    by(1, Role::Admin, command)
}

fn given(events: Vec<SolutionRateCardEvent>) -> AggregateTestExecutor<SolutionRateCard> {
    TestFramework::<SolutionRateCard>::with(()).given(events)
}

fn created(is_custom: bool) -> Vec<SolutionRateCardEvent> {
    given(vec![]).when(admin(new(Some(base(is_custom))))).inspect_result().unwrap()
}

fn item() -> ItemInput {
    ItemInput { component: id(1), unit: None, rate: None, complexity: None, multiplier: None }
}

fn code(events: Vec<SolutionRateCardEvent>, command: Issued<SolutionRateCardCommand>) -> &'static str {
    given(events).when(command).inspect_result().unwrap_err().code()
}

#[test]
fn a_card_has_default_complexities_and_the_items_of_its_components() {
    let items = SolutionCardChanges { items: Some(vec![item()]), ..SolutionCardChanges::default() };
    let events = given(created(true)).when(by(4, Role::Consultant, revise(items.clone()))).inspect_result().unwrap();
    let all = [created(true), events].concat();
    let mut card = SolutionRateCard::default();
    all.iter().cloned().for_each(|event| <SolutionRateCard as Resource>::record(&mut card, event));
    let stamp = Stamp { id: "9".to_owned(), version: 2, created_at: now(), updated_at: now() };
    let view = SolutionRateCard::view(&card, &stamp).unwrap();
    assert_eq!((view.version, view.pmo_percentage.to_string()), (2, "12.00".to_owned()));
    assert_eq!(view.complexity_multipliers, default_complexity_multipliers());
    assert_eq!((view.items[0].rate.to_string(), view.items[0].unit.to_string()), ("6500.00".into(), "bot".into()));
    assert_eq!(card.facts(id(9)).unwrap().items, view.items);
    given(all).when(admin(revise(items))).then_expect_events(vec![]);
}

#[test]
fn a_consultant_writes_only_on_custom_base_cards_of_own_clients() {
    assert_eq!(code(vec![], by(4, Role::Consultant, new(None))), "FORBIDDEN");
    assert_eq!(code(vec![], by(4, Role::Consultant, new(Some(base(false))))), "FORBIDDEN");
    assert_eq!(code(vec![], by(9, Role::Consultant, new(Some(base(true))))), "NOT_FOUND");
    given(vec![]).when(by(4, Role::Consultant, new(Some(base(true))))).inspect_result().unwrap();
    let nothing = || revise(SolutionCardChanges::default());
    assert_eq!(code(created(false), by(4, Role::Consultant, nothing())), "FORBIDDEN");
    assert_eq!(code(created(true), by(9, Role::Consultant, nothing())), "NOT_FOUND");
    assert_eq!(code(created(true), by(2, Role::Reviewer, nothing())), "FORBIDDEN");
    assert_eq!(code(vec![], admin(nothing())), "NOT_FOUND");
    assert_eq!(code(created(true), admin(new(None))), "ALREADY_EXISTS");
}

#[test]
fn a_base_card_is_live_and_of_the_same_currency() {
    let archived = BaseCard { is_archived: true, ..base(true) };
    assert_eq!(code(vec![], admin(new(Some(archived)))), "INACTIVE_REFERENCE");
    let euros = BaseCard { currency: id(2), ..base(true) };
    assert_eq!(code(vec![], admin(new(Some(euros)))), "CURRENCY_MISMATCH");
}

#[test]
fn what_is_out_of_range_is_named() {
    let nothing = SolutionCardChanges::default;
    for (changes, field) in [
        (SolutionCardChanges { pmo_percentage: Some(d("100.01")), ..nothing() }, "pmo_percentage"),
        (SolutionCardChanges { support_percentage: Some(d("-1")), ..nothing() }, "support_percentage"),
        (
            SolutionCardChanges { location_multipliers: Some([("USA".to_owned(), d("0"))].into()), ..nothing() },
            "location_multipliers",
        ),
        (
            SolutionCardChanges { complexity_multipliers: Some([(Complexity::Low, Decimal::MAX)].into()), ..nothing() },
            "complexity_multipliers",
        ),
        (
            SolutionCardChanges { items: Some(vec![ItemInput { rate: Some(d("-1")), ..item() }]), ..nothing() },
            "items[0].rate",
        ),
        (
            SolutionCardChanges { items: Some(vec![ItemInput { multiplier: Some(d("0")), ..item() }]), ..nothing() },
            "items[0].multiplier",
        ),
    ] {
        given(created(true))
            .when(admin(revise(changes)))
            .then_expect_error(SolutionRateCardRefusal::ValueOutOfRange { field: field.into() });
    }
    let twice = SolutionCardChanges { items: Some(vec![item(), item()]), ..nothing() };
    assert_eq!(code(created(true), admin(revise(twice))), "DUPLICATE_COMPONENT");
    let stranger = SolutionCardChanges { items: Some(vec![ItemInput { component: id(7), ..item() }]), ..nothing() };
    assert_eq!(code(created(true), admin(revise(stranger))), "UNKNOWN_REFERENCE");
}

#[test]
fn a_card_goes_from_draft_to_active_to_archived_and_nowhere_else() {
    use CardStatus::{Active, Archived, Draft};
    let turned = |to| revise(SolutionCardChanges { status: Some(to), ..SolutionCardChanges::default() });
    let at = |state| match state {
        Draft => created(true),
        Active => [created(true), vec![SolutionRateCardEvent::Activated]].concat(),
        Archived => [created(true), vec![SolutionRateCardEvent::Activated, SolutionRateCardEvent::Archived]].concat(),
    };
    for from in [Draft, Active, Archived] {
        for to in [Draft, Active, Archived] {
            let expected = match (from, to) {
                (Draft, Active) => Ok(vec![SolutionRateCardEvent::Activated]),
                (Active, Archived) => Ok(vec![SolutionRateCardEvent::Archived]),
                (from, to) if from == to => Ok(vec![]),
                (from, to) => Err(SolutionRateCardRefusal::InvalidTransition { from, to }),
            };
            assert_eq!(given(at(from)).when(admin(turned(to))).inspect_result(), expected, "{from:?} -> {to:?}");
        }
    }
    let dearer = SolutionCardChanges { pmo_percentage: Some(d("15")), ..SolutionCardChanges::default() };
    assert_eq!(code(at(Archived), admin(revise(dearer))), "RATE_CARD_ARCHIVED");
}

#[test]
fn locations_are_kept_in_lower_case() {
    let places = SolutionCardChanges {
        location_multipliers: Some([(" US-East ".to_owned(), d("1.1"))].into()),
        ..SolutionCardChanges::default()
    };
    let events = given(created(true)).when(admin(revise(places))).inspect_result().unwrap();
    let [SolutionRateCardEvent::Revised { version: 2, terms }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(terms.location_multipliers, [("us-east".to_owned(), d("1.1"))].into());
}
