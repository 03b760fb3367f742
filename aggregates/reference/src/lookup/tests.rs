use chrono::Duration;
use cqrs_es::{
    Aggregate, DomainEvent,
    test::{AggregateTestExecutor, TestFramework},
};
use kernel::{
    Kind, Refusal, Resource,
    Role::{self, Admin},
    Stamp, Text,
    testing::{by, by_system, now},
};
use serde_json::{Value, json};

use super::*;
use crate::{
    ConsultantRoleKind, Currency, CurrencyKind, IndustryTypeKind, LookupKind, OperationsRoleKind, Region, RegionKind,
    SolutionComponentKind, VerticalKind,
    kinds::{CurrencyDetails, OperationsRoleChanges, OperationsRoleDetails, RegionChanges, RegionDetails},
};

fn given<K: LookupKind>(events: Vec<LookupEvent<K>>) -> AggregateTestExecutor<Lookup<K>> {
    TestFramework::<Lookup<K>>::with(()).given(events)
}

fn uk() -> RegionDetails {
    RegionDetails { name: Text::new("UK").unwrap(), code: Some(Text::new("UK").unwrap()), is_active: true }
}

fn inactive_uk() -> RegionDetails {
    RegionDetails { is_active: false, ..uk() }
}

fn created() -> LookupEvent<RegionKind> {
    LookupEvent::Created(uk())
}

fn dollar() -> CurrencyDetails {
    serde_json::from_value(json!({"code": "USD", "name": "US Dollar", "symbol": "$"})).unwrap()
}

/// Spec 4.3.
fn team_lead() -> OperationsRoleDetails {
    serde_json::from_value(json!({
        "name": "Order to Cash Team Lead", "code": "O2C_TL", "experience_level": "SENIOR", "day_rate_min": "350.00",
        "day_rate_max": "550.00", "day_rate_current": "450.00", "number_of_days": 20
    }))
    .unwrap()
}

fn every_command() -> [LookupCommand<RegionKind>; 6] {
    [
        LookupCommand::Create(uk()),
        LookupCommand::Replace(uk()),
        LookupCommand::ChangeDetails(RegionChanges::default()),
        LookupCommand::RecordUse,
        LookupCommand::Delete,
        LookupCommand::Restore,
    ]
}

#[test]
fn a_look_up_is_created_once() {
    given(vec![]).when(by(1, Admin, LookupCommand::Create(uk()))).then_expect_events(vec![created()]);
    given(vec![]).when(by_system(LookupCommand::Create(uk()))).then_expect_events(vec![created()]);
    for events in [vec![created()], vec![created(), LookupEvent::Deleted]] {
        given(events).when(by(1, Admin, LookupCommand::Create(uk()))).then_expect_error(LookupRefusal::AlreadyExists);
    }
}

#[test]
fn a_look_up_that_was_never_created_is_not_found() {
    for command in every_command().into_iter().skip(1) {
        given(vec![]).when(by(1, Admin, command)).then_expect_error(LookupRefusal::NotFound);
    }
}

#[test]
fn only_an_admin_may_change_master_data() {
    for role in [Role::Reviewer, Role::Consultant, Role::Client] {
        for command in every_command().into_iter().filter(|command| *command != LookupCommand::RecordUse) {
            given(vec![created()]).when(by(2, role, command)).then_expect_error(LookupRefusal::Forbidden);
        }
        // A use comes of somebody else's command, which has been permitted by its own rules.
        given(vec![created()]).when(by(2, role, LookupCommand::RecordUse)).then_expect_events(vec![LookupEvent::Used]);
    }
}

#[test]
fn only_what_differs_is_a_change() {
    let changes = RegionChanges { is_active: Some(false), ..RegionChanges::default() };
    given(vec![created()])
        .when(by(1, Admin, LookupCommand::ChangeDetails(changes.clone())))
        .then_expect_events(vec![LookupEvent::DetailsChanged(inactive_uk())]);
    given(vec![created(), LookupEvent::DetailsChanged(inactive_uk())])
        .when(by(1, Admin, LookupCommand::ChangeDetails(changes)))
        .then_expect_events(vec![]);
}

#[test]
fn the_day_rate_of_the_sample_may_rise_to_its_maximum_and_no_further() {
    let rate = |rate: &str| {
        let changes = json!({"day_rate_current": rate});
        let changes: OperationsRoleChanges = serde_json::from_value(changes).unwrap();
        by(1, Admin, LookupCommand::<OperationsRoleKind>::ChangeDetails(changes))
    };
    let created = LookupEvent::Created(team_lead());
    given(vec![]).when(by(1, Admin, LookupCommand::Create(team_lead()))).then_expect_events(vec![created.clone()]);
    given(vec![created.clone()]).when(rate("600.00")).then_expect_error(LookupRefusal::DayRateOutOfBand);
    let risen = OperationsRoleDetails { day_rate_current: "550.00".parse().unwrap(), ..team_lead() };
    given(vec![created]).when(rate("550.00")).then_expect_events(vec![LookupEvent::DetailsChanged(risen)]);
}

#[test]
fn what_is_out_of_range_is_neither_created_nor_imported() {
    let bad = OperationsRoleDetails { number_of_days: 32, ..team_lead() };
    given(vec![])
        .when(by(1, Admin, LookupCommand::<OperationsRoleKind>::Create(bad.clone())))
        .then_expect_error(LookupRefusal::DaysOutOfRange);
    given(vec![LookupEvent::<OperationsRoleKind>::Created(team_lead())])
        .when(by(1, Admin, LookupCommand::Replace(bad)))
        .then_expect_error(LookupRefusal::DaysOutOfRange);
}

#[test]
fn an_import_replaces_what_differs() {
    let renamed = RegionDetails { name: Text::new("United Kingdom").unwrap(), ..uk() };
    given(vec![created()]).when(by_system(LookupCommand::Replace(uk()))).then_expect_events(vec![]);
    given(vec![created()])
        .when(by_system(LookupCommand::Replace(renamed.clone())))
        .then_expect_events(vec![LookupEvent::DetailsChanged(renamed)]);
    given(vec![created()])
        .when(by_system(LookupCommand::Replace(inactive_uk())))
        .then_expect_events(vec![LookupEvent::DetailsChanged(inactive_uk())]);
}

#[test]
fn an_import_brings_nothing_back() {
    given(vec![LookupEvent::Created(inactive_uk())])
        .when(by_system(LookupCommand::<RegionKind>::Replace(uk())))
        .then_expect_events(vec![]);
    let renamed = RegionDetails { name: Text::new("United Kingdom").unwrap(), ..uk() };
    given(vec![created(), LookupEvent::Deleted])
        .when(by_system(LookupCommand::Replace(renamed)))
        .then_expect_events(vec![]);
}

#[test]
fn a_deleted_look_up_cannot_be_changed_but_restored() {
    let deleted = vec![created(), LookupEvent::Deleted];
    given(vec![created()]).when(by(1, Admin, LookupCommand::Delete)).then_expect_events(vec![LookupEvent::Deleted]);
    given(deleted.clone()).when(by(1, Admin, LookupCommand::Delete)).then_expect_events(vec![]);
    given(deleted.clone())
        .when(by(1, Admin, LookupCommand::ChangeDetails(RegionChanges::default())))
        .then_expect_error(LookupRefusal::NotFound);
    given(deleted).when(by(1, Admin, LookupCommand::Restore)).then_expect_events(vec![LookupEvent::Restored]);
    given(vec![created()]).when(by(1, Admin, LookupCommand::Restore)).then_expect_events(vec![]);
}

#[test]
fn a_use_is_recorded_once() {
    given(vec![created()]).when(by_system(LookupCommand::RecordUse)).then_expect_events(vec![LookupEvent::Used]);
    given(vec![created(), LookupEvent::Used]).when(by_system(LookupCommand::RecordUse)).then_expect_events(vec![]);
    given(vec![created(), LookupEvent::Deleted])
        .when(by_system(LookupCommand::RecordUse))
        .then_expect_events(vec![LookupEvent::Used]);
}

#[test]
fn a_used_currency_cannot_be_deleted_but_deactivated() {
    let used = vec![LookupEvent::Created(dollar()), LookupEvent::Used];
    given::<CurrencyKind>(vec![LookupEvent::Created(dollar())])
        .when(by(1, Admin, LookupCommand::Delete))
        .then_expect_events(vec![LookupEvent::Deleted]);
    given::<CurrencyKind>(used.clone())
        .when(by(1, Admin, LookupCommand::Delete))
        .then_expect_error(LookupRefusal::InUse);
    let changes = serde_json::from_value(json!({"is_active": false})).unwrap();
    given::<CurrencyKind>(used)
        .when(by(1, Admin, LookupCommand::ChangeDetails(changes)))
        .then_expect_events(vec![LookupEvent::DetailsChanged(CurrencyDetails { is_active: false, ..dollar() })]);
    assert_eq!((LookupRefusal::InUse.kind(), LookupRefusal::InUse.code()), (Kind::Conflict, "IN_USE"));
}

fn once_used_it_can_be_deleted<K: LookupKind>(details: Value) {
    let created = LookupEvent::<K>::Created(serde_json::from_value(details).unwrap());
    given(vec![created, LookupEvent::Used])
        .when(by(1, Admin, LookupCommand::Delete))
        .then_expect_events(vec![LookupEvent::Deleted]);
}

#[test]
fn any_other_kind_can_be_deleted_once_used() {
    let named = json!({"name": "Any", "code": "ANY"});
    let mut role = serde_json::to_value(team_lead()).unwrap();
    once_used_it_can_be_deleted::<RegionKind>(named.clone());
    once_used_it_can_be_deleted::<IndustryTypeKind>(named.clone());
    once_used_it_can_be_deleted::<VerticalKind>(named);
    once_used_it_can_be_deleted::<OperationsRoleKind>(role.clone());
    role.as_object_mut().unwrap().remove("number_of_days");
    once_used_it_can_be_deleted::<ConsultantRoleKind>(role);
    let component = json!({"name": "Any", "code": "ANY", "unit": "bot", "default_rate": 1});
    once_used_it_can_be_deleted::<SolutionComponentKind>(component);
}

fn after(events: Vec<LookupEvent<RegionKind>>) -> Region {
    let mut region = Region::default();
    events.into_iter().for_each(|event| region.apply(event));
    region
}

#[test]
fn only_what_is_there_and_active_may_be_newly_referred_to() {
    for (events, live, active) in [
        (vec![], false, false),
        (vec![created()], true, true),
        (vec![created(), LookupEvent::DetailsChanged(inactive_uk())], true, false),
        (vec![created(), LookupEvent::Deleted], false, false),
        (vec![created(), LookupEvent::Deleted, LookupEvent::Restored], true, true),
    ] {
        let region = after(events);
        assert_eq!((region.live().is_some(), region.is_active()), (live, active));
    }
}

#[test]
fn the_view_is_flat() {
    let stamp = Stamp { id: "7".to_owned(), version: 2, created_at: now(), updated_at: now() + Duration::hours(1) };
    assert_eq!(Region::view(&Region::default(), &stamp), None);
    let view = Region::view(&after(vec![created(), LookupEvent::Deleted]), &stamp).unwrap();
    let expected = json!({
        "id": 7, "name": "UK", "code": "UK", "is_active": false, "is_deleted": true, "version": 2,
        "created_at": "2026-06-01T09:00:00Z", "updated_at": "2026-06-01T10:00:00Z"
    });
    assert_eq!(serde_json::to_value(view).unwrap(), expected);
}

#[test]
fn events_and_state_are_read_as_they_were_written_under_the_names_of_their_kind() {
    let events = [
        LookupEvent::Created(dollar()),
        LookupEvent::DetailsChanged(dollar()),
        LookupEvent::Used,
        LookupEvent::Deleted,
        LookupEvent::Restored,
    ];
    let mut currency = Currency::default();
    for (event, (name, version)) in events.into_iter().zip(LookupEvent::<CurrencyKind>::TYPES) {
        assert_eq!((event.event_type().as_str(), event.event_version().as_str()), (*name, *version));
        let written = serde_json::to_value(&event).unwrap();
        assert_eq!(serde_json::from_value::<LookupEvent<CurrencyKind>>(written).unwrap(), event);
        Currency::record(&mut currency, event);
        let written = serde_json::to_value(&currency).unwrap();
        assert_eq!(serde_json::from_value::<Currency>(written).unwrap(), currency);
    }
    assert_eq!(currency, Lookup::Known { details: dollar(), is_used: true, is_deleted: false });
    assert_eq!(*currency.state(), currency);
}
