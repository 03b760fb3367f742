use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::{CommentId, QuestionId, Resource, RunId, Stamp, VerticalId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    AnalysisRun, AnalysisStatus, AnswerChange, AssessmentEvent, Comment, Created, Deletion, Header, InputMethod,
    OpportunityBook, Profile, RunStatus, Signature, Status,
};
use crate::{
    business_case::Parameters,
    questionnaire::{Answer, Question, QuestionSet, ValidationRule},
    report::{Report, SummaryMetrics},
};

/// An assessment as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    pub(crate) header: Header,
    pub(crate) questions: QuestionSet,
    /// Cleared answers stay, without a value, so that their revisions go on counting.
    pub(crate) answers: BTreeMap<QuestionId, Answer>,
    /// In order of time.
    pub(crate) comments: Vec<Comment>,
    /// In order of time.
    pub(crate) runs: Vec<AnalysisRun>,
    /// The latest.
    pub(crate) report: Option<Box<Report>>,
    pub(crate) opportunities: OpportunityBook,
}

/// An assessment as the API shows it (spec 8.1).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AssessmentView {
    pub id: i64,
    pub name: String,
    /// The client's user.
    pub client: i64,
    pub industry_type: Option<i64>,
    pub managed_by: i64,
    pub client_can_answer: bool,
    pub input_method: InputMethod,
    pub region_id: Option<i64>,
    pub vertical_ids: Vec<i64>,
    pub current_step: u16,
    pub total_steps: u16,
    pub status: Status,
    pub analysis_status: AnalysisStatus,
    /// The totals of the latest report; the whole of it is at `…/report/`.
    pub report_data: Option<SummaryMetrics>,
    pub ble_parameters: Parameters,
    pub reviewer_id: Option<i64>,
    pub approvals: Vec<Signature>,
    pub rework_count: u32,
    pub submitted_at: Option<DateTime<Utc>>,
    pub completed_at: Option<DateTime<Utc>>,
    pub locked_at: Option<DateTime<Utc>>,
    pub created_by: Option<i64>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub is_deleted: bool,
    pub version: i64,
}

impl Header {
    /// Folds one event into the slim part.
    pub(crate) fn record(&mut self, event: &AssessmentEvent) {
        if let AssessmentEvent::Created(created) = event {
            *self = Self::Known(Box::new(Profile::new(created)));
        } else if let Self::Known(profile) = self {
            profile.record(event);
        }
    }
}

impl Profile {
    fn new(created: &Created) -> Self {
        Self {
            details: created.details.clone(),
            client: created.client,
            team: created.team.clone(),
            vertical_ids: created.vertical_ids.clone(),
            status: Status::Draft,
            analysis_status: AnalysisStatus::Idle,
            summary_metrics: None,
            approval_policy: created.approval_policy.clone(),
            approvals: Vec::new(),
            rework_count: 0,
            submitted_at: None,
            submitted_by: None,
            analysed_by: None,
            completed_at: None,
            locked_at: None,
            created_by: created.by,
            deleted: None,
        }
    }

    fn record(&mut self, event: &AssessmentEvent) {
        match event {
            AssessmentEvent::DetailsUpdated(details) => self.details = (**details).clone(),
            AssessmentEvent::VerticalAdded { vertical_id, .. } => self.vertical_ids.push(*vertical_id),
            AssessmentEvent::VerticalRemoved { vertical_id, .. } => self.vertical_ids.retain(|id| id != vertical_id),
            AssessmentEvent::AnalysisRequested { by, at, .. } => {
                self.status = Status::Running;
                self.analysis_status = AnalysisStatus::Queued;
                self.submitted_at = Some(*at);
                self.submitted_by = *by;
            }
            AssessmentEvent::AnalysisStepCompleted { .. } => self.analysis_status = AnalysisStatus::Running,
            AssessmentEvent::AnalysisCompleted { report, requested_by, at, .. } => {
                self.analysed_by = *requested_by;
                self.status = Status::Completed;
                self.analysis_status = AnalysisStatus::Succeeded;
                self.summary_metrics = Some(report.summary_metrics.clone());
                self.completed_at = Some(*at);
            }
            AssessmentEvent::AnalysisFailed { back_to, .. } => {
                self.status = *back_to;
                self.analysis_status = AnalysisStatus::Failed;
            }
            AssessmentEvent::AnalysisCancelled { back_to, .. } => {
                self.status = *back_to;
                self.analysis_status = AnalysisStatus::Cancelled;
            }
            AssessmentEvent::Approved(signature) => self.approvals.push((**signature).clone()),
            AssessmentEvent::Locked { at, .. } => {
                self.status = Status::Locked;
                self.locked_at = Some(*at);
            }
            AssessmentEvent::ReworkRequested { current_step, .. } => {
                self.rework_count = self.rework_count.saturating_add(1);
                self.send_back(*current_step);
            }
            AssessmentEvent::Reopened { current_step, .. } => self.send_back(*current_step),
            AssessmentEvent::ParticipantsRecorded(team) => self.team = team.clone(),
            AssessmentEvent::Deleted { cascade, .. } => {
                self.deleted = Some(Deletion { cascade: cascade.clone() });
            }
            AssessmentEvent::Restored { .. } => self.deleted = None,
            _ => {}
        }
    }

    fn send_back(&mut self, current_step: u16) {
        self.status = Status::Rework;
        self.approvals.clear();
        self.completed_at = None;
        self.locked_at = None;
        self.details.current_step = current_step;
    }
}

impl Assessment {
    pub(super) fn record(&mut self, event: AssessmentEvent) {
        // The run remembers the state it came from, so it is noted before the header moves on.
        self.record_run(&event);
        self.header.record(&event);
        match event {
            AssessmentEvent::Created(created) => self.questions = created.questions,
            AssessmentEvent::VerticalAdded { questions, rules, .. } => self.add_questions(questions, rules),
            AssessmentEvent::VerticalRemoved { vertical_id, .. } => self.drop_vertical(vertical_id),
            AssessmentEvent::QuestionsImported { questions, .. } => self.add_questions(questions, Vec::new()),
            AssessmentEvent::AnswersSubmitted { answers, .. } => self.store_answers(answers),
            AssessmentEvent::CommentAdded(comment) => self.comments.push(*comment),
            AssessmentEvent::ReworkRequested { comments, .. } => self.comments.extend(comments),
            AssessmentEvent::CommentResolved { comment_id, by, at } => {
                if let Some(comment) = self.comments.iter_mut().find(|comment| comment.id == comment_id) {
                    comment.resolved_at = Some(at);
                    comment.resolved_by = by;
                }
            }
            AssessmentEvent::AnalysisCompleted { report, .. } => {
                self.opportunities.renew(report.opportunities.clone());
                self.report = Some(report);
            }
            AssessmentEvent::OpportunityAdded { opportunity, recomputed, .. }
            | AssessmentEvent::OpportunityChanged { opportunity, recomputed, .. } => {
                self.opportunities.put(recomputed);
                self.opportunities.put([*opportunity]);
            }
            AssessmentEvent::OpportunityRemoved { opportunity_id, recomputed, .. } => {
                self.opportunities.put(recomputed);
                self.opportunities.remove(opportunity_id);
            }
            AssessmentEvent::OpportunitiesClaimed { costing_id, opportunity_ids } => {
                self.opportunities.claim(costing_id, opportunity_ids);
            }
            AssessmentEvent::CostingApprovalRecorded { costing_id } => self.opportunities.approve(costing_id),
            AssessmentEvent::OpportunitiesReleased { costing_id, .. } => self.opportunities.release(costing_id),
            _ => {}
        }
    }

    fn record_run(&mut self, event: &AssessmentEvent) {
        match event {
            AssessmentEvent::AnalysisRequested { run_id, answers_hash, pins, by, at } => {
                self.runs.push(AnalysisRun {
                    id: *run_id,
                    requested_at: *at,
                    requested_by: *by,
                    status: RunStatus::Queued,
                    step: 0,
                    progress: 0,
                    answers_hash: answers_hash.clone(),
                    pins: pins.clone(),
                    finished_at: None,
                    code: None,
                    message: None,
                    came_from: self.header.known().map(|profile| profile.status).unwrap_or_default(),
                });
            }
            AssessmentEvent::AnalysisStepCompleted { run_id, step, progress, .. } => {
                if let Some(run) = self.run_mut(*run_id) {
                    (run.status, run.step, run.progress) = (RunStatus::Running, *step, *progress);
                }
            }
            AssessmentEvent::AnalysisCompleted { run_id, at, .. } => {
                if let Some(run) = self.run_mut(*run_id) {
                    (run.status, run.step, run.progress) = (RunStatus::Succeeded, 5, 100);
                    run.finished_at = Some(*at);
                }
            }
            AssessmentEvent::AnalysisFailed { run_id, code, message, at, .. } => {
                if let Some(run) = self.run_mut(*run_id) {
                    (run.status, run.finished_at) = (RunStatus::Failed, Some(*at));
                    (run.code, run.message) = (Some(code.to_string()), Some(message.to_string()));
                }
            }
            AssessmentEvent::AnalysisCancelled { run_id, at, .. } => {
                if let Some(run) = self.run_mut(*run_id) {
                    (run.status, run.finished_at) = (RunStatus::Cancelled, Some(*at));
                }
            }
            _ => {}
        }
    }

    fn run_mut(&mut self, id: RunId) -> Option<&mut AnalysisRun> {
        self.runs.iter_mut().find(|run| run.id == id)
    }

    /// What has the id of a question (or rule) that is there replaces it.
    fn add_questions(&mut self, questions: Vec<Question>, rules: Vec<ValidationRule>) {
        let set = &mut self.questions;
        set.questions.retain(|old| !questions.iter().any(|new| new.id == old.id));
        set.questions.extend(questions);
        set.questions.sort_by_key(|question| (question.order, question.id));
        set.rules.retain(|old| !rules.iter().any(|new| new.id == old.id));
        set.rules.extend(rules);
    }

    fn drop_vertical(&mut self, vertical: VerticalId) {
        let set = &mut self.questions;
        set.questions.retain(|question| question.vertical_id() != Some(vertical));
        set.rules.retain(|rule| rule.vertical.as_ref().is_none_or(|of| of.id != vertical));
        self.answers.retain(|question, _| set.question(*question).is_some());
        self.opportunities.drop_vertical(vertical);
    }

    fn store_answers(&mut self, changes: Vec<AnswerChange>) {
        self.answers.extend(changes.into_iter().map(|change| (change.new.question_id, change.new)));
    }

    pub(crate) fn comment(&self, id: CommentId) -> Option<&Comment> {
        self.comments.iter().find(|comment| comment.id == id)
    }
}

impl Resource for Assessment {
    type State = Header;
    type View = AssessmentView;

    fn state(&self) -> &Header {
        &self.header
    }

    fn record(state: &mut Header, event: AssessmentEvent) {
        state.record(&event);
    }

    fn view(state: &Header, stamp: &Stamp) -> Option<AssessmentView> {
        let profile = state.known()?;
        let details = &profile.details;
        Some(AssessmentView {
            id: stamp.number(),
            name: details.name.to_string(),
            client: profile.client.get(),
            industry_type: details.industry_type.map(Into::into),
            managed_by: details.managed_by.get(),
            client_can_answer: details.client_can_answer,
            input_method: details.input_method,
            region_id: details.region_id.map(Into::into),
            vertical_ids: profile.vertical_ids.iter().map(|id| id.get()).collect(),
            current_step: details.current_step,
            total_steps: details.total_steps,
            status: profile.status,
            analysis_status: profile.analysis_status,
            report_data: profile.summary_metrics.clone(),
            ble_parameters: details.ble_parameters.clone(),
            reviewer_id: profile.team.reviewer.map(Into::into),
            approvals: profile.approvals.clone(),
            rework_count: profile.rework_count,
            submitted_at: profile.submitted_at,
            completed_at: profile.completed_at,
            locked_at: profile.locked_at,
            created_by: profile.created_by.map(Into::into),
            created_at: stamp.created_at,
            updated_at: stamp.updated_at,
            is_deleted: profile.deleted.is_some(),
            version: stamp.version,
        })
    }
}
