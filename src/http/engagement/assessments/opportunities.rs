//! The opportunities of an assessment: found by an analysis, and entered by hand (spec 12.7).

use actix_web::{HttpResponse, delete, get, http::StatusCode, post, put, web};
use engagement::{
    assessment::{Assessment, AssessmentCommand},
    business_case::{Opportunity, OpportunityChanges, OpportunityInput},
};
use kernel::{AssessmentId, OpportunityId};

use super::{seen, whole};
use crate::{
    http::{
        body::Body,
        call::{Call, Reply},
        permission::Permission,
        problem::Problem,
    },
    journal::Unit,
};

/// The opportunity as this unit leaves it.
async fn reply(
    status: StatusCode,
    unit: &mut Unit<'_>,
    id: AssessmentId,
    opportunity: OpportunityId,
) -> Result<Reply, Problem> {
    let found = |assessment: &Assessment| assessment.opportunity_book().get(opportunity).cloned();
    let opportunity = unit.read::<Assessment, _>(id, |assessment, _| found(assessment)).await?;
    let version = unit.version::<Assessment>(id).await?;
    Ok(Reply::json(status, &opportunity.ok_or_else(Problem::not_found)?)?.at_version(version))
}

/// All opportunities of an assessment, as they stand now, on one page.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)),
    responses((status = 200, body = Vec<Opportunity>), (status = 404)))]
#[get("/api/assessments/{id}/opportunities/")]
pub(super) async fn list_opportunities(call: Call, id: web::Path<AssessmentId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentRead)?;
    let all: Vec<Opportunity> = seen(&call, *id, |assessment, _| assessment.opportunities().cloned().collect()).await?;
    Ok(whole(&call, all))
}

/// Enters an opportunity by hand; its figures follow from the stored answers.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)), request_body = OpportunityInput,
    responses((status = 201, body = Opportunity), (status = 403), (status = 404), (status = 409), (status = 422)))]
#[post("/api/assessments/{id}/opportunities/")]
pub(super) async fn add_opportunity(
    call: Call,
    id: web::Path<AssessmentId>,
    body: Body<OpportunityInput>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentEdit)?;
    seen(&call, *id, |_, _| ()).await?;
    let (assessment, input) = (*id, body.read()?);
    call.command("assessment.add_opportunity", async |unit| {
        let id: OpportunityId = unit.journal().ids().next().await?;
        let add = AssessmentCommand::AddOpportunity { id, assessment, input: Box::new(input.clone()) };
        unit.decide::<Assessment, _>(assessment, add).await?;
        reply(StatusCode::CREATED, unit, assessment, id).await
    })
    .await
}

/// Changes an opportunity; what is changed by hand survives another analysis.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path), ("opportunity" = OpportunityId, Path)),
    request_body = OpportunityChanges,
    responses((status = 200, body = Opportunity), (status = 403), (status = 404), (status = 409), (status = 422)))]
#[put("/api/assessments/{id}/opportunities/{opportunity}/")]
pub(super) async fn change_opportunity(
    call: Call,
    path: web::Path<(AssessmentId, OpportunityId)>,
    body: Body<OpportunityChanges>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentEdit)?;
    let (assessment, id) = *path;
    seen(&call, assessment, |_, _| ()).await?;
    let changes = body.read()?;
    call.command("assessment.change_opportunity", async |unit| {
        let change = AssessmentCommand::ChangeOpportunity { id, changes: Box::new(changes.clone()) };
        unit.decide::<Assessment, _>(assessment, change).await?;
        reply(StatusCode::OK, unit, assessment, id).await
    })
    .await
}

/// Removes an opportunity that no costing uses; another analysis does not bring it back.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path), ("opportunity" = OpportunityId, Path)),
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
#[delete("/api/assessments/{id}/opportunities/{opportunity}/")]
pub(super) async fn remove_opportunity(
    call: Call,
    path: web::Path<(AssessmentId, OpportunityId)>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentEdit)?;
    let (assessment, id) = *path;
    call.command("assessment.remove_opportunity", async |unit| {
        unit.decide::<Assessment, _>(assessment, AssessmentCommand::RemoveOpportunity { id }).await?;
        Ok(Reply::nothing())
    })
    .await
}
