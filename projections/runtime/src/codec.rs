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

use crate::{ApplyError, Recorded, RecordedRef};

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

    /// Serialises many of the like, with the keys for all of them got at once.
    ///
    /// # Errors
    /// When a key cannot be had.
    pub(crate) async fn encode_each<T: Serialize + Sync>(&self, values: &[&T]) -> Result<Vec<String>, CodecError> {
        match self.with_keys(|| values.iter().map(serde_json::to_string).collect()).await {
            // More persons than have their keys at hand at once.
            Err(CodecError::Keys(_)) => {}
            written => return written,
        }
        let mut written = Vec::with_capacity(values.len());
        for value in values {
            written.push(self.encode(*value).await?);
        }
        Ok(written)
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
        let recorded = recorded.by_ref();
        self.check(recorded.event_type, recorded.event_version)?;
        if self.is_old(recorded.event_type, recorded.event_version) {
            self.with_keys(|| self.read_old(&recorded)).await
        } else {
            self.decode(recorded.payload).await
        }
    }

    /// Reads back many, with the keys for all of them got at once.
    ///
    /// # Errors
    /// As [`Codec::event`], for the first that cannot be read.
    pub async fn events<E: DeserializeOwned + Send>(&self, events: &[RecordedRef<'_>]) -> Result<Vec<E>, ApplyError> {
        match self.with_keys(|| Ok(self.read_each(events))).await {
            Ok(read) => return read,
            // More persons than have their keys at hand at once.
            Err(CodecError::Keys(_)) => {}
            Err(error) => return Err(ApplyError::at(events.first().map_or(0, |event| event.position), &error)),
        }
        let mut read = Vec::with_capacity(events.len());
        for event in events {
            let one = self.with_keys(|| Ok(self.read_each(std::slice::from_ref(event)))).await;
            read.extend(one.map_err(|error| ApplyError::at(event.position, &error))??);
        }
        Ok(read)
    }

    fn read_each<E: DeserializeOwned>(&self, events: &[RecordedRef<'_>]) -> Result<Vec<E>, ApplyError> {
        let mut read = Vec::with_capacity(events.len());
        // Of the event before, which is mostly the like of this one.
        let mut known = (("", ""), false);
        for event in events {
            let at = |error: &CodecError| ApplyError::at(event.position, error);
            let kind = (event.event_type, event.event_version);
            if known.0 != kind {
                self.check(kind.0, kind.1).map_err(|error| at(&error))?;
                known = (kind, self.is_old(kind.0, kind.1));
            }
            let decoded = if known.1 { self.read_old(event) } else { serde_json::from_str(event.payload) };
            read.push(decoded.map_err(|error| at(&error.into()))?);
        }
        Ok(read)
    }

    fn read_old<E: DeserializeOwned>(&self, event: &RecordedRef<'_>) -> Result<E, serde_json::Error> {
        let event = self.upcast(SerializedEvent::new(
            event.aggregate_id.to_owned(),
            usize::try_from(event.sequence).unwrap_or_default(),
            event.aggregate_type.to_owned(),
            event.event_type.to_owned(),
            event.event_version.to_owned(),
            serde_json::from_str(event.payload)?,
            Value::Null,
        ));
        E::deserialize(&event.payload)
    }

    fn upcast(&self, event: SerializedEvent) -> SerializedEvent {
        self.upcasters.iter().fold(event, |event, upcaster| {
            if upcaster.can_upcast(&event.event_type, &event.event_version) { upcaster.upcast(event) } else { event }
        })
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use kernel::{
        personal::{KeyMissing, Personal},
        testing::{PlainSealer, id},
    };

    use super::*;
    use crate::recorded::NOT_ASKED;

    /// Has the key of one person at hand, of whom it was asked last.
    #[derive(Clone, Default)]
    struct Forgetful(Arc<Mutex<Option<UserId>>>);

    impl Sealer for Forgetful {
        fn seal(&self, subject: UserId, clear: &[u8]) -> Result<String, KeyMissing> {
            if *self.0.lock().unwrap() == Some(subject) { PlainSealer.seal(subject, clear) } else { Err(KeyMissing) }
        }

        fn open(&self, subject: UserId, sealed: &str) -> Result<Option<Vec<u8>>, KeyMissing> {
            if *self.0.lock().unwrap() == Some(subject) { PlainSealer.open(subject, sealed) } else { Err(KeyMissing) }
        }
    }

    #[async_trait]
    impl Vault for Forgetful {
        fn sealer(&self) -> Arc<dyn Sealer> {
            Arc::new(self.clone())
        }

        async fn fetch(&self, subjects: &BTreeSet<UserId>) -> Result<(), CodecError> {
            *self.0.lock().unwrap() = subjects.last().copied();
            Ok(())
        }
    }

    fn codec() -> Codec {
        Codec::new(Arc::new(Forgetful::default()), Vec::new(), EventTypes::from([("person.named", "1.0")]))
    }

    fn event<'r>(position: i64, event_type: &'r str, payload: &'r str) -> RecordedRef<'r> {
        RecordedRef {
            position,
            aggregate_type: "person",
            aggregate_id: "1",
            sequence: position,
            event_type,
            event_version: "1.0",
            payload,
            metadata: &NOT_ASKED,
            recorded_at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn many_are_read_and_written_although_their_keys_are_not_at_hand_at_once() {
        let people: Vec<_> = (1..=3).map(|n| Personal::new(id::<UserId>(n), format!("Ann {n}"))).collect();
        let texts = codec().encode_each(&people.iter().collect::<Vec<_>>()).await.unwrap();
        let events: Vec<_> = texts.iter().zip(1..).map(|(text, n)| event(n, "person.named", text)).collect();
        assert_eq!(codec().events::<Personal<String>>(&events).await.unwrap(), people);
    }

    #[tokio::test]
    async fn the_first_that_cannot_be_read_is_named() {
        let good = event(7, "person.named", "1");
        let unreadable = [good, event(8, "person.named", "true"), event(9, "person.named", "false")];
        let error = codec().events::<i64>(&unreadable).await.unwrap_err();
        assert!(matches!(error, ApplyError::Event { position: 8, .. }), "{error}");
        let newer = [good, event(8, "person.renamed", "1")];
        let error = codec().events::<i64>(&newer).await.unwrap_err();
        assert!(matches!(error, ApplyError::Newer { position: 8, .. }), "{error}");
    }
}
