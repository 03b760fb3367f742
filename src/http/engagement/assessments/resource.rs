//! The assessment itself: listed, created, changed, deleted, restored (E21, E22).

use actix_web::{HttpResponse, delete, get, http::StatusCode, post, put, web};
use engagement::{
    assessment::{
        Assessment, AssessmentCommand, AssessmentView, DetailChanges, InputMethod, NewAssessment, Status,
        default_policy,
    },
    business_case::Parameters,
};
use engagement_projections::assessment_list::{self, AssessmentList};
use kernel::{AssessmentId, Change, IndustryTypeId, Reference, RegionId, Text, UserId, VerticalId};
use reference::{IndustryTypeKind, RegionKind, VerticalKind};
use runtime::{
    ResourceTable,
    page::{Condition, Order},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{facts, seen};
use crate::{
    http::{
        body::Body,
        call::{Call, Reply},
        params::Params,
        permission::Permission,
        problem::Problem,
    },
    journal::{ExecuteError, Refused, Unit},
};

/// A new assessment (spec 8.2).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AssessmentBody {
    name: Text<1, 200>,
    /// The client's user.
    client: UserId,
    industry_type: Option<IndustryTypeId>,
    managed_by: UserId,
    #[serde(default)]
    input_method: InputMethod,
    region_id: Option<RegionId>,
    vertical_ids: Vec<VerticalId>,
    #[serde(default = "first_step")]
    current_step: u16,
    #[serde(default = "five_steps")]
    total_steps: u16,
    #[serde(default)]
    client_can_answer: bool,
    #[serde(default)]
    ble_parameters: Parameters,
}

const fn first_step() -> u16 {
    1
}

const fn five_steps() -> u16 {
    5
}

/// What is to change; absent keeps, null clears; the parameters and the list of verticals are replaced whole.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct AssessmentChangesBody {
    name: Option<Text<1, 200>>,
    managed_by: Option<UserId>,
    industry_type: Change<IndustryTypeId>,
    region_id: Change<RegionId>,
    input_method: Option<InputMethod>,
    client_can_answer: Option<bool>,
    current_step: Option<u16>,
    total_steps: Option<u16>,
    ble_parameters: Option<Parameters>,
    vertical_ids: Option<Vec<VerticalId>>,
    /// The answers of a removed vertical may go too.
    confirm: bool,
}

const NAME_SCOPE: &str = "assessment.name";

fn name_taken() -> Refused {
    Refused::conflict("NAME_TAKEN", "name", "another assessment of the client has this name")
}

/// A name is unique for its client.
fn name_key(client: UserId, name: &str) -> String {
    format!("{client}/{name}")
}

/// The name that a live assessment holds.
async fn held_name(unit: &mut Unit<'_>, id: AssessmentId) -> Result<Option<(UserId, Text<1, 200>)>, ExecuteError> {
    let name =
        |assessment: &Assessment| assessment.live().map(|profile| (profile.client, profile.details.name.clone()));
    unit.read::<Assessment, _>(id, |assessment, _| name(assessment)).await
}

/// Assessments that the caller takes part in, newest first.
#[utoipa::path(tag = "assessments", params(("status" = Option<Status>, Query), ("client" = Option<UserId>, Query),
    ("vertical" = Option<VerticalId>, Query), ("region" = Option<RegionId>, Query),
    ("managed_by" = Option<UserId>, Query), ("search" = Option<String>, Query)),
    responses((status = 200), (status = 401), (status = 422)))]
#[get("/api/assessments/")]
pub(super) async fn list_assessments(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentRead)?;
    let list = params.list(AssessmentList::NAME, Order::NEWEST, &[("name", "name", "text")])?;
    let include_deleted = params.flag("include_deleted")?.unwrap_or(false);
    let mut conditions = assessment_list::visible_to(call.actor(), include_deleted);
    if let Some(text) = params.text("status") {
        let known = Status::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(text));
        let status = known.ok_or_else(|| Problem::field("INVALID", "status", "is no status of an assessment"))?;
        conditions.push(Condition::Text("status", status.as_str().to_owned()));
    }
    conditions.extend(params.get::<UserId>("client")?.map(|id| Condition::Number("client_user_id", id.get())));
    conditions.extend(params.get::<VerticalId>("vertical")?.map(|id| Condition::Holds("vertical_ids", id.get())));
    conditions.extend(params.get::<RegionId>("region")?.map(|id| Condition::Number("region_id", id.get())));
    conditions.extend(params.get::<UserId>("managed_by")?.map(|id| Condition::Number("managed_by", id.get())));
    conditions.extend(params.text("search").map(|text| Condition::Contains("name", text.to_owned())));
    call.list(AssessmentList::NAME, &params, list, conditions).await
}

/// One assessment.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)),
    responses((status = 200, body = AssessmentView), (status = 404)))]
#[get("/api/assessments/{id}/")]
pub(super) async fn get_assessment(call: Call, id: web::Path<AssessmentId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentRead)?;
    let conditions = assessment_list::visible_to(call.actor(), true);
    call.one(AssessmentList::NAME, AssessmentList::NAME, id.get(), conditions).await
}

/// Opens an assessment, with the bank's questions of its verticals as they are now.
#[utoipa::path(tag = "assessments", request_body = AssessmentBody,
    responses((status = 201, body = AssessmentView), (status = 403), (status = 409), (status = 422)))]
#[post("/api/assessments/")]
pub(super) async fn create_assessment(call: Call, body: Body<AssessmentBody>) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentCreate)?;
    let body = body.read()?;
    call.command("assessment.create", async |unit| {
        let id: AssessmentId = unit.journal().ids().next().await?;
        let new = new_assessment(unit, &body).await?;
        unit.decide::<Assessment, _>(id, AssessmentCommand::Create(Box::new(new))).await?;
        unit.claim(NAME_SCOPE, &name_key(body.client, &body.name), id, name_taken).await?;
        Reply::resource::<Assessment>(StatusCode::CREATED, unit, id).await
    })
    .await
}

async fn new_assessment(unit: &mut Unit<'_>, body: &AssessmentBody) -> Result<NewAssessment, ExecuteError> {
    let client = facts::client(unit, body.client).await?;
    let managed_by = facts::manager(unit, body.managed_by).await?;
    let industry_type = match body.industry_type {
        Some(id) => Some(facts::lookup::<IndustryTypeKind, _>(unit, id).await?),
        None => None,
    };
    let region = match body.region_id {
        Some(id) => Some(facts::lookup::<RegionKind, _>(unit, id).await?),
        None => None,
    };
    let mut verticals: Vec<Reference<VerticalId>> = Vec::with_capacity(body.vertical_ids.len());
    for id in &body.vertical_ids {
        verticals.push(facts::lookup::<VerticalKind, _>(unit, *id).await?);
    }
    Ok(NewAssessment {
        name: body.name.clone(),
        client,
        managed_by,
        industry_type,
        region,
        verticals,
        input_method: body.input_method,
        client_can_answer: body.client_can_answer,
        current_step: body.current_step,
        total_steps: body.total_steps,
        ble_parameters: body.ble_parameters.clone(),
        questions: facts::questions(unit, &body.vertical_ids).await?,
        approval_policy: default_policy(),
    })
}

/// Changes an assessment that is not analysed yet, or is in rework.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)), request_body = AssessmentChangesBody,
    responses((status = 200, body = AssessmentView), (status = 403), (status = 404), (status = 409), (status = 412),
        (status = 422)))]
#[put("/api/assessments/{id}/")]
pub(super) async fn update_assessment(
    call: Call,
    id: web::Path<AssessmentId>,
    body: Body<AssessmentChangesBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentEdit)?;
    seen(&call, *id, |_, _| ()).await?;
    let (id, body, version) = (*id, body.read()?, call.seen_version()?);
    call.command("assessment.update_details", async |unit| {
        unit.require_version::<Assessment>(id, version).await?;
        let held = held_name(unit, id).await?;
        let changes = changes(unit, &body).await?;
        unit.decide::<Assessment, _>(id, AssessmentCommand::UpdateDetails(Box::new(changes))).await?;
        if let (Some((client, old)), Some(new)) = (held, &body.name)
            && old.key() != new.key()
        {
            unit.claim(NAME_SCOPE, &name_key(client, new), id, name_taken).await?;
            unit.release(NAME_SCOPE, &name_key(client, &old), id).await?;
        }
        Reply::resource::<Assessment>(StatusCode::OK, unit, id).await
    })
    .await
}

async fn changes(unit: &mut Unit<'_>, body: &AssessmentChangesBody) -> Result<DetailChanges, ExecuteError> {
    let managed_by = match body.managed_by {
        Some(user) => Some(facts::manager(unit, user).await?),
        None => None,
    };
    let industry_type = match body.industry_type {
        Change::Keep => Change::Keep,
        Change::Clear => Change::Clear,
        Change::Set(id) => Change::Set(facts::lookup::<IndustryTypeKind, _>(unit, id).await?),
    };
    let region = match body.region_id {
        Change::Keep => Change::Keep,
        Change::Clear => Change::Clear,
        Change::Set(id) => Change::Set(facts::lookup::<RegionKind, _>(unit, id).await?),
    };
    let verticals = match &body.vertical_ids {
        None => None,
        Some(ids) => {
            let mut verticals = Vec::with_capacity(ids.len());
            for id in ids {
                verticals.push(facts::vertical(unit, *id).await?);
            }
            Some(verticals)
        }
    };
    Ok(DetailChanges {
        name: body.name.clone(),
        managed_by,
        industry_type,
        region,
        input_method: body.input_method,
        client_can_answer: body.client_can_answer,
        current_step: body.current_step,
        total_steps: body.total_steps,
        ble_parameters: body.ble_parameters.clone(),
        verticals,
        confirm: body.confirm,
    })
}

/// Deletes an assessment and all that came of it; its name is free again. A project in progress forbids it, unless
/// `force=true`.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path), ("force" = Option<bool>, Query)),
    responses((status = 204), (status = 403), (status = 404), (status = 409), (status = 412)))]
#[delete("/api/assessments/{id}/")]
pub(super) async fn delete_assessment(
    call: Call,
    id: web::Path<AssessmentId>,
    params: Params,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentDelete)?;
    let (id, version, force) = (*id, call.seen_version()?, params.flag("force")?.unwrap_or(false));
    call.command("assessment.delete", async |unit| {
        unit.require_version::<Assessment>(id, version).await?;
        let held = held_name(unit, id).await?;
        let has_active_project = facts::has_active_project(unit, id).await?;
        let cascade = unit.cascade()?;
        let delete = AssessmentCommand::Delete { cascade, has_active_project, force };
        unit.decide::<Assessment, _>(id, delete).await?;
        if let Some((client, name)) = held {
            unit.release(NAME_SCOPE, &name_key(client, &name), id).await?;
        }
        Ok(Reply::nothing())
    })
    .await
}

/// Brings a deleted assessment back.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)),
    responses((status = 200, body = AssessmentView), (status = 403), (status = 404), (status = 409)))]
#[post("/api/assessments/{id}/restore/")]
pub(super) async fn restore_assessment(call: Call, id: web::Path<AssessmentId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentDelete)?;
    let id = *id;
    call.command("assessment.restore", async |unit| {
        unit.decide::<Assessment, _>(id, AssessmentCommand::Restore { cascade: None }).await?;
        if let Some((client, name)) = held_name(unit, id).await? {
            unit.claim(NAME_SCOPE, &name_key(client, &name), id, name_taken).await?;
        }
        Reply::resource::<Assessment>(StatusCode::OK, unit, id).await
    })
    .await
}
