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

/// Rows of one table: each is new or replaces the one that has its key.
pub struct Rows {
    table: &'static str,
    key: &'static str,
    /// A JSON list of them.
    text: String,
    members: Vec<String>,
}

impl Rows {
    /// Rows of a table that has a key `id`.
    ///
    /// # Errors
    /// When they cannot be written as JSON.
    pub fn of<R: Serialize>(table: &'static str, rows: &[R]) -> Result<Self, ApplyError> {
        Self::with_key("id", table, rows)
    }

    /// Rows of a table that has another key, which may be of several columns.
    ///
    /// # Errors
    /// When they cannot be written as JSON.
    pub fn with_key<R: Serialize>(key: &'static str, table: &'static str, rows: &[R]) -> Result<Self, ApplyError> {
        let unwritable = |error: serde_json::Error| sqlx::Error::Encode(Box::new(error));
        let text = if rows.is_empty() { String::new() } else { serde_json::to_string(rows).map_err(unwritable)? };
        Ok(Self { table, key, text, members: members(rows).map_err(unwritable)? })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The statement that writes them: `text` is the number of its parameter that they are given as, and they are written if
    /// the table expression `when` has a row.
    pub(crate) fn statement(&self, text: usize, when: Option<&str>) -> String {
        let Self { table, key, .. } = self;
        let is_key = |name: &str| key.split(", ").any(|column| column == name);
        let set = self.members.iter().filter(|name| !is_key(name));
        let set = set.map(|name| format!("\"{name}\" = excluded.\"{name}\"")).collect::<Vec<_>>().join(", ");
        let when = when.map(|when| format!("{when} CROSS JOIN ")).unwrap_or_default();
        format!(
            "INSERT INTO {table} SELECT r.* FROM {when} json_populate_recordset(NULL::{table}, ${text}::json) AS r
             ON CONFLICT ({key}) DO UPDATE SET {set}"
        )
    }

    /// Writes them.
    ///
    /// # Errors
    /// When the database refuses or cannot be reached.
    pub async fn write(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if !self.is_empty() {
            sqlx::query(&self.statement(1, None)).bind(&self.text).execute(connection).await?;
        }
        Ok(())
    }
}

/// Writes rows of any table that has a key `id`: each is new or replaces the one that was there.
///
/// # Errors
/// When the database refuses or cannot be reached.
pub async fn write<R: Serialize>(tx: &mut PgConnection, table: &'static str, rows: &[R]) -> Result<(), ApplyError> {
    Ok(Rows::of(table, rows)?.write(tx).await?)
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
    let unwritable = |error: serde_json::Error| sqlx::Error::Encode(Box::new(error));
    let texts = rows.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>().map_err(unwritable)?;
    let rows = texts.iter().map(|text| serde_json::from_str(text)).collect::<Result<Vec<Members>, _>>();
    insert_lines(tx, table, &rows.map_err(unwritable)?).await
}

/// A row's members as they are written: JSON is to stay as it is, to the order of its members.
type Members<'r> = HashMap<&'r str, &'r RawValue>;

/// A row that knows its values by the columns' names.
pub(crate) trait Lined {
    fn write(&self, column: &Column, line: &mut Line) -> Result<(), serde_json::Error>;
}

impl Lined for Members<'_> {
    fn write(&self, column: &Column, line: &mut Line) -> Result<(), serde_json::Error> {
        line.json(column, self.get(column.name()).map_or("null", |member| member.get()))
    }
}

/// As [`insert`], of rows that need not become JSON for it.
pub(crate) async fn insert_lines<R: Lined>(tx: &mut PgConnection, table: &str, rows: &[R]) -> Result<(), ApplyError> {
    if rows.is_empty() {
        return Ok(());
    }
    let columns = columns(tx, table).await?;
    let lines = lines(rows, &columns).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let names = columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
    let mut copy = tx.copy_in_raw(&format!("COPY {table} ({names}) FROM STDIN")).await?;
    copy.send(lines.as_bytes()).await?;
    copy.finish().await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
pub(crate) struct Column {
    name: String,
    is_array: bool,
    is_json: bool,
}

impl Column {
    pub(crate) fn name(&self) -> &str {
        self.name.trim_matches('"')
    }

    /// Neither an array nor JSON.
    pub(crate) const fn is_plain(&self) -> bool {
        !self.is_array && !self.is_json
    }
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

/// Rows in COPY's text format.
fn lines<R: Lined>(rows: &[R], columns: &[Column]) -> Result<String, serde_json::Error> {
    let mut line = Line(String::new());
    for row in rows {
        for (n, column) in columns.iter().enumerate() {
            if n > 0 {
                line.0.push('\t');
            }
            row.write(column, &mut line)?;
        }
        line.0.push('\n');
    }
    Ok(line.0)
}

/// A line that is being written, a value at a time.
pub(crate) struct Line(String);

impl Line {
    pub(crate) fn number(&mut self, number: i64) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{number}");
    }

    pub(crate) fn text(&mut self, text: &str) {
        // These four are no part of any other character, and most texts have none of them. The look at all of them is one
        // that the compiler makes wide.
        let is_special = |byte: u8| matches!(byte, b'\\' | b'\n' | b'\r' | b'\t');
        if !text.bytes().fold(false, |found, byte| found | is_special(byte)) {
            self.0.push_str(text);
            return;
        }
        for character in text.chars() {
            match character {
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                '\t' => self.0.push_str("\\t"),
                plain => self.0.push(plain),
            }
        }
    }

    pub(crate) fn json(&mut self, column: &Column, json: &str) -> Result<(), serde_json::Error> {
        match json {
            "null" => self.0.push_str("\\N"),
            json if column.is_json => self.text(json),
            json if column.is_array => self.text(&array(json)?),
            json => self.text(&scalar(json)?),
        }
        Ok(())
    }
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
        let row = row.to_string();
        let lines = lines(&[serde_json::from_str::<Members>(&row)?], &columns)?;
        let expected =
            concat!("7\ta\\tb\\\\c\\n\t", r#"{"x","say \\"y\\"",NULL}"#, "\t", r#"{"k":"l\\nm"}"#, "\ttrue\t\\N\n");
        assert_eq!(lines, expected);
        Ok(())
    }
}
