//! Assessments (spec 8, 9, 12.7, 13).
//!
//! What a request wants of one assessment, and is not in a list of all, is asked of the aggregate itself: calculated
//! answers, validation and visibility follow from its present state, and a pairing made a moment ago must count. Lists
//! of assessments, comments and reports are read models.

mod analysis;
mod answers;
mod comments;
mod facts;
mod history;
mod opportunities;
mod questions;
mod resource;
mod signing;
mod validation;

use actix_web::HttpResponse;
use engagement::assessment::Assessment;
use kernel::{AssessmentId, Stamp};
use serde::Serialize;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::{call::Call, problem::Problem};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(resource::list_assessments)
        .service(resource::create_assessment)
        .service(resource::get_assessment)
        .service(resource::update_assessment)
        .service(resource::delete_assessment)
        .service(resource::restore_assessment)
        .service(history::list_history)
        .service(comments::list_comments)
        .service(comments::add_comment)
        .service(comments::resolve_comment)
        .service(questions::upload_questions)
        .service(answers::list_answers)
        .service(answers::submit_answers)
        .service(validation::validate_answers)
        .service(validation::validate_stored_answers)
        .service(analysis::run_analysis)
        .service(analysis::cancel_analysis)
        .service(analysis::list_analysis_runs)
        .service(analysis::get_report)
        .service(signing::approve_assessment)
        .service(signing::reject_assessment)
        .service(signing::lock_assessment)
        .service(signing::reopen_assessment)
        .service(opportunities::list_opportunities)
        .service(opportunities::add_opportunity)
        .service(opportunities::change_opportunity)
        .service(opportunities::remove_opportunity);
}

/// Looks at an assessment, if the caller takes part in it.
///
/// # Errors
/// 404 when it is not there for him.
async fn seen<R>(call: &Call, id: AssessmentId, look: impl FnOnce(&Assessment, &Stamp) -> R) -> Result<R, Problem> {
    let actor = call.actor();
    let journal = &call.tenant().journal;
    let seen = journal
        .read::<Assessment, _>(id, |assessment, stamp| assessment.can_see(actor).then(|| look(assessment, stamp)))
        .await?;
    seen.ok_or_else(Problem::not_found)
}

/// A list that is always short enough for one page.
#[derive(Serialize)]
struct Whole<T> {
    count: usize,
    next: Option<String>,
    previous: Option<String>,
    results: Vec<T>,
}

/// All of a list that belongs to one assessment, true as of what this node knows of the journal.
fn whole<T: Serialize>(call: &Call, results: Vec<T>) -> HttpResponse {
    let position = *call.tenant().journal.head().borrow();
    HttpResponse::Ok().insert_header(("DDC-Position", position.to_string())).json(Whole {
        count: results.len(),
        next: None,
        previous: None,
        results,
    })
}
