//! Which companies are there? Asked by staff, on the company screens and in look-ups.

use identity::company::{Company, CompanyView};
use kernel::Actor;
use runtime::{
    ResourceTable,
    page::{Condition, Order},
};
use serde_json::{Map, Value, json};

pub struct CompanyList;

impl ResourceTable for CompanyList {
    type Resource = Company;
    const NAME: &'static str = "company_list";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["company"];
    const COLUMNS: &'static str = "name text NOT NULL, is_active boolean NOT NULL, is_deleted boolean NOT NULL";
    const INDEXES: &'static str = "CREATE INDEX ON company_list (name, id) WHERE NOT is_deleted";

    fn columns(_: &Company, view: &CompanyView) -> Map<String, Value> {
        let columns = json!({
            "name": *view.details.name,
            "is_active": view.details.is_active,
            "is_deleted": view.is_deleted,
        });
        columns.as_object().cloned().unwrap_or_default()
    }
}

/// By name, as look-ups are.
pub const ORDER: Order = Order { column: "name", sql_type: "text", descending: false };

/// The rows that a caller sees: all that are not deleted; ADMIN may ask for those too.
#[must_use]
pub fn visible_to(actor: Actor, include_deleted: bool) -> Vec<Condition> {
    if include_deleted && actor.is_admin() { Vec::new() } else { vec![Condition::Is("is_deleted", false)] }
}
