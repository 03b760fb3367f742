use std::borrow::Cow;

use kernel::{Kind, Refusal};

/// Which rule of a user a command broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserRefusal {
    #[error("there is no such user")]
    NotFound,
    #[error("you may not do this to that user")]
    Forbidden,
    #[error("the user exists already")]
    AlreadyExists,
    #[error("an ADMIN cannot deactivate, delete or demote itself")]
    OwnAccount,
    #[error("the user is deactivated")]
    Inactive,
    #[error("the user may not sign in")]
    MayNotSignIn,
    #[error("a user cannot be its own parent")]
    OwnParent,
    #[error("this refers to something that is inactive or does not exist")]
    InactiveReference { field: &'static str },
}

impl Refusal for UserRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Forbidden | Self::MayNotSignIn => Kind::Forbidden,
            Self::AlreadyExists | Self::OwnAccount | Self::Inactive => Kind::Conflict,
            Self::OwnParent | Self::InactiveReference { .. } => Kind::Unprocessable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Forbidden => "FORBIDDEN",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::OwnAccount => "OWN_ACCOUNT",
            Self::Inactive => "USER_INACTIVE",
            Self::MayNotSignIn => "MAY_NOT_SIGN_IN",
            Self::OwnParent => "OWN_PARENT",
            Self::InactiveReference { .. } => "INACTIVE_REFERENCE",
        }
    }

    fn field(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::OwnParent => Some(Cow::Borrowed("parent")),
            Self::InactiveReference { field } => Some(Cow::Borrowed(*field)),
            _ => None,
        }
    }
}
