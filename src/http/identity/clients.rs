//! Clients: the profiles around CLIENT users.

use actix_web::{HttpResponse, delete, get, http::StatusCode, post, put, web};
use identity::{
    client::{Client, ClientChanges, ClientCommand, ClientView, NewClient},
    company::Company,
    user::{NewUser, User, UserCommand, UserProfile},
};
use identity_projections::client_list::{self, ClientList};
use kernel::{Change, ClientId, CompanyId, Email, IndustryTypeId, Reference, Role, Text, UserId, VerticalId};
use runtime::{
    ResourceTable,
    page::{Condition, Order},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{accounts, facts};
use crate::{
    http::{
        body::Body,
        call::{Call, Reply},
        params::Params,
        permission::Permission,
        problem::Problem,
    },
    journal::Unit,
};

/// Who consults the client on which vertical.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PairBody {
    vertical_id: VerticalId,
    consultant_id: UserId,
}

/// A new client. Its contact gets a mail that asks for a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClientBody {
    contact_email: Email,
    contact_name: Text<1, 200>,
    company_id: CompanyId,
    industry_id: Option<IndustryTypeId>,
    reviewer_id: Option<UserId>,
    #[serde(default)]
    verticals_and_consultants: Vec<PairBody>,
}

/// What is to change; absent keeps, null clears, the list replaces the old one whole.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct ClientChangesBody {
    contact_email: Option<Email>,
    contact_name: Option<Text<1, 200>>,
    company_id: Option<CompanyId>,
    industry_id: Change<IndustryTypeId>,
    reviewer_id: Change<UserId>,
    verticals_and_consultants: Option<Vec<PairBody>>,
    is_active: Option<bool>,
}

fn named(pairs: &[PairBody]) -> Vec<(VerticalId, UserId)> {
    pairs.iter().map(|pair| (pair.vertical_id, pair.consultant_id)).collect()
}

/// Clients that the caller looks after, newest first.
#[utoipa::path(tag = "clients", responses((status = 200), (status = 401), (status = 403)))]
#[get("/api/clients/")]
pub(super) async fn list_clients(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::ClientRead)?;
    let list = params.list(
        ClientList::NAME,
        Order::NEWEST,
        &[("contact_name", "coalesce(contact_name, '')", "text"), ("company_id", "company_id", "bigint")],
    )?;
    let mut conditions = client_list::visible_to(call.actor(), params.flag("include_deleted")?.unwrap_or(false));
    for column in ["company_id", "reviewer_id", "industry_id", "user_id"] {
        conditions.extend(params.get(column)?.map(|id| Condition::Number(column, id)));
    }
    conditions.extend(params.flag("is_active")?.map(|active| Condition::Is("is_active", active)));
    conditions.extend(params.text("search").map(client_list::search));
    call.list(ClientList::NAME, &params, list, conditions).await
}

/// One client; for a CLIENT its own.
#[utoipa::path(tag = "clients", params(("id" = ClientId, Path)), responses((status = 200, body = ClientView), (status = 404)))]
#[get("/api/clients/{id}/")]
pub(super) async fn get_client(call: Call, id: web::Path<ClientId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::ClientProfileRead)?;
    call.one(ClientList::NAME, ClientList::NAME, id.get(), client_list::visible_to(call.actor(), true)).await
}

/// Provisions a client: its login and its profile, both or neither.
#[utoipa::path(tag = "clients", request_body = ClientBody, responses((status = 201, body = ClientView), (status = 409), (status = 422)))]
#[post("/api/clients/add/")]
pub(super) async fn add_client(call: Call, body: Body<ClientBody>) -> Result<HttpResponse, Problem> {
    call.may(Permission::ClientWrite)?;
    let body = body.read()?;
    call.command("client.provision", async |unit| {
        let user: UserId = unit.journal().ids().next().await?;
        let id = ClientId::from(user);
        let industry = facts::of_named(unit, body.industry_id, facts::industry).await?;
        let reviewer = facts::of_named(unit, body.reviewer_id, facts::staff).await?;
        let pairs = facts::pairs(unit, &named(&body.verticals_and_consultants)).await?;
        // Who deletes the company at this moment must not miss this client.
        let (company, company_name) = unit
            .depend::<Company, _>(body.company_id, |company, _| {
                (company.is_active(), company.live().map(|details| details.name.clone()))
            })
            .await?;
        let client = NewClient {
            id,
            user,
            contact_email: body.contact_email.clone(),
            contact_name: body.contact_name.clone(),
            company: Reference::new(body.company_id, company),
            industry,
            reviewer,
            verticals_and_consultants: pairs,
        };
        unit.decide::<Client, _>(id, ClientCommand::Provision(client)).await?;
        accounts::claim_email(unit, &body.contact_email, user, "contact_email").await?;
        let login = NewUser {
            id: user,
            email: body.contact_email.clone(),
            role: Role::Client,
            company_name,
            parent: None,
            industry_type: industry,
            profile: UserProfile::default(),
            must_set_password: true,
        };
        unit.decide::<User, _>(user, UserCommand::Register(login)).await?;
        Reply::resource::<Client>(StatusCode::CREATED, unit, id).await
    })
    .await
}

async fn changes(unit: &mut Unit<'_>, body: &ClientChangesBody) -> Result<ClientChanges, Problem> {
    let verticals_and_consultants = match &body.verticals_and_consultants {
        Some(pairs) => Some(facts::pairs(unit, &named(pairs)).await?),
        None => None,
    };
    Ok(ClientChanges {
        // The login's email goes along, by another way.
        contact_email: None,
        contact_name: body.contact_name.clone(),
        company: facts::of_named(unit, body.company_id, facts::company).await?,
        industry: facts::of_change(unit, body.industry_id, facts::industry).await?,
        reviewer: facts::of_change(unit, body.reviewer_id, facts::staff).await?,
        verticals_and_consultants,
        is_active: body.is_active,
    })
}

/// Changes a client. Another contact email is the login's too.
#[utoipa::path(tag = "clients", params(("id" = ClientId, Path)), request_body = ClientChangesBody,
    responses((status = 200, body = ClientView), (status = 404), (status = 409), (status = 412), (status = 422)))]
#[put("/api/clients/{id}/update/")]
pub(super) async fn update_client(
    call: Call,
    id: web::Path<ClientId>,
    body: Body<ClientChangesBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::ClientWrite)?;
    let (id, body, seen) = (*id, body.read()?, call.seen_version()?);
    call.command("client.change", async |unit| {
        let changes = changes(unit, &body).await?;
        let user = unit.read::<Client, _>(id, |client, _| client.user().filter(|_| client.is_live())).await?;
        let user = user.ok_or_else(Problem::not_found)?;
        unit.require_version::<Client>(id, seen).await?;
        unit.decide::<Client, _>(id, ClientCommand::ChangeDetails(changes)).await?;
        if let Some(email) = &body.contact_email {
            accounts::change_email(unit, user, email, "contact_email").await?;
        }
        Reply::resource::<Client>(StatusCode::OK, unit, id).await
    })
    .await
}

/// Deletes a client; its login is shut in the same moment.
#[utoipa::path(tag = "clients", params(("id" = ClientId, Path)), responses((status = 204), (status = 404)))]
#[delete("/api/clients/{id}/delete/")]
pub(super) async fn delete_client(call: Call, id: web::Path<ClientId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::ClientWrite)?;
    let (id, seen) = (*id, call.seen_version()?);
    call.command("client.delete", async |unit| {
        unit.require_version::<Client>(id, seen).await?;
        let cascade = unit.cascade()?;
        accounts::delete_client(unit, id, cascade).await?;
        Ok(Reply::nothing())
    })
    .await
}

/// Restores a deleted client, and its login if that deletion shut it.
#[utoipa::path(tag = "clients", params(("id" = ClientId, Path)), responses((status = 200, body = ClientView), (status = 404), (status = 409)))]
#[post("/api/clients/{id}/restore/")]
pub(super) async fn restore_client(call: Call, id: web::Path<ClientId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::ClientWrite)?;
    let (id, seen) = (*id, call.seen_version()?);
    call.command("client.restore", async |unit| {
        unit.require_version::<Client>(id, seen).await?;
        accounts::restore_client(unit, id).await?;
        Reply::resource::<Client>(StatusCode::OK, unit, id).await
    })
    .await
}
