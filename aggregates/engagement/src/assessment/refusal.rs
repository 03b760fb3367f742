use std::borrow::Cow;

use kernel::{Kind, OpportunityId, Refusal, Role, SolutionCostingId};
use serde_json::{Map, Value, json};

use super::{Status, Verb};
use crate::questionnaire::ValidationResult;

/// Which rule of an assessment a command broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssessmentRefusal {
    #[error("there is no such assessment")]
    NotFound,
    #[error("the assessment exists already")]
    AlreadyExists,
    #[error("you may not do this to the assessment")]
    Forbidden,
    #[error("clients cannot answer this assessment")]
    ClientCannotAnswer,
    #[error("who submitted an assessment cannot sign it")]
    SelfApproval,
    #[error("a {} assessment does not admit {}", from.as_str(), verb.as_str())]
    InvalidTransition { from: Status, verb: Verb },
    #[error("an analysis is running already")]
    AnalysisAlreadyRunning,
    #[error("the run is not the current one")]
    RunNotCurrent,
    #[error("step {due} of the analysis is due")]
    StepOutOfOrder { due: u8 },
    #[error("comments that ask for rework are not resolved: {open}")]
    UnresolvedComments { open: usize },
    #[error("the answers do not pass validation")]
    ValidationFailed(Box<ValidationResult>),
    #[error("a signature has been given; have the assessment rejected first")]
    ApprovalGiven,
    #[error("you have signed already")]
    AlreadySigned,
    #[error("the next signature is that of {}", due.as_str())]
    SignatureOutOfOrder { due: Role },
    #[error("a comment is required")]
    CommentRequired,
    #[error("a costing of the assessment is approved")]
    DownstreamApproved,
    #[error("the assessment is not completed")]
    NotReady { status: Status },
    #[error("opportunity {opportunity} is in costing {costing}")]
    OpportunityInUse { opportunity: OpportunityId, costing: SolutionCostingId },
    #[error("opportunity {0} does not belong to the assessment")]
    UnknownOpportunity(OpportunityId),
    #[error("opportunity {0} was not found by the last analysis any more")]
    StaleOpportunity(OpportunityId),
    #[error("the costing has claimed no opportunity")]
    NothingClaimed,
    #[error("a project of the assessment is in progress")]
    ActiveProject,
    #[error("the answers of the vertical would be lost: {answers}; confirm it")]
    ConfirmationRequired { answers: usize },
    #[error("{message}")]
    Invalid { code: &'static str, field: Cow<'static, str>, message: String },
}

impl AssessmentRefusal {
    /// A member of the payload that breaks a rule of its own.
    pub(crate) fn invalid(code: &'static str, field: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::Invalid { code, field: field.into(), message: message.into() }
    }
}

impl Refusal for AssessmentRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Forbidden | Self::ClientCannotAnswer | Self::SelfApproval => Kind::Forbidden,
            Self::AlreadyExists
            | Self::InvalidTransition { .. }
            | Self::AnalysisAlreadyRunning
            | Self::RunNotCurrent
            | Self::StepOutOfOrder { .. }
            | Self::UnresolvedComments { .. }
            | Self::ApprovalGiven
            | Self::AlreadySigned
            | Self::SignatureOutOfOrder { .. }
            | Self::DownstreamApproved
            | Self::NotReady { .. }
            | Self::OpportunityInUse { .. }
            | Self::ActiveProject => Kind::Conflict,
            Self::ValidationFailed(_)
            | Self::CommentRequired
            | Self::UnknownOpportunity(_)
            | Self::StaleOpportunity(_)
            | Self::NothingClaimed
            | Self::ConfirmationRequired { .. }
            | Self::Invalid { .. } => Kind::Unprocessable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::Forbidden => "FORBIDDEN",
            Self::ClientCannotAnswer => "CLIENT_CANNOT_ANSWER",
            Self::SelfApproval => "SELF_APPROVAL",
            Self::InvalidTransition { .. } => "INVALID_TRANSITION",
            Self::AnalysisAlreadyRunning => "ANALYSIS_ALREADY_RUNNING",
            Self::RunNotCurrent => "RUN_NOT_CURRENT",
            Self::StepOutOfOrder { .. } => "STEP_OUT_OF_ORDER",
            Self::UnresolvedComments { .. } => "UNRESOLVED_COMMENTS",
            Self::ValidationFailed(_) => "VALIDATION_FAILED",
            Self::ApprovalGiven => "APPROVAL_GIVEN",
            Self::AlreadySigned => "ALREADY_SIGNED",
            Self::SignatureOutOfOrder { .. } => "SIGNATURE_OUT_OF_ORDER",
            Self::CommentRequired => "COMMENT_REQUIRED",
            Self::DownstreamApproved => "DOWNSTREAM_APPROVED",
            Self::NotReady { .. } => "ASSESSMENT_NOT_READY",
            Self::OpportunityInUse { .. } => "OPPORTUNITY_IN_USE",
            Self::UnknownOpportunity(_) => "UNKNOWN_OPPORTUNITY",
            Self::StaleOpportunity(_) => "STALE_OPPORTUNITY",
            Self::NothingClaimed => "NOTHING_CLAIMED",
            Self::ActiveProject => "ACTIVE_PROJECT",
            Self::ConfirmationRequired { .. } => "CONFIRMATION_REQUIRED",
            Self::Invalid { code, .. } => code,
        }
    }

    fn field(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::CommentRequired => Some(Cow::Borrowed("comment")),
            Self::UnknownOpportunity(_) | Self::StaleOpportunity(_) => Some(Cow::Borrowed("assessment_opportunities")),
            Self::ConfirmationRequired { .. } => Some(Cow::Borrowed("confirm")),
            Self::Invalid { field, .. } => Some(field.clone()),
            _ => None,
        }
    }

    fn members(&self) -> Map<String, Value> {
        let members = match self {
            Self::InvalidTransition { from, verb } => json!({
                "from": from.as_str(),
                "command": verb.as_str(),
                "allowed": Verb::allowed_in(*from).map(Verb::as_str).collect::<Vec<_>>(),
            }),
            Self::ValidationFailed(result) => json!({ "validation": result }),
            Self::StepOutOfOrder { due } => json!({ "due": due }),
            Self::SignatureOutOfOrder { due } => json!({ "due": due }),
            Self::UnresolvedComments { open } => json!({ "open": open }),
            Self::NotReady { status } => json!({ "status": status }),
            Self::ConfirmationRequired { answers } => json!({ "answers": answers }),
            Self::OpportunityInUse { opportunity, costing } => {
                json!({ "opportunity": opportunity, "costing": costing })
            }
            _ => return Map::new(),
        };
        match members {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }
}
