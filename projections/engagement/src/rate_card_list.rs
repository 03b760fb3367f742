//! Which rate cards are there? Asked by staff who price an engagement.

use engagement::rate_card::{CardScope, RateCard, RateCardView};
use kernel::{AssessmentId, Role, UserId};
use runtime::{ResourceTable, page::Condition};
use serde_json::{Map, Value, json};

pub struct RateCardList;

impl ResourceTable for RateCardList {
    type Resource = RateCard;
    const NAME: &'static str = "rate_card_list";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["rate_card"];
    const COLUMNS: &'static str = "name text NOT NULL, scope text NOT NULL, is_standard boolean NOT NULL,
        status text NOT NULL, is_archived boolean NOT NULL, currency_id bigint NOT NULL, region_id bigint NOT NULL,
        client_id bigint, assessment_id bigint";
    const INDEXES: &'static str = "CREATE INDEX ON rate_card_list (client_id, id) WHERE client_id IS NOT NULL;
        CREATE INDEX ON rate_card_list (assessment_id, id) WHERE assessment_id IS NOT NULL";

    fn columns(state: &RateCard, view: &RateCardView) -> Map<String, Value> {
        let columns = json!({
            "name": view.name,
            "scope": view.scope,
            "is_standard": view.scope == CardScope::Standard,
            "status": view.status,
            "is_archived": state.known().is_some_and(|card| card.status == engagement::pricing::CardStatus::Archived),
            "currency_id": view.currency,
            "region_id": view.region,
            "client_id": view.client,
            "assessment_id": view.assessment,
        });
        columns.as_object().cloned().unwrap_or_default()
    }
}

/// Whom and what a member of staff works for; who that is, other read models tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorksFor {
    pub clients: Vec<UserId>,
    pub assessments: Vec<AssessmentId>,
}

/// The rows that a caller of that role sees: ADMIN all; other staff the standard cards and those of whom they work for;
/// a client none (spec 2).
#[must_use]
pub fn visible_to(role: Role, works_for: &WorksFor) -> Vec<Condition> {
    match role {
        Role::Admin => Vec::new(),
        Role::Client => vec![Condition::Any(Vec::new())],
        Role::Reviewer | Role::Consultant => vec![Condition::Any(vec![
            Condition::Is("is_standard", true),
            Condition::AnyNumber("client_id", works_for.clients.iter().map(|id| id.get()).collect()),
            Condition::AnyNumber("assessment_id", works_for.assessments.iter().map(|id| id.get()).collect()),
        ])],
    }
}
