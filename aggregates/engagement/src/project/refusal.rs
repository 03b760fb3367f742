use std::borrow::Cow;

use kernel::{Kind, Refusal};
use serde_json::{Map, Value, json};

use super::Stage;

/// Which rule of a project a command broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectRefusal {
    #[error("there is no such project")]
    NotFound,
    #[error("the project has no such {0}")]
    NoSuchPart(&'static str),
    #[error("the project exists already")]
    AlreadyExists,
    #[error("this may not be done by you")]
    Forbidden,
    #[error("from {} it cannot become {}", from.as_str(), to.as_str())]
    InvalidTransition { from: Stage, to: Stage },
    #[error("the project is closed")]
    Closed,
    #[error("the project is in progress")]
    ActiveProject,
    #[error("the expense is reversed already")]
    AlreadyReversed,
    #[error("a reversal cannot be reversed")]
    ReversalNotReversible,
    #[error("not all milestones are done or skipped")]
    OpenMilestones,
    #[error("needs a reason")]
    ReasonRequired,
    #[error("a status is either set by hand or automatic")]
    AutoOrManual,
    #[error("status and percent contradict each other")]
    MilestoneInconsistent,
    #[error("the expense goes beyond the budget")]
    BudgetExceeded,
    #[error("the end lies before the start")]
    EndBeforeStart,
    #[error("is not the project's proposal")]
    OtherProposal,
    #[error("fewer ids than needed came with the command")]
    IdsMissing,
    #[error("is out of range")]
    ValueOutOfRange { field: &'static str },
}

impl Refusal for ProjectRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound | Self::NoSuchPart(_) => Kind::NotFound,
            Self::Forbidden => Kind::Forbidden,
            Self::AlreadyExists
            | Self::InvalidTransition { .. }
            | Self::Closed
            | Self::ActiveProject
            | Self::AlreadyReversed
            | Self::ReversalNotReversible => Kind::Conflict,
            _ => Kind::Unprocessable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound | Self::NoSuchPart(_) => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::Forbidden => "FORBIDDEN",
            Self::InvalidTransition { .. } => "INVALID_TRANSITION",
            Self::Closed => "PROJECT_CLOSED",
            Self::ActiveProject => "ACTIVE_PROJECT",
            Self::AlreadyReversed => "ALREADY_REVERSED",
            Self::ReversalNotReversible => "REVERSAL_NOT_REVERSIBLE",
            Self::OpenMilestones => "OPEN_MILESTONES",
            Self::ReasonRequired => "REASON_REQUIRED",
            Self::AutoOrManual => "AUTO_OR_MANUAL",
            Self::MilestoneInconsistent => "MILESTONE_INCONSISTENT",
            Self::BudgetExceeded => "BUDGET_EXCEEDED",
            Self::EndBeforeStart => "END_BEFORE_START",
            Self::OtherProposal => "OTHER_PROPOSAL",
            Self::IdsMissing => "IDS_MISSING",
            Self::ValueOutOfRange { .. } => "VALUE_OUT_OF_RANGE",
        }
    }

    fn field(&self) -> Option<Cow<'static, str>> {
        let field = match self {
            Self::ValueOutOfRange { field } => field,
            Self::OpenMilestones => "stage",
            Self::ReasonRequired => "reason",
            Self::AutoOrManual => "auto",
            Self::MilestoneInconsistent => "percent",
            Self::BudgetExceeded => "amount",
            Self::EndBeforeStart => "end_date",
            Self::OtherProposal => "proposal",
            _ => return None,
        };
        Some(Cow::Borrowed(field))
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        if let Self::InvalidTransition { from, to } = self {
            members.insert("from".to_owned(), json!(from.as_str()));
            members.insert("command".to_owned(), json!("change_status"));
            members.insert("to".to_owned(), json!(to.as_str()));
            members.insert("allowed".to_owned(), json!(from.next()));
        }
        members
    }
}
