//! What the costings that are built on the opportunities need of the assessment, and what they forbid it.
//!
//! Whether the actor may do to the costing what he does is the costing's own question.

use std::collections::BTreeSet;

use kernel::{OpportunityId, SolutionCostingId};

use super::{Decision, Issue};
use crate::{
    assessment::{Assessment, AssessmentEvent, AssessmentRefusal, Profile, Status},
    business_case::OpportunityStatus,
};

impl Assessment {
    pub(crate) fn claim_opportunities(
        &self,
        issue: Issue,
        costing: SolutionCostingId,
        ids: BTreeSet<OpportunityId>,
        supersedes: Option<SolutionCostingId>,
    ) -> Decision {
        let profile = self.seen_by(issue.by)?;
        issue.only_consulting()?;
        check_ready(profile)?;
        if ids.is_empty() {
            let message = "must name at least one opportunity";
            return Err(AssessmentRefusal::invalid("OPPORTUNITIES_REQUIRED", "assessment_opportunities", message));
        }
        let own = self.opportunities.claimed_by(costing);
        if own == ids {
            return Ok(vec![]);
        }
        if supersedes.is_some_and(|old| !self.opportunities.is_approved(old)) {
            let message = "is no approved costing of the assessment";
            return Err(AssessmentRefusal::invalid("NOT_SUPERSEDABLE", "supersedes_id", message));
        }
        for id in &ids {
            let opportunity = self.opportunities.get(*id).ok_or(AssessmentRefusal::UnknownOpportunity(*id))?;
            let mut others = self.opportunities.costings_of(*id).filter(|other| *other != costing);
            if let Some(other) = others.find(|other| Some(*other) != supersedes) {
                return Err(AssessmentRefusal::OpportunityInUse { opportunity: *id, costing: other });
            }
            if opportunity.status == OpportunityStatus::Stale && !own.contains(id) {
                return Err(AssessmentRefusal::StaleOpportunity(*id));
            }
        }
        Ok(vec![AssessmentEvent::OpportunitiesClaimed { costing_id: costing, opportunity_ids: ids }])
    }

    pub(crate) fn record_costing_approval(&self, issue: Issue, costing: SolutionCostingId) -> Decision {
        let profile = self.seen_by(issue.by)?;
        if self.opportunities.is_approved(costing) {
            return Ok(vec![]);
        }
        check_ready(profile)?;
        if self.opportunities.claimed_by(costing).is_empty() {
            return Err(AssessmentRefusal::NothingClaimed);
        }
        Ok(vec![AssessmentEvent::CostingApprovalRecorded { costing_id: costing }])
    }

    pub(crate) fn release_opportunities(&self, issue: Issue, costing: SolutionCostingId) -> Decision {
        self.booked_by(issue.by)?;
        let opportunity_ids = self.opportunities.claimed_by(costing);
        if opportunity_ids.is_empty() && !self.opportunities.is_approved(costing) {
            return Ok(vec![]);
        }
        Ok(vec![AssessmentEvent::OpportunitiesReleased { costing_id: costing, opportunity_ids }])
    }
}

/// Costings are built on results that stand.
fn check_ready(profile: &Profile) -> Result<(), AssessmentRefusal> {
    match profile.status {
        Status::Completed | Status::Locked => Ok(()),
        status => Err(AssessmentRefusal::NotReady { status }),
    }
}
