//! Questions and validation rules.

use actix_web::{HttpResponse, get};
use engagement::{
    assessment::Assessment,
    questionnaire::{Question, ValidationRule},
};
use engagement_projections::{
    ItemTable,
    question_list::{self, QuestionList},
    validation_rule_list::ValidationRuleList,
};
use kernel::AssessmentId;
use runtime::page::{Condition, Order};

use super::{of_place, place, switched};
use crate::{
    http::{call::Call, params::Params, permission::Permission, problem::Problem},
    imports::codes::Place,
};

/// Questions in bank order: of the bank, or those that an assessment was created with.
#[utoipa::path(tag = "library", params(
        ("vertical" = Option<String>, Query, description = "id or code"), ("section" = Option<String>, Query),
        ("is_active" = Option<bool>, Query), ("assessment_id" = Option<i64>, Query), ("search" = Option<String>, Query)),
    responses((status = 200, body = [Question]), (status = 401), (status = 404)))]
#[get("/api/questionnaires/questions/")]
pub(super) async fn list_questions(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::QuestionRead)?;
    let vertical = place(&call, &params, "vertical", Place::Vertical).await?;
    if let Some(assessment) = params.get::<AssessmentId>("assessment_id")? {
        return of_assessment(&call, &params, assessment, vertical).await;
    }
    let list = params.list(QuestionList::NAME, question_list::ORDER, &[("code", "code", "text")])?;
    let mut conditions = switched(&call, &params)?;
    conditions.extend(of_place("vertical_id", vertical));
    conditions.extend(params.text("section").map(|text| Condition::TextIgnoringCase("section", text.to_owned())));
    conditions.extend(params.text("search").map(|text| {
        Condition::Any(vec![Condition::Contains("code", text.to_owned()), Condition::Contains("text", text.to_owned())])
    }));
    call.list(QuestionList::NAME, &params, list, conditions).await
}

/// From the assessment itself, which alone knows who may see it.
async fn of_assessment(
    call: &Call,
    params: &Params,
    id: AssessmentId,
    vertical: Option<Option<i64>>,
) -> Result<HttpResponse, Problem> {
    let section = params.text("section").map(str::to_lowercase);
    let is_active = params.flag("is_active")?;
    let search = params.text("search").map(str::to_lowercase);
    let wanted = |question: &&Question| {
        vertical.is_none_or(|id| id.is_some() && id == question.vertical_id().map(Into::into))
            && section.as_ref().is_none_or(|wanted| question.section.as_ref().is_some_and(|is| is.key() == *wanted))
            && is_active.is_none_or(|wanted| wanted == question.is_active)
            && search
                .as_ref()
                .is_none_or(|part| question.code.key().contains(part) || question.text.to_lowercase().contains(part))
    };
    let actor = call.actor();
    let found = call
        .tenant()
        .journal
        .read::<Assessment, _>(id, |assessment, _| {
            let questions = assessment.questions().questions.iter();
            assessment.can_see(actor).then(|| questions.filter(wanted).cloned().collect::<Vec<Question>>())
        })
        .await?;
    let questions = found.ok_or_else(Problem::not_found)?;
    let list = params.list(QuestionList::NAME, question_list::ORDER, &[])?;
    let rows = questions.iter().map(|question| {
        let body = serde_json::to_string(question).map_err(Problem::fault)?;
        Ok((i64::from(question.id), body))
    });
    let page = list.of(rows.collect::<Result<_, Problem>>()?);
    let position = *call.tenant().journal.head().borrow();
    Call::page(params, &page, position)
}

/// Validation rules of the bank.
#[utoipa::path(tag = "library", params(("vertical" = Option<String>, Query, description = "id or code"), ("is_active" = Option<bool>, Query)),
    responses((status = 200, body = [ValidationRule]), (status = 401), (status = 403)))]
#[get("/api/questionnaires/rules/")]
pub(super) async fn list_rules(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::LibraryRead)?;
    let list = params.list(ValidationRuleList::NAME, Order::NEWEST, &[("code", "code", "text")])?;
    let mut conditions = switched(&call, &params)?;
    conditions.extend(of_place("vertical_id", place(&call, &params, "vertical", Place::Vertical).await?));
    conditions.extend(params.text("search").map(|text| Condition::Contains("code", text.to_owned())));
    call.list(ValidationRuleList::NAME, &params, list, conditions).await
}
