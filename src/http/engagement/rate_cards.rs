//! Rate cards: what a day of work costs, in general or for one client.

use actix_web::{HttpResponse, get, http::StatusCode, post, put, web};
use chrono::NaiveDate;
use engagement::{
    pricing::{CardStatus, RoleRef},
    rate_card::{CardChanges, CardSlot, NewRateCard, RateCard, RateCardCommand, RateCardView, RoleRate},
};
use engagement_projections::{
    assessment_list::{self, AssessmentList},
    rate_card_list::{self, RateCardList, WorksFor},
};
use identity_projections::client_list::{self, ClientList};
use kernel::{
    Actor, AssessmentId, Change, ConsultantRoleId, CurrencyId, NotAnId, OperationsRoleId, RateCardId, Text, UserId,
};
use runtime::{
    ResourceTable,
    page::{Condition, Order, push_all},
};
use rust_decimal::Decimal;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::price_facts::{self, RegionName};
use crate::{
    http::{
        body::Body,
        call::{Call, Reply},
        params::Params,
        permission::Permission,
        problem::Problem,
    },
    journal::{Refused, Unit},
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_rate_cards).service(get_rate_card).service(create_rate_card).service(update_rate_card);
}

/// A new rate card; it is a draft without rates. With a client or an assessment it is theirs alone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RateCardBody {
    name: Text<1, 200>,
    /// The client's user.
    client: Option<UserId>,
    assessment: Option<AssessmentId>,
    region: RegionName,
    currency: CurrencyId,
    effective_from: Option<NaiveDate>,
    effective_to: Option<NaiveDate>,
}

/// What is to change; absent keeps, null clears, a given list replaces that list whole.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RateCardChangesBody {
    name: Option<Text<1, 200>>,
    status: Option<CardStatus>,
    #[serde(default)]
    effective_from: Change<NaiveDate>,
    #[serde(default)]
    effective_to: Change<NaiveDate>,
    operations_roles: Option<Vec<RoleRateBody>>,
    consultant_roles: Option<Vec<RoleRateBody>>,
}

/// The rates of one role: day rates a working day, salary a year, percentages of the salary.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoleRateBody {
    role_id: i64,
    day_rate: Decimal,
    number_of_days: Option<u32>,
    base_salary: Option<Decimal>,
    benefit_percentage: Option<Decimal>,
    overhead_percentage: Option<Decimal>,
    cost_day_rate: Option<Decimal>,
    /// The day rate may lie outside the role's band, with a reason.
    #[serde(default, rename = "override")]
    is_override: bool,
    reason: Option<Text<1, 500>>,
}

impl RoleRateBody {
    fn rate(self, role: RoleRef) -> RoleRate {
        RoleRate {
            role,
            day_rate: self.day_rate,
            number_of_days: self.number_of_days,
            base_salary: self.base_salary,
            benefit_percentage: self.benefit_percentage,
            overhead_percentage: self.overhead_percentage,
            cost_day_rate: self.cost_day_rate,
            is_override: self.is_override,
            reason: self.reason,
        }
    }
}

/// A list of rates, each of a role of the list's kind.
fn rates(
    list: &'static str,
    given: Option<Vec<RoleRateBody>>,
    role: impl Fn(i64) -> Result<RoleRef, NotAnId>,
) -> Result<Option<Vec<RoleRate>>, Problem> {
    let rate = |(index, given): (usize, RoleRateBody)| match role(given.role_id) {
        Ok(role) => Ok(given.rate(role)),
        Err(error) => Err(Problem::field("INVALID", &format!("{list}[{index}].role_id"), error.to_string())),
    };
    given.map(|given| given.into_iter().enumerate().map(rate).collect()).transpose()
}

impl RateCardChangesBody {
    fn changes(self) -> Result<CardChanges, Problem> {
        Ok(CardChanges {
            name: self.name,
            status: self.status,
            effective_from: self.effective_from,
            effective_to: self.effective_to,
            operations_roles: rates("operations_roles", self.operations_roles, |id| {
                OperationsRoleId::try_from(id).map(RoleRef::Operations)
            })?,
            consultant_roles: rates("consultant_roles", self.consultant_roles, |id| {
                ConsultantRoleId::try_from(id).map(RoleRef::Consultant)
            })?,
        })
    }
}

/// The clients and assessments that the caller works for.
async fn works_for(call: &Call) -> Result<WorksFor, Problem> {
    if call.actor().is_admin() {
        return Ok(WorksFor::default());
    }
    call.settled(ClientList::NAME).await?;
    call.settled(AssessmentList::NAME).await?;
    let clients = numbers(call, "SELECT user_id FROM client_list WHERE ", client_list::visible_to).await?;
    let assessments = numbers(call, "SELECT id FROM assessment_list WHERE ", assessment_list::visible_to).await?;
    Ok(WorksFor {
        clients: clients.into_iter().filter_map(|id| id.try_into().ok()).collect(),
        assessments: assessments.into_iter().filter_map(|id| id.try_into().ok()).collect(),
    })
}

/// One number of each row that the caller sees.
async fn numbers(call: &Call, query: &str, visible_to: fn(Actor, bool) -> Vec<Condition>) -> Result<Vec<i64>, Problem> {
    let mut query = sqlx::QueryBuilder::new(query);
    push_all(&mut query, &visible_to(call.actor(), false));
    Ok(query.build_query_scalar().fetch_all(&call.tenant().pool).await?)
}

/// The rows that the caller sees.
pub(super) async fn visible(call: &Call) -> Result<Vec<Condition>, Problem> {
    Ok(rate_card_list::visible_to(call.role(), &works_for(call).await?))
}

/// Rate cards, newest first; archived ones when `status` asks for them.
#[utoipa::path(tag = "rate cards", responses((status = 200), (status = 401), (status = 403)))]
#[get("/api/rate_card/")]
async fn list_rate_cards(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::RateCardRead)?;
    let list = params.list(RateCardList::NAME, Order::NEWEST, &[("name", "name", "text")])?;
    let mut conditions = visible(&call).await?;
    for (name, column) in [("client", "client_id"), ("assessment", "assessment_id"), ("currency", "currency_id")] {
        conditions.extend(params.get::<i64>(name)?.map(|id| Condition::Number(column, id)));
    }
    if let Some(region) = params.text("region").and_then(RegionName::parse) {
        let id = region.id(&call.tenant().journal).await?;
        conditions.push(Condition::AnyNumber("region_id", id.map(|id| id.get()).into_iter().collect()));
    }
    conditions.extend(params.text("scope").map(|scope| Condition::Text("scope", scope.to_uppercase())));
    conditions.push(match params.text("status") {
        Some(status) => Condition::Text("status", status.to_uppercase()),
        None => Condition::Is("is_archived", false),
    });
    conditions.extend(params.text("search").map(|text| Condition::Contains("name", text.to_owned())));
    call.list(RateCardList::NAME, &params, list, conditions).await
}

/// One rate card.
#[utoipa::path(tag = "rate cards", params(("id" = RateCardId, Path)), responses((status = 200, body = RateCardView), (status = 404)))]
#[get("/api/rate_card/{id}/")]
async fn get_rate_card(call: Call, id: web::Path<RateCardId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::RateCardRead)?;
    let conditions = visible(&call).await?;
    call.one(RateCardList::NAME, RateCardList::NAME, id.get(), conditions).await
}

/// Creates a rate card.
#[utoipa::path(tag = "rate cards", request_body = RateCardBody, responses((status = 201, body = RateCardView), (status = 403), (status = 404), (status = 422)))]
#[post("/api/rate_card/")]
async fn create_rate_card(call: Call, body: Body<RateCardBody>) -> Result<HttpResponse, Problem> {
    call.may(Permission::RateCardWrite)?;
    let body = body.read()?;
    call.command("rate_card.create", async |unit| {
        let client = match body.client {
            Some(id) => Some(price_facts::client(unit, id).await?),
            None => None,
        };
        let assessment = match body.assessment {
            Some(id) => Some(price_facts::assessment(unit, id).await?.ok_or_else(Problem::not_found)?),
            None => None,
        };
        let region = price_facts::region(unit, &body.region).await?;
        let currency = price_facts::currency(unit, body.currency).await?;
        let id: RateCardId = unit.journal().ids().next().await?;
        let card = NewRateCard {
            name: body.name.clone(),
            currency,
            region,
            client,
            assessment,
            effective_from: body.effective_from,
            effective_to: body.effective_to,
        };
        unit.decide::<RateCard, _>(id, RateCardCommand::Create(card)).await?;
        price_facts::use_currency(unit, body.currency).await?;
        Reply::resource::<RateCard>(StatusCode::CREATED, unit, id).await
    })
    .await
}

/// Revises a rate card; a draft takes effect with the status ACTIVE, and then takes the place of the card of the same
/// client, assessment, region and currency that was in effect.
#[utoipa::path(tag = "rate cards", params(("id" = RateCardId, Path)), request_body = RateCardChangesBody,
    responses((status = 200, body = RateCardView), (status = 403), (status = 404), (status = 409), (status = 412), (status = 422)))]
#[put("/api/rate_card/{id}/")]
async fn update_rate_card(
    call: Call,
    id: web::Path<RateCardId>,
    body: Body<RateCardChangesBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::RateCardWrite)?;
    let (id, changes, seen) = (*id, body.read()?.changes()?, call.seen_version()?);
    call.command("rate_card.revise", async |unit| {
        let was = place(unit, id).await?.ok_or_else(Problem::not_found)?;
        let staff = price_facts::staff(unit, was.slot.client, was.slot.assessment).await?;
        let named = changes.operations_roles.iter().chain(&changes.consultant_roles).flatten();
        let named: Vec<RoleRef> = named.map(|rate| rate.role).collect();
        let mut roles = Vec::with_capacity(named.len());
        for role in named {
            roles.extend(price_facts::role(unit, role).await?);
        }
        let sees = |card: &RateCard| card.known().is_some_and(|card| card.can_see(call.actor(), &staff));
        if !unit.read::<RateCard, _>(id, |card, _| sees(card)).await? {
            return Err(Problem::not_found());
        }
        unit.require_version::<RateCard>(id, seen).await?;
        unit.decide::<RateCard, _>(id, RateCardCommand::Revise { changes: changes.clone(), roles, staff }).await?;
        settle(unit, id, was).await?;
        Reply::resource::<RateCard>(StatusCode::OK, unit, id).await
    })
    .await
}

/// Where a card stands, and what for.
#[derive(Clone, Copy)]
struct Place {
    slot: CardSlot,
    status: CardStatus,
}

async fn place(unit: &mut Unit<'_>, id: RateCardId) -> Result<Option<Place>, Problem> {
    let look = |card: &RateCard| card.known().map(|card| Place { slot: card.slot(), status: card.status });
    Ok(unit.read::<RateCard, _>(id, |card, _| look(card)).await?)
}

/// Keeps the slot with the one card of it that is ACTIVE: the newer one takes it from the older.
async fn settle(unit: &mut Unit<'_>, id: RateCardId, was: Place) -> Result<(), Problem> {
    let Some(now) = place(unit, id).await?.filter(|now| now.status != was.status) else { return Ok(()) };
    let key = price_facts::slot_key(&now.slot);
    if now.status == CardStatus::Archived {
        unit.release(price_facts::SLOT, &key, id).await?;
        return Ok(());
    }
    let holder = unit.holder(price_facts::SLOT, &key).await?.and_then(|holder| holder.parse::<RateCardId>().ok());
    if let Some(older) = holder {
        unit.decide::<RateCard, _>(older, RateCardCommand::Supersede { newer: id }).await?;
        unit.release(price_facts::SLOT, &key, older).await?;
    }
    let taken = || Refused::conflict("RATE_CARD_SLOT_TAKEN", "status", "another card took effect meanwhile");
    unit.claim(price_facts::SLOT, &key, id, taken).await?;
    Ok(())
}
