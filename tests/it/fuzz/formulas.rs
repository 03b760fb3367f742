//! The formula language.

use kernel::formula::{Formula, FormulaError, MAX_LENGTH, Outcome, Reference, Type, Value};
use rust_decimal::Decimal;

use super::inputs::Inputs;

const WORDS: &[&str] = &[
    "1",
    "2.5",
    "0",
    "79228162514264337593543950335",
    "{A}",
    "{B.x}",
    "\"t\"",
    "\"\"",
    "+",
    "-",
    "*",
    "/",
    "^",
    "=",
    "!=",
    "<",
    "<=",
    "(",
    ")",
    ",",
    " NOT ",
    " AND ",
    " OR ",
    "SUM(",
    "AVG(",
    "MIN(",
    "ABS(",
    "ROUND(",
    "IF(",
    "COALESCE(",
    "PCT(",
    "CLASS(\"A\")",
    "TRUE",
    "FALSE",
    "{",
    "}",
    "\"",
    "\u{a0}",
    "é",
    "\u{0}",
    ".",
    "9999999999999999999999999999",
];

fn evaluated(formula: &Formula, a: Decimal) -> Outcome {
    formula.evaluate(&|reference: &Reference| match reference.key() {
        "a" => Some(Value::Number(a)),
        "b" => Some(Value::Text("x".to_owned())),
        _ => None,
    })
}

/// Whatever text it is: it is refused where it is wrong, or it is printed as what means the same.
fn check(input: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(input);
    let formula = match Formula::parse(&text) {
        Ok(formula) => formula,
        Err(FormulaError::Syntax { at, .. }) if at == 0 || at > MAX_LENGTH + 1 => return Err(format!("wrong at {at}")),
        Err(_) => return Ok(()),
    };
    let sort = formula.check(|reference| Some(if reference.key() == "b" { Type::Text } else { Type::Number }));
    let again = match Formula::parse(&formula.to_string()) {
        Ok(again) => again,
        // With all its parentheses it may be too much.
        Err(FormulaError::TooDeep | FormulaError::TooLong) => return Ok(()),
        Err(error) => return Err(format!("{formula} is none: {error}")),
    };
    if formula.to_string() != again.to_string() {
        return Err(format!("{formula} is printed as {again}"));
    }
    for a in [Decimal::MAX, Decimal::MIN, Decimal::new(1, 28), Decimal::ZERO, Decimal::from(-3)] {
        let outcome = evaluated(&formula, a);
        if outcome != evaluated(&again, a) {
            return Err(format!("{formula} means something else for {a}"));
        }
        if let (Ok(sort), Some(value)) = (&sort, &outcome.value)
            && value.sort() != *sort
        {
            return Err(format!("{formula} is no {sort} for {a}"));
        }
    }
    Ok(())
}

#[test]
fn a_formula_is_refused_or_means_what_it_is_printed_as() {
    Inputs::of("formulas", 10_000, WORDS).check(check);
}
