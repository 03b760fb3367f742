//! Refresh tokens and one-time tokens: random, stored as fingerprints, used once.

use std::time::Duration;

use kernel::UserId;
use sqlx::{PgExecutor, PgPool};

use super::{fingerprint, secret};
use crate::journal::ExecuteError;

/// What became of a refresh token that was presented.
pub enum Rotation {
    /// The next one, of the same family.
    Next {
        user: UserId,
        version: i64,
        token: String,
    },
    /// It was used before: its whole family is revoked.
    Reused {
        user: UserId,
    },
    Refused,
}

impl Rotation {
    /// A first refresh token, of a new family.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin(pool: &PgPool, user: UserId, version: i64, lifetime: Duration) -> Result<String, ExecuteError> {
        let family = uuid::Uuid::new_v4().to_string();
        insert(pool, &family, user.get(), version, lifetime).await
    }

    /// Trades a refresh token for the next. Of two that come at once one is refused.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn rotate(pool: &PgPool, token: &str, lifetime: Duration) -> Result<Self, ExecuteError> {
        let mut tx = pool.begin().await?;
        let found: Option<(String, i64, i64, bool, bool)> = sqlx::query_as(
            "SELECT family::text, user_id, version, used_at IS NOT NULL, revoked_at IS NOT NULL OR expires_at < now()
             FROM refresh_tokens WHERE token_hash = $1 FOR UPDATE",
        )
        .bind(fingerprint(token))
        .fetch_optional(&mut *tx)
        .await?;
        let Some((family, user, version, used, void)) = found else { return Ok(Self::Refused) };
        let Ok(user) = UserId::try_from(user) else { return Ok(Self::Refused) };
        if void {
            return Ok(Self::Refused);
        }
        if used {
            revoke(&mut *tx, &family).await?;
            tx.commit().await?;
            return Ok(Self::Reused { user });
        }
        sqlx::query("UPDATE refresh_tokens SET used_at = now() WHERE token_hash = $1")
            .bind(fingerprint(token))
            .execute(&mut *tx)
            .await?;
        let next = insert(&mut *tx, &family, user.get(), version, lifetime).await?;
        tx.commit().await?;
        Ok(Self::Next { user, version, token: next })
    }
}

async fn insert(
    executor: impl PgExecutor<'_>,
    family: &str,
    user: i64,
    version: i64,
    lifetime: Duration,
) -> Result<String, ExecuteError> {
    let token = secret()?;
    sqlx::query(
        "INSERT INTO refresh_tokens (token_hash, family, user_id, version, expires_at)
         VALUES ($1, $2::uuid, $3, $4, now() + make_interval(secs => $5))",
    )
    .bind(fingerprint(&token))
    .bind(family)
    .bind(user)
    .bind(version)
    .bind(lifetime.as_secs_f64())
    .execute(executor)
    .await?;
    Ok(token)
}

async fn revoke(executor: impl PgExecutor<'_>, family: &str) -> Result<(), ExecuteError> {
    sqlx::query("UPDATE refresh_tokens SET revoked_at = now() WHERE family = $1::uuid AND revoked_at IS NULL")
        .bind(family)
        .execute(executor)
        .await?;
    Ok(())
}

/// Revokes the family of a refresh token of this user.
///
/// # Errors
/// When the database cannot be reached.
pub async fn revoke_family(pool: &PgPool, user: UserId, token: &str) -> Result<(), ExecuteError> {
    sqlx::query(
        "UPDATE refresh_tokens SET revoked_at = now() WHERE revoked_at IS NULL
         AND family = (SELECT family FROM refresh_tokens WHERE token_hash = $1 AND user_id = $2)",
    )
    .bind(fingerprint(token))
    .bind(user.get())
    .execute(pool)
    .await?;
    Ok(())
}

/// Revokes all refresh tokens of a user.
///
/// # Errors
/// When the database cannot be reached.
pub async fn revoke_user(executor: impl PgExecutor<'_>, user: UserId) -> Result<(), ExecuteError> {
    sqlx::query("UPDATE refresh_tokens SET revoked_at = now() WHERE user_id = $1 AND revoked_at IS NULL")
        .bind(user.get())
        .execute(executor)
        .await?;
    Ok(())
}

/// What a one-time token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OneTimePurpose {
    SetPassword,
    PasswordReset,
}

impl OneTimePurpose {
    const fn name(self) -> &'static str {
        match self {
            Self::SetPassword => "SET_PASSWORD",
            Self::PasswordReset => "PASSWORD_RESET",
        }
    }

    /// How long it may be used.
    const fn lifetime_hours(self) -> i32 {
        match self {
            Self::SetPassword => 72,
            Self::PasswordReset => 2,
        }
    }
}

/// A token for a mail. Earlier ones of the same purpose are void from now on.
///
/// # Errors
/// When the database cannot be reached.
pub async fn issue_one_time(pool: &PgPool, user: UserId, purpose: OneTimePurpose) -> Result<String, ExecuteError> {
    let token = secret()?;
    let mut tx = pool.begin().await?;
    sqlx::query("UPDATE one_time_tokens SET used_at = now() WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL")
        .bind(user.get())
        .bind(purpose.name())
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO one_time_tokens (token_hash, user_id, purpose, expires_at)
         VALUES ($1, $2, $3, now() + make_interval(hours => $4))",
    )
    .bind(fingerprint(&token))
    .bind(user.get())
    .bind(purpose.name())
    .bind(purpose.lifetime_hours())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(token)
}

/// The user of a valid one-time token, which is used up by this.
///
/// # Errors
/// When the database cannot be reached.
pub async fn redeem_one_time(
    executor: impl PgExecutor<'_>,
    token: &str,
    purposes: &[OneTimePurpose],
) -> Result<Option<UserId>, ExecuteError> {
    let purposes: Vec<&str> = purposes.iter().map(|purpose| purpose.name()).collect();
    let user: Option<i64> = sqlx::query_scalar(
        "UPDATE one_time_tokens SET used_at = now()
         WHERE token_hash = $1 AND purpose = ANY($2) AND used_at IS NULL AND expires_at > now() RETURNING user_id",
    )
    .bind(fingerprint(token))
    .bind(purposes)
    .fetch_optional(executor)
    .await?;
    Ok(user.and_then(|user| user.try_into().ok()))
}
