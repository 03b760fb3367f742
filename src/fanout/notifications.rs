//! The consumer that tells people in the application what concerns them: one row an event and recipient.

use std::collections::BTreeSet;

use async_trait::async_trait;
use identity::user::User;
use kernel::{Role, UserId};
use runtime::{ApplyError, Recorded};
use serde_json::json;
use sqlx::PgConnection;

use super::{consumer::Effect, notice};
use crate::journal::Journal;

/// The consumer's name.
pub const NAME: &str = "notifications";

/// After these a user may have become, or have ceased to be, one of the ADMINs who are told.
const MAKES_ADMINS: &[&str] =
    &["user.registered", "user.role_changed", "user.deactivated", "user.reactivated", "user.deleted", "user.restored"];

pub(super) struct Notifications {
    pub(super) journal: Journal,
}

#[async_trait]
impl Effect for Notifications {
    fn name(&self) -> &'static str {
        NAME
    }

    fn concerns(&self, event_type: &str) -> bool {
        MAKES_ADMINS.contains(&event_type) || notice::concerns(event_type)
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        if MAKES_ADMINS.contains(&event.event_type.as_str()) {
            return self.note_admin(tx, event).await;
        }
        let Some(notice) = notice::of(&self.journal, event).await? else { return Ok(()) };
        let people: Vec<i64> =
            notice.people.iter().map(|user| user.get()).collect::<BTreeSet<_>>().into_iter().collect();
        let about = json!({
            "event_id": event.position,
            "event_type": event.event_type,
            "entity_type": event.aggregate_type,
            "entity_id": event.number(),
        });
        sqlx::query(
            "INSERT INTO notifications (position, recipient, kind, title, message, link, payload, created_at)
             SELECT $1, recipient, $4, $5, $6, $7, $8::json, $9
             FROM (SELECT unnest($2::bigint[]) UNION SELECT user_id FROM notified_admins WHERE $3) AS r(recipient)
             ON CONFLICT (position, recipient) DO NOTHING",
        )
        .bind(event.position)
        .bind(people)
        .bind(notice.admins)
        .bind(notice.kind)
        .bind(notice.title)
        .bind(notice.message)
        .bind(notice.link)
        .bind(about.to_string())
        .bind(event.recorded_at)
        .execute(tx)
        .await?;
        Ok(())
    }
}

impl Notifications {
    /// Whether the user is an active ADMIN now. Should that change again later, the event of it comes here too.
    async fn note_admin(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let Some(user) = event.number().and_then(|number| UserId::try_from(number).ok()) else { return Ok(()) };
        let role = self.journal.read::<User, _>(user, |user, _| user.may_sign_in().ok()).await;
        let is_admin = role.map_err(|error| notice::unread(event, &error))? == Some(Role::Admin);
        let statement = if is_admin {
            "INSERT INTO notified_admins (user_id) VALUES ($1) ON CONFLICT DO NOTHING"
        } else {
            "DELETE FROM notified_admins WHERE user_id = $1"
        };
        sqlx::query(statement).bind(user.get()).execute(tx).await?;
        Ok(())
    }
}
