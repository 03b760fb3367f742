//! What participants say about an assessment (E23, spec 8.4).

use actix_web::{HttpResponse, get, http::StatusCode, post, web};
use engagement::assessment::{Assessment, AssessmentCommand, NewComment};
use engagement_projections::assessment_comments::{self, CommentView};
use kernel::{AssessmentId, CommentId, QuestionId, Text};
use runtime::page::{Condition, Order};
use serde::Deserialize;
use utoipa::ToSchema;

use super::seen;
use crate::{
    http::{
        body::Body,
        call::{Call, Reply},
        params::Params,
        permission::Permission,
        problem::Problem,
    },
    journal::Unit,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CommentBody {
    question: Option<QuestionId>,
    comment_text: Text<1, 4000>,
    /// The comment that this one answers.
    parent_id: Option<CommentId>,
}

/// The comment as this unit leaves it.
async fn reply(
    status: StatusCode,
    unit: &mut Unit<'_>,
    id: AssessmentId,
    comment: CommentId,
) -> Result<Reply, Problem> {
    let found = |assessment: &Assessment| assessment.comments().iter().find(|one| one.id == comment).cloned();
    let comment = unit.read::<Assessment, _>(id, |assessment, _| found(assessment)).await?;
    let comment = comment.ok_or_else(Problem::not_found)?;
    let version = unit.version::<Assessment>(id).await?;
    Ok(Reply::json(status, &CommentView { assessment_id: id.get(), comment })?.at_version(version))
}

/// The comments on an assessment, newest first.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)), responses((status = 200), (status = 404)))]
#[get("/api/assessments/{id}/comments/")]
pub(super) async fn list_comments(
    call: Call,
    id: web::Path<AssessmentId>,
    params: Params,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentRead)?;
    seen(&call, *id, |_, _| ()).await?;
    let list = params.list(assessment_comments::NAME, Order::NEWEST, &[])?;
    let conditions = vec![Condition::Number("assessment_id", id.get())];
    call.list(assessment_comments::NAME, &params, list, conditions).await
}

/// Says something about an assessment, or about one of its questions, or answers another comment.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)), request_body = CommentBody,
    responses((status = 201, body = CommentView), (status = 404), (status = 409), (status = 422)))]
#[post("/api/assessments/{id}/comments/")]
pub(super) async fn add_comment(
    call: Call,
    id: web::Path<AssessmentId>,
    body: Body<CommentBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentComment)?;
    seen(&call, *id, |_, _| ()).await?;
    let (id, body) = (*id, body.read()?);
    call.command("assessment.add_comment", async |unit| {
        let comment: CommentId = unit.journal().ids().next().await?;
        let new = NewComment { id: comment, question: body.question, text: body.comment_text.clone() };
        let add = AssessmentCommand::AddComment { comment: new, parent: body.parent_id };
        unit.decide::<Assessment, _>(id, add).await?;
        reply(StatusCode::CREATED, unit, id, comment).await
    })
    .await
}

/// Settles a comment. Staff settle any, a client only his own.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path), ("comment" = CommentId, Path)),
    responses((status = 200, body = CommentView), (status = 403), (status = 404), (status = 409)))]
#[post("/api/assessments/{id}/comments/{comment}/resolve/")]
pub(super) async fn resolve_comment(
    call: Call,
    path: web::Path<(AssessmentId, CommentId)>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentComment)?;
    let (id, comment) = *path;
    call.command("assessment.resolve_comment", async |unit| {
        unit.decide::<Assessment, _>(id, AssessmentCommand::ResolveComment { comment }).await?;
        reply(StatusCode::OK, unit, id, comment).await
    })
    .await
}
