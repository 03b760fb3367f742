//! Rows as they come out of `COPY … TO STDOUT (FORMAT binary)`.

use anyhow::{Context, Result, bail};
use bytes::{Buf, Bytes, BytesMut};
use futures::TryStreamExt;
use sqlx::{PgPool, postgres::PgPoolCopyExt};

/// Signature, flags and the length of an extension.
const HEAD: usize = 11 + 4;

/// Gives each row's fields to `row`; none may be null. Answers how many rows there were.
pub(crate) async fn each_row(pool: &PgPool, query: &str, mut row: impl FnMut(&[Bytes]) -> Result<()>) -> Result<u64> {
    let mut stream = pool.copy_out_raw(query).await?;
    let (mut pending, mut fields, mut rows, mut head) = (BytesMut::new(), Vec::new(), 0, true);
    while let Some(chunk) = stream.try_next().await? {
        // Usually a message is a row; what is not whole yet waits for the next one.
        let mut rest = if pending.is_empty() {
            chunk
        } else {
            pending.extend_from_slice(&chunk);
            pending.split().freeze()
        };
        if head {
            if rest.len() < HEAD + 4 {
                pending.extend_from_slice(&rest);
                continue;
            }
            rest.advance(HEAD);
            let extension = usize::try_from(rest.get_u32())?;
            rest.advance(extension);
            head = false;
        }
        loop {
            let before = rest.clone();
            match take(&mut rest, &mut fields)? {
                Taken::Row => {
                    row(&fields)?;
                    rows += 1;
                }
                Taken::End => break,
                Taken::Partly => {
                    pending.extend_from_slice(&before);
                    break;
                }
            }
        }
    }
    Ok(rows)
}

enum Taken {
    Row,
    Partly,
    End,
}

fn take(rest: &mut Bytes, fields: &mut Vec<Bytes>) -> Result<Taken> {
    fields.clear();
    if rest.len() < 2 {
        return Ok(Taken::Partly);
    }
    let count = rest.get_i16();
    if count < 0 {
        return Ok(Taken::End);
    }
    for _ in 0..count {
        if rest.len() < 4 {
            return Ok(Taken::Partly);
        }
        let Ok(length) = usize::try_from(rest.get_i32()) else { bail!("a field is null") };
        if rest.len() < length {
            return Ok(Taken::Partly);
        }
        fields.push(rest.split_to(length));
    }
    Ok(Taken::Row)
}

/// A field of a row.
pub(crate) fn field(fields: &[Bytes], index: usize) -> Result<&Bytes> {
    fields.get(index).with_context(|| format!("a row has no field {index}"))
}
