//! Whether answers hold together: those that are stored, or others over them. Nothing is stored (E27, E28).

use actix_web::{HttpResponse, get, post};
use engagement::{
    analysis::Material,
    assessment::{Assessment, AssessmentRefusal},
    benchmark_set::BenchmarkSet,
    questionnaire::ValidationResult,
};
use kernel::{AssessmentId, Role};

use super::{answers::AnswersBody, facts::LIBRARY, seen};
use crate::{
    http::{body::Body, call::Call, params::Params, permission::Permission, problem::Problem},
    journal::Refused,
};

/// Who may validate is who may answer; a reviewer may look at what is stored.
fn material(call: &Call, id: AssessmentId, assessment: &Assessment) -> Result<Option<Material>, AssessmentRefusal> {
    if call.role() != Role::Reviewer {
        assessment.answered_by(call.actor())?;
    }
    Ok(Material::of(id, assessment))
}

/// Validates off the threads that serve requests: large questionnaires take a while.
async fn validated(call: &Call, material: Material) -> Result<HttpResponse, Problem> {
    let journal = &call.tenant().journal;
    let facts = journal.read::<BenchmarkSet, _>(LIBRARY, |set, _| material.benchmark_facts(&set.benchmarks())).await?;
    let position = *journal.head().borrow();
    let result = tokio::task::spawn_blocking(move || material.validate(&facts)).await.map_err(Problem::fault)?;
    Ok(HttpResponse::Ok().insert_header(("DDC-Position", position.to_string())).json(result))
}

/// Validates answers as if they had been submitted.
#[utoipa::path(tag = "assessments", request_body = AnswersBody,
    responses((status = 200, body = ValidationResult), (status = 403), (status = 404), (status = 422)))]
#[post("/api/questionnaires/validate-answers/")]
pub(super) async fn validate_answers(call: Call, body: Body<AnswersBody>) -> Result<HttpResponse, Problem> {
    call.may(Permission::AnswersSubmit)?;
    let body = body.read()?;
    let id = body.assessment_id;
    let answers = body.submitted();
    let material = seen(&call, id, |assessment, _| {
        let material = material(&call, id, assessment).map_err(|refusal| Refused::new(&refusal))?;
        let unknown = answers.iter().position(|answer| assessment.question(answer.question).is_none());
        match unknown {
            Some(index) => Err(Refused::field(
                "UNKNOWN_QUESTION",
                &format!("answers[{index}].question_id"),
                "is no question of the assessment",
            )),
            None => Ok(material),
        }
    });
    let material = material.await??.ok_or_else(Problem::not_found)?;
    let overlay = answers.into_iter().map(|answer| (answer.question, answer.given)).collect();
    validated(&call, material.overlaid(overlay)).await
}

/// Validates what is stored, as the first step of an analysis does.
#[utoipa::path(tag = "assessments", params(("assessment_id" = AssessmentId, Query)),
    responses((status = 200, body = ValidationResult), (status = 403), (status = 404), (status = 422)))]
#[get("/api/questionnaires/validate-answers/")]
pub(super) async fn validate_stored_answers(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::AnswersValidate)?;
    let id = params.get::<AssessmentId>("assessment_id")?;
    let id = id.ok_or_else(|| Problem::field("REQUIRED", "assessment_id", "is required"))?;
    let material =
        seen(&call, id, |assessment, _| material(&call, id, assessment).map_err(|refusal| Refused::new(&refusal)));
    let material = material.await??.ok_or_else(Problem::not_found)?;
    validated(&call, material).await
}
