//! Uploaded files: multipart, one file under the key `file`. Not a byte of one is taken in before the caller is known to
//! be allowed to send it: a stranger costs no memory.

use std::future::{Ready, ready};

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::StatusCode};
use futures::StreamExt;
use utoipa::ToSchema;

use super::{admission, body, pace::Pace, problem::Problem};

/// The most that a file may be.
pub const LIMIT: usize = 10 << 20;

/// The form as the API document shows it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described, never built")]
pub struct UploadForm {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// An upload that still is with its sender.
pub struct Upload {
    request: HttpRequest,
    payload: Payload,
}

/// A file as it came.
pub struct File {
    /// As the sender calls it; empty when he does not.
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Upload {
    /// Takes the file in, once the caller is known to be allowed to send it, and notes it for the idempotency key: so before
    /// the command.
    ///
    /// # Errors
    /// 400 when the body is no multipart form or broke off, 408, 413, 415, 422 when there is no file, or something else.
    pub async fn read(mut self) -> Result<File, Problem> {
        admission::make_room(&self.request)?;
        let file = admission::outside(&self.request, take(&self.request, &mut self.payload)).await??;
        body::note(&self.request, &[file.name.as_bytes(), b"\0", &file.bytes].concat());
        Ok(file)
    }
}

impl File {
    /// What follows the last dot of the name, in lower case.
    #[must_use]
    pub fn extension(&self) -> String {
        self.name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default()
    }

    /// The file as text, without a byte order mark.
    ///
    /// # Errors
    /// 422 when it is not UTF-8.
    pub fn text(&self) -> Result<&str, Problem> {
        let text = std::str::from_utf8(&self.bytes)
            .map_err(|_| Problem::field("NOT_UTF8", "file", "must be text in UTF-8"))?;
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
    }
}

impl FromRequest for Upload {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self { request: request.clone(), payload: payload.take() }))
    }
}

async fn take(request: &HttpRequest, payload: &mut Payload) -> Result<File, Problem> {
    if !request.content_type().eq_ignore_ascii_case("multipart/form-data") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "the body must be multipart/form-data",
        ));
    }
    let mut form = Multipart::from_request(request, payload)
        .await
        .map_err(|error| Problem::malformed(format!("the form cannot be read: {error}")))?;
    let (mut file, mut pace) = (None, Pace::begin());
    while let Some(field) = pace.wait(form.next()).await? {
        let field = field.map_err(|error| unreadable(&error))?;
        match field.name() {
            Some("file") if file.is_none() => file = Some(take_file(field, &mut pace).await?),
            Some("file") => return Err(Problem::field("INVALID", "file", "only one file can be taken")),
            other => {
                return Err(Problem::field("UNKNOWN_FIELD", other.unwrap_or("body"), "is not known here"));
            }
        }
    }
    file.ok_or_else(|| Problem::field("REQUIRED", "file", "is required"))
}

async fn take_file(mut field: Field, pace: &mut Pace) -> Result<File, Problem> {
    let name = field.content_disposition().and_then(|said| said.get_filename()).unwrap_or_default().to_owned();
    let mut bytes = Vec::new();
    while let Some(chunk) = pace.wait(field.next()).await? {
        let chunk = chunk.map_err(|error| unreadable(&error))?;
        pace.came(chunk.len());
        if bytes.len() + chunk.len() > LIMIT {
            let detail = "a file may have 10 MB at the most";
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", detail));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(File { name, bytes })
}

fn unreadable(error: &MultipartError) -> Problem {
    Problem::malformed(format!("the form cannot be read: {error}"))
}
