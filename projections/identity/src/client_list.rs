//! Which clients are there, and who looks after them? Asked by staff; a client asks for itself.

use identity::client::{Client, ClientView};
use kernel::{Actor, Role};
use runtime::{ResourceTable, page::Condition};
use serde_json::{Map, Value, json};

pub struct ClientList;

impl ResourceTable for ClientList {
    type Resource = Client;
    const NAME: &'static str = "client_list";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["client"];
    const COLUMNS: &'static str = "user_id bigint NOT NULL, contact_name text, contact_email text,
        company_id bigint NOT NULL, industry_id bigint, reviewer_id bigint, consultant_ids bigint[] NOT NULL,
        is_active boolean NOT NULL, is_deleted boolean NOT NULL";
    const INDEXES: &'static str = "CREATE INDEX ON client_list (company_id, id);
        CREATE INDEX ON client_list (reviewer_id, id);
        CREATE INDEX ON client_list USING gin (consultant_ids)";

    fn columns(_: &Client, view: &ClientView) -> Map<String, Value> {
        let pairs = &view.verticals_and_consultants;
        let columns = json!({
            "user_id": view.user_id,
            "contact_name": view.contact_name,
            "contact_email": view.contact_email,
            "company_id": view.details.company_id,
            "industry_id": view.details.industry_id,
            "reviewer_id": view.reviewer_id,
            "consultant_ids": pairs.iter().map(|pair| pair.consultant_id.get()).collect::<Vec<_>>(),
            "is_active": view.is_active,
            "is_deleted": view.is_deleted,
        });
        columns.as_object().cloned().unwrap_or_default()
    }
}

/// The rows that a caller sees (spec 2): ADMIN all, REVIEWER and CONSULTANT those that they are assigned to, CLIENT
/// its own. Deleted ones are for ADMIN, when asked for.
#[must_use]
pub fn visible_to(actor: Actor, include_deleted: bool) -> Vec<Condition> {
    let live = Condition::Is("is_deleted", false);
    match actor {
        Actor::System | Actor::User { role: Role::Admin, .. } if include_deleted => Vec::new(),
        Actor::System | Actor::User { role: Role::Admin, .. } => vec![live],
        Actor::User { id, role: Role::Reviewer } => vec![live, Condition::Number("reviewer_id", id.get())],
        Actor::User { id, role: Role::Consultant } => vec![live, Condition::Holds("consultant_ids", id.get())],
        Actor::User { id, role: Role::Client } => vec![live, Condition::Number("user_id", id.get())],
    }
}

/// The rows whose contact's name or email contains a text.
#[must_use]
pub fn search(text: &str) -> Condition {
    let contains = |column| Condition::Contains(column, text.to_owned());
    Condition::Any(vec![contains("contact_name"), contains("contact_email")])
}
