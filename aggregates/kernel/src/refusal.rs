//! Why a command is refused.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// What sort of refusal it is; the HTTP status and the log level follow from it, in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// There is no such thing, or the caller may not know that there is.
    NotFound,
    /// The caller may see it but not do this.
    Forbidden,
    /// The state, or the uniqueness of something, forbids it.
    Conflict,
    /// A field or a rule refuses it.
    Unprocessable,
}

/// An aggregate's own enum of refusals, one variant for each rule that can be broken.
pub trait Refusal: std::error::Error + Send + Sync + 'static {
    fn kind(&self) -> Kind;

    /// The stable text for clients, e.g. `COSTING_NOT_APPROVED`.
    fn code(&self) -> &'static str;

    /// The member of the payload that is to blame, if one is.
    fn field(&self) -> Option<Cow<'static, str>> {
        None
    }

    /// Further members of the problem document, e.g. `from` and `allowed` of a wrong transition.
    fn members(&self) -> Map<String, Value> {
        Map::new()
    }
}
