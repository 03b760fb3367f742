use std::collections::BTreeMap;

use kernel::{AssessmentId, QuestionId};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether a finding stops the analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    #[default]
    Error,
    Warning,
}

/// One thing that is wrong, or odd, with the answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Finding {
    /// The question to look at first.
    pub question_id: Option<QuestionId>,
    /// That question's code.
    pub code: Option<String>,
    /// The rule's type, or the code of the problem: `REQUIRED`, `NOT_A_NUMBER`, `CYCLIC_FORMULA`, `DIVISION_BY_ZERO`.
    pub rule: String,
    pub severity: Severity,
    pub message: String,
    pub value: Option<String>,
    pub expected: Option<String>,
    /// All questions concerned, where they are several: the codes of a cycle, of a sum.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
}

/// How much of what is required has been answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Completion {
    /// Required questions that have an answer.
    pub answered: u32,
    /// Required questions; calculated ones do not count.
    pub required: u32,
    /// Two decimals; 100.00 when nothing is required.
    pub percent: Decimal,
}

/// What validation found (spec 9.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct ValidationResult {
    pub assessment_id: AssessmentId,
    /// No finding is an error.
    pub valid: bool,
    pub stabilized: bool,
    pub passes: u32,
    pub errors: Vec<Finding>,
    pub warnings: Vec<Finding>,
    /// The calculated questions that have a value, by code (`VERTICAL.CODE` where a code stands for several).
    pub calculated: BTreeMap<String, String>,
    pub completion: Completion,
}

/// What validation knows of the benchmark that fits a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BenchmarkFact {
    pub median: Decimal,
    pub std_dev: Option<Decimal>,
}
