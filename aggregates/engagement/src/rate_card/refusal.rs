use std::borrow::Cow;

use kernel::{Kind, Refusal};
use serde_json::{Map, Value, json};

use crate::pricing::{CardStatus, OutOfRange};

/// Which rule of a rate card a command broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RateCardRefusal {
    #[error("there is no such rate card")]
    NotFound,
    #[error("the rate card exists already")]
    AlreadyExists,
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("a card that is {} cannot become {}", from.as_str(), to.as_str())]
    InvalidTransition { from: CardStatus, to: CardStatus },
    #[error("the rates of an archived card are fixed")]
    Archived,
    #[error("{0} is not active")]
    InactiveReference(&'static str),
    #[error("there is no such role")]
    UnknownRole { field: String },
    #[error("the role stands twice in the list")]
    DuplicateRole { field: String },
    #[error("the day rate is outside the role's band; give an override with a reason")]
    DayRateOutOfBand { field: String },
    #[error("effective_to is before effective_from")]
    EndsBeforeItStarts,
    #[error("the assessment is of another client")]
    AssessmentOfAnotherClient,
    #[error("{field} is out of range")]
    ValueOutOfRange { field: Cow<'static, str> },
}

impl From<OutOfRange> for RateCardRefusal {
    fn from(OutOfRange { field }: OutOfRange) -> Self {
        Self::ValueOutOfRange { field }
    }
}

impl Refusal for RateCardRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Forbidden(_) => Kind::Forbidden,
            Self::AlreadyExists | Self::InvalidTransition { .. } | Self::Archived => Kind::Conflict,
            _ => Kind::Unprocessable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::Forbidden(_) => "FORBIDDEN",
            Self::InvalidTransition { .. } => "INVALID_TRANSITION",
            Self::Archived => "RATE_CARD_ARCHIVED",
            Self::InactiveReference(_) => "INACTIVE_REFERENCE",
            Self::UnknownRole { .. } => "UNKNOWN_REFERENCE",
            Self::DuplicateRole { .. } => "DUPLICATE_ROLE",
            Self::DayRateOutOfBand { .. } => "DAY_RATE_OUT_OF_BAND",
            Self::EndsBeforeItStarts => "END_BEFORE_START",
            Self::AssessmentOfAnotherClient => "ASSESSMENT_OF_ANOTHER_CLIENT",
            Self::ValueOutOfRange { .. } => "VALUE_OUT_OF_RANGE",
        }
    }

    fn field(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::InvalidTransition { .. } => Some("status".into()),
            Self::InactiveReference(field) => Some((*field).into()),
            Self::UnknownRole { field } | Self::DuplicateRole { field } | Self::DayRateOutOfBand { field } => {
                Some(field.clone().into())
            }
            Self::EndsBeforeItStarts => Some("effective_to".into()),
            Self::AssessmentOfAnotherClient => Some("assessment".into()),
            Self::ValueOutOfRange { field } => Some(field.clone()),
            Self::NotFound | Self::AlreadyExists | Self::Forbidden(_) | Self::Archived => None,
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
