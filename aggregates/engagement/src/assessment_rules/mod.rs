//! What the commands to an assessment decide, a file a topic.
//!
//! Refusals come in the order of spec 0: the row is not there for the actor, the actor may not, the state does not admit
//! it, then what is wrong with the payload.

mod analysis;
mod answering;
mod commenting;
mod costings;
mod details;
mod lifecycle;
mod opportunities;
mod reading;
mod signing;

use chrono::{DateTime, Utc};
use kernel::{Actor, Role, UserId};

use crate::assessment::{Assessment, AssessmentEvent, AssessmentRefusal, Profile, Verb};

/// What a command comes to; nothing when it is done already.
pub(crate) type Decision = Result<Vec<AssessmentEvent>, AssessmentRefusal>;

/// Who commands, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Issue {
    pub(crate) by: Actor,
    pub(crate) at: DateTime<Utc>,
}

impl Issue {
    pub(crate) const fn user(self) -> Option<UserId> {
        self.by.user()
    }

    /// # Errors
    /// `Forbidden` for everybody but the system.
    pub(crate) fn only_system(self) -> Result<(), AssessmentRefusal> {
        if self.by == Actor::System { Ok(()) } else { Err(AssessmentRefusal::Forbidden) }
    }

    /// # Errors
    /// `Forbidden` for everybody but ADMIN and the system.
    pub(crate) fn only_admin(self) -> Result<(), AssessmentRefusal> {
        if self.by.is_admin() { Ok(()) } else { Err(AssessmentRefusal::Forbidden) }
    }

    /// # Errors
    /// `Forbidden` for REVIEWER and CLIENT.
    pub(crate) fn only_consulting(self) -> Result<(), AssessmentRefusal> {
        if self.by.role() == Some(Role::Consultant) { Ok(()) } else { self.only_admin() }
    }
}

impl Assessment {
    /// The profile, if the assessment exists for the actor.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn seen_by(&self, actor: Actor) -> Result<&Profile, AssessmentRefusal> {
        self.header.live().filter(|profile| profile.can_see(actor)).ok_or(AssessmentRefusal::NotFound)
    }

    /// The profile, if the actor manages the assessment.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`.
    pub(crate) fn managed_by(&self, actor: Actor) -> Result<&Profile, AssessmentRefusal> {
        let profile = self.seen_by(actor)?;
        if profile.may_manage(actor) { Ok(profile) } else { Err(AssessmentRefusal::Forbidden) }
    }

    /// The profile for bookkeeping, which goes on while the assessment is deleted.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn booked_by(&self, actor: Actor) -> Result<&Profile, AssessmentRefusal> {
        self.header.known().filter(|profile| profile.can_see(actor)).ok_or(AssessmentRefusal::NotFound)
    }
}

impl Profile {
    /// # Errors
    /// `InvalidTransition` when the state does not admit the verb.
    pub(crate) fn admit(&self, verb: Verb) -> Result<(), AssessmentRefusal> {
        if verb.is_allowed_in(self.status) {
            Ok(())
        } else {
            Err(AssessmentRefusal::InvalidTransition { from: self.status, verb })
        }
    }
}
