//! Opportunities entered, changed and removed by hand (spec 12.7).

use std::collections::BTreeMap;

use kernel::{AssessmentId, Code, OpportunityId, VerticalId};
use rust_decimal::Decimal;

use super::{Decision, Issue};
use crate::{
    assessment::{Assessment, AssessmentEvent, AssessmentRefusal, Profile, Verb},
    business_case::{
        BaselineInputs, CaseError, GAP_SCORE_WITHOUT_BENCHMARK, Opportunity, OpportunityChanges, OpportunityInput,
        OpportunityStatus, Source, VerticalFacts, evaluate,
    },
    questionnaire::stabilise,
};

impl Assessment {
    pub(crate) fn add_opportunity(
        &self,
        issue: Issue,
        id: OpportunityId,
        assessment: AssessmentId,
        input: OpportunityInput,
    ) -> Decision {
        let profile = self.may_edit_opportunities(issue, Verb::AddOpportunity)?;
        if self.opportunities.knows(id) {
            return Ok(vec![]);
        }
        let new = Opportunity::new(id, assessment, Source::Manual, input);
        self.check_identity(&new)?;
        let all = self.opportunities.all().cloned().chain([new]).collect();
        let (opportunity, recomputed) = self.recompute(profile, all, id)?;
        let Some(opportunity) = opportunity else { return Ok(vec![]) };
        let opportunity = Box::new(opportunity);
        Ok(vec![AssessmentEvent::OpportunityAdded { opportunity, recomputed, by: issue.user() }])
    }

    pub(crate) fn change_opportunity(&self, issue: Issue, id: OpportunityId, changes: OpportunityChanges) -> Decision {
        let profile = self.may_edit_opportunities(issue, Verb::ChangeOpportunity)?;
        let old = self.opportunities.get(id).ok_or(AssessmentRefusal::NotFound)?;
        let input = changes.over(old.input());
        if input == old.input() {
            return Ok(vec![]);
        }
        let source = if old.source == Source::Template { Source::Adjusted } else { old.source };
        let new = Opportunity {
            status: old.status,
            template_id: old.template_id,
            priority_score: old.priority_score,
            ..Opportunity::new(id, old.assessment_id, source, input)
        };
        self.check_identity(&new)?;
        let others = self.opportunities.all().filter(|other| other.id != id).cloned();
        let (opportunity, recomputed) = self.recompute(profile, others.chain([new]).collect(), id)?;
        let Some(opportunity) = opportunity else { return Ok(vec![]) };
        let opportunity = Box::new(opportunity);
        Ok(vec![AssessmentEvent::OpportunityChanged { opportunity, recomputed, by: issue.user() }])
    }

    pub(crate) fn remove_opportunity(&self, issue: Issue, id: OpportunityId) -> Decision {
        let profile = self.may_edit_opportunities(issue, Verb::RemoveOpportunity)?;
        if !self.opportunities.knows(id) {
            return Err(AssessmentRefusal::NotFound);
        }
        if self.opportunities.get(id).is_none() {
            return Ok(vec![]);
        }
        if let Some(costing) = self.opportunities.costing_of(id) {
            return Err(AssessmentRefusal::OpportunityInUse { opportunity: id, costing });
        }
        let rest = self.opportunities.all().filter(|other| other.id != id).cloned().collect();
        let (_, recomputed) = self.recompute(profile, rest, id)?;
        Ok(vec![AssessmentEvent::OpportunityRemoved { opportunity_id: id, recomputed, by: issue.user() }])
    }

    fn may_edit_opportunities(&self, issue: Issue, verb: Verb) -> Result<&Profile, AssessmentRefusal> {
        let profile = self.managed_by(issue.by)?;
        profile.admit(verb)?;
        if profile.approvals.is_empty() { Ok(profile) } else { Err(AssessmentRefusal::ApprovalGiven) }
    }

    /// An analysis finds an opportunity again by vertical, lever and title, so two must not share them.
    fn check_identity(&self, new: &Opportunity) -> Result<(), AssessmentRefusal> {
        let is_taken = self.opportunities.shown().any(|other| other.id != new.id && other.identity() == new.identity());
        if is_taken {
            let message = "is the title of another opportunity of that vertical and lever";
            return Err(AssessmentRefusal::invalid("DUPLICATE_OPPORTUNITY", "title", message));
        }
        Ok(())
    }

    /// All figures anew; of what comes out, the opportunity itself, and the others whose figures moved.
    fn recompute(
        &self,
        profile: &Profile,
        opportunities: Vec<Opportunity>,
        id: OpportunityId,
    ) -> Result<(Option<Opportunity>, Vec<Opportunity>), AssessmentRefusal> {
        let facts = self.vertical_facts(profile);
        let evaluation = evaluate(&facts, opportunities, &profile.details.ble_parameters).map_err(refusal)?;
        let mut others = evaluation.opportunities;
        let own = others.iter().position(|opportunity| opportunity.id == id).map(|index| others.swap_remove(index));
        let before: BTreeMap<OpportunityId, &Opportunity> =
            self.opportunities.all().map(|opportunity| (opportunity.id, opportunity)).collect();
        others.retain(|other| {
            other.status == OpportunityStatus::Active && before.get(&other.id).is_none_or(|old| **old != *other)
        });
        others.sort_by_key(|other| other.id);
        Ok((own, others))
    }

    /// What is known today of the assessment's verticals. What nobody has answered yet counts as 0; the gap to the
    /// benchmark is that of the latest report.
    fn vertical_facts(&self, profile: &Profile) -> Vec<VerticalFacts> {
        let values = stabilise(&self.questions, &self.given_answers());
        let facts = profile.vertical_ids.iter().filter_map(|id| {
            let vertical_code = self.vertical_code(*id)?;
            let known = |code: &str| {
                let asked = self.questions.named(Some(*id), code);
                Some(asked.and_then(|question| values.number(question.id)).unwrap_or_default())
            };
            Some(VerticalFacts {
                vertical_id: *id,
                inputs: BaselineInputs::read(&vertical_code, known).unwrap_or_default(),
                vertical_code,
                target_transactions_per_fte: None,
                gap_score: self.gap_score(*id),
            })
        });
        facts.collect()
    }

    fn vertical_code(&self, id: VerticalId) -> Option<Code> {
        let named =
            self.questions.questions.iter().find_map(|question| question.vertical.as_ref().filter(|v| v.id == id));
        // A vertical without questions has no answers that its code could name.
        named.map_or_else(|| Code::new(&id.to_string()).ok(), |vertical| Some(vertical.code.clone()))
    }

    fn gap_score(&self, id: VerticalId) -> Decimal {
        let result = self.report.as_ref().and_then(|report| {
            report.verticals.iter().find(|vertical| vertical.baseline.vertical_id == id)?.percentile
        });
        result.map_or(GAP_SCORE_WITHOUT_BENCHMARK, |percentile| Decimal::ONE_HUNDRED.saturating_sub(percentile))
    }
}

fn refusal(error: CaseError) -> AssessmentRefusal {
    match &error {
        CaseError::CountedTwice { field, .. } => {
            AssessmentRefusal::invalid("DOUBLE_COUNTING", *field, error.to_string())
        }
        CaseError::Opportunity { bad, .. } => AssessmentRefusal::invalid("OUT_OF_BOUNDS", bad.field, bad.message),
        CaseError::UnknownVertical { .. } => {
            AssessmentRefusal::invalid("UNKNOWN_VERTICAL", "vertical_id", "is no vertical of the assessment")
        }
        CaseError::OutOfRange(_) => AssessmentRefusal::invalid("VALUE_OUT_OF_RANGE", "", error.to_string()),
        CaseError::Parameter(bad) => AssessmentRefusal::invalid("PARAMETER_OUT_OF_RANGE", bad.field, bad.message),
    }
}
