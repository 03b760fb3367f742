//! Mails: a consumer writes one row an event, recipient and kind; a sender works the rows off, outside of any request.

mod kind;
mod part;
mod sender;
mod template;
mod transport;

use async_trait::async_trait;
use identity::user::User;
use runtime::{ApplyError, Recorded};
use sqlx::PgConnection;

pub(super) use sender::{NAME as SENDER, Sender};

use super::{consumer::Effect, notice};
use crate::journal::Journal;

/// The consumer's name.
pub const NAME: &str = "emails";

pub(super) struct Emails {
    pub(super) journal: Journal,
}

#[async_trait]
impl Effect for Emails {
    fn name(&self) -> &'static str {
        NAME
    }

    fn concerns(&self, event_type: &str) -> bool {
        kind::concerns(event_type)
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let Some(mails) = kind::after(&self.journal, event).await? else { return Ok(()) };
        for recipient in mails.to {
            let email = self.journal.read::<User, _>(recipient, |user, _| user.email().cloned()).await;
            // An erased person has no address any more.
            let Some(email) = email.map_err(|error| notice::unread(event, &error))? else { continue };
            sqlx::query(
                "INSERT INTO email_log (position, recipient, kind, to_email, actor, meta)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (position, recipient, kind) DO NOTHING",
            )
            .bind(event.position)
            .bind(recipient.get())
            .bind(mails.kind.name())
            .bind(email.to_string())
            .bind(event.metadata.0.user().map(kernel::UserId::get))
            .bind(&mails.meta)
            .execute(&mut *tx)
            .await?;
        }
        Ok(())
    }
}
