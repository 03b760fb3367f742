//! Payload text to events and back: upcasting, and sealing of personal data.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use kernel::{
    UserId,
    personal::{self, ScopeError, Sealer},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::Recorded;

/// Keeps the keys of the persons whose data stands in events.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Seals and opens with the keys that are at hand.
    fn sealer(&self) -> Arc<dyn Sealer>;

    /// Brings the keys of these subjects at hand, making the ones that are not there yet.
    async fn fetch(&self, subjects: &BTreeSet<UserId>) -> Result<(), CodecError>;
}

/// The stored types and versions of the events that a build knows in their present form.
pub type EventTypes = HashSet<(&'static str, &'static str)>;

/// Why an event could not be written as text or read back.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    #[error("the event cannot be decoded: {0}")]
    Json(#[from] serde_json::Error),
    /// Not to be guessed at: what it changes is not known here.
    #[error("{event_type} {event_version} is not known to this build, a newer one has written it")]
    Newer { event_type: String, event_version: String },
    #[error("the keys of personal data cannot be had: {0}")]
    Keys(String),
    /// The database that has them does not answer; trying again may help.
    #[error("the keys of personal data cannot be had: {0}")]
    Unavailable(String),
}

/// The one way in which events become text and text becomes events.
pub struct Codec {
    vault: Arc<dyn Vault>,
    upcasters: Vec<Box<dyn EventUpcaster>>,
    types: EventTypes,
}

impl Codec {
    #[must_use]
    pub fn new(vault: Arc<dyn Vault>, upcasters: Vec<Box<dyn EventUpcaster>>, types: EventTypes) -> Self {
        Self { vault, upcasters, types }
    }

    /// Whether this build knows such events, as they are or by an upcaster.
    #[must_use]
    pub fn knows(&self, event_type: &str, event_version: &str) -> bool {
        self.types.contains(&(event_type, event_version)) || self.is_old(event_type, event_version)
    }

    /// The types that need no upcaster.
    pub(crate) fn types(&self) -> &EventTypes {
        &self.types
    }

    fn check(&self, event_type: &str, event_version: &str) -> Result<(), CodecError> {
        if self.knows(event_type, event_version) {
            return Ok(());
        }
        Err(CodecError::Newer { event_type: event_type.to_owned(), event_version: event_version.to_owned() })
    }

    /// Serialises anything that may hold personal data.
    ///
    /// # Errors
    /// When a key cannot be had.
    pub async fn encode<T: Serialize + Sync>(&self, value: &T) -> Result<String, CodecError> {
        self.with_keys(|| serde_json::to_string(value)).await
    }

    /// Reads back what [`Codec::encode`] wrote.
    ///
    /// # Errors
    /// When the text is not of that type, or a key cannot be had.
    pub async fn decode<T: DeserializeOwned>(&self, text: &str) -> Result<T, CodecError> {
        self.with_keys(|| serde_json::from_str(text)).await
    }

    /// Reads back an event of the journal in its present form.
    ///
    /// # Errors
    /// When no upcaster and no type understands it, or a key cannot be had.
    pub async fn event<E: DeserializeOwned>(&self, recorded: &Recorded) -> Result<E, CodecError> {
        self.check(&recorded.event_type, &recorded.event_version)?;
        if !self.is_old(&recorded.event_type, &recorded.event_version) {
            return self.decode(recorded.payload.get()).await;
        }
        self.serialized(SerializedEvent::new(
            recorded.aggregate_id.clone(),
            usize::try_from(recorded.sequence).unwrap_or_default(),
            recorded.aggregate_type.clone(),
            recorded.event_type.clone(),
            recorded.event_version.clone(),
            serde_json::from_str(recorded.payload.get())?,
            Value::Null,
        ))
        .await
    }

    /// Reads back an event that came through cqrs-es' own types.
    ///
    /// # Errors
    /// As [`Codec::event`].
    pub async fn serialized<E: DeserializeOwned>(&self, event: SerializedEvent) -> Result<E, CodecError> {
        self.check(&event.event_type, &event.event_version)?;
        let event = self.upcasters.iter().fold(event, |event, upcaster| {
            if upcaster.can_upcast(&event.event_type, &event.event_version) { upcaster.upcast(event) } else { event }
        });
        self.with_keys(|| E::deserialize(&event.payload)).await
    }

    fn is_old(&self, event_type: &str, event_version: &str) -> bool {
        self.upcasters.iter().any(|upcaster| upcaster.can_upcast(event_type, event_version))
    }

    /// Tries with the keys at hand, and once more with those that turned out to be missing.
    async fn with_keys<R>(&self, work: impl Fn() -> Result<R, serde_json::Error>) -> Result<R, CodecError> {
        let missing = match personal::scope(&self.vault.sealer(), &work) {
            Ok(result) => return Ok(result),
            Err(ScopeError::Json(error)) => return Err(error.into()),
            Err(ScopeError::KeysMissing(missing)) => missing,
        };
        self.vault.fetch(&missing).await?;
        personal::scope(&self.vault.sealer(), &work).map_err(|error| match error {
            ScopeError::Json(error) => error.into(),
            ScopeError::KeysMissing(missing) => CodecError::Keys(format!("still missing for {missing:?}")),
        })
    }
}
