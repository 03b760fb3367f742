//! What may be done with a client, and when it is refused.

use std::{borrow::Cow, collections::BTreeSet};

use cqrs_es::{Aggregate, event_sink::EventSink};
use kernel::{Actor, CascadeId, Change, Issued, Personal, Reference, Role, UserId};

use super::refusal::pair_field;
use super::{
    Client, ClientChanges, ClientCommand, ClientDetails, ClientEvent, ClientRefusal, NewClient, Pair, PairFacts,
    Profile, StaffFacts,
};

type Decision = Result<Vec<ClientEvent>, ClientRefusal>;

impl Aggregate for Client {
    const TYPE: &'static str = "client";
    type Command = Issued<ClientCommand>;
    type Event = ClientEvent;
    type Error = ClientRefusal;
    type Services = ();

    async fn handle(&mut self, issued: Self::Command, (): &(), sink: &EventSink<Self>) -> Result<(), ClientRefusal> {
        let Issued { by, command, .. } = issued;
        let events = match command {
            ClientCommand::Provision(new) => self.provision(by, new)?,
            ClientCommand::ChangeDetails(changes) => self.change_details(by, changes)?,
            ClientCommand::Delete { cascade } => self.delete(by, cascade)?,
            ClientCommand::Restore { cascade } => self.restore(by, cascade)?,
        };
        for event in events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: ClientEvent) {
        self.record(event);
    }
}

impl Client {
    fn provision(&self, by: Actor, new: NewClient) -> Decision {
        if !by.is_admin() {
            return Err(ClientRefusal::Forbidden);
        }
        let Self::NotYet = self else { return Err(ClientRefusal::AlreadyExists) };
        Ok(vec![ClientEvent::Provisioned {
            id: new.id,
            user_id: new.user,
            contact_email: Personal::new(new.user, new.contact_email),
            contact_name: Personal::new(new.user, new.contact_name),
            details: ClientDetails {
                company_id: referred(new.company, None, "company_id")?,
                industry_id: new.industry.map(|industry| referred(industry, None, "industry_id")).transpose()?,
            },
            reviewer_id: new.reviewer.map(|reviewer| reviewing(reviewer, None)).transpose()?,
            verticals_and_consultants: paired(&new.verticals_and_consultants, &[])?,
        }])
    }

    /// One event for each sort of fact that differs.
    fn change_details(&self, by: Actor, changes: ClientChanges) -> Decision {
        let profile = self.seen_by_admin(by)?;
        if profile.is_deleted() {
            return Err(ClientRefusal::NotFound);
        }
        let details = changed_details(profile, &changes)?;
        let reviewer_id = match changes.reviewer {
            Change::Keep => profile.reviewer_id,
            Change::Clear => None,
            Change::Set(facts) => Some(reviewing(facts, profile.reviewer_id)?),
        };
        let old = &profile.verticals_and_consultants;
        let pairs = changes.verticals_and_consultants.as_deref().map(|facts| paired(facts, old)).transpose()?;
        let user_id = profile.user_id;
        let events = [
            changed_contact(profile, &changes),
            (details != profile.details).then_some(ClientEvent::DetailsChanged(details)),
            (reviewer_id != profile.reviewer_id).then_some(ClientEvent::ReviewerAssigned { reviewer_id }),
            pairs
                .filter(|new| new != old)
                .map(|verticals_and_consultants| ClientEvent::ConsultantsAssigned { verticals_and_consultants }),
            changes.is_active.filter(|new| *new != profile.is_active).map(|active| {
                if active { ClientEvent::Reactivated { user_id } } else { ClientEvent::Deactivated { user_id } }
            }),
        ];
        Ok(events.into_iter().flatten().collect())
    }

    fn delete(&self, by: Actor, cascade: CascadeId) -> Decision {
        let profile = self.seen_by_admin(by)?;
        if profile.is_deleted() {
            return Ok(vec![]);
        }
        Ok(vec![ClientEvent::Deleted { user_id: profile.user_id, cascade }])
    }

    /// A cascade undoes only what it did itself; somebody's own wish undoes anything.
    fn restore(&self, by: Actor, cascade: Option<CascadeId>) -> Decision {
        let profile = self.seen_by_admin(by)?;
        let undone = profile.deleted.clone().filter(|done| cascade.is_none_or(|cascade| *done == cascade));
        let restored = undone.map(|cascade| ClientEvent::Restored { user_id: profile.user_id, cascade });
        Ok(restored.into_iter().collect())
    }

    fn seen_by_admin(&self, by: Actor) -> Result<&Profile, ClientRefusal> {
        let profile = self.known().ok_or(ClientRefusal::NotFound)?;
        if by.is_admin() {
            Ok(profile)
        } else if by.user().is_some_and(|user| profile.concerns(user)) {
            Err(ClientRefusal::Forbidden)
        } else {
            // Who has nothing to do with a client may not know that there is one.
            Err(ClientRefusal::NotFound)
        }
    }
}

impl Profile {
    /// Whether the user is the client, its reviewer or one of its consultants.
    #[must_use]
    pub fn concerns(&self, user: UserId) -> bool {
        self.user_id == user
            || self.reviewer_id == Some(user)
            || self.verticals_and_consultants.iter().any(|pair| pair.consultant_id == user)
    }
}

fn changed_details(profile: &Profile, changes: &ClientChanges) -> Result<ClientDetails, ClientRefusal> {
    let old = profile.details;
    Ok(ClientDetails {
        company_id: match changes.company {
            None => old.company_id,
            Some(company) => referred(company, Some(old.company_id), "company_id")?,
        },
        industry_id: match changes.industry {
            Change::Keep => old.industry_id,
            Change::Clear => None,
            Change::Set(industry) => Some(referred(industry, old.industry_id, "industry_id")?),
        },
    })
}

fn changed_contact(profile: &Profile, changes: &ClientChanges) -> Option<ClientEvent> {
    let user_id = profile.user_id;
    let email = changes.contact_email.clone().map(|email| Personal::new(user_id, email));
    let name = changes.contact_name.clone().map(|name| Personal::new(user_id, name));
    let contact_email = email.unwrap_or_else(|| profile.contact_email.clone());
    let contact_name = name.unwrap_or_else(|| profile.contact_name.clone());
    let differs = contact_email != profile.contact_email || contact_name != profile.contact_name;
    differs.then_some(ClientEvent::ContactChanged { user_id, contact_email, contact_name })
}

fn referred<I: Copy + PartialEq>(
    reference: Reference<I>,
    old: Option<I>,
    field: &'static str,
) -> Result<I, ClientRefusal> {
    reference.over(old).ok_or(ClientRefusal::InactiveReference { field: Cow::Borrowed(field) })
}

/// The reviewer must have that role; a new one must be active too.
fn reviewing(facts: StaffFacts, old: Option<UserId>) -> Result<UserId, ClientRefusal> {
    if old == Some(facts.id) {
        return Ok(facts.id);
    }
    match facts.role {
        Some(Role::Reviewer) => referred(Reference::new(facts.id, facts.is_active), old, "reviewer_id"),
        Some(_) => Err(ClientRefusal::NotAReviewer),
        None => Err(ClientRefusal::InactiveReference { field: Cow::Borrowed("reviewer_id") }),
    }
}

/// Each vertical once, each consultant one; a pair that was there before may stay as it is.
fn paired(facts: &[PairFacts], old: &[Pair]) -> Result<Vec<Pair>, ClientRefusal> {
    let mut seen = BTreeSet::new();
    let mut pairs = Vec::with_capacity(facts.len());
    for (index, PairFacts { vertical, consultant }) in facts.iter().enumerate() {
        let pair = Pair { vertical_id: vertical.id, consultant_id: consultant.id };
        if !seen.insert(vertical.id) {
            return Err(ClientRefusal::DuplicateVertical { index });
        }
        if !old.contains(&pair) {
            let inactive = |member| ClientRefusal::InactiveReference { field: pair_field(index, member) };
            let known = old.iter().any(|pair| pair.vertical_id == vertical.id);
            if !vertical.is_active && !known {
                return Err(inactive("vertical_id"));
            }
            if consultant.role.is_some_and(|role| role != Role::Consultant) {
                return Err(ClientRefusal::NotAConsultant { index });
            }
            if consultant.role.is_none() || !consultant.is_active {
                return Err(inactive("consultant_id"));
            }
        }
        pairs.push(pair);
    }
    Ok(pairs)
}
