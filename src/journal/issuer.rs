//! Who gives a command, on whose behalf, and what led to it.

use chrono::{DateTime, SubsecRound, Utc};
use kernel::{Actor, UserId};
use runtime::Metadata;

/// Everything about a command that is not the command itself; it becomes the events' metadata.
#[derive(Debug, Clone)]
pub struct Issuer {
    pub actor: Actor,
    /// When; the same for all tries of the command, to the microsecond, as the database keeps it.
    pub at: DateTime<Utc>,
    /// The command's dotted name, e.g. `proposal.approve`.
    pub command: &'static str,
    /// The request's id.
    pub correlation_id: String,
    /// The position of the event reacted to.
    pub causation: Option<i64>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    /// A key under which the answer is to be remembered: (user, key, hash of the request).
    pub idempotency: Option<(UserId, String, String)>,
}

impl Issuer {
    /// The system itself, as the command line and the start-up are.
    #[must_use]
    pub fn system(command: &'static str) -> Self {
        Self {
            actor: Actor::System,
            at: Utc::now().trunc_subsecs(6),
            command,
            correlation_id: uuid::Uuid::now_v7().to_string(),
            causation: None,
            ip: None,
            user_agent: None,
            idempotency: None,
        }
    }

    /// A reaction to the event at `position`, in the chain of the request that led to it.
    #[must_use]
    pub fn reaction(command: &'static str, position: i64, metadata: &Metadata) -> Self {
        Self { causation: Some(position), correlation_id: metadata.correlation_id.clone(), ..Self::system(command) }
    }

    /// When, as exactly as the database keeps it: what is told of an event is to be what is read of it later.
    pub(super) fn recorded_at(&self) -> DateTime<Utc> {
        self.at.trunc_subsecs(6)
    }

    pub(super) fn metadata(&self) -> Metadata {
        Metadata {
            at: self.at,
            user_id: self.actor.user().map(|user| user.to_string()),
            role: self.actor.role().map(|role| role.as_str().to_owned()),
            command: self.command.to_owned(),
            correlation_id: self.correlation_id.clone(),
            causation_id: self.causation.map(|position| position.to_string()),
            ip: self.ip.clone(),
            user_agent: self.user_agent.clone(),
        }
    }
}
