//! Passwords: argon2id hashes in a table of their own.

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use kernel::UserId;
use serde::Deserialize;
use sqlx::PgExecutor;

use crate::{journal::ExecuteError, tenant::Tenant};

/// A password that may be set: 8 to 128 characters, no rules of composition. Never shown.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Password(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 8 to 128 characters long")]
pub struct BadPassword;

impl TryFrom<String> for Password {
    type Error = BadPassword;

    fn try_from(text: String) -> Result<Self, BadPassword> {
        if (8..=128).contains(&text.chars().count()) { Ok(Self(text)) } else { Err(BadPassword) }
    }
}

impl Password {
    /// Its hash, made aside: it takes tens of milliseconds.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn hash(self) -> Result<PasswordHash, ExecuteError> {
        let hashed = tokio::task::spawn_blocking(move || {
            Argon2::default().hash_password(self.0.as_bytes()).map(|hash| hash.to_string())
        });
        let fault =
            |error: &dyn std::fmt::Display| ExecuteError::Fault(format!("a password could not be hashed: {error}"));
        let hash = hashed.await.map_err(|error| fault(&error))?.map_err(|error| fault(&error))?;
        Ok(PasswordHash(hash))
    }
}

/// A stored password.
#[derive(Clone)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// # Errors
    /// When the database cannot be reached.
    pub async fn load(tenant: &Tenant, user: UserId) -> Result<Option<Self>, ExecuteError> {
        let hash: Option<String> = sqlx::query_scalar("SELECT password_hash FROM credentials WHERE user_id = $1")
            .bind(user.get())
            .fetch_optional(&tenant.pool)
            .await?;
        Ok(hash.map(Self))
    }

    /// # Errors
    /// When the database cannot be reached.
    pub async fn save(&self, executor: impl PgExecutor<'_>, user: UserId) -> Result<(), ExecuteError> {
        sqlx::query(
            "INSERT INTO credentials (user_id, password_hash) VALUES ($1, $2)
             ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, changed_at = now()",
        )
        .bind(user.get())
        .bind(&self.0)
        .execute(executor)
        .await?;
        Ok(())
    }
}

/// Whether a password is the stored one. Without a stored one a dummy is compared, so that the time tells nothing.
pub(super) async fn verify(hash: Option<PasswordHash>, password: &str) -> bool {
    /// argon2id with the default costs, of a password that nobody has.
    const DUMMY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$8Y8hYWZ2hUDCJnjC3yBd9PfuG+1Nm8k9kQ9Z2y6cUo0";
    let password = password.to_owned();
    let compared = tokio::task::spawn_blocking(move || {
        let text = hash.as_ref().map_or(DUMMY, |hash| &hash.0);
        let matches = argon2::PasswordHash::new(text)
            .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
        matches && hash.is_some()
    });
    compared.await.unwrap_or(false)
}
