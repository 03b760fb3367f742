//! What the firm knows, over HTTP: questions, validation rules, benchmarks, levers; and the imports that change it.

mod benchmarks;
mod imports;
mod questions;
mod templates;

use kernel::Role;
use runtime::page::Condition;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{call::Call, params::Params, problem::Problem};
use crate::imports::codes::Place;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(questions::list_questions)
        .service(questions::list_rules)
        .service(imports::import_questions)
        .service(imports::import_rules)
        .service(imports::import_benchmarks)
        .service(imports::import_templates)
        .service(benchmarks::match_benchmark)
        .service(benchmarks::export_benchmarks)
        .service(benchmarks::list_benchmarks)
        .service(templates::list_templates);
}

/// The id that a parameter names by itself or by a code: absent, known, or unknown (`Some(None)`).
async fn place(call: &Call, params: &Params, name: &str, place: Place) -> Result<Option<Option<i64>>, Problem> {
    match params.text(name) {
        None => Ok(None),
        Some(text) => Ok(Some(place.id(&call.tenant().journal, text).await?)),
    }
}

/// Rows of that place; none when there is no such place.
fn of_place(column: &'static str, place: Option<Option<i64>>) -> Option<Condition> {
    place.map(|id| Condition::AnyNumber(column, id.into_iter().collect()))
}

/// What a parameter and the role say about rows that are switched off: clients do not see them.
fn switched(call: &Call, params: &Params) -> Result<Vec<Condition>, Problem> {
    let asked = params.flag("is_active")?.map(|on| Condition::Is("is_active", on));
    let allowed = (call.role() == Role::Client).then_some(Condition::Is("is_active", true));
    Ok(asked.into_iter().chain(allowed).collect())
}
