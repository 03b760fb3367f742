//! Passwords: argon2id hashes in a table of their own.

use std::{
    sync::{Arc, LazyLock},
    thread::available_parallelism,
};

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use kernel::UserId;
use serde::Deserialize;
use sqlx::PgExecutor;
use tokio::sync::Semaphore;

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
        let hashed =
            aside(move || Argon2::default().hash_password(self.0.as_bytes()).map(|hash| hash.to_string())).await?;
        Ok(PasswordHash(hashed.map_err(fault)?))
    }
}

/// A stored password.
#[derive(Clone)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The one of a user; of nobody there is none, which takes as long to find out.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn load(tenant: &Tenant, user: Option<UserId>) -> Result<Option<Self>, ExecuteError> {
        let hash: Option<String> = sqlx::query_scalar("SELECT password_hash FROM credentials WHERE user_id = $1")
            .bind(user.map(UserId::get))
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

/// argon2id with the default costs, of a password that nobody has.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$8Y8hYWZ2hUDCJnjC3yBd9PfuG+1Nm8k9kQ9Z2y6cUo0";

/// Whether a password is the stored one. Without a stored one a dummy is compared, so that the time tells nothing.
///
/// # Errors
/// When too many wait for theirs to be compared.
pub(super) async fn verify(hash: Option<PasswordHash>, password: &str) -> Result<bool, ExecuteError> {
    let password = password.to_owned();
    aside(move || {
        let text = hash.as_ref().map_or(DUMMY, |hash| &hash.0);
        let matches = argon2::PasswordHash::new(text)
            .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
        matches && hash.is_some()
    })
    .await
}

/// How many may wait for a hash. One takes tens of milliseconds and 19 MB: strangers who log in by the hundred must
/// neither fill the memory nor take the places of all others.
const WAITING: usize = 32;

/// Hashes on as many threads as there are cores.
async fn aside<T: Send + 'static>(hashing: impl FnOnce() -> T + Send + 'static) -> Result<T, ExecuteError> {
    static QUEUE: Semaphore = Semaphore::const_new(WAITING);
    static CORES: LazyLock<Arc<Semaphore>> =
        LazyLock::new(|| Arc::new(Semaphore::new(available_parallelism().map_or(1, Into::into))));
    let _waiting = QUEUE.try_acquire().map_err(|_| ExecuteError::Busy)?;
    let core = Arc::clone(&CORES).acquire_owned().await.map_err(fault)?;
    // A caller that goes away does not end the hash: its core is free when it is done.
    let hashed = tokio::task::spawn_blocking(move || (hashing(), core));
    Ok(hashed.await.map_err(fault)?.0)
}

fn fault(error: impl std::fmt::Display) -> ExecuteError {
    ExecuteError::Fault(format!("a password could not be hashed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is compared for an unknown user costs as much as what is stored for a known one.
    #[tokio::test]
    async fn the_dummy_is_a_hash_like_any_other() {
        let stored = Password("a long enough password".to_owned()).hash().await.unwrap();
        let costs = |hash: &str| {
            let parsed = argon2::PasswordHash::new(hash).unwrap();
            let length = parsed.hash.map(|hash| hash.len());
            (parsed.algorithm, parsed.version, parsed.params, length)
        };
        assert_eq!(costs(DUMMY), costs(&stored.0));
        assert!(verify(Some(stored), "a long enough password").await.unwrap());
        assert!(!verify(None, "a long enough password").await.unwrap());
    }
}
