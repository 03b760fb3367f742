//! Who issues a command.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::UserId;

/// What a user may do at all; relations (own, assigned) are decided by the aggregates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    Admin,
    Reviewer,
    Consultant,
    Client,
}

impl Role {
    /// The name as JSON, tokens and the database carry it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "ADMIN",
            Self::Reviewer => "REVIEWER",
            Self::Consultant => "CONSULTANT",
            Self::Client => "CLIENT",
        }
    }
}

/// A signed-in user, or the system itself (a reaction, the command line).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Actor {
    User { id: UserId, role: Role },
    System,
}

impl Actor {
    /// The user behind the command; `None` for the system.
    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(id),
            Self::System => None,
        }
    }

    /// The user's role; `None` for the system.
    #[must_use]
    pub const fn role(self) -> Option<Role> {
        match self {
            Self::User { role, .. } => Some(role),
            Self::System => None,
        }
    }

    /// The system and ADMIN: nobody's rows are hidden from them.
    #[must_use]
    pub fn is_admin(self) -> bool {
        matches!(self, Self::System | Self::User { role: Role::Admin, .. })
    }

    #[must_use]
    pub fn is(self, user: UserId) -> bool {
        self.user() == Some(user)
    }
}
