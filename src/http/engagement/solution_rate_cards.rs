//! Solution rate cards: what components cost, and what locations, complexity and support add.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, http::StatusCode, post, put, web};
use engagement::{
    pricing::{CardStatus, Complexity, ComponentFacts},
    rate_card::{CardScope, RateCard, Staff},
    solution_rate_card::{
        BaseCard, ItemInput, NewSolutionRateCard, SolutionCardChanges, SolutionRateCard, SolutionRateCardCommand,
        SolutionRateCardView,
    },
};
use engagement_projections::{
    rate_card_list::RateCardList,
    solution_rate_card_list::{self, SolutionRateCardList},
};
use kernel::{CurrencyId, RateCardId, SolutionComponentId, SolutionRateCardId, Text};
use runtime::{
    ResourceTable,
    page::{Condition, Order, push_all},
};
use rust_decimal::Decimal;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{price_facts, rate_cards};
use crate::{
    http::{
        body::Body,
        call::{Call, Reply},
        params::Params,
        permission::Permission,
        problem::Problem,
    },
    journal::{ExecuteError, Unit},
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_solution_rate_cards)
        .service(get_solution_rate_card)
        .service(create_solution_rate_card)
        .service(update_solution_rate_card);
}

/// A new solution rate card. With a base card of a client or an assessment it is theirs alone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SolutionRateCardBody {
    name: Text<1, 200>,
    base_rate_card: Option<RateCardId>,
    currency: CurrencyId,
    status: Option<CardStatus>,
    pmo_percentage: Option<Decimal>,
    support_percentage: Option<Decimal>,
    location_multipliers: Option<BTreeMap<String, Decimal>>,
    complexity_multipliers: Option<BTreeMap<Complexity, Decimal>>,
    items: Option<Vec<ItemBody>>,
}

/// What is to change; absent keeps, a given list or map replaces the whole.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SolutionRateCardChangesBody {
    name: Option<Text<1, 200>>,
    status: Option<CardStatus>,
    pmo_percentage: Option<Decimal>,
    support_percentage: Option<Decimal>,
    location_multipliers: Option<BTreeMap<String, Decimal>>,
    complexity_multipliers: Option<BTreeMap<Complexity, Decimal>>,
    items: Option<Vec<ItemBody>>,
}

/// What one component costs; what is absent is the component's own, or 1.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ItemBody {
    component_id: SolutionComponentId,
    unit: Option<Text<1, 50>>,
    rate: Option<Decimal>,
    complexity: Option<Complexity>,
    multiplier: Option<Decimal>,
}

fn items(given: Option<Vec<ItemBody>>) -> Option<Vec<ItemInput>> {
    let item = |given: ItemBody| ItemInput {
        component: given.component_id,
        unit: given.unit,
        rate: given.rate,
        complexity: given.complexity,
        multiplier: given.multiplier,
    };
    given.map(|given| given.into_iter().map(item).collect())
}

impl SolutionRateCardChangesBody {
    fn changes(self) -> SolutionCardChanges {
        SolutionCardChanges {
            name: self.name,
            status: self.status,
            pmo_percentage: self.pmo_percentage,
            support_percentage: self.support_percentage,
            location_multipliers: self.location_multipliers,
            complexity_multipliers: self.complexity_multipliers,
            items: items(self.items),
        }
    }
}

/// The components that a list of items names, as they are now.
async fn components(unit: &mut Unit<'_>, changes: &SolutionCardChanges) -> Result<Vec<ComponentFacts>, ExecuteError> {
    let mut found = Vec::new();
    for item in changes.items.iter().flatten() {
        found.extend(price_facts::component(unit, item.component).await?);
    }
    Ok(found)
}

/// The card that a solution rate card stands on; `None` when there is no such one.
async fn base_card(unit: &mut Unit<'_>, id: RateCardId) -> Result<Option<BaseCard>, ExecuteError> {
    let look = |card: &RateCard| {
        card.known().map(|card| {
            let base = BaseCard {
                id,
                currency: card.currency_id,
                is_custom: card.scope() == CardScope::Custom,
                is_archived: card.status == CardStatus::Archived,
                staff: Staff::default(),
            };
            (base, card.client_id, card.assessment_id)
        })
    };
    let Some((base, client, assessment)) = unit.read::<RateCard, _>(id, |card, _| look(card)).await? else {
        return Ok(None);
    };
    Ok(Some(BaseCard { staff: price_facts::staff(unit, client, assessment).await?, ..base }))
}

/// The rows that the caller sees.
async fn visible(call: &Call) -> Result<Vec<Condition>, Problem> {
    if call.actor().is_admin() {
        return Ok(Vec::new());
    }
    let seen = rate_cards::visible(call).await?;
    call.settled(RateCardList::NAME).await?;
    let mut query = sqlx::QueryBuilder::new("SELECT id FROM rate_card_list WHERE NOT is_standard AND ");
    push_all(&mut query, &seen);
    let bases: Vec<i64> = query.build_query_scalar().fetch_all(&call.tenant().pool).await?;
    Ok(solution_rate_card_list::visible_to(call.role(), bases))
}

/// Solution rate cards, newest first; archived ones when `status` asks for them.
#[utoipa::path(tag = "rate cards", responses((status = 200), (status = 401), (status = 403)))]
#[get("/api/solution_rate_card/")]
async fn list_solution_rate_cards(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::RateCardRead)?;
    let list = params.list(SolutionRateCardList::NAME, Order::NEWEST, &[("name", "name", "text")])?;
    let mut conditions = visible(&call).await?;
    for (name, column) in [("base_rate_card", "base_rate_card"), ("currency", "currency_id")] {
        conditions.extend(params.get::<i64>(name)?.map(|id| Condition::Number(column, id)));
    }
    conditions.push(match params.text("status") {
        Some(status) => Condition::Text("status", status.to_uppercase()),
        None => Condition::Is("is_archived", false),
    });
    conditions.extend(params.text("search").map(|text| Condition::Contains("name", text.to_owned())));
    call.list(SolutionRateCardList::NAME, &params, list, conditions).await
}

/// One solution rate card.
#[utoipa::path(tag = "rate cards", params(("id" = SolutionRateCardId, Path)),
    responses((status = 200, body = SolutionRateCardView), (status = 404)))]
#[get("/api/solution_rate_card/{id}/")]
async fn get_solution_rate_card(call: Call, id: web::Path<SolutionRateCardId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::RateCardRead)?;
    let conditions = visible(&call).await?;
    call.one(SolutionRateCardList::NAME, SolutionRateCardList::NAME, id.get(), conditions).await
}

/// Creates a solution rate card.
#[utoipa::path(tag = "rate cards", request_body = SolutionRateCardBody,
    responses((status = 201, body = SolutionRateCardView), (status = 403), (status = 404), (status = 422)))]
#[post("/api/solution_rate_card/")]
async fn create_solution_rate_card(call: Call, body: Body<SolutionRateCardBody>) -> Result<HttpResponse, Problem> {
    call.may(Permission::RateCardWrite)?;
    let body = body.read()?;
    let (name, base, currency) = (body.name, body.base_rate_card, body.currency);
    let terms = SolutionCardChanges {
        name: None,
        status: body.status,
        pmo_percentage: body.pmo_percentage,
        support_percentage: body.support_percentage,
        location_multipliers: body.location_multipliers,
        complexity_multipliers: body.complexity_multipliers,
        items: items(body.items),
    };
    call.command("solution_rate_card.create", async |unit| {
        let base = match base {
            Some(id) => Some(base_card(unit, id).await?.ok_or_else(Problem::not_found)?),
            None => None,
        };
        let components = components(unit, &terms).await?;
        let id: SolutionRateCardId = unit.journal().ids().next().await?;
        let reference = price_facts::currency(unit, currency).await?;
        let card =
            NewSolutionRateCard { base, currency: reference, name: name.clone(), terms: terms.clone(), components };
        unit.decide::<SolutionRateCard, _>(id, SolutionRateCardCommand::Create(Box::new(card))).await?;
        price_facts::use_currency(unit, currency).await?;
        Reply::resource::<SolutionRateCard>(StatusCode::CREATED, unit, id).await
    })
    .await
}

/// Revises a solution rate card.
#[utoipa::path(tag = "rate cards", params(("id" = SolutionRateCardId, Path)), request_body = SolutionRateCardChangesBody,
    responses((status = 200, body = SolutionRateCardView), (status = 403), (status = 404), (status = 409), (status = 412), (status = 422)))]
#[put("/api/solution_rate_card/{id}/")]
async fn update_solution_rate_card(
    call: Call,
    id: web::Path<SolutionRateCardId>,
    body: Body<SolutionRateCardChangesBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::RateCardWrite)?;
    let (id, changes, seen) = (*id, body.read()?.changes(), call.seen_version()?);
    call.command("solution_rate_card.revise", async |unit| {
        let base = unit.read::<SolutionRateCard, _>(id, |card, _| card.known().map(|card| card.base_rate_card)).await?;
        let staff = match base.ok_or_else(Problem::not_found)? {
            Some(base) => base_card(unit, base).await?.map(|base| base.staff).unwrap_or_default(),
            None => Staff::default(),
        };
        let components = components(unit, &changes).await?;
        let sees = |card: &SolutionRateCard| card.known().is_some_and(|card| card.can_see(call.actor(), &staff));
        if !unit.read::<SolutionRateCard, _>(id, |card, _| sees(card)).await? {
            return Err(Problem::not_found());
        }
        unit.require_version::<SolutionRateCard>(id, seen).await?;
        let revise = SolutionRateCardCommand::Revise { changes: Box::new(changes.clone()), staff, components };
        unit.decide::<SolutionRateCard, _>(id, revise).await?;
        Reply::resource::<SolutionRateCard>(StatusCode::OK, unit, id).await
    })
    .await
}
