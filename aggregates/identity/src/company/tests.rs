use cqrs_es::test::TestFramework;
use kernel::{
    CascadeId, Change, Reference,
    Role::{self, Admin},
    Text,
    testing::{by, id},
};

use super::*;

fn acme() -> NewCompany {
    NewCompany {
        id: id(5),
        name: Text::new("Acme").unwrap(),
        code: None,
        industry: None,
        country: None,
        address: None,
        website: None,
        parent: None,
        is_active: true,
    }
}

fn details() -> CompanyDetails {
    CompanyDetails {
        name: Text::new("Acme").unwrap(),
        code: None,
        industry_id: None,
        country: None,
        address: None,
        website: None,
        parent_id: None,
        is_active: true,
    }
}

fn created() -> CompanyEvent {
    CompanyEvent::Created { id: id(5), details: details() }
}

fn cascade() -> CascadeId {
    CascadeId(Text::new("request-1").unwrap())
}

fn given(events: Vec<CompanyEvent>) -> cqrs_es::test::AggregateTestExecutor<Company> {
    TestFramework::<Company>::with(()).given(events)
}

#[test]
fn a_company_is_created_once() {
    given(vec![]).when(by(1, Admin, CompanyCommand::Create(acme()))).then_expect_events(vec![created()]);
    given(vec![created()])
        .when(by(1, Admin, CompanyCommand::Create(acme())))
        .then_expect_error(CompanyRefusal::AlreadyExists);
}

#[test]
fn only_what_differs_is_a_change() {
    let country = Some(Text::new("India").unwrap());
    let changes = CompanyChanges { country: Change::Set(Text::new("India").unwrap()), ..CompanyChanges::default() };
    let changed = CompanyDetails { country, ..details() };
    given(vec![created()])
        .when(by(1, Admin, CompanyCommand::ChangeDetails(changes.clone())))
        .then_expect_events(vec![CompanyEvent::DetailsChanged(changed.clone())]);
    given(vec![CompanyEvent::Created { id: id(5), details: changed }])
        .when(by(1, Admin, CompanyCommand::ChangeDetails(changes)))
        .then_expect_events(vec![]);
}

#[test]
fn a_deleted_company_cannot_be_changed_but_restored() {
    let deleted = vec![created(), CompanyEvent::Deleted { cascade: cascade() }];
    given(deleted.clone())
        .when(by(1, Admin, CompanyCommand::ChangeDetails(CompanyChanges::default())))
        .then_expect_error(CompanyRefusal::NotFound);
    given(deleted.clone()).when(by(1, Admin, CompanyCommand::Delete { cascade: cascade() })).then_expect_events(vec![]);
    given(deleted)
        .when(by(1, Admin, CompanyCommand::Restore))
        .then_expect_events(vec![CompanyEvent::Restored { cascade: cascade() }]);
}

#[test]
fn a_company_that_was_never_created_is_not_found() {
    for command in [
        CompanyCommand::ChangeDetails(CompanyChanges::default()),
        CompanyCommand::Delete { cascade: cascade() },
        CompanyCommand::Restore,
    ] {
        given(vec![]).when(by(1, Admin, command)).then_expect_error(CompanyRefusal::NotFound);
    }
}

#[test]
fn a_company_cannot_be_its_own_parent() {
    let parent = Reference::new(id(5), true);
    given(vec![])
        .when(by(1, Admin, CompanyCommand::Create(NewCompany { parent: Some(parent), ..acme() })))
        .then_expect_error(CompanyRefusal::OwnParent);
    let changes = CompanyChanges { parent: Change::Set(parent), ..CompanyChanges::default() };
    given(vec![created()])
        .when(by(1, Admin, CompanyCommand::ChangeDetails(changes)))
        .then_expect_error(CompanyRefusal::OwnParent);
    let parent = Change::Set(Reference::new(id(6), true));
    let changes = CompanyChanges { parent, ..CompanyChanges::default() };
    given(vec![created()])
        .when(by(1, Admin, CompanyCommand::ChangeDetails(changes)))
        .then_expect_events(vec![CompanyEvent::DetailsChanged(CompanyDetails { parent_id: Some(id(6)), ..details() })]);
}

#[test]
fn a_new_reference_must_be_active_and_an_old_one_may_stay() {
    let industry = Change::Set(Reference::new(id(9), false));
    let changes = CompanyChanges { industry, ..CompanyChanges::default() };
    given(vec![created()])
        .when(by(1, Admin, CompanyCommand::ChangeDetails(changes.clone())))
        .then_expect_error(CompanyRefusal::InactiveReference { field: "industry_id" });
    let details = CompanyDetails { industry_id: Some(id(9)), ..details() };
    given(vec![CompanyEvent::Created { id: id(5), details }])
        .when(by(1, Admin, CompanyCommand::ChangeDetails(changes)))
        .then_expect_events(vec![]);
}

#[test]
fn only_an_admin_may_change_companies() {
    for role in [Role::Reviewer, Role::Consultant, Role::Client] {
        given(vec![]).when(by(2, role, CompanyCommand::Create(acme()))).then_expect_error(CompanyRefusal::Forbidden);
        for command in [
            CompanyCommand::ChangeDetails(CompanyChanges::default()),
            CompanyCommand::Delete { cascade: cascade() },
            CompanyCommand::Restore,
        ] {
            given(vec![created()]).when(by(2, role, command)).then_expect_error(CompanyRefusal::Forbidden);
        }
    }
}
