use chrono::{DateTime, Utc};
use kernel::{CascadeId, Email, IndustryTypeId, Personal, Resource, Role, Stamp, Text, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{UserEvent, UserRefusal};

/// A user as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum User {
    #[default]
    NotYet,
    Known(Box<Account>),
}

/// What is known of a registered user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    pub id: UserId,
    pub email: Personal<Email>,
    pub role: Role,
    pub details: UserDetails,
    pub profile: Personal<UserProfile>,
    pub must_set_password: bool,
    pub last_login: Option<DateTime<Utc>>,
    /// Moves whenever older access tokens must stop working; they carry it as `ver`.
    pub credential_version: i64,
    /// Set while deactivated.
    pub(super) deactivated: Option<Deactivation>,
    /// The cascade that deleted it, while deleted. A deactivation of before stands beside it, so that restoring
    /// leaves it as it was.
    pub(super) deleted: Option<CascadeId>,
    pub(super) deletion_requested: bool,
}

/// By which cascade, if by one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Deactivation {
    pub(super) cascade: Option<CascadeId>,
}

/// What an ADMIN says about a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct UserDetails {
    pub company_name: Option<Text<1, 200>>,
    /// A contact's parent account, or a staff member's manager.
    pub parent: Option<UserId>,
    pub industry_type: Option<IndustryTypeId>,
}

/// What users say about themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UserProfile {
    pub phone_number: Option<Text<1, 40>>,
    pub address: Option<Text<1, 500>>,
    pub city: Option<Text<1, 100>>,
    pub state: Option<Text<1, 100>>,
    pub zip_code: Option<Text<1, 20>>,
    pub country: Option<Text<1, 100>>,
}

/// A user as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct UserView {
    pub id: i64,
    /// `null` once the user's personal data was erased.
    pub email: Option<Email>,
    pub role: Role,
    #[serde(flatten)]
    pub details: UserDetails,
    pub profile: UserProfile,
    pub is_active: bool,
    pub is_deleted: bool,
    pub must_set_password: bool,
    pub last_login: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

impl Account {
    /// Neither deactivated nor deleted.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.deactivated.is_none() && self.deleted.is_none()
    }

    #[must_use]
    pub const fn is_deleted(&self) -> bool {
        self.deleted.is_some()
    }

    /// The cascade that deleted it, while it is deleted.
    #[must_use]
    pub const fn deleted_by(&self) -> Option<&CascadeId> {
        self.deleted.as_ref()
    }

    fn record(&mut self, event: UserEvent) {
        if Self::ends_tokens(&event) {
            self.credential_version = self.credential_version.saturating_add(1);
        }
        match event {
            UserEvent::ProfileChanged { profile } => self.profile = profile,
            UserEvent::DetailsChanged(details) => self.details = details,
            UserEvent::RoleChanged { to, .. } => self.role = to,
            UserEvent::EmailChanged { email } => self.email = email,
            UserEvent::PasswordSet { .. } => self.must_set_password = false,
            UserEvent::Deactivated { cascade } => self.deactivated = Some(Deactivation { cascade }),
            UserEvent::Reactivated => self.deactivated = None,
            UserEvent::DeletionRequested => self.deletion_requested = true,
            UserEvent::Deleted { cascade } => self.deleted = Some(cascade),
            UserEvent::Restored { .. } => {
                self.deleted = None;
                self.deletion_requested = false;
            }
            UserEvent::LoginSucceeded { at } => self.last_login = Some(at),
            UserEvent::Registered { .. }
            | UserEvent::PasswordResetRequested
            | UserEvent::LoginFailed { .. }
            | UserEvent::RefreshTokenRotated
            | UserEvent::RefreshTokenReused
            | UserEvent::LoggedOut => {}
        }
    }

    /// Password, role, deactivation, deletion (spec 5): what an older token claims no longer holds.
    const fn ends_tokens(event: &UserEvent) -> bool {
        matches!(
            event,
            UserEvent::PasswordSet { .. }
                | UserEvent::RoleChanged { .. }
                | UserEvent::Deactivated { .. }
                | UserEvent::Deleted { .. }
        )
    }
}

impl User {
    pub(super) fn record(&mut self, event: UserEvent) {
        match (self, event) {
            (this, UserEvent::Registered { id, email, role, details, profile, must_set_password }) => {
                *this = Self::Known(Box::new(Account {
                    id,
                    email,
                    role,
                    details,
                    profile,
                    must_set_password,
                    last_login: None,
                    credential_version: 1,
                    deactivated: None,
                    deleted: None,
                    deletion_requested: false,
                }));
            }
            (Self::Known(account), event) => account.record(event),
            (Self::NotYet, _) => {}
        }
    }

    /// The account, deleted or not.
    #[must_use]
    pub fn known(&self) -> Option<&Account> {
        match self {
            Self::Known(account) => Some(account),
            Self::NotYet => None,
        }
    }

    /// The account, if it exists and is not deleted.
    #[must_use]
    pub fn live(&self) -> Option<&Account> {
        self.known().filter(|account| !account.is_deleted())
    }

    /// It exists and is neither deactivated nor deleted: it may be newly referred to.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.known().is_some_and(Account::is_active)
    }

    /// What a login, a refresh and every request ask: the role to act in.
    ///
    /// # Errors
    /// [`UserRefusal::MayNotSignIn`] for a user that is not there, deactivated or deleted.
    pub fn may_sign_in(&self) -> Result<Role, UserRefusal> {
        self.known().filter(|account| account.is_active()).map(|account| account.role).ok_or(UserRefusal::MayNotSignIn)
    }

    /// What a token's `ver` is compared with; 0 for a user that was never registered.
    #[must_use]
    pub fn credential_version(&self) -> i64 {
        self.known().map_or(0, |account| account.credential_version)
    }

    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.known().map(|account| account.role)
    }

    /// `None` also when the user's personal data was erased.
    #[must_use]
    pub fn email(&self) -> Option<&Email> {
        self.known().and_then(|account| account.email.reveal())
    }
}

impl Resource for User {
    type State = Self;
    type View = UserView;

    fn state(&self) -> &Self {
        self
    }

    fn record(state: &mut Self, event: UserEvent) {
        state.record(event);
    }

    fn view(state: &Self, stamp: &Stamp) -> Option<UserView> {
        let account = state.known()?;
        Some(UserView {
            id: stamp.number(),
            email: account.email.reveal().cloned(),
            role: account.role,
            details: account.details.clone(),
            profile: account.profile.reveal().cloned().unwrap_or_default(),
            is_active: account.is_active(),
            is_deleted: account.is_deleted(),
            must_set_password: account.must_set_password,
            last_login: account.last_login,
            created_at: stamp.created_at,
            updated_at: stamp.updated_at,
            version: stamp.version,
        })
    }
}
