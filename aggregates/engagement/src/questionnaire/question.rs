use kernel::{Code, QuestionId, Text, VerticalId};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ValidationRule, index::chosen};

/// What a question's answer is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema, ToSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum QuestionType {
    #[default]
    Number,
    Percent,
    Currency,
    Integer,
    Text,
    Choice,
    MultiChoice,
    Boolean,
    Date,
    /// A whole number from 1 to 5.
    Score,
    /// Has a formula instead of an answer.
    Calculated,
}

/// The process vertical that a question belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct VerticalRef {
    pub id: VerticalId,
    pub code: Code,
}

/// A part of a question that is answered beside it, addressed as `{CODE.key}` in formulas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubQuestion {
    pub key: Code,
    pub label: Text<1, 500>,
    #[serde(rename = "type", default)]
    pub question_type: QuestionType,
    #[serde(default)]
    pub required: bool,
}

/// One question of the bank or of an assessment's snapshot (spec 9.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Question {
    pub id: QuestionId,
    /// Unique in its vertical, without regard to case.
    pub code: Code,
    pub text: Text<1, 1000>,
    pub help_text: Option<Text<1, 4000>>,
    /// `None`: shared by all verticals.
    pub vertical: Option<VerticalRef>,
    pub section: Option<Text<1, 200>>,
    /// Place in the bank; ties are in order of id.
    pub order: i32,
    /// Step of the wizard, from 1.
    pub step: u16,
    pub question_type: QuestionType,
    pub unit: Option<Text<1, 40>>,
    /// 0 to 6; to what a formula's result is rounded.
    pub decimal_places: u8,
    pub is_required: bool,
    pub options: Vec<Text<1, 200>>,
    pub sub_questions: Vec<SubQuestion>,
    /// Present exactly when the type is `CALCULATED`.
    pub formula: Option<Text<1, 2000>>,
    /// The question's own inclusive RANGE rule.
    pub min: Option<Decimal>,
    pub max: Option<Decimal>,
    /// The code by which benchmarks find the question, if it is not its own.
    pub benchmark_code: Option<Code>,
    pub is_active: bool,
    /// The version of the bank that brought the question as it is; 0 for a question of one assessment only.
    pub bank_version: u32,
}

impl Question {
    /// A formula gives the value; a submitted one is ignored.
    #[must_use]
    pub const fn is_calculated(&self) -> bool {
        self.formula.is_some()
    }

    #[must_use]
    pub fn vertical_id(&self) -> Option<VerticalId> {
        self.vertical.as_ref().map(|vertical| vertical.id)
    }
}

/// The questions and rules that an assessment was created with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct QuestionSet {
    pub bank_version: u32,
    /// In bank order: (order, id).
    pub questions: Vec<Question>,
    pub rules: Vec<ValidationRule>,
}

impl QuestionSet {
    #[must_use]
    pub fn question(&self, id: QuestionId) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// What a code means to somebody in `vertical`: the question of that vertical, else the shared one, else the only
    /// one of that code.
    #[must_use]
    pub fn named(&self, vertical: Option<VerticalId>, code: &str) -> Option<&Question> {
        let code = code.trim().to_lowercase();
        let all: Vec<&Question> = self.questions.iter().filter(|question| question.code.key() == code).collect();
        chosen(&all, vertical)
    }
}
