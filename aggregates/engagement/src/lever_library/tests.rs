use cqrs_es::{Aggregate, test::TestFramework};
use kernel::{
    Code, QuestionId, Refusal, Resource,
    Role::{Admin, Consultant},
    Stamp, VerticalId,
    testing::{by, id, now},
};
use serde_json::{Value, json};

use super::*;
use crate::questionnaire::{Question, QuestionItem, VerticalRef};

fn verticals() -> Vec<VerticalRef> {
    [(1, "P2P"), (2, "O2C")]
        .map(|(number, code)| VerticalRef { id: id(number), code: Code::new(code).unwrap() })
        .to_vec()
}

fn questions() -> Vec<Question> {
    let items = json!([
        {"code": "P2P_PCT", "text": "Share", "vertical_code": "P2P", "question_type": "PERCENT"},
        {"code": "P2P_PORTAL", "text": "Portal?", "vertical_code": "P2P", "question_type": "BOOLEAN"},
        {"code": "P2P_TWICE", "text": "Twice", "vertical_code": "P2P", "formula": "{P2P_PCT} * 2"},
        {"code": "ORG_SIZE", "text": "Size", "question_type": "INTEGER"}
    ]);
    let items: Vec<QuestionItem> = serde_json::from_value(items).unwrap();
    let all = items.into_iter().zip(1..).map(|(item, number)| {
        let number: i64 = number;
        item.question(id::<QuestionId>(number), 0, &verticals(), 1).unwrap()
    });
    all.collect()
}

fn item(over: Value) -> Value {
    let mut item = json!({
        "code": "P2P_CAPTURE", "vertical_code": "p2p", "lever": "IDP", "title": "Touchless capture",
        "addressable_effort_percent": "40", "automation_percent": "70", "realization_percent": "85",
        "error_reduction_percent": "60", "estimated_investment": 91000, "annual_run_cost": "14625.00",
        "complexity": "MEDIUM", "applies_when": "{P2P_PCT} < 60"
    });
    item.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
    item
}

fn import(first_id: i64, items: Value) -> LeverLibraryCommand {
    let items: Vec<TemplateItem> = serde_json::from_value(items).unwrap();
    let ids = (first_id..).take(items.len()).map(id).collect();
    LeverLibraryCommand::ImportTemplates { items, ids, verticals: verticals(), questions: questions() }
}

fn events(
    before: &[LeverLibraryEvent],
    command: LeverLibraryCommand,
) -> Result<Vec<LeverLibraryEvent>, LeverLibraryRefusal> {
    TestFramework::<LeverLibrary>::with(()).given(before.to_vec()).when(by(1, Admin, command)).inspect_result()
}

fn library(events: &[LeverLibraryEvent]) -> LeverLibrary {
    let mut library = LeverLibrary::default();
    for event in events {
        library.apply(event.clone());
    }
    library
}

fn two() -> Value {
    json!([item(json!({})), item(json!({"code": "O2C_CHASE", "vertical_code": "O2C", "applies_when": null}))])
}

fn filled() -> Vec<LeverLibraryEvent> {
    events(&[], import(10, two())).unwrap()
}

#[test]
fn an_import_creates_templates_with_amounts_and_shares_of_two_decimals() {
    let events = filled();
    let [LeverLibraryEvent::TemplatesImported { templates, created: 2, updated: 0, unchanged: 0, by, at }] =
        events.as_slice()
    else {
        panic!("{events:?}")
    };
    let first = &templates[0];
    assert_eq!((first.id, first.version, first.vertical.id, &*first.vertical.code), (id(10), 1, id(1), "P2P"));
    assert_eq!(first.addressable_effort_percent.to_string(), "40.00");
    assert_eq!(first.estimated_investment.to_string(), "91000.00");
    assert_eq!(first.other_annual_benefit.to_string(), "0.00");
    assert_eq!((*by, *at), (Some(id(1)), now()));
}

#[test]
fn the_same_import_again_is_no_event() {
    assert_eq!(events(&filled(), import(20, two())), Ok(vec![]));
    assert_eq!(events(&[], import(20, json!([]))), Ok(vec![]));
}

#[test]
fn a_changed_template_is_the_next_version_of_itself_and_the_others_stay() {
    let before = filled();
    let changed = json!([item(json!({"code": "p2p_capture", "title": "Capture"}))]);
    let events = events(&before, import(20, changed)).unwrap();
    let [LeverLibraryEvent::TemplatesImported { templates, created: 0, updated: 1, unchanged: 0, .. }] =
        events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!((templates[0].id, templates[0].version, &*templates[0].title), (id(10), 2, "Capture"));
    let library = library(&[before, events].concat());
    let all: Vec<_> = library.all().map(|template| (template.id.get(), template.version)).collect();
    assert_eq!(all, [(10, 2), (11, 1)]);
}

#[test]
fn an_analysis_sees_the_active_templates_of_its_verticals() {
    let mut before = filled();
    let off = json!([item(json!({"code": "OFF", "is_active": false, "applies_when": "{GONE} = 1"}))]);
    before.extend(events(&before, import(20, off)).unwrap());
    let library = library(&before);
    let ids = |verticals: &[i64]| {
        let verticals: Vec<VerticalId> = verticals.iter().map(|number| id(*number)).collect();
        library.templates(&verticals).iter().map(|template| template.id.get()).collect::<Vec<_>>()
    };
    assert_eq!((ids(&[1]), ids(&[1, 2]), ids(&[3])), (vec![10], vec![10, 11], vec![]));
    assert_eq!(library.all().count(), 3);
}

#[test]
fn a_condition_may_use_answers_calculated_ones_and_benchmark_classes() {
    for formula in [
        "NOT {p2p_portal}",
        "{P2P_TWICE} > 3 AND {ORG_SIZE} < 100",
        "CLASS(\"P2P_PCT\") = \"BOTTOM_QUARTILE\" OR CLASS(\"ORG_SIZE\") = \"BELOW_MEDIAN\"",
    ] {
        let items = json!([item(json!({"applies_when": formula}))]);
        assert!(events(&[], import(1, items)).is_ok(), "{formula}");
    }
}

#[test]
fn one_bad_item_refuses_the_whole_import_and_is_named() {
    for (over, field, code) in [
        (json!({"code": "o2c_CHASE"}), "code", "DUPLICATE_CODE"),
        (json!({"vertical_code": "R2R"}), "vertical_code", "UNKNOWN_VERTICAL"),
        (json!({"applies_when": "{P2P_PCT} <"}), "applies_when", "INVALID_FORMULA"),
        (json!({"applies_when": "{NOBODY} < 1"}), "applies_when", "UNKNOWN_REFERENCE"),
        (json!({"applies_when": "CLASS(\"NOBODY\") = \"X\""}), "applies_when", "UNKNOWN_REFERENCE"),
        (json!({"applies_when": "{P2P_PCT} + 1"}), "applies_when", "TYPE_CLASH"),
        (json!({"applies_when": "{P2P_PORTAL} < 1"}), "applies_when", "TYPE_CLASH"),
        (json!({"automation_percent": "100.01"}), "automation_percent", "OUT_OF_RANGE"),
        (json!({"annual_run_cost": -1}), "annual_run_cost", "OUT_OF_RANGE"),
        (json!({"other_annual_benefit": "79228162514264337593543950335"}), "other_annual_benefit", "OUT_OF_RANGE"),
        (json!({"start_year": 4}), "start_year", "OUT_OF_RANGE"),
    ] {
        let mut items = two();
        items.as_array_mut().unwrap().push(item(json!({"code": "NEW"})));
        items[2].as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
        let Err(LeverLibraryRefusal::InvalidImport(faults)) = events(&[], import(1, items)) else { panic!("{over}") };
        let [only] = faults.as_slice() else { panic!("{faults:?}") };
        assert_eq!((only.index, only.field.as_str(), only.code.as_str()), (Some(2), field, code), "{over}");
    }
}

#[test]
fn a_refused_import_names_its_errors() {
    let refusal = events(&[], import(1, json!([item(json!({"start_year": 0}))]))).unwrap_err();
    assert_eq!(refusal.code(), "INVALID_IMPORT");
    assert_eq!(refusal.members()["import_errors"][0]["field"], "start_year");
}

#[test]
fn an_import_is_bounded_and_has_an_id_for_every_item() {
    let mut command = import(1, two());
    let LeverLibraryCommand::ImportTemplates { ids, .. } = &mut command;
    ids.truncate(1);
    assert!(
        matches!(events(&[], command), Err(LeverLibraryRefusal::InvalidImport(faults)) if faults[0].code == "NO_MORE_IDS")
    );
    let many: Vec<Value> = (0..=5000).map(|number| item(json!({"code": format!("C{number}")}))).collect();
    assert_eq!(events(&[], import(1, json!(many))), Err(LeverLibraryRefusal::TooMany(5000)));
}

#[test]
fn only_an_administrator_imports_templates() {
    let result = TestFramework::<LeverLibrary>::with(())
        .given(vec![])
        .when(by(2, Consultant, import(1, two())))
        .inspect_result();
    assert_eq!(result, Err(LeverLibraryRefusal::Forbidden));
}

#[test]
fn an_item_with_an_unknown_member_is_refused() {
    let item = serde_json::from_value::<TemplateItem>(item(json!({"vertical_id": 3})));
    assert!(item.unwrap_err().to_string().contains("vertical_id"));
}

#[test]
fn there_is_nothing_to_show_before_the_first_import() {
    let stamp = Stamp { id: "main".to_owned(), version: 1, created_at: now(), updated_at: now() };
    assert_eq!(LeverLibrary::view(&LeverLibrary::default(), &stamp), None);
    let shown = LeverLibrary::view(&library(&filled()), &stamp).unwrap();
    assert_eq!(shown.templates.len(), 2);
}
