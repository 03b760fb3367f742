//! A client is a login (a user) and a profile around it: what is done to one takes the other along in the same unit, so
//! nobody ever sees half of it. The email is reserved for as long as its user is not deleted.

use identity::{
    client::{Client, ClientChanges, ClientCommand},
    user::{User, UserCommand},
};
use kernel::{CascadeId, ClientId, Email, UserId};

use crate::{
    auth::EMAIL_SCOPE,
    journal::{ExecuteError, Refused, Unit},
};

/// Takes an email for a user; `field` is the payload's name for it.
pub(super) async fn claim_email(
    unit: &mut Unit<'_>,
    email: &Email,
    user: UserId,
    field: &'static str,
) -> Result<(), ExecuteError> {
    let taken = || Refused::conflict("EMAIL_TAKEN", field, "another user has this email");
    unit.claim(EMAIL_SCOPE, email, user, taken).await
}

/// Whether the user has a client profile that is not deleted.
pub(super) async fn is_client(unit: &mut Unit<'_>, user: UserId) -> Result<bool, ExecuteError> {
    unit.read::<Client, _>(ClientId::from(user), |client, _| client.is_live()).await
}

/// Gives a user another email, and the client profile around it, if there is one, another contact.
pub(super) async fn change_email(
    unit: &mut Unit<'_>,
    user: UserId,
    new: &Email,
    field: &'static str,
) -> Result<(), ExecuteError> {
    let old = email(unit, user).await?;
    if old.as_ref() == Some(new) {
        return Ok(());
    }
    unit.decide::<User, _>(user, UserCommand::ChangeEmail(new.clone())).await?;
    claim_email(unit, new, user, field).await?;
    if let Some(old) = old {
        unit.release(EMAIL_SCOPE, &old, user).await?;
    }
    if is_client(unit, user).await? {
        let contact = ClientChanges { contact_email: Some(new.clone()), ..ClientChanges::default() };
        unit.decide::<Client, _>(ClientId::from(user), ClientCommand::ChangeDetails(contact)).await?;
    }
    Ok(())
}

/// Deletes a user and the client profile around it. The email is free again.
///
/// # Errors
/// What the aggregates refuse.
pub(crate) async fn delete_user(unit: &mut Unit<'_>, user: UserId, cascade: CascadeId) -> Result<(), ExecuteError> {
    unit.decide::<User, _>(user, UserCommand::Delete { cascade: cascade.clone() }).await?;
    if let Some(email) = email(unit, user).await? {
        unit.release(EMAIL_SCOPE, &email, user).await?;
    }
    if is_client(unit, user).await? {
        unit.decide::<Client, _>(ClientId::from(user), ClientCommand::Delete { cascade }).await?;
    }
    Ok(())
}

/// Brings a user back, with the client profile if the same deletion took it along. Refused when somebody else has the
/// email by now.
///
/// # Errors
/// What the aggregates refuse.
pub(crate) async fn restore_user(unit: &mut Unit<'_>, user: UserId) -> Result<(), ExecuteError> {
    let cascade = unit.read::<User, _>(user, |user, _| user.known()?.deleted_by().cloned()).await?;
    unit.decide::<User, _>(user, UserCommand::Restore { cascade: None }).await?;
    let Some(cascade) = cascade else { return Ok(()) };
    if let Some(email) = email(unit, user).await? {
        claim_email(unit, &email, user, "email").await?;
    }
    let client = ClientId::from(user);
    if unit.read::<Client, _>(client, |client, _| client.known().is_some()).await? {
        unit.decide::<Client, _>(client, ClientCommand::Restore { cascade: Some(cascade) }).await?;
    }
    Ok(())
}

/// Deletes a client profile and shuts its login.
///
/// # Errors
/// What the aggregates refuse.
pub(crate) async fn delete_client(
    unit: &mut Unit<'_>,
    client: ClientId,
    cascade: CascadeId,
) -> Result<(), ExecuteError> {
    let login = unit.read::<Client, _>(client, |client, _| client.user().filter(|_| client.is_live())).await?;
    unit.decide::<Client, _>(client, ClientCommand::Delete { cascade: cascade.clone() }).await?;
    if let Some(user) = login {
        unit.decide::<User, _>(user, UserCommand::Deactivate { cascade: Some(cascade) }).await?;
    }
    Ok(())
}

/// Brings a client profile back, and opens its login if the same deletion shut it.
///
/// # Errors
/// What the aggregates refuse; that the login itself is deleted.
pub(crate) async fn restore_client(unit: &mut Unit<'_>, client: ClientId) -> Result<(), ExecuteError> {
    let deleted = unit
        .read::<Client, _>(client, |client, _| {
            client.known().and_then(|profile| Some((profile.user_id, profile.deleted_by()?.clone())))
        })
        .await?;
    unit.decide::<Client, _>(client, ClientCommand::Restore { cascade: None }).await?;
    let Some((user, cascade)) = deleted else { return Ok(()) };
    if !unit.read::<User, _>(user, |user, _| user.live().is_some()).await? {
        let detail = "the client's user is deleted; restore the user, and the client comes back with it";
        return Err(Refused::conflict("USER_DELETED", "user_id", detail).into());
    }
    unit.decide::<User, _>(user, UserCommand::Reactivate { cascade: Some(cascade) }).await
}

async fn email(unit: &mut Unit<'_>, user: UserId) -> Result<Option<Email>, ExecuteError> {
    unit.read::<User, _>(user, |user, _| user.email().cloned()).await
}
