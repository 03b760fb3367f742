//! What may be done with a costing, and when it is refused (the table of spec 14.2).

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use cqrs_es::{Aggregate, event_sink::EventSink};
use kernel::{Actor, Change, Issued, LineItemId, ProposalId, Role, SolutionCostingId, Text};
use rust_decimal::Decimal;

use super::{
    CostingCommand, CostingCreated, CostingEvent, CostingParameters, CostingRefusal, CostingStatus, KnownCosting,
    NewCosting, OpportunityFacts, ParameterChanges, PricedWith, Repricing, SolutionCosting,
};
use crate::{
    participants::Participants,
    pricing::{
        CardFacts, CardStatus, CostedOpportunity, Line, LineChanges, LineInput, PriceBook, Rate, SolutionCardFacts,
    },
};

type Decision = Result<Vec<CostingEvent>, CostingRefusal>;

const MOST_LINES: usize = 500;
const MOST_OPPORTUNITIES: usize = 200;

impl Aggregate for SolutionCosting {
    const TYPE: &'static str = "solution_costing";
    type Command = Issued<CostingCommand>;
    type Event = CostingEvent;
    type Error = CostingRefusal;
    type Services = ();

    async fn handle(&mut self, issued: Self::Command, (): &(), sink: &EventSink<Self>) -> Result<(), CostingRefusal> {
        let today = issued.today();
        let Issued { by, at, command } = issued;
        let events = match command {
            CostingCommand::Create(new) => self.create(by, today, *new)?,
            CostingCommand::AddLineItem { id, input, cards } => self.add_line_item(by, id, *input, &cards)?,
            CostingCommand::UpdateLineItem { id, changes, cards } => self.update_line_item(by, id, *changes, &cards)?,
            CostingCommand::RemoveLineItem { id } => self.remove_line_item(by, id)?,
            CostingCommand::SetParameters(changes) => self.set_parameters(by, *changes)?,
            CostingCommand::Reprice(repricing) => self.reprice(by, today, *repricing)?,
            CostingCommand::Submit => self.submit(by, at)?,
            CostingCommand::Approve { assessment_is_in_rework, admin_may_approve_own } => {
                self.approve(by, at, assessment_is_in_rework, admin_may_approve_own)?
            }
            CostingCommand::Reject { reason } => self.reject(by, at, reason)?,
            CostingCommand::Revise => self.revise(by)?,
            CostingCommand::Archive => self.archive(by)?,
            CostingCommand::OutdateRateCard { version } => self.outdate_rate_card(by, version)?,
            CostingCommand::LinkProposal { proposal } => self.link_proposal(by, proposal)?,
            CostingCommand::UnlinkProposal { proposal } => self.unlink_proposal(by, proposal)?,
            CostingCommand::DiscloseTotals => self.disclose_totals(by)?,
            CostingCommand::RecordParticipants(participants) => self.record_participants(by, participants)?,
            CostingCommand::Delete { cascade_id, force, project_is_active } => {
                self.delete(by, cascade_id, force, project_is_active)?
            }
            CostingCommand::Restore { cascade_id } => self.restore(by, cascade_id.as_ref())?,
        };
        for event in events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: CostingEvent) {
        self.record(event);
    }
}

impl SolutionCosting {
    fn create(&self, by: Actor, today: NaiveDate, new: NewCosting) -> Decision {
        may_edit(by)?;
        let Self::NotYet = self else { return Err(CostingRefusal::AlreadyExists) };
        let assessment = &new.assessment;
        if assessment.is_deleted || !assessment.participants.include(by) {
            return Err(CostingRefusal::NotFound);
        }
        if !assessment.is_ready {
            return Err(CostingRefusal::AssessmentNotReady);
        }
        let superseded = new.supersedes.as_ref();
        if superseded.is_some_and(|old| !old.is_approved || old.assessment != assessment.id) {
            return Err(CostingRefusal::NotSupersedable);
        }
        let superseded = superseded.map(|old| old.id);
        let opportunities = opportunities(&new, superseded)?;
        let client = assessment.participants.client;
        check_card(&new.rate_card, today, |card| card.fits(assessment.id, client, assessment.region))?;
        check_solution_card(new.solution_rate_card.as_ref(), &new.rate_card)?;
        let parameters = CostingParameters {
            name: new.name,
            pmo_percentage: None,
            support_percentage: None,
            support_years_in_price: None,
            number_of_bots: None,
            number_of_processes: None,
            duration_months: None,
            solution_rate_card: new.solution_rate_card,
        };
        let with = PricedWith { rate_card: new.rate_card, opportunities, parameters: new.assessment.parameters };
        let amounts = with.calculate(&[], &parameters)?;
        Ok(vec![CostingEvent::Created(Box::new(CostingCreated {
            assessment_id: new.assessment.id,
            region_id: new.assessment.region,
            participants: new.assessment.participants,
            parameters,
            with,
            amounts,
            supersedes_id: superseded,
            by: by.user(),
        }))])
    }

    fn add_line_item(&self, by: Actor, id: LineItemId, input: LineInput, cards: &[CardFacts]) -> Decision {
        let known = self.draft(by, "add_line_item")?;
        if known.line(id).is_some() {
            return Err(CostingRefusal::LineItemExists);
        }
        if known.lines.len() >= MOST_LINES {
            return Err(CostingRefusal::TooManyLineItems);
        }
        if !input.is_active() {
            return Err(CostingRefusal::InactiveReference(input.subject().0));
        }
        let line = Box::new(known.priced(id, input, cards)?);
        known.recalculated(vec![CostingEvent::LineItemAdded { line, by: by.user() }])
    }

    fn update_line_item(&self, by: Actor, id: LineItemId, changes: LineChanges, cards: &[CardFacts]) -> Decision {
        let known = self.draft(by, "update_line_item")?;
        let old = known.line(id).ok_or(CostingRefusal::NoSuchLineItem)?;
        let asks_for_another = changes.role.is_some() || changes.component.is_some();
        let input = changes.over(old.input.clone())?;
        // What was in the line before it was switched off may stay there.
        if asks_for_another && !input.is_active() && input.subject() != old.input.subject() {
            return Err(CostingRefusal::InactiveReference(input.subject().0));
        }
        let line = if asks_for_another {
            known.priced(id, input, cards)?
        } else {
            known.priced_at(id, input, old.rate.clone())?
        };
        if line == *old {
            return Ok(vec![]);
        }
        known.recalculated(vec![CostingEvent::LineItemUpdated { line: Box::new(line), by: by.user() }])
    }

    fn remove_line_item(&self, by: Actor, id: LineItemId) -> Decision {
        let known = self.draft(by, "remove_line_item")?;
        known.line(id).ok_or(CostingRefusal::NoSuchLineItem)?;
        known.recalculated(vec![CostingEvent::LineItemRemoved { id, by: by.user() }])
    }

    fn set_parameters(&self, by: Actor, changes: ParameterChanges) -> Decision {
        let known = self.draft(by, "set_parameters")?;
        let old = known.parameters.clone();
        let new = CostingParameters {
            name: changes.name.unwrap_or(old.name),
            pmo_percentage: changes.pmo_percentage.over(old.pmo_percentage),
            support_percentage: changes.support_percentage.over(old.support_percentage),
            support_years_in_price: changes.support_years_in_price.over(old.support_years_in_price),
            number_of_bots: changes.number_of_bots.over(old.number_of_bots),
            number_of_processes: changes.number_of_processes.over(old.number_of_processes),
            duration_months: changes.duration_months.over(old.duration_months),
            solution_rate_card: match changes.solution_rate_card {
                // The same version again is no change; another one is a choice that must be possible.
                Change::Set(card) => {
                    check_solution_card(Some(&card), &known.with.rate_card)?;
                    Some(card)
                }
                keep_or_clear => keep_or_clear.over(old.solution_rate_card),
            },
        };
        if let Some(field) = new.out_of_range() {
            return Err(CostingRefusal::ValueOutOfRange { field: field.into() });
        }
        if new == known.parameters {
            return Ok(vec![]);
        }
        let mut next = known.clone();
        next.parameters = new.clone();
        let set = CostingEvent::ParametersSet { parameters: Box::new(new), by: by.user() };
        let lines = known.lines.iter().map(|line| {
            let rate = next.book(&[]).rate_again(line);
            next.priced_at(line.id, line.input.clone(), rate)
        });
        known.recalculated_with(by, vec![set], lines)
    }

    fn reprice(&self, by: Actor, today: NaiveDate, now: Repricing) -> Decision {
        let known = self.draft(by, "reprice")?;
        check_card(&now.rate_card, today, |card| known.may_use(card))?;
        check_solution_card(now.solution_rate_card.as_ref(), &now.rate_card)?;
        let mut opportunities = known.with.opportunities.clone();
        for opportunity in &mut opportunities {
            if let Some(found) = now.opportunities.iter().find(|found| found.id == opportunity.id) {
                *opportunity = found.clone();
            }
        }
        let with = PricedWith { rate_card: now.rate_card, opportunities, parameters: now.parameters };
        let mut next = known.clone();
        next.with = with.clone();
        next.parameters.solution_rate_card = now.solution_rate_card;
        let mut events = vec![CostingEvent::Repriced { with: Box::new(with), by: by.user() }];
        if next.parameters != known.parameters {
            events.push(CostingEvent::ParametersSet { parameters: Box::new(next.parameters.clone()), by: by.user() });
        }
        let lines = known.lines.iter().map(|line| {
            let work = line.input.work.clone().refreshed(&now.roles, &now.components);
            let input = LineInput { work, ..line.input.clone() };
            next.priced(line.id, input, &now.cards)
        });
        known.recalculated_with(by, events, lines)
    }

    fn submit(&self, by: Actor, at: DateTime<Utc>) -> Decision {
        let known = self.owned(by)?;
        match known.status {
            CostingStatus::Submitted => return Ok(vec![]),
            CostingStatus::Draft => {}
            _ => return known.refuse("submit"),
        }
        if known.lines.is_empty() {
            return Err(CostingRefusal::NoLineItems);
        }
        if known.amounts.totals.total_cost <= Decimal::ZERO {
            return Err(CostingRefusal::NothingToPay);
        }
        Ok(vec![CostingEvent::Submitted { by: by.user(), at }])
    }

    fn approve(&self, by: Actor, at: DateTime<Utc>, is_in_rework: bool, admin_may_approve_own: bool) -> Decision {
        let known = self.judged(by)?;
        let own = by.user().is_some() && (known.submitted_by == by.user() || known.last_edited_by == by.user());
        if own && !(by.is_admin() && admin_may_approve_own) {
            return Err(CostingRefusal::OwnCosting);
        }
        match known.status {
            CostingStatus::Approved => Ok(vec![]),
            CostingStatus::Submitted if is_in_rework => Err(CostingRefusal::AssessmentNotReady),
            CostingStatus::Submitted => {
                let amounts = Box::new(known.amounts.clone());
                Ok(vec![CostingEvent::Approved { by: by.user(), at, amounts }])
            }
            _ => known.refuse("approve"),
        }
    }

    fn reject(&self, by: Actor, at: DateTime<Utc>, reason: Text<1, 4000>) -> Decision {
        let known = self.judged(by)?;
        match known.status {
            CostingStatus::Rejected => Ok(vec![]),
            CostingStatus::Submitted => Ok(vec![CostingEvent::Rejected { by: by.user(), at, reason }]),
            _ => known.refuse("reject"),
        }
    }

    fn revise(&self, by: Actor) -> Decision {
        let known = self.owned(by)?;
        match known.status {
            CostingStatus::Draft => Ok(vec![]),
            CostingStatus::Rejected => Ok(vec![CostingEvent::Revised { by: by.user() }]),
            _ => known.refuse("revise"),
        }
    }

    fn archive(&self, by: Actor) -> Decision {
        let known = self.admins(by)?;
        match (known.status, known.proposal_id) {
            (CostingStatus::Archived, _) => Ok(vec![]),
            (CostingStatus::Approved, Some(proposal)) => Err(CostingRefusal::AlreadyProposed { proposal }),
            (CostingStatus::Approved, None) => Ok(vec![CostingEvent::Archived { by: by.user() }]),
            _ => known.refuse("archive"),
        }
    }

    fn outdate_rate_card(&self, by: Actor, version: u32) -> Decision {
        let known = self.systems(by)?;
        let is_news = version > known.with.rate_card.version && !known.rate_card_outdated;
        let is_open = known.status == CostingStatus::Draft && !known.is_deleted;
        Ok(if is_news && is_open { vec![CostingEvent::RateCardOutdated { version }] } else { vec![] })
    }

    /// Whoever may make a proposal may link it; that is decided by the proposal, in the same append.
    fn link_proposal(&self, by: Actor, proposal: ProposalId) -> Decision {
        let known = self.visible(by)?;
        match known.proposal_id {
            Some(linked) if linked == proposal => Ok(vec![]),
            _ if known.status != CostingStatus::Approved => Err(CostingRefusal::NotApproved),
            Some(proposal) => Err(CostingRefusal::AlreadyProposed { proposal }),
            None => Ok(vec![CostingEvent::ProposalLinked { proposal_id: proposal }]),
        }
    }

    fn unlink_proposal(&self, by: Actor, proposal: ProposalId) -> Decision {
        let known = self.known().filter(|known| known.can_see(by)).ok_or(CostingRefusal::NotFound)?;
        let is_linked = known.proposal_id == Some(proposal);
        Ok(if is_linked { vec![CostingEvent::ProposalUnlinked { proposal_id: proposal }] } else { vec![] })
    }

    fn disclose_totals(&self, by: Actor) -> Decision {
        let known = self.known().filter(|known| known.can_see(by)).ok_or(CostingRefusal::NotFound)?;
        Ok(if known.is_disclosed { vec![] } else { vec![CostingEvent::TotalsDisclosed] })
    }

    fn record_participants(&self, by: Actor, participants: Participants) -> Decision {
        let known = self.systems(by)?;
        let unchanged = known.participants == participants;
        Ok(if unchanged { vec![] } else { vec![CostingEvent::ParticipantsChanged(participants)] })
    }

    /// An owner may drop what was never approved; anything else is ADMIN's, or follows from a parent.
    fn delete(&self, by: Actor, cascade_id: Option<Text<1, 64>>, force: bool, project_is_active: bool) -> Decision {
        may_edit(by)?;
        let known = self.known().filter(|known| known.can_see(by)).ok_or(CostingRefusal::NotFound)?;
        if known.is_deleted {
            return if by.is_admin() { Ok(vec![]) } else { Err(CostingRefusal::NotFound) };
        }
        let is_own = known.is_owned_by(by) && matches!(known.status, CostingStatus::Draft | CostingStatus::Rejected);
        if !by.is_admin() && !is_own {
            return Err(CostingRefusal::Forbidden);
        }
        if project_is_active && !(force && by.is_admin()) {
            return Err(CostingRefusal::ActiveProject);
        }
        Ok(vec![CostingEvent::Deleted { cascade_id }])
    }

    fn restore(&self, by: Actor, cascade_id: Option<&Text<1, 64>>) -> Decision {
        let known = self.known().ok_or(CostingRefusal::NotFound)?;
        if !by.is_admin() {
            return Err(CostingRefusal::Forbidden);
        }
        let removed_by_it = cascade_id.is_none() || cascade_id == known.cascade_id.as_ref();
        Ok(if known.is_deleted && removed_by_it { vec![CostingEvent::Restored] } else { vec![] })
    }

    /// The costing, if it is live and the actor may know of it.
    fn visible(&self, by: Actor) -> Result<&KnownCosting, CostingRefusal> {
        self.known().filter(|known| !known.is_deleted && known.can_see(by)).ok_or(CostingRefusal::NotFound)
    }

    fn owned(&self, by: Actor) -> Result<&KnownCosting, CostingRefusal> {
        may_edit(by)?;
        let known = self.visible(by)?;
        if known.is_owned_by(by) { Ok(known) } else { Err(CostingRefusal::Forbidden) }
    }

    /// The costing, if the actor may work on it now.
    fn draft(&self, by: Actor, command: &'static str) -> Result<&KnownCosting, CostingRefusal> {
        let known = self.owned(by)?;
        let is_draft = known.status == CostingStatus::Draft;
        if is_draft { Ok(known) } else { Err(CostingRefusal::InvalidTransition { from: known.status, command }) }
    }

    /// The costing, if the actor may approve or reject one: the client's reviewer, or ADMIN.
    fn judged(&self, by: Actor) -> Result<&KnownCosting, CostingRefusal> {
        let may_judge = by.is_admin() || by.role() == Some(Role::Reviewer);
        if may_judge { self.visible(by) } else { Err(CostingRefusal::Forbidden) }
    }

    fn admins(&self, by: Actor) -> Result<&KnownCosting, CostingRefusal> {
        if by.is_admin() { self.visible(by) } else { Err(CostingRefusal::Forbidden) }
    }

    fn systems(&self, by: Actor) -> Result<&KnownCosting, CostingRefusal> {
        let known = self.known().ok_or(CostingRefusal::NotFound)?;
        if by == Actor::System { Ok(known) } else { Err(CostingRefusal::Forbidden) }
    }
}

impl KnownCosting {
    fn refuse(&self, command: &'static str) -> Decision {
        Err(CostingRefusal::InvalidTransition { from: self.status, command })
    }

    fn may_use(&self, card: &CardFacts) -> bool {
        card.fits(self.assessment_id, self.participants.client, self.region_id)
    }

    /// A line with the rate that holds now.
    fn priced(&self, id: LineItemId, input: LineInput, cards: &[CardFacts]) -> Result<Line, CostingRefusal> {
        let rate = self.book(cards).rate(&input.work);
        self.priced_at(id, input, rate)
    }

    fn priced_at(&self, id: LineItemId, input: LineInput, rate: Rate) -> Result<Line, CostingRefusal> {
        input.check()?;
        if input.opportunity_id.is_some_and(|id| !self.opportunity_ids().contains(&id)) {
            return Err(CostingRefusal::ForeignOpportunity);
        }
        Ok(Line::price(id, input, rate, self.parameters.solution_rate_card.as_ref())?)
    }

    fn book<'a>(&'a self, others: &'a [CardFacts]) -> PriceBook<'a> {
        PriceBook {
            card: &self.with.rate_card,
            solution_card: self.parameters.solution_rate_card.as_ref(),
            others,
            place: (self.assessment_id, self.participants.client, self.region_id),
        }
    }

    /// The events, the lines that come out otherwise than they were, and the amounts that follow.
    fn recalculated_with(
        &self,
        by: Actor,
        mut events: Vec<CostingEvent>,
        lines: impl Iterator<Item = Result<Line, CostingRefusal>>,
    ) -> Decision {
        for line in lines {
            let line = line?;
            if !self.lines.contains(&line) {
                events.push(CostingEvent::LineItemUpdated { line: Box::new(line), by: by.user() });
            }
        }
        self.recalculated(events)
    }

    fn recalculated(&self, mut events: Vec<CostingEvent>) -> Decision {
        let mut next = self.clone();
        events.iter().cloned().for_each(|event| next.record(event));
        let amounts = next.calculate()?;
        if amounts != self.amounts {
            events.push(CostingEvent::Recalculated(Box::new(amounts)));
        }
        Ok(events)
    }
}

/// Only ADMIN and CONSULTANT work on costings.
fn may_edit(by: Actor) -> Result<(), CostingRefusal> {
    let never = matches!(by.role(), Some(Role::Reviewer | Role::Client));
    if never { Err(CostingRefusal::Forbidden) } else { Ok(()) }
}

/// The opportunities of a new costing, if all are there, of its assessment, and in no other live costing.
fn opportunities(
    new: &NewCosting,
    superseded: Option<SolutionCostingId>,
) -> Result<Vec<CostedOpportunity>, CostingRefusal> {
    let distinct: BTreeSet<_> = new.opportunities.iter().map(|opportunity| opportunity.id).collect();
    if distinct.len() != new.opportunities.len() || !(1..=MOST_OPPORTUNITIES).contains(&distinct.len()) {
        return Err(CostingRefusal::BadOpportunities);
    }
    let check = |opportunity: &OpportunityFacts| {
        let id = opportunity.id;
        let found = opportunity.found.as_ref().ok_or(CostingRefusal::UnknownOpportunity(id))?;
        if found.assessment != new.assessment.id {
            return Err(CostingRefusal::DifferentAssessments);
        }
        match found.costed_by.filter(|costing| Some(*costing) != superseded) {
            Some(costing) => Err(CostingRefusal::AlreadyCosted { opportunity: id, costing }),
            None => Ok(CostedOpportunity { id, gross_savings: found.gross_savings }),
        }
    };
    new.opportunities.iter().map(check).collect()
}

fn check_card(card: &CardFacts, today: NaiveDate, fits: impl Fn(&CardFacts) -> bool) -> Result<(), CostingRefusal> {
    let field = "rate_card";
    if !card.is_in_force(today) {
        return Err(CostingRefusal::RateCardNotActive { field });
    }
    if fits(card) { Ok(()) } else { Err(CostingRefusal::RateCardNotUsable { field }) }
}

/// A solution rate card must be in force and of the same currency.
fn check_solution_card(card: Option<&SolutionCardFacts>, base: &CardFacts) -> Result<(), CostingRefusal> {
    let field = "solution_rate_card";
    match card {
        Some(card) if card.status != CardStatus::Active => Err(CostingRefusal::RateCardNotActive { field }),
        Some(card) if card.currency != base.currency => Err(CostingRefusal::RateCardNotUsable { field }),
        _ => Ok(()),
    }
}
