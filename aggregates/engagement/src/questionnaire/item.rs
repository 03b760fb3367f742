//! Questions and rules as import files carry them (spec 0, "Imports"): by code, never by id.

use std::collections::BTreeSet;

use kernel::{Code, QuestionId, Text, ValidationRuleId};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Check, Question, QuestionType, Severity, SubQuestion, ValidationRule, VerticalRef};

/// What is wrong with one member of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemFault {
    pub code: &'static str,
    pub field: &'static str,
    pub message: String,
}

impl ItemFault {
    pub(super) fn new(code: &'static str, field: &'static str, message: &str) -> Self {
        Self { code, field, message: message.to_owned() }
    }
}

/// One question of an import file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionItem {
    pub code: Code,
    pub text: Text<1, 1000>,
    #[serde(default)]
    pub help_text: Option<Text<1, 4000>>,
    /// Absent: shared by all verticals.
    #[serde(default)]
    pub vertical_code: Option<Code>,
    #[serde(default)]
    pub section: Option<Text<1, 200>>,
    /// Absent: the place in the file, from 1.
    #[serde(default)]
    pub order: Option<i32>,
    #[serde(default = "one")]
    pub step: u16,
    #[serde(default)]
    pub question_type: QuestionType,
    #[serde(default)]
    pub unit: Option<Text<1, 40>>,
    #[serde(default = "two")]
    pub decimal_places: u8,
    #[serde(default)]
    pub is_required: bool,
    #[serde(default)]
    pub options: Vec<Text<1, 200>>,
    #[serde(default)]
    pub sub_questions: Vec<SubQuestion>,
    #[serde(default)]
    pub formula: Option<Text<1, 2000>>,
    #[serde(default)]
    pub min: Option<Decimal>,
    #[serde(default)]
    pub max: Option<Decimal>,
    #[serde(default)]
    pub benchmark_code: Option<Code>,
    #[serde(default = "yes")]
    pub is_active: bool,
}

/// One validation rule of an import file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleItem {
    pub code: Code,
    /// As [`Check`] names it.
    pub rule_type: String,
    #[serde(default)]
    pub severity: Severity,
    #[serde(default)]
    pub vertical_code: Option<Code>,
    #[serde(default)]
    pub targets: Vec<Code>,
    /// As [`Check`] has them for this type.
    #[serde(default)]
    pub params: Value,
    #[serde(default)]
    pub message: Option<Text<1, 500>>,
    #[serde(default = "yes")]
    pub is_active: bool,
}

const fn one() -> u16 {
    1
}

const fn two() -> u8 {
    2
}

const fn yes() -> bool {
    true
}

/// The vertical behind a code.
pub(super) fn vertical(code: Option<&Code>, known: &[VerticalRef]) -> Result<Option<VerticalRef>, ItemFault> {
    let Some(code) = code else { return Ok(None) };
    match known.iter().find(|vertical| vertical.code.key() == code.key()) {
        Some(vertical) => Ok(Some(vertical.clone())),
        None => {
            let message = format!("there is no vertical with the code '{code}'");
            Err(ItemFault::new("UNKNOWN_VERTICAL", "vertical_code", &message))
        }
    }
}

impl QuestionItem {
    /// A "scoring questionnaire" item: answered from 1 to 5 (spec 20, `import_review_questions`).
    #[must_use]
    pub fn as_review(self) -> Self {
        Self { question_type: QuestionType::Score, formula: None, options: Vec::new(), ..self }
    }

    /// The question that the item describes. Its formula is looked at once all questions are known.
    ///
    /// # Errors
    /// The first member that makes no sense.
    pub fn question(
        self,
        id: QuestionId,
        place: usize,
        verticals: &[VerticalRef],
        bank_version: u32,
    ) -> Result<Question, ItemFault> {
        let vertical = vertical(self.vertical_code.as_ref(), verticals)?;
        let question_type = if self.formula.is_some() { QuestionType::Calculated } else { self.question_type };
        let question = Question {
            id,
            code: self.code,
            text: self.text,
            help_text: self.help_text,
            vertical,
            section: self.section,
            order: self.order.unwrap_or_else(|| i32::try_from(place.saturating_add(1)).unwrap_or(i32::MAX)),
            step: self.step,
            question_type,
            unit: self.unit,
            decimal_places: self.decimal_places,
            is_required: self.is_required,
            options: self.options,
            sub_questions: self.sub_questions,
            formula: self.formula,
            min: self.min,
            max: self.max,
            benchmark_code: self.benchmark_code,
            is_active: self.is_active,
            bank_version,
        };
        sound(&question).map(|()| question)
    }
}

/// What a question has to be by itself.
fn sound(question: &Question) -> Result<(), ItemFault> {
    let refuse = |code, field, message| Err(ItemFault::new(code, field, message));
    if question.decimal_places > 6 {
        return refuse("OUT_OF_RANGE", "decimal_places", "must be 0 to 6");
    }
    if question.step == 0 {
        return refuse("OUT_OF_RANGE", "step", "must be 1 or more");
    }
    if question.question_type == QuestionType::Calculated && question.formula.is_none() {
        return refuse("FORMULA_REQUIRED", "formula", "a calculated question needs a formula");
    }
    let chooses = matches!(question.question_type, QuestionType::Choice | QuestionType::MultiChoice);
    if chooses && question.options.is_empty() {
        return refuse("OPTIONS_REQUIRED", "options", "a choice needs options");
    }
    let options: BTreeSet<String> = question.options.iter().map(|option| option.key()).collect();
    if options.len() != question.options.len() || options.iter().any(|option| option.contains('|')) {
        return refuse("INVALID_OPTIONS", "options", "options must differ and not contain '|'");
    }
    if question.min.zip(question.max).is_some_and(|(min, max)| min > max) {
        return refuse("OUT_OF_RANGE", "min", "must not be above max");
    }
    let keys: BTreeSet<String> = question.sub_questions.iter().map(|part| part.key.key()).collect();
    let calculated = question.sub_questions.iter().any(|part| part.question_type == QuestionType::Calculated);
    if keys.len() != question.sub_questions.len() || calculated {
        return refuse("INVALID_SUB_QUESTIONS", "sub_questions", "keys must differ and parts cannot be calculated");
    }
    Ok(())
}

impl RuleItem {
    /// The rule that the item describes. Its codes and formulas are looked at by an `Inspector`.
    ///
    /// # Errors
    /// The first member that makes no sense.
    pub fn rule(self, id: ValidationRuleId, verticals: &[VerticalRef]) -> Result<ValidationRule, ItemFault> {
        let vertical = vertical(self.vertical_code.as_ref(), verticals)?;
        let rule_type = self.rule_type.trim().to_uppercase();
        let bare = matches!(rule_type.as_str(), "REQUIRED" | "TYPE");
        let empty = self.params.is_null() || self.params.as_object().is_some_and(serde_json::Map::is_empty);
        let described = match (bare, empty) {
            (true, true) => serde_json::json!({ "rule_type": rule_type }),
            (false, true) => serde_json::json!({ "rule_type": rule_type, "params": {} }),
            (_, false) => serde_json::json!({ "rule_type": rule_type, "params": self.params }),
        };
        let check: Check = serde_json::from_value(described).map_err(|error| {
            let message = error.to_string();
            // The only enumeration beside the types is the operator, which stands in the params.
            let unknown_type = message.contains("unknown variant") && message.contains("GROUP_SUM");
            let (code, field) =
                if unknown_type { ("UNKNOWN_RULE_TYPE", "rule_type") } else { ("INVALID_PARAMS", "params") };
            ItemFault { code, field, message }
        })?;
        Ok(ValidationRule {
            id,
            code: self.code,
            check,
            severity: self.severity,
            vertical,
            targets: self.targets,
            message: self.message,
            is_active: self.is_active,
        })
    }
}
