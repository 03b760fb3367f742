//! The relay: one more checkpointed reader of the journal, which publishes to the stream what it reads.
//!
//! Each message expects the stream's last sequence to be the one before it. So however many relays there are, and
//! however late an answer comes, the stream holds every position once and in order. To a broker that is found to flush
//! each message, many are sent as one atomic batch, which it flushes once; then the first of them stands for all.
//!
//! Where to go on is what the stream's last message says; the checkpoint only follows it within a second, over what the
//! broker has acknowledged. A stream that was wiped is made again and filled from the first position.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use async_nats::{
    header,
    jetstream::{
        self,
        context::PublishAckFuture,
        message::{PublishMessage, StreamMessage},
        stream::{Config, LastRawMessageErrorKind, Stream},
    },
};
use runtime::{Epochs, Place, Recorded, Turn, checkpoint, feed::Feed};
use tokio::sync::watch;
use uuid::Uuid;

use super::{Broker, message::Message};
use crate::tenant::Tenant;

/// The name of its claim and its checkpoint.
pub const NAME: &str = "relay";

/// How many events are read at a time.
const BATCH: i64 = 1000;
/// One in so many messages is acknowledged. Each is taken only behind the one before it, so that stands for all of them.
const GROUP: usize = 64;
/// How many messages go into a batch. The broker takes 1,000 at the most.
const BATCHED: usize = 250;
/// How many groups or batches may be on their way unacknowledged.
const WINDOW: usize = 4;
/// From this version on NATS has atomic batches.
const BATCHES_SINCE: (i64, i64, i64) = (2, 12, 0);
/// It keeps a batch beside the stream first: that is worth it only where it takes longer than this for a message.
const SLOW: Duration = Duration::from_micros(50);
/// How often an idle relay looks whether the stream is still what it left.
const LOOK: Duration = Duration::from_secs(5);
/// How long it waits after a failure, at the least and at the most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// How long it waits for this node to read what another has published already.
const BEHIND: Duration = Duration::from_millis(10);
/// What a message has beside its body at the most (bytes).
const HEADERS: usize = 1024;

/// The end of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tail {
    /// The last sequence that the stream gave out.
    sequence: u64,
    /// The position in its last message; 0 when it holds none.
    position: i64,
}

struct Relay {
    tenant: Tenant,
    broker: Arc<Broker>,
    epochs: watch::Receiver<Epochs>,
    place: Place,
    /// As this node knows it, under an epoch.
    tail: Option<(i64, Tail)>,
    /// Whether the broker takes batches, whether it has refused to, and whether it is slow without.
    takes_batches: bool,
    refuses_batches: bool,
    is_slow: bool,
    /// The events after a position, read while those before them were on their way.
    ahead: Option<(i64, Vec<Recorded>)>,
}

/// Runs for as long as the node has the claim, until the node shuts down.
pub async fn run(tenant: Tenant, feed: Arc<Feed>, broker: Arc<Broker>, epochs: watch::Receiver<Epochs>) {
    let place = Place::new(NAME, &feed, epochs.clone());
    let mut relay = Relay {
        tenant,
        broker,
        epochs,
        place,
        tail: None,
        takes_batches: false,
        refuses_batches: false,
        is_slow: false,
        ahead: None,
    };
    let mut pause = PAUSE.0;
    loop {
        match relay.step().await {
            Ok(true) => pause = PAUSE.0,
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "the relay cannot publish, it tries again");
                (relay.tail, relay.refuses_batches, relay.is_slow) = (None, false, false);
                relay.place.doubt();
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }
}

impl Relay {
    /// Publishes the next batch. False: the node is shutting down.
    async fn step(&mut self) -> Result<bool> {
        let Ok(turn) = tokio::time::timeout(LOOK, self.place.turn()).await else {
            self.look().await?;
            return Ok(true);
        };
        let Some(turn) = turn? else { return Ok(false) };
        metrics::gauge!("ddc_relay_lag_events").set(lag(turn.head - turn.position));
        let tail = match self.tail {
            Some((epoch, tail)) if epoch == turn.epoch => tail,
            _ => self.find_tail().await?,
        };
        self.tail = Some((turn.epoch, tail));
        if tail.position > turn.head {
            let head = runtime::feed::head(&self.tenant.pool).await?;
            if tail.position <= head {
                // Another node has published what this one has yet to read.
                tokio::time::sleep(BEHIND).await;
                return Ok(true);
            }
            bail!(
                "stream {} is at position {}, beyond the journal's end ({}): it is another installation's, or the \
                 journal was restored from a backup; set DDC_STREAM to another name, or delete the stream",
                self.broker.stream(),
                tail.position,
                head
            );
        }
        if tail.position != turn.position || turn.note {
            self.move_checkpoint(turn, turn.noted, tail.position).await?;
            return Ok(true);
        }
        let events = match self.ahead.take() {
            Some((after, events)) if after == tail.position => events,
            _ => self.place.feed().after(tail.position, turn.head, &[], BATCH).await?,
        };
        // A broker that flushes each message is not to wait for the database in between.
        let started = Instant::now();
        let ((reached, outcome), ahead) =
            tokio::join!(self.publish(&events, tail), self.read_ahead(&events, turn.head));
        self.ahead = ahead;
        // Of few, the way there and back would be what is measured.
        self.is_slow |= events.len() >= BATCHED && started.elapsed() > SLOW * u32::try_from(events.len())?;
        if reached.position > tail.position {
            self.tail = Some((turn.epoch, reached));
            // The stream itself says where to go on; the checkpoint follows within a second.
            self.place.passed(turn, reached.position);
            metrics::counter!("ddc_relay_published_total")
                .increment(u64::try_from(reached.position - tail.position).unwrap_or_default());
            metrics::gauge!("ddc_relay_lag_events").set(lag(turn.head - reached.position));
        }
        outcome?;
        Ok(true)
    }

    /// While nothing is to be published: makes a lost stream again, which is then filled.
    async fn look(&mut self) -> Result<()> {
        let Some(epoch) = self.epochs.borrow().get(NAME).copied() else { return Ok(()) };
        let found = self.find_tail().await?;
        if let Some(position) = checkpoint::load(&self.tenant.pool, NAME).await?.map(|known| known.position)
            && position != found.position
            && self.epochs.borrow().get(NAME) == Some(&epoch)
        {
            tracing::warn!(
                stream = self.broker.stream(),
                position = found.position,
                checkpoint = position,
                "the stream is not where the relay left it, it goes on from there"
            );
            let turn = Turn { epoch, noted: position, position, head: position, note: false, fresh: false };
            self.move_checkpoint(turn, position, found.position).await?;
        }
        self.tail = Some((epoch, found));
        Ok(())
    }

    /// Moves the checkpoint, also back.
    async fn move_checkpoint(&mut self, turn: Turn, from: i64, to: i64) -> Result<()> {
        let mut connection = self.tenant.pool.acquire().await?;
        if checkpoint::advance(&mut connection, NAME, turn.epoch, from, to).await?.is_ok() {
            self.place.moved(turn, to);
        } else {
            // Another node relays now; whatever was published stands, and is where that one goes on.
            self.tail = None;
            self.place.doubt();
        }
        Ok(())
    }

    /// The stream, made when it is not there, and where it ends.
    async fn find_tail(&mut self) -> Result<Tail> {
        let context = self.broker.jetstream().await?;
        let stream = stream(&context, &self.broker).await?;
        let sequence = stream.cached_info().state.last_sequence;
        self.takes_batches = self.has_batches(&context, &stream.cached_info().config).await;
        let subject = format!("{}.{}.>", self.broker.stream().to_lowercase(), self.tenant.name);
        let mut last = match stream.get_last_raw_message_by_subject(&subject).await {
            Ok(last) => Some(last),
            Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => None,
            Err(error) => return Err(error).context("the last message of the stream cannot be read"),
        };
        let mut position = 0;
        while let Some(message) = last {
            if let Some(found) = position_of(&self.tenant, &message.headers) {
                position = found;
                break;
            }
            tracing::warn!(stream = self.broker.stream(), sequence = message.sequence, "a message is none of ours");
            last = before(&stream, message.sequence).await?;
        }
        Ok(Tail { sequence, position })
    }

    /// Whether the stream takes batches. It is made to where the broker can; an account that may not change streams does
    /// without.
    async fn has_batches(&mut self, context: &jetstream::Context, stream: &Config) -> bool {
        let (major, minor, patch) = BATCHES_SINCE;
        if stream.allow_atomic_publish || self.refuses_batches {
            return stream.allow_atomic_publish;
        }
        // Before there was an answer, it was not known who would give it.
        if !context.client().is_server_compatible(major, minor, patch) {
            return false;
        }
        let updated = context.update_stream(Config { allow_atomic_publish: true, ..stream.clone() }).await;
        if let Err(error) = &updated {
            tracing::warn!(stream = stream.name, %error, "the stream cannot be made to take batches, it does without");
            self.refuses_batches = true;
        }
        updated.is_ok()
    }

    /// The events that come after these; `None` when there are none yet, or they have to be asked for again.
    async fn read_ahead(&self, events: &[Recorded], head: i64) -> Option<(i64, Vec<Recorded>)> {
        let last = events.last().map(|event| event.position).filter(|last| *last < head)?;
        let next = self.place.feed().after(last, head, &[], BATCH).await.ok()?;
        Some((last, next)).filter(|(_, next)| !next.is_empty())
    }

    /// Publishes events, several groups on their way at once. Answers how far the broker has acknowledged without a gap.
    async fn publish(&self, events: &[Recorded], mut tail: Tail) -> (Tail, Result<()>) {
        let context = match self.broker.jetstream().await {
            Ok(context) => context,
            Err(error) => return (tail, Err(error)),
        };
        let largest = context.client().server_info().max_payload.saturating_sub(HEADERS);
        let mut waiting = VecDeque::with_capacity(WINDOW);
        let mut sent = tail;
        for group in events.chunks(if self.sends_batches() { BATCHED } else { GROUP }) {
            if waiting.len() == WINDOW
                && let Some(first) = waiting.pop_front()
                && let Err(error) = confirm(&mut tail, first).await
            {
                return (tail, Err(error));
            }
            match self.send(&context, group, &mut sent, largest).await {
                Ok(acknowledged) => waiting.push_back((sent, acknowledged)),
                Err(error) => return (tail, Err(error)),
            }
        }
        for sent in waiting {
            if let Err(error) = confirm(&mut tail, sent).await {
                return (tail, Err(error));
            }
        }
        (tail, Ok(()))
    }

    const fn sends_batches(&self) -> bool {
        self.takes_batches && self.is_slow
    }

    /// Sends a group behind what was sent before. Its last message is to be acknowledged.
    async fn send(
        &self,
        context: &jetstream::Context,
        group: &[Recorded],
        sent: &mut Tail,
        largest: usize,
    ) -> Result<PublishAckFuture> {
        let (last, before) = group.split_last().context("there is nothing to send")?;
        let mut batch = (self.sends_batches() && !before.is_empty()).then(Batch::new);
        for event in before {
            let (subject, message) = self.next(event, sent, &mut batch, largest)?;
            let message = message.outbound_message(subject);
            let headers = message.headers.unwrap_or_default();
            context.client().publish_with_headers(message.subject, headers, message.payload).await?;
        }
        let (subject, mut message) = self.next(last, sent, &mut batch, largest)?;
        if batch.is_some() {
            message = message.header(header::NATS_BATCH_COMMIT, header::NATS_BATCH_COMMIT_FINAL);
        }
        Ok(context.send_publish(subject, message).await?)
    }

    /// The message behind what was sent before.
    fn next(
        &self,
        event: &Recorded,
        sent: &mut Tail,
        batch: &mut Option<Batch>,
        largest: usize,
    ) -> Result<(String, PublishMessage)> {
        let mut message = PublishMessage::build()
            .message_id(format!("{}:{}", self.tenant.name, event.position))
            .payload(Message::encode(event, largest)?);
        // A batch is taken as a whole: it is enough that its first message is.
        if batch.as_ref().is_none_or(|batch| batch.messages == 0) {
            message = message.expected_stream(self.broker.stream()).expected_last_sequence(sent.sequence);
        }
        if let Some(batch) = batch {
            batch.messages += 1;
            message = message
                .header(header::NATS_BATCH_ID, batch.id.as_str())
                .header(header::NATS_BATCH_SEQUENCE, batch.messages.to_string());
        }
        *sent = Tail { sequence: sent.sequence + 1, position: event.position };
        Ok((self.broker.subject(self.tenant.name, &event.event_type), message))
    }
}

/// A batch that is being sent.
struct Batch {
    /// Another one whenever something is sent again: the broker may still hold the first one's beginning.
    id: String,
    messages: u64,
}

impl Batch {
    fn new() -> Self {
        Self { id: Uuid::new_v4().to_string(), messages: 0 }
    }
}

/// Waits for the acknowledgement of what was sent up to here.
async fn confirm(tail: &mut Tail, (sent, acknowledged): (Tail, PublishAckFuture)) -> Result<()> {
    let position = sent.position;
    let ack = acknowledged.await.with_context(|| format!("position {position} was not acknowledged"))?;
    if ack.duplicate || ack.sequence != sent.sequence {
        bail!("position {position} was acknowledged as message {}, not {}", ack.sequence, sent.sequence);
    }
    *tail = sent;
    Ok(())
}

/// The stream, made when it is not there.
async fn stream(context: &jetstream::Context, broker: &Broker) -> Result<Stream> {
    let config = Config {
        name: broker.stream().to_owned(),
        subjects: vec![broker.subjects()],
        description: Some("A copy of DDC's journal, in its order".to_owned()),
        // What keeps a position from coming twice is the expected sequence. A long window would take a position that
        // is published again, after the stream was purged, for a duplicate.
        duplicate_window: Duration::from_secs(1),
        ..Config::default()
    };
    let name = broker.stream();
    context.get_or_create_stream(config).await.with_context(|| format!("stream {name} cannot be had"))
}

/// The message before another one, if the stream still holds any.
async fn before(stream: &Stream, sequence: u64) -> Result<Option<StreamMessage>> {
    let first = stream.cached_info().state.first_sequence;
    for sequence in (first..sequence).rev() {
        match stream.get_raw_message(sequence).await {
            Ok(message) => return Ok(Some(message)),
            Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => {}
            Err(error) => return Err(error).context("a message of the stream cannot be read"),
        }
    }
    Ok(None)
}

/// The position that a message's id names.
fn position_of(tenant: &Tenant, headers: &async_nats::HeaderMap) -> Option<i64> {
    let id = headers.get(async_nats::header::NATS_MESSAGE_ID)?.as_str();
    id.strip_prefix(tenant.name)?.strip_prefix(':')?.parse().ok()
}

/// As metrics want it; exact to 2^31.
pub(super) fn lag(events: i64) -> f64 {
    f64::from(i32::try_from(events).unwrap_or(i32::MAX))
}
