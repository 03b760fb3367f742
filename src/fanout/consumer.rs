//! Consumers: durable readers of the stream, each of whose effects happens exactly once.
//!
//! The stream carries every position, so a consumer knows from its own last position what a message is: an old one is
//! acknowledged and does nothing, the next one is taken, and a later one shows a hole, which is filled from the
//! journal. Effect and position commit together. An event that fails is tried again after growing waits, counted in
//! the consumer's own row (the broker's count would be lost with the stream), and becomes a dead letter in the end;
//! later events wait behind it, so that effects keep the journal's order.
//!
//! What does not concern a consumer is passed without a note, which follows within a second or two: a node that takes over
//! passes it once more.
//!
//! An event that a newer build has written may concern that build's consumer. So this one stops before it and leaves the
//! rest to a node of that build.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use async_nats::jetstream::{
    Message as Delivered,
    consumer::{AckPolicy, Consumer, pull},
};
use async_trait::async_trait;
use futures::StreamExt;
use runtime::{ApplyError, Epochs, Recorded, Renounce, checkpoint, feed};
use sqlx::{Acquire, PgConnection, PgPool};
use tokio::sync::watch;

use super::{
    Broker,
    message::{Head, Message},
    relay::{self, lag},
};
use crate::tenant::Tenant;

/// How many events are taken in one transaction at the most.
const BATCH: i64 = 100;
/// Without messages for this long, the journal itself is looked at.
const IDLE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(500);
/// What was passed is noted with the next message after this.
const NOTE_WITHIN: Duration = Duration::from_secs(1);
/// How often an event is tried before it becomes a dead letter.
pub const ATTEMPTS: i32 = 5;
/// The first wait; each further one is twice as long.
const BACKOFF: Duration = Duration::from_millis(250);

/// What a consumer does with an event.
#[async_trait]
pub(super) trait Effect: Send + Sync + 'static {
    /// The name of its row, its claim and its durable consumer.
    fn name(&self) -> &'static str;

    /// Whether there is anything to do at all.
    fn concerns(&self, event_type: &str) -> bool;

    /// Does it, in the transaction that moves the consumer's position.
    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError>;
}

/// How far a consumer has come.
///
/// # Errors
/// When the database cannot be reached.
pub async fn position(pool: &PgPool, name: &str) -> Result<i64, sqlx::Error> {
    let position = sqlx::query_scalar("SELECT position FROM consumers WHERE name = $1").bind(name).fetch_optional(pool);
    Ok(position.await?.unwrap_or_default())
}

/// How far a transaction came, and what stopped it.
struct Taken {
    position: i64,
    retry_in: Option<Duration>,
}

#[derive(sqlx::FromRow)]
struct Row {
    position: i64,
    failing: Option<i64>,
    attempts: i32,
}

/// Where the consumer stands, as long as only this node moves it.
struct Known {
    /// What its row says.
    noted: i64,
    /// Nothing of concern lies between the row's position and this one.
    position: i64,
    since: Instant,
}

async fn acknowledge(batch: &[Delivered], all_at_once: bool) -> Result<()> {
    let unsaid = if all_at_once { batch.len().saturating_sub(1) } else { 0 };
    for message in batch.iter().skip(unsaid) {
        message.ack().await.map_err(|error| anyhow::anyhow!("a message was not acknowledged: {error}"))?;
    }
    Ok(())
}

struct Worker {
    effect: Arc<dyn Effect>,
    tenant: Tenant,
    known: Option<Known>,
}

/// Runs for as long as the node has the claim, until the node shuts down.
pub(super) async fn run(
    effect: Arc<dyn Effect>,
    tenant: Tenant,
    broker: Arc<Broker>,
    mut epochs: watch::Receiver<Epochs>,
    renounce: Renounce,
) {
    let name = effect.name();
    let mut worker = Worker { effect, tenant, known: None };
    loop {
        if epochs.wait_for(|epochs| epochs.contains_key(name)).await.is_err() {
            return;
        }
        if let Err(error) = worker.consume(&broker, &epochs).await {
            if matches!(error.downcast_ref(), Some(ApplyError::Newer { .. })) {
                tracing::warn!(consumer = name, %error, "the consumer is left to a node of a newer build");
                renounce.renounce(name);
            } else {
                tracing::warn!(
                    consumer = name,
                    error = format!("{error:#}"),
                    "a consumer cannot go on, it tries again"
                );
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Worker {
    fn name(&self) -> &'static str {
        self.effect.name()
    }

    /// Takes messages until the claim is lost.
    async fn consume(&mut self, broker: &Broker, epochs: &watch::Receiver<Epochs>) -> Result<()> {
        self.known = None;
        sqlx::query("INSERT INTO consumers (name) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(self.name())
            .execute(&self.tenant.pool)
            .await?;
        let consumer = self.durable(broker).await?;
        // One that an earlier build has made wants each message acknowledged.
        let all_at_once = consumer.cached_info().config.ack_policy == AckPolicy::All;
        let messages = consumer.stream().max_messages_per_batch(100).heartbeat(Duration::from_secs(5));
        let messages = messages.expires(Duration::from_secs(30)).messages().await?;
        let mut batches = messages.ready_chunks(100);
        while epochs.borrow().contains_key(self.name()) {
            match tokio::time::timeout(IDLE, batches.next()).await {
                Ok(Some(batch)) => {
                    let batch: Vec<Delivered> = batch.into_iter().collect::<Result<_, _>>()?;
                    self.take_messages(&batch).await?;
                    acknowledge(&batch, all_at_once).await?;
                }
                Ok(None) => return Ok(()),
                Err(_) => {
                    let published = checkpoint::load(&self.tenant.pool, relay::NAME).await?;
                    self.fill(published.map_or(0, |relay| relay.position)).await?;
                }
            }
        }
        Ok(())
    }

    async fn durable(&self, broker: &Broker) -> Result<Consumer<pull::Config>> {
        let context = broker.jetstream().await?;
        let stream = context.get_stream_no_info(broker.stream()).await.context("the stream cannot be had")?;
        let config = pull::Config {
            durable_name: Some(self.name().to_owned()),
            ack_policy: AckPolicy::All,
            // For messages that a node took and then died; what fails is counted here, not by the broker.
            max_deliver: 20,
            backoff: [10, 30, 60].map(Duration::from_secs).to_vec(),
            ..pull::Config::default()
        };
        stream.get_or_create_consumer(self.name(), config).await.context("the durable consumer cannot be had")
    }

    /// Takes what was delivered.
    async fn take_messages(&mut self, delivered: &[Delivered]) -> Result<()> {
        let heads: Option<Vec<Head>> = delivered.iter().map(|message| Head::read(&message.payload)).collect();
        if let Some(position) = heads.and_then(|heads| self.pass(heads)) {
            self.tell_lag(position);
            return Ok(());
        }
        let mut last = 0;
        let mut events = Vec::with_capacity(delivered.len());
        for message in delivered {
            match Message::decode(&message.payload) {
                Ok(message) => {
                    last = last.max(message.position);
                    events.extend(message.recorded());
                }
                // Whatever it was, the position that it stands for, if any, is filled from the journal.
                Err(error) => {
                    tracing::error!(consumer = self.name(), subject = %message.subject, error = format!("{error:#}"), "passed over");
                }
            }
        }
        events.sort_unstable_by_key(|event| event.position);
        events.dedup_by_key(|event| event.position);
        self.take_through(last, events).await
    }

    /// Takes everything up to a position: from these events while they follow each other, else from the journal.
    async fn take_through(&mut self, last: i64, events: Vec<Recorded>) -> Result<()> {
        let mut taken = self.take(&events).await?;
        if let Some(wait) = taken.retry_in {
            tokio::time::sleep(wait).await;
        }
        if taken.position < last {
            taken.position = self.fill(last).await?;
        }
        self.tell_lag(taken.position);
        Ok(())
    }

    fn tell_lag(&self, position: i64) {
        let head = *self.tenant.journal.head().borrow();
        metrics::gauge!("ddc_consumer_lag_events", "consumer" => self.name()).set(lag(head - position));
    }

    /// Takes what the journal has after the consumer's position up to another. Answers how far the consumer is.
    async fn fill(&mut self, until: i64) -> Result<i64> {
        let mut taken = self.take(&[]).await?;
        while taken.position < until {
            let mut connection = self.tenant.pool.acquire().await?;
            let events = feed::after(&mut connection, taken.position, until, &[], BATCH).await?;
            drop(connection);
            if events.is_empty() {
                break;
            }
            taken = self.take(&events).await?;
            if let Some(wait) = taken.retry_in {
                tokio::time::sleep(wait).await;
            }
        }
        Ok(taken.position)
    }

    /// Passes events if they come next and none of them concerns the consumer. Answers how far it is then.
    fn pass<'a>(&mut self, events: impl IntoIterator<Item = Head<'a>>) -> Option<i64> {
        let known = self.known.as_mut().filter(|known| known.since.elapsed() < NOTE_WITHIN)?;
        let from = known.position;
        let mut position = from;
        for event in events.into_iter().skip_while(|event| event.position <= from) {
            let knows = self.tenant.journal.codec().knows(&event.event_type, &event.event_version);
            if event.position != position + 1 || !knows || self.effect.concerns(&event.event_type) {
                return None;
            }
            position = event.position;
        }
        known.position = position;
        Some(position)
    }

    /// Takes those of the events that come next, in one transaction; stops at a hole and at one that fails.
    async fn take(&mut self, events: &[Recorded]) -> Result<Taken> {
        if !events.is_empty()
            && let Some(position) = self.pass(events.iter().map(Head::of))
        {
            return Ok(Taken { position, retry_in: None });
        }
        let known = self.known.take();
        if let Some(last) = events.last() {
            // So that what is read of the aggregates is not older than the events.
            self.tenant.journal.advance(last.position).await?;
        }
        let mut tx = self.tenant.pool.begin().await?;
        let mut row: Row =
            sqlx::query_as("SELECT position, failing, attempts FROM consumers WHERE name = $1 FOR UPDATE")
                .bind(self.name())
                .fetch_one(&mut *tx)
                .await?;
        let noted = row.position;
        // What this node has passed since it has noted that position holds, unless another has been here.
        row.position = known.filter(|known| known.noted == noted).map_or(noted, |known| known.position);
        let before = row.position;
        let (mut retry_in, mut newer) = (None, None);
        for event in events.iter().skip_while(|event| event.position <= before) {
            if event.position != row.position + 1 {
                break;
            }
            if !self.tenant.journal.codec().knows(&event.event_type, &event.event_version) {
                newer = Some(ApplyError::Newer { position: event.position, reason: event.event_type.clone() });
                break;
            }
            if self.effect.concerns(&event.event_type) {
                retry_in = self.attempt(&mut tx, &mut row, event).await?;
            }
            if retry_in.is_some() {
                break;
            }
            row.position = event.position;
        }
        if row.position > noted || retry_in.is_some() {
            sqlx::query("UPDATE consumers SET position = $2, failing = $3, attempts = $4 WHERE name = $1")
                .bind(self.name())
                .bind(row.position)
                .bind(row.failing)
                .bind(row.attempts)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        self.known = Some(Known { noted: row.position, position: row.position, since: Instant::now() });
        newer.map_or(Ok(Taken { position: row.position, retry_in }), |newer| Err(newer.into()))
    }

    /// Tries one event. `Some`: it failed and is to be tried again after this wait.
    async fn attempt(
        &self,
        tx: &mut PgConnection,
        row: &mut Row,
        event: &Recorded,
    ) -> Result<Option<Duration>, ApplyError> {
        let mut one = tx.begin().await?;
        let error = match self.effect.apply(&mut one, event).await {
            Ok(()) => {
                one.commit().await?;
                (row.failing, row.attempts) = (None, 0);
                return Ok(None);
            }
            Err(error) if error.is_outage() => return Err(error),
            Err(error) => error,
        };
        one.rollback().await?;
        row.attempts = if row.failing == Some(event.position) { row.attempts + 1 } else { 1 };
        row.failing = Some(event.position);
        if row.attempts < ATTEMPTS {
            tracing::warn!(consumer = self.name(), position = event.position, attempt = row.attempts, %error, "failed");
            let doubled = u32::try_from(row.attempts - 1).unwrap_or_default();
            return Ok(Some(BACKOFF * 2u32.saturating_pow(doubled)));
        }
        tracing::error!(consumer = self.name(), position = event.position, %error, "given up: a dead letter");
        metrics::counter!("ddc_dead_letters_total", "consumer" => self.name()).increment(1);
        sqlx::query(
            "INSERT INTO dead_letters (consumer, position, error, attempts) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(self.name())
        .bind(event.position)
        .bind(error.to_string())
        .bind(row.attempts)
        .execute(tx)
        .await?;
        (row.failing, row.attempts) = (None, 0);
        Ok(None)
    }
}
