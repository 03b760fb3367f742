//! Personal data of a natural person, unreadable in the journal once the person's key is gone.
//!
//! In memory the value is clear. Whenever it is serialised it is sealed with a key of its subject, and opened
//! when it is read back. The keys are the outside's: whoever serialises enters a [`scope`] with a [`Sealer`].
//! Without a scope both fail, so a clear value cannot slip into an event, a snapshot or a log.

use std::{cell::RefCell, collections::BTreeSet, fmt, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _, ser::Error as _};

use crate::UserId;

/// Encrypts and decrypts for one subject at a time.
pub trait Sealer: Send + Sync {
    /// # Errors
    /// [`KeyMissing`] when the subject's key is not at hand (yet).
    fn seal(&self, subject: UserId, clear: &[u8]) -> Result<String, KeyMissing>;

    /// `None` when the subject's key was destroyed or the text was tampered with.
    ///
    /// # Errors
    /// [`KeyMissing`] when the subject's key is not at hand (yet).
    fn open(&self, subject: UserId, sealed: &str) -> Result<Option<Vec<u8>>, KeyMissing>;
}

/// The sealer has to fetch the key first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key of this subject is not at hand")]
pub struct KeyMissing;

/// Why the work of a [`scope`] came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    /// Fetch these keys and do the work again.
    #[error("keys of {0:?} are not at hand")]
    KeysMissing(BTreeSet<UserId>),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

struct Scope {
    sealer: Arc<dyn Sealer>,
    missing: BTreeSet<UserId>,
}

thread_local! {
    static SCOPE: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

/// Does `work`, which serialises or deserialises, with the sealer at hand. Scopes do not nest.
///
/// # Errors
/// The work's own error, or all keys that it missed.
pub fn scope<R>(
    sealer: &Arc<dyn Sealer>,
    work: impl FnOnce() -> Result<R, serde_json::Error>,
) -> Result<R, ScopeError> {
    SCOPE.with_borrow_mut(|scope| *scope = Some(Scope { sealer: Arc::clone(sealer), missing: BTreeSet::new() }));
    let result = work();
    let missing = SCOPE.with_borrow_mut(Option::take).map(|scope| scope.missing).unwrap_or_default();
    if missing.is_empty() { Ok(result?) } else { Err(ScopeError::KeysMissing(missing)) }
}

/// Runs `work` on the scope's sealer; a missing key is noted and `fallback` stands in, so that one pass finds all.
fn with_sealer<R>(subject: UserId, fallback: R, work: impl FnOnce(&dyn Sealer) -> Result<R, KeyMissing>) -> Option<R> {
    SCOPE.with_borrow_mut(|scope| {
        let scope = scope.as_mut()?;
        Some(work(&*scope.sealer).unwrap_or_else(|KeyMissing| {
            scope.missing.insert(subject);
            fallback
        }))
    })
}

/// A personal value and whose it is. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Personal<T> {
    subject: UserId,
    value: Option<T>,
}

impl<T> Personal<T> {
    pub const fn new(subject: UserId, value: T) -> Self {
        Self { subject, value: Some(value) }
    }

    #[must_use]
    pub const fn subject(&self) -> UserId {
        self.subject
    }

    /// The value; `None` once the subject has been erased.
    #[must_use]
    pub const fn reveal(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(…)")
    }
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    subject: UserId,
    sealed: Option<String>,
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sealed = match &self.value {
            None => None,
            Some(value) => {
                let clear = serde_json::to_vec(value).map_err(S::Error::custom)?;
                let sealed = with_sealer(self.subject, String::new(), |sealer| sealer.seal(self.subject, &clear));
                Some(sealed.ok_or_else(|| S::Error::custom("personal data serialised outside a scope"))?)
            }
        };
        Sealed { subject: self.subject, sealed }.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Sealed { subject, sealed } = Sealed::deserialize(deserializer)?;
        let Some(sealed) = sealed else { return Ok(Self { subject, value: None }) };
        let clear = with_sealer(subject, None, |sealer| sealer.open(subject, &sealed))
            .ok_or_else(|| D::Error::custom("personal data deserialised outside a scope"))?;
        let value = clear.map(|clear| serde_json::from_slice(&clear)).transpose().map_err(D::Error::custom)?;
        Ok(Self { subject, value })
    }
}

impl<T> JsonSchema for Personal<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Personal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Encrypted with the subject's key; unreadable once that is destroyed.",
            "properties": {"subject": {"type": "integer"}, "sealed": {"type": ["string", "null"]}},
            "required": ["subject", "sealed"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{PlainSealer, id};

    #[test]
    fn a_personal_value_is_sealed_in_json_and_comes_back() -> Result<(), ScopeError> {
        let sealer: Arc<dyn Sealer> = Arc::new(PlainSealer);
        let name = Personal::new(id(7), "Ann".to_owned());
        let json = scope(&sealer, || serde_json::to_string(&name))?;
        assert!(!json.contains("Ann"), "{json}");
        assert_eq!(scope(&sealer, || serde_json::from_str::<Personal<String>>(&json))?, name);
        Ok(())
    }

    #[test]
    fn outside_a_scope_a_personal_value_cannot_be_serialised() {
        assert!(serde_json::to_string(&Personal::new(id(7), "Ann".to_owned())).is_err());
    }

    struct NoKeys;

    impl Sealer for NoKeys {
        fn seal(&self, _: UserId, _: &[u8]) -> Result<String, KeyMissing> {
            Err(KeyMissing)
        }

        fn open(&self, _: UserId, _: &str) -> Result<Option<Vec<u8>>, KeyMissing> {
            Err(KeyMissing)
        }
    }

    #[test]
    fn all_missing_keys_are_named_in_one_pass() {
        let sealer: Arc<dyn Sealer> = Arc::new(NoKeys);
        let both = [Personal::new(id(7), 1), Personal::new(id(9), 2)];
        let missing = scope(&sealer, || serde_json::to_string(&both));
        assert!(matches!(missing, Err(ScopeError::KeysMissing(keys)) if keys == BTreeSet::from([id(7), id(9)])));
    }
}
