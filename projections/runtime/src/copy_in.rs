//! Rows as `COPY … FROM STDIN (FORMAT binary)` takes them: the cheapest way to write many. They are put together a value at
//! a time, so that little is left to do when they are sent.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// Signature, flags, and the length of an extension.
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// In place of a row's number of fields.
const END: &[u8] = &(-1_i16).to_be_bytes();
/// Microseconds from 1970 to 2000, from where the database counts.
pub const EPOCH: i64 = 946_684_800_000_000;

/// Rows that are to be written.
#[derive(Debug, Default)]
pub struct CopyIn {
    rows: usize,
    bytes: Vec<u8>,
}

impl CopyIn {
    /// How many rows there are.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Empty again, and ready for as much as it held.
    pub fn clear(&mut self) {
        self.rows = 0;
        self.bytes.clear();
    }

    /// Begins a row of so many fields.
    pub fn row(&mut self, fields: i16) -> &mut Self {
        self.rows += 1;
        self.bytes.extend_from_slice(&fields.to_be_bytes());
        self
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        self.field(text.as_bytes())
    }

    pub fn text_or_null(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    pub fn smallint(&mut self, number: i16) -> &mut Self {
        self.field(&number.to_be_bytes())
    }

    pub fn bigint(&mut self, number: i64) -> &mut Self {
        self.field(&number.to_be_bytes())
    }

    pub fn bigint_or_null(&mut self, number: Option<i64>) -> &mut Self {
        match number {
            Some(number) => self.bigint(number),
            None => self.null(),
        }
    }

    pub fn time(&mut self, at: DateTime<Utc>) -> &mut Self {
        self.bigint(at.timestamp_micros() - EPOCH)
    }

    pub fn null(&mut self) -> &mut Self {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
        self
    }

    fn field(&mut self, bytes: &[u8]) -> &mut Self {
        // What is longer the database does not take in one message either.
        self.bytes.extend_from_slice(&i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes());
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Writes the rows into a table's columns, all of them or none.
    ///
    /// # Errors
    /// When the database refuses or cannot be reached.
    pub async fn send(&self, connection: &mut PgConnection, table: &str, columns: &str) -> Result<(), sqlx::Error> {
        let mut copy = connection.copy_in_raw(&format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)")).await?;
        for part in [HEAD, &self.bytes, END] {
            copy.send(part).await?;
        }
        copy.finish().await?;
        Ok(())
    }
}
