//! Which validation rules are in the bank? Asked by staff who maintain the questionnaire.

use engagement::{question_bank::QuestionBankEvent, questionnaire::ValidationRule};
use serde_json::{Map, Value, json};

use crate::item_table::{ItemTable, members};

pub struct ValidationRuleList;

impl ItemTable for ValidationRuleList {
    type Event = QuestionBankEvent;
    type Item = ValidationRule;
    const NAME: &'static str = "validation_rule_list";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["question_bank"];
    const COLUMNS: &'static str = "code text NOT NULL, message text, vertical_id bigint, is_active boolean NOT NULL";
    const INDEXES: &'static str = "";

    fn items(event: QuestionBankEvent) -> Vec<ValidationRule> {
        match event {
            QuestionBankEvent::QuestionsImported { .. } => Vec::new(),
            QuestionBankEvent::RulesImported { rules, .. } => rules,
        }
    }

    fn id(rule: &ValidationRule) -> i64 {
        rule.id.get()
    }

    fn columns(rule: &ValidationRule) -> Map<String, Value> {
        members(json!({
            "code": rule.code,
            "message": rule.message,
            "vertical_id": rule.vertical.as_ref().map(|vertical| vertical.id),
            "is_active": rule.is_active,
        }))
    }
}
