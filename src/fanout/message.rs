//! An event as the stream carries it.

use std::borrow::Cow;

use anyhow::{Context, Result};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use runtime::{Metadata, Recorded};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The body of a message. Personal data in the payload stays sealed, as the journal holds it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Message<'a> {
    pub position: i64,
    #[serde(borrow)]
    aggregate_type: Cow<'a, str>,
    #[serde(borrow)]
    aggregate_id: Cow<'a, str>,
    sequence: i64,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    event_version: Cow<'a, str>,
    /// `null` when it is larger than the broker takes; it is then read from the journal.
    payload: Option<Cow<'a, RawValue>>,
    metadata: Cow<'a, Metadata>,
    recorded_at: DateTime<Utc>,
}

/// What tells whether a message is worth being read on.
#[derive(Debug, Deserialize)]
pub(super) struct Head<'a> {
    pub(super) position: i64,
    #[serde(borrow)]
    pub(super) event_type: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) event_version: Cow<'a, str>,
}

impl<'a> Head<'a> {
    /// The head of a body; `None` when it is none of ours.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    pub(super) fn of(event: &'a Recorded) -> Self {
        Self {
            position: event.position,
            event_type: event.event_type.as_str().into(),
            event_version: event.event_version.as_str().into(),
        }
    }
}

impl<'a> Message<'a> {
    /// The body for an event, at most `largest` bytes long (0: any length).
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn encode(event: &'a Recorded, largest: usize) -> Result<Bytes> {
        let mut message = Self {
            position: event.position,
            aggregate_type: event.aggregate_type.as_str().into(),
            aggregate_id: event.aggregate_id.as_str().into(),
            sequence: event.sequence,
            event_type: event.event_type.as_str().into(),
            event_version: event.event_version.as_str().into(),
            payload: Some(Cow::Borrowed(&event.payload.0)),
            metadata: Cow::Borrowed(&event.metadata.0),
            recorded_at: event.recorded_at,
        };
        let body = serde_json::to_vec(&message)?;
        if largest == 0 || body.len() <= largest {
            return Ok(body.into());
        }
        message.payload = None;
        Ok(serde_json::to_vec(&message)?.into())
    }

    /// The message of a body.
    ///
    /// # Errors
    /// When it is none of ours.
    pub fn decode(body: &'a [u8]) -> Result<Self> {
        serde_json::from_slice(body).context("a message is no event")
    }

    /// The event, unless its payload has to be read from the journal.
    #[must_use]
    pub fn recorded(self) -> Option<Recorded> {
        Some(Recorded {
            position: self.position,
            aggregate_type: self.aggregate_type.into_owned(),
            aggregate_id: self.aggregate_id.into_owned(),
            sequence: self.sequence,
            event_type: self.event_type.into_owned(),
            event_version: self.event_version.into_owned(),
            payload: sqlx::types::Json(self.payload?.into_owned()),
            metadata: sqlx::types::Json(self.metadata.into_owned()),
            recorded_at: self.recorded_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Recorded {
        Recorded {
            position: 7,
            aggregate_type: "proposal".to_owned(),
            aggregate_id: "3".to_owned(),
            sequence: 2,
            event_type: "proposal.approved".to_owned(),
            event_version: "1.0".to_owned(),
            payload: sqlx::types::Json(RawValue::from_string(r#"{"Approved":{"n":1.50}}"#.to_owned()).unwrap()),
            metadata: sqlx::types::Json(Metadata::default()),
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_payload_comes_back_as_it_was_stored() {
        let body = Message::encode(&event(), 0).unwrap();
        let back = Message::decode(&body).unwrap().recorded().unwrap();
        assert_eq!(back.payload.0.get(), r#"{"Approved":{"n":1.50}}"#);
        assert_eq!((back.position, back.sequence), (7, 2));
        let head = Head::read(&body).unwrap();
        assert_eq!((head.position, &*head.event_type, &*head.event_version), (7, "proposal.approved", "1.0"));
    }

    #[test]
    fn a_payload_that_the_broker_does_not_take_is_left_to_the_journal() {
        let body = Message::encode(&event(), 50).unwrap();
        let message = Message::decode(&body).unwrap();
        assert_eq!(message.position, 7);
        assert!(message.recorded().is_none());
    }
}
