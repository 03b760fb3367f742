//! Sharing an amount out so that the shares add up to it (spec 14.3).

use kernel::OpportunityId;
use rust_decimal::Decimal;

use super::{
    OutOfRange,
    amount::{stored, sum},
};

/// What one opportunity bears of a cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    pub opportunity_id: OpportunityId,
    /// From lines of its own.
    pub direct: Decimal,
    /// From the lines of none.
    pub shared: Decimal,
}

/// Shares `total` (not negative, two decimals) out by weight; the last one takes the rounding remainder.
/// A weight below zero counts as none; where all are none, the shares are equal.
///
/// # Errors
/// When the weights' sum does not fit.
pub fn prorata(field: &'static str, total: Decimal, weights: &[Decimal]) -> Result<Vec<Decimal>, OutOfRange> {
    let mut weights: Vec<Decimal> = weights.iter().map(|weight| (*weight).max(Decimal::ZERO)).collect();
    if weights.iter().all(Decimal::is_zero) {
        weights.fill(Decimal::ONE);
    }
    let whole = sum(field, weights.iter().copied())?;
    let Some((_, all_but_last)) = weights.split_last() else { return Ok(Vec::new()) };
    let mut left = total;
    let mut shares = Vec::with_capacity(weights.len());
    for weight in all_but_last {
        let exact = match total.checked_mul(*weight) {
            Some(product) => product.checked_div(whole),
            // Less exact, but a weight is never more than the whole.
            None => weight.checked_div(whole).and_then(|ratio| total.checked_mul(ratio)),
        };
        // Shares that are rounded up must not leave the last one below zero.
        let share = stored(field, exact.ok_or(OutOfRange::of(field))?)?.min(left);
        left = sum(field, [left, -share])?;
        shares.push(share);
    }
    shares.push(left);
    Ok(shares)
}

/// Lines of an opportunity go there, the rest by gross savings.
///
/// # Errors
/// When a sum does not fit.
pub fn allocate(
    opportunities: &[(OpportunityId, Decimal)],
    lines: &[(Option<OpportunityId>, Decimal)],
) -> Result<Vec<Share>, OutOfRange> {
    let direct_of = |id: OpportunityId| {
        sum("build_cost", lines.iter().filter(|(of, _)| *of == Some(id)).map(|(_, amount)| *amount))
    };
    let is_direct = |of: &Option<OpportunityId>| of.is_some_and(|of| opportunities.iter().any(|(id, _)| *id == of));
    let rest = sum("build_cost", lines.iter().filter(|(of, _)| !is_direct(of)).map(|(_, amount)| *amount))?;
    let savings: Vec<Decimal> = opportunities.iter().map(|(_, gross)| *gross).collect();
    let shared = prorata("gross_savings", rest, &savings)?;
    opportunities
        .iter()
        .zip(shared)
        .map(|((id, _), shared)| Ok(Share { opportunity_id: *id, direct: direct_of(*id)?, shared }))
        .collect()
}
