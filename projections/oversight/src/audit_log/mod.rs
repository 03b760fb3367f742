//! Who did what to which thing, and what was changed by it? Asked by ADMIN and by auditors (spec 19).
//!
//! A row an event, read from the stored text without knowing its type, so that an event of a new aggregate is in the log
//! from its first day. Personal data stays sealed: the log says that it changed, never to what.

mod details;

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use runtime::{
    ApplyError, Codec, Fold, Latest, NewFold, Projection, Recorded, RecordedRef, Rows,
    page::{Condition, Order},
};
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::{PgConnection, types::Json};
use utoipa::ToSchema;

/// The projection's name and its table's.
pub const NAME: &str = "audit_log";
/// Beside it: the last known fields of every thing, to tell what an event changed.
const FIELDS: &str = "audit_fields";

/// Streams that are means and no things of their own: who holds a unique value is told by the thing that holds it.
const TECHNICAL: &[&str] = &["reservation"];

/// Latest first.
pub const ORDER: Order = Order::NEWEST;

/// What became of the thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Operation {
    Created,
    Updated,
    Deleted,
}

impl Operation {
    pub const ALL: [Self; 3] = [Self::Created, Self::Updated, Self::Deleted];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Updated => "UPDATED",
            Self::Deleted => "DELETED",
        }
    }

    fn of(event: &RecordedRef<'_>) -> Self {
        match event.event_type.rsplit('.').next() {
            _ if event.sequence == 1 => Self::Created,
            Some("deleted") => Self::Deleted,
            _ => Self::Updated,
        }
    }
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    pub id: i64,
    /// Who did it; `null` is the system.
    pub user: Option<i64>,
    pub role: Option<String>,
    /// What happened in words: "company created".
    pub action: String,
    pub operation: Operation,
    pub entity_type: String,
    pub entity_id: String,
    /// What changed: a field's name, and its value before and after.
    #[schema(value_type = Object)]
    pub details: Map<String, Value>,
    /// The command that led to it, e.g. `company.create`.
    pub command: String,
    pub request_id: String,
    pub ip: Option<String>,
    /// The event's position in the journal.
    pub event_id: i64,
    pub position: i64,
    pub created_at: DateTime<Utc>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: i64,
    user_id: Option<i64>,
    entity_type: &'a str,
    entity_id: &'a str,
    operation: &'static str,
    action: &'a str,
    created_at: DateTime<Utc>,
    search: String,
    body: &'a AuditEntry,
}

type Entity = (String, String);

#[derive(Serialize)]
struct FieldsRow<'a> {
    entity_type: &'a str,
    entity_id: &'a str,
    fields: &'a Map<String, Value>,
}

/// The projection.
#[derive(Default)]
pub struct AuditLog {
    latest: Latest<Entity, Map<String, Value>>,
}

#[async_trait]
impl Projection for AuditLog {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> i32 {
        1
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[]
    }

    fn tables(&self) -> Vec<&'static str> {
        vec![NAME, FIELDS]
    }

    fn schema(&self) -> String {
        format!(
            "CREATE TABLE {NAME} (id bigint PRIMARY KEY, user_id bigint, entity_type text NOT NULL,
                 entity_id text NOT NULL, operation text NOT NULL, action text NOT NULL, created_at timestamptz NOT NULL,
                 search text NOT NULL, body json NOT NULL);
             CREATE TABLE {FIELDS} (entity_type text NOT NULL, entity_id text NOT NULL, fields json NOT NULL,
                 PRIMARY KEY (entity_type, entity_id))"
        )
    }

    fn indexes(&self) -> String {
        format!(
            "CREATE INDEX ON {NAME} (user_id, id); CREATE INDEX ON {NAME} (entity_type, entity_id, id);
             CREATE INDEX ON {NAME} (operation, id); CREATE INDEX ON {NAME} (lower(action), id);
             CREATE INDEX ON {NAME} (created_at, id)"
        )
    }

    fn fold(&self) -> Option<NewFold> {
        Some(NewFold { begin: || Box::new(Fields::default()), reads_metadata: true })
    }

    async fn rows(
        &self,
        connection: &mut PgConnection,
        _: &Codec,
        events: &[Recorded],
    ) -> Result<Option<Vec<Rows>>, ApplyError> {
        let events: Vec<RecordedRef> = events.iter().map(Recorded::by_ref).collect();
        let mut fields = Fields::known(connection, &events, &self.latest).await?;
        let entries = fields.entries(&events)?;
        let entries = Rows::of(NAME, &entries.iter().map(row).collect::<Vec<_>>())?;
        let written = Rows::with_key("entity_type, entity_id", FIELDS, &fields.rows())?;
        let versions: HashMap<_, _> = events.iter().map(|event| (entity(event), event.sequence)).collect();
        for (entity, fields) in fields.0 {
            if let Some(version) = versions.get(&entity) {
                let size = fields.iter().map(|(name, value)| name.len() + value.to_string().len()).sum();
                self.latest.keep(entity, *version, fields, size);
            }
        }
        Ok(Some(vec![entries, written]))
    }
}

/// The fields of things, as their events so far have left them.
#[derive(Default)]
struct Fields(HashMap<Entity, Map<String, Value>>);

#[async_trait]
impl Fold for Fields {
    async fn take(&mut self, tx: &mut PgConnection, _: &Codec, events: &[RecordedRef<'_>]) -> Result<(), ApplyError> {
        let entries = self.entries(events)?;
        runtime::insert(tx, NAME, &entries.iter().map(row).collect::<Vec<_>>()).await
    }

    fn holds(&self) -> usize {
        self.0.len()
    }

    async fn finish(self: Box<Self>, tx: &mut PgConnection, _: &Codec) -> Result<(), ApplyError> {
        runtime::insert(tx, FIELDS, &self.rows()).await
    }
}

impl Fields {
    /// What events changed.
    fn entries(&mut self, events: &[RecordedRef<'_>]) -> Result<Vec<AuditEntry>, ApplyError> {
        let entries = events.iter().filter(is_of_a_thing).map(|event| {
            let payload: Value = serde_json::from_str(event.payload).map_err(|error| ApplyError::Event {
                position: event.position,
                reason: format!("the payload cannot be read: {error}"),
            })?;
            Ok(entry(event, details::changes(self.0.entry(entity(event)).or_default(), &payload)))
        });
        entries.collect()
    }

    /// Those of the things of a batch, from memory where they are there.
    async fn known(
        tx: &mut PgConnection,
        events: &[RecordedRef<'_>],
        latest: &Latest<Entity, Map<String, Value>>,
    ) -> Result<Self, sqlx::Error> {
        type Row = (String, String, Json<Map<String, Value>>);
        let mut firsts = BTreeMap::new();
        for event in events.iter().filter(is_of_a_thing) {
            firsts.entry(entity(event)).or_insert(event.sequence);
        }
        let mut known = Self::default();
        // A thing that is made in this batch has no fields yet.
        firsts.retain(|entity, first| match latest.before(entity, *first) {
            Some(fields) => {
                known.0.insert(entity.clone(), (*fields).clone());
                false
            }
            None => *first > 1,
        });
        if firsts.is_empty() {
            return Ok(known);
        }
        let (types, ids): (Vec<&str>, Vec<&str>) = firsts.keys().map(|(kind, id)| (kind.as_str(), id.as_str())).unzip();
        let query = format!(
            "SELECT entity_type, entity_id, fields FROM {FIELDS}
             JOIN unnest($1::text[], $2::text[]) AS e(entity_type, entity_id) USING (entity_type, entity_id)"
        );
        let rows: Vec<Row> = sqlx::query_as(&query).bind(types).bind(ids).fetch_all(tx).await?;
        known.0.extend(rows.into_iter().map(|(kind, id, fields)| ((kind, id), fields.0)));
        Ok(known)
    }

    fn rows(&self) -> Vec<FieldsRow<'_>> {
        let row = |(entity, fields)| {
            let (entity_type, entity_id): &Entity = entity;
            FieldsRow { entity_type, entity_id, fields }
        };
        self.0.iter().map(row).collect()
    }
}

fn is_of_a_thing(event: &&RecordedRef<'_>) -> bool {
    !TECHNICAL.contains(&event.aggregate_type)
}

fn entity(event: &RecordedRef<'_>) -> Entity {
    (event.aggregate_type.to_owned(), event.aggregate_id.to_owned())
}

fn entry(event: &RecordedRef<'_>, details: Map<String, Value>) -> AuditEntry {
    let metadata = event.metadata;
    AuditEntry {
        id: event.position,
        user: metadata.user().map(Into::into),
        role: metadata.role.clone(),
        action: event.event_type.replace(['.', '_'], " "),
        operation: Operation::of(event),
        entity_type: event.aggregate_type.to_owned(),
        entity_id: event.aggregate_id.to_owned(),
        details,
        command: metadata.command.clone(),
        request_id: metadata.correlation_id.clone(),
        ip: metadata.ip.clone(),
        event_id: event.position,
        position: event.position,
        created_at: event.recorded_at,
    }
}

fn row(entry: &AuditEntry) -> Row<'_> {
    let fields = entry.details.keys().map(String::as_str).collect::<Vec<_>>().join(" ");
    let ip = entry.ip.as_deref().unwrap_or_default();
    let AuditEntry { action, command, request_id, entity_id, .. } = entry;
    Row {
        id: entry.id,
        user_id: entry.user,
        entity_type: &entry.entity_type,
        entity_id,
        operation: entry.operation.as_str(),
        action,
        created_at: entry.created_at,
        search: format!("{action} {entity_id} {command} {request_id} {ip} {fields}"),
        body: entry,
    }
}

/// What the log can be narrowed down to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub user: Option<i64>,
    pub entity_type: Option<String>,
    pub entity_id: Option<String>,
    pub operation: Option<Operation>,
    pub action: Option<String>,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
    pub search: Option<String>,
}

impl Filter {
    #[must_use]
    pub fn conditions(self) -> Vec<Condition> {
        [
            self.user.map(|user| Condition::Number("user_id", user)),
            self.entity_type.map(|kind| Condition::Text("entity_type", kind)),
            self.entity_id.map(|id| Condition::Text("entity_id", id)),
            self.operation.map(|operation| Condition::Text("operation", operation.as_str().to_owned())),
            self.action.map(|action| Condition::TextIgnoringCase("action", action)),
            self.from.map(|at| Condition::Since("created_at", at)),
            self.to.map(|at| Condition::Until("created_at", at)),
            self.search.map(|text| Condition::Contains("search", text)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
