//! The read model of one resource: a row a resource, with its rendered view and the columns it is found by.

use std::{
    collections::{BTreeMap, HashMap},
    marker::PhantomData,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use kernel::Resource;
use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};
use sqlx::{PgConnection, types::Json};

use crate::{ApplyError, Codec, Projection, Recorded};

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
pub struct ResourceProjection<T>(PhantomData<fn() -> T>);

impl<T> Default for ResourceProjection<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

type StateOf<T> = <<T as ResourceTable>::Resource as Resource>::State;
type EventOf<T> = <<T as ResourceTable>::Resource as Aggregate>::Event;

#[derive(sqlx::FromRow)]
struct Known {
    id: i64,
    created_at: DateTime<Utc>,
    state: Json<Box<RawValue>>,
}

#[derive(Serialize)]
struct Row {
    id: i64,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    state: Box<RawValue>,
    body: Box<RawValue>,
    #[serde(flatten)]
    columns: Map<String, Value>,
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

    async fn apply(&self, tx: &mut PgConnection, codec: &Codec, events: &[Recorded]) -> Result<(), ApplyError> {
        let mut streams: BTreeMap<i64, Vec<&Recorded>> = BTreeMap::new();
        for event in events {
            let id = event.number().ok_or_else(|| ApplyError::Event {
                position: event.position,
                reason: format!("{} is no number", event.aggregate_id),
            })?;
            streams.entry(id).or_default().push(event);
        }
        let mut known = known::<T>(tx, &streams).await?;
        let mut rows = Vec::with_capacity(streams.len());
        for (id, events) in streams {
            rows.extend(fold::<T>(codec, id, known.remove(&id), &events).await?);
        }
        write(tx, T::NAME, &rows).await
    }
}

async fn known<T: ResourceTable>(
    tx: &mut PgConnection,
    streams: &BTreeMap<i64, Vec<&Recorded>>,
) -> Result<HashMap<i64, Known>, sqlx::Error> {
    // A stream that begins in this batch has no row yet.
    let ids: Vec<i64> = streams
        .iter()
        .filter(|(_, events)| events.first().is_some_and(|event| event.sequence > 1))
        .map(|(id, _)| *id)
        .collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let query = format!("SELECT id, created_at, state FROM {} WHERE id = ANY($1)", T::NAME);
    let rows: Vec<Known> = sqlx::query_as(&query).bind(ids).fetch_all(tx).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

async fn fold<T: ResourceTable>(
    codec: &Codec,
    id: i64,
    known: Option<Known>,
    events: &[&Recorded],
) -> Result<Option<Row>, ApplyError> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(None) };
    let created_at = known.as_ref().map_or(first.recorded_at, |row| row.created_at);
    let mut state: StateOf<T> = match known {
        Some(row) => codec.decode(row.state.get()).await.map_err(|error| ApplyError::event(first, &error))?,
        None => StateOf::<T>::default(),
    };
    for recorded in events {
        let event: EventOf<T> = codec.event(recorded).await.map_err(|error| ApplyError::event(recorded, &error))?;
        T::Resource::record(&mut state, &event);
    }
    let stamp = last.stamp(Some(created_at));
    let state_text = codec.encode(&state).await.map_err(|error| ApplyError::event(last, &error))?;
    let Some(view) = T::Resource::view(&state, &stamp) else { return Ok(None) };
    let unreadable =
        |error: serde_json::Error| ApplyError::Event { position: last.position, reason: error.to_string() };
    Ok(Some(Row {
        id,
        version: stamp.version,
        created_at,
        updated_at: stamp.updated_at,
        columns: T::columns(&state, &view),
        state: RawValue::from_string(state_text).map_err(unreadable)?,
        body: serde_json::value::to_raw_value(&view).map_err(unreadable)?,
    }))
}

/// Writes rows of any table that has a key `id`: each is new or replaces the one that was there. A row's members are
/// the table's columns.
///
/// # Errors
/// When the database refuses or cannot be reached.
pub async fn write<R: Serialize>(tx: &mut PgConnection, table: &str, rows: &[R]) -> Result<(), ApplyError> {
    if rows.is_empty() {
        return Ok(());
    }
    let text = serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT attname::text FROM pg_attribute
         WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attname <> 'id'",
    )
    .bind(table)
    .fetch_all(&mut *tx)
    .await?;
    let set = columns.iter().map(|column| format!("{column} = excluded.{column}")).collect::<Vec<_>>().join(", ");
    let query = format!(
        "INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, $1::json)
         ON CONFLICT (id) DO UPDATE SET {set}"
    );
    sqlx::query(&query).bind(text).execute(tx).await?;
    Ok(())
}
