//! Comments (spec 8.4).

use kernel::{CommentId, Role};

use super::{Decision, Issue};
use crate::assessment::{Assessment, AssessmentEvent, AssessmentRefusal, Comment, CommentKind, NewComment, Verb};

impl Assessment {
    pub(crate) fn add_comment(&self, issue: Issue, new: NewComment, parent: Option<CommentId>) -> Decision {
        self.seen_by(issue.by)?.admit(Verb::AddComment)?;
        if self.comment(new.id).is_some() {
            return Ok(vec![]);
        }
        let Some(parent) = parent else {
            return Ok(vec![self.comment_added(issue, new, CommentKind::Feedback, None)?]);
        };
        let Some(answered) = self.comment(parent) else {
            return Err(AssessmentRefusal::invalid("UNKNOWN_COMMENT", "parent_id", "is no comment of the assessment"));
        };
        // A reply belongs to the question that its parent is about, unless it names one.
        let new = NewComment { question: new.question.or(answered.question), ..new };
        Ok(vec![self.comment_added(issue, new, CommentKind::Reply, Some(parent))?])
    }

    fn comment_added(
        &self,
        issue: Issue,
        new: NewComment,
        kind: CommentKind,
        parent: Option<CommentId>,
    ) -> Result<AssessmentEvent, AssessmentRefusal> {
        Ok(AssessmentEvent::CommentAdded(Box::new(self.new_comment(issue, new, kind, parent)?)))
    }

    pub(super) fn new_comment(
        &self,
        issue: Issue,
        new: NewComment,
        kind: CommentKind,
        parent_id: Option<CommentId>,
    ) -> Result<Comment, AssessmentRefusal> {
        if new.question.is_some_and(|question| self.questions.question(question).is_none()) {
            let message = "is no question of the assessment";
            return Err(AssessmentRefusal::invalid("UNKNOWN_QUESTION", "question", message));
        }
        Ok(Comment {
            id: new.id,
            question: new.question,
            comment_text: new.text,
            author: issue.user(),
            author_role: issue.by.role(),
            kind,
            parent_id,
            resolved_at: None,
            resolved_by: None,
            created_at: issue.at,
        })
    }

    /// Staff resolve any comment, a client only his own.
    pub(crate) fn resolve_comment(&self, issue: Issue, id: CommentId) -> Decision {
        let profile = self.seen_by(issue.by)?;
        let comment = self.comment(id).ok_or(AssessmentRefusal::NotFound)?;
        if issue.by.role() == Some(Role::Client) && comment.author != issue.user() {
            return Err(AssessmentRefusal::Forbidden);
        }
        profile.admit(Verb::ResolveComment)?;
        if comment.resolved_at.is_some() {
            return Ok(vec![]);
        }
        Ok(vec![AssessmentEvent::CommentResolved { comment_id: id, by: issue.user(), at: issue.at }])
    }
}
