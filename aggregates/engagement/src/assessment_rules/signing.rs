//! Approval, rework, lock and reopening.

use std::collections::BTreeSet;

use kernel::{Role, Text};

use super::{Decision, Issue};
use crate::assessment::{
    Assessment, AssessmentEvent, AssessmentRefusal, Comment, CommentKind, NewComment, Profile, Signature, Verb,
};

impl Assessment {
    /// Gives the next signature; the last one locks.
    pub(crate) fn approve(
        &self,
        issue: Issue,
        comment: Option<Text<1, 4000>>,
        allow_admin_self_approval: bool,
    ) -> Decision {
        let profile = self.seen_by(issue.by)?;
        let (Some(by), Some(by_role)) = (issue.user(), issue.by.role()) else {
            return Err(AssessmentRefusal::Forbidden);
        };
        if by_role == Role::Consultant {
            return Err(AssessmentRefusal::Forbidden);
        }
        let is_excused = by_role == Role::Admin && allow_admin_self_approval;
        if profile.analysed_by == Some(by) && !is_excused {
            return Err(AssessmentRefusal::SelfApproval);
        }
        profile.admit(Verb::Approve)?;
        if profile.approvals.iter().any(|signature| signature.by == by) {
            return Err(AssessmentRefusal::AlreadySigned);
        }
        let missing = profile.missing_signers();
        let Some(due) = missing.first().copied() else {
            return Ok(vec![lock(issue, None)]);
        };
        if by_role == Role::Admin {
            // An ADMIN signs instead of another, so he says why.
            if due != Role::Admin && comment.is_none() {
                return Err(AssessmentRefusal::CommentRequired);
            }
        } else if by_role != due {
            return Err(AssessmentRefusal::SignatureOutOfOrder { due });
        }
        let number = profile.approvals.len().saturating_add(1);
        let signature = u8::try_from(number).unwrap_or(u8::MAX);
        let signed = Signature { signature, role: due, by, by_role, at: issue.at, comment };
        let mut events = vec![AssessmentEvent::Approved(Box::new(signed))];
        if missing.len() == 1 {
            events.push(lock(issue, None));
        }
        Ok(events)
    }

    /// Sends the assessment back to rework.
    pub(crate) fn reject(&self, issue: Issue, comments: Vec<NewComment>) -> Decision {
        let profile = self.seen_by(issue.by)?;
        if issue.user().is_none() || issue.by.role() == Some(Role::Consultant) {
            return Err(AssessmentRefusal::Forbidden);
        }
        profile.admit(Verb::Reject)?;
        if comments.is_empty() {
            return Err(AssessmentRefusal::CommentRequired);
        }
        let comments = comments
            .into_iter()
            .map(|new| self.new_comment(issue, new, CommentKind::Rework, None))
            .collect::<Result<Vec<Comment>, _>>()?;
        let sections: BTreeSet<String> = comments
            .iter()
            .filter_map(|comment| self.questions.question(comment.question?)?.section.as_deref())
            .map(ToOwned::to_owned)
            .collect();
        let current_step = self.step_to_rework(profile, &comments);
        Ok(vec![AssessmentEvent::ReworkRequested {
            comments,
            section_ids: sections.into_iter().collect(),
            current_step,
            by: issue.user(),
            by_role: issue.by.role(),
            at: issue.at,
        }])
    }

    pub(crate) fn lock(&self, issue: Issue, reason: Text<1, 1000>) -> Decision {
        let profile = self.seen_by(issue.by)?;
        issue.only_admin()?;
        profile.admit(Verb::Lock)?;
        Ok(vec![lock(issue, Some(reason))])
    }

    pub(crate) fn reopen(&self, issue: Issue, reason: Text<1, 1000>) -> Decision {
        let profile = self.seen_by(issue.by)?;
        issue.only_admin()?;
        profile.admit(Verb::Reopen)?;
        if self.opportunities.has_approved_costing() {
            return Err(AssessmentRefusal::DownstreamApproved);
        }
        let current_step = self.step_to_rework(profile, &[]);
        Ok(vec![AssessmentEvent::Reopened { reason, current_step, by: issue.user(), at: issue.at }])
    }

    /// The lowest step that has an open comment on one of its questions, never a later one than now (spec 8.1).
    fn step_to_rework(&self, profile: &Profile, new: &[Comment]) -> u16 {
        self.comments
            .iter()
            .chain(new)
            .filter(|comment| comment.is_open())
            .filter_map(|comment| self.questions.question(comment.question?))
            .map(|question| question.step.max(1))
            .chain([profile.details.current_step])
            .min()
            .unwrap_or(profile.details.current_step)
    }
}

fn lock(issue: Issue, reason: Option<Text<1, 1000>>) -> AssessmentEvent {
    AssessmentEvent::Locked { overridden: reason.is_some(), reason, by: issue.user(), at: issue.at }
}
