use chrono::{DateTime, Utc};
use kernel::{UserId, domain_event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::questionnaire::{Question, ValidationRule};

/// What happened to the question bank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum QuestionBankEvent {
    QuestionsImported {
        bank_version: u32,
        /// The new and the changed ones, as they are from now on.
        questions: Vec<Question>,
        created: u32,
        updated: u32,
        unchanged: u32,
        by: Option<UserId>,
        at: DateTime<Utc>,
    },
    RulesImported {
        bank_version: u32,
        /// The new and the changed ones, as they are from now on.
        rules: Vec<ValidationRule>,
        created: u32,
        updated: u32,
        unchanged: u32,
        by: Option<UserId>,
        at: DateTime<Utc>,
    },
}

domain_event!(QuestionBankEvent:
    QuestionsImported => "question_bank.questions_imported",
    RulesImported => "question_bank.rules_imported",
);
