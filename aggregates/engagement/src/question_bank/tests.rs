use cqrs_es::{Aggregate, test::TestFramework};
use kernel::{
    Code, QuestionId, Refusal, Resource,
    Role::{Admin, Consultant},
    Stamp, VerticalId,
    testing::{by, id, now},
};
use serde_json::{Value, json};

use super::*;
use crate::questionnaire::{QuestionItem, QuestionType, VerticalRef};

fn verticals() -> Vec<VerticalRef> {
    [(1, "P2P"), (2, "O2C")]
        .map(|(number, code)| VerticalRef { id: id(number), code: Code::new(code).unwrap() })
        .to_vec()
}

fn questions(first_id: i64, items: Value) -> QuestionBankCommand {
    let items: Vec<QuestionItem> = serde_json::from_value(items).unwrap();
    let ids: Vec<QuestionId> = (first_id..).take(items.len()).map(id).collect();
    QuestionBankCommand::ImportQuestions { items, ids, verticals: verticals() }
}

fn rules(first_id: i64, items: Value) -> QuestionBankCommand {
    let items: Vec<_> = serde_json::from_value::<Vec<_>>(items).unwrap();
    let ids = (first_id..).take(items.len()).map(id).collect();
    QuestionBankCommand::ImportRules { items, ids, verticals: verticals() }
}

/// What a command comes to, after others.
fn events(
    before: &[QuestionBankEvent],
    command: QuestionBankCommand,
) -> Result<Vec<QuestionBankEvent>, QuestionBankRefusal> {
    TestFramework::<QuestionBank>::with(()).given(before.to_vec()).when(by(1, Admin, command)).inspect_result()
}

fn bank(events: &[QuestionBankEvent]) -> QuestionBank {
    let mut bank = QuestionBank::default();
    for event in events {
        bank.apply(event.clone());
    }
    bank
}

fn faults(before: &[QuestionBankEvent], command: QuestionBankCommand) -> Vec<(Option<usize>, String, String)> {
    match events(before, command) {
        Err(QuestionBankRefusal::InvalidImport(faults)) => {
            faults.into_iter().map(|fault| (fault.index, fault.field, fault.code)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn fault(index: usize, field: &str, code: &str) -> Vec<(Option<usize>, String, String)> {
    vec![(Some(index), field.to_owned(), code.to_owned())]
}

fn three() -> Value {
    json!([
        {"code": "VOL", "text": "Volume", "vertical_code": "p2p", "is_required": true, "order": 2},
        {"code": "VOL", "text": "Volume", "vertical_code": "O2C", "order": 3},
        {"code": "TWICE", "text": "Twice", "vertical_code": "P2P", "formula": "{vol} * 2", "order": 1}
    ])
}

fn filled() -> Vec<QuestionBankEvent> {
    events(&[], questions(10, three())).unwrap()
}

#[test]
fn an_import_creates_questions_under_a_new_bank_version() {
    let events = filled();
    let [
        QuestionBankEvent::QuestionsImported {
            bank_version: 1, created: 3, updated: 0, unchanged: 0, questions, ..
        },
    ] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!(questions[2].question_type, QuestionType::Calculated);
    assert_eq!(questions[0].vertical_id(), Some(id(1)));
    let bank = bank(&events);
    let order: Vec<i64> = bank.questions().iter().map(|question| question.id.get()).collect();
    assert_eq!(order, [12, 10, 11]);
}

#[test]
fn the_same_import_again_is_no_event() {
    assert_eq!(events(&filled(), questions(20, three())), Ok(vec![]));
}

#[test]
fn a_changed_question_keeps_its_id_and_the_others_their_version() {
    let before = filled();
    let changed = json!([
        {"code": "vol", "text": "Invoices a year", "vertical_code": "P2P", "is_required": true, "order": 2},
        {"code": "VOL", "text": "Volume", "vertical_code": "O2C", "order": 3}
    ]);
    let events = events(&before, questions(20, changed)).unwrap();
    let [
        QuestionBankEvent::QuestionsImported {
            bank_version: 2, created: 0, updated: 1, unchanged: 1, questions, ..
        },
    ] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!((questions.len(), questions[0].id, questions[0].bank_version), (1, id(10), 2));
    // What is absent from the file stays.
    assert_eq!(bank(&[before, events].concat()).questions().len(), 3);
}

#[test]
fn one_bad_item_refuses_the_whole_import_and_is_named() {
    for (item, field, code) in [
        (json!({"code": "vol", "text": "x", "vertical_code": "p2p"}), "code", "DUPLICATE_CODE"),
        (json!({"code": "A", "text": "x", "vertical_code": "XXX"}), "vertical_code", "UNKNOWN_VERTICAL"),
        (json!({"code": "A", "text": "x", "question_type": "CALCULATED"}), "formula", "FORMULA_REQUIRED"),
        (json!({"code": "A", "text": "x", "question_type": "CHOICE"}), "options", "OPTIONS_REQUIRED"),
        (json!({"code": "A", "text": "x", "options": ["a", "A"]}), "options", "INVALID_OPTIONS"),
        (json!({"code": "A", "text": "x", "decimal_places": 7}), "decimal_places", "OUT_OF_RANGE"),
        (json!({"code": "A", "text": "x", "step": 0}), "step", "OUT_OF_RANGE"),
        (json!({"code": "A", "text": "x", "min": 2, "max": "1.5"}), "min", "OUT_OF_RANGE"),
        (json!({"code": "A", "text": "x", "formula": "{NOPE}"}), "formula", "UNKNOWN_REFERENCE"),
        (json!({"code": "A", "text": "x", "formula": "1 +"}), "formula", "INVALID_FORMULA"),
        (json!({"code": "A", "text": "x", "formula": "{TWICE} AND TRUE"}), "formula", "TYPE_CLASH"),
        (
            json!({"code": "A", "text": "x", "sub_questions": [{"key": "a", "label": "a"}, {"key": "A", "label": "b"}]}),
            "sub_questions",
            "INVALID_SUB_QUESTIONS",
        ),
    ] {
        let mut items = three();
        items.as_array_mut().unwrap().push(item);
        assert_eq!(faults(&[], questions(10, items)), fault(3, field, code));
    }
}

#[test]
fn a_formula_may_refer_to_the_bank_but_not_to_what_is_inactive() {
    let more = json!([{"code": "THRICE", "text": "x", "vertical_code": "P2P", "formula": "{TWICE} + {VOL}"}]);
    assert!(events(&filled(), questions(20, more)).is_ok());
    let inactive = json!([{"code": "VOL", "text": "x", "vertical_code": "O2C", "is_active": false},
                          {"code": "SUM", "text": "x", "vertical_code": "O2C", "formula": "{TWICE} * 1"}]);
    assert!(events(&filled(), questions(20, inactive)).is_ok());
    // TWICE, which is in the bank and not in the file, would hang in the air.
    let gone = json!([{"code": "VOL", "text": "x", "vertical_code": "P2P", "is_active": false},
                      {"code": "VOL", "text": "x", "is_active": false},
                      {"code": "VOL", "text": "x", "vertical_code": "O2C", "is_active": false}]);
    assert_eq!(faults(&filled(), questions(20, gone)), [(None, "formula".to_owned(), "UNKNOWN_REFERENCE".to_owned())]);
}

#[test]
fn rules_are_imported_by_code_and_checked_against_the_bank() {
    let good = json!([
        {"code": "R1", "rule_type": "RANGE", "vertical_code": "P2P", "targets": ["VOL"], "params": {"min": "1"}},
        {"code": "R2", "rule_type": "REQUIRED", "vertical_code": "P2P", "targets": ["TWICE"], "severity": "WARNING"},
        {"code": "R3", "rule_type": "CROSS_ROW", "vertical_code": "P2P",
         "params": {"left": "{TWICE}", "op": ">=", "right_expression": "{VOL}"}}
    ]);
    let before = filled();
    let imported = events(&before, rules(1, good.clone())).unwrap();
    assert!(matches!(
        imported.as_slice(),
        [QuestionBankEvent::RulesImported { bank_version: 2, created: 3, updated: 0, unchanged: 0, .. }]
    ));
    let before = [before, imported].concat();
    assert_eq!(events(&before, rules(9, good)), Ok(vec![]));
    let changed = json!([{"code": "r2", "rule_type": "REQUIRED", "vertical_code": "P2P", "targets": ["VOL"]}]);
    let changed = events(&before, rules(9, changed)).unwrap();
    let [QuestionBankEvent::RulesImported { bank_version: 3, updated: 1, rules: changed, .. }] = changed.as_slice()
    else {
        panic!("{changed:?}")
    };
    assert_eq!(changed[0].id, id(2));
}

#[test]
fn a_bad_rule_is_named_with_its_index() {
    for (rule, field, code) in [
        (json!({"code": "A", "rule_type": "NOPE", "targets": ["TWICE"]}), "rule_type", "UNKNOWN_RULE_TYPE"),
        (json!({"code": "A", "rule_type": "REQUIRED", "targets": ["NOPE"]}), "targets", "UNKNOWN_QUESTION"),
        (
            json!({"code": "A", "rule_type": "RANGE", "targets": ["TWICE"], "params": {"least": 1}}),
            "params",
            "INVALID_PARAMS",
        ),
        (
            json!({"code": "A", "rule_type": "CROSS_ROW", "params": {"left": "1", "op": "~", "right_expression": "1"}}),
            "params",
            "INVALID_PARAMS",
        ),
        (json!({"code": "OK", "rule_type": "REQUIRED", "targets": ["TWICE"]}), "code", "DUPLICATE_CODE"),
        (
            json!({"code": "A", "rule_type": "TYPE", "vertical_code": "X", "targets": ["TWICE"]}),
            "vertical_code",
            "UNKNOWN_VERTICAL",
        ),
    ] {
        let good = json!({"code": "OK", "rule_type": "REQUIRED", "targets": ["TWICE"]});
        assert_eq!(faults(&filled(), rules(1, json!([good, rule]))), fault(1, field, code));
    }
}

#[test]
fn rules_cannot_be_imported_before_questions() {
    assert_eq!(events(&[], rules(1, json!([]))), Err(QuestionBankRefusal::Empty));
}

#[test]
fn only_an_administrator_imports() {
    for command in [questions(1, three()), rules(1, json!([]))] {
        TestFramework::<QuestionBank>::with(())
            .given(filled())
            .when(by(2, Consultant, command))
            .then_expect_error(QuestionBankRefusal::Forbidden);
    }
}

#[test]
fn an_import_is_bounded_and_needs_an_id_for_what_is_new() {
    let one = json!({"code": "A", "text": "x"});
    let many = questions(1, Value::Array(vec![one; 5001]));
    assert_eq!(events(&[], many), Err(QuestionBankRefusal::TooMany(5000)));
    let items = serde_json::from_value(three()).unwrap();
    let command = QuestionBankCommand::ImportQuestions { items, ids: vec![id(1), id(2)], verticals: verticals() };
    assert_eq!(faults(&[], command), fault(2, "code", "NO_MORE_IDS"));
}

#[test]
fn an_item_with_an_unknown_member_is_refused() {
    assert!(serde_json::from_value::<QuestionItem>(json!({"code": "A", "text": "x", "colour": "red"})).is_err());
}

#[test]
fn review_questions_are_scores() {
    let item: QuestionItem = serde_json::from_value(json!({"code": "S1", "text": "How good is it?"})).unwrap();
    assert_eq!(item.as_review().question_type, QuestionType::Score);
}

#[test]
fn a_snapshot_holds_the_active_questions_of_its_verticals_and_the_shared_ones() {
    let more = json!([
        {"code": "NAME", "text": "Name", "question_type": "TEXT"},
        {"code": "OLD", "text": "Old", "is_active": false}
    ]);
    let mut history = filled();
    history.extend(events(&history, questions(20, more)).unwrap());
    let some = json!([
        {"code": "EACH", "rule_type": "REQUIRED", "targets": ["TWICE", "NAME"]},
        {"code": "TOGETHER", "rule_type": "CROSS_ROW",
         "params": {"left": "{TWICE}", "op": ">", "right_expression": "0"}},
        {"code": "P2P_ONLY", "rule_type": "REQUIRED", "vertical_code": "P2P", "targets": ["VOL"]},
        {"code": "OFF", "rule_type": "REQUIRED", "targets": ["NAME"], "is_active": false}
    ]);
    history.extend(events(&history, rules(1, some)).unwrap());
    let bank = bank(&history);
    let snapshot = |verticals: &[VerticalId]| {
        let set = bank.question_set(verticals);
        let questions: Vec<i64> = set.questions.iter().map(|question| question.id.get()).collect();
        let rules: Vec<String> = set.rules.iter().map(|rule| rule.code.to_string()).collect();
        (set.bank_version, questions, rules)
    };
    let named = |rules: &[&str]| rules.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(snapshot(&[id(1)]), (3, vec![12, 20, 10], named(&["EACH", "TOGETHER", "P2P_ONLY"])));
    assert_eq!(snapshot(&[id(2)]), (3, vec![20, 11], named(&["EACH"])));
}

#[test]
fn a_refusal_tells_clients_which_items_are_wrong() {
    let command = questions(10, json!([{"code": "A", "text": "x", "step": 0}]));
    let refusal = events(&[], command).unwrap_err();
    assert_eq!(refusal.code(), "INVALID_IMPORT");
    assert_eq!(refusal.members()["import_errors"][0]["index"], 0);
}

#[test]
fn the_view_and_the_events_survive_json() {
    let events = filled();
    let again: Vec<QuestionBankEvent> = serde_json::from_value(serde_json::to_value(&events).unwrap()).unwrap();
    assert_eq!(again, events);
    let stamp = Stamp { id: "bank".to_owned(), version: 1, created_at: now(), updated_at: now() };
    let view = serde_json::to_value(QuestionBank::view(&bank(&events), &stamp)).unwrap();
    assert_eq!((view["bank_version"].clone(), view["questions"].as_array().map(Vec::len)), (json!(1), Some(3)));
    assert!(QuestionBank::view(&QuestionBank::default(), &stamp).is_none());
}
