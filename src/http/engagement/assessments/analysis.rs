//! The analysis: asked for, followed, cancelled, read (E41, spec 13). A reaction does it.

use actix_web::{HttpResponse, get, http::StatusCode, post, web};
use engagement::{
    analysis::Material,
    assessment::{AnalysisOrder, AnalysisRun, Assessment, AssessmentCommand, AssessmentView, Pins},
    report::{CostedFigures, Report},
};
use engagement_projections::{
    assessment_reports,
    solution_costing_list::{self, SolutionCostingList},
};
use kernel::{AssessmentId, RunId, Text};
use runtime::ResourceTable;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{facts, seen, whole};
use crate::http::{
    body::Body,
    call::{Call, Reply},
    params::Params,
    permission::Permission,
    problem::Problem,
};

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct RunBody {
    /// Also when there is a report already.
    force: bool,
    /// The chapters that a language model is to write anew; the template narrative always writes all.
    #[serde(rename = "sections")]
    _sections: Vec<Text<1, 100>>,
}

/// An analysis that was asked for.
#[derive(Serialize, ToSchema)]
struct RunView {
    run_id: RunId,
    assessment_id: AssessmentId,
    /// `queued`
    status: &'static str,
    warnings: Vec<RunWarning>,
}

#[derive(Serialize, ToSchema)]
struct RunWarning {
    /// `UNRESOLVED_COMMENTS`
    code: &'static str,
    message: String,
}

/// Asks for an analysis. It goes on after the answer; `…/analysis-runs/` tells how far it is.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)), request_body = RunBody,
    responses((status = 202, body = RunView), (status = 403), (status = 404), (status = 409), (status = 412),
        (status = 422)))]
#[post("/api/assessments/{id}/run-analysis/")]
pub(super) async fn run_analysis(
    call: Call,
    id: web::Path<AssessmentId>,
    body: Body<RunBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AnalysisRun)?;
    seen(&call, *id, |_, _| ()).await?;
    let (id, force, version) = (*id, body.read_or_empty()?.force, call.seen_version()?);
    let require_comment_resolution = call.app().config.signals.require_comment_resolution;
    call.command("assessment.run_analysis", async |unit| {
        unit.require_version::<Assessment>(id, version).await?;
        let run: RunId = unit.journal().ids().next().await?;
        let (material, open) =
            unit.depend::<Assessment, _>(id, |it, _| (Material::of(id, it), it.open_rework_comments().count())).await?;
        let material = material.ok_or_else(Problem::not_found)?;
        let (benchmarks, benchmark_set_version) = facts::benchmarks(unit, &material).await?;
        let order = AnalysisOrder {
            assessment: id,
            run,
            force,
            pins: Pins { benchmark_set_version, ..Pins::default() },
            benchmarks,
            require_comment_resolution,
        };
        unit.decide::<Assessment, _>(id, AssessmentCommand::RunAnalysis(Box::new(order))).await?;
        let warning = RunWarning {
            code: "UNRESOLVED_COMMENTS",
            message: format!("comments that ask for rework are not resolved: {open}"),
        };
        let warnings = (open > 0).then_some(warning).into_iter().collect();
        let view = RunView { run_id: run, assessment_id: id, status: "queued", warnings };
        let version = unit.version::<Assessment>(id).await?;
        Ok(Reply::json(StatusCode::ACCEPTED, &view)?.at_version(version))
    })
    .await
}

/// Stops the analysis; the assessment is back where it came from.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)),
    responses((status = 200, body = AssessmentView), (status = 403), (status = 404), (status = 409)))]
#[post("/api/assessments/{id}/cancel-analysis/")]
pub(super) async fn cancel_analysis(call: Call, id: web::Path<AssessmentId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::AnalysisRun)?;
    let id = *id;
    call.command("assessment.cancel_analysis", async |unit| {
        unit.decide::<Assessment, _>(id, AssessmentCommand::CancelAnalysis).await?;
        Reply::resource::<Assessment>(StatusCode::OK, unit, id).await
    })
    .await
}

/// All analyses that were ever asked for, newest first, on one page.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path)),
    responses((status = 200, body = Vec<AnalysisRun>), (status = 404)))]
#[get("/api/assessments/{id}/analysis-runs/")]
pub(super) async fn list_analysis_runs(call: Call, id: web::Path<AssessmentId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentRead)?;
    let runs: Vec<AnalysisRun> =
        seen(&call, *id, |assessment, _| assessment.runs().iter().rev().cloned().collect()).await?;
    Ok(whole(&call, runs))
}

/// A report, whose own figures are an estimate, and beside them what the approved costings come to.
#[derive(Serialize, ToSchema)]
struct ShownReport {
    #[serde(flatten)]
    report: Report,
    /// As they are now, one a costing. A client sees those that were offered to him.
    costed: Vec<CostedFigures>,
}

/// The latest report, or an older one.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path), ("version" = Option<i32>, Query)),
    responses((status = 200, body = ShownReport), (status = 404), (status = 422)))]
#[get("/api/assessments/{id}/report/")]
pub(super) async fn get_report(
    call: Call,
    id: web::Path<AssessmentId>,
    params: Params,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentRead)?;
    let latest = seen(&call, *id, |assessment, _| assessment.report().map(|report| i64::from(report.version))).await?;
    let version = params.get::<i32>("version")?;
    let pool = &call.tenant().pool;
    let mut reports = call.settled(assessment_reports::NAME).await?;
    let mut report = assessment_reports::find(pool, id.get(), version).await?;
    // Nobody who asks for a report has written it: whoever saw the analysis end must find what it found.
    let awaited = version.map(i64::from).or(latest).min(latest);
    if report.as_ref().map(|report| i64::from(report.version)) < awaited {
        reports = call.caught_up(assessment_reports::NAME).await?;
        report = assessment_reports::find(pool, id.get(), version).await?;
    }
    let report = report.ok_or_else(Problem::not_found)?;
    let position = reports.min(call.settled(SolutionCostingList::NAME).await?);
    let costed = solution_costing_list::costed_figures(pool, id.get(), call.actor()).await?;
    Ok(HttpResponse::Ok().insert_header(("DDC-Position", position.to_string())).json(ShownReport { report, costed }))
}
