use chrono::{DateTime, Utc};
use kernel::{Resource, Stamp, VerticalId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::QuestionBankEvent;
use crate::questionnaire::{Check, Index, Inspector, Question, QuestionSet, ValidationRule};

/// The question bank as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum QuestionBank {
    #[default]
    NotYet,
    /// All questions and rules, inactive ones too; questions in bank order.
    Filled(QuestionSet),
}

/// The question bank as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QuestionBankView {
    #[serde(flatten)]
    pub bank: QuestionSet,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

impl QuestionBank {
    pub(super) fn record(&mut self, event: QuestionBankEvent) {
        let mut bank = match std::mem::take(self) {
            Self::NotYet => QuestionSet::default(),
            Self::Filled(bank) => bank,
        };
        match event {
            QuestionBankEvent::QuestionsImported { bank_version, questions, .. } => {
                bank.bank_version = bank_version;
                bank.questions = overlaid(bank.questions, questions, |question| question.id);
                bank.questions.sort_by_key(|question| (question.order, question.id));
            }
            QuestionBankEvent::RulesImported { bank_version, rules, .. } => {
                bank.bank_version = bank_version;
                bank.rules = overlaid(bank.rules, rules, |rule| rule.id);
            }
        }
        *self = Self::Filled(bank);
    }

    /// The version of the bank; 0 before the first import.
    #[must_use]
    pub const fn bank_version(&self) -> u32 {
        match self {
            Self::NotYet => 0,
            Self::Filled(bank) => bank.bank_version,
        }
    }

    /// All questions, inactive ones too, in bank order.
    #[must_use]
    pub fn questions(&self) -> &[Question] {
        match self {
            Self::NotYet => &[],
            Self::Filled(bank) => &bank.questions,
        }
    }

    /// All rules, inactive ones too, in order of id.
    #[must_use]
    pub fn rules(&self) -> &[ValidationRule] {
        match self {
            Self::NotYet => &[],
            Self::Filled(bank) => &bank.rules,
        }
    }

    /// What an assessment of these verticals is created with: their questions and the shared ones, active ones only,
    /// and the rules that can be applied to those.
    #[must_use]
    pub fn question_set(&self, verticals: &[VerticalId]) -> QuestionSet {
        let wanted = |vertical: Option<VerticalId>| vertical.is_none_or(|vertical| verticals.contains(&vertical));
        let questions: Vec<Question> = self
            .questions()
            .iter()
            .filter(|question| question.is_active && wanted(question.vertical_id()))
            .cloned()
            .collect();
        let (index, inspector) = (Index::new(&questions), Inspector::new(&questions));
        let rules = self
            .rules()
            .iter()
            .filter(|rule| rule.is_active && wanted(rule.vertical.as_ref().map(|vertical| vertical.id)))
            .filter(|rule| applies(rule, &index, &inspector))
            .cloned()
            .collect();
        QuestionSet { bank_version: self.bank_version(), questions, rules }
    }
}

/// A shared rule may be about questions of a vertical that is not there. One that looks at its targets one by one
/// needs one of them; one that looks at several together needs them all.
fn applies(rule: &ValidationRule, index: &Index<'_>, inspector: &Inspector<'_>) -> bool {
    let vertical = rule.vertical.as_ref().map(|vertical| vertical.id);
    match rule.check {
        Check::GroupSum { .. } | Check::CrossRow { .. } | Check::Dependency { .. } => inspector.inspect(rule).is_ok(),
        _ => rule.targets.is_empty() || rule.targets.iter().any(|code| index.named(vertical, code).is_some()),
    }
}

/// The old ones with the new ones in their place, in order of id.
pub(super) fn overlaid<T, I: Ord>(old: Vec<T>, new: Vec<T>, id: impl Fn(&T) -> I) -> Vec<T> {
    let mut all: std::collections::BTreeMap<I, T> = old.into_iter().map(|each| (id(&each), each)).collect();
    all.extend(new.into_iter().map(|each| (id(&each), each)));
    all.into_values().collect()
}

impl Resource for QuestionBank {
    type State = Self;
    type View = QuestionBankView;

    fn state(&self) -> &Self {
        self
    }

    fn record(state: &mut Self, event: QuestionBankEvent) {
        state.record(event);
    }

    fn view(state: &Self, stamp: &Stamp) -> Option<QuestionBankView> {
        let Self::Filled(bank) = state else { return None };
        Some(QuestionBankView {
            bank: bank.clone(),
            created_at: stamp.created_at,
            updated_at: stamp.updated_at,
            version: stamp.version,
        })
    }
}
