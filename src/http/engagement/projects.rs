//! Projects: what was approved, under way (spec 16, E38 to E40).

use actix_web::{
    HttpResponse, get,
    http::{StatusCode, header},
    post, put, web,
};
use chrono::{NaiveDate, Utc};
use engagement::{
    earned_value::{DeliveryStatus, Variance},
    project::{DetailsChange, Project, ProjectCommand, Stage, StatusChange},
    proposal::{Deliverable, Title},
};
use engagement_projections::project_list::{self, ProjectList};
use kernel::{Change, ProjectId, ProposalId, Text, UserId};
use runtime::{
    ResourceTable,
    page::{Condition, Order},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::shown::{Found, ShownProject};
use crate::http::{
    body::{Body, set_or_keep},
    call::Call,
    params::Params,
    permission::Permission,
    problem::Problem,
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_projects)
        .service(create_project)
        .service(get_project)
        .service(update_project)
        .service(change_project_status)
        .service(get_project_variance);
}

/// What is to change; absent keeps, null clears what can be empty.
#[derive(Deserialize, ToSchema, Default)]
#[serde(default, deny_unknown_fields)]
struct ProjectChangesBody {
    /// When given, it must be the project's own.
    proposal: Change<ProposalId>,
    name: Change<Title>,
    start_date: Change<NaiveDate>,
    end_date: Change<NaiveDate>,
    budget_limit: Change<Decimal>,
    /// Replaces the list whole; milestones of the same name are kept with their progress.
    #[schema(value_type = Option<Vec<String>>)]
    milestones: Change<Vec<Deliverable>>,
    pm_name: Change<Text<1, 200>>,
    notes: Change<Text<1, 4000>>,
}

/// A new stage, a delivery status set by hand (which pins it), or `auto: true` to let go of the pin.
#[derive(Deserialize, ToSchema, Default)]
#[serde(default, deny_unknown_fields)]
struct StatusBody {
    stage: Option<Stage>,
    delivery_status: Option<DeliveryStatus>,
    auto: bool,
    reason: Option<Text<1, 4000>>,
    /// An ADMIN completes a project with open milestones.
    force: bool,
}

impl ProjectChangesBody {
    fn change(self) -> Result<DetailsChange, Problem> {
        Ok(DetailsChange {
            proposal: set_or_keep("proposal", self.proposal)?,
            name: set_or_keep("name", self.name)?,
            start_date: set_or_keep("start_date", self.start_date)?,
            end_date: set_or_keep("end_date", self.end_date)?,
            budget_limit: set_or_keep("budget_limit", self.budget_limit)?,
            milestones: match self.milestones {
                Change::Clear => Some(Vec::new()),
                change => set_or_keep("milestones", change)?,
            },
            milestone_ids: Vec::new(),
            pm_name: self.pm_name,
            notes: self.notes,
        })
    }
}

/// What is shown as of a position and a version.
fn answer(found: &Found, body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("DDC-Position", found.position.to_string()))
        .insert_header((header::ETAG, format!("\"{}\"", found.version())))
        .json(body)
}

/// Projects, newest first.
#[utoipa::path(tag = "projects", params(("stage" = Option<Stage>, Query),
    ("delivery_status" = Option<DeliveryStatus>, Query), ("client" = Option<i64>, Query),
    ("search" = Option<String>, Query)), responses((status = 200), (status = 401), (status = 403)))]
#[get("/api/projects/")]
pub(super) async fn list_projects(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProjectRead)?;
    let sortable = [
        ("name", "name", "text"),
        ("stage", "stage", "text"),
        ("start_date", "start_date", "date"),
        ("end_date", "end_date", "date"),
        ("budget_limit", "budget_limit", "numeric"),
    ];
    let list = params.list(ProjectList::NAME, Order::NEWEST, &sortable)?;
    let mut conditions = project_list::visible_to(call.actor(), params.flag("include_deleted")?.unwrap_or(false));
    let text_of = |name: &'static str| params.text(name).map(|text| Condition::Text(name, text.to_owned()));
    conditions.extend(params.choice::<Stage>("stage")?.and_then(|_| text_of("stage")));
    conditions.extend(params.choice::<DeliveryStatus>("delivery_status")?.and_then(|_| text_of("delivery_status")));
    let client = params.get::<UserId>("client")?;
    conditions.extend(client.map(|id| Condition::Number("client_user_id", id.get())));
    conditions.extend(params.text("search").map(|text| Condition::Contains("name", text.to_owned())));
    call.list(ProjectList::NAME, &params, list, conditions).await
}

/// One project, with its tracking numbers as of today.
#[utoipa::path(tag = "projects", params(("id" = ProjectId, Path)),
    responses((status = 200, body = ShownProject), (status = 401), (status = 404)))]
#[get("/api/projects/{id}/")]
pub(super) async fn get_project(call: Call, id: web::Path<ProjectId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProjectRead)?;
    let found = Found::by(&call, *id).await?;
    Ok(answer(&found, &found.shown(Utc::now().date_naive())?))
}

/// Plan against actual, of cost and savings, for each opportunity and in total.
#[utoipa::path(tag = "projects", params(("id" = ProjectId, Path)),
    responses((status = 200, body = Variance), (status = 401), (status = 404)))]
#[get("/api/projects/{id}/variance/")]
pub(super) async fn get_project_variance(call: Call, id: web::Path<ProjectId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProjectRead)?;
    let found = Found::by(&call, *id).await?;
    Ok(answer(&found, &found.known()?.variance()))
}

/// Nobody makes a project by hand: it is born with the approval of its proposal.
#[utoipa::path(tag = "projects", responses((status = 401), (status = 405)))]
#[post("/api/projects/")]
pub(super) async fn create_project(_: Call) -> Result<HttpResponse, Problem> {
    let detail = "a project is made by the approval of its proposal, and in no other way";
    Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "PROJECT_CREATION_AUTOMATIC", detail))
}

/// Changes a project's plan.
#[utoipa::path(tag = "projects", params(("id" = ProjectId, Path)), request_body = ProjectChangesBody,
    responses((status = 200, body = ShownProject), (status = 403), (status = 404), (status = 409), (status = 412), (status = 422)))]
#[put("/api/projects/{id}/")]
pub(super) async fn update_project(
    call: Call,
    id: web::Path<ProjectId>,
    body: Body<ProjectChangesBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProjectWrite)?;
    let (id, change, seen) = (*id, body.read()?.change()?, call.seen_version()?);
    call.command("project.change_details", async |unit| {
        unit.require_version::<Project>(id, seen).await?;
        let milestone_ids = unit.journal().ids().many(change.milestone_count()).await?;
        let change = DetailsChange { milestone_ids, ..change.clone() };
        unit.decide::<Project, _>(id, ProjectCommand::ChangeDetails(Box::new(change))).await?;
        ShownProject::reply(unit, id).await
    })
    .await
}

/// Changes a project's stage or delivery status.
#[utoipa::path(tag = "projects", params(("id" = ProjectId, Path)), request_body = StatusBody,
    responses((status = 200, body = ShownProject), (status = 403), (status = 404), (status = 409), (status = 412), (status = 422)))]
#[put("/api/projects/{id}/status/")]
pub(super) async fn change_project_status(
    call: Call,
    id: web::Path<ProjectId>,
    body: Body<StatusBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProjectWrite)?;
    let (id, body, seen) = (*id, body.read()?, call.seen_version()?);
    let StatusBody { stage, delivery_status, auto, reason, force } = body;
    let change = StatusChange { stage, delivery_status, auto, reason, force };
    call.command("project.change_status", async |unit| {
        unit.require_version::<Project>(id, seen).await?;
        unit.decide::<Project, _>(id, ProjectCommand::ChangeStatus(change.clone())).await?;
        ShownProject::reply(unit, id).await
    })
    .await
}
