//! What the outside reads of an assessment to show it, and to do its analysis.

use std::collections::BTreeMap;

use kernel::{Actor, AssessmentId, QuestionId};

use crate::{
    assessment::{AnalysisRun, Assessment, Comment, Header, OpportunityBook, Profile},
    assessment_parts::{as_given, is_empty},
    business_case::Opportunity,
    participants::Participants,
    questionnaire::{
        Answer, Answers, BenchmarkFact, Completion, QuestionSet, ValidationResult, completion, stabilise, validate,
    },
    report::Report,
};

impl Assessment {
    /// The slim part.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The slim part's content, unless the assessment does not exist or is deleted.
    #[must_use]
    pub fn live(&self) -> Option<&Profile> {
        self.header.live()
    }

    /// Whether the assessment exists for the actor; a deleted one does for nobody.
    #[must_use]
    pub fn can_see(&self, actor: Actor) -> bool {
        self.seen_by(actor).is_ok()
    }

    /// The people of the assessment as they are now.
    #[must_use]
    pub fn participants(&self) -> Option<Participants> {
        self.header.known().map(Profile::participants)
    }

    /// The snapshot of the bank, with what was added to it.
    #[must_use]
    pub const fn questions(&self) -> &QuestionSet {
        &self.questions
    }

    /// The stored answers as those who calculate read them.
    #[must_use]
    pub fn given_answers(&self) -> Answers {
        self.answers().map(|answer| (answer.question_id, as_given(answer))).collect()
    }

    /// The answers in order of question, calculated ones included (`GET …/answers/`).
    #[must_use]
    pub fn all_answers(&self) -> Vec<Answer> {
        let stabilised = stabilise(&self.questions, &self.given_answers());
        let all = self.questions.questions.iter().filter_map(|question| {
            if !question.is_calculated() {
                return self.answers.get(&question.id).filter(|answer| !is_empty(answer)).cloned();
            }
            let value = stabilised.value(question.id)?;
            Some(Answer {
                question_id: question.id,
                value: Some(value.to_string()),
                sub_answer: BTreeMap::new(),
                numeric_value: value.number(),
                is_calculated: true,
                answered_by: None,
                answered_at: None,
                revision: 0,
            })
        });
        all.collect()
    }

    /// Validates what is stored (spec 9.7). The assessment does not know its own id.
    #[must_use]
    pub fn validate(&self, id: AssessmentId, benchmarks: &BTreeMap<QuestionId, BenchmarkFact>) -> ValidationResult {
        validate(id, &self.questions, &self.given_answers(), benchmarks)
    }

    /// How much of what is required is answered.
    #[must_use]
    pub fn completion(&self) -> Completion {
        completion(&self.questions, &stabilise(&self.questions, &self.given_answers()))
    }

    /// In order of time.
    #[must_use]
    pub fn comments(&self) -> &[Comment] {
        &self.comments
    }

    /// What was asked for with a rejection and is not resolved: `run-analysis` warns of it.
    pub fn open_rework_comments(&self) -> impl Iterator<Item = &Comment> {
        self.comments.iter().filter(|comment| comment.is_open_rework())
    }

    /// Those that are shown: not those removed by hand.
    pub fn opportunities(&self) -> impl Iterator<Item = &Opportunity> {
        self.opportunities.shown()
    }

    /// The opportunities with those removed, and the costings on them: what an analysis starts from.
    #[must_use]
    pub const fn opportunity_book(&self) -> &OpportunityBook {
        &self.opportunities
    }

    /// The latest report.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.report.as_deref()
    }

    /// The version of the report that the next analysis makes.
    #[must_use]
    pub fn next_report_version(&self) -> u32 {
        self.report().map_or(0, |report| report.version).saturating_add(1)
    }

    /// In order of time.
    #[must_use]
    pub fn runs(&self) -> &[AnalysisRun] {
        &self.runs
    }

    /// The run in progress.
    #[must_use]
    pub fn current_run(&self) -> Option<&AnalysisRun> {
        self.runs.last().filter(|run| !run.is_over())
    }
}
