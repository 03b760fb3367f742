//! Whether questions and rules make sense together, before they are let in.

use std::collections::BTreeMap;

use kernel::{
    QuestionId, VerticalId,
    formula::{Formula, FormulaError, Type},
};

use super::{
    Check, Index, Question, ValidationRule,
    checks::{cross_row, whole_pattern},
    formulas::{Formulas, check_types, type_of},
};

/// Looks at formulas and rules against a set of questions.
#[derive(Debug)]
pub struct Inspector<'a> {
    index: Index<'a>,
    types: BTreeMap<QuestionId, Type>,
    faulty_formulas: BTreeMap<QuestionId, FormulaError>,
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFault {
    pub code: &'static str,
    /// The member of the rule that is to blame.
    pub field: &'static str,
    pub message: String,
}

impl<'a> Inspector<'a> {
    #[must_use]
    pub fn new(questions: &'a [Question]) -> Self {
        let index = Index::new(questions);
        let (types, faults) = Formulas::new(questions, &index).types(&index);
        Self { index, types, faulty_formulas: faults.into_iter().collect() }
    }

    /// The formulas that do not parse, refer to what is not there, or mix up types.
    #[must_use]
    pub const fn faulty_formulas(&self) -> &BTreeMap<QuestionId, FormulaError> {
        &self.faulty_formulas
    }

    /// # Errors
    /// The first thing that is wrong with the rule.
    pub fn inspect(&self, rule: &ValidationRule) -> Result<(), RuleFault> {
        let vertical = rule.vertical.as_ref().map(|vertical| vertical.id);
        if let Some(unknown) = rule.targets.iter().find(|code| self.index.named(vertical, code).is_none()) {
            return Err(unknown_code("targets", unknown));
        }
        match &rule.check {
            Check::Required | Check::Type | Check::Range { .. } | Check::Regex { .. } | Check::Enum { .. }
                if rule.targets.is_empty() =>
            {
                Err(fault("TARGETS_REQUIRED", "targets", "the rule needs at least one target"))
            }
            Check::Required | Check::Type | Check::BenchmarkOutlier { .. } => Ok(()),
            Check::Range { min, max, .. } => match (min, max) {
                (None, None) => Err(fault("INVALID_PARAMS", "params", "min or max is required")),
                (Some(min), Some(max)) if min > max => Err(fault("INVALID_PARAMS", "params", "min is above max")),
                _ => Ok(()),
            },
            Check::GroupSum { codes, .. } if codes.is_empty() && rule.targets.is_empty() => {
                Err(fault("INVALID_PARAMS", "params", "codes are required"))
            }
            Check::GroupSum { codes, .. } => codes
                .iter()
                .find(|code| self.index.target(vertical, code).is_none())
                .map_or(Ok(()), |unknown| Err(unknown_code("params", unknown))),
            Check::CrossRow { left, op, right_expression } => {
                self.condition(vertical, cross_row(&self.index, vertical, left, *op, right_expression))
            }
            Check::Dependency { when_expression, then } => {
                self.condition(vertical, Formula::parse(when_expression))?;
                if !matches!(then.to_lowercase().as_str(), "required" | "forbidden") {
                    return self.condition(vertical, Formula::parse(then));
                }
                if rule.targets.is_empty() {
                    return Err(fault("TARGETS_REQUIRED", "targets", "the rule needs at least one target"));
                }
                Ok(())
            }
            Check::Regex { pattern } => {
                whole_pattern(pattern).map(drop).map_err(|error| fault("INVALID_PATTERN", "params", &error.to_string()))
            }
            Check::Enum { options } if options.is_empty() => {
                Err(fault("INVALID_PARAMS", "params", "options are required"))
            }
            Check::Enum { .. } => Ok(()),
        }
    }

    /// Looks at the condition of a lever in `vertical`: it must be true or false, and what it refers to must be there,
    /// the codes inside `CLASS("…")` too (spec 12.7).
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn inspect_lever(&self, vertical: VerticalId, condition: &Formula) -> Result<(), FormulaError> {
        let vertical = Some(vertical);
        if let Some(unknown) = condition.classes().iter().find(|code| self.index.named(vertical, code).is_none()) {
            return Err(FormulaError::UnknownReference(unknown.clone()));
        }
        match type_of(condition, vertical, &self.index, &self.types)? {
            Type::Boolean => Ok(()),
            found => {
                let place = "a condition".to_owned();
                Err(FormulaError::TypeClash { place, expected: Type::Boolean, found })
            }
        }
    }

    /// A formula that is true or false.
    fn condition(&self, vertical: Option<VerticalId>, formula: Result<Formula, FormulaError>) -> Result<(), RuleFault> {
        let found = formula.and_then(|formula| check_types(&formula, vertical, &self.index, &self.types));
        match found {
            Ok(Type::Boolean) => Ok(()),
            Ok(found) => Err(fault("TYPE_CLASH", "params", &format!("a condition must be true or false, not {found}"))),
            Err(error) => Err(fault(error.code(), "params", &error.to_string())),
        }
    }
}

fn fault(code: &'static str, field: &'static str, message: &str) -> RuleFault {
    RuleFault { code, field, message: message.to_owned() }
}

fn unknown_code(field: &'static str, code: &str) -> RuleFault {
    fault("UNKNOWN_QUESTION", field, &format!("there is no question with the code '{code}'"))
}
