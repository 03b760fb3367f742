use std::borrow::Cow;

use kernel::{Kind, Refusal};
use serde_json::{Map, Value, json};

use crate::pricing::CardStatus;

/// Which rule of a solution rate card a command broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SolutionRateCardRefusal {
    #[error("there is no such solution rate card")]
    NotFound,
    #[error("the solution rate card exists already")]
    AlreadyExists,
    #[error("a consultant writes only cards of a client or an assessment")]
    Forbidden,
    #[error("a card that is {} cannot become {}", from.as_str(), to.as_str())]
    InvalidTransition { from: CardStatus, to: CardStatus },
    #[error("an archived card is fixed")]
    Archived,
    #[error("{0} is not active")]
    InactiveReference(&'static str),
    #[error("the base rate card is in another currency")]
    OtherCurrency,
    #[error("there is no such component")]
    UnknownComponent { field: String },
    #[error("the component stands twice in the list")]
    DuplicateComponent { field: String },
    #[error("{field} is out of range")]
    ValueOutOfRange { field: Cow<'static, str> },
}

impl Refusal for SolutionRateCardRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Forbidden => Kind::Forbidden,
            Self::AlreadyExists | Self::InvalidTransition { .. } | Self::Archived => Kind::Conflict,
            _ => Kind::Unprocessable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::Forbidden => "FORBIDDEN",
            Self::InvalidTransition { .. } => "INVALID_TRANSITION",
            Self::Archived => "RATE_CARD_ARCHIVED",
            Self::InactiveReference(_) => "INACTIVE_REFERENCE",
            Self::OtherCurrency => "CURRENCY_MISMATCH",
            Self::UnknownComponent { .. } => "UNKNOWN_REFERENCE",
            Self::DuplicateComponent { .. } => "DUPLICATE_COMPONENT",
            Self::ValueOutOfRange { .. } => "VALUE_OUT_OF_RANGE",
        }
    }

    fn field(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::InvalidTransition { .. } => Some("status".into()),
            Self::InactiveReference(field) => Some((*field).into()),
            Self::OtherCurrency => Some("currency".into()),
            Self::UnknownComponent { field } | Self::DuplicateComponent { field } => Some(field.clone().into()),
            Self::ValueOutOfRange { field } => Some(field.clone()),
            Self::NotFound | Self::AlreadyExists | Self::Forbidden | Self::Archived => None,
        }
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        if let Self::InvalidTransition { from, to } = self {
            members.insert("from".to_owned(), json!(from));
            members.insert("command".to_owned(), json!(to));
            members.insert("allowed".to_owned(), json!(from.next().into_iter().collect::<Vec<_>>()));
        }
        members
    }
}
