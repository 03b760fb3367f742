//! Signing in and out, and passwords.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, post, web};
use kernel::{Actor, Email, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{self, OneTimePurpose, Password, PasswordHash, Rotation, SignIn},
    http::{
        body::Body,
        call::{Call, issuer},
        problem::Problem,
        request_id,
    },
    journal::ExecuteError,
};
use identity::user::{User, UserCommand};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LoginBody {
    email: String,
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefreshBody {
    refresh: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetPasswordBody {
    token: String,
    #[schema(value_type = String)]
    password: Password,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ResetBody {
    email: Email,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangePasswordBody {
    old_password: String,
    #[schema(value_type = String)]
    new_password: Password,
}

/// A pair of tokens.
#[derive(Serialize, ToSchema)]
struct TokenPair {
    access: String,
    refresh: String,
}

fn wrong() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "INVALID_CREDENTIALS", "email or password is wrong")
}

fn shut_out(left: Duration) -> Problem {
    Problem::too_many("too many failed log-ins for this email", left.as_secs().max(1))
}

/// Records a fact about signing in on the user's stream.
async fn record(
    app: &App,
    request: &HttpRequest,
    user: UserId,
    name: &'static str,
    fact: UserCommand,
) -> Result<(), Problem> {
    let issuer = issuer(app, request, Actor::System, name);
    let journal = &app.tenant.journal;
    journal.execute(&issuer, async |unit| unit.decide::<User, _>(user, fact.clone()).await).await?;
    Ok(())
}

async fn pair(
    app: &App,
    user: UserId,
    role: kernel::Role,
    version: i64,
    refresh: String,
) -> Result<HttpResponse, Problem> {
    let email = app.tenant.journal.read::<User, _>(user, |user, _| user.email().map(ToString::to_string)).await?;
    let access = app.sessions.tokens.make(user, role, &email.unwrap_or_default(), version)?;
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(TokenPair { access, refresh }))
}

/// Signs in.
#[utoipa::path(tag = "auth", request_body = LoginBody, security(()),
    responses((status = 200, body = TokenPair), (status = 401), (status = 429)))]
#[post("/api/auth/login/")]
pub(super) async fn login(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body<LoginBody>,
) -> Result<HttpResponse, Problem> {
    let body = body.read()?;
    let email = Email::new(&body.email).map_err(|_| wrong())?;
    let turn = app.sessions.throttle.turn(&email).await.map_err(shut_out)?;
    match app.sessions.sign_in(&app.tenant, &email, &body.password).await? {
        SignIn::Welcome { user, role, version } => {
            turn.succeeded();
            let refresh = Rotation::begin(&app.tenant.pool, user, version, app.sessions.refresh_lifetime).await?;
            record(&app, &request, user, "user.record_login_succeeded", UserCommand::RecordLoginSucceeded).await?;
            pair(&app, user, role, version, refresh).await
        }
        SignIn::Refused(user) => {
            turn.failed();
            if let Some(user) = user {
                // Not waited for: the time must not tell that there is such a user.
                request_id::spawn(&app.clone(), async move {
                    let name = "user.record_login_failed";
                    if let Err(problem) = record(&app, &request, user, name, UserCommand::RecordLoginFailed).await {
                        tracing::warn!(%user, %problem, "a failed log-in could not be recorded");
                    }
                });
            }
            Err(wrong())
        }
    }
}

/// Trades a refresh token for a new pair. A token that is used twice revokes all that came from the same login.
#[utoipa::path(tag = "auth", request_body = RefreshBody, security(()),
    responses((status = 200, body = TokenPair), (status = 401)))]
#[post("/api/auth/token/refresh/")]
pub(super) async fn refresh_token(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body<RefreshBody>,
) -> Result<HttpResponse, Problem> {
    let refused = || Problem::unauthenticated("the refresh token is not valid");
    let body = body.read()?;
    match Rotation::rotate(&app.tenant.pool, &body.refresh, app.sessions.refresh_lifetime).await? {
        Rotation::Next { user, version, token } => {
            let state = app
                .tenant
                .journal
                .read::<User, _>(user, |user, _| user.may_sign_in().ok().map(|role| (role, user.credential_version())))
                .await?;
            let (role, now) = state.ok_or_else(refused)?;
            if now != version {
                return Err(refused());
            }
            record(&app, &request, user, "user.record_token_rotated", UserCommand::RecordTokenRotated).await?;
            pair(&app, user, role, version, token).await
        }
        Rotation::Reused { user } => {
            record(&app, &request, user, "user.record_token_reused", UserCommand::RecordTokenReused).await?;
            Err(refused())
        }
        Rotation::Refused => Err(refused()),
    }
}

/// Signs out: the refresh token and all of its login are void.
#[utoipa::path(tag = "auth", request_body = RefreshBody, responses((status = 204), (status = 401)))]
#[post("/api/auth/logout/")]
pub(super) async fn logout(call: Call, body: Body<RefreshBody>) -> Result<HttpResponse, Problem> {
    let body = body.read()?;
    auth::revoke_family(&call.tenant().pool, call.user(), &body.refresh).await?;
    record(call.app(), call.request(), call.user(), "user.record_logged_out", UserCommand::RecordLoggedOut).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sets the password with the token of a mail; all sessions of before end.
async fn set(app: &App, request: &HttpRequest, body: SetPasswordBody) -> Result<HttpResponse, Problem> {
    let refused = || Problem::field("INVALID_TOKEN", "token", "is not valid, or was used, or is too old");
    let hash = body.password.hash().await?;
    let purposes = [OneTimePurpose::SetPassword, OneTimePurpose::PasswordReset];
    let mut tx = app.tenant.pool.begin().await?;
    let user = auth::redeem_one_time(&mut *tx, &body.token, &purposes).await?.ok_or_else(refused)?;
    hash.save(&mut *tx, user).await?;
    auth::revoke_user(&mut *tx, user).await?;
    // The token is used up only when the fact is recorded.
    record(app, request, user, "user.record_password_set", UserCommand::RecordPasswordSet).await?;
    tx.commit().await?;
    if let Some(email) = app.tenant.journal.read::<User, _>(user, |user, _| user.email().cloned()).await? {
        app.sessions.throttle.forgive(&email);
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Sets a password with the token of the invitation.
#[utoipa::path(tag = "auth", request_body = SetPasswordBody, security(()), responses((status = 204), (status = 422)))]
#[post("/api/auth/set-password/")]
pub(super) async fn set_password(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body<SetPasswordBody>,
) -> Result<HttpResponse, Problem> {
    set(&app, &request, body.read()?).await
}

/// Sets a password with the token of a reset mail.
#[utoipa::path(tag = "auth", request_body = SetPasswordBody, security(()), responses((status = 204), (status = 422)))]
#[post("/api/auth/password-reset/confirm/")]
pub(super) async fn confirm_password_reset(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body<SetPasswordBody>,
) -> Result<HttpResponse, Problem> {
    set(&app, &request, body.read()?).await
}

/// Asks for a reset mail. The answer is the same whether there is such a user or not.
#[utoipa::path(tag = "auth", request_body = ResetBody, security(()), responses((status = 202)))]
#[post("/api/auth/password-reset/")]
pub(super) async fn request_password_reset(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body<ResetBody>,
) -> Result<HttpResponse, Problem> {
    let body = body.read()?;
    if let Some(user) = auth::find(&app.tenant, &body.email).await? {
        let asked =
            record(&app, &request, user, "user.request_password_reset", UserCommand::RequestPasswordReset).await;
        if let Err(problem) = asked {
            tracing::info!(%user, %problem, "a password reset was refused");
        }
    }
    Ok(HttpResponse::Accepted().finish())
}

/// Changes one's own password; all other sessions end.
#[utoipa::path(tag = "auth", request_body = ChangePasswordBody, responses((status = 204), (status = 422)))]
#[post("/api/auth/change-password/")]
pub(super) async fn change_password(call: Call, body: Body<ChangePasswordBody>) -> Result<HttpResponse, Problem> {
    let body = body.read()?;
    let (app, user) = (call.app(), call.user());
    let email = call.tenant().journal.read::<User, _>(user, |user, _| user.email().cloned()).await?;
    let email = email.ok_or_else(Problem::not_found)?;
    let turn = app.sessions.throttle.turn(&email).await.map_err(shut_out)?;
    if !matches!(app.sessions.sign_in(call.tenant(), &email, &body.old_password).await?, SignIn::Welcome { .. }) {
        turn.failed();
        return Err(Problem::field("INVALID_CREDENTIALS", "old_password", "is wrong"));
    }
    let hash = body.new_password.hash().await?;
    store(app, call.request(), user, hash).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn store(app: &App, request: &HttpRequest, user: UserId, hash: PasswordHash) -> Result<(), Problem> {
    let mut tx = app.tenant.pool.begin().await?;
    hash.save(&mut *tx, user).await?;
    auth::revoke_user(&mut *tx, user).await?;
    record(app, request, user, "user.record_password_set", UserCommand::RecordPasswordSet).await?;
    tx.commit().await.map_err(ExecuteError::from)?;
    Ok(())
}
