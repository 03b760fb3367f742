//! An event as the journal holds it.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use kernel::{Actor, Role, Stamp, UserId};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::JsonRawValue};

/// One row of the journal. The payload is the text that was stored, not yet parsed.
#[derive(Debug, Clone, FromRow)]
pub struct Recorded {
    pub position: i64,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub sequence: i64,
    pub event_type: String,
    pub event_version: String,
    pub payload: sqlx::types::Json<Box<JsonRawValue>>,
    pub metadata: sqlx::types::Json<Metadata>,
    pub recorded_at: DateTime<Utc>,
}

/// The columns of [`Recorded`], for every query that reads the journal.
pub const COLUMNS: &str =
    "position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, recorded_at";

/// The same event where it lies, without a copy: a replay passes very many.
#[derive(Debug, Clone, Copy)]
pub struct RecordedRef<'r> {
    pub position: i64,
    pub aggregate_type: &'r str,
    pub aggregate_id: &'r str,
    pub sequence: i64,
    pub event_type: &'r str,
    pub event_version: &'r str,
    pub payload: &'r str,
    pub metadata: &'r Metadata,
    pub recorded_at: DateTime<Utc>,
}

impl Recorded {
    #[must_use]
    pub fn by_ref(&self) -> RecordedRef<'_> {
        RecordedRef {
            position: self.position,
            aggregate_type: &self.aggregate_type,
            aggregate_id: &self.aggregate_id,
            sequence: self.sequence,
            event_type: &self.event_type,
            event_version: &self.event_version,
            payload: self.payload.get(),
            metadata: &self.metadata,
            recorded_at: self.recorded_at,
        }
    }

    /// The stream's id as a number; `None` for a stream that is no resource of the API.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        self.aggregate_id.parse().ok()
    }
}

impl RecordedRef<'_> {
    /// What a resource's view knows beside its state, were this the stream's last event.
    #[must_use]
    pub fn stamp(&self, created_at: Option<DateTime<Utc>>) -> Stamp {
        Stamp {
            id: self.aggregate_id.to_owned(),
            version: self.sequence,
            created_at: created_at.unwrap_or(self.recorded_at),
            updated_at: self.recorded_at,
        }
    }

    /// The stream's id as a number; `None` for a stream that is no resource of the API.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        self.aggregate_id.parse().ok()
    }
}

/// What stands behind an event of which it was not asked.
pub(crate) static NOT_ASKED: LazyLock<Metadata> = LazyLock::new(Metadata::default);

/// Who and what stands behind an event. All values are text, as postgres-es' own tools expect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// When the command was issued; the same as the row's `recorded_at`.
    pub at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The command's dotted name, e.g. `proposal.approve`.
    pub command: String,
    /// The request that led to it; every HTTP response carries it.
    pub correlation_id: String,
    /// The position of the event that a reaction reacted to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl Metadata {
    /// The user who gave the command; `None` for the system.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.user_id.as_deref()?.parse().ok()
    }

    /// The actor who gave the command, as far as the text tells.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let role = match self.role.as_deref() {
            Some("ADMIN") => Some(Role::Admin),
            Some("REVIEWER") => Some(Role::Reviewer),
            Some("CONSULTANT") => Some(Role::Consultant),
            Some("CLIENT") => Some(Role::Client),
            _ => None,
        };
        match (self.user(), role) {
            (Some(id), Some(role)) => Actor::User { id, role },
            _ => Actor::System,
        }
    }
}
