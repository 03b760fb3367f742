//! From lines to the quoted price (spec 14.3).

use std::collections::BTreeMap;

use kernel::{LineItemId, OpportunityId, SolutionComponentId};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Category, Line, OutOfRange, RoleRef, RoleType, Work, allocate,
    amount::{part, product, stored, stored_effort, sum},
    prorata,
};

/// What is laid on top of the build cost. Percentages are of the build cost, neither on top of the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    pub pmo_percentage: Decimal,
    pub support_percentage: Decimal,
    /// Years of support that the quoted price holds.
    pub support_years_in_price: Decimal,
}

/// An opportunity that a costing serves, with the gross savings a year that weigh its share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostedOpportunity {
    pub id: OpportunityId,
    pub gross_savings: Decimal,
}

/// All amounts of a costing: money and percentages in two decimals, effort in four.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Totals {
    pub fte_days: Decimal,
    pub build_cost: Decimal,
    pub pmo_cost: Decimal,
    /// For the years of support in the price.
    pub support_cost: Decimal,
    /// The quoted price.
    pub total_cost: Decimal,
    /// Build and PMO: what is invested.
    pub one_time_cost: Decimal,
    /// Support of one year.
    pub annual_run_cost: Decimal,
    pub tco_3y: Decimal,
    /// What the lines with a cost rate cost the firm itself.
    pub internal_cost: Decimal,
    /// The same lines' amounts less their cost.
    pub margin_amount: Decimal,
    /// Of the same lines' amounts; none where no line has a cost rate.
    pub margin_percent: Option<Decimal>,
    pub cost_breakdown: CostBreakdown,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct CostBreakdown {
    pub by_category: Vec<CategoryCost>,
    pub by_component: Vec<ComponentCost>,
    pub by_role: Vec<RoleCost>,
    pub by_opportunity: Vec<OpportunityCost>,
    /// Left out of the margin, on both sides.
    pub lines_without_cost_rate: Vec<LineItemId>,
    /// Priced with a location multiplier of 1 because the location is not known.
    pub lines_with_unknown_location: Vec<LineItemId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct CategoryCost {
    pub category: Category,
    pub amount: Decimal,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct ComponentCost {
    pub component: SolutionComponentId,
    pub code: String,
    pub name: String,
    pub amount: Decimal,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct RoleCost {
    pub role: i64,
    pub role_type: RoleType,
    pub code: String,
    pub name: String,
    pub effort_days: Decimal,
    pub amount: Decimal,
}

/// What an opportunity bears. Each column adds up to the costing's figure of the same name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct OpportunityCost {
    pub opportunity_id: OpportunityId,
    /// From lines of its own.
    pub direct: Decimal,
    /// Its part of the other lines.
    pub shared: Decimal,
    pub build_cost: Decimal,
    pub one_time_cost: Decimal,
    pub annual_run_cost: Decimal,
    pub total_cost: Decimal,
}

/// Rolls lines up.
///
/// # Errors
/// When a figure does not fit.
pub fn roll_up(lines: &[Line], terms: &Terms, opportunities: &[CostedOpportunity]) -> Result<Totals, OutOfRange> {
    let build = stored("build_cost", sum("build_cost", lines.iter().map(|line| line.amounts.amount))?)?;
    let pmo = stored("pmo_cost", part("pmo_cost", build, terms.pmo_percentage)?)?;
    let support_a_year = part("support_cost", build, terms.support_percentage)?;
    let support = product("support_cost", &[support_a_year, terms.support_years_in_price])?;
    let support = stored("support_cost", support)?;
    let run = stored("annual_run_cost", support_a_year)?;
    let total = stored("total_cost", sum("total_cost", [build, pmo, support])?)?;
    let one_time = stored("one_time_cost", sum("one_time_cost", [build, pmo])?)?;
    let tco = sum("tco_3y", [one_time, product("tco_3y", &[run, 3.into()])?])?;
    let (internal_cost, margin_amount, margin_percent) = margin(lines)?;
    let mut totals = Totals {
        fte_days: stored_effort("fte_days", sum("fte_days", lines.iter().map(|line| line.amounts.effort_days))?)?,
        build_cost: build,
        pmo_cost: pmo,
        support_cost: support,
        total_cost: total,
        one_time_cost: one_time,
        annual_run_cost: run,
        tco_3y: stored("tco_3y", tco)?,
        internal_cost,
        margin_amount,
        margin_percent,
        cost_breakdown: CostBreakdown::default(),
    };
    totals.cost_breakdown = CostBreakdown {
        by_category: by_category(lines)?,
        by_component: by_component(lines)?,
        by_role: by_role(lines)?,
        by_opportunity: by_opportunity(lines, opportunities, &totals)?,
        lines_without_cost_rate: ids(lines, |line| line.amounts.cost_amount.is_none()),
        lines_with_unknown_location: ids(lines, |line| !line.amounts.location_is_known),
    };
    Ok(totals)
}

/// Internal cost, margin and margin percentage of the lines that have a cost rate.
fn margin(lines: &[Line]) -> Result<(Decimal, Decimal, Option<Decimal>), OutOfRange> {
    let costed = || lines.iter().filter_map(|line| Some((line.amounts.amount, line.amounts.cost_amount?)));
    let price = sum("margin_amount", costed().map(|(amount, _)| amount))?;
    let cost = stored("internal_cost", sum("internal_cost", costed().map(|(_, cost)| cost))?)?;
    let margin = stored("margin_amount", sum("margin_amount", [price, -cost])?)?;
    let percent = if price.is_zero() {
        None
    } else {
        let ratio = margin.checked_div(price).ok_or(OutOfRange::of("margin_percent"))?;
        Some(stored("margin_percent", product("margin_percent", &[ratio, Decimal::ONE_HUNDRED])?)?)
    };
    Ok((cost, margin, percent))
}

fn ids(lines: &[Line], holds: impl Fn(&Line) -> bool) -> Vec<LineItemId> {
    lines.iter().filter(|line| holds(line)).map(|line| line.id).collect()
}

fn by_category(lines: &[Line]) -> Result<Vec<CategoryCost>, OutOfRange> {
    let mut found: BTreeMap<Category, Decimal> = BTreeMap::new();
    for line in lines {
        let amount = found.entry(line.input.category).or_default();
        *amount = sum("build_cost", [*amount, line.amounts.amount])?;
    }
    Ok(found.into_iter().map(|(category, amount)| CategoryCost { category, amount }).collect())
}

fn by_component(lines: &[Line]) -> Result<Vec<ComponentCost>, OutOfRange> {
    let mut found: BTreeMap<SolutionComponentId, ComponentCost> = BTreeMap::new();
    for line in lines {
        let Work::Component { component, .. } = &line.input.work else { continue };
        let cost = found.entry(component.id).or_insert_with(|| ComponentCost {
            component: component.id,
            code: component.code.clone(),
            name: component.name.clone(),
            amount: Decimal::ZERO,
        });
        cost.amount = sum("build_cost", [cost.amount, line.amounts.amount])?;
    }
    Ok(found.into_values().collect())
}

fn by_role(lines: &[Line]) -> Result<Vec<RoleCost>, OutOfRange> {
    let mut found: BTreeMap<RoleRef, RoleCost> = BTreeMap::new();
    for line in lines {
        let Work::Role { role, .. } = &line.input.work else { continue };
        let cost = found.entry(role.role).or_insert_with(|| RoleCost {
            role: role.role.id(),
            role_type: role.role.role_type(),
            code: role.code.clone(),
            name: role.name.clone(),
            effort_days: Decimal::ZERO,
            amount: Decimal::ZERO,
        });
        cost.effort_days = sum("effort_days", [cost.effort_days, line.amounts.effort_days])?;
        cost.amount = sum("build_cost", [cost.amount, line.amounts.amount])?;
    }
    Ok(found.into_values().collect())
}

/// The build cost by allocation; everything that follows from it in proportion.
fn by_opportunity(
    lines: &[Line],
    opportunities: &[CostedOpportunity],
    totals: &Totals,
) -> Result<Vec<OpportunityCost>, OutOfRange> {
    let weights: Vec<_> = opportunities.iter().map(|opportunity| (opportunity.id, opportunity.gross_savings)).collect();
    let amounts: Vec<_> = lines.iter().map(|line| (line.input.opportunity_id, line.amounts.amount)).collect();
    let shares = allocate(&weights, &amounts)?;
    let builds = shares
        .iter()
        .map(|share| sum("build_cost", [share.direct, share.shared]))
        .collect::<Result<Vec<Decimal>, OutOfRange>>()?;
    let one_time = prorata("one_time_cost", totals.one_time_cost, &builds)?;
    let run = prorata("annual_run_cost", totals.annual_run_cost, &builds)?;
    let total = prorata("total_cost", totals.total_cost, &builds)?;
    let columns = builds.into_iter().zip(one_time).zip(run).zip(total);
    let rows = shares.into_iter().zip(columns).map(|(share, (((build, one_time), run), total))| OpportunityCost {
        opportunity_id: share.opportunity_id,
        direct: kernel::money(share.direct),
        shared: kernel::money(share.shared),
        build_cost: kernel::money(build),
        one_time_cost: kernel::money(one_time),
        annual_run_cost: kernel::money(run),
        total_cost: kernel::money(total),
    });
    Ok(rows.collect())
}
