use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use kernel::{
    CascadeId, CommentId, OpportunityId, QuestionId, Role, RunId, SolutionCostingId, Text, UserId, VerticalId,
    domain_event,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AnswerChange, ClientTeam, Comment, Details, Pins, Signature, Status};
use crate::{
    business_case::Opportunity,
    questionnaire::{Question, QuestionSet, ValidationRule},
    report::Report,
};

/// What happened to an assessment. `by` is `None` where the system acted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum AssessmentEvent {
    Created(Box<Created>),
    /// The details as they are from now on.
    DetailsUpdated(Box<Details>),
    VerticalAdded {
        vertical_id: VerticalId,
        questions: Vec<Question>,
        rules: Vec<ValidationRule>,
    },
    /// The vertical's questions, rules and opportunities went with it.
    VerticalRemoved {
        vertical_id: VerticalId,
        /// The questions whose answers went too.
        dropped_answers: Vec<QuestionId>,
    },
    /// Questions of an uploaded file, new ones and new wordings of old ones.
    QuestionsImported {
        questions: Vec<Question>,
        by: Option<UserId>,
    },
    /// Only what differs, with the old and the new value.
    AnswersSubmitted {
        answers: Vec<AnswerChange>,
        by: Option<UserId>,
        at: DateTime<Utc>,
    },
    CommentAdded(Box<Comment>),
    CommentResolved {
        comment_id: CommentId,
        by: Option<UserId>,
        at: DateTime<Utc>,
    },
    AnalysisRequested {
        run_id: RunId,
        /// See `digest`.
        answers_hash: String,
        #[serde(flatten)]
        pins: Pins,
        by: Option<UserId>,
        at: DateTime<Utc>,
    },
    AnalysisStepCompleted {
        run_id: RunId,
        step: u8,
        step_name: String,
        /// Percent.
        progress: u8,
    },
    /// The report, with the opportunities as they are from now on.
    AnalysisCompleted {
        run_id: RunId,
        report: Box<Report>,
        /// Who asked for the run, and therefore cannot sign.
        requested_by: Option<UserId>,
        at: DateTime<Utc>,
    },
    AnalysisFailed {
        run_id: RunId,
        step: u8,
        code: Text<1, 100>,
        message: Text<0, 4000>,
        /// The state it came from.
        back_to: Status,
        at: DateTime<Utc>,
    },
    AnalysisCancelled {
        run_id: RunId,
        back_to: Status,
        by: Option<UserId>,
        at: DateTime<Utc>,
    },
    Approved(Box<Signature>),
    /// By the last signature, or by an ADMIN (`overridden`, with the reason).
    Locked {
        overridden: bool,
        reason: Option<Text<1, 1000>>,
        by: Option<UserId>,
        at: DateTime<Utc>,
    },
    /// All signatures are void.
    ReworkRequested {
        comments: Vec<Comment>,
        /// The sections of the questions that the comments name.
        section_ids: Vec<String>,
        /// Where the wizard stands now.
        current_step: u16,
        by: Option<UserId>,
        by_role: Option<Role>,
        at: DateTime<Utc>,
    },
    Reopened {
        reason: Text<1, 1000>,
        current_step: u16,
        by: Option<UserId>,
        at: DateTime<Utc>,
    },
    /// `recomputed`: others whose figures moved with it.
    OpportunityAdded {
        opportunity: Box<Opportunity>,
        recomputed: Vec<Opportunity>,
        by: Option<UserId>,
    },
    OpportunityChanged {
        opportunity: Box<Opportunity>,
        recomputed: Vec<Opportunity>,
        by: Option<UserId>,
    },
    OpportunityRemoved {
        opportunity_id: OpportunityId,
        recomputed: Vec<Opportunity>,
        by: Option<UserId>,
    },
    OpportunitiesClaimed {
        costing_id: SolutionCostingId,
        opportunity_ids: BTreeSet<OpportunityId>,
    },
    CostingApprovalRecorded {
        costing_id: SolutionCostingId,
    },
    OpportunitiesReleased {
        costing_id: SolutionCostingId,
        opportunity_ids: BTreeSet<OpportunityId>,
    },
    ParticipantsRecorded(ClientTeam),
    Deleted {
        cascade: CascadeId,
        by: Option<UserId>,
    },
    Restored {
        cascade: CascadeId,
        by: Option<UserId>,
    },
}

/// An assessment at its beginning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Created {
    pub details: Details,
    /// The client's user.
    pub client: UserId,
    pub team: ClientTeam,
    pub vertical_ids: Vec<VerticalId>,
    /// The bank as it was; later changes of it do not reach this assessment.
    pub questions: QuestionSet,
    /// Who signs, in this order.
    pub approval_policy: Vec<Role>,
    pub by: Option<UserId>,
}

domain_event!(AssessmentEvent:
    Created => "assessment.created",
    DetailsUpdated => "assessment.details_updated",
    VerticalAdded => "assessment.vertical_added",
    VerticalRemoved => "assessment.vertical_removed",
    QuestionsImported => "assessment.questions_imported",
    AnswersSubmitted => "assessment.answers_submitted",
    CommentAdded => "assessment.comment_added",
    CommentResolved => "assessment.comment_resolved",
    AnalysisRequested => "assessment.analysis_requested",
    AnalysisStepCompleted => "assessment.analysis_step_completed",
    AnalysisCompleted => "assessment.analysis_completed",
    AnalysisFailed => "assessment.analysis_failed",
    AnalysisCancelled => "assessment.analysis_cancelled",
    Approved => "assessment.approved",
    Locked => "assessment.locked",
    ReworkRequested => "assessment.rework_requested",
    Reopened => "assessment.reopened",
    OpportunityAdded => "assessment.opportunity_added",
    OpportunityChanged => "assessment.opportunity_changed",
    OpportunityRemoved => "assessment.opportunity_removed",
    OpportunitiesClaimed => "assessment.opportunities_claimed",
    CostingApprovalRecorded => "assessment.costing_approval_recorded",
    OpportunitiesReleased => "assessment.opportunities_released",
    ParticipantsRecorded => "assessment.participants_recorded",
    Deleted => "assessment.deleted",
    Restored => "assessment.restored",
);
