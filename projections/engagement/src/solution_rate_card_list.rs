//! Which solution rate cards are there? Asked by staff who price what is built.

use engagement::{
    pricing::CardStatus,
    solution_rate_card::{SolutionRateCard, SolutionRateCardView},
};
use kernel::Role;
use runtime::{ResourceTable, page::Condition};
use serde_json::{Map, Value, json};

pub struct SolutionRateCardList;

impl ResourceTable for SolutionRateCardList {
    type Resource = SolutionRateCard;
    const NAME: &'static str = "solution_rate_card_list";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["solution_rate_card"];
    const COLUMNS: &'static str = "name text NOT NULL, status text NOT NULL, is_archived boolean NOT NULL,
        is_custom boolean NOT NULL, base_rate_card bigint, currency_id bigint NOT NULL";
    const INDEXES: &'static str =
        "CREATE INDEX ON solution_rate_card_list (base_rate_card, id) WHERE base_rate_card IS NOT NULL";

    fn columns(state: &SolutionRateCard, view: &SolutionRateCardView) -> Map<String, Value> {
        let columns = json!({
            "name": view.name,
            "status": view.status,
            "is_archived": view.status == CardStatus::Archived,
            "is_custom": state.known().is_some_and(|card| card.is_custom),
            "base_rate_card": view.base_rate_card,
            "currency_id": view.currency,
        });
        columns.as_object().cloned().unwrap_or_default()
    }
}

/// The rows that a caller of that role sees: ADMIN all; other staff the general cards and those that stand on a rate
/// card which they see; a client none (spec 2).
#[must_use]
pub fn visible_to(role: Role, seen_base_cards: Vec<i64>) -> Vec<Condition> {
    match role {
        Role::Admin => Vec::new(),
        Role::Client => vec![Condition::Any(Vec::new())],
        Role::Reviewer | Role::Consultant => vec![Condition::Any(vec![
            Condition::Is("is_custom", false),
            Condition::AnyNumber("base_rate_card", seen_base_cards),
        ])],
    }
}
