//! Files to items: text, JSON arrays, CSV with a header. What is wrong is named item by item.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value, json, value::RawValue};

use super::cell::unshielded;
use crate::journal::Refused;

/// How many errors are listed.
const MOST_ERRORS: usize = 100;
/// The most items of a file: what no library takes is not worth being read.
const MOST_ITEMS: usize = 20_000;
/// The most columns of a table, and the most characters of a column's name.
pub const MOST_COLUMNS: usize = 60;

/// What the columns of a CSV file are; all others hold text.
pub struct Columns {
    pub known: &'static [&'static str],
    pub numbers: &'static [&'static str],
    pub flags: &'static [&'static str],
}

/// The columns of a benchmark file (spec 20 and 0, "Imports"), in the order in which they are exported.
pub const BENCHMARKS: Columns = Columns {
    known: &[
        "metric",
        "question_code",
        "question_text",
        "industry",
        "vertical",
        "region",
        "top_quartile",
        "median",
        "bottom_quartile",
        "std_dev",
        "unit",
        "year",
        "direction",
        "sample_size",
        "source",
    ],
    numbers: &["year", "sample_size"],
    flags: &[],
};

/// The columns of a file of review questions.
pub const REVIEW_QUESTIONS: Columns = Columns {
    known: &[
        "code",
        "text",
        "help_text",
        "vertical_code",
        "section",
        "order",
        "step",
        "unit",
        "is_required",
        "benchmark_code",
        "is_active",
    ],
    numbers: &["order", "step"],
    flags: &["is_required", "is_active"],
};

fn unreadable(code: &'static str, detail: impl Into<String>) -> Refused {
    Refused::field(code, "file", detail)
}

fn invalid(errors: &[Value]) -> Refused {
    let said = |name: &str| errors.first().and_then(|error| error.get(name)?.as_str()).unwrap_or_default().to_owned();
    let first = format!("{} {}", said("field"), said("message"));
    let detail = format!("the import has {} error(s), the first: {}", errors.len(), first.trim());
    let mut refused = Refused::field("INVALID_IMPORT", "file", detail);
    let listed = errors.iter().take(MOST_ERRORS).cloned().collect();
    refused.members.insert("import_errors".to_owned(), Value::Array(listed));
    refused
}

/// The text of a file: UTF-8, with or without a byte order mark.
///
/// # Errors
/// When it is something else, or nothing.
pub fn text(bytes: &[u8]) -> Result<&str, Refused> {
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable("NOT_UTF8", "the file must be text in UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() { Err(unreadable("EMPTY_FILE", "the file is empty")) } else { Ok(text) }
}

fn not_json(error: &serde_json::Error) -> Refused {
    unreadable("NOT_JSON", format!("the file is not JSON: {error}"))
}

fn not_too_many(items: usize) -> Result<(), Refused> {
    if items <= MOST_ITEMS {
        return Ok(());
    }
    Err(unreadable("TOO_MANY_ITEMS", format!("an import holds at most {MOST_ITEMS} items")))
}

/// The items of a JSON array.
///
/// # Errors
/// When it is no array, or with what is wrong with each item.
pub fn json<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, Refused> {
    // Not yet as values: a value takes many times the place of its text.
    let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| {
        if error.is_data() { unreadable("NOT_AN_ARRAY", "the file must be a JSON array") } else { not_json(&error) }
    })?;
    not_too_many(items.len())?;
    let (mut read, mut errors) = (Vec::with_capacity(items.len()), Vec::new());
    for (index, item) in items.into_iter().enumerate() {
        let item: Value = serde_json::from_str(item.get()).map_err(|error| not_json(&error))?;
        let name = item.get("code").and_then(Value::as_str).unwrap_or_default().to_owned();
        match decoded(item) {
            Ok(item) => read.push(item),
            Err(Wrong { field, code, message }) => {
                errors.push(json!({"index": index, "item": name, "field": field, "code": code, "message": message}));
            }
        }
    }
    if errors.is_empty() { Ok(read) } else { Err(invalid(&errors)) }
}

/// The items of a CSV file whose columns are known.
///
/// # Errors
/// With what is wrong with each row.
pub fn csv<T: DeserializeOwned>(text: &str, columns: &Columns) -> Result<Vec<T>, Refused> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let not_csv = |error: csv::Error| unreadable("NOT_CSV", format!("the file is not CSV: {error}"));
    let header = header(reader.headers().map_err(not_csv)?, columns)?;
    let (mut read, mut errors) = (Vec::new(), Vec::new());
    for (record, row) in reader.records().zip(1_usize..) {
        let record = record.map_err(not_csv)?;
        not_too_many(row)?;
        if record.len() > header.len() {
            let message = "the row has more cells than the header";
            errors.push(json!({"row": row, "column": null, "code": "TOO_MANY_CELLS", "message": message}));
            continue;
        }
        match decoded(typed(header.iter().map(String::as_str).zip(&record), columns)) {
            Ok(item) => read.push(item),
            Err(wrong) => errors.push(wrong.in_row(row)),
        }
    }
    if errors.is_empty() { Ok(read) } else { Err(invalid(&errors)) }
}

/// The columns, in lower case, in any order. They are known before a row is read: each row would be as large as they are.
fn header(record: &csv::StringRecord, columns: &Columns) -> Result<Vec<String>, Refused> {
    let header: Vec<String> = record.iter().take(MOST_COLUMNS).map(str::to_lowercase).collect();
    let distinct: BTreeSet<&String> = header.iter().collect();
    if record.len() > MOST_COLUMNS || distinct.len() != header.len() || header.iter().any(String::is_empty) {
        let detail = format!("a table has at most {MOST_COLUMNS} columns, each with a name of its own");
        return Err(unreadable("INVALID_HEADER", detail));
    }
    let unknown = header.iter().filter(|column| !columns.known.contains(&column.as_str()));
    let named = unknown.map(|column| column.chars().take(MOST_COLUMNS).collect::<String>());
    let errors: Vec<Value> =
        named.map(|column| Wrong::new(&column, "UNKNOWN_COLUMN", "is not known here").in_row(0)).collect();
    if errors.is_empty() { Ok(header) } else { Err(invalid(&errors)) }
}

/// A row as JSON: blank cells are absent, numbers and flags are such if they can be read.
fn typed<'a>(cells: impl Iterator<Item = (&'a str, &'a str)>, columns: &Columns) -> Value {
    let cells = cells.filter(|(_, cell)| !cell.is_empty()).map(|(column, cell)| {
        let is_in = |list: &[&str]| list.contains(&column);
        let text = || Value::String(unshielded(cell).to_owned());
        let value = if is_in(columns.numbers) {
            cell.parse::<i64>().map_or_else(|_| text(), |number| Value::Number(Number::from(number)))
        } else if is_in(columns.flags) {
            match cell.to_lowercase().as_str() {
                "true" | "yes" | "1" => Value::Bool(true),
                "false" | "no" | "0" => Value::Bool(false),
                _ => text(),
            }
        } else {
            text()
        };
        (column.to_owned(), value)
    });
    Value::Object(cells.collect::<Map<_, _>>())
}

/// What is wrong with a member of an item.
struct Wrong {
    field: String,
    code: &'static str,
    message: String,
}

impl Wrong {
    fn new(field: &str, code: &'static str, message: &str) -> Self {
        Self { field: field.to_owned(), code, message: message.to_owned() }
    }

    fn in_row(self, row: usize) -> Value {
        let Self { field, code, message } = self;
        json!({"row": row, "column": field, "field": field, "code": code, "message": message})
    }
}

fn decoded<T: DeserializeOwned>(item: Value) -> Result<T, Wrong> {
    serde_path_to_error::deserialize(item).map_err(|error| {
        let path = error.path().to_string();
        let path = path.trim_start_matches('.');
        let text = error.inner().to_string();
        let quoted = text.split('`').nth(1).unwrap_or_default();
        // serde_path_to_error names the unknown member itself, but not the missing one.
        let member = if path.is_empty() || path == quoted { quoted.to_owned() } else { format!("{path}.{quoted}") };
        if text.starts_with("unknown field") {
            let member = if path.ends_with(quoted) { path } else { &member };
            return Wrong::new(member, "UNKNOWN_FIELD", "is not known here");
        }
        if text.starts_with("missing field") {
            return Wrong::new(&member, "REQUIRED", "is required");
        }
        Wrong::new(if path.is_empty() { "item" } else { path }, "INVALID", &text)
    })
}

#[cfg(test)]
mod tests {
    use engagement::{benchmark_set::BenchmarkItem, questionnaire::QuestionItem};

    use super::*;

    fn errors(refused: &Refused) -> Vec<(Value, String, String)> {
        let list = refused.members["import_errors"].as_array().unwrap();
        let text = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
        let place =
            |error: &Value| if error["index"].is_null() { error["row"].clone() } else { error["index"].clone() };
        list.iter().map(|error| (place(error), text(error, "field"), text(error, "code"))).collect()
    }

    #[test]
    fn a_file_is_text_with_or_without_a_byte_order_mark() {
        assert_eq!(text("\u{feff}[]".as_bytes()).unwrap(), "[]");
        assert_eq!(text(&[0xff, 0xfe]).unwrap_err().code, "NOT_UTF8");
        assert_eq!(text(b" \n").unwrap_err().code, "EMPTY_FILE");
    }

    #[test]
    fn every_bad_item_of_a_json_file_is_named_by_its_index() {
        let file = r#"[{"code": "A", "text": "x"}, {"code": "B"}, {"code": "C", "text": "x", "vertical_id": 1},
            {"code": "no code", "text": "x"}, {"code": "E", "text": "x", "sub_questions": [{"key": "k"}]}, 7]"#;
        let refused = json::<QuestionItem>(file).unwrap_err();
        let expected = [
            (1, "text", "REQUIRED"),
            (2, "vertical_id", "UNKNOWN_FIELD"),
            (3, "code", "INVALID"),
            (4, "sub_questions[0].label", "REQUIRED"),
            (5, "item", "INVALID"),
        ]
        .map(|(index, field, code)| (Value::from(index), field.to_owned(), code.to_owned()));
        assert_eq!(errors(&refused), expected);
        assert_eq!(json::<QuestionItem>("{}").unwrap_err().code, "NOT_AN_ARRAY");
        assert_eq!(json::<QuestionItem>("[").unwrap_err().code, "NOT_JSON");
    }

    #[test]
    fn the_columns_of_a_csv_file_may_stand_in_any_order_and_case() {
        let file = "Year,METRIC,vertical,top_quartile,median,bottom_quartile,unit\n2025, Cost ,P2P,4.50,12.0,24,\n";
        let items: Vec<BenchmarkItem> = csv(file, &BENCHMARKS).unwrap();
        assert_eq!((items[0].year, &*items[0].metric, items[0].unit.as_deref()), (2025, "Cost", None));
        assert_eq!(items[0].top_quartile.to_string(), "4.50");
    }

    #[test]
    fn every_bad_row_of_a_csv_file_is_named_by_its_number() {
        let header = "metric,vertical,top_quartile,median,bottom_quartile,year";
        let file = format!("{header}\nA,P2P,1,2,3,2025\nB,P2P,1,2,x,2025\n,P2P,1,2,3,2025\nD,P2P,1,2,3,soon\n");
        let refused = csv::<BenchmarkItem>(&file, &BENCHMARKS).unwrap_err();
        let expected = [(2, "bottom_quartile", "INVALID"), (3, "metric", "REQUIRED"), (4, "year", "INVALID")]
            .map(|(row, field, code)| (Value::from(row), field.to_owned(), code.to_owned()));
        assert_eq!(errors(&refused), expected);
        let refused = csv::<BenchmarkItem>("metric,colour\nA,red\n", &BENCHMARKS).unwrap_err();
        assert_eq!(errors(&refused), [(Value::from(0), "colour".to_owned(), "UNKNOWN_COLUMN".to_owned())]);
        let read = |file: &str| csv::<BenchmarkItem>(file, &BENCHMARKS).unwrap_err();
        assert_eq!(read("unit,UNIT\n1,2\n").code, "INVALID_HEADER");
        assert_eq!(read("unit,year\n1,2,3\n").members["import_errors"][0]["code"], "TOO_MANY_CELLS");
    }

    #[test]
    fn a_file_of_more_than_can_be_imported_is_refused_by_its_number_of_items() {
        let many = format!("[{}0]", "0,".repeat(MOST_ITEMS));
        assert_eq!(json::<QuestionItem>(&many).unwrap_err().code, "TOO_MANY_ITEMS");
        let many = format!("unit\n{}", "days\n".repeat(MOST_ITEMS + 1));
        assert_eq!(csv::<BenchmarkItem>(&many, &BENCHMARKS).unwrap_err().code, "TOO_MANY_ITEMS");
    }

    #[test]
    fn a_header_is_refused_before_its_rows_take_its_size_each() {
        let wide = format!("{}\n{}", "x".repeat(1 << 20), "1\n".repeat(MOST_ITEMS));
        let refused = csv::<BenchmarkItem>(&wide, &BENCHMARKS).unwrap_err();
        assert!(refused.detail.len() < 200, "{}", refused.detail.len());
        assert_eq!(errors(&refused)[0].2, "UNKNOWN_COLUMN");
        let many: Vec<String> = (0..=MOST_COLUMNS).map(|column| format!("c{column}")).collect();
        assert_eq!(csv::<BenchmarkItem>(&many.join(","), &BENCHMARKS).unwrap_err().code, "INVALID_HEADER");
    }
}
