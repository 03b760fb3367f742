//! The steps of a proposal on its way to a project (spec 15.3, E37).

use actix_web::{HttpResponse, http::StatusCode, post, web};
use chrono::NaiveDate;
use engagement::{
    project::{Birth, Overrides, Project, ProjectCommand},
    proposal::{Approval, CostingFacts, Deliverable, KnownProposal, Proposal, ProposalCommand, ProposalView, Title},
    solution_costing::{CostingCommand, SolutionCosting},
};
use kernel::{ProjectId, ProposalId, SolutionCostingId, Text};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    costed::{costing_facts, costing_is_approved},
    shown::ShownProject,
};
use crate::{
    http::{
        body::Body,
        call::{Call, Reply},
        permission::Permission,
        problem::Problem,
    },
    journal::{ExecuteError, Refused, Unit},
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(submit_proposal)
        .service(approve_proposal)
        .service(reject_proposal)
        .service(withdraw_proposal)
        .service(revise_proposal);
}

/// Of one assessment opportunity there is one live project.
const OPPORTUNITY_SCOPE: &str = "project.opportunity";

/// No members.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReasonBody {
    reason: Text<1, 4000>,
}

/// What the project is to be otherwise than planned from the proposal (the seed's "Create Project Payload").
#[derive(Deserialize, ToSchema, Default, Clone)]
#[serde(default, deny_unknown_fields)]
struct ProjectBody {
    /// When given, it must be the approved one.
    proposal: Option<ProposalId>,
    name: Option<Title>,
    start_date: Option<NaiveDate>,
    end_date: Option<NaiveDate>,
    budget_limit: Option<Decimal>,
    milestones: Option<Vec<Deliverable>>,
    pm_name: Option<Text<1, 200>>,
    notes: Option<Text<1, 4000>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApprovalBody {
    /// Required of an ADMIN, who approves on behalf of the client.
    comment: Option<Text<1, 4000>>,
    project: Option<ProjectBody>,
}

/// An approved proposal and the project that was born with its approval.
#[derive(Serialize, ToSchema)]
struct Approved {
    proposal: ProposalView,
    project: ShownProject,
}

impl From<ProjectBody> for Overrides {
    fn from(body: ProjectBody) -> Self {
        Self {
            proposal: body.proposal,
            name: body.name,
            start_date: body.start_date,
            end_date: body.end_date,
            budget_limit: body.budget_limit,
            milestones: body.milestones,
            pm_name: body.pm_name,
            notes: body.notes,
        }
    }
}

/// Something of a proposal, which must still be so at the commit; 404 when there is none.
async fn of_proposal<R>(
    unit: &mut Unit<'_>,
    id: ProposalId,
    look: impl FnOnce(&KnownProposal) -> R,
) -> Result<R, Problem> {
    let seen = unit.depend::<Proposal, _>(id, |proposal, _| proposal.known().map(look)).await?;
    seen.ok_or_else(Problem::not_found)
}

async fn costing_of(unit: &mut Unit<'_>, id: ProposalId) -> Result<SolutionCostingId, Problem> {
    of_proposal(unit, id, |known| known.solution_costing_id).await
}

/// Submits a draft to the client, who from then on sees it and the costing's totals.
#[utoipa::path(tag = "proposals", params(("id" = ProposalId, Path)), request_body = Nothing,
    responses((status = 200, body = ProposalView), (status = 403), (status = 404), (status = 409), (status = 422)))]
#[post("/api/proposals/{id}/submit/")]
pub(super) async fn submit_proposal(
    call: Call,
    id: web::Path<ProposalId>,
    body: Body<Nothing>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProposalWrite)?;
    let (id, Nothing {}, seen) = (*id, body.read_or_empty()?, call.seen_version()?);
    call.command("proposal.submit", async |unit| {
        unit.require_version::<Proposal>(id, seen).await?;
        let costing = costing_of(unit, id).await?;
        let costing_is_approved = costing_is_approved(unit, costing).await?;
        unit.decide::<Proposal, _>(id, ProposalCommand::Submit { costing_is_approved }).await?;
        unit.decide::<SolutionCosting, _>(costing, CostingCommand::DiscloseTotals).await?;
        Reply::resource::<Proposal>(StatusCode::OK, unit, id).await
    })
    .await
}

/// Approves a proposal; its project is born in the same append. To approve again answers the same project.
#[utoipa::path(tag = "proposals", params(("id" = ProposalId, Path)), request_body = ApprovalBody,
    responses((status = 200, body = Approved), (status = 403), (status = 404), (status = 409), (status = 422)))]
#[post("/api/proposals/{id}/approve/")]
pub(super) async fn approve_proposal(
    call: Call,
    id: web::Path<ProposalId>,
    body: Body<ApprovalBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProposalDecide)?;
    let (id, body, seen) = (*id, body.read_or_empty()?, call.seen_version()?);
    let admin_may_approve_own = call.app().config.signals.allow_admin_self_approval;
    call.command("proposal.approve", async |unit| {
        unit.require_version::<Proposal>(id, seen).await?;
        let (costing, born) = of_proposal(unit, id, |known| (known.solution_costing_id, known.project_id)).await?;
        let facts = costing_facts(unit, costing, |_| true).await?;
        let project = match born {
            Some(project) => project,
            None => unit.journal().ids().next().await?,
        };
        let approval = Approval {
            comment: body.comment.clone(),
            project,
            costing_is_approved: facts.is_approved,
            admin_may_approve_own,
        };
        unit.decide::<Proposal, _>(id, ProposalCommand::Approve(approval)).await?;
        if born.is_none() {
            // An ADMIN may approve a draft, which was not disclosed by a submission.
            unit.decide::<SolutionCosting, _>(costing, CostingCommand::DiscloseTotals).await?;
            begin(unit, id, project, facts, body.project.clone().unwrap_or_default().into()).await?;
        }
        let proposal = unit.view::<Proposal>(id).await?.ok_or_else(Problem::not_found)?;
        let project = ShownProject::of(unit, project).await?;
        let version = unit.version::<Proposal>(id).await?;
        Ok(Reply::json(StatusCode::OK, &Approved { proposal, project })?.at_version(version))
    })
    .await
}

/// The birth of the project (spec 16.2).
async fn begin(
    unit: &mut Unit<'_>,
    proposal: ProposalId,
    project: ProjectId,
    costing: CostingFacts,
    overrides: Overrides,
) -> Result<(), Problem> {
    let content = of_proposal(unit, proposal, |known| known.content.clone()).await?;
    for opportunity in &costing.opportunities {
        take(unit, &opportunity.id.to_string(), project).await?;
    }
    let opportunity_ids = unit.journal().ids().many(costing.opportunities.len()).await?;
    let mut birth = Birth {
        proposal,
        title: content.title,
        timeline_weeks: content.timeline_weeks,
        deliverables: content.deliverables,
        costing,
        overrides,
        milestone_ids: Vec::new(),
        opportunity_ids,
    };
    birth.milestone_ids = unit.journal().ids().many(birth.milestone_count()).await?;
    unit.decide::<Project, _>(project, ProjectCommand::Create(Box::new(birth))).await?;
    Ok(())
}

/// Takes an opportunity for a project, unless a live project has it. One that is cancelled or deleted lets go of it.
async fn take(unit: &mut Unit<'_>, opportunity: &str, project: ProjectId) -> Result<(), ExecuteError> {
    if let Some(holder) = unit.holder(OPPORTUNITY_SCOPE, opportunity).await? {
        let is_live = |project: &Project| project.known().is_some_and(engagement::project::KnownProject::is_live);
        if !unit.depend::<Project, _>(&holder, |project, _| is_live(project)).await? {
            unit.release(OPPORTUNITY_SCOPE, opportunity, &holder).await?;
        }
    }
    let taken = || {
        let detail = format!("opportunity {opportunity} is in another live project");
        Refused { field: None, ..Refused::conflict("OPPORTUNITY_IN_PROJECT", "opportunities", detail) }
    };
    unit.claim(OPPORTUNITY_SCOPE, opportunity, project, taken).await
}

/// Rejects a proposal, for the client or on behalf.
#[utoipa::path(tag = "proposals", params(("id" = ProposalId, Path)), request_body = ReasonBody,
    responses((status = 200, body = ProposalView), (status = 403), (status = 404), (status = 409), (status = 422)))]
#[post("/api/proposals/{id}/reject/")]
pub(super) async fn reject_proposal(
    call: Call,
    id: web::Path<ProposalId>,
    body: Body<ReasonBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProposalDecide)?;
    let reason = body.read()?.reason;
    step(&call, "proposal.reject", *id, ProposalCommand::Reject { reason }).await
}

/// Takes a proposal back.
#[utoipa::path(tag = "proposals", params(("id" = ProposalId, Path)), request_body = ReasonBody,
    responses((status = 200, body = ProposalView), (status = 403), (status = 404), (status = 409), (status = 422)))]
#[post("/api/proposals/{id}/withdraw/")]
pub(super) async fn withdraw_proposal(
    call: Call,
    id: web::Path<ProposalId>,
    body: Body<ReasonBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProposalWrite)?;
    let reason = body.read()?.reason;
    step(&call, "proposal.withdraw", *id, ProposalCommand::Withdraw { reason }).await
}

/// Makes a draft again of a proposal that was rejected, withdrawn or is over.
#[utoipa::path(tag = "proposals", params(("id" = ProposalId, Path)), request_body = Nothing,
    responses((status = 200, body = ProposalView), (status = 403), (status = 404), (status = 409), (status = 422)))]
#[post("/api/proposals/{id}/revise/")]
pub(super) async fn revise_proposal(
    call: Call,
    id: web::Path<ProposalId>,
    body: Body<Nothing>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::ProposalWrite)?;
    let (id, Nothing {}, seen) = (*id, body.read_or_empty()?, call.seen_version()?);
    call.command("proposal.revise", async |unit| {
        unit.require_version::<Proposal>(id, seen).await?;
        let costing = costing_of(unit, id).await?;
        let costing_is_approved = costing_is_approved(unit, costing).await?;
        unit.decide::<Proposal, _>(id, ProposalCommand::Revise { costing_is_approved }).await?;
        Reply::resource::<Proposal>(StatusCode::OK, unit, id).await
    })
    .await
}

/// A step that concerns nothing but the proposal.
async fn step(
    call: &Call,
    name: &'static str,
    id: ProposalId,
    command: ProposalCommand,
) -> Result<HttpResponse, Problem> {
    let seen = call.seen_version()?;
    call.command(name, async |unit| {
        unit.require_version::<Proposal>(id, seen).await?;
        unit.decide::<Proposal, _>(id, command.clone()).await?;
        Reply::resource::<Proposal>(StatusCode::OK, unit, id).await
    })
    .await
}
