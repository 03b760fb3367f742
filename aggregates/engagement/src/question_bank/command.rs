use kernel::{QuestionId, ValidationRuleId};

use crate::questionnaire::{QuestionItem, RuleItem, VerticalRef};

/// What can be asked of the question bank. `verticals` are those that items may name; of `ids` as many as there are
/// items suffice.
#[derive(Debug, Clone, PartialEq)]
pub enum QuestionBankCommand {
    ImportQuestions { items: Vec<QuestionItem>, ids: Vec<QuestionId>, verticals: Vec<VerticalRef> },
    ImportRules { items: Vec<RuleItem>, ids: Vec<ValidationRuleId>, verticals: Vec<VerticalRef> },
}
