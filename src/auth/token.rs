//! Access tokens: short-lived, signed, and void as soon as the user's credentials change.

use std::time::Duration;

use aws_lc_rs::digest;
use chrono::Utc;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use kernel::{Role, UserId};
use serde::{Deserialize, Serialize};

use crate::{config::Secret, journal::ExecuteError};

const ACCESS: &str = "access";

/// How many tokens that were found to be valid are known as such.
const KNOWN: u64 = 10_000;

/// What an access token says.
#[derive(Debug, Serialize, Deserialize)]
pub struct Claims {
    pub sub: String,
    pub role: Role,
    pub email: String,
    pub token_type: String,
    pub jti: String,
    pub iat: i64,
    pub exp: i64,
    /// The user's credential version that the token was made under.
    pub ver: i64,
}

impl Claims {
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.sub.parse().ok()
    }
}

/// Whom an access token speaks for, and until when.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    pub user: UserId,
    /// See [`Claims::ver`].
    pub version: i64,
    exp: i64,
}

/// Makes and reads access tokens (HS256).
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    lifetime: Duration,
    /// By their digests, so that a token is read once and not with every request. Whether the user may still come in is
    /// not of the token, and is looked at each time.
    known: moka::sync::Cache<[u8; digest::SHA256_OUTPUT_LEN], Access>,
}

impl Tokens {
    #[must_use]
    pub fn new(secret: &Secret, lifetime: Duration) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.set_required_spec_claims(&["exp", "sub"]);
        let secret = secret.expose().as_bytes();
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
            lifetime,
            known: moka::sync::Cache::new(KNOWN),
        }
    }

    /// # Errors
    /// When it cannot be signed.
    pub fn make(&self, user: UserId, role: Role, email: &str, version: i64) -> Result<String, ExecuteError> {
        let now = Utc::now().timestamp();
        let claims = Claims {
            sub: user.to_string(),
            role,
            email: email.to_owned(),
            token_type: ACCESS.to_owned(),
            jti: uuid::Uuid::now_v7().to_string(),
            iat: now,
            exp: now + i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX / 2),
            ver: version,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|error| ExecuteError::Fault(format!("a token could not be signed: {error}")))
    }

    /// What a valid access token gives.
    #[must_use]
    pub fn access(&self, token: &str) -> Option<Access> {
        let key = digest::digest(&digest::SHA256, token.as_bytes()).as_ref().try_into().ok()?;
        if let Some(known) = self.known.get(&key).filter(|known| Utc::now().timestamp() < known.exp) {
            return Some(known);
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).ok()?.claims;
        let user = claims.user().filter(|_| claims.token_type == ACCESS)?;
        let access = Access { user, version: claims.ver, exp: claims.exp };
        self.known.insert(key, access);
        Some(access)
    }
}

#[cfg(test)]
mod tests {
    use kernel::Role;

    use super::*;

    #[test]
    fn a_token_that_is_known_expires_like_any_other() {
        let tokens = Tokens::new(&Secret::new("a key for tests, not for use anywhere"), Duration::from_secs(60));
        let user = UserId::try_from(1).unwrap();
        let token = tokens.make(user, Role::Admin, "a@ddc.test", 3).unwrap();
        let first = tokens.access(&token).unwrap();
        assert_eq!((first.user, first.version), (user, 3));
        let key = *tokens.known.iter().next().unwrap().0;
        assert!(tokens.access(&token).is_some());
        // As if its time had come; the token itself would still be valid, and is read anew.
        tokens.known.insert(key, Access { exp: Utc::now().timestamp(), ..first });
        assert_eq!(tokens.access(&token).map(|access| access.exp), Some(first.exp));
    }
}
