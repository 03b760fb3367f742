use std::collections::BTreeMap;

use kernel::QuestionId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::questionnaire::{Answer, GivenAnswer};

/// One answer as it arrives, unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmittedAnswer {
    pub question: QuestionId,
    pub given: GivenAnswer,
}

/// One answer that differs from what was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerChange {
    /// The answer before; `None` when there was none.
    pub old: Option<GivenAnswer>,
    /// The answer from now on; one without a value is a cleared one.
    pub new: Answer,
}

impl AnswerChange {
    #[must_use]
    pub fn is_cleared(&self) -> bool {
        is_empty(&self.new)
    }
}

/// What a submission comes to (spec 9.4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Submission {
    /// What is to be stored: answers saved and answers cleared.
    pub changes: Vec<AnswerChange>,
    /// Submitted as they are stored already.
    pub unchanged: Vec<QuestionId>,
    /// Calculated questions, whose submitted values count for nothing.
    pub ignored: Vec<QuestionId>,
}

impl Submission {
    #[must_use]
    pub fn saved(&self) -> usize {
        self.changes.iter().filter(|change| !change.is_cleared()).count()
    }

    #[must_use]
    pub fn cleared(&self) -> usize {
        self.changes.iter().filter(|change| change.is_cleared()).count()
    }
}

/// Neither a value nor an answered part.
pub(crate) fn is_empty(answer: &Answer) -> bool {
    answer.value.is_none() && answer.sub_answer.is_empty()
}

/// A stored answer as one who answers would give it.
pub(crate) fn as_given(answer: &Answer) -> GivenAnswer {
    let sub_answer: BTreeMap<String, String> = answer.sub_answer.clone();
    GivenAnswer { value: answer.value.clone(), sub_answer }
}
