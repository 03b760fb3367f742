//! Rows as they come out of `COPY … TO STDOUT (FORMAT binary)`: the cheapest way to read many.

use bytes::{Buf, Bytes};
use futures::{TryStreamExt, stream::BoxStream};
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

/// A row, of which one field after another is taken.
pub struct Row(Bytes);

impl Row {
    /// The next field; none may be null.
    ///
    /// # Errors
    /// When there is none.
    pub fn bytes(&mut self) -> Result<Bytes, Error> {
        if self.0.len() < 4 {
            return Err(cut());
        }
        let length = usize::try_from(self.0.get_i32()).map_err(|_| cut())?;
        if self.0.len() < length {
            return Err(cut());
        }
        Ok(self.0.split_to(length))
    }

    /// The next field, which is `text` or `json`.
    ///
    /// # Errors
    /// When there is none, or it is no text.
    pub fn text(&mut self) -> Result<String, Error> {
        let bytes = self.bytes()?;
        let text = std::str::from_utf8(&bytes).map_err(|error| Error::Decode(Box::new(error)))?;
        Ok(text.to_owned())
    }

    /// The next field, which is `bigint`, or the microseconds since 2000 of a `timestamptz`.
    ///
    /// # Errors
    /// When there is none, or it is not as long.
    pub fn number(&mut self) -> Result<i64, Error> {
        let bytes = self.bytes()?;
        let bytes = <[u8; 8]>::try_from(&*bytes).map_err(|error| Error::Decode(Box::new(error)))?;
        Ok(i64::from_be_bytes(bytes))
    }
}

fn cut() -> Error {
    Error::Protocol("a row of a copy is cut short".to_owned())
}
