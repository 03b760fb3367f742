//! Works the log of mails off: one attempt at a time, counted before it is made.
//!
//! A crash between a server's acceptance and our mark of it leads to a second mail, with the same Message-ID; nothing
//! can prevent that. One-time tokens are made at each attempt and stand in the mail alone.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use kernel::UserId;
use lettre::{Message, message::Mailbox};
use runtime::Epochs;
use serde_json::Value;
use sqlx::PgPool;
use tokio::sync::watch;

use super::{
    kind::Kind,
    part, template,
    transport::{Outcome, Transport},
};
use crate::{auth, config::Config};

/// The sender's claim: one node sends at a time.
pub(in crate::fanout) const NAME: &str = "mailer";
/// The first attempt and three more (spec 18.3).
const ATTEMPTS: i32 = 4;
/// How often new rows are looked for.
const LOOK: Duration = Duration::from_millis(300);

/// Sends mails.
pub(in crate::fanout) struct Sender {
    pool: PgPool,
    transport: Transport,
    from: Mailbox,
    /// What links begin with.
    frontend: String,
    support: Option<String>,
    retry_after: Duration,
}

/// A mail that is due.
#[derive(sqlx::FromRow)]
struct Due {
    id: i64,
    position: i64,
    recipient: i64,
    kind: String,
    to_email: String,
    meta: Value,
    attempts: i32,
}

impl Sender {
    /// # Errors
    /// When the configuration of mail is wrong.
    pub(in crate::fanout) fn new(pool: PgPool, config: &Config) -> Result<Self> {
        Ok(Self {
            pool,
            transport: Transport::new(&config.mail, &config.data)?,
            from: config.mail.from.parse().context("MAIL_FROM is no address")?,
            frontend: config.http.frontend_url.clone(),
            support: config.mail.support.clone(),
            retry_after: config.mail.retry_after,
        })
    }

    /// Runs for as long as the node has the claim, until the node shuts down.
    pub(in crate::fanout) async fn run(self: Arc<Self>, mut epochs: watch::Receiver<Epochs>) {
        loop {
            if epochs.wait_for(|epochs| epochs.contains_key(NAME)).await.is_err() {
                return;
            }
            match self.step().await {
                Ok(true) => {}
                Ok(false) => tokio::time::sleep(LOOK).await,
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "mails cannot be sent, they are tried again");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Makes one attempt at one mail. False: none is due.
    async fn step(&self) -> Result<bool> {
        let due: Option<Due> = sqlx::query_as(
            "SELECT id, position, recipient, kind, to_email, meta, attempts FROM email_log
             WHERE status = 'PENDING' AND next_attempt_at <= now() AND kind = ANY($1)
             ORDER BY next_attempt_at, id LIMIT 1",
        )
        // What a newer build has to say is left to a node of that build.
        .bind(Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>())
        .fetch_optional(&self.pool)
        .await?;
        let Some(due) = due else { return Ok(false) };
        if due.attempts >= ATTEMPTS {
            self.finish(&due, None, &Outcome::Permanent("the last attempt broke off".to_owned())).await?;
            return Ok(true);
        }
        let counted = sqlx::query(
            "UPDATE email_log SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $3)
             WHERE id = $1 AND status = 'PENDING' AND attempts = $2",
        )
        .bind(due.id)
        .bind(due.attempts)
        .bind(self.retry_after.as_secs_f64())
        .execute(&self.pool)
        .await?;
        // Another node may have been faster.
        if counted.rows_affected() == 1 {
            let (subject, outcome) = match self.compose(&due).await? {
                Ok((subject, message)) => (Some(subject), self.transport.send(message, file_name(&due)).await),
                Err(error) => (None, Outcome::Permanent(format!("{error:#}"))),
            };
            self.finish(&due, subject, &outcome).await?;
        }
        Ok(true)
    }

    /// The mail, with a fresh token where it has one. The inner error is the mail's, for good.
    async fn compose(&self, due: &Due) -> Result<Result<(String, Message)>> {
        let Some(kind) = Kind::of_name(&due.kind) else { return Ok(Err(anyhow::anyhow!("there is no such kind"))) };
        let link = match kind.token() {
            Some((purpose, page)) => {
                let token = auth::issue_one_time(&self.pool, UserId::try_from(due.recipient)?, purpose).await?;
                Some(format!("{}{page}?token={token}", self.frontend))
            }
            None => due.meta.get("path").and_then(Value::as_str).map(|path| format!("{}{path}", self.frontend)),
        };
        Ok(self.message(kind, due, link.as_deref()))
    }

    fn message(&self, kind: Kind, due: &Due, link: Option<&str>) -> Result<(String, Message)> {
        let words = template::fill(kind, &due.meta, link, self.support.as_deref())?;
        let domain = self.from.email.domain();
        let subject = words.subject.clone();
        let message = Message::builder()
            .from(self.from.clone())
            .to(due.to_email.parse().context("the address is no address")?)
            .subject(subject.as_str())
            .message_id(Some(format!("<{}.{}.{}@{domain}>", due.position, due.recipient, due.kind)))
            .multipart(part::both(words))?;
        Ok((subject, message))
    }

    /// Marks what became of an attempt; after a transient failure the mail waits for the next one, if one is left.
    async fn finish(&self, due: &Due, subject: Option<String>, outcome: &Outcome) -> Result<()> {
        let attempts = (due.attempts + 1).min(ATTEMPTS);
        let (status, error, provider) = match outcome {
            Outcome::Sent(provider) => ("SENT", None, Some(provider)),
            Outcome::Transient(error) if attempts < ATTEMPTS => ("PENDING", Some(error), None),
            Outcome::Transient(error) | Outcome::Permanent(error) => ("FAILED", Some(error), None),
        };
        sqlx::query(
            "UPDATE email_log SET status = $2, error = $3, provider_id = $4, subject = COALESCE($5, subject),
                 sent_at = CASE WHEN $2 = 'SENT' THEN now() END
             WHERE id = $1 AND status = 'PENDING'",
        )
        .bind(due.id)
        .bind(status)
        .bind(error)
        .bind(provider)
        .bind(subject)
        .execute(&self.pool)
        .await?;
        if let Some(error) = error {
            tracing::warn!(mail = due.id, kind = due.kind, attempt = attempts, status, error, "a mail was not sent");
        }
        metrics::counter!("ddc_mails_total", "status" => status).increment(1);
        Ok(())
    }
}

/// `000000000042-SET_PASSWORD-ann_x.example.eml`: in the order of events, safe in any file system.
fn file_name(due: &Due) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+') { c } else { '_' };
    let recipient: String = due.to_email.chars().map(safe).take(100).collect();
    format!("{:012}-{}-{recipient}.eml", due.position, due.kind)
}
