//! What may be done with a look-up, and when it is refused.

use cqrs_es::{Aggregate, event_sink::EventSink};
use kernel::Issued;

use super::{Lookup, LookupCommand, LookupEvent, LookupRefusal};
use crate::LookupKind;

type Decision<K> = Result<Option<LookupEvent<K>>, LookupRefusal>;

impl<K: LookupKind> Aggregate for Lookup<K> {
    const TYPE: &'static str = K::TYPE;
    type Command = Issued<LookupCommand<K>>;
    type Event = LookupEvent<K>;
    type Error = LookupRefusal;
    type Services = ();

    async fn handle(&mut self, issued: Self::Command, (): &(), sink: &EventSink<Self>) -> Result<(), LookupRefusal> {
        let Issued { by, command, .. } = issued;
        // A use comes of somebody else's command, e.g. a consultant's new rate card.
        if !by.is_admin() && !matches!(command, LookupCommand::RecordUse) {
            return Err(LookupRefusal::Forbidden);
        }
        let event = match command {
            LookupCommand::Create(details) => self.create(details)?,
            LookupCommand::Replace(details) => self.replace(details)?,
            LookupCommand::ChangeDetails(changes) => self.change_details(changes)?,
            LookupCommand::RecordUse => self.record_use()?,
            LookupCommand::Delete => self.delete()?,
            LookupCommand::Restore => self.restore()?,
        };
        if let Some(event) = event {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: LookupEvent<K>) {
        self.fold(event);
    }
}

impl<K: LookupKind> Lookup<K> {
    fn create(&self, details: K::Details) -> Decision<K> {
        let Self::NotYet = self else { return Err(LookupRefusal::AlreadyExists) };
        Ok(Some(LookupEvent::Created(K::check(details)?)))
    }

    fn replace(&self, details: K::Details) -> Decision<K> {
        let Self::Known { details: old, is_deleted, .. } = self else { return Err(LookupRefusal::NotFound) };
        let mut new = K::check(details)?;
        if *is_deleted {
            return Ok(None);
        }
        let is_active = K::is_active(old) && K::is_active(&new);
        K::set_active(&mut new, is_active);
        Ok((new != *old).then_some(LookupEvent::DetailsChanged(new)))
    }

    fn change_details(&self, changes: K::Changes) -> Decision<K> {
        let Some(old) = self.live() else { return Err(LookupRefusal::NotFound) };
        let new = K::check(K::change(old, changes))?;
        // A change to what already is so is no event.
        Ok((new != *old).then_some(LookupEvent::DetailsChanged(new)))
    }

    /// Also of what was deleted a moment ago: that it is referred to is a fact by then.
    fn record_use(&self) -> Decision<K> {
        match self {
            Self::NotYet => Err(LookupRefusal::NotFound),
            Self::Known { is_used, .. } => Ok((!is_used).then_some(LookupEvent::Used)),
        }
    }

    fn delete(&self) -> Decision<K> {
        match self {
            Self::NotYet => Err(LookupRefusal::NotFound),
            Self::Known { is_deleted: true, .. } => Ok(None),
            Self::Known { is_used: true, .. } if K::KEPT_ONCE_USED => Err(LookupRefusal::InUse),
            Self::Known { .. } => Ok(Some(LookupEvent::Deleted)),
        }
    }

    fn restore(&self) -> Decision<K> {
        match self {
            Self::NotYet => Err(LookupRefusal::NotFound),
            Self::Known { is_deleted, .. } => Ok(is_deleted.then_some(LookupEvent::Restored)),
        }
    }
}
