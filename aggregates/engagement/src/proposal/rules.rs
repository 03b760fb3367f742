//! What may be done with a proposal, and when it is refused (the table of spec 15.3).

use chrono::{DateTime, Days, NaiveDate, Utc};
use cqrs_es::{Aggregate, event_sink::EventSink};
use kernel::{Actor, Issued, Role, Text, money};

use super::{
    Approval, KnownProposal, NewProposal, Proposal, ProposalChanges, ProposalCommand, ProposalContent, ProposalEvent,
    ProposalRefusal, ProposalStatus,
};
use crate::participants::Participants;

type Decision = Result<Vec<ProposalEvent>, ProposalRefusal>;

impl Aggregate for Proposal {
    const TYPE: &'static str = "proposal";
    type Command = Issued<ProposalCommand>;
    type Event = ProposalEvent;
    type Error = ProposalRefusal;
    type Services = ();

    async fn handle(&mut self, issued: Self::Command, (): &(), sink: &EventSink<Self>) -> Result<(), ProposalRefusal> {
        let Issued { by, at, command } = issued;
        let events = match command {
            ProposalCommand::Create(new) => self.create(by, *new)?,
            ProposalCommand::Edit(changes) => self.edit(by, *changes)?,
            ProposalCommand::Submit { costing_is_approved } => self.submit(by, at, costing_is_approved)?,
            ProposalCommand::Approve(approval) => self.approve(by, at, approval)?,
            ProposalCommand::Reject { reason } => self.reject(by, at, reason)?,
            ProposalCommand::Expire => self.expire(by, at.date_naive())?,
            ProposalCommand::Withdraw { reason } => self.withdraw(by, at, reason)?,
            ProposalCommand::Revise { costing_is_approved } => self.revise(by, costing_is_approved)?,
            ProposalCommand::RecordParticipants(participants) => self.record_participants(by, participants)?,
            ProposalCommand::Delete { cascade_id, force, project_is_active } => {
                self.delete(by, cascade_id, force, project_is_active)?
            }
            ProposalCommand::Restore { cascade_id } => self.restore(by, cascade_id.as_ref())?,
        };
        for event in events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: ProposalEvent) {
        self.record(event);
    }
}

impl Proposal {
    fn create(&self, by: Actor, new: NewProposal) -> Decision {
        let Self::NotYet = self else { return Err(ProposalRefusal::AlreadyExists) };
        let costing = new.costing;
        if matches!(by.role(), Some(Role::Client | Role::Reviewer)) {
            return Err(ProposalRefusal::Forbidden);
        }
        // Whoever is not assigned does not even know of the costing.
        if !costing.participants.include(by) {
            return Err(ProposalRefusal::NotFound);
        }
        if !costing.is_approved {
            return Err(ProposalRefusal::CostingNotApproved);
        }
        let content = ProposalContent {
            title: new.title,
            executive_summary: new.executive_summary,
            scope_of_work: new.scope_of_work,
            timeline_weeks: timeline_weeks(new.timeline_weeks)?,
            validity_days: validity_days(new.validity_days)?,
            deliverables: new.deliverables,
            terms_and_conditions: new.terms_and_conditions,
        };
        check_deliverables(&content)?;
        Ok(vec![ProposalEvent::Created {
            solution_costing_id: costing.id,
            assessment_id: costing.assessment,
            content,
            total_value: money(costing.total_cost),
            currency: costing.currency,
            participants: costing.participants,
            by: by.user(),
        }])
    }

    fn edit(&self, by: Actor, changes: ProposalChanges) -> Decision {
        let known = self.owned(by)?;
        if known.status != ProposalStatus::Draft {
            return known.refuse("edit");
        }
        let old = known.content.clone();
        let content = ProposalContent {
            title: changes.title.unwrap_or(old.title),
            executive_summary: changes.executive_summary.unwrap_or(old.executive_summary),
            scope_of_work: changes.scope_of_work.unwrap_or(old.scope_of_work),
            timeline_weeks: changes.timeline_weeks.map_or(Ok(old.timeline_weeks), timeline_weeks)?,
            validity_days: changes.validity_days.map_or(Ok(old.validity_days), validity_days)?,
            deliverables: changes.deliverables.unwrap_or(old.deliverables),
            terms_and_conditions: changes.terms_and_conditions.unwrap_or(old.terms_and_conditions),
        };
        check_deliverables(&content)?;
        Ok(if content == known.content { vec![] } else { vec![ProposalEvent::Edited(content)] })
    }

    fn submit(&self, by: Actor, at: DateTime<Utc>, costing_is_approved: bool) -> Decision {
        let known = self.owned(by)?;
        match known.status {
            ProposalStatus::Draft => Ok(vec![known.submitted(by, at, costing_is_approved)?]),
            ProposalStatus::Submitted => Ok(vec![]),
            _ => known.refuse("submit"),
        }
    }

    fn approve(&self, by: Actor, at: DateTime<Utc>, approval: Approval) -> Decision {
        let known = self.signable(by)?;
        let may_approve_own = by.is_admin() && approval.admin_may_approve_own;
        if by.user().is_some() && known.created_by == by.user() && !may_approve_own {
            return Err(ProposalRefusal::OwnProposal);
        }
        let first = match (known.status, known.valid_until) {
            (ProposalStatus::Approved, _) => return Ok(vec![]),
            // A client does not see a DRAFT, so only an ADMIN comes here: submitted and approved in one command.
            (ProposalStatus::Draft, _) => Some(known.submitted(by, at, approval.costing_is_approved)?),
            (ProposalStatus::Submitted, valid_until) => {
                known.check_valid(valid_until, at.date_naive())?;
                None
            }
            // The answer is the same before and after the scheduler has looked.
            (ProposalStatus::Expired, Some(valid_until)) => return Err(ProposalRefusal::Expired { valid_until }),
            _ => return known.refuse("approve"),
        };
        let on_behalf = by.is_admin();
        if on_behalf && approval.comment.is_none() {
            return Err(ProposalRefusal::CommentRequired);
        }
        let approved = ProposalEvent::Approved {
            by: by.user(),
            at,
            on_behalf,
            comment: approval.comment,
            project_id: approval.project,
        };
        Ok(first.into_iter().chain([approved]).collect())
    }

    fn reject(&self, by: Actor, at: DateTime<Utc>, reason: Text<1, 4000>) -> Decision {
        let known = self.signable(by)?;
        match known.status {
            ProposalStatus::Submitted => {
                Ok(vec![ProposalEvent::Rejected { by: by.user(), at, on_behalf: by.is_admin(), reason }])
            }
            ProposalStatus::Rejected => Ok(vec![]),
            _ => known.refuse("reject"),
        }
    }

    fn expire(&self, by: Actor, today: NaiveDate) -> Decision {
        let known = self.visible(by)?;
        if by != Actor::System {
            return Err(ProposalRefusal::Forbidden);
        }
        match (known.status, known.valid_until) {
            (ProposalStatus::Submitted, Some(valid_until)) if today > valid_until => {
                Ok(vec![ProposalEvent::Expired { valid_until }])
            }
            (ProposalStatus::Submitted, Some(valid_until)) => Err(ProposalRefusal::StillValid { valid_until }),
            (ProposalStatus::Expired, _) => Ok(vec![]),
            _ => known.refuse("expire"),
        }
    }

    fn withdraw(&self, by: Actor, at: DateTime<Utc>, reason: Text<1, 4000>) -> Decision {
        let known = self.owned(by)?;
        match known.status {
            ProposalStatus::Draft | ProposalStatus::Submitted => {
                Ok(vec![ProposalEvent::Withdrawn { by: by.user(), at, reason }])
            }
            ProposalStatus::Withdrawn => Ok(vec![]),
            _ => known.refuse("withdraw"),
        }
    }

    fn revise(&self, by: Actor, costing_is_approved: bool) -> Decision {
        let known = self.owned(by)?;
        match known.status {
            ProposalStatus::Rejected | ProposalStatus::Expired | ProposalStatus::Withdrawn if !costing_is_approved => {
                Err(ProposalRefusal::CostingNotApproved)
            }
            ProposalStatus::Rejected | ProposalStatus::Expired | ProposalStatus::Withdrawn => {
                Ok(vec![ProposalEvent::Revised { revision: known.revision.saturating_add(1) }])
            }
            _ => known.refuse("revise"),
        }
    }

    /// A deleted proposal learns it too: it may be restored.
    fn record_participants(&self, by: Actor, participants: Participants) -> Decision {
        let known = self.known().ok_or(ProposalRefusal::NotFound)?;
        if by != Actor::System {
            return Err(ProposalRefusal::Forbidden);
        }
        let unchanged = known.participants == participants;
        Ok(if unchanged { vec![] } else { vec![ProposalEvent::ParticipantsChanged(participants)] })
    }

    fn delete(&self, by: Actor, cascade_id: Option<String>, force: bool, project_is_active: bool) -> Decision {
        let known = self.known().filter(|known| known.is_visible_to(by)).ok_or(ProposalRefusal::NotFound)?;
        if !by.is_admin() {
            return Err(if known.is_deleted { ProposalRefusal::NotFound } else { ProposalRefusal::Forbidden });
        }
        if known.is_deleted {
            return Ok(vec![]);
        }
        if project_is_active && !force {
            return Err(ProposalRefusal::ActiveProject);
        }
        Ok(vec![ProposalEvent::Deleted { cascade_id }])
    }

    fn restore(&self, by: Actor, cascade_id: Option<&String>) -> Decision {
        let known = self.known().filter(|known| known.is_visible_to(by)).ok_or(ProposalRefusal::NotFound)?;
        if !by.is_admin() {
            return Err(if known.is_deleted { ProposalRefusal::NotFound } else { ProposalRefusal::Forbidden });
        }
        let removed_by_it = cascade_id.is_none() || cascade_id == known.cascade_id.as_ref();
        Ok(if known.is_deleted && removed_by_it { vec![ProposalEvent::Restored] } else { vec![] })
    }

    /// The proposal, if it is live and the actor may know of it.
    fn visible(&self, by: Actor) -> Result<&KnownProposal, ProposalRefusal> {
        self.known().filter(|known| !known.is_deleted && known.is_visible_to(by)).ok_or(ProposalRefusal::NotFound)
    }

    /// The proposal, if the actor may change it.
    fn owned(&self, by: Actor) -> Result<&KnownProposal, ProposalRefusal> {
        let known = self.visible(by)?;
        if known.is_owned_by(by) { Ok(known) } else { Err(ProposalRefusal::Forbidden) }
    }

    /// The proposal, if the actor may accept or refuse the offer: its client, or an ADMIN on behalf.
    fn signable(&self, by: Actor) -> Result<&KnownProposal, ProposalRefusal> {
        let known = self.visible(by)?;
        let may_sign = matches!(by.role(), Some(Role::Admin | Role::Client));
        if may_sign { Ok(known) } else { Err(ProposalRefusal::Forbidden) }
    }
}

impl KnownProposal {
    fn refuse(&self, command: &'static str) -> Decision {
        Err(ProposalRefusal::InvalidTransition { from: self.status, command })
    }

    fn submitted(
        &self,
        by: Actor,
        at: DateTime<Utc>,
        costing_is_approved: bool,
    ) -> Result<ProposalEvent, ProposalRefusal> {
        if !costing_is_approved {
            return Err(ProposalRefusal::CostingNotApproved);
        }
        let days = Days::new(self.content.validity_days.into());
        let valid_until = at.date_naive().checked_add_days(days).ok_or(VALIDITY_OUT_OF_RANGE)?;
        Ok(ProposalEvent::Submitted { by: by.user(), at, valid_until })
    }

    fn check_valid(&self, valid_until: Option<NaiveDate>, today: NaiveDate) -> Result<(), ProposalRefusal> {
        match valid_until {
            Some(valid_until) if today > valid_until => Err(ProposalRefusal::Expired { valid_until }),
            _ => Ok(()),
        }
    }
}

const VALIDITY_OUT_OF_RANGE: ProposalRefusal =
    ProposalRefusal::ValueOutOfRange { field: "validity_days", min: 1, max: 365 };

fn timeline_weeks(weeks: i64) -> Result<u16, ProposalRefusal> {
    let refusal = ProposalRefusal::ValueOutOfRange { field: "timeline_weeks", min: 1, max: 260 };
    u16::try_from(weeks).ok().filter(|weeks| (1..=260).contains(weeks)).ok_or(refusal)
}

fn validity_days(days: i64) -> Result<u16, ProposalRefusal> {
    u16::try_from(days).ok().filter(|days| (1..=365).contains(days)).ok_or(VALIDITY_OUT_OF_RANGE)
}

/// Each becomes a milestone, so their number is bounded.
fn check_deliverables(content: &ProposalContent) -> Result<(), ProposalRefusal> {
    let refusal = ProposalRefusal::ValueOutOfRange { field: "deliverables", min: 0, max: 100 };
    if content.deliverables.len() > 100 { Err(refusal) } else { Ok(()) }
}
