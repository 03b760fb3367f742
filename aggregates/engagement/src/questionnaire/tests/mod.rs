mod answering;
mod stabilising;
mod uploading;
mod validating;

use std::collections::BTreeMap;

use kernel::{Code, Text, testing::id};

use super::*;

/// A question of the shared bank. Its id is its place.
pub(crate) fn question(number: i64, code: &str, question_type: QuestionType) -> Question {
    Question {
        id: id(number),
        code: Code::new(code).unwrap(),
        text: Text::new(code).unwrap(),
        help_text: None,
        vertical: None,
        section: None,
        order: i32::try_from(number).unwrap(),
        step: 1,
        question_type,
        unit: None,
        decimal_places: 2,
        is_required: false,
        options: Vec::new(),
        sub_questions: Vec::new(),
        formula: None,
        min: None,
        max: None,
        benchmark_code: None,
        is_active: true,
        bank_version: 1,
    }
}

/// A calculated question.
pub(crate) fn formula(number: i64, code: &str, formula: &str) -> Question {
    let formula = Some(Text::new(formula).unwrap());
    Question { formula, ..question(number, code, QuestionType::Calculated) }
}

fn set(questions: Vec<Question>) -> QuestionSet {
    QuestionSet { bank_version: 1, questions, rules: Vec::new() }
}

fn answers(given: &[(i64, &str)]) -> Answers {
    given.iter().map(|(question, value)| (id(*question), GivenAnswer::new(value))).collect()
}

/// What the baseline of spec 23 is calculated from: volume 25,000, 8 FTE, salary 52,000.
fn baseline(order: [&str; 4]) -> QuestionSet {
    let formulas = BTreeMap::from([
        ("LOAD", "{SALARY} * (1 + PCT(22) + PCT(15))"),
        ("LAB", "{FTE} * {LOAD}"),
        ("TOT", "{LAB} + 60000"),
        ("CPT", "{TOT} / {VOL}"),
    ]);
    let mut questions: Vec<Question> = ["VOL", "FTE", "SALARY"]
        .iter()
        .zip(1..)
        .map(|(code, number)| question(number, code, QuestionType::Number))
        .collect();
    questions.extend(order.iter().zip(10..).map(|(code, number)| formula(number, code, formulas[code])));
    for question in &mut questions {
        question.decimal_places = if &*question.code == "CPT" { 4 } else { 2 };
    }
    set(questions)
}

fn baseline_answers() -> Answers {
    answers(&[(1, "25000"), (2, "8"), (3, "52000")])
}

fn result(set: &QuestionSet, answers: &Answers) -> ValidationResult {
    validate(id(1), set, answers, &BTreeMap::new())
}
