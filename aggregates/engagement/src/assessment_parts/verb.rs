use super::Status;

/// What can be asked of an assessment, by the names of spec 8.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    UpdateDetails,
    AddVertical,
    RemoveVertical,
    UploadQuestions,
    SubmitAnswers,
    AddComment,
    ResolveComment,
    RunAnalysis,
    /// `RunAnalysis` with `force: true`.
    ForceAnalysis,
    RecordAnalysisStep,
    CompleteAnalysis,
    FailAnalysis,
    CancelAnalysis,
    Approve,
    Reject,
    Lock,
    Reopen,
    AddOpportunity,
    ChangeOpportunity,
    RemoveOpportunity,
}

impl Verb {
    pub const ALL: [Self; 20] = [
        Self::UpdateDetails,
        Self::AddVertical,
        Self::RemoveVertical,
        Self::UploadQuestions,
        Self::SubmitAnswers,
        Self::AddComment,
        Self::ResolveComment,
        Self::RunAnalysis,
        Self::ForceAnalysis,
        Self::RecordAnalysisStep,
        Self::CompleteAnalysis,
        Self::FailAnalysis,
        Self::CancelAnalysis,
        Self::Approve,
        Self::Reject,
        Self::Lock,
        Self::Reopen,
        Self::AddOpportunity,
        Self::ChangeOpportunity,
        Self::RemoveOpportunity,
    ];

    /// The name in a refused transition.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UpdateDetails => "UpdateDetails",
            Self::AddVertical => "AddVertical",
            Self::RemoveVertical => "RemoveVertical",
            Self::UploadQuestions => "UploadQuestions",
            Self::SubmitAnswers => "SubmitAnswers",
            Self::AddComment => "AddComment",
            Self::ResolveComment => "ResolveComment",
            Self::RunAnalysis => "RunAnalysis",
            Self::ForceAnalysis => "RunAnalysis(force)",
            Self::RecordAnalysisStep => "RecordAnalysisStep",
            Self::CompleteAnalysis => "CompleteAnalysis",
            Self::FailAnalysis => "FailAnalysis",
            Self::CancelAnalysis => "CancelAnalysis",
            Self::Approve => "ApproveAssessment",
            Self::Reject => "RejectAssessment",
            Self::Lock => "LockAssessment",
            Self::Reopen => "ReopenAssessment",
            Self::AddOpportunity => "AddOpportunity",
            Self::ChangeOpportunity => "ChangeOpportunity",
            Self::RemoveOpportunity => "RemoveOpportunity",
        }
    }

    /// The table of spec 8.3: whether the state admits the verb at all. Guards and roles come on top.
    #[must_use]
    pub const fn is_allowed_in(self, status: Status) -> bool {
        use Status::{Completed, Draft, Locked, Rework, Running};
        match self {
            Self::UpdateDetails
            | Self::AddVertical
            | Self::RemoveVertical
            | Self::UploadQuestions
            | Self::SubmitAnswers
            | Self::RunAnalysis => matches!(status, Draft | Rework),
            Self::AddComment | Self::ResolveComment => !matches!(status, Locked),
            Self::RecordAnalysisStep | Self::CompleteAnalysis | Self::FailAnalysis | Self::CancelAnalysis => {
                matches!(status, Running)
            }
            Self::ForceAnalysis | Self::Approve | Self::Reject | Self::Lock => matches!(status, Completed),
            Self::Reopen => matches!(status, Locked),
            Self::AddOpportunity | Self::ChangeOpportunity | Self::RemoveOpportunity => {
                matches!(status, Draft | Rework | Completed)
            }
        }
    }

    /// All that the state admits.
    pub fn allowed_in(status: Status) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |verb| verb.is_allowed_in(status))
    }
}
