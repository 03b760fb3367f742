//! The questionnaire: what is asked, what was answered, what follows from it, and whether it holds together (spec 9).
//!
//! Pure calculation on a [`QuestionSet`], the snapshot of the question bank that an assessment lives with:
//! [`parse_answer`] reads an answer, [`stabilise`] evaluates the formulas, [`validate`] applies the rules.

mod answer;
mod checks;
mod completion;
mod formulas;
mod graph;
mod index;
mod inspect;
mod item;
mod parse;
mod question;
mod result;
mod rule;
mod stabilise;
#[cfg(test)]
mod tests;
mod upload;
mod validate;

pub use answer::{Answer, AnswerValue, Answers, BadAnswer, GivenAnswer};
pub use completion::completion;
pub use index::{Index, Target};
pub use inspect::{Inspector, RuleFault};
pub use item::{ItemFault, QuestionItem, RuleItem};
pub use parse::{parse_answer, parse_sub_answer};
pub use question::{Question, QuestionSet, QuestionType, SubQuestion, VerticalRef};
pub use result::{BenchmarkFact, Completion, Finding, Severity, ValidationResult};
pub use rule::{Check, Comparison, ValidationRule};
pub use stabilise::{Seen, Stabilised, stabilise};
pub use upload::{RowError, Upload, UploadReport, UploadRow, import_rows};
pub use validate::validate;
