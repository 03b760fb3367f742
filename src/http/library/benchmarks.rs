//! Benchmarks.

use actix_web::{HttpResponse, get, http::StatusCode, http::header};
use engagement::{
    benchmark::{self, Benchmark, Benchmarks, MatchMethod, MatchScope, Subject},
    benchmark_set::BenchmarkSet,
    question_bank::QuestionBank,
    questionnaire::{QuestionSet, QuestionType},
};
use engagement_projections::benchmark_list::BenchmarkList;
use kernel::{BenchmarkId, VerticalId};
use runtime::page::{Condition, Order};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::{of_place, place};
use crate::{
    http::{call::Call, params::Params, permission::Permission, problem::Problem},
    imports::{
        THE_ONE,
        codes::Place,
        export::{self, Filter},
    },
};

/// The benchmark that fits a question best (spec 10.2).
#[derive(Serialize, ToSchema)]
struct MatchView {
    metric: String,
    top_quartile: Decimal,
    median: Decimal,
    bottom_quartile: Decimal,
    benchmark_id: BenchmarkId,
    match_method: MatchMethod,
    match_scope: MatchScope,
}

/// The current benchmarks, newest first; with `single=true` the newest of them alone.
#[utoipa::path(tag = "library", params(("industry" = Option<String>, Query, description = "id or code"),
        ("vertical" = Option<String>, Query, description = "id or code"), ("region" = Option<String>, Query, description = "id or code"),
        ("single" = Option<bool>, Query), ("search" = Option<String>, Query)),
    responses((status = 200, body = [Benchmark]), (status = 401), (status = 404)))]
#[get("/api/benchmarks/")]
pub(super) async fn list_benchmarks(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::BenchmarkRead)?;
    let sortable = [("metric", "metric", "text"), ("year", "year", "integer")];
    let mut list = params.list(BenchmarkList::NAME, Order::NEWEST, &sortable)?;
    let mut conditions = Vec::new();
    for (name, column, kind) in [
        ("industry", "industry_id", Place::Industry),
        ("vertical", "vertical_id", Place::Vertical),
        ("region", "region_id", Place::Region),
    ] {
        conditions.extend(of_place(column, place(&call, &params, name, kind).await?));
    }
    conditions.extend(params.text("search").map(|text| Condition::Contains("metric", text.to_owned())));
    if !params.flag("single")?.unwrap_or(false) {
        return call.list(BenchmarkList::NAME, &params, list, conditions).await;
    }
    let shown = call.shown(BenchmarkList::NAME).await?;
    list.conditions = conditions;
    list.size = 1;
    let found = call.fetch(list, shown).await?.results;
    if found.is_empty() {
        return Err(Problem::not_found());
    }
    let mut response = HttpResponse::Ok();
    Ok(response.insert_header(("DDC-Position", shown.reached.to_string())).content_type("application/json").body(found))
}

/// The benchmark that an answer to a question is compared with: the most specific one, or none.
#[utoipa::path(tag = "library", params(("question_code" = String, Query), ("vertical" = String, Query, description = "id or code"),
        ("industry" = Option<String>, Query, description = "id or code"), ("region" = Option<String>, Query, description = "id or code")),
    responses((status = 200, body = MatchView), (status = 401), (status = 404), (status = 422)))]
#[get("/api/benchmarks/match/")]
pub(super) async fn match_benchmark(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::BenchmarkRead)?;
    let required = |name: &str| Problem::field("REQUIRED", name, "is required");
    let code = params.text("question_code").ok_or_else(|| required("question_code"))?;
    let vertical = place(&call, &params, "vertical", Place::Vertical).await?.ok_or_else(|| required("vertical"))?;
    let nowhere = |name: &'static str| move || Problem::field("UNKNOWN_CODE", name, "is not known");
    let vertical = vertical.and_then(|id| VerticalId::try_from(id).ok()).ok_or_else(nowhere("vertical"))?;
    let industry = named(place(&call, &params, "industry", Place::Industry).await?).ok_or_else(nowhere("industry"))?;
    let region = named(place(&call, &params, "region", Place::Region).await?).ok_or_else(nowhere("region"))?;
    let journal = &call.tenant().journal;
    let question = journal
        .read::<QuestionBank, _>(THE_ONE, |bank, _| {
            let active = bank.questions().iter().filter(|question| question.is_active);
            let set = QuestionSet { questions: active.cloned().collect(), ..QuestionSet::default() };
            set.named(Some(vertical), code).cloned()
        })
        .await?;
    let linked = question.as_ref().map(|question| question.benchmark_code.as_ref().unwrap_or(&question.code));
    let subject = Subject {
        vertical,
        code: linked.map_or(Some(code), |code| Some(code)),
        text: question.as_ref().map(|question| &*question.text),
        is_money: question.as_ref().is_some_and(|question| question.question_type == QuestionType::Currency),
        place: benchmark::Place { industry, region },
    };
    let benchmarks: Benchmarks = journal.read::<BenchmarkSet, _>(THE_ONE, |set, _| set.benchmarks()).await?;
    let found = benchmarks
        .find(&subject)
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "NO_BENCHMARK", "no benchmark fits, and none is guessed"))?;
    let row = found.benchmark;
    Ok(HttpResponse::Ok().json(MatchView {
        metric: row.metric.to_string(),
        top_quartile: row.top_quartile,
        median: row.median,
        bottom_quartile: row.bottom_quartile,
        benchmark_id: row.id,
        match_method: found.method,
        match_scope: found.scope,
    }))
}

/// Absent is any; `None`: there is no such thing.
fn named<I: TryFrom<i64>>(place: Option<Option<i64>>) -> Option<Option<I>> {
    match place {
        None => Some(None),
        Some(id) => I::try_from(id?).ok().map(Some),
    }
}

/// The current benchmarks as CSV that can be imported again.
#[utoipa::path(tag = "library", params(("industry" = Option<String>, Query, description = "id or code"),
        ("vertical" = Option<String>, Query, description = "id or code"), ("region" = Option<String>, Query, description = "id or code")),
    responses((status = 200, content_type = "text/csv", body = String), (status = 401), (status = 403), (status = 409)))]
#[get("/api/benchmarks/export/")]
pub(super) async fn export_benchmarks(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::LibraryRead)?;
    // What is unknown has no rows: 0 is nobody's id.
    let id = |place: Option<Option<i64>>| place.map(Option::unwrap_or_default);
    let filter = Filter {
        industry: id(place(&call, &params, "industry", Place::Industry).await?),
        vertical: id(place(&call, &params, "vertical", Place::Vertical).await?),
        region: id(place(&call, &params, "region", Place::Region).await?),
    };
    let text = export::benchmarks(&call.tenant().journal, filter).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"benchmarks.csv\""))
        .body(text))
}
