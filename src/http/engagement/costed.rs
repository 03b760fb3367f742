//! What a proposal and its project have to know of the costing and the assessment behind them.

use engagement::{
    assessment::{Assessment, Header},
    proposal::{CostedOpportunity, CostingFacts},
    solution_costing::{CostingStatus, KnownCosting, SolutionCosting},
};
use kernel::SolutionCostingId;
use rust_decimal::Decimal;

use crate::journal::{ExecuteError, Refused, Unit};

fn is_approved(costing: &KnownCosting) -> bool {
    costing.status == CostingStatus::Approved && !costing.is_deleted
}

/// Whether a costing is approved, which must still hold when the unit is committed.
pub(super) async fn costing_is_approved(unit: &mut Unit<'_>, id: SolutionCostingId) -> Result<bool, ExecuteError> {
    unit.depend::<SolutionCosting, _>(id, |costing, _| costing.known().is_some_and(is_approved)).await
}

/// The facts of a costing that `may_see` lets through; all of it must still hold when the unit is committed. The people
/// and the verticals are the assessment's, as they are now.
///
/// # Errors
/// 404 when there is no such costing for the caller.
pub(super) async fn costing_facts(
    unit: &mut Unit<'_>,
    id: SolutionCostingId,
    may_see: impl Fn(&KnownCosting) -> bool,
) -> Result<CostingFacts, ExecuteError> {
    let no_such = || ExecuteError::from(Refused::not_found("costing"));
    let costing = unit
        .depend::<SolutionCosting, _>(id, |costing, _| {
            let known = costing.known().filter(|known| may_see(known))?;
            Some((known.assessment_id, is_approved(known), known.with.rate_card.currency, priced(known)))
        })
        .await?;
    let (assessment, is_approved, currency, (total_cost, opportunities)) = costing.ok_or_else(no_such)?;
    let people = unit
        .depend::<Assessment, _>(assessment, |assessment, _| {
            Header::known(assessment.header()).map(|profile| (profile.participants(), profile.vertical_ids.clone()))
        })
        .await?;
    let (participants, verticals) = people.ok_or_else(no_such)?;
    Ok(CostingFacts { id, assessment, is_approved, total_cost, currency, verticals, opportunities, participants })
}

/// The price, and what each opportunity saves a year and bears of the price.
fn priced(known: &KnownCosting) -> (Decimal, Vec<CostedOpportunity>) {
    let totals = &known.amounts.totals;
    let bears = |id| {
        let row = totals.cost_breakdown.by_opportunity.iter().find(|row| row.opportunity_id == id);
        row.map(|row| row.total_cost).unwrap_or_default()
    };
    let opportunities = known.with.opportunities.iter().map(|opportunity| CostedOpportunity {
        id: opportunity.id,
        gross_savings: opportunity.gross_savings,
        cost: bears(opportunity.id),
    });
    (totals.total_cost, opportunities.collect())
}
