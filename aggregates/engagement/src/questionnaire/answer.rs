use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{QuestionId, UserId};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An answer that has been read as its question's type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "value", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AnswerValue {
    /// NUMBER, PERCENT, CURRENCY, INTEGER, SCORE.
    Number(Decimal),
    /// TEXT, and CHOICE as the option is spelled.
    Text(String),
    /// MULTI_CHOICE, in the order of the options.
    Choices(Vec<String>),
    Boolean(bool),
    Date(NaiveDate),
}

/// What somebody answered, unread: text, and text for each sub-question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GivenAnswer {
    /// `None` or blank: no answer.
    pub value: Option<String>,
    #[serde(default)]
    pub sub_answer: BTreeMap<String, String>,
}

/// All answers to a question set; calculated questions have none here.
pub type Answers = BTreeMap<QuestionId, GivenAnswer>;

/// A stored or calculated answer (spec 9.2; the assessment's id is put beside it where it is shown).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Answer {
    pub question_id: QuestionId,
    /// In canonical form, as `AnswerValue` displays.
    pub value: Option<String>,
    pub sub_answer: BTreeMap<String, String>,
    pub numeric_value: Option<Decimal>,
    pub is_calculated: bool,
    pub answered_by: Option<UserId>,
    pub answered_at: Option<DateTime<Utc>>,
    /// Counts the changes of this answer, from 1; 0 for a calculated one.
    pub revision: u32,
}

/// Why an answer cannot be read as its question's type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadAnswer {
    /// E.g. `NOT_A_NUMBER`.
    pub code: &'static str,
    pub message: String,
}
