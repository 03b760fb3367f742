//! The read model of one resource: a row a resource, with its rendered view and the columns it is found by.

use std::{
    collections::{BTreeMap, HashMap},
    marker::PhantomData,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use kernel::{Resource, Stamp};
use serde::{Serialize, Serializer, ser::Error};
use serde_json::{Map, Value, value::RawValue};
use sqlx::{FromRow, PgConnection, Row as _};

use crate::{
    ApplyError, Codec, Fold, Latest, NewFold, Projection, Recorded, RecordedRef,
    rows::{Column, Line, Lined, Rows, insert_lines},
};

/// How many rows of a rebuild are written at a time.
const WRITTEN: usize = 2000;

/// A resource's read table, declared in the file that answers the question it is for.
///
/// The table has `id`, `version`, `created_at`, `updated_at`, `state` (to fold the next event into), `body` (the view as
/// it is sent), and the columns declared here.
pub trait ResourceTable: Send + Sync + 'static {
    type Resource: Resource;

    /// The table's name and the projection's.
    const NAME: &'static str;
    const VERSION: i32;
    /// `[Resource::TYPE]`.
    const KINDS: &'static [&'static str];
    /// DDL of the columns to filter and sort by, e.g. `name text NOT NULL, is_deleted boolean NOT NULL`.
    const COLUMNS: &'static str;
    /// DDL of the indexes.
    const INDEXES: &'static str;

    /// The values of those columns, by name.
    fn columns(
        state: &<Self::Resource as Resource>::State,
        view: &<Self::Resource as Resource>::View,
    ) -> Map<String, Value>;
}

/// [`Projection`] of a [`ResourceTable`].
pub struct ResourceProjection<T> {
    latest: Latest<i64, Known>,
    table: PhantomData<fn() -> T>,
}

impl<T> Default for ResourceProjection<T> {
    fn default() -> Self {
        Self { latest: Latest::default(), table: PhantomData }
    }
}

type StateOf<T> = <<T as ResourceTable>::Resource as Resource>::State;
type EventOf<T> = <<T as ResourceTable>::Resource as Aggregate>::Event;

/// A row's part that the next event is folded into. The state is as it is stored: what is sealed in it stays sealed.
#[derive(sqlx::FromRow)]
struct Known {
    created_at: DateTime<Utc>,
    state: String,
}

#[derive(Serialize)]
struct Row {
    id: i64,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    state: Written,
    body: Box<RawValue>,
    #[serde(flatten)]
    columns: Map<String, Value>,
}

/// JSON that is written already. A [`RawValue`] would read it once more to be sure that it is JSON; the database does too.
struct Written(String);

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.0).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl Lined for Row {
    fn write(&self, column: &Column, line: &mut Line) -> Result<(), serde_json::Error> {
        match column.name() {
            "id" => line.number(self.id),
            "version" => line.number(self.version),
            "created_at" => line.text(&self.created_at.to_rfc3339()),
            "updated_at" => line.text(&self.updated_at.to_rfc3339()),
            "state" => line.text(&self.state.0),
            "body" => line.text(self.body.get()),
            name => match self.columns.get(name) {
                None => line.json(column, "null")?,
                Some(Value::String(text)) if column.is_plain() => line.text(text),
                Some(value) => line.json(column, &value.to_string())?,
            },
        }
        Ok(())
    }
}

#[async_trait]
impl<T: ResourceTable> Projection for ResourceProjection<T>
where
    <T::Resource as Resource>::View: Sync,
{
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn version(&self) -> i32 {
        T::VERSION
    }

    fn kinds(&self) -> &'static [&'static str] {
        T::KINDS
    }

    fn tables(&self) -> Vec<&'static str> {
        vec![T::NAME]
    }

    fn schema(&self) -> String {
        format!(
            "CREATE TABLE {} (id bigint PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
                 updated_at timestamptz NOT NULL, state json NOT NULL, body json NOT NULL, {})",
            T::NAME,
            T::COLUMNS
        )
    }

    fn indexes(&self) -> String {
        T::INDEXES.to_owned()
    }

    fn fold(&self) -> Option<NewFold> {
        Some(NewFold { begin: || Box::new(Streams::<T>::default()), reads_metadata: false })
    }

    async fn rows(
        &self,
        connection: &mut PgConnection,
        codec: &Codec,
        events: &[Recorded],
    ) -> Result<Option<Vec<Rows>>, ApplyError> {
        let events: Vec<RecordedRef> = events.iter().map(Recorded::by_ref).collect();
        let mut streams = Streams::<T>::known(connection, codec, &events, &self.latest).await?;
        streams.fold(codec, &events).await?;
        let rows = streams.rows(codec, &streams.ids()).await?;
        let written = Rows::of(T::NAME, &rows)?;
        for Row { id, version, created_at, state: Written(state), .. } in rows {
            let size = state.len();
            self.latest.keep(id, version, Known { created_at, state }, size);
        }
        Ok(Some(vec![written]))
    }
}

/// Resources as their events so far have left them.
struct Streams<T: ResourceTable> {
    held: HashMap<i64, Held<StateOf<T>>>,
}

struct Held<S> {
    state: S,
    stamp: Stamp,
    /// Of the last event.
    position: i64,
}

impl<T: ResourceTable> Default for Streams<T> {
    fn default() -> Self {
        Self { held: HashMap::new() }
    }
}

impl<T: ResourceTable> Streams<T> {
    /// Those that the table has of a batch's streams, from memory where they are there.
    async fn known(
        connection: &mut PgConnection,
        codec: &Codec,
        events: &[RecordedRef<'_>],
        latest: &Latest<i64, Known>,
    ) -> Result<Self, ApplyError> {
        let mut firsts = BTreeMap::new();
        for recorded in events {
            firsts.entry(number(recorded)?).or_insert(recorded);
        }
        // A stream that begins in this batch has no row yet.
        firsts.retain(|_, first| first.sequence > 1);
        let mut streams = Self::default();
        let mut missing = Vec::new();
        for (id, first) in &firsts {
            match latest.before(id, first.sequence) {
                Some(known) => streams.hold(codec, *id, first, &known).await?,
                None => missing.push(*id),
            }
        }
        if missing.is_empty() {
            return Ok(streams);
        }
        let query = format!("SELECT id, created_at, state::text AS state FROM {} WHERE id = ANY($1)", T::NAME);
        for row in sqlx::query(&query).bind(missing).fetch_all(connection).await? {
            let (id, known) = (row.try_get("id")?, Known::from_row(&row)?);
            let Some(first) = firsts.get(&id) else { continue };
            streams.hold(codec, id, first, &known).await?;
        }
        Ok(streams)
    }

    async fn hold(&mut self, codec: &Codec, id: i64, first: &RecordedRef<'_>, known: &Known) -> Result<(), ApplyError> {
        let state = codec.decode(&known.state).await.map_err(|error| ApplyError::at(first.position, &error))?;
        let held = Held { state, stamp: first.stamp(Some(known.created_at)), position: first.position };
        self.held.insert(id, held);
        Ok(())
    }

    async fn fold(&mut self, codec: &Codec, events: &[RecordedRef<'_>]) -> Result<(), ApplyError> {
        let decoded: Vec<EventOf<T>> = codec.events(events).await?;
        for (recorded, event) in events.iter().zip(decoded) {
            let id = number(recorded)?;
            let held = self.held.entry(id).or_insert_with(|| Held {
                state: StateOf::<T>::default(),
                stamp: recorded.stamp(None),
                position: recorded.position,
            });
            T::Resource::record(&mut held.state, event);
            held.stamp.version = recorded.sequence;
            held.stamp.updated_at = recorded.recorded_at;
            held.position = recorded.position;
        }
        Ok(())
    }

    /// In their order, so that a key's index is written at its end.
    fn ids(&self) -> Vec<i64> {
        let mut ids: Vec<i64> = self.held.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// The rows of some of them.
    async fn rows(&self, codec: &Codec, ids: &[i64]) -> Result<Vec<Row>, ApplyError> {
        let held: Vec<_> = ids.iter().filter_map(|id| Some((*id, self.held.get(id)?))).collect();
        let at = held.first().map_or(0, |(_, held)| held.position);
        let states = held.iter().map(|(_, held)| &held.state).collect::<Vec<_>>();
        let states = codec.encode_each(&states).await.map_err(|error| ApplyError::at(at, &error))?;
        let rows = held.into_iter().zip(states).map(|((id, held), state)| row::<T>(id, held, state));
        rows.filter_map(Result::transpose).collect()
    }
}

#[async_trait]
impl<T: ResourceTable> Fold for Streams<T>
where
    <T::Resource as Resource>::View: Sync,
{
    async fn take(
        &mut self,
        _: &mut PgConnection,
        codec: &Codec,
        events: &[RecordedRef<'_>],
    ) -> Result<(), ApplyError> {
        self.fold(codec, events).await
    }

    fn holds(&self) -> usize {
        self.held.len()
    }

    async fn finish(self: Box<Self>, tx: &mut PgConnection, codec: &Codec) -> Result<(), ApplyError> {
        for ids in self.ids().chunks(WRITTEN) {
            insert_lines(tx, T::NAME, &self.rows(codec, ids).await?).await?;
        }
        Ok(())
    }
}

fn number(recorded: &RecordedRef<'_>) -> Result<i64, ApplyError> {
    recorded.number().ok_or_else(|| ApplyError::Event {
        position: recorded.position,
        reason: format!("{} is no number", recorded.aggregate_id),
    })
}

fn row<T: ResourceTable>(id: i64, held: &Held<StateOf<T>>, state: String) -> Result<Option<Row>, ApplyError> {
    let Some(view) = T::Resource::view(&held.state, &held.stamp) else { return Ok(None) };
    let unwritable =
        |error: serde_json::Error| ApplyError::Event { position: held.position, reason: error.to_string() };
    Ok(Some(Row {
        id,
        version: held.stamp.version,
        created_at: held.stamp.created_at,
        updated_at: held.stamp.updated_at,
        columns: T::columns(&held.state, &view),
        state: Written(state),
        body: serde_json::value::to_raw_value(&view).map_err(unwritable)?,
    }))
}
