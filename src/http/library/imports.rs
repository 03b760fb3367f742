//! Imports: the same files, and the same code, as on the command line.

use actix_web::{HttpResponse, http::StatusCode, post};

use crate::{
    http::{
        call::{Call, Reply, issuer},
        params::Params,
        permission::Permission,
        problem::Problem,
        upload::{Upload, UploadForm},
    },
    imports::{Import, Kind, Report},
};

async fn import(call: &Call, upload: Upload, kind: Kind, command: &'static str) -> Result<HttpResponse, Problem> {
    call.may(Permission::LibraryImport)?;
    let import = Import::read(kind, &upload.read().await?.bytes)?;
    carry_out(call, &import, command).await
}

async fn carry_out(call: &Call, import: &Import, command: &'static str) -> Result<HttpResponse, Problem> {
    call.command(command, async |unit| Reply::json(StatusCode::OK, &import.carry_out(unit).await?)).await
}

/// Imports questions: a JSON array, upsert by code within the vertical; all or nothing.
#[utoipa::path(tag = "library", request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = Report), (status = 401), (status = 403), (status = 413), (status = 422)))]
#[post("/api/questionnaires/import/")]
pub(super) async fn import_questions(call: Call, upload: Upload) -> Result<HttpResponse, Problem> {
    import(&call, upload, Kind::Questions, "question_bank.import_questions").await
}

/// Imports validation rules: a JSON array, upsert by code within the vertical; all or nothing.
#[utoipa::path(tag = "library", request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = Report), (status = 401), (status = 403), (status = 409), (status = 413), (status = 422)))]
#[post("/api/questionnaires/rules/import/")]
pub(super) async fn import_rules(call: Call, upload: Upload) -> Result<HttpResponse, Problem> {
    import(&call, upload, Kind::Rules, "question_bank.import_rules").await
}

/// Imports benchmarks: CSV; replaces the rows of the (vertical, year) pairs it holds; all or nothing. With
/// `dry_run=true` it says what the import would come to.
#[utoipa::path(tag = "library", params(("dry_run" = Option<bool>, Query)),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = Report), (status = 401), (status = 403), (status = 413), (status = 422)))]
#[post("/api/benchmarks/import/")]
pub(super) async fn import_benchmarks(call: Call, params: Params, upload: Upload) -> Result<HttpResponse, Problem> {
    const COMMAND: &str = "benchmark_set.import";
    call.may(Permission::LibraryImport)?;
    let dry_run = params.flag("dry_run")?.unwrap_or(false);
    let import = Import::read(Kind::Benchmarks, &upload.read().await?.bytes)?;
    if !dry_run {
        return carry_out(&call, &import, COMMAND).await;
    }
    let issuer = issuer(call.app(), call.request(), call.actor(), COMMAND);
    let report = import.rehearse(&call.tenant().journal, &issuer).await?;
    Ok(HttpResponse::Ok().json(report))
}

/// Imports opportunity templates: a JSON array, upsert by code; all or nothing.
#[utoipa::path(tag = "library", request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = Report), (status = 401), (status = 403), (status = 413), (status = 422)))]
#[post("/api/opportunity-templates/import/")]
pub(super) async fn import_templates(call: Call, upload: Upload) -> Result<HttpResponse, Problem> {
    import(&call, upload, Kind::Templates, "lever_library.import_templates").await
}
