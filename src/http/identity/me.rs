//! The caller itself.

use actix_web::{
    HttpResponse, get,
    http::{StatusCode, header},
    put,
};
use identity::user::{ProfileChanges, User, UserCommand, UserView};
use kernel::Resource;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::{
    body::Body,
    call::{Call, Reply},
    problem::Problem,
};

/// What a user may say about itself; absent keeps, null clears.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct MeBody {
    profile: ProfileChanges,
}

/// Who is calling: from the user's own stream, which the token was checked against too.
#[utoipa::path(tag = "auth", responses((status = 200, body = UserView), (status = 401)))]
#[get("/api/auth/me/")]
pub(super) async fn get_me(call: Call) -> Result<HttpResponse, Problem> {
    let journal = &call.tenant().journal;
    let position = *journal.head().borrow();
    let seen = journal.read::<User, _>(call.user(), |user, stamp| Some((stamp.version, User::view(user, stamp)?)));
    let (version, view) = seen.await?.ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::ETAG, format!("\"{version}\"")))
        .insert_header(("DDC-Position", position.to_string()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(view))
}

/// Changes one's own profile.
#[utoipa::path(tag = "auth", request_body = MeBody,
    responses((status = 200, body = UserView), (status = 401), (status = 412), (status = 422)))]
#[put("/api/auth/me/")]
pub(super) async fn update_me(call: Call, body: Body<MeBody>) -> Result<HttpResponse, Problem> {
    let (id, body, seen) = (call.user(), body.read()?, call.seen_version()?);
    call.command("user.change_profile", async |unit| {
        unit.require_version::<User>(id, seen).await?;
        unit.decide::<User, _>(id, UserCommand::ChangeProfile(body.profile.clone())).await?;
        Reply::resource::<User>(StatusCode::OK, unit, id).await
    })
    .await
}
