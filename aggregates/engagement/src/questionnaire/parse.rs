//! From an answer's text to its value, by the question's type (spec 9.2).

use std::{collections::BTreeMap, fmt};

use chrono::NaiveDate;
use kernel::{
    Text,
    formula::{Type, Value},
};
use rust_decimal::Decimal;

use super::{AnswerValue, BadAnswer, GivenAnswer, Question, QuestionType};

/// The longest answer to a TEXT question, in characters.
const MAX_TEXT: usize = 4000;

/// The value of an answer; `None` when it is blank, which clears the answer, and for a calculated question.
///
/// # Errors
/// `NOT_A_NUMBER`, `NOT_AN_INTEGER`, `NOT_A_SCORE`, `NOT_AN_OPTION`, `NOT_A_BOOLEAN`, `NOT_A_DATE`, `NOT_A_TEXT`.
pub fn parse_answer(question: &Question, text: &str) -> Result<Option<AnswerValue>, BadAnswer> {
    if question.is_calculated() {
        return Ok(None);
    }
    parse_as(question.question_type, &question.options, text)
}

/// The values of the sub-answers that are not blank, by key as the question spells it.
///
/// # Errors
/// As [`parse_answer`], and `UNKNOWN_SUB_KEY`.
pub fn parse_sub_answer(
    question: &Question,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, AnswerValue>, BadAnswer> {
    let mut values = BTreeMap::new();
    for (key, text) in given {
        let wanted = key.trim().to_lowercase();
        let part = question
            .sub_questions
            .iter()
            .find(|part| part.key.key() == wanted)
            .ok_or_else(|| bad("UNKNOWN_SUB_KEY", &format!("'{key}' is no part of the question")))?;
        let value = parse_as(part.question_type, &[], text)
            .map_err(|bad| BadAnswer { message: format!("{}: {}", part.key, bad.message), ..bad })?;
        if let Some(value) = value {
            values.insert(part.key.to_string(), value);
        }
    }
    Ok(values)
}

fn bad(code: &'static str, message: &str) -> BadAnswer {
    BadAnswer { code, message: message.to_owned() }
}

fn parse_as(
    question_type: QuestionType,
    options: &[Text<1, 200>],
    text: &str,
) -> Result<Option<AnswerValue>, BadAnswer> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let value = match question_type {
        QuestionType::Number | QuestionType::Percent | QuestionType::Currency => AnswerValue::Number(number(text)?),
        QuestionType::Integer => AnswerValue::Number(whole(text)?),
        QuestionType::Score => {
            let score = whole(text).map_err(|error| BadAnswer { code: not_a_score(error.code), ..error })?;
            if score < Decimal::ONE || score > Decimal::from(5) {
                return Err(bad("NOT_A_SCORE", "must be a whole number from 1 to 5"));
            }
            AnswerValue::Number(score)
        }
        QuestionType::Boolean => AnswerValue::Boolean(boolean(text)?),
        QuestionType::Date => AnswerValue::Date(
            NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| bad("NOT_A_DATE", "must be a date, YYYY-MM-DD"))?,
        ),
        QuestionType::Choice if !options.is_empty() => AnswerValue::Text(option(options, text)?),
        QuestionType::MultiChoice if !options.is_empty() => choices(options, text)?,
        QuestionType::Text | QuestionType::Choice | QuestionType::MultiChoice | QuestionType::Calculated => {
            AnswerValue::Text(
                Text::<1, MAX_TEXT>::new(text).map_err(|error| bad("NOT_A_TEXT", &error.to_string()))?.into_string(),
            )
        }
    };
    Ok(Some(value))
}

const fn not_a_score(code: &'static str) -> &'static str {
    if matches!(code.as_bytes(), b"NOT_AN_INTEGER") { "NOT_A_SCORE" } else { code }
}

/// A decimal number with optional sign, currency sign in front, thousands commas, and percent sign behind.
///
/// # Errors
/// `NOT_A_NUMBER` for all else, and for what is beyond 10^24 or has more than 28 digits.
pub(super) fn number(text: &str) -> Result<Decimal, BadAnswer> {
    let refuse = || bad("NOT_A_NUMBER", &format!("'{}' is not a number", text.chars().take(40).collect::<String>()));
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (negative, rest) = sign(&compact);
    let rest = rest.strip_prefix(['$', '€', '£', '¥', '₹', '₩', '₽', '₺', '₫', '₪', '₴', '₦', '฿']).unwrap_or(rest);
    // The sign may stand behind the currency sign as well, but not twice.
    let (negative, rest) = if compact.starts_with(['-', '+']) { (negative, rest) } else { sign(rest) };
    let rest = rest.strip_suffix('%').unwrap_or(rest);
    let (integer, fraction) = rest.split_once('.').map_or((rest, None), |(integer, rest)| (integer, Some(rest)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !grouped(integer) || fraction.is_some_and(|fraction| !digits(fraction)) {
        return Err(refuse());
    }
    let plain = format!("{}.{}", integer.replace(',', ""), fraction.unwrap_or_default());
    let value = Decimal::from_str_exact(plain.trim_end_matches('.')).map_err(|_| refuse())?;
    if value > Decimal::from(1_000_000_000_000_000_000_000_000_i128) {
        return Err(refuse());
    }
    Ok(if negative && !value.is_zero() { -value } else { value })
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Digits, in groups or not: 25000, 25,000, 1,00,000. A comma that separates decimals ("2,5") is not guessed at.
fn grouped(integer: &str) -> bool {
    let groups: Vec<&str> = integer.split(',').collect();
    let digits = groups.iter().all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    digits
        && match lengths.as_slice() {
            [_] => true,
            [first, between @ .., last] => {
                *first <= 3 && *last == 3 && between.iter().all(|length| matches!(length, 2 | 3))
            }
            [] => false,
        }
}

fn whole(text: &str) -> Result<Decimal, BadAnswer> {
    let value = number(text)?;
    if value.fract().is_zero() { Ok(value) } else { Err(bad("NOT_AN_INTEGER", "must be a whole number")) }
}

/// # Errors
/// `NOT_A_BOOLEAN`.
pub(super) fn boolean(text: &str) -> Result<bool, BadAnswer> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" => Ok(true),
        "false" | "no" | "n" | "0" => Ok(false),
        _ => Err(bad("NOT_A_BOOLEAN", "must be true or false")),
    }
}

fn option(options: &[Text<1, 200>], text: &str) -> Result<String, BadAnswer> {
    let wanted = text.trim().to_lowercase();
    options
        .iter()
        .find(|option| option.key() == wanted)
        .map(ToString::to_string)
        .ok_or_else(|| bad("NOT_AN_OPTION", "must be one of the options"))
}

fn choices(options: &[Text<1, 200>], text: &str) -> Result<AnswerValue, BadAnswer> {
    let mut chosen = Vec::new();
    for part in text.split('|').filter(|part| !part.trim().is_empty()) {
        chosen.push(option(options, part)?);
    }
    if chosen.is_empty() {
        return Err(bad("NOT_AN_OPTION", "must be one or more of the options, separated by '|'"));
    }
    let in_order = options.iter().map(ToString::to_string).filter(|option| chosen.contains(option));
    Ok(AnswerValue::Choices(in_order.collect()))
}

impl AnswerValue {
    /// What formulas see: dates and choices are texts to them.
    #[must_use]
    pub fn formula_value(&self) -> Value {
        match self {
            Self::Number(number) => Value::Number(*number),
            Self::Boolean(boolean) => Value::Boolean(*boolean),
            text => Value::Text(text.to_string()),
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub const fn number(&self) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// The canonical text, which is what is stored; read again it gives the same value.
impl fmt::Display for AnswerValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Choices(chosen) => f.write_str(&chosen.join("|")),
            Self::Boolean(boolean) => boolean.fmt(f),
            Self::Date(date) => date.fmt(f),
        }
    }
}

impl GivenAnswer {
    /// An answer without parts.
    #[must_use]
    pub fn new(value: &str) -> Self {
        Self { value: Some(value.to_owned()), sub_answer: BTreeMap::new() }
    }
}

impl QuestionType {
    /// The type that formulas see; `None` for a calculated question, whose formula tells.
    #[must_use]
    pub const fn sort(self) -> Option<Type> {
        match self {
            Self::Number | Self::Percent | Self::Currency | Self::Integer | Self::Score => Some(Type::Number),
            Self::Boolean => Some(Type::Boolean),
            Self::Text | Self::Choice | Self::MultiChoice | Self::Date => Some(Type::Text),
            Self::Calculated => None,
        }
    }
}
