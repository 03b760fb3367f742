//! Companies.

use actix_web::{HttpResponse, delete, get, http::StatusCode, post, put, web};
use identity::company::{Company, CompanyChanges, CompanyCommand, CompanyView, NewCompany};
use identity_projections::company_list::{self, CompanyList};
use kernel::{Change, Code, CompanyId, IndustryTypeId, Text};
use runtime::ResourceTable;
use serde::Deserialize;
use utoipa::ToSchema;

use super::facts;
use crate::{
    http::{
        body::Body,
        call::{Call, Reply},
        params::Params,
        permission::Permission,
        problem::Problem,
    },
    journal::Refused,
};

/// A new company.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CompanyBody {
    name: Text<1, 200>,
    code: Option<Code>,
    industry_id: Option<IndustryTypeId>,
    country: Option<Text<1, 100>>,
    address: Option<Text<1, 500>>,
    website: Option<Text<1, 200>>,
    parent_id: Option<CompanyId>,
    #[serde(default = "yes")]
    is_active: bool,
}

fn yes() -> bool {
    true
}

/// What is to change; absent keeps, null clears.
#[derive(Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct CompanyChangesBody {
    name: Option<Text<1, 200>>,
    code: Change<Code>,
    industry_id: Change<IndustryTypeId>,
    country: Change<Text<1, 100>>,
    address: Change<Text<1, 500>>,
    website: Change<Text<1, 200>>,
    parent_id: Change<CompanyId>,
    is_active: Option<bool>,
}

const NAME_SCOPE: &str = "company.name";
const CODE_SCOPE: &str = "company.code";

fn name_taken() -> Refused {
    Refused::conflict("NAME_TAKEN", "name", "another company has this name")
}

fn code_taken() -> Refused {
    Refused::conflict("CODE_TAKEN", "code", "another company has this code")
}

/// Companies, by name.
#[utoipa::path(tag = "companies", responses((status = 200), (status = 401), (status = 403)))]
#[get("/api/common/companies/")]
pub(super) async fn list_companies(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::CompanyRead)?;
    let list = params.list(CompanyList::NAME, company_list::ORDER, &[("name", "name", "text")])?;
    let mut conditions = company_list::visible_to(call.actor(), params.flag("include_deleted")?.unwrap_or(false));
    conditions.extend(params.text("search").map(|text| runtime::page::Condition::Contains("name", text.to_owned())));
    call.list(CompanyList::NAME, &params, list, conditions).await
}

/// One company.
#[utoipa::path(tag = "companies", params(("id" = CompanyId, Path)), responses((status = 200, body = CompanyView), (status = 404)))]
#[get("/api/common/company/{id}/")]
pub(super) async fn get_company(call: Call, id: web::Path<CompanyId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::CompanyRead)?;
    let conditions = company_list::visible_to(call.actor(), true);
    call.one(CompanyList::NAME, CompanyList::NAME, id.get(), conditions).await
}

/// Creates a company.
#[utoipa::path(tag = "companies", request_body = CompanyBody, responses((status = 201, body = CompanyView), (status = 409), (status = 422)))]
#[post("/api/common/company/")]
pub(super) async fn create_company(call: Call, body: Body<CompanyBody>) -> Result<HttpResponse, Problem> {
    call.may(Permission::CompanyWrite)?;
    let body = body.read()?;
    call.command("company.create", async |unit| {
        let industry = facts::of_named(unit, body.industry_id, facts::industry).await?;
        let parent = facts::of_named(unit, body.parent_id, facts::company).await?;
        let id: CompanyId = unit.journal().ids().next().await?;
        unit.claim(NAME_SCOPE, &body.name, id, name_taken).await?;
        if let Some(code) = &body.code {
            unit.claim(CODE_SCOPE, code, id, code_taken).await?;
        }
        let company = NewCompany {
            id,
            name: body.name.clone(),
            code: body.code.clone(),
            industry,
            country: body.country.clone(),
            address: body.address.clone(),
            website: body.website.clone(),
            parent,
            is_active: body.is_active,
        };
        unit.decide::<Company, _>(id, CompanyCommand::Create(company)).await?;
        Reply::resource::<Company>(StatusCode::CREATED, unit, id).await
    })
    .await
}

/// Changes a company.
#[utoipa::path(tag = "companies", params(("id" = CompanyId, Path)), request_body = CompanyChangesBody,
    responses((status = 200, body = CompanyView), (status = 404), (status = 409), (status = 412), (status = 422)))]
#[put("/api/common/company/{id}/update/")]
pub(super) async fn update_company(
    call: Call,
    id: web::Path<CompanyId>,
    body: Body<CompanyChangesBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::CompanyWrite)?;
    let (id, body, seen) = (*id, body.read()?, call.seen_version()?);
    call.command("company.change_details", async |unit| {
        let industry = facts::of_change(unit, body.industry_id, facts::industry).await?;
        let parent = facts::of_change(unit, body.parent_id, facts::company).await?;
        unit.require_version::<Company>(id, seen).await?;
        let old = unit.read::<Company, _>(id, |company, _| company.live().cloned()).await?;
        let old = old.ok_or_else(Problem::not_found)?;
        if let Some(name) = body.name.as_ref().filter(|name| name.key() != old.name.key()) {
            unit.claim(NAME_SCOPE, name, id, name_taken).await?;
            unit.release(NAME_SCOPE, &old.name, id).await?;
        }
        let code = body.code.clone().over(old.code.clone());
        if code.as_ref().map(Code::key) != old.code.as_ref().map(Code::key) {
            if let Some(code) = &code {
                unit.claim(CODE_SCOPE, code, id, code_taken).await?;
            }
            if let Some(code) = &old.code {
                unit.release(CODE_SCOPE, code, id).await?;
            }
        }
        let changes = CompanyChanges {
            name: body.name.clone(),
            code: body.code.clone(),
            industry,
            country: body.country.clone(),
            address: body.address.clone(),
            website: body.website.clone(),
            parent,
            is_active: body.is_active,
        };
        unit.decide::<Company, _>(id, CompanyCommand::ChangeDetails(changes)).await?;
        Reply::resource::<Company>(StatusCode::OK, unit, id).await
    })
    .await
}

/// Deletes a company; its name is free again.
#[utoipa::path(tag = "companies", params(("id" = CompanyId, Path)), responses((status = 204), (status = 404)))]
#[delete("/api/common/company/{id}/delete/")]
pub(super) async fn delete_company(call: Call, id: web::Path<CompanyId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::CompanyWrite)?;
    let (id, seen) = (*id, call.seen_version()?);
    call.command("company.delete", async |unit| {
        unit.require_version::<Company>(id, seen).await?;
        if let Some(old) = unit.read::<Company, _>(id, |company, _| company.live().cloned()).await? {
            unit.release(NAME_SCOPE, &old.name, id).await?;
            if let Some(code) = &old.code {
                unit.release(CODE_SCOPE, code, id).await?;
            }
        }
        let cascade = unit.cascade()?;
        unit.decide::<Company, _>(id, CompanyCommand::Delete { cascade }).await?;
        Ok(Reply::nothing())
    })
    .await
}
