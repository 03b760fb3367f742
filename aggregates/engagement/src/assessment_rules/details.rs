//! Creation, details and verticals (spec 8.2).

use std::collections::BTreeSet;

use kernel::{Change, Reference, Role, VerticalId};

use super::{Decision, Issue};
use crate::{
    assessment::{
        Assessment, AssessmentEvent, AssessmentRefusal, ClientFacts, ClientTeam, Created, DetailChanges, Details,
        Header, ManagerFacts, NewAssessment, NewVertical, Profile, Verb,
    },
    business_case::Parameters,
    questionnaire::QuestionSet,
};

type Checked = Result<(), AssessmentRefusal>;

impl Assessment {
    pub(crate) fn create(&self, issue: Issue, new: NewAssessment) -> Decision {
        let Header::NotYet = self.header else { return Err(AssessmentRefusal::AlreadyExists) };
        issue.only_consulting()?;
        if !new.client.is_active {
            return Err(AssessmentRefusal::invalid("CLIENT_NOT_ACTIVE", "client", "is no active client"));
        }
        let verticals: Vec<VerticalId> = new.verticals.iter().map(|vertical| vertical.id).collect();
        check_manager(new.managed_by)?;
        check_reference("INDUSTRY_NOT_ACTIVE", "industry_type", new.industry_type)?;
        check_reference("REGION_NOT_ACTIVE", "region_id", new.region)?;
        check_verticals(&verticals)?;
        for vertical in &new.verticals {
            check_reference("VERTICAL_NOT_ACTIVE", "vertical_ids", Some(*vertical))?;
        }
        check_pairing(&new.client, new.managed_by, &verticals)?;
        check_steps(new.current_step, new.total_steps)?;
        check_parameters(&new.ble_parameters)?;
        check_policy(&new.approval_policy)?;
        Ok(vec![AssessmentEvent::Created(Box::new(Created {
            details: Details {
                name: new.name,
                industry_type: new.industry_type.map(|industry| industry.id),
                managed_by: new.managed_by.user,
                client_can_answer: new.client_can_answer,
                input_method: new.input_method,
                region_id: new.region.map(|region| region.id),
                current_step: new.current_step,
                total_steps: new.total_steps,
                ble_parameters: new.ble_parameters,
            },
            client: new.client.user,
            team: ClientTeam { reviewer: new.client.reviewer, pairs: new.client.pairs },
            vertical_ids: verticals,
            questions: new.questions,
            approval_policy: new.approval_policy,
            by: issue.user(),
        }))])
    }

    pub(crate) fn update_details(&self, issue: Issue, changes: DetailChanges) -> Decision {
        let profile = self.managed_by(issue.by)?;
        profile.admit(Verb::UpdateDetails)?;
        let old = &profile.details;
        if let Some(manager) = changes.managed_by.filter(|manager| manager.user != old.managed_by) {
            check_manager(manager)?;
        }
        let industry_type = changed("INDUSTRY_NOT_ACTIVE", "industry_type", changes.industry_type, old.industry_type)?;
        let region_id = changed("REGION_NOT_ACTIVE", "region_id", changes.region, old.region_id)?;
        let new = Details {
            name: changes.name.unwrap_or_else(|| old.name.clone()),
            industry_type,
            managed_by: changes.managed_by.map_or(old.managed_by, |manager| manager.user),
            client_can_answer: changes.client_can_answer.unwrap_or(old.client_can_answer),
            input_method: changes.input_method.unwrap_or(old.input_method),
            region_id,
            current_step: changes.current_step.unwrap_or(old.current_step),
            total_steps: changes.total_steps.unwrap_or(old.total_steps),
            ble_parameters: changes.ble_parameters.unwrap_or_else(|| old.ble_parameters.clone()),
        };
        check_steps(new.current_step, new.total_steps)?;
        check_parameters(&new.ble_parameters)?;
        if new.current_step < old.current_step {
            let message = "only a request to rework moves the step back";
            return Err(AssessmentRefusal::invalid("STEP_BACKWARDS", "current_step", message));
        }
        let mut events = Vec::new();
        if new != *old {
            events.push(AssessmentEvent::DetailsUpdated(Box::new(new)));
        }
        if let Some(verticals) = changes.verticals {
            events.extend(self.change_verticals(profile, verticals, changes.confirm)?);
        }
        Ok(events)
    }

    /// The list replaces the verticals whole.
    fn change_verticals(&self, profile: &Profile, wanted: Vec<NewVertical>, confirm: bool) -> Decision {
        let ids: Vec<VerticalId> = wanted.iter().map(|new| new.vertical.id).collect();
        check_verticals(&ids)?;
        let mut events = Vec::new();
        for new in wanted.into_iter().filter(|new| !profile.vertical_ids.contains(&new.vertical.id)) {
            events.push(self.vertical_added(new)?);
        }
        for old in profile.vertical_ids.iter().filter(|old| !ids.contains(old)) {
            events.push(self.vertical_removed(*old, confirm)?);
        }
        Ok(events)
    }

    pub(crate) fn add_vertical(&self, issue: Issue, new: NewVertical) -> Decision {
        let profile = self.managed_by(issue.by)?;
        profile.admit(Verb::AddVertical)?;
        if profile.vertical_ids.contains(&new.vertical.id) {
            return Ok(vec![]);
        }
        Ok(vec![self.vertical_added(new)?])
    }

    pub(crate) fn remove_vertical(&self, issue: Issue, vertical: VerticalId, confirm: bool) -> Decision {
        let profile = self.managed_by(issue.by)?;
        profile.admit(Verb::RemoveVertical)?;
        if !profile.vertical_ids.contains(&vertical) {
            return Ok(vec![]);
        }
        let rest: Vec<VerticalId> = profile.vertical_ids.iter().copied().filter(|id| *id != vertical).collect();
        check_verticals(&rest)?;
        Ok(vec![self.vertical_removed(vertical, confirm)?])
    }

    fn vertical_added(&self, new: NewVertical) -> Result<AssessmentEvent, AssessmentRefusal> {
        check_reference("VERTICAL_NOT_ACTIVE", "vertical_ids", Some(new.vertical))?;
        let vertical_id = new.vertical.id;
        let QuestionSet { mut questions, mut rules, .. } = new.questions;
        // Shared questions are in the snapshot since its beginning, in the version of then.
        questions.retain(|question| question.vertical_id() == Some(vertical_id));
        rules.retain(|rule| rule.vertical.as_ref().is_some_and(|of| of.id == vertical_id));
        Ok(AssessmentEvent::VerticalAdded { vertical_id, questions, rules })
    }

    fn vertical_removed(&self, vertical_id: VerticalId, confirm: bool) -> Result<AssessmentEvent, AssessmentRefusal> {
        let in_use = self.opportunities.all().filter(|opportunity| opportunity.vertical_id == vertical_id);
        for opportunity in in_use {
            if let Some(costing) = self.opportunities.costing_of(opportunity.id) {
                return Err(AssessmentRefusal::OpportunityInUse { opportunity: opportunity.id, costing });
            }
        }
        let dropped_answers: Vec<_> = self
            .answers()
            .map(|answer| answer.question_id)
            .filter(|id| self.questions.question(*id).and_then(|question| question.vertical_id()) == Some(vertical_id))
            .collect();
        if !dropped_answers.is_empty() && !confirm {
            return Err(AssessmentRefusal::ConfirmationRequired { answers: dropped_answers.len() });
        }
        Ok(AssessmentEvent::VerticalRemoved { vertical_id, dropped_answers })
    }
}

fn check_manager(manager: ManagerFacts) -> Checked {
    if manager.is_active && matches!(manager.role, Some(Role::Consultant | Role::Admin)) {
        Ok(())
    } else {
        Err(AssessmentRefusal::invalid("MANAGER_NOT_ELIGIBLE", "managed_by", "is no active CONSULTANT or ADMIN"))
    }
}

/// A consultant must work for the client in one of the verticals, unless nobody has been paired with the client yet.
fn check_pairing(client: &ClientFacts, manager: ManagerFacts, verticals: &[VerticalId]) -> Checked {
    let is_paired =
        client.pairs.iter().any(|pair| pair.consultant == manager.user && verticals.contains(&pair.vertical));
    if manager.role != Some(Role::Consultant) || client.pairs.is_empty() || is_paired {
        return Ok(());
    }
    let message = "is not assigned to the client for any of the verticals";
    Err(AssessmentRefusal::invalid("CONSULTANT_NOT_ASSIGNED", "managed_by", message))
}

fn check_reference<I>(code: &'static str, field: &'static str, reference: Option<Reference<I>>) -> Checked {
    if reference.is_none_or(|reference| reference.is_active) {
        Ok(())
    } else {
        Err(AssessmentRefusal::invalid(code, field, "does not exist or is not active"))
    }
}

/// The reference after the change; what the assessment refers to already may have been deactivated since.
fn changed<I: Copy + PartialEq>(
    code: &'static str,
    field: &'static str,
    change: Change<Reference<I>>,
    old: Option<I>,
) -> Result<Option<I>, AssessmentRefusal> {
    match change {
        Change::Keep => Ok(old),
        Change::Clear => Ok(None),
        Change::Set(reference) => match reference.over(old) {
            Some(id) => Ok(Some(id)),
            None => Err(AssessmentRefusal::invalid(code, field, "does not exist or is not active")),
        },
    }
}

fn check_verticals(ids: &[VerticalId]) -> Checked {
    if ids.is_empty() {
        return Err(AssessmentRefusal::invalid(
            "VERTICALS_REQUIRED",
            "vertical_ids",
            "must name at least one vertical",
        ));
    }
    if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() {
        return Err(AssessmentRefusal::invalid("DUPLICATE_VERTICAL", "vertical_ids", "names a vertical twice"));
    }
    Ok(())
}

fn check_steps(current: u16, total: u16) -> Checked {
    if total == 0 {
        return Err(AssessmentRefusal::invalid("STEP_OUT_OF_RANGE", "total_steps", "must be at least 1"));
    }
    if current == 0 || current > total {
        return Err(AssessmentRefusal::invalid("STEP_OUT_OF_RANGE", "current_step", "must be 1 to total_steps"));
    }
    Ok(())
}

fn check_parameters(parameters: &Parameters) -> Checked {
    parameters.check().map_err(|bad| {
        AssessmentRefusal::invalid("PARAMETER_OUT_OF_RANGE", format!("ble_parameters.{}", bad.field), bad.message)
    })
}

fn check_policy(policy: &[Role]) -> Checked {
    let signers: BTreeSet<Role> = policy.iter().copied().collect();
    // Without the client's (or another's) signature the assessment could be locked by nobody when there is no reviewer.
    let signs_without_reviewer = signers.iter().any(|role| *role != Role::Reviewer);
    if signs_without_reviewer && signers.len() == policy.len() {
        Ok(())
    } else {
        let message = "must name each role once, and one besides REVIEWER";
        Err(AssessmentRefusal::invalid("BAD_APPROVAL_POLICY", "approval_policy", message))
    }
}
