//! Who is calling: passwords, access tokens, refresh tokens. Secrets are not events; they live in their own tables, and
//! what they decide is recorded on the user's stream as a fact.

mod password;
mod refresh;
mod throttle;
mod token;

use std::time::Duration;

use kernel::{Email, Role, UserId};

pub use password::{BadPassword, Password, PasswordHash};
pub use refresh::{OneTimePurpose, Rotation, issue_one_time, redeem_one_time, revoke_family, revoke_user};
pub use throttle::Throttle;
pub use token::{Access, Claims, Tokens};

use crate::{http::problem::Problem, journal::ExecuteError, tenant::Tenant};
use identity::user::User;

/// Signs users in and recognises them again.
pub struct Sessions {
    pub tokens: Tokens,
    pub throttle: Throttle,
    pub refresh_lifetime: Duration,
}

/// Where a user's email is reserved.
pub const EMAIL_SCOPE: &str = "user.email";

impl Sessions {
    /// The user that an access token speaks for, if the user may still sign in and the token is not older than the
    /// user's credentials. Reads the user's own stream, never a read model.
    ///
    /// # Errors
    /// 401; 503 when the journal cannot be reached.
    pub async fn authenticate(&self, tenant: &Tenant, token: &str) -> Result<(UserId, Role), Problem> {
        let access = self.tokens.access(token).ok_or_else(|| Problem::unauthenticated("the token is not valid"))?;
        let user = access.user;
        let state = tenant
            .journal
            .read::<User, _>(user, |user, _| user.may_sign_in().ok().map(|role| (role, user.credential_version())))
            .await?;
        match state {
            Some((role, version)) if version == access.version => Ok((user, role)),
            _ => Err(Problem::unauthenticated("the token has been revoked")),
        }
    }

    /// The user with this email and password. A wrong email and a wrong password take the same time.
    ///
    /// # Errors
    /// When the database cannot be reached, or too many sign in at once.
    pub async fn sign_in(&self, tenant: &Tenant, email: &Email, password: &str) -> Result<SignIn, ExecuteError> {
        let user = find(tenant, email).await?;
        let hash = PasswordHash::load(tenant, user).await?;
        let known = hash.is_some();
        let matches = password::verify(hash, password).await?;
        let Some(user) = user else { return Ok(SignIn::Refused(None)) };
        if !known || !matches {
            return Ok(SignIn::Refused(Some(user)));
        }
        let state = tenant
            .journal
            .read::<User, _>(user, |user, _| user.may_sign_in().ok().map(|role| (role, user.credential_version())))
            .await?;
        Ok(state.map_or(SignIn::Refused(Some(user)), |(role, version)| SignIn::Welcome { user, role, version }))
    }
}

/// What became of an attempt to sign in.
pub enum SignIn {
    Welcome {
        user: UserId,
        role: Role,
        version: i64,
    },
    /// With the user, where the email is one's.
    Refused(Option<UserId>),
}

/// The user whose email this is.
///
/// # Errors
/// When the journal cannot be reached.
pub async fn find(tenant: &Tenant, email: &Email) -> Result<Option<UserId>, ExecuteError> {
    Ok(tenant.journal.holder(EMAIL_SCOPE, email).await?.and_then(|holder| holder.parse().ok()))
}

/// 32 random bytes, as they stand in a link or a token.
fn secret() -> Result<String, ExecuteError> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| ExecuteError::Fault("no randomness".to_owned()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What is stored of a secret.
fn fingerprint(secret: &str) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes()).as_ref().to_vec()
}
