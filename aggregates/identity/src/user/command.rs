use kernel::{CascadeId, Change, Email, IndustryTypeId, Reference, Role, Text, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::UserProfile;

/// What can be asked of a user. That the email is unique is kept by a reservation, outside.
///
/// ADMIN may do everything, a user change its own profile and password only; facts about signing in are recorded
/// by the system or the user itself.
#[derive(Debug, Clone, PartialEq)]
pub enum UserCommand {
    Register(NewUser),
    ChangeProfile(ProfileChanges),
    ChangeDetails(UserChanges),
    ChangeRole(Role),
    ChangeEmail(Email),
    /// The hash lies in its own table; this is the fact alone.
    RecordPasswordSet,
    /// Somebody forgot a password: the mail with the link follows from the event.
    RequestPasswordReset,
    Deactivate {
        cascade: Option<CascadeId>,
    },
    /// With a cascade: only if that cascade deactivated the user.
    Reactivate {
        cascade: Option<CascadeId>,
    },
    /// Warns the user by mail, before an administrative delete.
    RequestDeletion,
    /// A client's profile follows by a reaction under the same cascade.
    Delete {
        cascade: CascadeId,
    },
    /// With a cascade: only if that cascade deleted the user.
    Restore {
        cascade: Option<CascadeId>,
    },
    RecordLoginSucceeded,
    RecordLoginFailed,
    RecordTokenRotated,
    /// A refresh token came twice: its whole family was revoked.
    RecordTokenReused,
    RecordLoggedOut,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NewUser {
    pub id: UserId,
    pub email: Email,
    pub role: Role,
    pub company_name: Option<Text<1, 200>>,
    pub parent: Option<Reference<UserId>>,
    pub industry_type: Option<Reference<IndustryTypeId>>,
    pub profile: UserProfile,
    /// No password was given: the mail that asks for one follows from the event.
    pub must_set_password: bool,
}

/// A partial update of what an ADMIN says about a user.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UserChanges {
    pub company_name: Change<Text<1, 200>>,
    pub parent: Change<Reference<UserId>>,
    pub industry_type: Change<Reference<IndustryTypeId>>,
}

/// A partial update of what users say about themselves.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileChanges {
    pub phone_number: Change<Text<1, 40>>,
    pub address: Change<Text<1, 500>>,
    pub city: Change<Text<1, 100>>,
    pub state: Change<Text<1, 100>>,
    pub zip_code: Change<Text<1, 20>>,
    pub country: Change<Text<1, 100>>,
}

impl ProfileChanges {
    /// The profile after the changes.
    #[must_use]
    pub fn over(self, old: UserProfile) -> UserProfile {
        UserProfile {
            phone_number: self.phone_number.over(old.phone_number),
            address: self.address.over(old.address),
            city: self.city.over(old.city),
            state: self.state.over(old.state),
            zip_code: self.zip_code.over(old.zip_code),
            country: self.country.over(old.country),
        }
    }
}
