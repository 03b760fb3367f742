//! Questions of one assessment only, uploaded as a table (E25, spec 9.3).
//!
//! A file is taken in at once, also a large one (5,000 rows take well under a second), so the answer is always 201 with
//! the report.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, http::StatusCode, post, web};
use engagement::{
    assessment::{Assessment, AssessmentCommand, SubmittedAnswer},
    questionnaire::{GivenAnswer, Upload as Import, UploadReport, UploadRow, import_rows},
};
use kernel::{AssessmentId, Kind, QuestionId, VerticalId};
use serde_json::json;

use super::{facts, seen};
use crate::{
    http::{
        call::{Call, Reply},
        params::Params,
        permission::Permission,
        problem::Problem,
        upload::{File, Upload},
    },
    imports::file::MOST_COLUMNS,
    journal::Refused,
};

/// The most rows that one file may have.
const ROW_LIMIT: usize = 5_000;

/// Adds the questions of a file (`.csv`) to the assessment, or rewords those that it has, and takes the answers beside them.
/// A row with an error is left out; with `atomic=true` it leaves all out.
#[utoipa::path(tag = "assessments", params(("id" = AssessmentId, Path), ("atomic" = Option<bool>, Query)),
    responses((status = 201, body = UploadReport), (status = 403), (status = 404), (status = 409), (status = 413),
        (status = 415), (status = 422)))]
#[post("/api/assessments/{id}/upload-questions/")]
pub(super) async fn upload_questions(
    call: Call,
    id: web::Path<AssessmentId>,
    params: Params,
    upload: Upload,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AssessmentEdit)?;
    seen(&call, *id, |_, _| ()).await?;
    let (id, atomic) = (*id, params.flag("atomic")?.unwrap_or(false));
    let rows = rows(&upload.read().await?)?;
    let ids: Vec<QuestionId> = call.tenant().journal.ids().many(rows.len()).await?;
    call.command("assessment.upload_questions", async |unit| {
        let (set, verticals): (_, Vec<VerticalId>) = unit
            .depend::<Assessment, _>(id, |assessment, _| {
                let verticals = assessment.live().map(|profile| profile.vertical_ids.clone());
                (assessment.questions().clone(), verticals.unwrap_or_default())
            })
            .await?;
        let verticals = facts::vertical_codes(unit, &verticals).await?;
        let Import { report, questions, answers } = import_rows(&set, &rows, &verticals, ids.iter().copied());
        if atomic && !report.errors.is_empty() {
            return Err(refused(&report).into());
        }
        let answers = answers
            .into_iter()
            .map(|(question, value)| SubmittedAnswer {
                question,
                given: GivenAnswer { value: Some(value), sub_answer: BTreeMap::new() },
            })
            .collect();
        unit.decide::<Assessment, _>(id, AssessmentCommand::UploadQuestions { questions, answers }).await?;
        let version = unit.version::<Assessment>(id).await?;
        Ok(Reply::json(StatusCode::CREATED, &report)?.at_version(version))
    })
    .await
}

fn refused(report: &UploadReport) -> Refused {
    let mut members = serde_json::Map::new();
    members.insert("report".to_owned(), json!(report));
    Refused {
        kind: Kind::Unprocessable,
        code: "IMPORT_FAILED",
        detail: "rows have errors, so that nothing was taken".to_owned(),
        field: Some("file".to_owned()),
        members,
    }
}

/// The rows of the file, by column in lower case.
fn rows(file: &File) -> Result<Vec<UploadRow>, Problem> {
    if file.extension() != "csv" {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_FILE_TYPE",
            "the file must be a .csv; save a workbook as CSV (UTF-8)",
        )
        .with_error("file", "must be a .csv"));
    }
    let unreadable = |error: csv::Error| Problem::field("NOT_CSV", "file", format!("cannot be read: {error}"));
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file.text()?.as_bytes());
    let columns: Vec<String> =
        reader.headers().map_err(unreadable)?.iter().map(|name| name.trim().to_lowercase()).collect();
    if !["code", "text"].iter().all(|needed| columns.iter().any(|column| column == needed)) {
        return Err(Problem::field("NO_HEADER", "file", "must begin with a header row that names code and text"));
    }
    // Each row takes the names' size too.
    if columns.len() > MOST_COLUMNS || columns.iter().any(|name| name.len() > MOST_COLUMNS) {
        let detail = format!("may have {MOST_COLUMNS} columns at the most, with names of {MOST_COLUMNS} bytes");
        return Err(Problem::field("INVALID_HEADER", "file", detail));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        if rows.len() == ROW_LIMIT {
            return Err(Problem::field("TOO_MANY_ROWS", "file", "may have 5,000 rows at the most"));
        }
        let line = record.position().map_or(0, csv::Position::line);
        rows.push(UploadRow {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            cells: columns.iter().cloned().zip(record.iter().map(str::to_owned)).collect(),
        });
    }
    Ok(rows)
}
