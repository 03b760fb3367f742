//! The upload of questions from a table into one assessment's snapshot (spec 9.3).

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Code, QuestionId, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Inspector, ItemFault, Question, QuestionItem, QuestionSet, QuestionType, VerticalRef,
    parse::{boolean, number, parse_answer},
};

const COLUMNS: [&str; 14] = [
    "code",
    "text",
    "vertical_code",
    "section",
    "type",
    "required",
    "unit",
    "options",
    "formula",
    "min",
    "max",
    "order",
    "help_text",
    "value",
];

/// One row of the table. Cells hold what the file shows: nothing in them is evaluated, so a text that begins with
/// `=`, `+`, `-` or `@` is that text; whoever writes it into a spreadsheet again has to write it as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UploadRow {
    /// The line in the file; the header is line 1.
    pub line: u32,
    /// By column name, without regard to case.
    pub cells: BTreeMap<String, String>,
}

/// What is wrong with one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct RowError {
    pub row: u32,
    pub column: String,
    pub code: String,
    pub message: String,
}

/// What became of the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct UploadReport {
    pub rows: u32,
    pub created: u32,
    pub updated: u32,
    /// Rows that change nothing and bring no value.
    pub skipped: u32,
    pub errors: Vec<RowError>,
}

/// The report, and what the rows bring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upload {
    pub report: UploadReport,
    /// New and changed questions, as they are from now on.
    pub questions: Vec<Question>,
    /// Canonical values of the `value` column.
    pub answers: BTreeMap<QuestionId, String>,
}

/// The vertical's code and the question's, in lower case.
type Key = (Option<String>, String);
type Known<'a> = BTreeMap<Key, &'a Question>;

fn key_of(question: &Question) -> Key {
    (question.vertical.as_ref().map(|vertical| vertical.code.key()), question.code.key())
}

/// A row that has been read.
struct Read {
    line: u32,
    question: Question,
    is_new: bool,
    value: Option<String>,
}

/// Reads rows against a snapshot. A row with an error is left out, the others are taken; a caller who wants all or
/// nothing discards the result when there are errors. `ids` are for new questions: as many as there are rows suffice.
#[must_use]
pub fn import_rows(
    set: &QuestionSet,
    rows: &[UploadRow],
    verticals: &[VerticalRef],
    ids: impl IntoIterator<Item = QuestionId>,
) -> Upload {
    let mut ids = ids.into_iter();
    let mut errors = unknown_columns(rows);
    let known: Known<'_> = set.questions.iter().map(|question| (key_of(question), question)).collect();
    let mut seen = BTreeSet::new();
    let mut read = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        match read_row(&known, row, place, verticals, &mut seen, &mut ids) {
            Ok(row) => read.push(row),
            Err(fault) => errors.push(row_error(row.line, &fault)),
        }
    }
    drop_faulty_formulas(set, &mut read, &mut errors);
    errors.sort_by(|a, b| (a.row, &a.column).cmp(&(b.row, &b.column)));
    let mut upload = Upload {
        report: UploadReport { rows: count(rows.len()), errors, ..UploadReport::default() },
        ..Upload::default()
    };
    for row in read {
        let changed = set.question(row.question.id) != Some(&row.question);
        match (row.is_new, changed || row.value.is_some()) {
            (true, _) => upload.report.created += 1,
            (false, true) => upload.report.updated += 1,
            (false, false) => upload.report.skipped += 1,
        }
        if let Some(value) = row.value {
            upload.answers.insert(row.question.id, value);
        }
        if changed {
            upload.questions.push(row.question);
        }
    }
    upload
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn row_error(line: u32, fault: &ItemFault) -> RowError {
    let column = match fault.field {
        "question_type" => "type",
        "is_required" => "required",
        other => other,
    };
    RowError { row: line, column: column.to_owned(), code: fault.code.to_owned(), message: fault.message.clone() }
}

fn unknown_columns(rows: &[UploadRow]) -> Vec<RowError> {
    let names: BTreeSet<String> =
        rows.iter().flat_map(|row| row.cells.keys()).map(|name| name.trim().to_lowercase()).collect();
    let unknown = names.into_iter().filter(|name| !COLUMNS.contains(&name.as_str()));
    unknown
        .map(|column| {
            let message = format!("there is no column '{column}'");
            RowError { row: 1, column, code: "UNKNOWN_COLUMN".to_owned(), message }
        })
        .collect()
}

fn read_row(
    known: &Known<'_>,
    row: &UploadRow,
    place: usize,
    verticals: &[VerticalRef],
    seen: &mut BTreeSet<Key>,
    ids: &mut impl Iterator<Item = QuestionId>,
) -> Result<Read, ItemFault> {
    let cells: BTreeMap<String, &str> =
        row.cells.iter().map(|(name, cell)| (name.trim().to_lowercase(), cell.trim())).collect();
    let code = Code::new(required(&cells, "code")?)
        .map_err(|error| ItemFault::new("INVALID_CODE", "code", &error.to_string()))?;
    let vertical_code = optional(&cells, "vertical_code", Code::new)?;
    let key = (vertical_code.as_ref().map(Code::key), code.key());
    if !seen.insert(key.clone()) {
        return Err(ItemFault::new("DUPLICATE_CODE", "code", &format!("'{code}' is in the file already")));
    }
    let known = known.get(&key).copied();
    let item = item(&cells, code, vertical_code, known)?;
    // The vertical of a known question is known, even if it has been closed since.
    let mut verticals = verticals.to_vec();
    verticals.extend(known.and_then(|question| question.vertical.clone()));
    let id = match known {
        Some(question) => question.id,
        None => ids.next().ok_or_else(|| ItemFault::new("NO_MORE_IDS", "code", "there is no id for the question"))?,
    };
    let mut question = item.question(id, place, &verticals, known.map_or(0, |question| question.bank_version))?;
    if let Some(known) = known {
        let kept = (known.sub_questions.clone(), known.benchmark_code.clone(), known.step, known.decimal_places);
        (question.sub_questions, question.benchmark_code, question.step, question.decimal_places) = kept;
    }
    let value = parse_answer(&question, cells.get("value").copied().unwrap_or_default()).map_err(|bad| ItemFault {
        code: bad.code,
        field: "value",
        message: bad.message,
    })?;
    Ok(Read { line: row.line, question, is_new: known.is_none(), value: value.map(|value| value.to_string()) })
}

fn required<'a>(cells: &BTreeMap<String, &'a str>, column: &'static str) -> Result<&'a str, ItemFault> {
    let cell = cells.get(column).copied().filter(|cell| !cell.is_empty());
    cell.ok_or_else(|| ItemFault::new("REQUIRED", column, "must not be empty"))
}

/// A cell that is not blank.
fn optional<T, E: std::fmt::Display>(
    cells: &BTreeMap<String, &str>,
    column: &'static str,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, ItemFault> {
    let cell = cells.get(column).copied().filter(|cell| !cell.is_empty());
    cell.map(read).transpose().map_err(|error| ItemFault::new("INVALID_VALUE", column, &error.to_string()))
}

/// The row as an item. A column that the file does not have leaves a known question as it is.
fn item(
    cells: &BTreeMap<String, &str>,
    code: Code,
    vertical_code: Option<Code>,
    known: Option<&Question>,
) -> Result<QuestionItem, ItemFault> {
    let kept = |column: &str| known.filter(|_| !cells.contains_key(column));
    let numeric = |column: &'static str| {
        let cell = cells.get(column).copied().filter(|cell| !cell.is_empty());
        cell.map(number).transpose().map_err(|bad| ItemFault { code: bad.code, field: column, message: bad.message })
    };
    let question_type = match optional(cells, "type", question_type)? {
        Some(question_type) => question_type,
        None => kept("type").map_or_else(QuestionType::default, |known| known.question_type),
    };
    let formula = match kept("formula") {
        Some(known) => known.formula.clone(),
        None => optional(cells, "formula", Text::new)?,
    };
    let options = match kept("options") {
        Some(known) => known.options.clone(),
        None => optional(cells, "options", options)?.unwrap_or_default(),
    };
    Ok(QuestionItem {
        code,
        text: Text::new(required(cells, "text")?)
            .map_err(|error| ItemFault::new("INVALID_VALUE", "text", &error.to_string()))?,
        help_text: match kept("help_text") {
            Some(known) => known.help_text.clone(),
            None => optional(cells, "help_text", Text::new)?,
        },
        vertical_code,
        section: match kept("section") {
            Some(known) => known.section.clone(),
            None => optional(cells, "section", Text::new)?,
        },
        order: optional(cells, "order", str::parse::<i32>)?.or(known.map(|known| known.order)),
        step: 1,
        question_type,
        unit: match kept("unit") {
            Some(known) => known.unit.clone(),
            None => optional(cells, "unit", Text::new)?,
        },
        decimal_places: 2,
        is_required: match kept("required") {
            Some(known) => known.is_required,
            None => optional(cells, "required", boolean)?.unwrap_or_default(),
        },
        options,
        sub_questions: Vec::new(),
        formula,
        min: kept("min").map_or_else(|| numeric("min"), |known| Ok(known.min))?,
        max: kept("max").map_or_else(|| numeric("max"), |known| Ok(known.max))?,
        benchmark_code: None,
        is_active: true,
    })
}

fn question_type(cell: &str) -> Result<QuestionType, String> {
    let name = cell.trim().to_uppercase().replace([' ', '-'], "_");
    serde_json::from_value(serde_json::Value::String(name)).map_err(|_| format!("'{cell}' is no type of question"))
}

fn options(cell: &str) -> Result<Vec<Text<1, 200>>, String> {
    cell.split('|')
        .map(str::trim)
        .filter(|option| !option.is_empty())
        .map(|option| Text::new(option).map_err(|error| error.to_string()))
        .collect()
}

/// Formulas are checked after the last row, against the file and the snapshot. Without a row its question is as it
/// was before, which may leave others without what they refer to; so the rest is looked at again.
fn drop_faulty_formulas(set: &QuestionSet, read: &mut Vec<Read>, errors: &mut Vec<RowError>) {
    const ROUNDS: usize = 20;
    for round in 1..=ROUNDS {
        let mut questions: BTreeMap<QuestionId, Question> =
            set.questions.iter().map(|question| (question.id, question.clone())).collect();
        questions.extend(read.iter().map(|row| (row.question.id, row.question.clone())));
        let questions: Vec<Question> = questions.into_values().collect();
        let inspector = Inspector::new(&questions);
        let faulty = inspector.faulty_formulas();
        let before = read.len();
        read.retain(|row| {
            let id = row.question.id;
            // After so many rounds what is left hangs on each other's faults.
            let message = match faulty.get(&id) {
                Some(error) => Some((error.code(), error.to_string())),
                None if round == ROUNDS && row.question.is_calculated() => {
                    Some(("UNKNOWN_REFERENCE", "the formula depends on rows with errors".to_owned()))
                }
                None => None,
            };
            let Some((code, message)) = message else { return true };
            errors.push(RowError { row: row.line, column: "formula".to_owned(), code: code.to_owned(), message });
            false
        });
        if read.len() == before {
            return;
        }
    }
}
