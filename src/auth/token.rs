//! Access tokens: short-lived, signed, and void as soon as the user's credentials change.

use std::time::Duration;

use chrono::Utc;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use kernel::{Role, UserId};
use serde::{Deserialize, Serialize};

use crate::{config::Secret, journal::ExecuteError};

const ACCESS: &str = "access";

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

/// Makes and reads access tokens (HS256).
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    lifetime: Duration,
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

    /// The claims of a valid access token.
    #[must_use]
    pub fn access(&self, token: &str) -> Option<Claims> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).ok()?.claims;
        (claims.token_type == ACCESS).then_some(claims)
    }
}
