//! What may be done with a company, and when it is refused.

use cqrs_es::{Aggregate, event_sink::EventSink};
use kernel::{Actor, CascadeId, Change, CompanyId, Issued, Reference};

use super::{Company, CompanyChanges, CompanyCommand, CompanyDetails, CompanyEvent, CompanyRefusal, NewCompany};

type Decision = Result<Option<CompanyEvent>, CompanyRefusal>;

impl Aggregate for Company {
    const TYPE: &'static str = "company";
    type Command = Issued<CompanyCommand>;
    type Event = CompanyEvent;
    type Error = CompanyRefusal;
    type Services = ();

    async fn handle(&mut self, issued: Self::Command, (): &(), sink: &EventSink<Self>) -> Result<(), CompanyRefusal> {
        let Issued { by, command, .. } = issued;
        let event = match command {
            CompanyCommand::Create(new) => self.create(by, new)?,
            CompanyCommand::ChangeDetails(changes) => self.change_details(by, changes)?,
            CompanyCommand::Delete { cascade } => self.delete(by, cascade)?,
            CompanyCommand::Restore => self.restore(by)?,
        };
        if let Some(event) = event {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: CompanyEvent) {
        self.record(event);
    }
}

impl Company {
    fn create(&self, by: Actor, new: NewCompany) -> Decision {
        only_admin(by)?;
        let Self::NotYet = self else { return Err(CompanyRefusal::AlreadyExists) };
        let details = CompanyDetails {
            name: new.name,
            code: new.code,
            industry_id: new.industry.map(|industry| referred(industry, None, "industry_id")).transpose()?,
            country: new.country,
            address: new.address,
            website: new.website,
            parent_id: new.parent.map(|parent| referred(parent, None, "parent_id")).transpose()?,
            is_active: new.is_active,
        };
        not_own_parent(new.id, &details)?;
        Ok(Some(CompanyEvent::Created { id: new.id, details }))
    }

    fn change_details(&self, by: Actor, changes: CompanyChanges) -> Decision {
        only_admin(by)?;
        let Self::Known { id, details: old, deleted: None } = self else { return Err(CompanyRefusal::NotFound) };
        let new = CompanyDetails {
            name: changes.name.unwrap_or_else(|| old.name.clone()),
            code: changes.code.over(old.code.clone()),
            industry_id: changed(changes.industry, old.industry_id, "industry_id")?,
            country: changes.country.over(old.country.clone()),
            address: changes.address.over(old.address.clone()),
            website: changes.website.over(old.website.clone()),
            parent_id: changed(changes.parent, old.parent_id, "parent_id")?,
            is_active: changes.is_active.unwrap_or(old.is_active),
        };
        not_own_parent(*id, &new)?;
        // A change to what already is so is no event.
        Ok((new != *old).then_some(CompanyEvent::DetailsChanged(new)))
    }

    fn delete(&self, by: Actor, cascade: CascadeId) -> Decision {
        only_admin(by)?;
        match self {
            Self::NotYet => Err(CompanyRefusal::NotFound),
            Self::Known { deleted, .. } => Ok(deleted.is_none().then_some(CompanyEvent::Deleted { cascade })),
        }
    }

    fn restore(&self, by: Actor) -> Decision {
        only_admin(by)?;
        match self {
            Self::NotYet => Err(CompanyRefusal::NotFound),
            Self::Known { deleted, .. } => Ok(deleted.clone().map(|cascade| CompanyEvent::Restored { cascade })),
        }
    }
}

fn only_admin(by: Actor) -> Result<(), CompanyRefusal> {
    if by.is_admin() { Ok(()) } else { Err(CompanyRefusal::Forbidden) }
}

fn referred<I: Copy + PartialEq>(
    reference: Reference<I>,
    old: Option<I>,
    field: &'static str,
) -> Result<I, CompanyRefusal> {
    reference.over(old).ok_or(CompanyRefusal::InactiveReference { field })
}

fn changed<I: Copy + PartialEq>(
    change: Change<Reference<I>>,
    old: Option<I>,
    field: &'static str,
) -> Result<Option<I>, CompanyRefusal> {
    match change {
        Change::Keep => Ok(old),
        Change::Clear => Ok(None),
        Change::Set(reference) => referred(reference, old, field).map(Some),
    }
}

fn not_own_parent(id: CompanyId, details: &CompanyDetails) -> Result<(), CompanyRefusal> {
    if details.parent_id == Some(id) { Err(CompanyRefusal::OwnParent) } else { Ok(()) }
}
