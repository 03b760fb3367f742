//! The keys of persons: one a subject, sealed with the master key, in a table of their own.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    rand,
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use kernel::{
    UserId,
    personal::{KeyMissing, Sealer},
};
use runtime::{CodecError, Vault};
use sqlx::PgPool;

/// How many subjects' keys stay at hand.
const CAPACITY: u64 = 100_000;
const KEY_LEN: usize = 32;

/// The key that seals the subjects' keys.
pub struct MasterKey(RandomizedNonceKey);

impl MasterKey {
    /// From 32 bytes of secret; `None` when they are not 32.
    #[must_use]
    pub fn new(secret: &[u8]) -> Option<Self> {
        RandomizedNonceKey::new(&AES_256_GCM, secret).ok().map(Self)
    }
}

/// [`Vault`] over the table `subject_keys`.
pub struct PostgresVault {
    pool: PgPool,
    master: MasterKey,
    keys: Arc<Keys>,
}

struct Keys(moka::sync::Cache<UserId, Option<Arc<RandomizedNonceKey>>>);

impl PostgresVault {
    #[must_use]
    pub fn new(pool: PgPool, master: MasterKey) -> Self {
        Self { pool, master, keys: Arc::new(Keys(moka::sync::Cache::new(CAPACITY))) }
    }

    fn open_key(&self, subject: i64, sealed: &[u8]) -> Result<Arc<RandomizedNonceKey>, CodecError> {
        let broken = || CodecError::Keys(format!("the key of subject {subject} does not open with this master key"));
        let key = open(&self.master.0, subject, sealed).ok_or_else(broken)?;
        Ok(Arc::new(RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(|_| broken())?))
    }
}

#[async_trait]
impl Vault for PostgresVault {
    fn sealer(&self) -> Arc<dyn Sealer> {
        Arc::<Keys>::clone(&self.keys)
    }

    async fn fetch(&self, subjects: &BTreeSet<UserId>) -> Result<(), CodecError> {
        let unreachable = |error: sqlx::Error| CodecError::Unavailable(error.to_string());
        for subject in subjects {
            let mut fresh = [0; KEY_LEN];
            rand::fill(&mut fresh).map_err(|_| CodecError::Keys("no randomness".to_owned()))?;
            let fresh = seal(&self.master.0, subject.get(), &fresh);
            let fresh = fresh.ok_or_else(|| CodecError::Keys("a new key could not be sealed".to_owned()))?;
            let stored: Option<Vec<u8>> = sqlx::query_scalar(
                "WITH made AS (
                     INSERT INTO subject_keys (subject, sealed_key) VALUES ($1, $2)
                     ON CONFLICT (subject) DO NOTHING RETURNING sealed_key)
                 SELECT sealed_key FROM made UNION ALL SELECT sealed_key FROM subject_keys WHERE subject = $1 LIMIT 1",
            )
            .bind(subject.get())
            .bind(fresh)
            .fetch_one(&self.pool)
            .await
            .map_err(unreachable)?;
            let key = stored.map(|sealed| self.open_key(subject.get(), &sealed)).transpose()?;
            self.keys.0.insert(*subject, key);
        }
        Ok(())
    }
}

impl Sealer for Keys {
    fn seal(&self, subject: UserId, clear: &[u8]) -> Result<String, KeyMissing> {
        // For an erased subject nothing is kept any more.
        let Some(key) = self.0.get(&subject).ok_or(KeyMissing)? else { return Ok(String::new()) };
        Ok(seal(&key, subject.get(), clear).map(|sealed| BASE64.encode(sealed)).unwrap_or_default())
    }

    fn open(&self, subject: UserId, sealed: &str) -> Result<Option<Vec<u8>>, KeyMissing> {
        let Some(key) = self.0.get(&subject).ok_or(KeyMissing)? else { return Ok(None) };
        Ok(BASE64.decode(sealed).ok().and_then(|sealed| open(&key, subject.get(), &sealed)))
    }
}

/// Nonce, ciphertext and tag; bound to the subject, so that one person's value cannot pass for another's.
fn seal(key: &RandomizedNonceKey, subject: i64, clear: &[u8]) -> Option<Vec<u8>> {
    let mut sealed = clear.to_vec();
    let nonce = key.seal_in_place_append_tag(Aad::from(subject.to_be_bytes()), &mut sealed).ok()?;
    Some([nonce.as_ref().as_slice(), &sealed].concat())
}

fn open(key: &RandomizedNonceKey, subject: i64, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut sealed = sealed.to_vec();
    let clear = key.open_in_place(Nonce::from(nonce), Aad::from(subject.to_be_bytes()), &mut sealed).ok()?;
    Some(clear.to_vec())
}
