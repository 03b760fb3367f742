//! Rows written into read tables, many in one statement. A row's members are the table's columns, all of them in each.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fmt::Write,
};

use serde::{Serialize, de::IgnoredAny};
use serde_json::value::RawValue;
use sqlx::PgConnection;

use crate::ApplyError;

/// Writes rows of any table that has a key `id`: each is new or replaces the one that was there.
///
/// # Errors
/// When the database refuses or cannot be reached.
pub async fn write<R: Serialize>(tx: &mut PgConnection, table: &str, rows: &[R]) -> Result<(), ApplyError> {
    if rows.is_empty() {
        return Ok(());
    }
    let unwritable = |error: serde_json::Error| sqlx::Error::Encode(Box::new(error));
    let text = serde_json::to_string(rows).map_err(unwritable)?;
    let set = members(rows).map_err(unwritable)?;
    let set = set.iter().filter(|name| *name != "id").map(|name| format!("\"{name}\" = excluded.\"{name}\""));
    let query = format!(
        "INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, $1::json)
         ON CONFLICT (id) DO UPDATE SET {}",
        set.collect::<Vec<_>>().join(", ")
    );
    sqlx::query(&query).bind(text).execute(tx).await?;
    Ok(())
}

/// The names of the rows' members, which are the same in all of them. The table could be asked for its columns, at the
/// price of a round trip a batch.
fn members<R: Serialize>(rows: &[R]) -> Result<Vec<String>, serde_json::Error> {
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let members: BTreeMap<String, IgnoredAny> = serde_json::from_str(&serde_json::to_string(first)?)?;
    Ok(members.into_keys().collect())
}

/// Writes rows none of which is there yet: as [`write`], several times as fast.
///
/// # Errors
/// When the database refuses or cannot be reached.
pub async fn insert<R: Serialize>(tx: &mut PgConnection, table: &str, rows: &[R]) -> Result<(), ApplyError> {
    if rows.is_empty() {
        return Ok(());
    }
    let columns = columns(tx, table).await?;
    let mut lines = String::new();
    for row in rows {
        line(&mut lines, row, &columns).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    }
    let names = columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
    let mut copy = tx.copy_in_raw(&format!("COPY {table} ({names}) FROM STDIN")).await?;
    copy.send(lines.as_bytes()).await?;
    copy.finish().await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Column {
    name: String,
    is_array: bool,
    is_json: bool,
}

async fn columns(tx: &mut PgConnection, table: &str) -> Result<Vec<Column>, sqlx::Error> {
    sqlx::query_as(
        "SELECT quote_ident(attname) AS name, typcategory = 'A' AS is_array, typname IN ('json', 'jsonb') AS is_json
         FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
         WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
    )
    .bind(table)
    .fetch_all(tx)
    .await
}

/// A row as a line of COPY's text format.
fn line<R: Serialize>(lines: &mut String, row: &R, columns: &[Column]) -> Result<(), serde_json::Error> {
    let text = serde_json::to_string(row)?;
    let members: HashMap<&str, &RawValue> = serde_json::from_str(&text)?;
    for (n, column) in columns.iter().enumerate() {
        if n > 0 {
            lines.push('\t');
        }
        match members.get(column.name.trim_matches('"')).map(|value| value.get()) {
            None | Some("null") => lines.push_str("\\N"),
            Some(json) if column.is_json => escape(lines, json),
            Some(json) if column.is_array => escape(lines, &array(json)?),
            Some(json) => escape(lines, &scalar(json)?),
        }
    }
    lines.push('\n');
    Ok(())
}

/// A text without its quotes; all else as it is.
fn scalar(json: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    if json.starts_with('"') { serde_json::from_str::<String>(json).map(Cow::Owned) } else { Ok(Cow::Borrowed(json)) }
}

/// As PostgreSQL writes arrays.
fn array(json: &str) -> Result<String, serde_json::Error> {
    let mut text = String::from("{");
    for (n, item) in serde_json::from_str::<Vec<&RawValue>>(json)?.into_iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        match item.get() {
            "null" => text.push_str("NULL"),
            item => {
                let item = scalar(item)?.replace('\\', "\\\\").replace('"', "\\\"");
                // Writing to a string cannot fail.
                let _ = write!(text, "\"{item}\"");
            }
        }
    }
    text.push('}');
    Ok(text)
}

fn escape(lines: &mut String, text: &str) {
    let mut rest = text;
    // By bytes: these four are no part of any other character, and most texts have none of them.
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'\\' | b'\n' | b'\r' | b'\t')) {
        let (plain, special) = rest.split_at(at);
        lines.push_str(plain);
        let mut characters = special.chars();
        lines.push_str(match characters.next() {
            Some('\n') => "\\n",
            Some('\r') => "\\r",
            Some('\t') => "\\t",
            _ => "\\\\",
        });
        rest = characters.as_str();
    }
    lines.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, is_array: bool, is_json: bool) -> Column {
        Column { name: name.to_owned(), is_array, is_json }
    }

    #[test]
    fn a_line_says_what_the_row_says() -> Result<(), serde_json::Error> {
        let columns = [
            column("id", false, false),
            column("name", false, false),
            column("tags", true, false),
            column("body", false, true),
            column("\"end\"", false, false),
            column("gone", false, false),
        ];
        let row = serde_json::json!({
            "id": 7, "name": "a\tb\\c\n", "tags": ["x", "say \"y\"", null], "body": {"k": "l\nm"}, "end": true, "gone": null
        });
        let mut lines = String::new();
        line(&mut lines, &row, &columns)?;
        let expected =
            concat!("7\ta\\tb\\\\c\\n\t", r#"{"x","say \\"y\\"",NULL}"#, "\t", r#"{"k":"l\\nm"}"#, "\ttrue\t\\N\n");
        assert_eq!(lines, expected);
        Ok(())
    }
}
