//! Which regions (currencies, roles, …) are there? Asked by everybody, wherever one is chosen: a table a kind.

use std::marker::PhantomData;

use kernel::{Actor, Role};
use reference::{
    ConsultantRoleKind, CurrencyKind, IndustryTypeKind, Lookup, LookupKind, LookupView, OperationsRoleKind, RegionKind,
    SolutionComponentKind, VerticalKind,
};
use runtime::{
    ResourceTable,
    page::{Condition, Order},
};
use serde_json::{Map, Value, json};

/// A kind of look-up, and the table that it is listed from.
pub trait Listed: LookupKind {
    const TABLE: &'static str;
    const INDEXES: &'static str;
}

macro_rules! tables {
    ($($kind:ident => $table:literal),+ $(,)?) => {$(
        impl Listed for $kind {
            const TABLE: &'static str = $table;
            const INDEXES: &'static str = concat!("CREATE INDEX ON ", $table, " (name, id) WHERE NOT is_deleted");
        }
    )+};
}

tables! {
    RegionKind => "region_list",
    CurrencyKind => "currency_list",
    OperationsRoleKind => "operations_role_list",
    ConsultantRoleKind => "consultant_role_list",
    IndustryTypeKind => "industry_type_list",
    VerticalKind => "vertical_list",
    SolutionComponentKind => "solution_component_list",
}

/// The read model of one kind.
pub struct LookupList<K>(PhantomData<fn() -> K>);

impl<K: Listed> ResourceTable for LookupList<K> {
    type Resource = Lookup<K>;
    const NAME: &'static str = K::TABLE;
    const VERSION: i32 = 2;
    const KINDS: &'static [&'static str] = &[K::TYPE];
    const COLUMNS: &'static str =
        "name text NOT NULL, code text, experience_level text, is_active boolean NOT NULL, is_deleted boolean NOT NULL";
    const INDEXES: &'static str = K::INDEXES;

    fn columns(_: &Lookup<K>, view: &LookupView<K::Details>) -> Map<String, Value> {
        // Only the roles have a tier of experience.
        let details = serde_json::to_value(&view.details).unwrap_or_default();
        let columns = json!({
            "name": K::name(&view.details),
            "code": K::code(&view.details),
            "experience_level": details.get("experience_level"),
            "is_active": K::is_active(&view.details),
            "is_deleted": view.is_deleted,
        });
        columns.as_object().cloned().unwrap_or_default()
    }
}

/// By name.
pub const ORDER: Order = Order { column: "name", sql_type: "text", descending: false };

/// The rows that a caller sees: a client what is active, staff also what is switched off, ADMIN also what is deleted.
#[must_use]
pub fn visible_to(actor: Actor) -> Vec<Condition> {
    let live = Condition::Is("is_deleted", false);
    match actor.role() {
        _ if actor.is_admin() => Vec::new(),
        Some(Role::Client) => vec![live, Condition::Is("is_active", true)],
        _ => vec![live],
    }
}

/// Of those the rows of a list: what is active, unless the caller asks otherwise.
#[must_use]
pub fn listed(is_active: Option<bool>, include_deleted: bool) -> Vec<Condition> {
    match (is_active, include_deleted) {
        (None, true) => Vec::new(),
        (Some(active), true) => vec![Condition::Is("is_active", active)],
        (active, false) => {
            vec![Condition::Is("is_deleted", false), Condition::Is("is_active", active.unwrap_or(true))]
        }
    }
}

/// The rows whose name or code contains a text.
#[must_use]
pub fn search(text: &str) -> Condition {
    let contains = |column| Condition::Contains(column, text.to_owned());
    Condition::Any(vec![contains("name"), contains("code")])
}
