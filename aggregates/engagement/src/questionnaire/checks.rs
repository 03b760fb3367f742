//! The rules of spec 9.7, each as a function from values to findings.

use std::collections::BTreeMap;

use kernel::{
    Code, QuestionId, VerticalId,
    formula::{Formula, FormulaError, Value},
};
use regex_lite::Regex;
use rust_decimal::Decimal;

use super::{
    Answers, BenchmarkFact, Check, Comparison, Finding, Index, Question, Severity, Stabilised, ValidationRule,
};

/// What all rules look at.
pub(super) struct Facts<'a> {
    pub(super) index: &'a Index<'a>,
    pub(super) values: &'a Stabilised,
    pub(super) answers: &'a Answers,
    pub(super) benchmarks: &'a BTreeMap<QuestionId, BenchmarkFact>,
}

/// A violation before it is put into words for the reader.
struct Violation<'a> {
    question: Option<&'a Question>,
    message: String,
    value: Option<String>,
    expected: Option<String>,
    codes: Vec<String>,
}

impl<'a> Violation<'a> {
    const fn of(question: &'a Question, message: String, value: Option<String>, expected: Option<String>) -> Self {
        Self { question: Some(question), message, value, expected, codes: Vec::new() }
    }
}

impl Comparison {
    /// As formulas write it.
    #[must_use]
    pub const fn written(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl Check {
    /// The type's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Required => "REQUIRED",
            Self::Type => "TYPE",
            Self::Range { .. } => "RANGE",
            Self::GroupSum { .. } => "GROUP_SUM",
            Self::CrossRow { .. } => "CROSS_ROW",
            Self::Dependency { .. } => "DEPENDENCY",
            Self::Regex { .. } => "REGEX",
            Self::Enum { .. } => "ENUM",
            Self::BenchmarkOutlier { .. } => "BENCHMARK_OUTLIER",
        }
    }

    /// Whether it makes sense on values that have not come to rest.
    pub(super) const fn runs_unstabilised(&self) -> bool {
        matches!(self, Self::Required | Self::Type)
    }
}

/// The comparison of a CROSS_ROW rule as one formula. Either side may be a bare code.
pub(super) fn cross_row(
    index: &Index<'_>,
    vertical: Option<VerticalId>,
    left: &str,
    op: Comparison,
    right: &str,
) -> Result<Formula, FormulaError> {
    let side = |text: &str| match index.target(vertical, text) {
        Some(_) => format!("{{{text}}}"),
        None => format!("({text})"),
    };
    Formula::parse(&format!("{} {} {}", side(left), op.written(), side(right)))
}

/// The pattern of a REGEX rule, which the whole text has to match.
pub(super) fn whole_pattern(pattern: &str) -> Result<Regex, regex_lite::Error> {
    Regex::new(&format!("^(?:{pattern})$"))
}

/// `min..max`, with what is open left out.
pub(super) fn bounds(min: Option<Decimal>, max: Option<Decimal>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("{min}..{max}"),
        (Some(min), None) => format!(">= {min}"),
        (None, Some(max)) => format!("<= {max}"),
        (None, None) => String::new(),
    }
}

pub(super) fn outside(number: Decimal, min: Option<Decimal>, max: Option<Decimal>, inclusive: bool) -> bool {
    min.is_some_and(|min| if inclusive { number < min } else { number <= min })
        || max.is_some_and(|max| if inclusive { number > max } else { number >= max })
}

impl<'a> Facts<'a> {
    /// What a rule finds.
    pub(super) fn findings(&self, rule: &ValidationRule) -> Vec<Finding> {
        // A distance from a benchmark is a hint, whatever the rule's author thought.
        let outlier = matches!(rule.check, Check::BenchmarkOutlier { .. });
        let severity = if outlier { Severity::Warning } else { rule.severity };
        self.violations(rule)
            .into_iter()
            .map(|violation| Finding {
                question_id: violation.question.map(|question| question.id),
                code: violation.question.map(|question| self.index.label(question)),
                rule: rule.check.name().to_owned(),
                severity,
                message: rule.message.as_ref().map_or(violation.message, ToString::to_string),
                value: violation.value,
                expected: violation.expected,
                codes: violation.codes,
            })
            .collect()
    }

    fn violations(&self, rule: &ValidationRule) -> Vec<Violation<'a>> {
        let vertical = rule.vertical.as_ref().map(|vertical| vertical.id);
        let targets: Vec<&'a Question> =
            rule.targets.iter().filter_map(|code| self.index.named(vertical, code)).collect();
        match &rule.check {
            Check::Required => targets.into_iter().filter_map(|target| self.required(target)).collect(),
            // What cannot be read is an error of its own, with or without this rule.
            Check::Type => Vec::new(),
            Check::Range { min, max, inclusive } => {
                targets.into_iter().filter_map(|target| self.range(target, *min, *max, *inclusive)).collect()
            }
            Check::GroupSum { codes, target, tolerance } => {
                let codes = if codes.is_empty() { &rule.targets } else { codes };
                self.group_sum(vertical, codes, *target, *tolerance).into_iter().collect()
            }
            Check::CrossRow { left, op, right_expression } => {
                let Ok(formula) = cross_row(self.index, vertical, left, *op, right_expression) else {
                    return Vec::new();
                };
                self.must_hold(vertical, &formula, &targets).into_iter().collect()
            }
            Check::Dependency { when_expression, then } => self.dependency(vertical, when_expression, then, &targets),
            Check::Regex { pattern } => {
                let Ok(regex) = whole_pattern(pattern) else { return Vec::new() };
                let violation = |target| {
                    let text = self.text(target).filter(|text| !regex.is_match(text))?;
                    let expected = Some(pattern.to_string());
                    Some(Violation::of(target, "does not have the expected form".to_owned(), Some(text), expected))
                };
                targets.into_iter().filter_map(violation).collect()
            }
            Check::Enum { options } => {
                let known: Vec<String> = options.iter().map(|option| option.key()).collect();
                let violation = |target: &'a Question| {
                    let text = self.text(target)?;
                    let all_known = text.split('|').all(|part| known.contains(&part.trim().to_lowercase()))
                        || known.contains(&text.trim().to_lowercase());
                    let expected = options.iter().map(ToString::to_string).collect::<Vec<_>>().join("|");
                    let message = "must be one of the options".to_owned();
                    (!all_known).then(|| Violation::of(target, message, Some(text), Some(expected)))
                };
                targets.into_iter().filter_map(violation).collect()
            }
            Check::BenchmarkOutlier { max_z } => {
                let all = self.benchmarks.keys().filter_map(|id| self.index.question(*id));
                let targets = if rule.targets.is_empty() { all.collect() } else { targets };
                targets.into_iter().filter_map(|target| self.outlier(target, *max_z)).collect()
            }
        }
    }

    /// The value as text, if there is one.
    fn text(&self, question: &Question) -> Option<String> {
        self.values.value(question.id).map(ToString::to_string)
    }

    pub(super) fn is_missing(&self, question: &Question) -> bool {
        self.values.value(question.id).is_none() && !self.values.unreadable.contains_key(&question.id)
    }

    fn required(&self, target: &'a Question) -> Option<Violation<'a>> {
        self.is_missing(target).then(|| Violation::of(target, "an answer is required".to_owned(), None, None))
    }

    fn range(
        &self,
        target: &'a Question,
        min: Option<Decimal>,
        max: Option<Decimal>,
        inclusive: bool,
    ) -> Option<Violation<'a>> {
        let number = self.values.number(target.id)?;
        let expected = bounds(min, max);
        let message = format!("must be within {expected}{}", if inclusive { "" } else { ", bounds excluded" });
        outside(number, min, max, inclusive)
            .then(|| Violation::of(target, message, Some(number.to_string()), Some(expected)))
    }

    fn group_sum(
        &self,
        vertical: Option<VerticalId>,
        codes: &[Code],
        target: Decimal,
        tolerance: Decimal,
    ) -> Option<Violation<'a>> {
        let members: Vec<_> = codes.iter().filter_map(|code| self.index.target(vertical, code)).collect();
        let number = |member: &super::Target<'_>| match member.part {
            None => self.values.number(member.question.id),
            Some(part) => self.values.parts.get(&(member.question.id, part.key.key())).and_then(Value::number),
        };
        let numbers: Vec<Decimal> = members.iter().filter_map(number).collect();
        if numbers.is_empty() {
            return None;
        }
        let sum = numbers.iter().try_fold(Decimal::ZERO, |sum, number| sum.checked_add(*number));
        let distance = sum.and_then(|sum| sum.checked_sub(target)).map(|distance| distance.abs());
        distance.is_none_or(|distance| distance > tolerance).then(|| Violation {
            question: members.first().map(|member| member.question),
            message: format!("must add up to {target}, give or take {tolerance}"),
            value: sum.map(|sum| sum.to_string()),
            expected: Some(target.to_string()),
            codes: codes.iter().map(ToString::to_string).collect(),
        })
    }

    /// A violation when the formula is false; null is no violation.
    fn must_hold(
        &self,
        vertical: Option<VerticalId>,
        formula: &Formula,
        targets: &[&'a Question],
    ) -> Option<Violation<'a>> {
        let outcome = formula.evaluate(&self.values.seen_from(self.index, vertical));
        let referred: Vec<&'a Question> = formula
            .references()
            .iter()
            .filter_map(|reference| self.index.referred(vertical, reference))
            .map(|target| target.question)
            .collect();
        let question = targets.first().or(referred.first()).copied();
        (outcome.value == Some(Value::Boolean(false))).then(|| Violation {
            question,
            message: format!("must hold: {}", formula.source()),
            value: question.and_then(|question| self.text(question)),
            expected: Some(formula.source().to_owned()),
            codes: referred.iter().map(|question| self.index.label(question)).collect(),
        })
    }

    fn dependency(
        &self,
        vertical: Option<VerticalId>,
        when: &str,
        then: &str,
        targets: &[&'a Question],
    ) -> Vec<Violation<'a>> {
        let Ok(condition) = Formula::parse(when) else { return Vec::new() };
        let met = condition.evaluate(&self.values.seen_from(self.index, vertical)).value;
        if met != Some(Value::Boolean(true)) {
            return Vec::new();
        }
        match then.to_lowercase().as_str() {
            "required" => {
                let missing = targets.iter().copied().filter(|target| self.is_missing(target));
                let message = format!("an answer is required when {when}");
                missing
                    .map(|target| Violation::of(target, message.clone(), None, Some("required".to_owned())))
                    .collect()
            }
            "forbidden" => {
                let message = format!("no answer may be given when {when}");
                let present = targets.iter().copied().filter(|target| !self.is_missing(target));
                let violation = |target: &'a Question| {
                    let given = || self.answers.get(&target.id).and_then(|given| given.value.clone());
                    let value = self.text(target).or_else(given);
                    Violation::of(target, message.clone(), value, Some("forbidden".to_owned()))
                };
                present.map(violation).collect()
            }
            _ => {
                let Ok(formula) = Formula::parse(then) else { return Vec::new() };
                self.must_hold(vertical, &formula, targets).into_iter().collect()
            }
        }
    }

    fn outlier(&self, target: &'a Question, max_z: Decimal) -> Option<Violation<'a>> {
        let number = self.values.number(target.id)?;
        let benchmark = self.benchmarks.get(&target.id)?;
        let deviation = benchmark.std_dev.filter(|deviation| !deviation.is_zero())?;
        let z = number.checked_sub(benchmark.median)?.checked_div(deviation)?.abs();
        let message = format!(
            "is {} standard deviations away from the benchmark's median {}",
            kernel::rounded(z, 2),
            benchmark.median
        );
        let expected = Some(format!("median {} ± {max_z} × {deviation}", benchmark.median));
        (z > max_z).then(|| Violation::of(target, message, Some(number.to_string()), expected))
    }
}
