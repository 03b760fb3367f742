//! Uniqueness is an append too: a small stream whose name is derived from the value, so that the journal's primary
//! key refuses the second. The name is an HMAC of the value: no personal value stands in an id.

use std::borrow::Cow;

use aws_lc_rs::hmac;
use cqrs_es::{Aggregate, event_sink::EventSink};
use kernel::{Issued, Kind, Refusal, domain_event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ExecuteError, Journal, Unit};

/// Who holds a value that must be unique.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reservation {
    holder: Option<String>,
}

/// What happened to a unique value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum ReservationEvent {
    Claimed { scope: String, holder: String },
    Released { holder: String },
}

domain_event!(ReservationEvent:
    Claimed => "reservation.claimed",
    Released => "reservation.released",
);

pub enum ReservationCommand {
    Claim { scope: &'static str, holder: String },
    Release { holder: String },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the value is taken")]
pub struct Taken;

impl Refusal for Taken {
    fn kind(&self) -> Kind {
        Kind::Conflict
    }

    fn code(&self) -> &'static str {
        "ALREADY_TAKEN"
    }

    fn field(&self) -> Option<Cow<'static, str>> {
        None
    }
}

impl Aggregate for Reservation {
    const TYPE: &'static str = "reservation";
    type Command = Issued<ReservationCommand>;
    type Event = ReservationEvent;
    type Error = Taken;
    type Services = ();

    async fn handle(&mut self, issued: Self::Command, (): &(), sink: &EventSink<Self>) -> Result<(), Taken> {
        let event = match issued.command {
            ReservationCommand::Claim { scope, holder } => match &self.holder {
                Some(present) if *present == holder => None,
                Some(_) => return Err(Taken),
                None => Some(ReservationEvent::Claimed { scope: scope.to_owned(), holder }),
            },
            ReservationCommand::Release { holder } => {
                (self.holder.as_ref() == Some(&holder)).then_some(ReservationEvent::Released { holder })
            }
        };
        if let Some(event) = event {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: ReservationEvent) {
        self.holder = match event {
            ReservationEvent::Claimed { holder, .. } => Some(holder),
            ReservationEvent::Released { .. } => None,
        };
    }
}

impl Journal {
    fn reservation_id(&self, scope: &str, value: &str) -> String {
        let value = format!("{scope}\0{}", value.trim().to_lowercase());
        let tag = hmac::sign(&self.0.installation_key, value.as_bytes());
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Who holds a value, e.g. which user an email belongs to.
    ///
    /// # Errors
    /// When the stream cannot be loaded.
    pub async fn holder(&self, scope: &str, value: &str) -> Result<Option<String>, ExecuteError> {
        let id = self.reservation_id(scope, value);
        self.read::<Reservation, _>(id, |reservation, _| reservation.holder.clone()).await
    }
}

impl Unit<'_> {
    /// Who holds a value; nobody else can take it before this unit is done.
    ///
    /// # Errors
    /// When the stream cannot be loaded.
    pub async fn holder(&mut self, scope: &str, value: &str) -> Result<Option<String>, ExecuteError> {
        let id = self.journal().reservation_id(scope, value);
        self.depend::<Reservation, _>(id, |reservation, _| reservation.holder.clone()).await
    }

    /// Takes a value, compared trimmed and without regard to case, for `holder`.
    ///
    /// # Errors
    /// The given refusal when another holds it.
    pub async fn claim(
        &mut self,
        scope: &'static str,
        value: &str,
        holder: impl ToString,
        taken: impl FnOnce() -> super::Refused,
    ) -> Result<(), ExecuteError> {
        let id = self.journal().reservation_id(scope, value);
        let claim = ReservationCommand::Claim { scope, holder: holder.to_string() };
        self.decide::<Reservation, _>(id, claim).await.map_err(|error| match error {
            ExecuteError::Refused(refused) if refused.code == "ALREADY_TAKEN" => taken().into(),
            error => error,
        })
    }

    /// Gives a value back, if `holder` has it.
    ///
    /// # Errors
    /// When the stream cannot be loaded.
    pub async fn release(
        &mut self,
        scope: &'static str,
        value: &str,
        holder: impl ToString,
    ) -> Result<(), ExecuteError> {
        let id = self.journal().reservation_id(scope, value);
        self.decide::<Reservation, _>(id, ReservationCommand::Release { holder: holder.to_string() }).await
    }
}
