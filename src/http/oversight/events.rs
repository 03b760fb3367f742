//! The history of one thing, event by event, as the journal holds it.

use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use runtime::Recorded;
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::types::Json;
use utoipa::ToSchema;

use crate::{
    history,
    http::{call::Call, params::Params, permission::Permission, problem::Problem},
};

/// How many events an answer has unless asked otherwise, and at the most.
const SIZE: i64 = 100;

/// The collections of the API whose things have a history of their own; an aggregate's own name is understood too.
const COLLECTIONS: &[(&str, &str)] = &[
    ("assessments", "assessment"),
    ("clients", "client"),
    ("companies", "company"),
    ("consultant-roles", "consultant_role"),
    ("currencies", "currency"),
    ("industry-types", "industry_type"),
    ("operations-roles", "operations_role"),
    ("projects", "project"),
    ("prompts", "prompt"),
    ("proposals", "proposal"),
    ("regions", "region"),
    ("solution_components", "solution_component"),
    ("users", "user"),
    ("verticals", "vertical"),
];

fn aggregate(collection: &str) -> &str {
    let found = COLLECTIONS.iter().find(|(name, _)| *name == collection);
    found.map_or(collection, |(_, aggregate)| aggregate)
}

#[derive(Serialize, ToSchema)]
struct EventEntry {
    position: i64,
    /// The thing's version that the event made.
    sequence: i64,
    event_type: String,
    event_version: String,
    /// As stored; personal data is sealed.
    #[schema(value_type = Object)]
    payload: Json<Box<RawValue>>,
    /// Who gave which command, from where, in which request, and what caused it.
    #[schema(value_type = Object)]
    metadata: Json<runtime::Metadata>,
    recorded_at: DateTime<Utc>,
}

impl From<Recorded> for EventEntry {
    fn from(event: Recorded) -> Self {
        let Recorded { position, sequence, event_type, event_version, payload, metadata, recorded_at, .. } = event;
        Self { position, sequence, event_type, event_version, payload, metadata, recorded_at }
    }
}

#[derive(Serialize, ToSchema)]
struct EventList {
    count: i64,
    /// Where the later ones are.
    next: Option<String>,
    /// Always `null`: a history is read forwards.
    previous: Option<String>,
    results: Vec<EventEntry>,
}

/// The events of one thing, oldest first; `after` is the sequence to go on from.
#[utoipa::path(tag = "audit",
    params(("collection" = String, Path, description = "as in the API (`assessments`) or the aggregate's name"),
        ("id" = String, Path), ("after" = Option<i64>, Query), ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = EventList), (status = 401), (status = 403), (status = 404), (status = 422)))]
#[get("/api/{collection}/{id}/events/")]
pub(super) async fn list_events(
    call: Call,
    path: web::Path<(String, String)>,
    params: Params,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::AuditRead)?;
    let (collection, id) = path.into_inner();
    let aggregate = aggregate(&collection);
    let after = params.get::<i64>("after")?.unwrap_or_default();
    let size = params.get::<i64>("page_size")?.unwrap_or(SIZE);
    if size < 1 {
        return Err(Problem::field("INVALID", "page_size", "must be at least 1"));
    }
    let size = size.min(SIZE);
    let pool = &call.tenant().pool;
    let count = history::length(pool, aggregate, &id).await?;
    if count == 0 {
        return Err(Problem::not_found());
    }
    let events = history::events(pool, aggregate, &id, after, size).await?;
    let more = events.last().filter(|event| event.sequence < count).map(|event| event.sequence);
    let next = more.map(|after| format!("{}?after={after}&page_size={size}", params.path()));
    let results = events.into_iter().map(EventEntry::from).collect();
    let position = *call.tenant().journal.head().borrow();
    Ok(HttpResponse::Ok().insert_header(("DDC-Position", position.to_string())).json(EventList {
        count,
        next,
        previous: None,
        results,
    }))
}
