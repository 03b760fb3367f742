//! Rows as they come out of `COPY … TO STDOUT (FORMAT binary)`: the cheapest way to read many.

use bytes::{Buf, Bytes};
use futures::{TryStreamExt, stream::BoxStream};
use serde::de::DeserializeOwned;
use sqlx::{Error, PgConnection};

/// Signature and flags, before the length of an extension.
const HEAD: usize = 11 + 4;

/// The rows of a query.
pub struct CopyOut<'c> {
    messages: BoxStream<'c, Result<Bytes, Error>>,
    begun: bool,
}

impl<'c> CopyOut<'c> {
    /// Begins to read what a query answers.
    ///
    /// # Errors
    /// When the database refuses or cannot be reached.
    pub async fn open(connection: &'c mut PgConnection, query: &str) -> Result<Self, Error> {
        let copy = format!("COPY ({query}) TO STDOUT (FORMAT binary)");
        Ok(Self { messages: connection.copy_out_raw(&copy).await?, begun: false })
    }

    /// The next row; `None` after the last one.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn next(&mut self) -> Result<Option<Row>, Error> {
        // A message of the server is a row; the first one has the head before it.
        while let Some(mut message) = self.messages.try_next().await? {
            if !self.begun {
                if message.len() < HEAD + 4 {
                    return Err(cut());
                }
                message.advance(HEAD);
                let extension = usize::try_from(message.get_u32()).map_err(|_| cut())?;
                if message.len() < extension {
                    return Err(cut());
                }
                message.advance(extension);
                self.begun = true;
            }
            // Without fields it is the end, and what is to come is the server's last word.
            if message.len() >= 2 && message.get_i16() >= 0 {
                return Ok(Some(Row(message)));
            }
        }
        Ok(None)
    }
}

/// A row.
pub struct Row(Bytes);

impl Row {
    /// Its fields, to be taken one after another.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields(&self.0)
    }
}

/// The fields of a row that are still to be taken.
pub struct Fields<'r>(&'r [u8]);

impl<'r> Fields<'r> {
    /// The next field; none may be null.
    ///
    /// # Errors
    /// When there is none.
    pub fn bytes(&mut self) -> Result<&'r [u8], Error> {
        let (length, rest) = self.0.split_first_chunk().ok_or_else(cut)?;
        let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| cut())?;
        let (field, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
        self.0 = rest;
        Ok(field)
    }

    /// The next field, which is `text`.
    ///
    /// # Errors
    /// When there is none, or it is no text.
    pub fn text(&mut self) -> Result<&'r str, Error> {
        std::str::from_utf8(self.bytes()?).map_err(|error| Error::Decode(Box::new(error)))
    }

    /// The next field, which is `json`.
    ///
    /// # Errors
    /// When there is none, or it is not what is wanted.
    pub fn json<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        serde_json::from_slice(self.bytes()?).map_err(|error| Error::Decode(Box::new(error)))
    }

    /// The next field, which is `bigint`, or the microseconds since 2000 of a `timestamptz`.
    ///
    /// # Errors
    /// When there is none, or it is not as long.
    pub fn number(&mut self) -> Result<i64, Error> {
        let bytes = <[u8; 8]>::try_from(self.bytes()?).map_err(|error| Error::Decode(Box::new(error)))?;
        Ok(i64::from_be_bytes(bytes))
    }
}

fn cut() -> Error {
    Error::Protocol("a row of a copy is cut short".to_owned())
}
