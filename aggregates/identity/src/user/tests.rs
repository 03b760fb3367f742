use cqrs_es::{
    Aggregate, DomainEvent,
    test::{AggregateTestExecutor, TestFramework},
};
use kernel::{
    CascadeId, Change, Email, Issued, Personal, Reference, Resource, Role, Stamp, Text, UserId,
    testing::{by, by_system, id, now},
};

use super::*;

const ADMIN: i64 = 1;
const ANN: i64 = 7;

fn email() -> Email {
    Email::new("ann@acme.com").unwrap()
}

fn ann() -> NewUser {
    NewUser {
        id: id(ANN),
        email: email(),
        role: Role::Consultant,
        company_name: None,
        parent: None,
        industry_type: None,
        profile: UserProfile::default(),
        must_set_password: true,
    }
}

fn registered() -> UserEvent {
    UserEvent::Registered {
        id: id(ANN),
        email: Personal::new(id(ANN), email()),
        role: Role::Consultant,
        details: UserDetails::default(),
        profile: Personal::new(id(ANN), UserProfile::default()),
        must_set_password: true,
    }
}

fn given(events: Vec<UserEvent>) -> AggregateTestExecutor<User> {
    TestFramework::<User>::with(()).given(events)
}

fn folded(events: Vec<UserEvent>) -> User {
    let mut user = User::default();
    for event in events {
        user.apply(event);
    }
    user
}

fn admin(command: UserCommand) -> Issued<UserCommand> {
    by(ADMIN, Role::Admin, command)
}

fn itself(command: UserCommand) -> Issued<UserCommand> {
    by(ANN, Role::Consultant, command)
}

fn cascade(name: &str) -> CascadeId {
    CascadeId(Text::new(name).unwrap())
}

const fn deactivated() -> UserEvent {
    UserEvent::Deactivated { cascade: None }
}

fn deleted() -> UserEvent {
    UserEvent::Deleted { cascade: cascade("x") }
}

fn city(name: &str) -> ProfileChanges {
    ProfileChanges { city: Change::Set(Text::new(name).unwrap()), ..ProfileChanges::default() }
}

#[test]
fn a_user_is_registered_once_and_by_an_admin_or_the_system() {
    given(vec![]).when(admin(UserCommand::Register(ann()))).then_expect_events(vec![registered()]);
    given(vec![]).when(by_system(UserCommand::Register(ann()))).then_expect_events(vec![registered()]);
    given(vec![registered()]).when(admin(UserCommand::Register(ann()))).then_expect_error(UserRefusal::AlreadyExists);
    for role in [Role::Reviewer, Role::Consultant, Role::Client] {
        given(vec![]).when(by(2, role, UserCommand::Register(ann()))).then_expect_error(UserRefusal::Forbidden);
    }
}

#[test]
fn a_user_that_was_never_registered_is_not_found() {
    for command in [
        UserCommand::ChangeProfile(city("Pune")),
        UserCommand::ChangeDetails(UserChanges::default()),
        UserCommand::ChangeRole(Role::Admin),
        UserCommand::ChangeEmail(email()),
        UserCommand::RecordPasswordSet,
        UserCommand::RequestPasswordReset,
        UserCommand::Deactivate { cascade: None },
        UserCommand::Reactivate { cascade: None },
        UserCommand::RequestDeletion,
        UserCommand::Delete { cascade: cascade("x") },
        UserCommand::Restore { cascade: None },
        UserCommand::RecordLoginSucceeded,
        UserCommand::RecordLoginFailed,
        UserCommand::RecordTokenRotated,
        UserCommand::RecordTokenReused,
        UserCommand::RecordLoggedOut,
    ] {
        given(vec![]).when(admin(command)).then_expect_error(UserRefusal::NotFound);
    }
}

#[test]
fn a_user_may_change_only_its_own_profile() {
    let profile = UserProfile { city: Some(Text::new("Pune").unwrap()), ..UserProfile::default() };
    let changed = UserEvent::ProfileChanged { profile: Personal::new(id(ANN), profile) };
    for issued in [itself(UserCommand::ChangeProfile(city("Pune"))), admin(UserCommand::ChangeProfile(city("Pune")))] {
        given(vec![registered()]).when(issued).then_expect_events(vec![changed.clone()]);
    }
    given(vec![registered(), changed])
        .when(itself(UserCommand::ChangeProfile(city("Pune"))))
        .then_expect_events(vec![]);
    for command in [
        UserCommand::ChangeDetails(UserChanges::default()),
        UserCommand::ChangeRole(Role::Admin),
        UserCommand::ChangeEmail(email()),
        UserCommand::Deactivate { cascade: None },
        UserCommand::Reactivate { cascade: None },
        UserCommand::RequestDeletion,
        UserCommand::Delete { cascade: cascade("x") },
        UserCommand::Restore { cascade: None },
    ] {
        given(vec![registered()]).when(itself(command)).then_expect_error(UserRefusal::Forbidden);
    }
}

#[test]
fn staff_may_not_change_another_user_and_a_client_does_not_even_find_it() {
    let command = || UserCommand::ChangeProfile(city("Pune"));
    given(vec![registered()]).when(by(8, Role::Reviewer, command())).then_expect_error(UserRefusal::Forbidden);
    given(vec![registered()]).when(by(8, Role::Client, command())).then_expect_error(UserRefusal::NotFound);
}

#[test]
fn details_change_as_a_whole_and_only_when_they_differ() {
    let changes = UserChanges { parent: Change::Set(Reference::new(id(3), true)), ..UserChanges::default() };
    let details = UserDetails { parent: Some(id(3)), ..UserDetails::default() };
    let event = UserEvent::DetailsChanged(details);
    given(vec![registered()])
        .when(admin(UserCommand::ChangeDetails(changes.clone())))
        .then_expect_events(vec![event.clone()]);
    given(vec![registered(), event]).when(admin(UserCommand::ChangeDetails(changes))).then_expect_events(vec![]);
}

#[test]
fn a_new_reference_must_be_active_and_an_old_one_may_stay() {
    let parent = Change::Set(Reference::new(id(3), false));
    let changes = UserChanges { parent, ..UserChanges::default() };
    given(vec![registered()])
        .when(admin(UserCommand::ChangeDetails(changes.clone())))
        .then_expect_error(UserRefusal::InactiveReference { field: "parent" });
    let details = UserDetails { parent: Some(id(3)), ..UserDetails::default() };
    given(vec![registered(), UserEvent::DetailsChanged(details)])
        .when(admin(UserCommand::ChangeDetails(changes)))
        .then_expect_events(vec![]);
    let industry_type = Some(Reference::new(id(9), false));
    given(vec![])
        .when(admin(UserCommand::Register(NewUser { industry_type, ..ann() })))
        .then_expect_error(UserRefusal::InactiveReference { field: "industry_type" });
}

#[test]
fn a_user_cannot_be_its_own_parent() {
    let parent = Reference::new(id(ANN), true);
    given(vec![])
        .when(admin(UserCommand::Register(NewUser { parent: Some(parent), ..ann() })))
        .then_expect_error(UserRefusal::OwnParent);
    let changes = UserChanges { parent: Change::Set(parent), ..UserChanges::default() };
    given(vec![registered()])
        .when(admin(UserCommand::ChangeDetails(changes)))
        .then_expect_error(UserRefusal::OwnParent);
}

#[test]
fn a_role_changes_once() {
    let event = UserEvent::RoleChanged { from: Role::Consultant, to: Role::Reviewer };
    let command = || UserCommand::ChangeRole(Role::Reviewer);
    given(vec![registered()]).when(admin(command())).then_expect_events(vec![event.clone()]);
    given(vec![registered(), event]).when(admin(command())).then_expect_events(vec![]);
}

#[test]
fn an_admin_cannot_deactivate_delete_or_demote_itself() {
    let promoted = || vec![registered(), UserEvent::RoleChanged { from: Role::Consultant, to: Role::Admin }];
    for command in [
        UserCommand::Deactivate { cascade: None },
        UserCommand::RequestDeletion,
        UserCommand::Delete { cascade: cascade("x") },
        UserCommand::ChangeRole(Role::Client),
    ] {
        given(promoted()).when(by(ANN, Role::Admin, command)).then_expect_error(UserRefusal::OwnAccount);
    }
    given(promoted()).when(by(ANN, Role::Admin, UserCommand::ChangeRole(Role::Admin))).then_expect_events(vec![]);
}

#[test]
fn an_email_changes_when_it_differs() {
    let new = Email::new("ann.b@acme.com").unwrap();
    given(vec![registered()])
        .when(admin(UserCommand::ChangeEmail(new.clone())))
        .then_expect_events(vec![UserEvent::EmailChanged { email: Personal::new(id(ANN), new) }]);
    given(vec![registered()]).when(admin(UserCommand::ChangeEmail(email()))).then_expect_events(vec![]);
}

#[test]
fn a_password_is_set_by_its_user_the_system_or_an_admin_while_the_user_is_active() {
    let set = |by: Option<UserId>| vec![UserEvent::PasswordSet { by }];
    given(vec![registered()]).when(itself(UserCommand::RecordPasswordSet)).then_expect_events(set(Some(id(ANN))));
    given(vec![registered()]).when(by_system(UserCommand::RecordPasswordSet)).then_expect_events(set(None));
    given(vec![registered()]).when(admin(UserCommand::RecordPasswordSet)).then_expect_events(set(Some(id(ADMIN))));
    for command in [UserCommand::RecordPasswordSet, UserCommand::RequestPasswordReset] {
        given(vec![registered(), deactivated()])
            .when(by_system(command.clone()))
            .then_expect_error(UserRefusal::Inactive);
        given(vec![registered(), deleted()]).when(by_system(command)).then_expect_error(UserRefusal::NotFound);
    }
    given(vec![registered()])
        .when(by_system(UserCommand::RequestPasswordReset))
        .then_expect_events(vec![UserEvent::PasswordResetRequested]);
    assert!(!folded(vec![registered(), UserEvent::PasswordSet { by: None }]).known().unwrap().must_set_password);
}

#[test]
fn a_deactivated_user_cannot_sign_in_until_reactivated() {
    given(vec![registered()])
        .when(admin(UserCommand::Deactivate { cascade: None }))
        .then_expect_events(vec![deactivated()]);
    let off = || vec![registered(), deactivated()];
    given(off()).when(admin(UserCommand::Deactivate { cascade: None })).then_expect_events(vec![]);
    assert_eq!(folded(off()).may_sign_in(), Err(UserRefusal::MayNotSignIn));
    given(off()).when(by_system(UserCommand::RecordLoginSucceeded)).then_expect_error(UserRefusal::MayNotSignIn);
    given(off())
        .when(admin(UserCommand::Reactivate { cascade: None }))
        .then_expect_events(vec![UserEvent::Reactivated]);
    given(vec![registered()]).when(admin(UserCommand::Reactivate { cascade: None })).then_expect_events(vec![]);
    assert_eq!(folded(vec![registered(), deactivated(), UserEvent::Reactivated]).may_sign_in(), Ok(Role::Consultant));
}

#[test]
fn a_cascade_reactivates_only_whom_it_deactivated() {
    let off = || vec![registered(), UserEvent::Deactivated { cascade: Some(cascade("a")) }];
    given(off()).when(by_system(UserCommand::Reactivate { cascade: Some(cascade("b")) })).then_expect_events(vec![]);
    given(off())
        .when(by_system(UserCommand::Reactivate { cascade: Some(cascade("a")) }))
        .then_expect_events(vec![UserEvent::Reactivated]);
    given(vec![registered(), deactivated()])
        .when(by_system(UserCommand::Reactivate { cascade: Some(cascade("a")) }))
        .then_expect_events(vec![]);
}

#[test]
fn an_active_user_is_warned_before_a_person_deletes_it() {
    let delete = || UserCommand::Delete { cascade: cascade("x") };
    given(vec![registered()])
        .when(admin(UserCommand::RequestDeletion))
        .then_expect_events(vec![UserEvent::DeletionRequested]);
    given(vec![registered(), UserEvent::DeletionRequested])
        .when(admin(UserCommand::RequestDeletion))
        .then_expect_events(vec![]);
    given(vec![registered()]).when(admin(delete())).then_expect_events(vec![UserEvent::DeletionRequested, deleted()]);
    given(vec![registered(), UserEvent::DeletionRequested]).when(admin(delete())).then_expect_events(vec![deleted()]);
    given(vec![registered(), deactivated()]).when(admin(delete())).then_expect_events(vec![deleted()]);
    given(vec![registered()]).when(by_system(delete())).then_expect_events(vec![deleted()]);
}

#[test]
fn a_deleted_user_is_gone_for_all_but_restoring() {
    let gone = || vec![registered(), deleted()];
    for command in [
        UserCommand::ChangeProfile(city("Pune")),
        UserCommand::ChangeDetails(UserChanges::default()),
        UserCommand::ChangeRole(Role::Admin),
        UserCommand::ChangeEmail(email()),
        UserCommand::Reactivate { cascade: None },
        UserCommand::RecordLoginSucceeded,
    ] {
        given(gone()).when(admin(command)).then_expect_error(UserRefusal::NotFound);
    }
    given(gone()).when(admin(UserCommand::Delete { cascade: cascade("x") })).then_expect_events(vec![]);
    given(gone()).when(admin(UserCommand::Deactivate { cascade: None })).then_expect_events(vec![]);
    given(gone())
        .when(admin(UserCommand::Restore { cascade: None }))
        .then_expect_events(vec![UserEvent::Restored { cascade: cascade("x") }]);
    given(vec![registered()]).when(admin(UserCommand::Restore { cascade: None })).then_expect_events(vec![]);
    assert_eq!(folded(gone()).may_sign_in(), Err(UserRefusal::MayNotSignIn));
}

#[test]
fn restoring_reverses_exactly_the_deletion() {
    let gone = || vec![registered(), UserEvent::Deleted { cascade: cascade("a") }];
    given(gone()).when(by_system(UserCommand::Restore { cascade: Some(cascade("b")) })).then_expect_events(vec![]);
    given(gone())
        .when(by_system(UserCommand::Restore { cascade: Some(cascade("a")) }))
        .then_expect_events(vec![UserEvent::Restored { cascade: cascade("a") }]);
    assert!(folded(vec![registered(), deleted(), UserEvent::Restored { cascade: cascade("x") }]).is_active());
    // Who was deactivated before stays so.
    assert!(
        !folded(vec![registered(), deactivated(), deleted(), UserEvent::Restored { cascade: cascade("x") }])
            .is_active()
    );
}

#[test]
fn a_login_is_remembered_and_other_session_facts_are_recorded_each_time() {
    given(vec![registered()])
        .when(itself(UserCommand::RecordLoginSucceeded))
        .then_expect_events(vec![UserEvent::LoginSucceeded { at: now() }]);
    let user = folded(vec![registered(), UserEvent::LoginSucceeded { at: now() }]);
    assert_eq!(user.known().unwrap().last_login, Some(now()));
    for (command, event) in [
        (UserCommand::RecordLoginFailed, UserEvent::LoginFailed { at: now() }),
        (UserCommand::RecordTokenRotated, UserEvent::RefreshTokenRotated),
        (UserCommand::RecordTokenReused, UserEvent::RefreshTokenReused),
        (UserCommand::RecordLoggedOut, UserEvent::LoggedOut),
    ] {
        given(vec![registered(), event.clone()]).when(by_system(command)).then_expect_events(vec![event]);
    }
}

#[test]
fn the_credential_version_moves_with_password_role_deactivation_and_deletion_only() {
    let version = |event| folded(vec![registered(), event]).credential_version();
    assert_eq!(User::default().credential_version(), 0);
    assert_eq!(folded(vec![registered()]).credential_version(), 1);
    for event in [
        UserEvent::PasswordSet { by: None },
        UserEvent::RoleChanged { from: Role::Consultant, to: Role::Reviewer },
        deactivated(),
        deleted(),
    ] {
        assert_eq!(version(event.clone()), 2, "{event:?}");
    }
    for event in [
        UserEvent::LoginSucceeded { at: now() },
        UserEvent::LoginFailed { at: now() },
        UserEvent::DeletionRequested,
        UserEvent::EmailChanged { email: Personal::new(id(ANN), email()) },
        UserEvent::PasswordResetRequested,
    ] {
        assert_eq!(version(event.clone()), 1, "{event:?}");
    }
}

#[test]
fn the_view_shows_the_names_of_the_contract_and_no_secret() {
    let stamp = Stamp { id: "7".to_owned(), version: 2, created_at: now(), updated_at: now() };
    let view = User::view(&folded(vec![registered(), deleted()]), &stamp).unwrap();
    let json = serde_json::to_value(view).unwrap();
    let mut names: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "company_name",
            "created_at",
            "email",
            "id",
            "industry_type",
            "is_active",
            "is_deleted",
            "last_login",
            "must_set_password",
            "parent",
            "profile",
            "role",
            "updated_at",
            "version"
        ]
    );
    assert_eq!(json["email"], "ann@acme.com");
    assert_eq!((&json["is_active"], &json["is_deleted"]), (&false.into(), &true.into()));
}

#[test]
fn events_are_named_for_what_happened() {
    assert_eq!(registered().event_type(), "user.registered");
    assert!(UserEvent::TYPES.iter().all(|(name, version)| name.starts_with("user.") && *version == "1.0"));
}

#[test]
fn what_is_personal_is_sealed_in_an_event_and_comes_back() {
    let sealer: std::sync::Arc<dyn kernel::personal::Sealer> = std::sync::Arc::new(kernel::testing::PlainSealer);
    let events = vec![registered(), deleted()];
    let json = kernel::personal::scope(&sealer, || serde_json::to_string(&events)).unwrap();
    assert!(!json.contains("acme.com"), "{json}");
    let back: Vec<UserEvent> = kernel::personal::scope(&sealer, || serde_json::from_str(&json)).unwrap();
    assert_eq!(back, events);
}
