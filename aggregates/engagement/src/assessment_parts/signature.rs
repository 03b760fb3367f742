use chrono::{DateTime, Utc};
use kernel::{Role, Text, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One approval of a completed assessment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Signature {
    /// Its place in the order, from 1.
    pub signature: u8,
    /// Whose approval it is in the policy.
    pub role: Role,
    /// Who gave it: a user of that role, or an ADMIN instead of one.
    pub by: UserId,
    pub by_role: Role,
    pub at: DateTime<Utc>,
    pub comment: Option<Text<1, 4000>>,
}

/// Who signs, in this order, unless another policy is given: the reviewer, then the client (spec 8.3).
#[must_use]
pub fn default_policy() -> Vec<Role> {
    vec![Role::Reviewer, Role::Client]
}
