use std::borrow::Cow;

use chrono::NaiveDate;
use kernel::{Kind, Refusal};
use serde_json::{Map, Value, json};

use super::ProposalStatus;

/// Which rule of a proposal a command broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposalRefusal {
    #[error("there is no such proposal")]
    NotFound,
    #[error("the proposal exists already")]
    AlreadyExists,
    #[error("this may not be done by you")]
    Forbidden,
    #[error("who created a proposal cannot approve it")]
    OwnProposal,
    #[error("a proposal that is {} allows no {command}", from.as_str())]
    InvalidTransition { from: ProposalStatus, command: &'static str },
    #[error("the proposal was valid until {valid_until}")]
    Expired { valid_until: NaiveDate },
    #[error("the proposal is valid until {valid_until}")]
    StillValid { valid_until: NaiveDate },
    #[error("the costing is not approved")]
    CostingNotApproved,
    #[error("its project is in progress")]
    ActiveProject,
    #[error("an approval on behalf of the client needs a comment")]
    CommentRequired,
    #[error("must be {min} to {max}")]
    ValueOutOfRange { field: &'static str, min: i64, max: i64 },
}

impl Refusal for ProposalRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Forbidden | Self::OwnProposal => Kind::Forbidden,
            Self::AlreadyExists
            | Self::InvalidTransition { .. }
            | Self::Expired { .. }
            | Self::StillValid { .. }
            | Self::ActiveProject => Kind::Conflict,
            Self::CostingNotApproved | Self::CommentRequired | Self::ValueOutOfRange { .. } => Kind::Unprocessable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::Forbidden | Self::OwnProposal => "FORBIDDEN",
            Self::InvalidTransition { .. } => "INVALID_TRANSITION",
            Self::Expired { .. } => "PROPOSAL_EXPIRED",
            Self::StillValid { .. } => "PROPOSAL_STILL_VALID",
            Self::CostingNotApproved => "COSTING_NOT_APPROVED",
            Self::ActiveProject => "ACTIVE_PROJECT",
            Self::CommentRequired => "COMMENT_REQUIRED",
            Self::ValueOutOfRange { .. } => "VALUE_OUT_OF_RANGE",
        }
    }

    fn field(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::CostingNotApproved => Some(Cow::Borrowed("solution_costing_id")),
            Self::CommentRequired => Some(Cow::Borrowed("comment")),
            Self::ValueOutOfRange { field, .. } => Some(Cow::Borrowed(field)),
            _ => None,
        }
    }

    fn members(&self) -> Map<String, Value> {
        let members = match self {
            Self::InvalidTransition { from, command } => {
                json!({"from": from.as_str(), "command": command, "allowed": from.allowed()})
            }
            Self::Expired { valid_until } | Self::StillValid { valid_until } => json!({"valid_until": valid_until}),
            _ => Value::Null,
        };
        if let Value::Object(members) = members { members } else { Map::new() }
    }
}
