//! The stabilisation loop: formulas are evaluated until nothing changes any more (spec 9.6).

use std::collections::BTreeMap;

use kernel::{
    QuestionId, VerticalId,
    formula::{FormulaError, Problem, Reference, Value, Values},
    rounded,
};
use rust_decimal::Decimal;

use super::{
    AnswerValue, Answers, BadAnswer, Index, Question, QuestionSet,
    formulas::{FormulaQuestion, Formulas},
    parse::{parse_answer, parse_sub_answer},
};

/// The values that follow from the answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stabilised {
    /// Of answered and calculated questions; null is absence.
    pub values: BTreeMap<QuestionId, Value>,
    /// Of sub-questions, by question and lower-case key.
    pub parts: BTreeMap<(QuestionId, String), Value>,
    /// Rounds of the loop, the confirming one included.
    pub passes: u32,
    pub stabilized: bool,
    /// What still changed in the last pass, if it did not come to rest.
    pub unsettled: Vec<QuestionId>,
    /// Calculated questions that refer to each other.
    pub cycles: Vec<Vec<QuestionId>>,
    /// What went wrong when a formula was evaluated last.
    pub problems: Vec<(QuestionId, Problem)>,
    /// Formulas that cannot be parsed at all.
    pub broken: Vec<(QuestionId, FormulaError)>,
    /// Answers that cannot be read; they count as null.
    pub unreadable: BTreeMap<QuestionId, BadAnswer>,
}

impl Stabilised {
    #[must_use]
    pub fn value(&self, question: QuestionId) -> Option<&Value> {
        self.values.get(&question)
    }

    #[must_use]
    pub fn number(&self, question: QuestionId) -> Option<Decimal> {
        self.value(question).and_then(Value::number)
    }

    /// The values as a formula of `vertical` sees them (`None`: one that belongs to no vertical).
    #[must_use]
    pub const fn seen_from<'a>(&'a self, index: &'a Index<'a>, vertical: Option<VerticalId>) -> Seen<'a> {
        Seen { values: self, index, vertical }
    }
}

/// Values by reference, from the standpoint of one vertical.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    values: &'a Stabilised,
    index: &'a Index<'a>,
    vertical: Option<VerticalId>,
}

impl Values for Seen<'_> {
    fn value(&self, reference: &Reference) -> Option<Value> {
        let target = self.index.referred(self.vertical, reference)?;
        match target.part {
            None => self.values.values.get(&target.question.id).cloned(),
            Some(part) => self.values.parts.get(&(target.question.id, part.key.key())).cloned(),
        }
    }
}

/// Reads the answers and evaluates all formulas until nothing changes.
#[must_use]
pub fn stabilise(set: &QuestionSet, answers: &Answers) -> Stabilised {
    let index = Index::new(&set.questions);
    settle(&index, &Formulas::new(&set.questions, &index), &set.questions, answers)
}

pub(super) fn settle(
    index: &Index<'_>,
    formulas: &Formulas<'_>,
    questions: &[Question],
    answers: &Answers,
) -> Stabilised {
    let mut result = Stabilised { broken: formulas.broken.clone(), ..Stabilised::default() };
    for question in questions {
        read(question, answers, &mut result);
    }
    // What lies on a cycle always starts at zero, so that a result never depends on history.
    for cycle in formulas.cycles() {
        for question in &cycle {
            let zero = rounded(Decimal::ZERO, u32::from(question.decimal_places));
            result.values.insert(question.id, Value::Number(zero));
        }
        result.cycles.push(cycle.iter().map(|question| question.id).collect());
    }
    Loop { index, formulas, stale: vec![true; formulas.all.len()], problems: BTreeMap::new() }.run(result)
}

/// One question's answer. The stored answer of what is calculated is none.
fn read(question: &Question, answers: &Answers, result: &mut Stabilised) {
    let Some(given) = answers.get(&question.id) else { return };
    match parse_answer(question, given.value.as_deref().unwrap_or_default()) {
        Ok(None) => {}
        Ok(Some(value)) => {
            result.values.insert(question.id, value.formula_value());
        }
        Err(bad) => {
            result.unreadable.insert(question.id, bad);
        }
    }
    match parse_sub_answer(question, &given.sub_answer) {
        Ok(parts) => {
            let parts = parts.iter().map(|(key, value): (&String, &AnswerValue)| {
                ((question.id, key.to_lowercase()), value.formula_value())
            });
            result.parts.extend(parts);
        }
        Err(bad) => {
            result.unreadable.entry(question.id).or_insert(bad);
        }
    }
}

struct Loop<'a> {
    index: &'a Index<'a>,
    formulas: &'a Formulas<'a>,
    /// Whether a formula's inputs have changed since it was evaluated. One whose inputs have not would give the same
    /// again, so it is left out; this changes nothing but the time.
    stale: Vec<bool>,
    problems: BTreeMap<usize, Vec<Problem>>,
}

impl Loop<'_> {
    fn run(mut self, mut result: Stabilised) -> Stabilised {
        let limit = u32::try_from(self.formulas.all.len() + 1).unwrap_or(u32::MAX).max(10);
        while !result.stabilized && result.passes < limit {
            result.passes += 1;
            result.unsettled = self.pass(&mut result);
            result.stabilized = result.unsettled.is_empty();
        }
        let problems = self.problems.iter().filter_map(|(at, problems)| {
            let question = self.formulas.all.get(*at)?.question.id;
            Some(problems.iter().map(move |problem| (question, *problem)))
        });
        result.problems = problems.flatten().collect();
        result
    }

    /// Evaluates in bank order; later formulas see earlier results of the same pass. Gives what changed.
    fn pass(&mut self, result: &mut Stabilised) -> Vec<QuestionId> {
        let mut changed = Vec::new();
        for (at, each) in self.formulas.all.iter().enumerate() {
            if !self.stale.get_mut(at).is_some_and(std::mem::take) {
                continue;
            }
            let new = self.evaluate(at, each, result);
            let id = each.question.id;
            if new.as_ref() == result.values.get(&id) {
                continue;
            }
            match new {
                Some(value) => result.values.insert(id, value),
                None => result.values.remove(&id),
            };
            changed.push(id);
            for dependent in self.formulas.dependents.get(at).into_iter().flatten() {
                self.stale.get_mut(*dependent).into_iter().for_each(|stale| *stale = true);
            }
        }
        changed
    }

    fn evaluate(&mut self, at: usize, each: &FormulaQuestion<'_>, result: &Stabilised) -> Option<Value> {
        let outcome = each.formula.evaluate(&result.seen_from(self.index, each.question.vertical_id()));
        self.problems.insert(at, outcome.problems);
        outcome.value.map(|value| match value {
            Value::Number(number) => Value::Number(rounded(number, u32::from(each.question.decimal_places))),
            other => other,
        })
    }
}
