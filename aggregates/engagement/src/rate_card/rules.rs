//! What may be done with a rate card, and when it is refused.

use std::collections::BTreeSet;

use cqrs_es::{Aggregate, event_sink::EventSink};
use kernel::{Actor, Issued, RateCardId, Role};
use rust_decimal::Decimal;

use super::{
    CardChanges, CardScope, CardState, NewRateCard, RateCard, RateCardCommand, RateCardDetails, RateCardEvent,
    RateCardRefusal, RoleRate, Staff,
};
use crate::pricing::{CardRole, CardStatus, RoleFacts, RoleType, is_amount, loaded_annual, loaded_day};

type Decision = Result<Vec<RateCardEvent>, RateCardRefusal>;

impl Aggregate for RateCard {
    const TYPE: &'static str = "rate_card";
    type Command = Issued<RateCardCommand>;
    type Event = RateCardEvent;
    type Error = RateCardRefusal;
    type Services = ();

    async fn handle(&mut self, issued: Self::Command, (): &(), sink: &EventSink<Self>) -> Result<(), RateCardRefusal> {
        let by = issued.by;
        let events = match issued.command {
            RateCardCommand::Create(new) => self.create(by, new)?,
            RateCardCommand::Revise { changes, roles, staff } => self.revise(by, changes, &roles, &staff)?,
            RateCardCommand::Supersede { newer } => self.supersede(newer)?,
        };
        for event in events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: RateCardEvent) {
        self.record(event);
    }
}

/// REVIEWER reads, CLIENT does not even that.
fn may_write(by: Actor) -> Result<(), RateCardRefusal> {
    match by.role() {
        None | Some(Role::Admin | Role::Consultant) => Ok(()),
        Some(Role::Reviewer | Role::Client) => {
            Err(RateCardRefusal::Forbidden("only ADMIN and CONSULTANT write rate cards"))
        }
    }
}

const STANDARD_IS_ADMINS: RateCardRefusal =
    RateCardRefusal::Forbidden("a consultant writes only cards of a client or an assessment");

impl RateCard {
    fn create(&self, by: Actor, new: NewRateCard) -> Decision {
        may_write(by)?;
        let Self::NotYet = self else { return Err(RateCardRefusal::AlreadyExists) };
        may_scope(by, &new)?;
        for (is_active, field) in [
            (new.region.is_active, "region"),
            (new.currency.is_active, "currency"),
            (new.client.as_ref().is_none_or(|client| client.is_active), "client"),
            (new.assessment.as_ref().is_none_or(|assessment| !assessment.is_deleted), "assessment"),
        ] {
            if !is_active {
                return Err(RateCardRefusal::InactiveReference(field));
            }
        }
        if let (Some(client), Some(assessment)) = (&new.client, &new.assessment)
            && client.id != assessment.client
        {
            return Err(RateCardRefusal::AssessmentOfAnotherClient);
        }
        let details =
            RateCardDetails { name: new.name, effective_from: new.effective_from, effective_to: new.effective_to };
        check_dates(&details)?;
        Ok(vec![RateCardEvent::Created {
            details,
            currency_id: new.currency.id,
            region_id: new.region.id,
            client_id: new.client.map(|client| client.id),
            assessment_id: new.assessment.map(|assessment| assessment.id),
            by: by.user(),
        }])
    }

    fn revise(&self, by: Actor, changes: CardChanges, facts: &[RoleFacts], staff: &Staff) -> Decision {
        may_write(by)?;
        let card = self.known().filter(|card| card.can_see(by, staff)).ok_or(RateCardRefusal::NotFound)?;
        if card.scope() == CardScope::Standard && !by.is_admin() {
            return Err(STANDARD_IS_ADMINS);
        }
        let turn = card.turn_to(changes.status)?;
        let details = RateCardDetails {
            name: changes.name.unwrap_or_else(|| card.details.name.clone()),
            effective_from: changes.effective_from.over(card.details.effective_from),
            effective_to: changes.effective_to.over(card.details.effective_to),
        };
        check_dates(&details)?;
        let mut roles = card.list(RoleType::Operations, changes.operations_roles, facts)?;
        roles.extend(card.list(RoleType::Consultant, changes.consultant_roles, facts)?);
        let mut events = Vec::new();
        if details != card.details {
            events.push(RateCardEvent::DetailsChanged(details));
        }
        if roles != card.roles {
            let version = card.version.checked_add(1);
            let version = version.ok_or(RateCardRefusal::ValueOutOfRange { field: "version".into() })?;
            events.push(RateCardEvent::Revised { version, roles });
        }
        if card.status == CardStatus::Archived && !events.is_empty() {
            return Err(RateCardRefusal::Archived);
        }
        events.extend(turn);
        Ok(events)
    }

    fn supersede(&self, newer: RateCardId) -> Decision {
        let card = self.known().ok_or(RateCardRefusal::NotFound)?;
        Ok(match card.status {
            CardStatus::Active => vec![RateCardEvent::Superseded { newer }],
            CardStatus::Archived => Vec::new(),
            CardStatus::Draft => {
                return Err(RateCardRefusal::InvalidTransition { from: CardStatus::Draft, to: CardStatus::Archived });
            }
        })
    }
}

/// A consultant's card belongs to a client or an assessment that the consultant works for.
fn may_scope(by: Actor, new: &NewRateCard) -> Result<(), RateCardRefusal> {
    if new.client.is_none() && new.assessment.is_none() && !by.is_admin() {
        return Err(STANDARD_IS_ADMINS);
    }
    let of_client = new.client.as_ref().is_some_and(|client| client.staff.includes(by));
    let of_assessment = new.assessment.as_ref().is_some_and(|assessment| assessment.staff.includes(by));
    if by.is_admin() || of_client || of_assessment { Ok(()) } else { Err(RateCardRefusal::NotFound) }
}

fn check_dates(details: &RateCardDetails) -> Result<(), RateCardRefusal> {
    match (details.effective_from, details.effective_to) {
        (Some(from), Some(to)) if to < from => Err(RateCardRefusal::EndsBeforeItStarts),
        _ => Ok(()),
    }
}

impl CardState {
    fn turn_to(&self, status: Option<CardStatus>) -> Result<Option<RateCardEvent>, RateCardRefusal> {
        let Some(to) = status.filter(|to| *to != self.status) else { return Ok(None) };
        match (self.status, to) {
            (CardStatus::Draft, CardStatus::Active) => Ok(Some(RateCardEvent::Activated)),
            (CardStatus::Active, CardStatus::Archived) => Ok(Some(RateCardEvent::Archived)),
            (from, to) => Err(RateCardRefusal::InvalidTransition { from, to }),
        }
    }

    /// The list of one type after a change: replaced whole when given, else as it was.
    fn list(
        &self,
        of: RoleType,
        given: Option<Vec<RoleRate>>,
        facts: &[RoleFacts],
    ) -> Result<Vec<CardRole>, RateCardRefusal> {
        let Some(given) = given else {
            return Ok(self.roles.iter().filter(|entry| entry.role.role_type() == of).cloned().collect());
        };
        let list = match of {
            RoleType::Operations => "operations_roles",
            RoleType::Consultant => "consultant_roles",
        };
        let mut seen = BTreeSet::new();
        let mut entries = Vec::with_capacity(given.len());
        for (index, rate) in given.into_iter().enumerate() {
            let member = |name: &str| format!("{list}[{index}].{name}");
            let facts = facts.iter().find(|facts| facts.role == rate.role && rate.role.role_type() == of);
            let facts = facts.ok_or_else(|| RateCardRefusal::UnknownRole { field: member("role_id") })?;
            if !seen.insert(rate.role) {
                return Err(RateCardRefusal::DuplicateRole { field: member("role_id") });
            }
            // An entry that was there before its role was switched off may stay.
            if !facts.is_active && !self.roles.iter().any(|entry| entry.role == rate.role) {
                return Err(RateCardRefusal::InactiveReference(list));
            }
            entries.push(entry(rate, facts, &member)?);
        }
        Ok(entries)
    }
}

/// Overheads above the salary itself exist; ten times it is a slip.
fn is_surcharge(percentage: Decimal) -> bool {
    (Decimal::ZERO..=Decimal::ONE_THOUSAND).contains(&percentage)
}

fn entry(rate: RoleRate, facts: &RoleFacts, member: &dyn Fn(&str) -> String) -> Result<CardRole, RateCardRefusal> {
    let out_of_range = |name: &str| RateCardRefusal::ValueOutOfRange { field: member(name).into() };
    let amounts =
        [(Some(rate.day_rate), "day_rate"), (rate.base_salary, "base_salary"), (rate.cost_day_rate, "cost_day_rate")];
    if let Some((_, name)) = amounts.iter().find(|(value, _)| value.is_some_and(|value| !is_amount(value))) {
        return Err(out_of_range(name));
    }
    for (value, name) in
        [(rate.benefit_percentage, "benefit_percentage"), (rate.overhead_percentage, "overhead_percentage")]
    {
        if value.is_some_and(|value| !is_surcharge(value)) {
            return Err(out_of_range(name));
        }
    }
    if rate.number_of_days.is_some_and(|days| !(1..=31).contains(&days)) {
        return Err(out_of_range("number_of_days"));
    }
    let in_band = (facts.day_rate_min..=facts.day_rate_max).contains(&rate.day_rate);
    let is_excused = rate.is_override && rate.reason.is_some();
    if !in_band && !is_excused {
        return Err(RateCardRefusal::DayRateOutOfBand { field: member("day_rate") });
    }
    let days = rate.number_of_days.or(facts.number_of_days);
    let cost_day_rate = match (rate.cost_day_rate, rate.base_salary, days) {
        (Some(given), _, _) => Some(kernel::money(given)),
        (None, Some(salary), Some(days)) => {
            let of = |percentage: Option<Decimal>| percentage.unwrap_or_default();
            loaded_day(loaded_annual(salary, of(rate.benefit_percentage), of(rate.overhead_percentage))?, days)?
        }
        _ => None,
    };
    Ok(CardRole {
        role: rate.role,
        day_rate: kernel::money(rate.day_rate),
        number_of_days: days,
        base_salary: rate.base_salary.map(kernel::money),
        benefit_percentage: rate.benefit_percentage.map(kernel::percent),
        overhead_percentage: rate.overhead_percentage.map(kernel::percent),
        cost_day_rate,
        is_override: rate.is_override,
        reason: rate.reason,
    })
}
