//! A row for each item of a library that is one stream: its events carry the new and the changed items.

use std::{
    collections::{BTreeMap, HashMap},
    marker::PhantomData,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use runtime::{ApplyError, Codec, Projection, Recorded};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use sqlx::PgConnection;

/// A library's read table, declared in the file that answers the question it is for.
///
/// The table has `id`, `version` (of the library), `created_at`, `updated_at`, `body` (the item as it is sent), and the
/// columns declared here.
pub trait ItemTable: Send + Sync + 'static {
    type Event: DeserializeOwned + Send + Sync;
    type Item: Serialize + Send + Sync;

    /// The table's name and the projection's.
    const NAME: &'static str;
    const VERSION: i32;
    /// The library's aggregate type.
    const KINDS: &'static [&'static str];
    /// DDL of the columns to filter and sort by.
    const COLUMNS: &'static str;
    /// DDL of the indexes.
    const INDEXES: &'static str;

    /// The items that an event carries, as they are from now on.
    fn items(event: Self::Event) -> Vec<Self::Item>;

    fn id(item: &Self::Item) -> i64;

    /// The values of the columns, by name.
    fn columns(item: &Self::Item) -> Map<String, Value>;
}

/// [`Projection`] of an [`ItemTable`].
pub struct ItemProjection<T>(PhantomData<fn() -> T>);

impl<T> Default for ItemProjection<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// A row as `runtime::write` takes it.
#[derive(Serialize)]
pub(crate) struct Row<B> {
    pub(crate) id: i64,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) body: B,
    #[serde(flatten)]
    pub(crate) columns: Map<String, Value>,
}

/// The DDL of a table with such rows.
pub(crate) fn schema(name: &str, columns: &str) -> String {
    format!(
        "CREATE TABLE {name} (id bigint PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
             updated_at timestamptz NOT NULL, body json NOT NULL, {columns})"
    )
}

#[async_trait]
impl<T: ItemTable> Projection for ItemProjection<T> {
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
        schema(T::NAME, T::COLUMNS)
    }

    fn indexes(&self) -> String {
        T::INDEXES.to_owned()
    }

    async fn apply(&self, tx: &mut PgConnection, codec: &Codec, events: &[Recorded]) -> Result<(), ApplyError> {
        let mut rows = BTreeMap::<i64, Row<T::Item>>::new();
        for recorded in events {
            let event: T::Event = codec.event(recorded).await.map_err(|error| ApplyError::event(recorded, &error))?;
            for item in T::items(event) {
                let id = T::id(&item);
                let created_at = rows.get(&id).map_or(recorded.recorded_at, |row| row.created_at);
                let (version, updated_at) = (recorded.sequence, recorded.recorded_at);
                let row = Row { id, version, created_at, updated_at, columns: T::columns(&item), body: item };
                rows.insert(id, row);
            }
        }
        let ids: Vec<i64> = rows.keys().copied().collect();
        let query = format!("SELECT id, created_at FROM {} WHERE id = ANY($1)", T::NAME);
        let known: HashMap<i64, DateTime<Utc>> =
            sqlx::query_as(&query).bind(ids).fetch_all(&mut *tx).await?.into_iter().collect();
        for row in rows.values_mut() {
            row.created_at = known.get(&row.id).copied().unwrap_or(row.created_at);
        }
        runtime::write(tx, T::NAME, &rows.into_values().collect::<Vec<_>>()).await
    }
}

/// The members of a JSON object.
pub(crate) fn members(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
