//! Approval, rework, lock and reopening (spec 8.3).

use actix_web::{HttpResponse, http::StatusCode, post, web};
use engagement::assessment::{Assessment, AssessmentCommand, AssessmentView, NewComment};
use kernel::{AssessmentId, QuestionId, Text};
use serde::Deserialize;
use utoipa::ToSchema;

use super::seen;
use crate::http::{
    body::Body,
    call::{Call, Reply},
    permission::Permission,
    problem::Problem,
};

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct ApprovalBody {
    /// Required of an ADMIN, who signs instead of another.
    comment: Option<Text<1, 4000>>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct RejectionBody {
    comment_text: Option<Text<1, 4000>>,
    /// What the comment is about, if it is about one question.
    question: Option<QuestionId>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReasonBody {
    reason: Text<1, 1000>,
}

/// Has the assessment decide, and answers with it.
async fn decide(
    call: &Call,
    name: &'static str,
    id: AssessmentId,
    command: AssessmentCommand,
) -> Result<HttpResponse, Problem> {
    let version = call.seen_version()?;
    call.command(name, async |unit| {
        unit.require_version::<Assessment>(id, version).await?;
        unit.decide::<Assessment, _>(id, command.clone()).await?;
        Reply::resource::<Assessment>(StatusCode::OK, unit, id).await
    })
    .await
}

/// Gives the next signature: the reviewer's, then the client's, whose locks the assessment.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)), request_body = ApprovalBody,
    responses((status = 200, body = AssessmentView), (status = 403), (status = 404), (status = 409), (status = 412),
        (status = 422)))]
#[post("/api/assessments/{id}/approve/")]
pub(super) async fn approve_assessment(
    call: Call,
    id: web::Path<AssessmentId>,
    body: Body<ApprovalBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentDecide)?;
    seen(&call, *id, |_, _| ()).await?;
    let comment = body.read_or_empty()?.comment;
    let allow_admin_self_approval = call.app().config.signals.allow_admin_self_approval;
    let approve = AssessmentCommand::Approve { comment, allow_admin_self_approval };
    decide(&call, "assessment.approve", *id, approve).await
}

/// Sends the assessment back to rework; all signatures are void.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)), request_body = RejectionBody,
    responses((status = 200, body = AssessmentView), (status = 403), (status = 404), (status = 409), (status = 412),
        (status = 422)))]
#[post("/api/assessments/{id}/reject/")]
pub(super) async fn reject_assessment(
    call: Call,
    id: web::Path<AssessmentId>,
    body: Body<RejectionBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentDecide)?;
    seen(&call, *id, |_, _| ()).await?;
    let RejectionBody { comment_text, question } = body.read_or_empty()?;
    let mut comments = Vec::new();
    if let Some(text) = comment_text {
        comments.push(NewComment { id: call.tenant().journal.ids().next().await?, question, text });
    }
    decide(&call, "assessment.reject", *id, AssessmentCommand::Reject { comments }).await
}

/// Locks the assessment without the signatures that are missing.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)), request_body = ReasonBody,
    responses((status = 200, body = AssessmentView), (status = 403), (status = 404), (status = 409), (status = 412),
        (status = 422)))]
#[post("/api/assessments/{id}/lock/")]
pub(super) async fn lock_assessment(
    call: Call,
    id: web::Path<AssessmentId>,
    body: Body<ReasonBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentLock)?;
    seen(&call, *id, |_, _| ()).await?;
    let reason = body.read()?.reason;
    decide(&call, "assessment.lock", *id, AssessmentCommand::Lock { reason }).await
}

/// Opens a locked assessment for rework.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)), request_body = ReasonBody,
    responses((status = 200, body = AssessmentView), (status = 403), (status = 404), (status = 409), (status = 412),
        (status = 422)))]
#[post("/api/assessments/{id}/reopen/")]
pub(super) async fn reopen_assessment(
    call: Call,
    id: web::Path<AssessmentId>,
    body: Body<ReasonBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentLock)?;
    seen(&call, *id, |_, _| ()).await?;
    let reason = body.read()?.reason;
    decide(&call, "assessment.reopen", *id, AssessmentCommand::Reopen { reason }).await
}
