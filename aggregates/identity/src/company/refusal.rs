use std::borrow::Cow;

use kernel::{Kind, Refusal};

/// Which rule of a company a command broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompanyRefusal {
    #[error("there is no such company")]
    NotFound,
    #[error("only an ADMIN may change companies")]
    Forbidden,
    #[error("the company exists already")]
    AlreadyExists,
    #[error("a company cannot be its own parent")]
    OwnParent,
    #[error("this refers to something that is inactive or does not exist")]
    InactiveReference { field: &'static str },
}

impl Refusal for CompanyRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Forbidden => Kind::Forbidden,
            Self::AlreadyExists => Kind::Conflict,
            Self::OwnParent | Self::InactiveReference { .. } => Kind::Unprocessable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Forbidden => "FORBIDDEN",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::OwnParent => "OWN_PARENT",
            Self::InactiveReference { .. } => "INACTIVE_REFERENCE",
        }
    }

    fn field(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::OwnParent => Some(Cow::Borrowed("parent_id")),
            Self::InactiveReference { field } => Some(Cow::Borrowed(*field)),
            _ => None,
        }
    }
}
