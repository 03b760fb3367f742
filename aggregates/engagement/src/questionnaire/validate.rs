//! Whether the answers hold together (spec 9.7).

use std::collections::BTreeMap;

use kernel::{AssessmentId, QuestionId, formula::Value};
use rust_decimal::Decimal;

use super::{
    Answers, BenchmarkFact, Finding, Index, Question, QuestionSet, QuestionType, Severity, Stabilised,
    ValidationResult,
    checks::{Facts, bounds, outside},
    completion,
    formulas::Formulas,
    stabilise::settle,
};

const ZERO: Option<Decimal> = Some(Decimal::ZERO);
const HUNDRED: Option<Decimal> = Some(Decimal::ONE_HUNDRED);

/// Stabilises, and applies all rules. `benchmarks` is what BENCHMARK_OUTLIER rules compare with; it may be empty.
#[must_use]
pub fn validate(
    assessment_id: AssessmentId,
    set: &QuestionSet,
    answers: &Answers,
    benchmarks: &BTreeMap<QuestionId, BenchmarkFact>,
) -> ValidationResult {
    let index = Index::new(&set.questions);
    let values = settle(&index, &Formulas::new(&set.questions, &index), &set.questions, answers);
    let facts = Facts { index: &index, values: &values, answers, benchmarks };
    let mut findings = of_formulas(&facts);
    for question in &set.questions {
        of_question(&facts, question, &mut findings);
    }
    for rule in set.rules.iter().filter(|rule| rule.is_active) {
        if !values.stabilized && !rule.check.runs_unstabilised() {
            continue;
        }
        for finding in facts.findings(rule) {
            // A question that is required anyway need not be said to be so twice.
            let said = finding.rule == "REQUIRED"
                && findings.iter().any(|known| known.rule == "REQUIRED" && known.question_id == finding.question_id);
            if !said {
                findings.push(finding);
            }
        }
    }
    let (errors, warnings): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| finding.severity == Severity::Error);
    ValidationResult {
        assessment_id,
        valid: errors.is_empty(),
        stabilized: values.stabilized,
        passes: values.passes,
        errors,
        warnings,
        calculated: calculated(set, &index, &values),
        completion: completion(set, &values),
    }
}

/// The calculated values as text, by code.
fn calculated(set: &QuestionSet, index: &Index<'_>, values: &Stabilised) -> BTreeMap<String, String> {
    let questions = set.questions.iter().filter(|question| question.is_calculated());
    questions.filter_map(|question| Some((index.label(question), values.value(question.id)?.to_string()))).collect()
}

fn finding(facts: &Facts<'_>, question: &Question, rule: &str, severity: Severity, message: &str) -> Finding {
    Finding {
        question_id: Some(question.id),
        code: Some(facts.index.label(question)),
        rule: rule.to_owned(),
        severity,
        message: message.to_owned(),
        value: None,
        expected: None,
        codes: Vec::new(),
    }
}

/// What the stabilisation itself has to tell.
fn of_formulas(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let about = |questions: &[QuestionId], rule: &str, severity: Severity, message: &str| {
        let questions: Vec<&Question> = questions.iter().filter_map(|id| facts.index.question(*id)).collect();
        let first = questions.first()?;
        let codes: Vec<String> = questions.iter().map(|question| facts.index.label(question)).collect();
        let message = format!("{message}: {}", codes.join(", "));
        Some(Finding { codes, ..finding(facts, first, rule, severity, &message) })
    };
    let unsettled = &facts.values.unsettled;
    let message = format!("these formulas still change after {} passes", facts.values.passes);
    findings.extend(about(unsettled, "FORMULA_NOT_STABLE", Severity::Error, &message));
    for cycle in &facts.values.cycles {
        findings.extend(about(cycle, "CYCLIC_FORMULA", Severity::Warning, "these formulas refer to each other"));
    }
    for (id, problem) in &facts.values.problems {
        let severity = if problem.is_warning() { Severity::Warning } else { Severity::Error };
        let message = "the formula has no value";
        findings.extend(
            facts.index.question(*id).map(|question| finding(facts, question, problem.code(), severity, message)),
        );
    }
    for (id, error) in &facts.values.broken {
        let question = facts.index.question(*id);
        findings.extend(question.map(|q| finding(facts, q, error.code(), Severity::Error, &error.to_string())));
    }
    findings
}

/// What a question demands by itself: that it can be read, that it is answered, its own range.
fn of_question(facts: &Facts<'_>, question: &Question, findings: &mut Vec<Finding>) {
    if let Some(bad) = facts.values.unreadable.get(&question.id) {
        let value = facts.answers.get(&question.id).and_then(|given| given.value.clone());
        let expected = Some(type_name(question.question_type).to_owned());
        findings.push(Finding { value, expected, ..finding(facts, question, bad.code, Severity::Error, &bad.message) });
    }
    if question.is_required && facts.is_missing(question) {
        findings.push(finding(facts, question, "REQUIRED", Severity::Error, "an answer is required"));
    }
    for part in question.sub_questions.iter().filter(|part| part.required) {
        let answered = facts.values.parts.contains_key(&(question.id, part.key.key()));
        let wanted = question.is_required || facts.values.value(question.id).is_some();
        if wanted && !answered && !facts.values.unreadable.contains_key(&question.id) {
            let message = format!("an answer to '{}' is required", part.label);
            findings.push(finding(facts, question, "REQUIRED", Severity::Error, &message));
        }
    }
    if !facts.values.stabilized {
        return;
    }
    for part in question.sub_questions.iter().filter(|part| part.question_type == QuestionType::Percent) {
        let number = facts.values.parts.get(&(question.id, part.key.key())).and_then(Value::number);
        if let Some(number) = number.filter(|number| outside(*number, ZERO, HUNDRED, true)) {
            findings.push(Finding {
                value: Some(number.to_string()),
                expected: Some(bounds(ZERO, HUNDRED)),
                ..finding(facts, question, "RANGE", Severity::Error, &format!("{} must be within 0..100", part.key))
            });
        }
    }
    let (min, max) = own_range(question);
    if let Some(number) = facts.values.number(question.id).filter(|number| outside(*number, min, max, true)) {
        let expected = bounds(min, max);
        findings.push(Finding {
            value: Some(number.to_string()),
            expected: Some(expected.clone()),
            ..finding(facts, question, "RANGE", Severity::Error, &format!("must be within {expected}"))
        });
    }
}

/// A percentage is within 0 to 100 unless the question itself says otherwise.
fn own_range(question: &Question) -> (Option<Decimal>, Option<Decimal>) {
    match question.question_type {
        QuestionType::Percent => (question.min.or(ZERO), question.max.or(HUNDRED)),
        _ => (question.min, question.max),
    }
}

const fn type_name(question_type: QuestionType) -> &'static str {
    match question_type {
        QuestionType::Number => "NUMBER",
        QuestionType::Percent => "PERCENT",
        QuestionType::Currency => "CURRENCY",
        QuestionType::Integer => "INTEGER",
        QuestionType::Text => "TEXT",
        QuestionType::Choice => "CHOICE",
        QuestionType::MultiChoice => "MULTI_CHOICE",
        QuestionType::Boolean => "BOOLEAN",
        QuestionType::Date => "DATE",
        QuestionType::Score => "SCORE",
        QuestionType::Calculated => "CALCULATED",
    }
}
