//! Answers and uploaded questions (spec 9.3, 9.4).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use kernel::{Actor, QuestionId, Role, UserId};

use super::{Decision, Issue};
use crate::{
    assessment::{
        AnswerChange, Assessment, AssessmentEvent, AssessmentRefusal, Profile, Submission, SubmittedAnswer, Verb,
    },
    assessment_parts::{as_given, is_empty},
    questionnaire::{Answer, GivenAnswer, Question, QuestionSet, parse_answer, parse_sub_answer},
};

impl Assessment {
    pub(crate) fn submit_answers(&self, issue: Issue, answers: &[SubmittedAnswer]) -> Decision {
        let profile = self.answered_by(issue.by)?;
        profile.admit(Verb::SubmitAnswers)?;
        let changes = self.sort_answers(answers, issue.user(), issue.at)?.changes;
        Ok(answers_submitted(issue, changes))
    }

    /// The profile, if the actor is one who may ever answer.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` for a reviewer; `ClientCannotAnswer`, unless clients may.
    pub fn answered_by(&self, actor: Actor) -> Result<&Profile, AssessmentRefusal> {
        let profile = self.seen_by(actor)?;
        match actor.role() {
            Some(Role::Client) if !profile.details.client_can_answer => Err(AssessmentRefusal::ClientCannotAnswer),
            Some(Role::Reviewer) => Err(AssessmentRefusal::Forbidden),
            _ => Ok(profile),
        }
    }

    /// Compares a submission with what is stored: what changes, what does not, what counts for nothing (spec 9.4).
    ///
    /// # Errors
    /// `Invalid` for a question that is unknown or named twice, and for an answer that cannot be read. Then nothing of
    /// the submission is to be stored.
    pub fn sort_answers(
        &self,
        answers: &[SubmittedAnswer],
        by: Option<UserId>,
        at: DateTime<Utc>,
    ) -> Result<Submission, AssessmentRefusal> {
        self.sort_answers_to(&self.questions, answers, by, at)
    }

    fn sort_answers_to(
        &self,
        questions: &QuestionSet,
        answers: &[SubmittedAnswer],
        by: Option<UserId>,
        at: DateTime<Utc>,
    ) -> Result<Submission, AssessmentRefusal> {
        let mut submission = Submission::default();
        let mut seen = BTreeSet::new();
        for (index, submitted) in answers.iter().enumerate() {
            let refuse = |code, member: &str, message: String| {
                AssessmentRefusal::invalid(code, format!("answers[{index}].{member}"), message)
            };
            let id = submitted.question;
            let question = questions.question(id).ok_or_else(|| {
                refuse("UNKNOWN_QUESTION", "question_id", format!("{id} is no question of the assessment"))
            })?;
            if !seen.insert(id) {
                return Err(refuse("DUPLICATE_QUESTION", "question_id", format!("{id} is answered twice")));
            }
            if question.is_calculated() {
                submission.ignored.push(id);
                continue;
            }
            let new = read(question, &submitted.given, by, at).map_err(|bad| {
                let member = if bad.in_part { "sub_answer" } else { "value" };
                refuse(bad.code, member, bad.message)
            })?;
            match self.change_to(new) {
                Some(change) => submission.changes.push(change),
                None => submission.unchanged.push(id),
            }
        }
        Ok(submission)
    }

    /// `None` when the answer is what is stored.
    fn change_to(&self, new: Answer) -> Option<AnswerChange> {
        let stored = self.answers.get(&new.question_id);
        let old = stored.filter(|answer| !is_empty(answer)).map(as_given);
        let is_same = old.as_ref().map_or_else(|| is_empty(&new), |old| *old == as_given(&new));
        let revision = stored.map_or(0, |answer| answer.revision).saturating_add(1);
        (!is_same).then_some(AnswerChange { old, new: Answer { revision, ..new } })
    }

    /// Adds questions of this assessment only, or rewords those of an id that is there; then answers them.
    pub(crate) fn upload_questions(
        &self,
        issue: Issue,
        questions: Vec<Question>,
        answers: &[SubmittedAnswer],
    ) -> Decision {
        let profile = self.seen_by(issue.by)?;
        issue.only_consulting()?;
        profile.admit(Verb::UploadQuestions)?;
        let news: Vec<Question> =
            questions.into_iter().filter(|new| self.questions.question(new.id) != Some(new)).collect();
        let merged = self.merged(profile, &news)?;
        let changes = self.sort_answers_to(&merged, answers, issue.user(), issue.at)?.changes;
        let mut events = Vec::new();
        if !news.is_empty() {
            events.push(AssessmentEvent::QuestionsImported { questions: news, by: issue.user() });
        }
        events.extend(answers_submitted(issue, changes));
        Ok(events)
    }

    /// The question set with the uploaded questions in it.
    fn merged(&self, profile: &Profile, news: &[Question]) -> Result<QuestionSet, AssessmentRefusal> {
        let mut merged = self.questions.clone();
        merged.questions.retain(|old| !news.iter().any(|new| new.id == old.id));
        merged.questions.extend(news.iter().cloned());
        let mut keys = BTreeSet::new();
        for question in &merged.questions {
            let vertical = question.vertical_id();
            if vertical.is_some_and(|id| !profile.vertical_ids.contains(&id)) {
                let message = format!("{} is of a vertical that is not assessed", question.code);
                return Err(AssessmentRefusal::invalid("UNKNOWN_VERTICAL", "file", message));
            }
            if !keys.insert((vertical, question.code.key())) {
                let message = format!("{} stands for two questions", question.code);
                return Err(AssessmentRefusal::invalid("DUPLICATE_CODE", "file", message));
            }
        }
        Ok(merged)
    }

    /// The answers that are there, in order of question; calculated ones are not stored.
    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.answers.values().filter(|answer| !is_empty(answer))
    }

    /// The question, if the assessment asks it.
    #[must_use]
    pub fn question(&self, id: QuestionId) -> Option<&Question> {
        self.questions.question(id)
    }
}

fn answers_submitted(issue: Issue, answers: Vec<AnswerChange>) -> Vec<AssessmentEvent> {
    if answers.is_empty() {
        return vec![];
    }
    vec![AssessmentEvent::AnswersSubmitted { answers, by: issue.user(), at: issue.at }]
}

/// An answer, or a part of one, that cannot be read as what it should be.
struct Unreadable {
    code: &'static str,
    message: String,
    in_part: bool,
}

/// The answer in canonical form.
fn read(
    question: &Question,
    given: &GivenAnswer,
    answered_by: Option<UserId>,
    answered_at: DateTime<Utc>,
) -> Result<Answer, Unreadable> {
    let value = parse_answer(question, given.value.as_deref().unwrap_or_default()).map_err(|bad| Unreadable {
        code: bad.code,
        message: bad.message,
        in_part: false,
    })?;
    let parts = parse_sub_answer(question, &given.sub_answer).map_err(|bad| Unreadable {
        code: bad.code,
        message: bad.message,
        in_part: true,
    })?;
    Ok(Answer {
        question_id: question.id,
        numeric_value: value.as_ref().and_then(|value| value.number()),
        value: value.map(|value| value.to_string()),
        sub_answer: parts.into_iter().map(|(key, value)| (key, value.to_string())).collect(),
        is_calculated: false,
        answered_by,
        answered_at: Some(answered_at),
        revision: 1,
    })
}
