use std::borrow::Cow;

use kernel::{Kind, Refusal};

/// Which rule of a client a command broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientRefusal {
    #[error("there is no such client")]
    NotFound,
    #[error("only an ADMIN may change clients")]
    Forbidden,
    #[error("the client exists already")]
    AlreadyExists,
    #[error("the reviewer must be a user with role REVIEWER")]
    NotAReviewer,
    #[error("a consultant must be a user with role CONSULTANT")]
    NotAConsultant { index: usize },
    #[error("a vertical may appear only once")]
    DuplicateVertical { index: usize },
    #[error("this refers to something that is inactive or does not exist")]
    InactiveReference { field: Cow<'static, str> },
}

impl Refusal for ClientRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Forbidden => Kind::Forbidden,
            Self::AlreadyExists => Kind::Conflict,
            Self::NotAReviewer
            | Self::NotAConsultant { .. }
            | Self::DuplicateVertical { .. }
            | Self::InactiveReference { .. } => Kind::Unprocessable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Forbidden => "FORBIDDEN",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::NotAReviewer => "NOT_A_REVIEWER",
            Self::NotAConsultant { .. } => "NOT_A_CONSULTANT",
            Self::DuplicateVertical { .. } => "DUPLICATE_VERTICAL",
            Self::InactiveReference { .. } => "INACTIVE_REFERENCE",
        }
    }

    fn field(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::NotAReviewer => Some(Cow::Borrowed("reviewer_id")),
            Self::NotAConsultant { index } => Some(pair_field(*index, "consultant_id")),
            Self::DuplicateVertical { index } => Some(pair_field(*index, "vertical_id")),
            Self::InactiveReference { field } => Some(field.clone()),
            Self::NotFound | Self::Forbidden | Self::AlreadyExists => None,
        }
    }
}

/// The place of a pair's member in the payload, counted from 0.
pub(super) fn pair_field(index: usize, member: &str) -> Cow<'static, str> {
    Cow::Owned(format!("verticals_and_consultants.{index}.{member}"))
}
