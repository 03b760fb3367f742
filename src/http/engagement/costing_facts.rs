//! What a costing has to know of its assessment, of its cards, and of what it led to.

use std::collections::BTreeMap;

use engagement::{
    assessment::{Assessment, Status},
    pricing::{CardFacts, SolutionCardFacts},
    project::{Project, Stage},
    proposal::Proposal,
    rate_card::RateCard,
    solution_costing::{
        AssessmentFacts, FoundOpportunity, KnownCosting, OpportunityFacts, SolutionCosting, SupersededFacts,
    },
    solution_rate_card::SolutionRateCard,
};
use kernel::{AssessmentId, OpportunityId, ProposalId, RateCardId, RegionId, SolutionCostingId, SolutionRateCardId};

use crate::{
    http::problem::Problem,
    journal::{ExecuteError, Refused, Unit},
};

/// Looks at a costing that the caller may see; at a deleted one only ADMIN may.
///
/// # Errors
/// 404.
pub(super) async fn seen<R>(
    unit: &mut Unit<'_>,
    id: SolutionCostingId,
    look: impl FnOnce(&KnownCosting) -> R,
) -> Result<R, Problem> {
    let actor = unit.issuer().actor;
    let is_seen = |known: &&KnownCosting| known.can_see(actor) && (!known.is_deleted || actor.is_admin());
    let found = unit.read::<SolutionCosting, _>(id, |costing, _| costing.known().filter(is_seen).map(look)).await?;
    found.ok_or_else(Problem::not_found)
}

/// The assessment as a costing finds it, and must still find it when the command is committed; `None` when the caller
/// does not see it. One without a region is costed in the region of the card that was chosen for it.
pub(super) async fn assessment(
    unit: &mut Unit<'_>,
    id: AssessmentId,
    region_of_card: RegionId,
) -> Result<Option<AssessmentFacts>, ExecuteError> {
    let actor = unit.issuer().actor;
    let look = |assessment: &Assessment| {
        let profile = assessment.live().filter(|profile| profile.can_see(actor))?;
        Some(AssessmentFacts {
            id,
            region: profile.details.region_id.unwrap_or(region_of_card),
            participants: profile.participants(),
            is_ready: matches!(profile.status, Status::Completed | Status::Locked),
            is_deleted: false,
            parameters: profile.details.ble_parameters.clone(),
        })
    };
    unit.depend::<Assessment, _>(id, |assessment, _| look(assessment)).await
}

/// Whether the assessment is being worked over, and must still be so at the commit.
pub(super) async fn is_in_rework(unit: &mut Unit<'_>, id: AssessmentId) -> Result<bool, ExecuteError> {
    let is_in_rework =
        |assessment: &Assessment| assessment.live().is_some_and(|profile| profile.status == Status::Rework);
    unit.depend::<Assessment, _>(id, |assessment, _| is_in_rework(assessment)).await
}

/// The opportunities that are named, looked for in those of `assessments` that the caller sees; as they must still be
/// when the command is committed, so that of two costings of one the later finds the earlier.
pub(super) async fn opportunities(
    unit: &mut Unit<'_>,
    assessments: &[AssessmentId],
    named: &[OpportunityId],
    supersedes: Option<SolutionCostingId>,
) -> Result<Vec<OpportunityFacts>, ExecuteError> {
    let actor = unit.issuer().actor;
    let mut found = BTreeMap::new();
    for id in assessments {
        let look = |assessment: &Assessment| -> Vec<(OpportunityId, FoundOpportunity)> {
            if !assessment.can_see(actor) {
                return Vec::new();
            }
            let book = assessment.opportunity_book();
            let there = assessment.opportunities().filter(|opportunity| named.contains(&opportunity.id));
            let facts = there.map(|opportunity| {
                let costed_by = book.costings_of(opportunity.id).find(|costing| Some(*costing) != supersedes);
                let facts = FoundOpportunity { assessment: *id, gross_savings: opportunity.gross_savings, costed_by };
                (opportunity.id, facts)
            });
            facts.collect()
        };
        found.extend(unit.depend::<Assessment, _>(*id, |assessment, _| look(assessment)).await?);
    }
    Ok(named.iter().map(|id| OpportunityFacts { id: *id, found: found.get(id).cloned() }).collect())
}

/// A rate card as it is, and must still be when the command is committed: so a costing is never born with rates that
/// were revised meanwhile without being told.
pub(super) async fn rate_card(unit: &mut Unit<'_>, id: RateCardId) -> Result<CardFacts, ExecuteError> {
    let facts = unit.depend::<RateCard, _>(id, |card, _| card.facts(id)).await?;
    let unknown = || Refused::field("UNKNOWN_REFERENCE", "rate_card", "there is no such rate card");
    Ok(facts.ok_or_else(unknown)?)
}

/// A solution rate card as it is.
pub(super) async fn solution_rate_card(
    unit: &mut Unit<'_>,
    id: SolutionRateCardId,
) -> Result<SolutionCardFacts, ExecuteError> {
    let facts = unit.read::<SolutionRateCard, _>(id, |card, _| card.facts(id)).await?;
    let unknown = || Refused::field("UNKNOWN_REFERENCE", "solution_rate_card", "there is no such solution rate card");
    Ok(facts.ok_or_else(unknown)?)
}

/// The costing that is to be superseded. One that is not there, or not for the caller, is as little approved as a draft.
pub(super) async fn superseded(
    unit: &mut Unit<'_>,
    id: SolutionCostingId,
    by_one_of: AssessmentId,
) -> Result<SupersededFacts, ExecuteError> {
    let look = |costing: &SolutionCosting| {
        let known = costing.known().filter(|known| !known.is_deleted);
        SupersededFacts {
            id,
            assessment: known.map_or(by_one_of, |known| known.assessment_id),
            is_approved: known
                .is_some_and(|known| known.status == engagement::solution_costing::CostingStatus::Approved),
        }
    };
    unit.read::<SolutionCosting, _>(id, |costing, _| look(costing)).await
}

/// Whether the project that came of the proposal is in progress.
pub(super) async fn project_is_active(unit: &mut Unit<'_>, proposal: Option<ProposalId>) -> Result<bool, ExecuteError> {
    let Some(proposal) = proposal else { return Ok(false) };
    let of = |proposal: &Proposal| proposal.known().and_then(|known| known.project_id);
    let Some(project) = unit.read::<Proposal, _>(proposal, |proposal, _| of(proposal)).await? else {
        return Ok(false);
    };
    let is_active =
        |project: &Project| project.known().is_some_and(|known| !known.is_deleted && known.stage == Stage::InProgress);
    unit.read::<Project, _>(project, |project, _| is_active(project)).await
}
