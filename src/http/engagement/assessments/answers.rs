//! Answers: read, and submitted (E26, spec 9.4).

use std::{collections::BTreeMap, fmt};

use actix_web::{HttpResponse, get, http::StatusCode, post, web};
use engagement::{
    analysis::Material,
    assessment::{Assessment, AssessmentCommand, SubmittedAnswer},
    questionnaire::{Answer, Completion, GivenAnswer, ValidationResult},
};
use kernel::{AssessmentId, QuestionId};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, Visitor},
};
use utoipa::ToSchema;

use super::{facts, seen, whole};
use crate::http::{
    body::Body,
    call::{Call, Reply},
    permission::Permission,
    problem::Problem,
};

/// Answers to an assessment's questions (spec 9.4).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswersBody {
    pub(super) assessment_id: AssessmentId,
    pub(super) answers: Vec<AnswerBody>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerBody {
    question_id: QuestionId,
    /// Blank or null clears the answer.
    value: Option<Plain>,
    /// By the keys of the question's parts.
    #[serde(default)]
    sub_answer: BTreeMap<String, Plain>,
}

/// What is answered, as text; a number or a truth value stands for its text.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
#[schema(value_type = String)]
struct Plain(String);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Plain;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, a number, true or false")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Plain, E> {
                Ok(Plain(text.to_owned()))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Plain, E> {
                Ok(Plain(value.to_string()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Plain, E> {
                Ok(Plain(number.to_string()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Plain, E> {
                Ok(Plain(number.to_string()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Plain, E> {
                Ok(Plain(number.to_string()))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl AnswersBody {
    /// What is submitted to the assessment.
    pub(super) fn submitted(self) -> Vec<SubmittedAnswer> {
        let given = |answer: AnswerBody| SubmittedAnswer {
            question: answer.question_id,
            given: GivenAnswer {
                value: answer.value.map(|Plain(text)| text),
                sub_answer: answer.sub_answer.into_iter().map(|(key, Plain(text))| (key, text)).collect(),
            },
        };
        self.answers.into_iter().map(given).collect()
    }
}

/// An answer as the API shows it (spec 9.2).
#[derive(Serialize, ToSchema)]
struct AnswerView {
    assessment_id: AssessmentId,
    #[serde(flatten)]
    answer: Answer,
}

/// What became of a submission.
#[derive(Serialize, ToSchema)]
struct SubmissionView {
    assessment_id: AssessmentId,
    /// How many were stored, were stored already, and were cleared.
    saved: usize,
    unchanged: usize,
    cleared: usize,
    /// Calculated questions, whose submitted values count for nothing.
    ignored: Vec<QuestionId>,
    validation: ValidationResult,
    completion: Completion,
}

/// All answers, the calculated ones too, in the order of the questions, on one page.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)),
    responses((status = 200, body = Vec<AnswerView>), (status = 404)))]
#[get("/api/assessments/{id}/answers/")]
pub(super) async fn list_answers(call: Call, id: web::Path<AssessmentId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentRead)?;
    let answers = seen(&call, *id, |assessment, _| assessment.all_answers()).await?;
    let assessment_id = *id;
    Ok(whole(&call, answers.into_iter().map(|answer| AnswerView { assessment_id, answer }).collect()))
}

/// Stores answers, all or none. What validation finds does not stop them; it stops the analysis.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)), request_body = AnswersBody,
    responses((status = 200, body = SubmissionView), (status = 403), (status = 404), (status = 409), (status = 412),
        (status = 422)))]
#[post("/api/assessments/{id}/submit-answers/")]
pub(super) async fn submit_answers(
    call: Call,
    id: web::Path<AssessmentId>,
    body: Body<AnswersBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AnswersSubmit)?;
    seen(&call, *id, |_, _| ()).await?;
    let (id, body, version) = (*id, body.read()?, call.seen_version()?);
    if body.assessment_id != id {
        return Err(Problem::field("ID_MISMATCH", "assessment_id", "is not the assessment of the path"));
    }
    let answers = body.submitted();
    call.command("assessment.submit_answers", async |unit| {
        unit.require_version::<Assessment>(id, version).await?;
        let issuer = unit.issuer();
        let (by, at) = (issuer.actor.user(), issuer.at);
        // Sorted on the very state that the assessment decides on; what cannot be sorted it refuses itself.
        let sorted = unit.depend::<Assessment, _>(id, |it, _| it.sort_answers(&answers, by, at)).await?;
        let submit = AssessmentCommand::SubmitAnswers { answers: answers.clone() };
        unit.decide::<Assessment, _>(id, submit).await?;
        let sorted = sorted.map_err(|refusal| crate::journal::Refused::new(&refusal))?;
        let material = unit.read::<Assessment, _>(id, |assessment, _| Material::of(id, assessment)).await?;
        let material = material.ok_or_else(Problem::not_found)?;
        let (benchmarks, _) = facts::benchmarks(unit, &material).await?;
        let validation = material.validate(&benchmarks);
        let view = SubmissionView {
            assessment_id: id,
            saved: sorted.saved(),
            unchanged: sorted.unchanged.len(),
            cleared: sorted.cleared(),
            ignored: sorted.ignored,
            completion: validation.completion.clone(),
            validation,
        };
        let version = unit.version::<Assessment>(id).await?;
        Ok(Reply::json(StatusCode::OK, &view)?.at_version(version))
    })
    .await
}
