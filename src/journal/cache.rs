//! The streams this node has at hand: one slot a stream, with its queue and its last known state.

use std::{
    any::Any,
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use cqrs_es::Aggregate;
use moka::policy::EvictionPolicy;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How many streams stay at hand.
const CAPACITY: u64 = 20_000;

/// A stream's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct StreamId {
    pub(super) kind: Cow<'static, str>,
    pub(super) id: Box<str>,
}

impl StreamId {
    pub(super) fn of<A: Aggregate>(id: &str) -> Self {
        Self { kind: Cow::Borrowed(A::TYPE), id: id.into() }
    }
}

/// A state and the generation of its slot that it belongs to.
pub(super) struct State {
    generation: u64,
    value: Box<dyn Any + Send>,
}

impl State {
    pub(super) fn new<T: Send + 'static>(value: T, generation: u64) -> Self {
        Self { generation, value: Box::new(value) }
    }

    /// A state of an older generation was decided on events that never came to be.
    pub(super) fn is_of(&self, generation: u64) -> bool {
        self.generation == generation
    }

    pub(super) fn get<T: 'static>(&self) -> Option<&T> {
        self.value.downcast_ref()
    }

    pub(super) fn get_mut<T: 'static>(&mut self) -> Option<&mut T> {
        self.value.downcast_mut()
    }
}

/// One stream's queue: whoever holds the lock decides; the others wait their turn.
#[derive(Default)]
pub(super) struct Slot {
    generation: AtomicU64,
    /// The version that the last state put here had.
    version: AtomicI64,
    queue: Arc<Mutex<Option<State>>>,
}

impl Slot {
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Whatever was decided on the present state is void.
    pub(super) fn invalidate(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// As [`Slot::invalidate`], if nobody has done so since `generation`.
    pub(super) fn invalidate_if(&self, generation: u64) {
        let _ = self.generation.compare_exchange(generation, generation + 1, Ordering::AcqRel, Ordering::Acquire);
    }

    pub(super) fn saw(&self, version: i64) {
        self.version.store(version, Ordering::Release);
    }

    pub(super) fn try_lock(&self) -> Option<Guard> {
        Arc::clone(&self.queue).try_lock_owned().ok()
    }

    pub(super) async fn lock(&self) -> Guard {
        Arc::clone(&self.queue).lock_owned().await
    }
}

/// The turn in a slot's queue.
pub(super) type Guard = OwnedMutexGuard<Option<State>>;

/// All slots; the least used ones are dropped. A slot that is dropped while in use lives on with its user, and a second
/// one for the same stream is then kept honest by the journal's primary key.
pub(super) struct Streams(moka::sync::Cache<StreamId, Arc<Slot>>);

impl Default for Streams {
    fn default() -> Self {
        // The latest, not the most often used: else the streams of yesterday's work would keep today's out.
        Self(moka::sync::Cache::builder().max_capacity(CAPACITY).eviction_policy(EvictionPolicy::lru()).build())
    }
}

impl Streams {
    pub(super) fn slot(&self, stream: StreamId) -> Arc<Slot> {
        self.0.get_with(stream, Arc::default)
    }

    pub(super) async fn lock<A: Aggregate>(&self, id: &str) -> (Arc<Slot>, Guard) {
        let slot = self.slot(StreamId::of::<A>(id));
        let guard = slot.lock().await;
        (slot, guard)
    }

    /// Another node may have moved a stream to this version: what is known of an older one is void.
    pub(super) fn moved(&self, kind: String, id: &str, version: i64) {
        let stream = StreamId { kind: Cow::Owned(kind), id: id.into() };
        if let Some(slot) = self.0.get(&stream)
            && slot.version.load(Ordering::Acquire) < version
        {
            slot.invalidate();
        }
    }
}
