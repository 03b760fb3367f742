//! Which users are there? Asked by staff, on the user screens and where a manager or a consultant is chosen.

use identity::user::{User, UserView};
use kernel::{Actor, Role};
use runtime::{ResourceTable, page::Condition};
use serde_json::{Map, Value, json};

pub struct UserList;

impl ResourceTable for UserList {
    type Resource = User;
    const NAME: &'static str = "user_list";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["user"];
    const COLUMNS: &'static str =
        "email text, company_name text, role text NOT NULL, is_active boolean NOT NULL, is_deleted boolean NOT NULL";
    const INDEXES: &'static str = "CREATE INDEX ON user_list (role, id) WHERE NOT is_deleted";

    fn columns(_: &User, view: &UserView) -> Map<String, Value> {
        let columns = json!({
            "email": view.email,
            "company_name": view.details.company_name,
            "role": view.role,
            "is_active": view.is_active,
            "is_deleted": view.is_deleted,
        });
        columns.as_object().cloned().unwrap_or_default()
    }
}

/// The rows that a caller sees: staff all that are not deleted, ADMIN those too when asked for, a client itself.
#[must_use]
pub fn visible_to(actor: Actor, include_deleted: bool) -> Vec<Condition> {
    let live = Condition::Is("is_deleted", false);
    match actor {
        _ if actor.is_admin() && include_deleted => Vec::new(),
        Actor::User { id, role: Role::Client } => vec![live, Condition::Number("id", id.get())],
        _ => vec![live],
    }
}

/// The rows whose email or company contains a text.
#[must_use]
pub fn search(text: &str) -> Condition {
    let contains = |column| Condition::Contains(column, text.to_owned());
    Condition::Any(vec![contains("email"), contains("company_name")])
}
