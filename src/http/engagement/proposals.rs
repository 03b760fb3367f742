//! Proposals: what is offered to a client (spec 15, E35, E36).

use actix_web::{HttpResponse, delete, get, http::StatusCode, post, put, web};
use engagement::{
    project::{Project, Stage},
    proposal::{
        Body as Prose, Deliverable, NewProposal, Proposal, ProposalChanges, ProposalCommand, ProposalStatus,
        ProposalView, Title,
    },
    solution_costing::{CostingCommand, SolutionCosting},
};
use engagement_projections::proposal_list::{self, ProposalList};
use kernel::{Change, ProposalId, SolutionCostingId, UserId};
use runtime::{
    ResourceTable,
    page::{Condition, Order},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::costed::costing_facts;
use crate::http::{
    body::{Body, set_or_keep},
    call::{Call, Reply},
    params::Params,
    permission::Permission,
    problem::Problem,
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_proposals)
        .service(create_proposal)
        .service(get_proposal)
        .service(update_proposal)
        .service(delete_proposal);
}

/// The only status that a new proposal can have.
#[derive(Deserialize, ToSchema)]
enum NewStatus {
    #[serde(rename = "DRAFT")]
    Draft,
}

/// A new proposal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProposalBody {
    /// An approved costing that has no proposal yet.
    solution_costing_id: SolutionCostingId,
    title: Title,
    #[serde(default)]
    executive_summary: Option<Prose>,
    #[serde(default)]
    scope_of_work: Option<Prose>,
    /// 1 to 260.
    timeline_weeks: i64,
    /// 1 to 365.
    validity_days: i64,
    /// Each becomes a milestone of the project; at most 100.
    #[serde(default)]
    deliverables: Vec<Deliverable>,
    #[serde(default)]
    terms_and_conditions: Option<Prose>,
    #[serde(default, rename = "status")]
    _status: Option<NewStatus>,
}

/// What is to change; absent keeps, null clears a text.
#[derive(Deserialize, ToSchema, Default)]
#[serde(default, deny_unknown_fields)]
struct ProposalChangesBody {
    title: Change<Title>,
    executive_summary: Change<Prose>,
    scope_of_work: Change<Prose>,
    timeline_weeks: Change<i64>,
    validity_days: Change<i64>,
    /// Replaces the list whole.
    #[schema(value_type = Option<Vec<String>>)]
    deliverables: Change<Vec<Deliverable>>,
    terms_and_conditions: Change<Prose>,
}

fn nothing() -> Result<Prose, Problem> {
    Prose::new("").map_err(Problem::fault)
}

/// A text after its change: a cleared one is empty.
fn prose(change: Change<Prose>) -> Result<Option<Prose>, Problem> {
    match change {
        Change::Keep => Ok(None),
        Change::Set(text) => Ok(Some(text)),
        Change::Clear => nothing().map(Some),
    }
}

impl ProposalChangesBody {
    fn changes(self) -> Result<ProposalChanges, Problem> {
        Ok(ProposalChanges {
            title: set_or_keep("title", self.title)?,
            executive_summary: prose(self.executive_summary)?,
            scope_of_work: prose(self.scope_of_work)?,
            timeline_weeks: set_or_keep("timeline_weeks", self.timeline_weeks)?,
            validity_days: set_or_keep("validity_days", self.validity_days)?,
            deliverables: match self.deliverables {
                Change::Clear => Some(Vec::new()),
                change => set_or_keep("deliverables", change)?,
            },
            terms_and_conditions: prose(self.terms_and_conditions)?,
        })
    }
}

/// Proposals, newest first: staff's own engagements; a client's, once submitted.
#[utoipa::path(tag = "proposals", params(("client" = Option<i64>, Query), ("reviewer" = Option<i64>, Query),
    ("status" = Option<ProposalStatus>, Query), ("search" = Option<String>, Query)),
    responses((status = 200), (status = 401), (status = 403)))]
#[get("/api/proposals/")]
pub(super) async fn list_proposals(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProposalRead)?;
    let sortable =
        [("title", "title", "text"), ("status", "status", "text"), ("total_value", "total_value", "numeric")];
    let list = params.list(ProposalList::NAME, Order::NEWEST, &sortable)?;
    let mut conditions = proposal_list::visible_to(call.actor(), params.flag("include_deleted")?.unwrap_or(false));
    let client = params.get::<UserId>("client")?.map(|id| Condition::Number("client_user_id", id.get()));
    let reviewer = params.get::<UserId>("reviewer")?.map(|id| Condition::Number("reviewer_id", id.get()));
    let status = params.choice::<ProposalStatus>("status")?;
    conditions.extend(client.into_iter().chain(reviewer));
    conditions.extend(status.map(|status| Condition::Text("status", status.as_str().to_owned())));
    conditions.extend(params.text("search").map(|text| Condition::Contains("title", text.to_owned())));
    call.list(ProposalList::NAME, &params, list, conditions).await
}

/// One proposal.
#[utoipa::path(tag = "proposals", params(("id" = ProposalId, Path)),
    responses((status = 200, body = ProposalView), (status = 401), (status = 404)))]
#[get("/api/proposals/{id}/")]
pub(super) async fn get_proposal(call: Call, id: web::Path<ProposalId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProposalRead)?;
    let conditions = proposal_list::visible_to(call.actor(), true);
    call.one(ProposalList::NAME, ProposalList::NAME, id.get(), conditions).await
}

/// Makes a proposal of an approved costing. The costing's own stream records the link in the same append, so that of
/// two proposals of one costing only one can come about.
#[utoipa::path(tag = "proposals", request_body = ProposalBody,
    responses((status = 201, body = ProposalView), (status = 404), (status = 409), (status = 422)))]
#[post("/api/proposals/")]
pub(super) async fn create_proposal(call: Call, body: Body<ProposalBody>) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProposalWrite)?;
    let (body, actor) = (body.read()?, call.actor());
    let empty = nothing()?;
    let or_empty = |text: &Option<Prose>| text.clone().unwrap_or_else(|| empty.clone());
    call.command("proposal.create", async |unit| {
        let id: ProposalId = unit.journal().ids().next().await?;
        let costing = body.solution_costing_id;
        let facts = costing_facts(unit, costing, |known| !known.is_deleted && known.can_see(actor)).await?;
        let new = NewProposal {
            costing: facts,
            title: body.title.clone(),
            executive_summary: or_empty(&body.executive_summary),
            scope_of_work: or_empty(&body.scope_of_work),
            timeline_weeks: body.timeline_weeks,
            validity_days: body.validity_days,
            deliverables: body.deliverables.clone(),
            terms_and_conditions: or_empty(&body.terms_and_conditions),
        };
        unit.decide::<Proposal, _>(id, ProposalCommand::Create(Box::new(new))).await?;
        unit.decide::<SolutionCosting, _>(costing, CostingCommand::LinkProposal { proposal: id }).await?;
        Reply::resource::<Proposal>(StatusCode::CREATED, unit, id).await
    })
    .await
}

/// Changes a draft.
#[utoipa::path(tag = "proposals", params(("id" = ProposalId, Path)), request_body = ProposalChangesBody,
    responses((status = 200, body = ProposalView), (status = 404), (status = 409), (status = 412), (status = 422)))]
#[put("/api/proposals/{id}/")]
pub(super) async fn update_proposal(
    call: Call,
    id: web::Path<ProposalId>,
    body: Body<ProposalChangesBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProposalWrite)?;
    let (id, changes, seen) = (*id, body.read()?.changes()?, call.seen_version()?);
    call.command("proposal.edit", async |unit| {
        unit.require_version::<Proposal>(id, seen).await?;
        unit.decide::<Proposal, _>(id, ProposalCommand::Edit(Box::new(changes.clone()))).await?;
        Reply::resource::<Proposal>(StatusCode::OK, unit, id).await
    })
    .await
}

/// Deletes a proposal; its costing may be proposed again, and its project goes with it. `?force=true` also when the
/// project is in progress.
#[utoipa::path(tag = "proposals", params(("id" = ProposalId, Path), ("force" = Option<bool>, Query)),
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
#[delete("/api/proposals/{id}/")]
pub(super) async fn delete_proposal(
    call: Call,
    id: web::Path<ProposalId>,
    params: Params,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProposalDelete)?;
    let (id, seen, force) = (*id, call.seen_version()?, params.flag("force")?.unwrap_or(false));
    call.command("proposal.delete", async |unit| {
        unit.require_version::<Proposal>(id, seen).await?;
        let facts = unit
            .depend::<Proposal, _>(id, |proposal, _| {
                proposal.known().map(|known| (known.solution_costing_id, known.project_id))
            })
            .await?;
        let (costing, project) = facts.ok_or_else(Problem::not_found)?;
        let is_active = |project: &Project| {
            project.known().is_some_and(|known| known.stage == Stage::InProgress && !known.is_deleted)
        };
        let project_is_active = match project {
            Some(project) => unit.depend::<Project, _>(project, |project, _| is_active(project)).await?,
            None => false,
        };
        let cascade_id = Some(unit.cascade()?.0.into_string());
        unit.decide::<Proposal, _>(id, ProposalCommand::Delete { cascade_id, force, project_is_active }).await?;
        unit.decide::<SolutionCosting, _>(costing, CostingCommand::UnlinkProposal { proposal: id }).await?;
        Ok(Reply::nothing())
    })
    .await
}
