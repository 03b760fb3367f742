//! Users.

use actix_web::{HttpResponse, delete, get, http::StatusCode, post, put, web};
use identity::user::{NewUser, ProfileChanges, User, UserChanges, UserCommand, UserProfile, UserView};
use identity_projections::user_list::{self, UserList};
use kernel::{Change, Email, IndustryTypeId, Role, Text, UserId};
use runtime::{
    ResourceTable,
    page::{Condition, Order},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{accounts, facts};
use crate::{
    auth::Password,
    http::{
        body::Body,
        call::{Call, Reply},
        params::Params,
        permission::Permission,
        problem::Problem,
    },
    journal::{Refused, Unit},
};

/// A new user. Without a password a mail asks the user for one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserBody {
    email: Email,
    role: Role,
    /// 8 to 128 characters.
    #[schema(value_type = Option<String>)]
    password: Option<Password>,
    company_name: Option<Text<1, 200>>,
    /// A contact's parent account, or a staff member's manager.
    parent: Option<UserId>,
    industry_type: Option<IndustryTypeId>,
    #[serde(default)]
    profile: UserProfile,
}

/// What is to change; absent keeps, null clears.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct UserChangesBody {
    email: Option<Email>,
    role: Option<Role>,
    company_name: Change<Text<1, 200>>,
    parent: Change<UserId>,
    industry_type: Change<IndustryTypeId>,
    profile: ProfileChanges,
}

/// Users, newest first.
#[utoipa::path(tag = "users", responses((status = 200), (status = 401), (status = 403)))]
#[get("/api/accounts/users/")]
pub(super) async fn list_users(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::UserRead)?;
    let list = params.list(UserList::NAME, Order::NEWEST, &[("email", "coalesce(email, '')", "text")])?;
    let mut conditions = user_list::visible_to(call.actor(), params.flag("include_deleted")?.unwrap_or(false));
    if let Some(role) = params.text("role") {
        conditions.push(Condition::Text("role", role.to_uppercase()));
    }
    conditions.extend(params.flag("is_active")?.map(|active| Condition::Is("is_active", active)));
    conditions.extend(params.text("search").map(user_list::search));
    call.list(UserList::NAME, &params, list, conditions).await
}

/// One user.
#[utoipa::path(tag = "users", params(("id" = UserId, Path)), responses((status = 200, body = UserView), (status = 404)))]
#[get("/api/accounts/users/{id}/")]
pub(super) async fn get_user(call: Call, id: web::Path<UserId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::UserRead)?;
    call.one(UserList::NAME, UserList::NAME, id.get(), user_list::visible_to(call.actor(), true)).await
}

/// Registers a user.
#[utoipa::path(tag = "users", request_body = UserBody, responses((status = 201, body = UserView), (status = 409), (status = 422)))]
#[post("/api/accounts/users/")]
pub(super) async fn register_user(call: Call, body: Body<UserBody>) -> Result<HttpResponse, Problem> {
    call.may(Permission::UserWrite)?;
    let body = body.read()?;
    let hash = match body.password.clone() {
        Some(password) => Some(password.hash().await?),
        None => None,
    };
    call.command("user.register", async |unit| {
        let parent = facts::of_named(unit, body.parent, facts::user).await?;
        let industry_type = facts::of_named(unit, body.industry_type, facts::industry).await?;
        let id: UserId = unit.journal().ids().next().await?;
        let user = NewUser {
            id,
            email: body.email.clone(),
            role: body.role,
            company_name: body.company_name.clone(),
            parent,
            industry_type,
            profile: body.profile.clone(),
            must_set_password: hash.is_none(),
        };
        unit.decide::<User, _>(id, UserCommand::Register(user)).await?;
        accounts::claim_email(unit, &body.email, id, "email").await?;
        if let Some(hash) = &hash {
            // Stored before the events: a crash in between leaves a hash that nobody has, never a user who has a
            // password by the journal and none in fact.
            hash.save(unit.journal().pool(), id).await?;
        }
        Reply::resource::<User>(StatusCode::CREATED, unit, id).await
    })
    .await
}

/// A user with a client profile stays a CLIENT: the profile would be left without its login.
async fn keeps_its_role(unit: &mut Unit<'_>, user: UserId, role: Role) -> Result<(), Problem> {
    if role != Role::Client && accounts::is_client(unit, user).await? {
        let detail = "the user has a client profile; delete that first";
        return Err(Refused::conflict("HAS_CLIENT_PROFILE", "role", detail).into());
    }
    Ok(())
}

/// Changes a user. Another role ends the user's sessions.
#[utoipa::path(tag = "users", params(("id" = UserId, Path)), request_body = UserChangesBody,
    responses((status = 200, body = UserView), (status = 404), (status = 409), (status = 412), (status = 422)))]
#[put("/api/accounts/users/{id}/")]
pub(super) async fn update_user(
    call: Call,
    id: web::Path<UserId>,
    body: Body<UserChangesBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::UserWrite)?;
    let (id, body, seen) = (*id, body.read()?, call.seen_version()?);
    call.command("user.change", async |unit| {
        let changes = UserChanges {
            company_name: body.company_name.clone(),
            parent: facts::of_change(unit, body.parent, facts::user).await?,
            industry_type: facts::of_change(unit, body.industry_type, facts::industry).await?,
        };
        if !unit.read::<User, _>(id, |user, _| user.live().is_some()).await? {
            return Err(Problem::not_found());
        }
        unit.require_version::<User>(id, seen).await?;
        if let Some(role) = body.role {
            keeps_its_role(unit, id, role).await?;
            unit.decide::<User, _>(id, UserCommand::ChangeRole(role)).await?;
        }
        unit.decide::<User, _>(id, UserCommand::ChangeDetails(changes)).await?;
        unit.decide::<User, _>(id, UserCommand::ChangeProfile(body.profile.clone())).await?;
        if let Some(email) = &body.email {
            accounts::change_email(unit, id, email, "email").await?;
        }
        Reply::resource::<User>(StatusCode::OK, unit, id).await
    })
    .await
}

/// Deletes a user, and the client profile around it; its sessions end and its email is free again.
#[utoipa::path(tag = "users", params(("id" = UserId, Path)), responses((status = 204), (status = 404), (status = 409)))]
#[delete("/api/accounts/users/{id}/")]
pub(super) async fn delete_user(call: Call, id: web::Path<UserId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::UserWrite)?;
    let (id, seen) = (*id, call.seen_version()?);
    call.command("user.delete", async |unit| {
        unit.require_version::<User>(id, seen).await?;
        let cascade = unit.cascade()?;
        accounts::delete_user(unit, id, cascade).await?;
        Ok(Reply::nothing())
    })
    .await
}

/// Restores a deleted user, and what its deletion took along.
#[utoipa::path(tag = "users", params(("id" = UserId, Path)), responses((status = 200, body = UserView), (status = 404), (status = 409)))]
#[post("/api/accounts/users/{id}/restore/")]
pub(super) async fn restore_user(call: Call, id: web::Path<UserId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::UserWrite)?;
    let (id, seen) = (*id, call.seen_version()?);
    call.command("user.restore", async |unit| {
        unit.require_version::<User>(id, seen).await?;
        accounts::restore_user(unit, id).await?;
        Reply::resource::<User>(StatusCode::OK, unit, id).await
    })
    .await
}

async fn switch(
    call: Call,
    id: UserId,
    name: &'static str,
    command: fn() -> UserCommand,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::UserWrite)?;
    let seen = call.seen_version()?;
    call.command(name, async |unit| {
        unit.require_version::<User>(id, seen).await?;
        unit.decide::<User, _>(id, command()).await?;
        Reply::resource::<User>(StatusCode::OK, unit, id).await
    })
    .await
}

/// Shuts a user out; its sessions end.
#[utoipa::path(tag = "users", params(("id" = UserId, Path)), responses((status = 200, body = UserView), (status = 404), (status = 409)))]
#[post("/api/accounts/users/{id}/deactivate/")]
pub(super) async fn deactivate_user(call: Call, id: web::Path<UserId>) -> Result<HttpResponse, Problem> {
    switch(call, *id, "user.deactivate", || UserCommand::Deactivate { cascade: None }).await
}

/// Lets a user in again.
#[utoipa::path(tag = "users", params(("id" = UserId, Path)), responses((status = 200, body = UserView), (status = 404)))]
#[post("/api/accounts/users/{id}/reactivate/")]
pub(super) async fn reactivate_user(call: Call, id: web::Path<UserId>) -> Result<HttpResponse, Problem> {
    switch(call, *id, "user.reactivate", || UserCommand::Reactivate { cascade: None }).await
}
