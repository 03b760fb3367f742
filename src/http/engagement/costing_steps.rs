//! The steps of a costing's life: priced anew, handed in, judged by a second person, taken up again, put away.

use actix_web::{HttpResponse, http::StatusCode, post, web};
use engagement::{
    assessment::{Assessment, AssessmentCommand},
    pricing::{CostedOpportunity, Work},
    solution_costing::{CostingCommand, CostingView, KnownCosting, Repricing, SolutionCosting},
};
use kernel::{AssessmentId, OpportunityId, RateCardId, SolutionCostingId, SolutionRateCardId, Text};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    costing_facts,
    price_facts::{self, PricedPlace},
    solution_costings::{claim, release},
};
use crate::{
    http::{
        body::Body,
        call::{Call, Reply},
        permission::Permission,
        problem::Problem,
    },
    journal::{ExecuteError, Unit},
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(reprice_costing)
        .service(submit_costing)
        .service(approve_costing)
        .service(reject_costing)
        .service(revise_costing)
        .service(archive_costing);
}

/// Nothing needs to be said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NothingBody {}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RejectionBody {
    reason: Text<1, 4000>,
}

/// Cards to price with from now on; absent are those that it is priced with, as they are now.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RepricingBody {
    rate_card: Option<RateCardId>,
    solution_rate_card: Option<SolutionRateCardId>,
}

/// One step of the costing's life that needs to know nothing; what it means for the assessment follows.
async fn step(
    call: &Call,
    name: &'static str,
    id: SolutionCostingId,
    command: CostingCommand,
    follows: impl AsyncFn(&mut Unit<'_>, SolutionCostingId) -> Result<(), ExecuteError>,
) -> Result<HttpResponse, Problem> {
    let seen = call.seen_version()?;
    call.command(name, async |unit| {
        costing_facts::seen(unit, id, |_| ()).await?;
        unit.require_version::<SolutionCosting>(id, seen).await?;
        unit.decide::<SolutionCosting, _>(id, command.clone()).await?;
        follows(unit, id).await?;
        Reply::resource::<SolutionCosting>(StatusCode::OK, unit, id).await
    })
    .await
}

async fn nothing_follows(_: &mut Unit<'_>, _: SolutionCostingId) -> Result<(), ExecuteError> {
    Ok(())
}

/// Hands a draft in for approval.
#[utoipa::path(tag = "costings", params(("id" = SolutionCostingId, Path)),
    responses((status = 200, body = CostingView), (status = 403), (status = 404), (status = 409), (status = 422)))]
#[post("/api/solution_costing/{id}/submit/")]
async fn submit_costing(
    call: Call,
    id: web::Path<SolutionCostingId>,
    body: Body<NothingBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::CostingWrite)?;
    body.read_or_empty()?;
    step(&call, "solution_costing.submit", *id, CostingCommand::Submit, nothing_follows).await
}

/// Approves a costing; never one's own.
#[utoipa::path(tag = "costings", params(("id" = SolutionCostingId, Path)),
    responses((status = 200, body = CostingView), (status = 403), (status = 404), (status = 409)))]
#[post("/api/solution_costing/{id}/approve/")]
async fn approve_costing(
    call: Call,
    id: web::Path<SolutionCostingId>,
    body: Body<NothingBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::CostingDecide)?;
    body.read_or_empty()?;
    let (id, seen) = (*id, call.seen_version()?);
    let admin_may_approve_own = call.app().config.signals.allow_admin_self_approval;
    call.command("solution_costing.approve", async |unit| {
        let assessment = costing_facts::seen(unit, id, |known| known.assessment_id).await?;
        unit.require_version::<SolutionCosting>(id, seen).await?;
        let assessment_is_in_rework = costing_facts::is_in_rework(unit, assessment).await?;
        let approve = CostingCommand::Approve { assessment_is_in_rework, admin_may_approve_own };
        unit.decide::<SolutionCosting, _>(id, approve).await?;
        unit.decide::<Assessment, _>(assessment, AssessmentCommand::RecordCostingApproval { costing: id }).await?;
        Reply::resource::<SolutionCosting>(StatusCode::OK, unit, id).await
    })
    .await
}

/// Sends a costing back with the reason.
#[utoipa::path(tag = "costings", params(("id" = SolutionCostingId, Path)), request_body = RejectionBody,
    responses((status = 200, body = CostingView), (status = 403), (status = 404), (status = 409), (status = 422)))]
#[post("/api/solution_costing/{id}/reject/")]
async fn reject_costing(
    call: Call,
    id: web::Path<SolutionCostingId>,
    body: Body<RejectionBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::CostingDecide)?;
    let reject = CostingCommand::Reject { reason: body.read()?.reason };
    step(&call, "solution_costing.reject", *id, reject, release).await
}

/// Takes a rejected costing up again, and claims its opportunities again.
#[utoipa::path(tag = "costings", params(("id" = SolutionCostingId, Path)),
    responses((status = 200, body = CostingView), (status = 403), (status = 404), (status = 409)))]
#[post("/api/solution_costing/{id}/revise/")]
async fn revise_costing(
    call: Call,
    id: web::Path<SolutionCostingId>,
    body: Body<NothingBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::CostingWrite)?;
    body.read_or_empty()?;
    step(&call, "solution_costing.revise", *id, CostingCommand::Revise, claim).await
}

/// Puts an approved costing that was not proposed away.
#[utoipa::path(tag = "costings", params(("id" = SolutionCostingId, Path)),
    responses((status = 200, body = CostingView), (status = 403), (status = 404), (status = 409)))]
#[post("/api/solution_costing/{id}/archive/")]
async fn archive_costing(
    call: Call,
    id: web::Path<SolutionCostingId>,
    body: Body<NothingBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::CostingArchive)?;
    body.read_or_empty()?;
    step(&call, "solution_costing.archive", *id, CostingCommand::Archive, release).await
}

/// Prices a draft anew, with everything as it is now.
#[utoipa::path(tag = "costings", params(("id" = SolutionCostingId, Path)), request_body = RepricingBody,
    responses((status = 200, body = CostingView), (status = 403), (status = 404), (status = 409), (status = 412), (status = 422)))]
#[post("/api/solution_costing/{id}/reprice/")]
async fn reprice_costing(
    call: Call,
    id: web::Path<SolutionCostingId>,
    body: Body<RepricingBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::CostingWrite)?;
    let (id, body, seen) = (*id, body.read_or_empty()?, call.seen_version()?);
    call.command("solution_costing.reprice", async |unit| {
        let was = costing_facts::seen(unit, id, Priced::of).await?;
        unit.require_version::<SolutionCosting>(id, seen).await?;
        let repricing = repricing(unit, was, &body).await?;
        unit.decide::<SolutionCosting, _>(id, CostingCommand::Reprice(Box::new(repricing))).await?;
        Reply::resource::<SolutionCosting>(StatusCode::OK, unit, id).await
    })
    .await
}

/// What a costing is priced with, by name.
struct Priced {
    place: PricedPlace,
    assessment: AssessmentId,
    rate_card: RateCardId,
    solution_rate_card: Option<SolutionRateCardId>,
    work: Vec<Work>,
    opportunities: Vec<OpportunityId>,
    parameters: engagement::business_case::Parameters,
}

impl Priced {
    fn of(known: &KnownCosting) -> Self {
        Self {
            place: PricedPlace::of(known),
            assessment: known.assessment_id,
            rate_card: known.with.rate_card.id,
            solution_rate_card: known.parameters.solution_rate_card.as_ref().map(|card| card.id),
            work: known.lines.iter().map(|line| line.input.work.clone()).collect(),
            opportunities: known.opportunity_ids(),
            parameters: known.with.parameters.clone(),
        }
    }
}

async fn repricing(unit: &mut Unit<'_>, was: Priced, body: &RepricingBody) -> Result<Repricing, ExecuteError> {
    let rate_card = costing_facts::rate_card(unit, body.rate_card.unwrap_or(was.rate_card)).await?;
    let solution_rate_card = match body.solution_rate_card.or(was.solution_rate_card) {
        Some(card) => Some(costing_facts::solution_rate_card(unit, card).await?),
        None => None,
    };
    let (mut roles, mut components) = (Vec::new(), Vec::new());
    for work in &was.work {
        match work {
            Work::Role { role, .. } => roles.extend(price_facts::role(unit, role.role).await?),
            Work::Component { component, .. } => {
                components.extend(price_facts::component(unit, component.id).await?);
            }
        }
    }
    let cards = price_facts::cards_in_force(unit, was.place.in_currency_of(&rate_card)).await?;
    let found = costing_facts::opportunities(unit, &[was.assessment], &was.opportunities, None).await?;
    let opportunities = found
        .into_iter()
        .filter_map(|one| one.found.map(|found| CostedOpportunity { id: one.id, gross_savings: found.gross_savings }));
    let opportunities = opportunities.collect();
    let assessment = costing_facts::assessment(unit, was.assessment, rate_card.region).await?;
    let parameters = assessment.map_or(was.parameters, |assessment| assessment.parameters);
    Ok(Repricing { rate_card, solution_rate_card, cards, roles, components, opportunities, parameters })
}
