//! Deletion, and the facts about the client that decide who sees the assessment.

use std::collections::BTreeSet;

use kernel::{CascadeId, UserId};

use super::{Decision, Issue};
use crate::assessment::{Assessment, AssessmentEvent, AssessmentRefusal, ClientTeam, Pairing};

impl Assessment {
    pub(crate) fn record_participants(
        &self,
        issue: Issue,
        reviewer: Option<UserId>,
        pairs: BTreeSet<Pairing>,
    ) -> Decision {
        let profile = self.booked_by(issue.by)?;
        issue.only_system()?;
        let new = ClientTeam { reviewer, pairs };
        Ok(if new == profile.team { vec![] } else { vec![AssessmentEvent::ParticipantsRecorded(new)] })
    }

    pub(crate) fn delete(&self, issue: Issue, cascade: CascadeId, blocked_by_project: bool) -> Decision {
        let profile = self.booked_by(issue.by)?;
        issue.only_admin()?;
        if profile.deleted.is_some() {
            return Ok(vec![]);
        }
        if blocked_by_project {
            return Err(AssessmentRefusal::ActiveProject);
        }
        Ok(vec![AssessmentEvent::Deleted { cascade, by: issue.user() }])
    }

    pub(crate) fn restore(&self, issue: Issue, cascade: Option<&CascadeId>) -> Decision {
        let profile = self.booked_by(issue.by)?;
        issue.only_admin()?;
        Ok(match &profile.deleted {
            Some(deletion) if cascade.is_none_or(|cascade| *cascade == deletion.cascade) => {
                vec![AssessmentEvent::Restored { cascade: deletion.cascade.clone(), by: issue.user() }]
            }
            // It is there already, or something else deleted it.
            _ => vec![],
        })
    }
}
