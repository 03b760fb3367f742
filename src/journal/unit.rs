//! One command being carried out: the streams it holds, what it decides, what it depends on.

use std::{sync::Arc, time::Duration};

use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use kernel::{CascadeId, Issued, Refusal, Resource, Stamp, Text};
use tokio::sync::oneshot;

use super::{
    ExecuteError, Issuer, Journal, Refused,
    cache::{Guard, Slot, State, StreamId},
    chain::GENESIS,
    load::{self, Loaded, PendingSnapshot, SNAPSHOT_EVERY},
    request::Request,
    store::{Answer, Append, Expected, Remembered, Row},
};

/// A unit that holds a stream waits this long for a second one before it gives way, lest two wait for each other.
const GIVE_WAY: Duration = Duration::from_millis(50);

/// What `work` answered, and where the journal stands with it.
pub struct Committed<T> {
    pub output: T,
    /// Of the last event; when nothing had to happen, one at which all that was decided on is in the journal.
    pub position: i64,
    /// Whether anything had to happen.
    pub appended: bool,
}

/// A stream whose turn this unit has.
struct Held {
    stream: StreamId,
    slot: Arc<Slot>,
    generation: u64,
    guard: Guard,
    /// The version before this unit's events.
    before: i64,
    written: bool,
    /// Whether the version must hold at the commit although nothing is written.
    depended: bool,
    /// Decided, but not handed over: nobody may see it.
    spoiled: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.spoiled {
            *self.guard = None;
        }
    }
}

/// A stream's version that was decided on.
struct Seen {
    stream: StreamId,
    slot: Arc<Slot>,
    generation: u64,
    version: i64,
}

/// All that one command does, appended whole or not at all.
pub struct Unit<'a> {
    journal: &'a Journal,
    issuer: &'a Issuer,
    metadata: Option<Arc<str>>,
    held: Vec<Held>,
    seen: Vec<Seen>,
    rows: Vec<Row>,
    snapshots: Vec<PendingSnapshot>,
    answer: Option<Answer>,
    contended: bool,
    /// The version of a stream of which the caller had seen another.
    moved_on_to: Option<i64>,
}

impl<'a> Unit<'a> {
    pub(super) fn new(journal: &'a Journal, issuer: &'a Issuer) -> Self {
        Self {
            journal,
            issuer,
            metadata: None,
            held: Vec::new(),
            seen: Vec::new(),
            rows: Vec::new(),
            snapshots: Vec::new(),
            answer: None,
            contended: false,
            moved_on_to: None,
        }
    }

    pub(super) fn is_contended(&self) -> bool {
        self.contended
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A position at which all that was decided on is in the journal. `None`: something of it is no longer so, or never
    /// came to be, because another node has moved a stream, or an append of this one has failed. What is known of such a
    /// stream is forgotten.
    pub(super) async fn settled(&mut self) -> Result<Option<i64>, ExecuteError> {
        self.held.clear();
        let head = self.journal.head();
        if self.seen.is_empty() {
            return Ok(Some(*head.borrow()));
        }
        let (kinds, ids): (Vec<&str>, Vec<&str>) =
            self.seen.iter().map(|seen| (&*seen.stream.kind, &*seen.stream.id)).unzip();
        // What is seen may be another node's, of which this one has not heard: its own head does not tell.
        let (versions, position): (Vec<i64>, i64) = sqlx::query_as(
            "SELECT ARRAY(
                 SELECT COALESCE((SELECT max(sequence) FROM events WHERE aggregate_type = kind AND aggregate_id = id), 0)
                 FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS seen(kind, id, n) ORDER BY n
             ), position FROM journal_head",
        )
        .bind(&kinds)
        .bind(&ids)
        .fetch_one(self.journal.pool())
        .await?;
        let (mut outdated, mut pending) = (false, false);
        for (seen, version) in self.seen.iter().zip(versions) {
            if version > seen.version {
                // Unless somebody has forgotten it already.
                seen.slot.invalidate_if(seen.generation);
                outdated = true;
            }
            pending |= version < seen.version;
        }
        if outdated {
            return Ok(None);
        }
        if pending {
            // Decided on events that are on their way: wait for what becomes of them.
            let (done, settled) = oneshot::channel();
            let slots = self.seen.iter().map(|seen| (Arc::clone(&seen.slot), seen.generation)).collect();
            self.journal.0.committer.reserve().await?.send(Request { append: Append::default(), slots, done });
            if !matches!(settled.await, Ok(Ok(_))) {
                return Ok(None);
            }
        }
        Ok(Some(position.max(*head.borrow())))
    }

    #[must_use]
    pub fn journal(&self) -> &'a Journal {
        self.journal
    }

    #[must_use]
    pub fn issuer(&self) -> &'a Issuer {
        self.issuer
    }

    /// The id of the cascade that this request begins: all that it takes along is restored together.
    ///
    /// # Errors
    /// When the request's id cannot be one.
    pub fn cascade(&self) -> Result<CascadeId, ExecuteError> {
        let id: String = self.issuer.correlation_id.chars().take(64).collect();
        Text::new(&id).map(CascadeId).map_err(fault)
    }

    /// Has the aggregate decide on a command, on the state that the command before it left.
    ///
    /// # Errors
    /// What the aggregate refuses; that the stream cannot be loaded.
    pub async fn decide<A, C>(&mut self, id: impl ToString, command: C) -> Result<(), ExecuteError>
    where
        A: Aggregate<Command = Issued<C>, Services = ()> + 'static,
        A::Error: Refusal,
    {
        let index = self.hold::<A>(&id.to_string()).await?;
        let issued = Issued::new(self.issuer.actor, self.issuer.at, command);
        let metadata = self.metadata()?;
        let held = self.held.get_mut(index).ok_or_else(|| missing::<A>())?;
        let sink = EventSink::<A>::default();
        let decided = loaded_mut::<A>(held)?.aggregate.handle(issued, &(), &sink).await;
        let events = sink.collect().await;
        held.spoiled |= !events.is_empty();
        decided.map_err(|refusal| Refused::new(&refusal))?;
        if events.is_empty() {
            return Ok(());
        }
        held.written = true;
        let stream = held.stream.clone();
        let loaded = loaded_mut::<A>(held)?;
        let from = loaded.stamp.version;
        for event in events {
            let payload = self.journal.codec().encode(&event).await?;
            loaded.stamp.version += 1;
            let row = Row {
                stream: stream.clone(),
                sequence: loaded.stamp.version,
                event_type: event.event_type(),
                event_version: event.event_version(),
                payload,
                metadata: Arc::clone(&metadata),
                recorded_at: self.issuer.recorded_at(),
                hash: GENESIS,
            };
            self.rows.push(row.sealed());
        }
        loaded.stamp.updated_at = self.issuer.recorded_at();
        if from == 0 {
            loaded.stamp.created_at = self.issuer.recorded_at();
        }
        let version = loaded.stamp.version;
        if from / SNAPSHOT_EVERY != loaded.stamp.version / SNAPSHOT_EVERY {
            let payload = self.journal.codec().encode(&loaded.aggregate).await?;
            self.snapshots.push(PendingSnapshot { kind: A::TYPE, stamp: loaded.stamp.clone(), payload });
        }
        held.slot.saw(version);
        Ok(())
    }

    /// Looks at another aggregate's present state. What is learned may be old by the time of the commit: see
    /// [`Unit::depend`].
    ///
    /// # Errors
    /// That the stream cannot be loaded.
    pub async fn read<A: Aggregate + 'static, R>(
        &mut self,
        id: impl ToString,
        look: impl FnOnce(&A, &Stamp) -> R,
    ) -> Result<R, ExecuteError> {
        let id = id.to_string();
        let stream = StreamId::of::<A>(&id);
        let known = self.held.iter().any(|held| held.stream == stream);
        let index = self.hold::<A>(&id).await?;
        let loaded = loaded_mut::<A>(self.held.get_mut(index).ok_or_else(|| missing::<A>())?)?;
        let seen = look(&loaded.aggregate, &loaded.stamp);
        if !known {
            self.held.truncate(index);
        }
        Ok(seen)
    }

    /// Looks at another aggregate's state, which must still be so when this unit is committed.
    ///
    /// # Errors
    /// That the stream cannot be loaded.
    pub async fn depend<A: Aggregate + 'static, R>(
        &mut self,
        id: impl ToString,
        look: impl FnOnce(&A, &Stamp) -> R,
    ) -> Result<R, ExecuteError> {
        let index = self.hold::<A>(&id.to_string()).await?;
        let held = self.held.get_mut(index).ok_or_else(|| missing::<A>())?;
        held.depended = true;
        let loaded = loaded_mut::<A>(held)?;
        Ok(look(&loaded.aggregate, &loaded.stamp))
    }

    /// Refuses to commit unless the caller saw the stream's present version (`If-Match`). Work goes on meanwhile: whether
    /// the caller may know of the stream at all is decided there, and comes first.
    ///
    /// # Errors
    /// That the stream cannot be loaded.
    pub async fn require_version<A: Aggregate + 'static>(
        &mut self,
        id: impl ToString,
        seen: Option<i64>,
    ) -> Result<(), ExecuteError> {
        let Some(seen) = seen else { return Ok(()) };
        let index = self.hold::<A>(&id.to_string()).await?;
        let actual = loaded_mut::<A>(self.held.get_mut(index).ok_or_else(|| missing::<A>())?)?.stamp.version;
        if seen != actual {
            self.moved_on_to = Some(actual);
        }
        Ok(())
    }

    /// The version of a stream of which the caller had seen another: whatever was decided is not committed.
    #[must_use]
    pub fn moved_on_to(&self) -> Option<i64> {
        self.moved_on_to
    }

    /// What the aggregate looks like after this unit's events; `None` while it is not yet.
    ///
    /// # Errors
    /// That the stream cannot be loaded.
    pub async fn view<A: Resource + 'static>(&mut self, id: impl ToString) -> Result<Option<A::View>, ExecuteError> {
        let index = self.hold::<A>(&id.to_string()).await?;
        let loaded = loaded_mut::<A>(self.held.get_mut(index).ok_or_else(|| missing::<A>())?)?;
        Ok(A::view(loaded.aggregate.state(), &loaded.stamp))
    }

    /// The version of a stream after this unit's events.
    ///
    /// # Errors
    /// That the stream cannot be loaded.
    pub async fn version<A: Aggregate + 'static>(&mut self, id: impl ToString) -> Result<i64, ExecuteError> {
        let index = self.hold::<A>(&id.to_string()).await?;
        Ok(loaded_mut::<A>(self.held.get_mut(index).ok_or_else(|| missing::<A>())?)?.stamp.version)
    }

    /// Keeps the answer under the issuer's idempotency key, in the same append as the events.
    pub fn remember(&mut self, answer: Answer) {
        self.answer = Some(answer);
    }

    /// Takes the stream's turn, unless this unit has it already.
    async fn hold<A: Aggregate + 'static>(&mut self, id: &str) -> Result<usize, ExecuteError> {
        let stream = StreamId::of::<A>(id);
        if let Some(index) = self.held.iter().position(|held| held.stream == stream) {
            return Ok(index);
        }
        let slot = self.journal.0.streams.slot(stream.clone());
        let mut guard = match slot.try_lock() {
            Some(guard) => guard,
            None if self.held.is_empty() => slot.lock().await,
            None => tokio::time::timeout(GIVE_WAY, slot.lock()).await.map_err(|_| {
                self.contended = true;
                ExecuteError::Conflict
            })?,
        };
        let generation = slot.generation();
        if guard.as_ref().is_none_or(|state| !state.is_of(generation)) {
            *guard = None;
            let loaded = load::load::<A>(self.journal, id).await?;
            slot.saw(loaded.stamp.version);
            *guard = Some(State::new(loaded, generation));
        }
        let mut held =
            Held { stream, slot, generation, guard, before: 0, written: false, depended: false, spoiled: false };
        held.before = loaded_mut::<A>(&mut held)?.stamp.version;
        self.seen.push(Seen {
            stream: held.stream.clone(),
            slot: Arc::clone(&held.slot),
            generation,
            version: held.before,
        });
        self.held.push(held);
        Ok(self.held.len() - 1)
    }

    fn metadata(&mut self) -> Result<Arc<str>, ExecuteError> {
        if let Some(metadata) = &self.metadata {
            return Ok(Arc::clone(metadata));
        }
        let metadata: Arc<str> = serde_json::to_string(&self.issuer.metadata()).map_err(fault)?.into();
        self.metadata = Some(Arc::clone(&metadata));
        Ok(metadata)
    }

    /// Hands everything over and waits until it is durable.
    pub(super) async fn commit(mut self) -> Result<i64, ExecuteError> {
        if let Some(actual) = self.moved_on_to {
            return Err(ExecuteError::VersionConflict { actual });
        }
        let expected = |held: &Held| Expected { stream: held.stream.clone(), version: held.before };
        let append = Append {
            rows: std::mem::take(&mut self.rows),
            written: self.held.iter().filter(|held| held.written).map(expected).collect(),
            depended: self.held.iter().filter(|held| held.depended && !held.written).map(expected).collect(),
            remembered: self
                .issuer
                .idempotency
                .clone()
                .zip(self.answer.take())
                .map(|((user, key, hash), answer)| Remembered { user, key, hash, answer }),
        };
        let slots = self
            .held
            .iter()
            .filter(|held| held.written || held.depended)
            .map(|held| (Arc::clone(&held.slot), held.generation))
            .collect();
        let (done, outcome) = oneshot::channel();
        // The turns are given up only after the request has its place in the queue, so that the next command's events
        // come after these.
        let permit = self.journal.0.committer.reserve().await?;
        permit.send(Request { append, slots, done });
        for held in &mut self.held {
            held.spoiled = false;
        }
        self.held.clear();
        let position =
            outcome.await.map_err(|_| ExecuteError::Unavailable("the journal is shutting down".to_owned()))??;
        if let Some(user) = self.issuer.actor.user() {
            self.journal.0.last_written.insert(user, position);
        }
        for snapshot in self.snapshots {
            load::save(self.journal, snapshot).await;
        }
        Ok(position)
    }
}

fn loaded_mut<A: Aggregate + 'static>(held: &mut Held) -> Result<&mut Loaded<A>, ExecuteError> {
    held.guard.as_mut().and_then(State::get_mut).ok_or_else(|| missing::<A>())
}

fn missing<A: Aggregate>() -> ExecuteError {
    ExecuteError::Fault(format!("two aggregates share the type name {}", A::TYPE))
}

fn fault(error: impl std::fmt::Display) -> ExecuteError {
    ExecuteError::Fault(error.to_string())
}
