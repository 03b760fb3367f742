use chrono::{DateTime, Utc};
use kernel::{CascadeId, Email, Personal, Role, UserId, domain_event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{UserDetails, UserProfile};

/// What happened to a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum UserEvent {
    Registered {
        id: UserId,
        email: Personal<Email>,
        role: Role,
        details: UserDetails,
        profile: Personal<UserProfile>,
        must_set_password: bool,
    },
    ProfileChanged {
        profile: Personal<UserProfile>,
    },
    /// The details as they are from now on.
    DetailsChanged(UserDetails),
    RoleChanged {
        from: Role,
        to: Role,
    },
    EmailChanged {
        email: Personal<Email>,
    },
    /// A password was set or changed, by whom; `null` is the system.
    PasswordSet {
        by: Option<UserId>,
    },
    PasswordResetRequested,
    Deactivated {
        cascade: Option<CascadeId>,
    },
    Reactivated,
    DeletionRequested,
    Deleted {
        cascade: CascadeId,
    },
    /// What that cascade took along comes back with it.
    Restored {
        cascade: CascadeId,
    },
    LoginSucceeded {
        at: DateTime<Utc>,
    },
    LoginFailed {
        at: DateTime<Utc>,
    },
    RefreshTokenRotated,
    RefreshTokenReused,
    LoggedOut,
}

domain_event!(UserEvent:
    Registered => "user.registered",
    ProfileChanged => "user.profile_changed",
    DetailsChanged => "user.details_changed",
    RoleChanged => "user.role_changed",
    EmailChanged => "user.email_changed",
    PasswordSet => "user.password_set",
    PasswordResetRequested => "user.password_reset_requested",
    Deactivated => "user.deactivated",
    Reactivated => "user.reactivated",
    DeletionRequested => "user.deletion_requested",
    Deleted => "user.deleted",
    Restored => "user.restored",
    LoginSucceeded => "user.login_succeeded",
    LoginFailed => "user.login_failed",
    RefreshTokenRotated => "user.refresh_token_rotated",
    RefreshTokenReused => "user.refresh_token_reused",
    LoggedOut => "user.logged_out",
);
