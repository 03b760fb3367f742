//! JSON bodies. They are taken in first and read only when the caller is known to be allowed to send them, so that a
//! stranger learns nothing from how a body is refused.

use std::{fmt::Write, future::Future, marker::PhantomData, pin::Pin};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
};
use aws_lc_rs::digest;
use futures::StreamExt;
use kernel::Change;
use serde::de::DeserializeOwned;

use super::{admission, call::Call, pace::Pace, problem::Problem};

/// The most that a JSON body may be.
pub const LIMIT: usize = 10 << 20;
/// The most that is taken in before the sender is known.
const STRANGERS_LIMIT: usize = 64 << 10;

/// A JSON body that has not been read yet.
pub struct Body<T> {
    taken: Result<Vec<u8>, Problem>,
    form: PhantomData<fn() -> T>,
}

/// What a request said, for its idempotency key.
#[derive(Clone)]
pub struct Digest(pub String);

impl<T: DeserializeOwned> Body<T> {
    /// The body in its form.
    ///
    /// # Errors
    /// 400 when it is no JSON or of other types, 413, 415, and 422 when a member is unknown, missing or refused; the
    /// member is named.
    pub fn read(self) -> Result<T, Problem> {
        let bytes = self.taken?;
        no_list(&bytes)?;
        read(&bytes)
    }

    /// As [`Body::read`], but an empty body stands for `{}`.
    ///
    /// # Errors
    /// As [`Body::read`].
    pub fn read_or_empty(self) -> Result<T, Problem> {
        let bytes = self.taken?;
        no_list(&bytes)?;
        read(if bytes.is_empty() { b"{}" } else { &bytes })
    }
}

/// Refuses a list in the place of an object: its elements would be taken for the members in their order.
fn no_list(bytes: &[u8]) -> Result<(), Problem> {
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        let detail = "must be an object";
        return Err(Problem::malformed(format!("body: {detail}")).with_error("body", detail));
    }
    Ok(())
}

/// Reads JSON text into its form.
///
/// # Errors
/// As [`Body::read`].
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        refuse(&path, error.inner())
    })?;
    deserializer.end().map_err(|error| refuse("", &error))?;
    Ok(value)
}

/// A member of a partial update that can be kept or set, but not cleared.
///
/// # Errors
/// 422 for `null`.
pub fn set_or_keep<T>(field: &str, change: Change<T>) -> Result<Option<T>, Problem> {
    match change {
        Change::Keep => Ok(None),
        Change::Set(value) => Ok(Some(value)),
        Change::Clear => Err(Problem::field("REQUIRED", field, "cannot be cleared")),
    }
}

fn refuse(path: &str, error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    // Without serde_json's " at line 1 column 2".
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    if !error.is_data() {
        return Problem::malformed(format!("the body is not JSON: {text}"));
    }
    let quoted = text.split('`').nth(1).unwrap_or_default();
    let parent = if path == "." { "" } else { path };
    let member = |name: &str| match parent {
        "" => name.to_owned(),
        parent if parent == name || parent.ends_with(&format!(".{name}")) => parent.to_owned(),
        parent => format!("{parent}.{name}"),
    };
    if text.starts_with("unknown field") {
        return Problem::field("UNKNOWN_FIELD", &member(quoted), "is not known here");
    }
    if text.starts_with("missing field") {
        return Problem::field("REQUIRED", &member(quoted), "is required");
    }
    let field = if parent.is_empty() { "body" } else { parent };
    if text.starts_with("invalid type") || text.starts_with("duplicate field") {
        let field = if text.starts_with("duplicate") { member(quoted) } else { field.to_owned() };
        return Problem::malformed(format!("{field}: {text}")).with_error(&field, text);
    }
    Problem::field("INVALID", field, text)
}

impl<T: 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let taken = admission::outside(&request, take(&request, payload)).await?;
            let bytes = taken.as_deref().unwrap_or_default();
            note(&request, bytes);
            Ok(Self { taken, form: PhantomData })
        })
    }
}

/// Remembers what the request said.
pub fn note(request: &HttpRequest, bytes: &[u8]) {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [request.method().as_str(), request.path(), request.query_string()] {
        context.update(part.as_bytes());
        context.update(b"\0");
    }
    context.update(bytes);
    let mut hash = String::with_capacity(2 * digest::SHA256_OUTPUT_LEN);
    for byte in context.finish().as_ref() {
        // Writing to a text does not fail.
        let _ = write!(hash, "{byte:02x}");
    }
    request.extensions_mut().insert(Digest(hash));
}

async fn take(request: &HttpRequest, mut payload: Payload) -> Result<Vec<u8>, Problem> {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let length: usize = length.unwrap_or_default();
    let mut is_large = false;
    let (mut bytes, mut pace) = (Vec::with_capacity(length.min(STRANGERS_LIMIT)), Pace::begin());
    loop {
        let size = length.max(bytes.len());
        if size > LIMIT {
            return Err(too_large("10 MB"));
        }
        if size > STRANGERS_LIMIT && !is_large {
            make_room(request).await?;
            is_large = true;
        }
        let Some(chunk) = pace.wait(payload.next()).await? else { break };
        let chunk = chunk.map_err(|error| Problem::malformed(format!("the body broke off: {error}")))?;
        pace.came(chunk.len());
        bytes.extend_from_slice(&chunk);
    }
    let json =
        request.content_type().eq_ignore_ascii_case("application/json") || request.content_type().ends_with("+json");
    if !bytes.is_empty() && !json {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "the body must be application/json",
        ));
    }
    Ok(bytes)
}

fn too_large(limit: &str) -> Problem {
    let detail = format!("a body may have {limit} at the most");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", detail)
}

/// A large body is taken in only from who has signed in, and only so many at once.
async fn make_room(request: &HttpRequest) -> Result<(), Problem> {
    match Call::extract(request).await {
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => Err(too_large("64 KB")),
        Err(problem) => Err(problem),
        Ok(_) => admission::make_room(request),
    }
}
