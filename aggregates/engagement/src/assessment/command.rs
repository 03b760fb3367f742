use std::collections::{BTreeMap, BTreeSet};

use kernel::{
    AssessmentId, CascadeId, Change, CommentId, IndustryTypeId, OpportunityId, QuestionId, Reference, RegionId, Role,
    RunId, SolutionCostingId, Text, UserId, VerticalId,
};

use super::{InputMethod, Pairing, Pins, SubmittedAnswer};
use crate::{
    business_case::{OpportunityChanges, OpportunityInput, Parameters},
    questionnaire::{BenchmarkFact, Question, QuestionSet},
    report::Report,
};

/// What can be asked of an assessment. That its name is unique for its client is kept by a reservation, outside.
#[derive(Debug, Clone, PartialEq)]
pub enum AssessmentCommand {
    Create(Box<NewAssessment>),
    UpdateDetails(Box<DetailChanges>),
    AddVertical(Box<NewVertical>),
    /// `confirm`: the answers to its questions may go too.
    RemoveVertical {
        vertical: VerticalId,
        confirm: bool,
    },
    /// Questions of an uploaded file, read against this assessment's snapshot, with the answers beside them.
    UploadQuestions {
        questions: Vec<Question>,
        answers: Vec<SubmittedAnswer>,
    },
    SubmitAnswers {
        answers: Vec<SubmittedAnswer>,
    },
    AddComment {
        comment: NewComment,
        parent: Option<CommentId>,
    },
    ResolveComment {
        comment: CommentId,
    },
    RunAnalysis(Box<AnalysisOrder>),
    RecordAnalysisStep {
        run: RunId,
        /// 1 to 5.
        step: u8,
    },
    /// The run's last word; `report.run_id` says whose.
    CompleteAnalysis {
        report: Box<Report>,
    },
    FailAnalysis {
        run: RunId,
        /// The step that failed, 1 to 5.
        step: u8,
        code: Text<1, 100>,
        message: Text<0, 4000>,
    },
    /// Fails the run when its 30 minutes are over, else does nothing.
    TimeOutAnalysis {
        run: RunId,
    },
    CancelAnalysis,
    Approve {
        comment: Option<Text<1, 4000>>,
        /// Configuration: an ADMIN may sign what he submitted himself.
        allow_admin_self_approval: bool,
    },
    /// Sends the assessment back; at least one comment says why.
    Reject {
        comments: Vec<NewComment>,
    },
    Lock {
        reason: Text<1, 1000>,
    },
    Reopen {
        reason: Text<1, 1000>,
    },
    AddOpportunity {
        id: OpportunityId,
        assessment: AssessmentId,
        input: Box<OpportunityInput>,
    },
    ChangeOpportunity {
        id: OpportunityId,
        changes: Box<OpportunityChanges>,
    },
    RemoveOpportunity {
        id: OpportunityId,
    },
    /// Goes with the creation, revision or restoration of the costing, in one append.
    ClaimOpportunities {
        costing: SolutionCostingId,
        opportunities: BTreeSet<OpportunityId>,
        /// The approved costing whose place it is to take, and whose opportunities it may therefore share.
        supersedes: Option<SolutionCostingId>,
    },
    /// Goes with the approval of the costing, in one append.
    RecordCostingApproval {
        costing: SolutionCostingId,
    },
    /// Goes with the rejection, archiving or deletion of the costing.
    ReleaseOpportunities {
        costing: SolutionCostingId,
    },
    /// The client's reviewer and pairs, as they are from now on.
    RecordParticipants {
        reviewer: Option<UserId>,
        pairs: BTreeSet<Pairing>,
    },
    Delete {
        cascade: CascadeId,
        /// Whether a project that came of it is in progress, which only `force` overrides.
        has_active_project: bool,
        force: bool,
    },
    /// `None`: whatever it was deleted by. A cascade brings back only what it deleted itself.
    Restore {
        cascade: Option<CascadeId>,
    },
}

/// A new assessment and what was learned about all that it names.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAssessment {
    pub name: Text<1, 200>,
    pub client: ClientFacts,
    pub managed_by: ManagerFacts,
    pub industry_type: Option<Reference<IndustryTypeId>>,
    pub region: Option<Reference<RegionId>>,
    pub verticals: Vec<Reference<VerticalId>>,
    pub input_method: InputMethod,
    pub client_can_answer: bool,
    pub current_step: u16,
    pub total_steps: u16,
    pub ble_parameters: Parameters,
    /// The bank's questions of the verticals, and the shared ones.
    pub questions: QuestionSet,
    /// Who signs, in this order.
    pub approval_policy: Vec<Role>,
}

/// The client as it is when the assessment is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFacts {
    pub user: UserId,
    /// It exists, and its user is an active CLIENT.
    pub is_active: bool,
    pub reviewer: Option<UserId>,
    pub pairs: BTreeSet<Pairing>,
}

/// Who is to manage the assessment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManagerFacts {
    pub user: UserId,
    /// `None`: there is no such user.
    pub role: Option<Role>,
    pub is_active: bool,
}

/// A partial update: what is kept is absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DetailChanges {
    pub name: Option<Text<1, 200>>,
    pub managed_by: Option<ManagerFacts>,
    pub industry_type: Change<Reference<IndustryTypeId>>,
    pub region: Change<Reference<RegionId>>,
    pub input_method: Option<InputMethod>,
    pub client_can_answer: Option<bool>,
    pub current_step: Option<u16>,
    pub total_steps: Option<u16>,
    pub ble_parameters: Option<Parameters>,
    /// The verticals as they are to be, whole: what is new is added, what is missing removed.
    pub verticals: Option<Vec<NewVertical>>,
    /// The answers of a removed vertical may go too.
    pub confirm: bool,
}

/// A vertical to assess, with the bank's questions and rules of it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVertical {
    pub vertical: Reference<VerticalId>,
    pub questions: QuestionSet,
}

/// What somebody remarks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewComment {
    pub id: CommentId,
    pub question: Option<QuestionId>,
    pub text: Text<1, 4000>,
}

/// Asks for an analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisOrder {
    pub assessment: AssessmentId,
    pub run: RunId,
    /// Also when there is a report already.
    pub force: bool,
    pub pins: Pins,
    /// What validation knows of the benchmarks that fit.
    pub benchmarks: BTreeMap<QuestionId, BenchmarkFact>,
    /// Configuration: unresolved REWORK comments forbid it.
    pub require_comment_resolution: bool,
}
