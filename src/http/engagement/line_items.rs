//! Line items of a costing: who works how long, and how much of what is built.

use actix_web::{HttpResponse, delete, http::StatusCode, post, put, web};
use engagement::{
    pricing::{Category, Complexity, LineChanges, LineInput, LineItemView, RoleRef, RoleType, Totals, Work},
    solution_costing::{CostingCommand, SolutionCosting},
};
use kernel::{
    Change, ConsultantRoleId, LineItemId, NotAnId, OperationsRoleId, OpportunityId, SolutionComponentId,
    SolutionCostingId, Text,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    costing_facts,
    price_facts::{self, PricedPlace},
};
use crate::{
    http::{
        body::Body,
        call::{Call, Reply},
        permission::Permission,
        problem::Problem,
    },
    journal::{ExecuteError, Refused, Unit},
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(add_line_item).service(update_line_item).service(remove_line_item);
}

/// Which costing a line is of is known by a reservation of the line's id, which never changes hands.
const COSTING_OF_LINE: &str = "line_item.costing";

/// A new line: of a role with headcount and months, or of a component with a quantity.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LineBody {
    solution_costing: SolutionCostingId,
    #[serde(default)]
    category: Category,
    opportunity_id: Option<OpportunityId>,
    location: Option<Text<1, 100>>,
    multiplier: Option<Decimal>,
    role: Option<i64>,
    #[serde(default)]
    role_type: RoleType,
    headcount: Option<Decimal>,
    duration_months: Option<Decimal>,
    component: Option<SolutionComponentId>,
    quantity: Option<Decimal>,
    complexity: Option<Complexity>,
}

/// What is to change; absent keeps, null clears. A line stays of its kind.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct LineChangesBody {
    category: Option<Category>,
    opportunity_id: Change<OpportunityId>,
    location: Change<Text<1, 100>>,
    multiplier: Change<Decimal>,
    role: Option<i64>,
    /// Of `role`; absent is the kind that the line had.
    role_type: Option<RoleType>,
    headcount: Option<Decimal>,
    duration_months: Option<Decimal>,
    component: Option<SolutionComponentId>,
    quantity: Option<Decimal>,
    complexity: Change<Complexity>,
}

/// A line and what the costing comes to with it.
#[derive(Serialize, ToSchema)]
struct LineReply {
    #[serde(flatten)]
    line: LineItemView,
    totals: Totals,
}

/// What is asked for in a line, before it is looked up.
#[derive(Clone, Copy)]
enum Asked {
    Role { role: RoleRef, headcount: Decimal, duration_months: Decimal },
    Component { component: SolutionComponentId, quantity: Decimal, complexity: Option<Complexity> },
}

fn role_ref(role: i64, of: RoleType) -> Result<RoleRef, Problem> {
    let parsed: Result<RoleRef, NotAnId> = match of {
        RoleType::Operations => OperationsRoleId::try_from(role).map(RoleRef::Operations),
        RoleType::Consultant => ConsultantRoleId::try_from(role).map(RoleRef::Consultant),
    };
    parsed.map_err(|error| Problem::field("INVALID", "role", error.to_string()))
}

fn required(value: Option<Decimal>, field: &str) -> Result<Decimal, Problem> {
    value.ok_or_else(|| Problem::field("REQUIRED", field, "is required"))
}

fn none_of(foreign: &[(bool, &str)]) -> Result<(), Problem> {
    match foreign.iter().find(|(is_given, _)| *is_given) {
        Some((_, field)) => Err(Problem::field("NOT_OF_THIS_KIND", field, "a line of this kind has none")),
        None => Ok(()),
    }
}

impl LineBody {
    /// The kind follows from what is named.
    fn asked(&self) -> Result<Asked, Problem> {
        match (self.role, self.component) {
            (Some(role), None) => {
                none_of(&[(self.quantity.is_some(), "quantity"), (self.complexity.is_some(), "complexity")])?;
                Ok(Asked::Role {
                    role: role_ref(role, self.role_type)?,
                    headcount: required(self.headcount, "headcount")?,
                    duration_months: required(self.duration_months, "duration_months")?,
                })
            }
            (None, Some(component)) => {
                let months = self.duration_months.is_some();
                none_of(&[(self.headcount.is_some(), "headcount"), (months, "duration_months")])?;
                let quantity = required(self.quantity, "quantity")?;
                Ok(Asked::Component { component, quantity, complexity: self.complexity })
            }
            (Some(_), Some(_)) => Err(Problem::field("NOT_OF_THIS_KIND", "component", "a line of a role has none")),
            (None, None) => Err(Problem::field("REQUIRED", "role", "a role or a component is required")),
        }
    }
}

async fn work(unit: &mut Unit<'_>, asked: Asked) -> Result<Work, ExecuteError> {
    Ok(match asked {
        Asked::Role { role, headcount, duration_months } => {
            Work::Role { role: price_facts::role_of_line(unit, role).await?, headcount, duration_months }
        }
        Asked::Component { component, quantity, complexity } => {
            Work::Component { component: price_facts::component_of_line(unit, component).await?, quantity, complexity }
        }
    })
}

async fn costing_of(unit: &mut Unit<'_>, line: LineItemId) -> Result<SolutionCostingId, Problem> {
    let holder = unit.journal().holder(COSTING_OF_LINE, &line.to_string()).await?;
    holder.and_then(|holder| holder.parse().ok()).ok_or_else(Problem::not_found)
}

async fn reply(
    status: StatusCode,
    unit: &mut Unit<'_>,
    costing: SolutionCostingId,
    line: LineItemId,
) -> Result<Reply, Problem> {
    let look = |found: &SolutionCosting| {
        let known = found.known()?;
        let line = known.line(line)?.view(costing.get());
        Some(LineReply { line, totals: known.amounts.totals.clone() })
    };
    let body = unit.read::<SolutionCosting, _>(costing, |found, _| look(found)).await?;
    let version = unit.version::<SolutionCosting>(costing).await?;
    Ok(Reply::json(status, &body.ok_or_else(Problem::not_found)?)?.at_version(version))
}

/// Adds a line to a draft. The answer holds the costing's totals, and its version as the ETag.
#[utoipa::path(tag = "costings", request_body = LineBody,
    responses((status = 201, body = LineReply), (status = 403), (status = 404), (status = 409), (status = 422)))]
#[post("/api/solution_costing/line-items/")]
async fn add_line_item(call: Call, body: Body<LineBody>) -> Result<HttpResponse, Problem> {
    call.may(Permission::CostingWrite)?;
    let (body, seen) = (body.read()?, call.seen_version()?);
    let (costing, asked) = (body.solution_costing, body.asked()?);
    call.command("solution_costing.add_line_item", async |unit| {
        let place = costing_facts::seen(unit, costing, PricedPlace::of).await?;
        let cards = price_facts::cards_in_force(unit, place).await?;
        let input = LineInput {
            category: body.category,
            opportunity_id: body.opportunity_id,
            location: body.location.clone(),
            multiplier: body.multiplier,
            work: work(unit, asked).await?,
        };
        unit.require_version::<SolutionCosting>(costing, seen).await?;
        let id: LineItemId = unit.journal().ids().next().await?;
        let add = CostingCommand::AddLineItem { id, input: Box::new(input), cards };
        unit.decide::<SolutionCosting, _>(costing, add).await?;
        let taken = || Refused::conflict("ALREADY_EXISTS", "id", "the line item exists already");
        unit.claim(COSTING_OF_LINE, &id.to_string(), costing, taken).await?;
        reply(StatusCode::CREATED, unit, costing, id).await
    })
    .await
}

/// Changes a line of a draft.
#[utoipa::path(tag = "costings", params(("id" = LineItemId, Path)), request_body = LineChangesBody,
    responses((status = 200, body = LineReply), (status = 403), (status = 404), (status = 409), (status = 412), (status = 422)))]
#[put("/api/solution_costing/line-items/{id}/")]
async fn update_line_item(
    call: Call,
    id: web::Path<LineItemId>,
    body: Body<LineChangesBody>,
) -> Result<HttpResponse, Problem> {
    call.may(Permission::CostingWrite)?;
    let (id, body, seen) = (*id, body.read()?, call.seen_version()?);
    call.command("solution_costing.update_line_item", async |unit| {
        let costing = costing_of(unit, id).await?;
        let (place, subject) = costing_facts::seen(unit, costing, |known| {
            (PricedPlace::of(known), known.line(id).map(|line| line.input.subject()))
        })
        .await?;
        let old = subject.and_then(|(_, role, _)| role);
        let (old_type, old_role) = (old.map(RoleRef::role_type), old.map(RoleRef::id));
        let role_type = body.role_type.or(old_type).unwrap_or_default();
        // Another kind of role without its id would be the role that happens to have the old one's number.
        let role_id = match (body.role, body.role_type) {
            (None, Some(of)) if Some(of) != old_type => {
                return Err(Problem::field("REQUIRED", "role", "is required with another role_type"));
            }
            (None, Some(_)) => old_role,
            (role, _) => role,
        };
        let role = match role_id {
            Some(role) => Some(price_facts::role_of_line(unit, role_ref(role, role_type)?).await?),
            None => None,
        };
        let component = match body.component {
            Some(component) => Some(price_facts::component_of_line(unit, component).await?),
            None => None,
        };
        let cards = price_facts::cards_in_force(unit, place).await?;
        let changes = LineChanges {
            category: body.category,
            opportunity_id: body.opportunity_id,
            location: body.location.clone(),
            multiplier: body.multiplier,
            role,
            headcount: body.headcount,
            duration_months: body.duration_months,
            component,
            quantity: body.quantity,
            complexity: body.complexity,
        };
        unit.require_version::<SolutionCosting>(costing, seen).await?;
        let update = CostingCommand::UpdateLineItem { id, changes: Box::new(changes), cards };
        unit.decide::<SolutionCosting, _>(costing, update).await?;
        reply(StatusCode::OK, unit, costing, id).await
    })
    .await
}

/// Removes a line from a draft.
#[utoipa::path(tag = "costings", params(("id" = LineItemId, Path)),
    responses((status = 204), (status = 403), (status = 404), (status = 409), (status = 412)))]
#[delete("/api/solution_costing/line-items/{id}/")]
async fn remove_line_item(call: Call, id: web::Path<LineItemId>) -> Result<HttpResponse, Problem> {
    call.may(Permission::CostingWrite)?;
    let (id, seen) = (*id, call.seen_version()?);
    call.command("solution_costing.remove_line_item", async |unit| {
        let costing = costing_of(unit, id).await?;
        costing_facts::seen(unit, costing, |_| ()).await?;
        unit.require_version::<SolutionCosting>(costing, seen).await?;
        unit.decide::<SolutionCosting, _>(costing, CostingCommand::RemoveLineItem { id }).await?;
        Ok(Reply::nothing())
    })
    .await
}
