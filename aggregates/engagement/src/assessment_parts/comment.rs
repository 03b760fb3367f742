use chrono::{DateTime, Utc};
use kernel::{CommentId, QuestionId, Role, Text, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a comment was written (spec 8.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CommentKind {
    Feedback,
    /// It came with the request to rework.
    Rework,
    /// It answers another comment.
    Reply,
}

/// A remark on an assessment or on one of its questions; the assessment's id is put beside it where it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Comment {
    pub id: CommentId,
    pub question: Option<QuestionId>,
    pub comment_text: Text<1, 4000>,
    /// `None`: the system.
    pub author: Option<UserId>,
    pub author_role: Option<Role>,
    pub kind: CommentKind,
    pub parent_id: Option<CommentId>,
    pub resolved_at: Option<DateTime<Utc>>,
    pub resolved_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
}

impl Comment {
    /// It asks for something that nobody has done yet; replies ask for nothing.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.kind != CommentKind::Reply && self.resolved_at.is_none()
    }

    #[must_use]
    pub fn is_open_rework(&self) -> bool {
        self.kind == CommentKind::Rework && self.is_open()
    }
}
