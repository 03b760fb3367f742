//! What happened to an assessment.

use actix_web::{HttpResponse, get, web};
use kernel::AssessmentId;
use oversight_projections::{
    assessment_history::{self, AssessmentHistoryEntry},
    audit_log,
};
use runtime::page::{Condition, Order};

use super::seen;
use crate::http::{call::Call, params::Params, permission::Permission, problem::Problem};

/// What happened to an assessment, latest first: who did what, and what it changed.
#[utoipa::path(tag = "assessments",
    params(("id" = AssessmentId, Path), ("from" = Option<String>, Query), ("to" = Option<String>, Query)),
    responses((status = 200, body = [AssessmentHistoryEntry]), (status = 401), (status = 404), (status = 422)))]
#[get("/api/assessments/{id}/history/")]
pub(super) async fn list_history(
    call: Call,
    id: web::Path<AssessmentId>,
    params: Params,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentRead)?;
    seen(&call, *id, |_, _| ()).await?;
    let list = params.log(assessment_history::TABLE, Order::NEWEST, &[])?;
    let mut conditions = assessment_history::conditions(call.actor(), *id);
    conditions.extend(params.instant("from")?.map(|at| Condition::Since("created_at", at)));
    conditions.extend(params.instant("to")?.map(|at| Condition::Until("created_at", at)));
    call.list(audit_log::NAME, &params, list, conditions).await
}
