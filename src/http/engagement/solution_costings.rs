//! Costings: what the opportunities of an assessment cost to realise, from the draft to the second person's approval.

use actix_web::{HttpResponse, delete, get, http::StatusCode, post, put, web};
use engagement::{
    assessment::{Assessment, AssessmentCommand},
    solution_costing::{CostingCommand, CostingView, KnownCosting, NewCosting, ParameterChanges, SolutionCosting},
};
use engagement_projections::{
    opportunity_place,
    solution_costing_list::{self, SolutionCostingList},
};
use kernel::{AssessmentId, Change, OpportunityId, RateCardId, SolutionCostingId, SolutionRateCardId, Text};
use runtime::{
    ResourceTable,
    page::{Condition, Order},
};
use rust_decimal::Decimal;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::costing_facts;
use crate::{
    http::{
        body::Body,
        call::{Call, Reply},
        params::Params,
        permission::Permission,
        problem::Problem,
    },
    journal::{ExecuteError, Unit},
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_costings)
        .service(get_costing)
        .service(create_costing)
        .service(update_costing)
        .service(delete_costing);
}

/// A new costing of opportunities of one assessment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CostingBody {
    name: Text<1, 200>,
    assessment_opportunities: Vec<OpportunityId>,
    rate_card: RateCardId,
    solution_rate_card: Option<SolutionRateCardId>,
    /// The approved costing whose place it is to take.
    supersedes_id: Option<SolutionCostingId>,
}

/// What is to change; absent keeps, null clears: a percentage is the solution rate card's again, the years are the
/// assessment's.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct ParametersBody {
    name: Option<Text<1, 200>>,
    pmo_percentage: Change<Decimal>,
    support_percentage: Change<Decimal>,
    support_years_in_price: Change<Decimal>,
    number_of_bots: Change<u32>,
    number_of_processes: Change<u32>,
    duration_months: Change<Decimal>,
    solution_rate_card: Change<SolutionRateCardId>,
}

/// Costings, newest first. A client sees the totals of those that were offered to it.
#[utoipa::path(tag = "costings", responses((status = 200), (status = 401), (status = 403)))]
#[get("/api/solution_costing/")]
async fn list_costings(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::CostingRead)?;
    let table = solution_costing_list::table_of(call.actor());
    let list = params.list(table, Order::NEWEST, &[("name", "name", "text")])?;
    let include_deleted = params.flag("include_deleted")?.unwrap_or(false);
    let mut conditions = solution_costing_list::visible_to(call.actor(), include_deleted);
    for (name, column) in [("assessment", "assessment_id"), ("client", "client_user_id"), ("rate_card", "rate_card")] {
        conditions.extend(params.get::<i64>(name)?.map(|id| Condition::Number(column, id)));
    }
    conditions.extend(params.text("status").map(|status| Condition::Text("status", status.to_uppercase())));
    conditions.extend(params.text("search").map(|text| Condition::Contains("name", text.to_owned())));
    call.list(SolutionCostingList::NAME, &params, list, conditions).await
}

/// One costing; for a client its totals, once a proposal was sent.
#[utoipa::path(tag = "costings", params(("id" = SolutionCostingId, Path)),
    responses((status = 200, body = CostingView), (status = 404)))]
#[get("/api/solution_costing/{id}/")]
async fn get_costing(call: Call, id: web::Path<SolutionCostingId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::CostingRead)?;
    let table = solution_costing_list::table_of(call.actor());
    let conditions = solution_costing_list::visible_to(call.actor(), true);
    call.one(SolutionCostingList::NAME, table, id.get(), conditions).await
}

/// The assessments that the opportunities are of: the read model tells only where to look, up to the last event.
async fn places(call: &Call, opportunities: &[OpportunityId]) -> Result<Vec<AssessmentId>, Problem> {
    call.caught_up(opportunity_place::NAME).await?;
    let found = opportunity_place::assessments_of(&call.tenant().pool, opportunities).await?;
    Ok(found.into_iter().filter_map(|id| id.try_into().ok()).collect())
}

/// Creates a costing, which claims its opportunities in the same append.
#[utoipa::path(tag = "costings", request_body = CostingBody,
    responses((status = 201, body = CostingView), (status = 403), (status = 404), (status = 409), (status = 422)))]
#[post("/api/solution_costing/")]
async fn create_costing(call: Call, body: Body<CostingBody>) -> Result<HttpResponse, Problem> {
    call.may(Permission::CostingWrite)?;
    let body = body.read()?;
    if body.assessment_opportunities.is_empty() {
        return Err(Problem::field("BAD_OPPORTUNITIES", "assessment_opportunities", "must name at least one"));
    }
    let places = places(&call, &body.assessment_opportunities).await?;
    call.command("solution_costing.create", async |unit| {
        let id: SolutionCostingId = unit.journal().ids().next().await?;
        let named = &body.assessment_opportunities;
        let opportunities = costing_facts::opportunities(unit, &places, named, body.supersedes_id).await?;
        let place = opportunities.iter().find_map(|one| one.found.as_ref()).map(|found| found.assessment);
        let place = place.ok_or_else(Problem::not_found)?;
        let rate_card = costing_facts::rate_card(unit, body.rate_card).await?;
        let assessment = costing_facts::assessment(unit, place, rate_card.region).await?;
        let solution_rate_card = match body.solution_rate_card {
            Some(card) => Some(costing_facts::solution_rate_card(unit, card).await?),
            None => None,
        };
        let supersedes = match body.supersedes_id {
            Some(old) => Some(costing_facts::superseded(unit, old, place).await?),
            None => None,
        };
        let costing = NewCosting {
            name: body.name.clone(),
            assessment: assessment.ok_or_else(Problem::not_found)?,
            opportunities,
            rate_card,
            solution_rate_card,
            supersedes,
        };
        unit.decide::<SolutionCosting, _>(id, CostingCommand::Create(Box::new(costing))).await?;
        claim(unit, id).await?;
        Reply::resource::<SolutionCosting>(StatusCode::CREATED, unit, id).await
    })
    .await
}

/// Sets the parameters of a draft.
#[utoipa::path(tag = "costings", params(("id" = SolutionCostingId, Path)), request_body = ParametersBody,
    responses((status = 200, body = CostingView), (status = 403), (status = 404), (status = 409), (status = 412), (status = 422)))]
#[put("/api/solution_costing/{id}/")]
async fn update_costing(
    call: Call,
    id: web::Path<SolutionCostingId>,
    body: Body<ParametersBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::CostingWrite)?;
    let (id, body, seen) = (*id, body.read()?, call.seen_version()?);
    call.command("solution_costing.set_parameters", async |unit| {
        costing_facts::seen(unit, id, |_| ()).await?;
        unit.require_version::<SolutionCosting>(id, seen).await?;
        let solution_rate_card = match body.solution_rate_card {
            Change::Keep => Change::Keep,
            Change::Clear => Change::Clear,
            Change::Set(card) => Change::Set(costing_facts::solution_rate_card(unit, card).await?),
        };
        let changes = ParameterChanges {
            name: body.name.clone(),
            pmo_percentage: body.pmo_percentage,
            support_percentage: body.support_percentage,
            support_years_in_price: body.support_years_in_price,
            number_of_bots: body.number_of_bots,
            number_of_processes: body.number_of_processes,
            duration_months: body.duration_months,
            solution_rate_card,
        };
        unit.decide::<SolutionCosting, _>(id, CostingCommand::SetParameters(Box::new(changes))).await?;
        Reply::resource::<SolutionCosting>(StatusCode::OK, unit, id).await
    })
    .await
}

/// Deletes a costing; its opportunities can be costed anew.
#[utoipa::path(tag = "costings", params(("id" = SolutionCostingId, Path)),
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
#[delete("/api/solution_costing/{id}/")]
async fn delete_costing(call: Call, id: web::Path<SolutionCostingId>, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::CostingWrite)?;
    let (id, force, seen) = (*id, params.flag("force")?.unwrap_or(false), call.seen_version()?);
    call.command("solution_costing.delete", async |unit| {
        let proposal = costing_facts::seen(unit, id, |known| known.proposal_id).await?;
        let project_is_active = costing_facts::project_is_active(unit, proposal).await?;
        unit.require_version::<SolutionCosting>(id, seen).await?;
        let cascade_id = Some(unit.cascade()?.0);
        unit.decide::<SolutionCosting, _>(id, CostingCommand::Delete { cascade_id, force, project_is_active }).await?;
        release(unit, id).await?;
        Ok(Reply::nothing())
    })
    .await
}

/// Has the assessment keep the costing's opportunities for it.
pub(super) async fn claim(unit: &mut Unit<'_>, id: SolutionCostingId) -> Result<(), ExecuteError> {
    let look = |known: &KnownCosting| {
        let opportunities = known.opportunity_ids().into_iter().collect();
        let claim =
            AssessmentCommand::ClaimOpportunities { costing: id, opportunities, supersedes: known.supersedes_id };
        (known.assessment_id, claim)
    };
    let claim = unit.read::<SolutionCosting, _>(id, |costing, _| costing.known().map(look)).await?;
    let Some((assessment, claim)) = claim else { return Ok(()) };
    unit.decide::<Assessment, _>(assessment, claim).await
}

/// Has the assessment give the costing's opportunities free.
pub(super) async fn release(unit: &mut Unit<'_>, id: SolutionCostingId) -> Result<(), ExecuteError> {
    let look = |costing: &SolutionCosting| costing.known().map(|known| known.assessment_id);
    let Some(assessment) = unit.read::<SolutionCosting, _>(id, |costing, _| look(costing)).await? else {
        return Ok(());
    };
    unit.decide::<Assessment, _>(assessment, AssessmentCommand::ReleaseOpportunities { costing: id }).await
}
