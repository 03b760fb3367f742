use kernel::{Code, Text, ValidationRuleId};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Severity, VerticalRef};

/// A rule over the answers of one or more questions (spec 9.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct ValidationRule {
    pub id: ValidationRuleId,
    pub code: Code,
    /// `rule_type` and `params`.
    #[serde(flatten)]
    pub check: Check,
    pub severity: Severity,
    pub vertical: Option<VerticalRef>,
    /// Codes of questions.
    pub targets: Vec<Code>,
    /// What to say instead of the built-in message.
    pub message: Option<Text<1, 500>>,
    pub is_active: bool,
}

/// What a rule checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(tag = "rule_type", content = "params", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub enum Check {
    /// Each target has a value.
    Required,
    /// Each target's value can be read as its question's type.
    Type,
    /// Each target's number lies between the bounds.
    #[serde(rename_all = "snake_case")]
    Range {
        #[serde(default)]
        min: Option<Decimal>,
        #[serde(default)]
        max: Option<Decimal>,
        #[serde(default = "yes")]
        inclusive: bool,
    },
    /// The numbers of the codes add up to the target, give or take the tolerance.
    #[serde(rename_all = "snake_case")]
    GroupSum {
        /// None: the rule's targets.
        #[serde(default)]
        codes: Vec<Code>,
        #[serde(default = "hundred")]
        target: Decimal,
        #[serde(default = "hundredth")]
        tolerance: Decimal,
    },
    /// The comparison of two formulas is not false.
    #[serde(rename_all = "snake_case")]
    CrossRow { left: Text<1, 2000>, op: Comparison, right_expression: Text<1, 2000> },
    /// When the condition is true, the targets are `required` or `forbidden`, or the formula `then` is not false.
    #[serde(rename_all = "snake_case")]
    Dependency { when_expression: Text<1, 2000>, then: Text<1, 2000> },
    /// Each target's text matches the pattern as a whole.
    #[serde(rename_all = "snake_case")]
    Regex { pattern: Text<1, 500> },
    /// Each target's text is one of the options.
    #[serde(rename_all = "snake_case")]
    Enum { options: Vec<Text<1, 200>> },
    /// No target's number is further from the benchmark's median than so many standard deviations.
    #[serde(rename_all = "snake_case")]
    BenchmarkOutlier {
        #[serde(default = "three")]
        max_z: Decimal,
    },
}

/// How a CROSS_ROW rule compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub enum Comparison {
    #[serde(rename = "=")]
    Equal,
    #[serde(rename = "!=")]
    NotEqual,
    #[serde(rename = "<")]
    Less,
    #[serde(rename = "<=")]
    LessOrEqual,
    #[serde(rename = ">")]
    Greater,
    #[serde(rename = ">=")]
    GreaterOrEqual,
}

const fn yes() -> bool {
    true
}

fn hundred() -> Decimal {
    Decimal::ONE_HUNDRED
}

fn hundredth() -> Decimal {
    Decimal::new(1, 2)
}

fn three() -> Decimal {
    Decimal::from(3)
}
