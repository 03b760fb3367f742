//! What may be done with a user, by whom, and when it is refused.

use chrono::{DateTime, Utc};
use cqrs_es::{Aggregate, event_sink::EventSink};
use kernel::{Actor, CascadeId, Change, Email, Issued, Personal, Reference, Role, UserId};

use super::{
    Account, NewUser, ProfileChanges, User, UserChanges, UserCommand, UserDetails, UserEvent, UserProfile, UserRefusal,
};

type Decision = Result<Vec<UserEvent>, UserRefusal>;

impl Aggregate for User {
    const TYPE: &'static str = "user";
    type Command = Issued<UserCommand>;
    type Event = UserEvent;
    type Error = UserRefusal;
    type Services = ();

    async fn handle(&mut self, issued: Self::Command, (): &(), sink: &EventSink<Self>) -> Result<(), UserRefusal> {
        let Issued { by, at, command } = issued;
        let events = match command {
            UserCommand::Register(new) => self.register(by, new)?,
            UserCommand::ChangeProfile(changes) => self.change_profile(by, changes)?,
            UserCommand::ChangeDetails(changes) => self.change_details(by, changes)?,
            UserCommand::ChangeRole(role) => self.change_role(by, role)?,
            UserCommand::ChangeEmail(email) => self.change_email(by, email)?,
            UserCommand::RecordPasswordSet => self.record_password_set(by)?,
            UserCommand::RequestPasswordReset => self.request_password_reset(by)?,
            UserCommand::Deactivate { cascade } => self.deactivate(by, cascade)?,
            UserCommand::Reactivate { cascade } => self.reactivate(by, cascade)?,
            UserCommand::RequestDeletion => self.request_deletion(by)?,
            UserCommand::Delete { cascade } => self.delete(by, cascade)?,
            UserCommand::Restore { cascade } => self.restore(by, cascade)?,
            UserCommand::RecordLoginSucceeded => self.record_login_succeeded(by, at)?,
            UserCommand::RecordLoginFailed => self.record_session(by, UserEvent::LoginFailed { at })?,
            UserCommand::RecordTokenRotated => self.record_session(by, UserEvent::RefreshTokenRotated)?,
            UserCommand::RecordTokenReused => self.record_session(by, UserEvent::RefreshTokenReused)?,
            UserCommand::RecordLoggedOut => self.record_session(by, UserEvent::LoggedOut)?,
        };
        for event in events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: UserEvent) {
        self.record(event);
    }
}

impl User {
    fn register(&self, by: Actor, new: NewUser) -> Decision {
        if !by.is_admin() {
            return Err(UserRefusal::Forbidden);
        }
        let Self::NotYet = self else { return Err(UserRefusal::AlreadyExists) };
        let details = UserDetails {
            company_name: new.company_name,
            parent: new.parent.map(|parent| referred(parent, None, "parent")).transpose()?,
            industry_type: new.industry_type.map(|industry| referred(industry, None, "industry_type")).transpose()?,
        };
        not_own_parent(new.id, &details)?;
        Ok(vec![UserEvent::Registered {
            id: new.id,
            email: Personal::new(new.id, new.email),
            role: new.role,
            details,
            profile: Personal::new(new.id, new.profile),
            must_set_password: new.must_set_password,
        }])
    }

    fn change_profile(&self, by: Actor, changes: ProfileChanges) -> Decision {
        let account = self.for_itself(by)?;
        let old: UserProfile = account.profile.reveal().cloned().unwrap_or_default();
        let new = changes.over(old.clone());
        Ok(when(new != old, || UserEvent::ProfileChanged { profile: Personal::new(account.id, new) }))
    }

    fn change_details(&self, by: Actor, changes: UserChanges) -> Decision {
        let account = self.for_admin(by)?;
        let old = &account.details;
        let new = UserDetails {
            company_name: changes.company_name.over(old.company_name.clone()),
            parent: changed(changes.parent, old.parent, "parent")?,
            industry_type: changed(changes.industry_type, old.industry_type, "industry_type")?,
        };
        not_own_parent(account.id, &new)?;
        Ok(when(new != *old, || UserEvent::DetailsChanged(new)))
    }

    fn change_role(&self, by: Actor, to: Role) -> Decision {
        let account = self.for_admin(by)?;
        let from = account.role;
        if from != to && by.is(account.id) {
            return Err(UserRefusal::OwnAccount);
        }
        Ok(when(from != to, || UserEvent::RoleChanged { from, to }))
    }

    fn change_email(&self, by: Actor, email: Email) -> Decision {
        let account = self.for_admin(by)?;
        let differs = account.email.reveal() != Some(&email);
        Ok(when(differs, || UserEvent::EmailChanged { email: Personal::new(account.id, email) }))
    }

    fn record_password_set(&self, by: Actor) -> Decision {
        // Every time is an event: the same wish again is another password.
        self.active_for_itself(by)?;
        Ok(vec![UserEvent::PasswordSet { by: by.user() }])
    }

    fn request_password_reset(&self, by: Actor) -> Decision {
        self.active_for_itself(by)?;
        Ok(vec![UserEvent::PasswordResetRequested])
    }

    fn deactivate(&self, by: Actor, cascade: Option<CascadeId>) -> Decision {
        let account = self.not_oneself(by)?;
        Ok(when(account.is_active(), || UserEvent::Deactivated { cascade }))
    }

    fn reactivate(&self, by: Actor, cascade: Option<CascadeId>) -> Decision {
        let account = self.for_admin(by)?;
        let undoes = account.deactivated.as_ref().is_some_and(|done| cascade.is_none() || done.cascade == cascade);
        Ok(when(undoes, || UserEvent::Reactivated))
    }

    fn request_deletion(&self, by: Actor) -> Decision {
        let account = self.not_oneself(by)?;
        Ok(when(account.is_active() && !account.deletion_requested, || UserEvent::DeletionRequested))
    }

    fn delete(&self, by: Actor, cascade: CascadeId) -> Decision {
        let account = self.not_oneself(by)?;
        if account.is_deleted() {
            return Ok(vec![]);
        }
        // An active user is warned before a person deletes it (spec 18.3), asked for or not.
        let unwarned = by.user().is_some() && account.is_active() && !account.deletion_requested;
        let mut events = when(unwarned, || UserEvent::DeletionRequested);
        events.push(UserEvent::Deleted { cascade });
        Ok(events)
    }

    /// A cascade undoes only what it did itself; somebody's own wish undoes anything.
    fn restore(&self, by: Actor, cascade: Option<CascadeId>) -> Decision {
        let account = self.seen_by_admin(by)?;
        let undone = account.deleted.clone().filter(|done| cascade.is_none_or(|cascade| *done == cascade));
        Ok(undone.map(|cascade| UserEvent::Restored { cascade }).into_iter().collect())
    }

    fn record_login_succeeded(&self, by: Actor, at: DateTime<Utc>) -> Decision {
        self.for_itself(by)?;
        self.may_sign_in()?;
        Ok(vec![UserEvent::LoginSucceeded { at }])
    }

    /// A fact about signing in; that it repeats is the point, so each is an event.
    fn record_session(&self, by: Actor, event: UserEvent) -> Decision {
        self.seen_by_itself(by)?;
        Ok(vec![event])
    }

    fn seen_by_admin(&self, by: Actor) -> Result<&Account, UserRefusal> {
        let account = self.known().ok_or(UserRefusal::NotFound)?;
        match by.role() {
            _ if by.is_admin() => Ok(account),
            // Clients may know of no user but themselves; staff may read all.
            Some(Role::Client) if !by.is(account.id) => Err(UserRefusal::NotFound),
            _ => Err(UserRefusal::Forbidden),
        }
    }

    fn seen_by_itself(&self, by: Actor) -> Result<&Account, UserRefusal> {
        match self.known() {
            Some(account) if by.is(account.id) => Ok(account),
            _ => self.seen_by_admin(by),
        }
    }

    fn for_admin(&self, by: Actor) -> Result<&Account, UserRefusal> {
        self.seen_by_admin(by).and_then(living)
    }

    fn for_itself(&self, by: Actor) -> Result<&Account, UserRefusal> {
        self.seen_by_itself(by).and_then(living)
    }

    fn active_for_itself(&self, by: Actor) -> Result<&Account, UserRefusal> {
        let account = self.for_itself(by)?;
        if account.is_active() { Ok(account) } else { Err(UserRefusal::Inactive) }
    }

    /// An ADMIN that shuts itself out could leave nobody to let it in again.
    fn not_oneself(&self, by: Actor) -> Result<&Account, UserRefusal> {
        let account = self.seen_by_admin(by)?;
        if by.is(account.id) { Err(UserRefusal::OwnAccount) } else { Ok(account) }
    }
}

fn living(account: &Account) -> Result<&Account, UserRefusal> {
    if account.is_deleted() { Err(UserRefusal::NotFound) } else { Ok(account) }
}

/// Already so is no event.
fn when(needed: bool, event: impl FnOnce() -> UserEvent) -> Vec<UserEvent> {
    if needed { vec![event()] } else { vec![] }
}

fn referred<I: Copy + PartialEq>(
    reference: Reference<I>,
    old: Option<I>,
    field: &'static str,
) -> Result<I, UserRefusal> {
    reference.over(old).ok_or(UserRefusal::InactiveReference { field })
}

fn changed<I: Copy + PartialEq>(
    change: Change<Reference<I>>,
    old: Option<I>,
    field: &'static str,
) -> Result<Option<I>, UserRefusal> {
    match change {
        Change::Keep => Ok(old),
        Change::Clear => Ok(None),
        Change::Set(reference) => referred(reference, old, field).map(Some),
    }
}

fn not_own_parent(id: UserId, details: &UserDetails) -> Result<(), UserRefusal> {
    if details.parent == Some(id) { Err(UserRefusal::OwnParent) } else { Ok(()) }
}
