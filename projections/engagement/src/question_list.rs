//! Which questions are in the bank? Asked by everybody who builds or looks at a questionnaire.

use engagement::{question_bank::QuestionBankEvent, questionnaire::Question};
use runtime::page::Order;
use serde_json::{Map, Value, json};

use crate::item_table::{ItemTable, members};

pub struct QuestionList;

impl ItemTable for QuestionList {
    type Event = QuestionBankEvent;
    type Item = Question;
    const NAME: &'static str = "question_list";
    const VERSION: i32 = 1;
    const KINDS: &'static [&'static str] = &["question_bank"];
    const COLUMNS: &'static str = "code text NOT NULL, text text NOT NULL, vertical_id bigint, section text,
        place integer NOT NULL, is_active boolean NOT NULL";
    const INDEXES: &'static str = "CREATE INDEX ON question_list (place, id)";

    fn items(event: QuestionBankEvent) -> Vec<Question> {
        match event {
            QuestionBankEvent::QuestionsImported { questions, .. } => questions,
            QuestionBankEvent::RulesImported { .. } => Vec::new(),
        }
    }

    fn id(question: &Question) -> i64 {
        question.id.get()
    }

    fn columns(question: &Question) -> Map<String, Value> {
        members(json!({
            "code": question.code,
            "text": question.text,
            "vertical_id": question.vertical_id(),
            "section": question.section,
            "place": question.order,
            "is_active": question.is_active,
        }))
    }
}

/// Bank order: by place, then by id.
pub const ORDER: Order = Order { column: "place", sql_type: "integer", descending: false };
