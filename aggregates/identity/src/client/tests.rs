use cqrs_es::{
    Aggregate,
    test::{AggregateTestExecutor, TestFramework},
};
use kernel::{
    CascadeId, Change, Email, Issued, Personal, Reference, Refusal, Resource, Role, Stamp, Text,
    testing::{by, by_system, id, now},
};

use super::*;

const CLIENT_USER: i64 = 12;

fn staff(number: i64, role: Role) -> StaffFacts {
    StaffFacts { id: id(number), role: Some(role), is_active: true }
}

fn pair(vertical: i64, consultant: i64) -> PairFacts {
    PairFacts { vertical: Reference::new(id(vertical), true), consultant: staff(consultant, Role::Consultant) }
}

/// The sample of the contract: company 5, industry 1, reviewer 2, vertical 2 with consultant 4.
fn sample() -> NewClient {
    NewClient {
        id: id(3),
        user: id(CLIENT_USER),
        contact_email: Email::new("cfo@acme.com").unwrap(),
        contact_name: Text::new("Ann").unwrap(),
        company: Reference::new(id(5), true),
        industry: Some(Reference::new(id(1), true)),
        reviewer: Some(staff(2, Role::Reviewer)),
        verticals_and_consultants: vec![pair(2, 4)],
    }
}

fn provisioned() -> ClientEvent {
    ClientEvent::Provisioned {
        id: id(3),
        user_id: id(CLIENT_USER),
        contact_email: Personal::new(id(CLIENT_USER), Email::new("cfo@acme.com").unwrap()),
        contact_name: Personal::new(id(CLIENT_USER), Text::new("Ann").unwrap()),
        details: ClientDetails { company_id: id(5), industry_id: Some(id(1)) },
        reviewer_id: Some(id(2)),
        verticals_and_consultants: vec![Pair { vertical_id: id(2), consultant_id: id(4) }],
    }
}

fn given(events: Vec<ClientEvent>) -> AggregateTestExecutor<Client> {
    TestFramework::<Client>::with(()).given(events)
}

fn admin(command: ClientCommand) -> Issued<ClientCommand> {
    by(1, Role::Admin, command)
}

fn cascade(name: &str) -> CascadeId {
    CascadeId(Text::new(name).unwrap())
}

fn deleted(name: &str) -> ClientEvent {
    ClientEvent::Deleted { user_id: id(CLIENT_USER), cascade: cascade(name) }
}

fn change(changes: ClientChanges) -> Issued<ClientCommand> {
    admin(ClientCommand::ChangeDetails(changes))
}

fn refused(new: NewClient, refusal: ClientRefusal) {
    given(vec![]).when(admin(ClientCommand::Provision(new))).then_expect_error(refusal);
}

#[test]
fn the_sample_client_is_provisioned_once() {
    given(vec![]).when(admin(ClientCommand::Provision(sample()))).then_expect_events(vec![provisioned()]);
    given(vec![provisioned()])
        .when(admin(ClientCommand::Provision(sample())))
        .then_expect_error(ClientRefusal::AlreadyExists);
}

#[test]
fn only_an_admin_changes_clients_and_strangers_do_not_find_them() {
    given(vec![])
        .when(by(4, Role::Consultant, ClientCommand::Provision(sample())))
        .then_expect_error(ClientRefusal::Forbidden);
    for command in [
        ClientCommand::ChangeDetails(ClientChanges::default()),
        ClientCommand::Delete { cascade: cascade("a") },
        ClientCommand::Restore { cascade: None },
    ] {
        for (user, role) in [(CLIENT_USER, Role::Client), (2, Role::Reviewer), (4, Role::Consultant)] {
            given(vec![provisioned()])
                .when(by(user, role, command.clone()))
                .then_expect_error(ClientRefusal::Forbidden);
        }
        for (user, role) in [(13, Role::Client), (22, Role::Reviewer), (44, Role::Consultant)] {
            given(vec![provisioned()]).when(by(user, role, command.clone())).then_expect_error(ClientRefusal::NotFound);
        }
    }
}

#[test]
fn a_client_that_was_never_provisioned_is_not_found() {
    for command in [
        ClientCommand::ChangeDetails(ClientChanges::default()),
        ClientCommand::Delete { cascade: cascade("a") },
        ClientCommand::Restore { cascade: None },
    ] {
        given(vec![]).when(admin(command)).then_expect_error(ClientRefusal::NotFound);
    }
}

#[test]
fn the_reviewer_must_be_an_active_reviewer() {
    refused(NewClient { reviewer: Some(staff(2, Role::Consultant)), ..sample() }, ClientRefusal::NotAReviewer);
    let inactive = ClientRefusal::InactiveReference { field: "reviewer_id".into() };
    for facts in [
        StaffFacts { is_active: false, ..staff(2, Role::Reviewer) },
        StaffFacts { id: id(2), role: None, is_active: false },
    ] {
        refused(NewClient { reviewer: Some(facts), ..sample() }, inactive.clone());
    }
}

#[test]
fn each_consultant_must_be_an_active_consultant() {
    let with = |consultant| NewClient {
        verticals_and_consultants: vec![pair(1, 4), PairFacts { consultant, ..pair(2, 4) }],
        ..sample()
    };
    refused(with(staff(4, Role::Reviewer)), ClientRefusal::NotAConsultant { index: 1 });
    let field = "verticals_and_consultants.1.consultant_id";
    refused(
        with(StaffFacts { is_active: false, ..staff(4, Role::Consultant) }),
        ClientRefusal::InactiveReference { field: field.into() },
    );
    assert_eq!(ClientRefusal::NotAConsultant { index: 1 }.field().as_deref(), Some(field));
}

#[test]
fn a_vertical_appears_at_most_once_and_must_be_active() {
    let with = |pairs| NewClient { verticals_and_consultants: pairs, ..sample() };
    refused(with(vec![pair(2, 4), pair(2, 5)]), ClientRefusal::DuplicateVertical { index: 1 });
    refused(
        with(vec![PairFacts { vertical: Reference::new(id(2), false), ..pair(2, 4) }]),
        ClientRefusal::InactiveReference { field: "verticals_and_consultants.0.vertical_id".into() },
    );
}

#[test]
fn company_and_industry_must_be_active() {
    refused(
        NewClient { company: Reference::new(id(5), false), ..sample() },
        ClientRefusal::InactiveReference { field: "company_id".into() },
    );
    refused(
        NewClient { industry: Some(Reference::new(id(1), false)), ..sample() },
        ClientRefusal::InactiveReference { field: "industry_id".into() },
    );
}

#[test]
fn each_sort_of_change_is_a_fact_of_its_own() {
    let user_id = id(CLIENT_USER);
    let changes = ClientChanges {
        contact_email: None,
        contact_name: Some(Text::new("Bob").unwrap()),
        company: Some(Reference::new(id(6), true)),
        industry: Change::Clear,
        reviewer: Change::Clear,
        verticals_and_consultants: Some(vec![pair(1, 4)]),
        is_active: Some(false),
    };
    let events = vec![
        ClientEvent::ContactChanged {
            user_id,
            contact_email: Personal::new(user_id, Email::new("cfo@acme.com").unwrap()),
            contact_name: Personal::new(user_id, Text::new("Bob").unwrap()),
        },
        ClientEvent::DetailsChanged(ClientDetails { company_id: id(6), industry_id: None }),
        ClientEvent::ReviewerAssigned { reviewer_id: None },
        ClientEvent::ConsultantsAssigned {
            verticals_and_consultants: vec![Pair { vertical_id: id(1), consultant_id: id(4) }],
        },
        ClientEvent::Deactivated { user_id },
    ];
    given(vec![provisioned()]).when(change(changes.clone())).then_expect_events(events.clone());
    let after = std::iter::once(provisioned()).chain(events).collect();
    given(after).when(change(changes)).then_expect_events(vec![]);
    let reactivate = ClientChanges { is_active: Some(true), ..ClientChanges::default() };
    given(vec![provisioned(), ClientEvent::Deactivated { user_id }])
        .when(change(reactivate))
        .then_expect_events(vec![ClientEvent::Reactivated { user_id }]);
}

#[test]
fn the_pairs_are_replaced_whole_and_those_of_before_may_stay() {
    let gone = StaffFacts { is_active: false, ..staff(4, Role::Consultant) };
    let changes = |pairs| ClientChanges { verticals_and_consultants: Some(pairs), ..ClientChanges::default() };
    given(vec![provisioned()])
        .when(change(changes(vec![PairFacts { consultant: gone, ..pair(2, 4) }])))
        .then_expect_events(vec![]);
    given(vec![provisioned()])
        .when(change(changes(vec![])))
        .then_expect_events(vec![ClientEvent::ConsultantsAssigned { verticals_and_consultants: vec![] }]);
}

#[test]
fn a_new_reviewer_is_checked_and_the_old_one_may_stay() {
    let reviewer = |facts| ClientChanges { reviewer: Change::Set(facts), ..ClientChanges::default() };
    given(vec![provisioned()])
        .when(change(reviewer(staff(8, Role::Reviewer))))
        .then_expect_events(vec![ClientEvent::ReviewerAssigned { reviewer_id: Some(id(8)) }]);
    given(vec![provisioned()])
        .when(change(reviewer(staff(8, Role::Client))))
        .then_expect_error(ClientRefusal::NotAReviewer);
    given(vec![provisioned()])
        .when(change(reviewer(StaffFacts { is_active: false, ..staff(2, Role::Reviewer) })))
        .then_expect_events(vec![]);
}

#[test]
fn a_deleted_client_comes_back_only_with_its_own_cascade_or_by_hand() {
    let gone = || vec![provisioned(), deleted("a")];
    let restored = || vec![ClientEvent::Restored { user_id: id(CLIENT_USER), cascade: cascade("a") }];
    given(vec![provisioned()])
        .when(by_system(ClientCommand::Delete { cascade: cascade("a") }))
        .then_expect_events(vec![deleted("a")]);
    given(gone()).when(admin(ClientCommand::Delete { cascade: cascade("b") })).then_expect_events(vec![]);
    given(gone()).when(change(ClientChanges::default())).then_expect_error(ClientRefusal::NotFound);
    given(gone()).when(by_system(ClientCommand::Restore { cascade: Some(cascade("b")) })).then_expect_events(vec![]);
    for cascade in [Some(cascade("a")), None] {
        given(gone()).when(admin(ClientCommand::Restore { cascade })).then_expect_events(restored());
    }
    given(vec![provisioned()]).when(admin(ClientCommand::Restore { cascade: None })).then_expect_events(vec![]);
}

#[test]
fn others_learn_from_it_whom_it_belongs_to() {
    let mut client = Client::default();
    assert_eq!((client.user(), client.is_live(), client.pairs().len()), (None, false, 0));
    client.apply(provisioned());
    assert_eq!((client.user(), client.reviewer(), client.company()), (Some(id(12)), Some(id(2)), Some(id(5))));
    assert_eq!(client.pairs(), [Pair { vertical_id: id(2), consultant_id: id(4) }]);
    assert!(client.is_live() && client.is_active());
    client.apply(ClientEvent::Deactivated { user_id: id(12) });
    assert!(client.is_live() && !client.is_active());
    client.apply(deleted("a"));
    assert!(!client.is_live());
}

#[test]
fn the_view_has_the_names_of_the_contract() {
    let mut client = Client::default();
    client.apply(provisioned());
    let stamp = Stamp { id: "3".to_owned(), version: 1, created_at: now(), updated_at: now() };
    let json = serde_json::to_value(Client::view(&client, &stamp).unwrap()).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "id": 3, "user_id": 12, "contact_email": "cfo@acme.com", "contact_name": "Ann",
            "company_id": 5, "industry_id": 1, "reviewer_id": 2,
            "verticals_and_consultants": [{"vertical_id": 2, "consultant_id": 4}],
            "is_active": true, "is_deleted": false, "version": 1,
            "created_at": "2026-06-01T09:00:00Z", "updated_at": "2026-06-01T09:00:00Z",
        })
    );
}

#[test]
fn what_is_personal_is_sealed_in_an_event_and_comes_back() {
    let sealer: std::sync::Arc<dyn kernel::personal::Sealer> = std::sync::Arc::new(kernel::testing::PlainSealer);
    let events = vec![provisioned(), deleted("a")];
    let json = kernel::personal::scope(&sealer, || serde_json::to_string(&events)).unwrap();
    assert!(!json.contains("acme.com"), "{json}");
    let back: Vec<ClientEvent> = kernel::personal::scope(&sealer, || serde_json::from_str(&json)).unwrap();
    assert_eq!(back, events);
}
