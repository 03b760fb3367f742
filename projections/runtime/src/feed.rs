//! The journal as readers see it: what comes after a position, in order, without holes.
//!
//! A node reads what is new once, for all its readers: [`Feed`]. What it has appended itself it need not read at all. A
//! reader that is further behind asks the database.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use sqlx::{PgConnection, PgPool, types::Json};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{COLUMNS, Codec, Recorded};

/// A poll behind the news, should one be lost.
const POLL: Duration = Duration::from_secs(1);
/// How long the feed waits after the database failed it.
const PAUSE: Duration = Duration::from_millis(500);
/// Readers that nobody waits for are told of what has come within this, all at once: a batch costs each of them, and
/// those who are waited for, little more than an event.
const GATHERED_WITHIN: Duration = Duration::from_millis(5);
/// How many events are read at a time.
const BATCH: i64 = 1000;
/// How much of the journal's end is kept at hand: events, and bytes of their payloads.
const KEPT: (usize, usize) = (8192, 16 << 20);

/// The events after a position; `kinds` empty means all.
///
/// # Errors
/// When the database cannot be reached.
pub async fn after(
    connection: &mut PgConnection,
    position: i64,
    until: i64,
    kinds: &[&str],
    limit: i64,
) -> Result<Vec<Recorded>, sqlx::Error> {
    let query = format!(
        "SELECT {COLUMNS} FROM events
         WHERE position > $1 AND position <= $2 AND (cardinality($3::text[]) = 0 OR aggregate_type = ANY($3))
         ORDER BY position LIMIT $4"
    );
    sqlx::query_as(&query).bind(position).bind(until).bind(kinds).bind(limit).fetch_all(connection).await
}

/// The last position of the journal.
///
/// # Errors
/// When the database cannot be reached.
pub async fn head(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT position FROM journal_head").fetch_one(pool).await
}

/// An event that this node has just appended, as it is stored.
#[derive(Debug)]
pub struct Appended {
    pub position: i64,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub sequence: i64,
    pub event_type: String,
    pub event_version: String,
    pub payload: String,
    pub metadata: Arc<str>,
    pub recorded_at: DateTime<Utc>,
}

impl Appended {
    /// The event, if it is the one after a position.
    fn follows(self, position: i64) -> Option<Recorded> {
        (self.position == position + 1).then(|| self.recorded().ok()).flatten()
    }

    fn recorded(self) -> Result<Recorded, serde_json::Error> {
        Ok(Recorded {
            position: self.position,
            aggregate_type: self.aggregate_type,
            aggregate_id: self.aggregate_id,
            sequence: self.sequence,
            event_type: self.event_type,
            event_version: self.event_version,
            payload: Json(serde_json::value::RawValue::from_string(self.payload)?),
            metadata: Json(serde_json::from_str(&self.metadata)?),
            recorded_at: self.recorded_at,
        })
    }
}

/// The journal's end, read once for all readers of a node.
pub struct Feed {
    pool: PgPool,
    /// The last position that the node has heard of.
    heard: watch::Receiver<i64>,
    /// The last position whose event is at hand.
    reached: watch::Sender<i64>,
    /// The same, told now and then.
    gathered: watch::Sender<i64>,
    latest: Mutex<Latest>,
    /// What this node has appended and [`Feed::run`] has not taken yet.
    appended: Mutex<Vec<Appended>>,
    /// Whether somebody takes it.
    runs: AtomicBool,
}

/// The events at hand: all after `after`, without a hole.
struct Latest {
    after: i64,
    events: VecDeque<Recorded>,
    bytes: usize,
}

impl Feed {
    /// A feed that begins at what `heard` has heard of; [`Feed::run`] keeps it going.
    #[must_use]
    pub fn new(pool: PgPool, heard: watch::Receiver<i64>) -> Arc<Self> {
        let position = *heard.borrow();
        Arc::new(Self {
            pool,
            heard,
            reached: watch::Sender::new(position),
            gathered: watch::Sender::new(position),
            latest: Mutex::new(Latest { after: position, events: VecDeque::new(), bytes: 0 }),
            appended: Mutex::default(),
            runs: AtomicBool::new(false),
        })
    }

    /// Whether what this node appends is worth telling.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.runs.load(Ordering::Relaxed)
    }

    /// Tells what this node has appended, before the journal's head is told to have moved. What does not follow on what is
    /// at hand, because another node has appended too, is read from the journal like all else.
    pub fn offer(&self, events: Vec<Appended>) {
        let mut appended = self.appended.lock().unwrap_or_else(PoisonError::into_inner);
        if appended.len() + events.len() > KEPT.0 {
            appended.clear();
        } else {
            appended.extend(events);
        }
    }

    /// Reads what is new, until the node shuts down.
    pub async fn run(self: Arc<Self>) {
        let mut heard = self.heard.clone();
        self.runs.store(true, Ordering::Relaxed);
        let mut due = None;
        loop {
            let target = *heard.borrow_and_update();
            self.take_appended();
            due = self.gather(due);
            let outcome = if target > self.position() {
                self.read(target).await
            } else {
                tokio::select! {
                    news = heard.changed() => match news {
                        Ok(()) => Ok(()),
                        Err(_) => return,
                    },
                    () = sleep_until(due.unwrap_or_else(|| Instant::now() + POLL)) => match due {
                        Some(_) => Ok(()),
                        None => self.poll().await,
                    },
                }
            };
            if let Err(error) = outcome {
                tracing::warn!(%error, "the journal cannot be read, trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    async fn poll(&self) -> Result<(), sqlx::Error> {
        let head = head(&self.pool).await?;
        self.read(head).await
    }

    /// Tells those that nobody waits for, if it is time to. Answers when it will be.
    fn gather(&self, due: Option<Instant>) -> Option<Instant> {
        let position = self.position();
        if position == *self.gathered.borrow() {
            return None;
        }
        let now = Instant::now();
        let due = due.unwrap_or(now + GATHERED_WITHIN);
        if now < due {
            return Some(due);
        }
        self.gathered.send_replace(position);
        None
    }

    /// Those of this node's own events that follow on what is at hand.
    fn take_appended(&self) {
        let appended = std::mem::take(&mut *self.appended.lock().unwrap_or_else(PoisonError::into_inner));
        let mut position = self.position();
        let mut events = Vec::with_capacity(appended.len());
        for event in appended {
            if event.position <= position {
                continue;
            }
            // What cannot be taken from here is read from the journal, which tells what is wrong with it.
            let Some(recorded) = event.follows(position) else { break };
            position = recorded.position;
            events.push(recorded);
        }
        if !events.is_empty() {
            self.keep(events);
            self.reached.send_replace(position);
        }
    }

    async fn read(&self, target: i64) -> Result<(), sqlx::Error> {
        while self.position() < target {
            let mut connection = self.pool.acquire().await?;
            let events = after(&mut connection, self.position(), target, &[], BATCH).await?;
            let Some(last) = events.last().map(|event| event.position) else { return Ok(()) };
            self.keep(events);
            self.reached.send_replace(last);
        }
        Ok(())
    }

    fn keep(&self, events: Vec<Recorded>) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.bytes += events.iter().map(size).sum::<usize>();
        latest.events.extend(events);
        while latest.events.len() > KEPT.0 || latest.bytes > KEPT.1 {
            let Some(oldest) = latest.events.pop_front() else { break };
            latest.bytes -= size(&oldest);
            latest.after = oldest.position;
        }
    }

    /// The position up to which events can be had.
    #[must_use]
    pub fn position(&self) -> i64 {
        *self.reached.borrow()
    }

    /// As [`after`], from memory where it is there.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn after(
        &self,
        position: i64,
        until: i64,
        kinds: &[&str],
        limit: i64,
    ) -> Result<Vec<Recorded>, sqlx::Error> {
        if let Some(events) = self.recall(position, until, kinds, limit) {
            return Ok(events);
        }
        after(&mut *self.pool.acquire().await?, position, until, kinds, limit).await
    }

    /// `None`: the events after `position` are not at hand any more.
    fn recall(&self, position: i64, until: i64, kinds: &[&str], limit: i64) -> Option<Vec<Recorded>> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let of_kind = latest
            .between(position, until)?
            .filter(|event| kinds.is_empty() || kinds.contains(&event.aggregate_type.as_str()));
        Some(of_kind.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect())
    }

    /// The first event after a position that this build does not know: a newer one has written it.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn newer(&self, codec: &Codec, position: i64, until: i64) -> Result<Option<i64>, sqlx::Error> {
        {
            let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(events) = latest.between(position, until) {
                let newer = |event: &&Recorded| !codec.knows(&event.event_type, &event.event_version);
                return Ok(events.into_iter().find(newer).map(|event| event.position));
            }
        }
        let (types, versions): (Vec<&str>, Vec<&str>) = codec.types().iter().copied().unzip();
        let mut suspects = sqlx::query_as::<_, (i64, String, String)>(
            "SELECT position, event_type, event_version FROM events
             WHERE position > $1 AND position <= $2
                   AND (event_type, event_version) NOT IN (SELECT * FROM unnest($3::text[], $4::text[]))
             ORDER BY position",
        )
        .bind(position)
        .bind(until)
        .bind(types)
        .bind(versions)
        .fetch(&self.pool);
        while let Some((position, event_type, event_version)) = suspects.try_next().await? {
            if !codec.knows(&event_type, &event_version) {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// The position up to which events can be had, at once and now and then.
    pub(crate) fn news(&self) -> (watch::Receiver<i64>, watch::Receiver<i64>) {
        (self.reached.subscribe(), self.gathered.subscribe())
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }
}

impl Latest {
    /// The events after `position`; `None` when they are not at hand any more.
    fn between(&self, position: i64, until: i64) -> Option<impl Iterator<Item = &Recorded>> {
        let skipped = usize::try_from(position - self.after).ok()?;
        Some(self.events.iter().skip(skipped).take_while(move |event| event.position <= until))
    }
}

fn size(event: &Recorded) -> usize {
    event.payload.get().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appended(position: i64, payload: &str) -> Appended {
        Appended {
            position,
            aggregate_type: "company".to_owned(),
            aggregate_id: "1".to_owned(),
            sequence: position,
            event_type: "company.created".to_owned(),
            event_version: "1.0".to_owned(),
            payload: payload.to_owned(),
            metadata: r#"{"at": "2026-01-01T00:00:00Z", "command": "company.create", "correlation_id": "1"}"#.into(),
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    /// A feed at position 5 whose database nobody asks.
    fn feed() -> Result<Arc<Feed>, sqlx::Error> {
        let (_, heard) = watch::channel(5);
        Ok(Feed::new(PgPool::connect_lazy("postgres://nowhere.invalid/none")?, heard))
    }

    #[tokio::test]
    async fn what_this_node_appended_is_at_hand_without_being_read() -> Result<(), sqlx::Error> {
        let feed = feed()?;
        feed.offer(vec![appended(6, "{}"), appended(7, r#"{"name": "Acme"}"#)]);
        feed.take_appended();
        let events = feed.after(5, 7, &[], 10).await?;
        assert_eq!(events.iter().map(|event| event.position).collect::<Vec<_>>(), [6, 7]);
        assert_eq!(events.last().map(|event| event.payload.get()), Some(r#"{"name": "Acme"}"#));
        Ok(())
    }

    #[tokio::test]
    async fn what_does_not_follow_is_left_to_the_journal() -> Result<(), sqlx::Error> {
        let feed = feed()?;
        // Position 7 is another node's; 5 has been read before.
        feed.offer(vec![appended(5, "{}"), appended(6, "{}"), appended(8, "{}")]);
        feed.take_appended();
        assert_eq!(feed.position(), 6);
        feed.offer(vec![appended(7, "no JSON"), appended(8, "{}")]);
        feed.take_appended();
        assert_eq!(feed.position(), 6, "the journal tells what is wrong with it");
        Ok(())
    }
}
