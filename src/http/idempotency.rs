//! The same key and body replay the first answer for a day; the same key with another body is refused, a key in flight
//! too.
//!
//! The answer of a command that appended events was kept by that very append. Here are the look-up, and the answers
//! that no append could keep: refusals, and commands that had nothing to do.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::HttpRequest;
use kernel::UserId;

use super::problem::Problem;
use crate::{
    journal::{Answer, StoredAnswer},
    tenant::Tenant,
};

/// The keys that are being worked on, on this node. Between nodes the table's primary key decides.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<HashSet<(UserId, String)>>>);

/// A key in flight; landed when dropped.
pub struct Flight {
    keys: InFlight,
    key: (UserId, String),
}

impl InFlight {
    /// # Errors
    /// 409 when it is in the air already.
    pub fn take_off(&self, user: UserId, key: &str) -> Result<Flight, Problem> {
        let key = (user, key.to_owned());
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone()) {
            Ok(Flight { keys: self.clone(), key })
        } else {
            Err(Problem::conflict(
                "IDEMPOTENCY_KEY_IN_FLIGHT",
                "a request with this idempotency key is being worked on",
            ))
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.keys.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// The request's key, if it has one.
///
/// # Errors
/// 400 when it is longer than 200 characters or empty.
pub fn key(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
    match value.to_str().map(str::trim) {
        Ok(key) if (1..=200).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(Problem::malformed("Idempotency-Key must be 1 to 200 characters")),
    }
}

/// The answer that was given under a key within a day.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn find(tenant: &Tenant, user: UserId, key: &str) -> Result<Option<StoredAnswer>, Problem> {
    Ok(sqlx::query_as(
        "SELECT request_hash, status, body, version, position FROM idempotency_keys
         WHERE user_id = $1 AND key = $2 AND created_at > now() - interval '24 hours'",
    )
    .bind(user.get())
    .bind(key)
    .fetch_optional(&tenant.pool)
    .await?)
}

/// Keeps an answer that no append has kept.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn keep(
    tenant: &Tenant,
    user: UserId,
    key: &str,
    hash: &str,
    answer: &Answer,
    position: i64,
) -> Result<(), Problem> {
    sqlx::query(
        "INSERT INTO idempotency_keys (user_id, key, request_hash, status, body, version, position)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(user.get())
    .bind(key)
    .bind(hash)
    .bind(i32::from(answer.status))
    .bind(&answer.body)
    .bind(answer.version)
    .bind(position)
    .execute(&tenant.pool)
    .await?;
    Ok(())
}
