//! All errors leave as `application/problem+json` (RFC 9457), and this is the one place where they are made.

use std::{collections::BTreeMap, fmt};

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use kernel::Kind;
use serde_json::{Map, Value, json};

use crate::journal::{ExecuteError, Refused};

/// What went wrong, in the form that clients see. The request's id is added on the way out.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: String,
    detail: String,
    errors: BTreeMap<String, Vec<String>>,
    members: Map<String, Value>,
    retry_after: Option<u64>,
}

impl Problem {
    #[must_use]
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            detail: detail.into(),
            errors: BTreeMap::new(),
            members: Map::new(),
            retry_after: None,
        }
    }

    /// 400: the request cannot be read.
    #[must_use]
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "MALFORMED", detail)
    }

    /// 401: nobody is signed in.
    #[must_use]
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "NOT_AUTHENTICATED", detail)
    }

    /// 403: the caller's role may never do this.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", "your role may not do this")
    }

    /// 404: there is no such thing, or the caller may not know that there is.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "there is no such resource")
    }

    /// 409.
    #[must_use]
    pub fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422: a field is refused.
    #[must_use]
    pub fn field(code: &str, field: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, format!("{field}: {detail}")).with_error(field, detail)
    }

    /// 429, to be tried again after so many seconds.
    #[must_use]
    pub fn too_many(detail: impl Into<String>, retry_after: u64) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", detail);
        problem.retry_after = Some(retry_after);
        problem
    }

    /// 503, to be tried again soon.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", detail);
        problem.retry_after = Some(1);
        problem
    }

    /// 503: the node has as much to do as it can; the request was not begun.
    #[must_use]
    pub fn busy() -> Self {
        let detail = "the server has as much to do as it can; the request was not begun";
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "BUSY", detail);
        problem.retry_after = Some(1);
        problem
    }

    /// 500: a fault of ours. What it is goes to the log only.
    #[must_use]
    pub fn fault(what: impl fmt::Display) -> Self {
        tracing::error!(fault = %what, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "FAULT", "the request failed by a fault of the server")
    }

    #[must_use]
    pub fn with_error(mut self, field: &str, text: impl Into<String>) -> Self {
        self.errors.entry(field.to_owned()).or_default().push(text.into());
        self
    }

    #[must_use]
    pub fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The document's text, to be sent or kept.
    #[must_use]
    pub fn body(&self) -> String {
        let mut document = self.members.clone();
        let title = self.status.canonical_reason().unwrap_or("Error");
        for (name, value) in [
            ("type", json!("about:blank")),
            ("title", json!(title)),
            ("status", json!(self.status.as_u16())),
            ("detail", json!(self.detail)),
            ("code", json!(self.code)),
            ("errors", json!(self.errors)),
            ("request_id", json!(super::request_id::current())),
        ] {
            document.insert(name.to_owned(), value);
        }
        Value::Object(document).to_string()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.content_type("application/problem+json");
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response.body(self.body())
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = match refused.kind {
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut problem = Self::new(status, refused.code, refused.detail.clone());
        problem.members = refused.members;
        match refused.field {
            Some(field) => problem.with_error(&field, refused.detail),
            None => problem,
        }
    }
}

impl From<ExecuteError> for Problem {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Refused(refused) => refused.into(),
            ExecuteError::VersionConflict { actual } => {
                Self::new(StatusCode::PRECONDITION_FAILED, "VERSION_CONFLICT", error.to_string())
                    .with_member("version", actual)
            }
            ExecuteError::Conflict => Self::conflict("CONFLICT", error.to_string()),
            ExecuteError::KeyUsed => Self::conflict("IDEMPOTENCY_KEY_IN_FLIGHT", error.to_string()),
            ExecuteError::Busy => Self::busy(),
            ExecuteError::Unavailable(what) => {
                tracing::warn!(what, "the journal cannot be reached");
                Self::unavailable("the journal cannot be reached; whether the command came about is not known")
            }
            ExecuteError::Newer(what) => {
                tracing::warn!(what, "a request is left to a node of a newer build");
                Self::unavailable("a newer build is at work on this; a node of that build can serve it")
            }
            ExecuteError::Fault(what) => Self::fault(what),
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Decode(error) => Self::field("BAD_CURSOR", "cursor", error.to_string()),
            // 22xxx: what the client sent does not convert, e.g. a cursor's key.
            sqlx::Error::Database(error) if error.code().is_some_and(|code| code.starts_with("22")) => {
                Self::field("BAD_VALUE", "cursor", "does not fit this list")
            }
            // Undefined table: of a read model, whatever asked did not wait for it.
            sqlx::Error::Database(error) if error.code().is_some_and(|code| code == "42P01") => {
                tracing::warn!(%error, "a read model is yet to be built");
                Self::unavailable("a read model is yet to be built")
            }
            error => match ExecuteError::from(error) {
                ExecuteError::Unavailable(what) => {
                    tracing::warn!(what, "the database cannot be reached");
                    Self::unavailable("the database cannot be reached")
                }
                error => error.into(),
            },
        }
    }
}
