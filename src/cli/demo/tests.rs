//! The engagement's own questions, rules and answers, put to the engine that the server validates with.

use std::collections::BTreeMap;
use std::path::Path;

use engagement::questionnaire::{Answers, GivenAnswer, Inspector, Question, QuestionSet, ValidationRule, validate};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::content::Content;

fn content() -> Content {
    Content::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("demo")).unwrap()
}

/// The rows of a file as they are stored: with an id each, the vertical resolved.
fn stored<T: DeserializeOwned>(content: &Content, file: &str) -> Vec<T> {
    let rows: Vec<Value> = serde_json::from_slice(&content.file(file).unwrap()).unwrap();
    rows.into_iter()
        .enumerate()
        .map(|(place, mut row)| {
            let vertical = row["vertical_code"].as_str().map(|code| {
                let id = 1 + content.engagement.verticals.iter().position(|one| one.code == code).unwrap();
                json!({"id": id, "code": code})
            });
            let members = row.as_object_mut().unwrap();
            members.remove("vertical_code");
            members.insert("vertical".to_owned(), json!(vertical));
            members.insert("id".to_owned(), json!(place + 1));
            members.entry("bank_version").or_insert(json!(1));
            serde_json::from_value(row.clone()).unwrap_or_else(|error| panic!("{file}: {row}: {error}"))
        })
        .collect()
}

fn question_set(content: &Content) -> QuestionSet {
    QuestionSet {
        bank_version: 1,
        questions: stored::<Question>(content, "questionnaire.json"),
        rules: stored::<ValidationRule>(content, "rules.json"),
    }
}

fn given(set: &QuestionSet, answers: &BTreeMap<String, Value>) -> Answers {
    let id = |code: &str| set.questions.iter().find(|question| *question.code == *code).unwrap().id;
    let answer = |given: &Value| match given {
        Value::String(value) => GivenAnswer { value: Some(value.clone()), ..GivenAnswer::default() },
        given => serde_json::from_value(given.clone()).unwrap(),
    };
    answers.iter().map(|(code, given)| (id(code), answer(given))).collect()
}

#[test]
fn every_rule_names_questions_and_members_that_exist() {
    let set = question_set(&content());
    let inspector = Inspector::new(&set.questions);
    assert!(inspector.faulty_formulas().is_empty(), "{:?}", inspector.faulty_formulas());
    for rule in &set.rules {
        assert_eq!(inspector.inspect(rule), Ok(()), "{}", &*rule.code);
    }
}

#[test]
fn the_answers_satisfy_the_rules_before_and_after_the_rework() {
    let content = content();
    let set = question_set(&content);
    let mut answers = given(&set, &content.answers);
    let assessment = serde_json::from_value(json!(1)).unwrap();
    let first = validate(assessment, &set, &answers, &BTreeMap::new());
    assert_eq!((first.errors, first.warnings), (vec![], vec![]));
    assert_eq!(first.calculated["P2P_COST_PER_TRANSACTION"], "25.1968", "B4 of the contract");
    assert_eq!(first.completion.answered, first.completion.required);

    answers.extend(given(&set, &content.engagement.rework.corrections));
    let second = validate(assessment, &set, &answers, &BTreeMap::new());
    assert_eq!((second.errors, second.warnings), (vec![], vec![]));
}
