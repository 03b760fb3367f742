use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

fn rule(check: Check, targets: &[&str]) -> ValidationRule {
    ValidationRule {
        id: id(1),
        code: Code::new("R1").unwrap(),
        check,
        severity: Severity::Error,
        vertical: None,
        targets: targets.iter().map(|code| Code::new(code).unwrap()).collect(),
        message: None,
        is_active: true,
    }
}

fn text<const MIN: usize, const MAX: usize>(text: &str) -> Text<MIN, MAX> {
    Text::new(text).unwrap()
}

/// Three numbers A, B, C (1, 2, 3) and a text T (4), under one rule.
fn under(rule: ValidationRule) -> QuestionSet {
    let mut questions: Vec<Question> =
        ["A", "B", "C"].iter().zip(1..).map(|(code, n)| question(n, code, QuestionType::Number)).collect();
    questions.push(question(4, "T", QuestionType::Text));
    QuestionSet { rules: vec![rule], ..set(questions) }
}

fn rules_broken(set: &QuestionSet, given: &[(i64, &str)]) -> Vec<String> {
    result(set, &answers(given)).errors.into_iter().map(|finding| finding.rule).collect()
}

#[track_caller]
fn holds(set: &QuestionSet, given: &[(i64, &str)]) {
    assert_eq!(rules_broken(set, given), Vec::<String>::new(), "{given:?}");
}

#[track_caller]
fn breaks(set: &QuestionSet, given: &[(i64, &str)], rule: &str) {
    assert_eq!(rules_broken(set, given), [rule], "{given:?}");
}

/// V5.
#[test]
fn a_group_adds_up_to_its_target_give_or_take_the_tolerance() {
    let codes = ["A", "B", "C"].map(|code| Code::new(code).unwrap()).to_vec();
    let set = under(rule(Check::GroupSum { codes, target: Decimal::ONE_HUNDRED, tolerance: Decimal::new(1, 2) }, &[]));
    holds(&set, &[(1, "60"), (2, "25"), (3, "15")]);
    breaks(&set, &[(1, "60"), (2, "25"), (3, "14.98")], "GROUP_SUM");
    holds(&set, &[(1, "60"), (2, "25"), (3, "14.99")]);
    holds(&set, &[]);
    breaks(&set, &[(1, "60")], "GROUP_SUM");
    let found = result(&set, &answers(&[(1, "60"), (2, "25"), (3, "14.98")])).errors.remove(0);
    assert_eq!((found.value.as_deref(), found.expected.as_deref()), (Some("99.98"), Some("100")));
    assert_eq!(found.codes, ["A", "B", "C"]);
}

#[test]
fn a_required_answer_must_be_there_and_is_missed_once() {
    let mut set = under(rule(Check::Required, &["A", "B"]));
    set.questions[0].is_required = true;
    let result = result(&set, &Answers::new());
    let missed: Vec<_> = result.errors.iter().map(|finding| finding.code.clone().unwrap()).collect();
    assert_eq!(missed, ["A", "B"]);
    holds(&set, &[(1, "0"), (2, "1")]);
}

#[test]
fn what_cannot_be_read_is_an_error_but_not_missing() {
    let mut set = under(rule(Check::Required, &["A"]));
    set.questions[0].is_required = true;
    breaks(&set, &[(1, "abc")], "NOT_A_NUMBER");
    let result = result(&set, &answers(&[(1, "abc")]));
    assert_eq!(result.errors[0].value.as_deref(), Some("abc"));
    assert_eq!(result.errors[0].expected.as_deref(), Some("NUMBER"));
    assert_eq!(result.completion, Completion { answered: 0, required: 1, percent: Decimal::ZERO });
}

#[test]
fn a_range_includes_its_bounds_unless_told_not_to() {
    let range = |inclusive| Check::Range { min: Some(1.into()), max: Some(5.into()), inclusive };
    let closed = under(rule(range(true), &["A"]));
    for (value, fine) in [("1", true), ("5", true), ("0.99", false), ("5.01", false)] {
        assert_eq!(rules_broken(&closed, &[(1, value)]).is_empty(), fine, "{value}");
    }
    let open = under(rule(range(false), &["A"]));
    for (value, fine) in [("1", false), ("5", false), ("1.01", true)] {
        assert_eq!(rules_broken(&open, &[(1, value)]).is_empty(), fine, "{value}");
    }
    holds(&closed, &[]);
}

#[test]
fn a_percentage_lies_within_0_and_100_and_a_question_has_its_own_range() {
    let percent = Question { min: None, ..question(1, "P", QuestionType::Percent) };
    let own = Question { min: Some(10.into()), max: Some(20.into()), ..question(2, "N", QuestionType::Number) };
    let wide = Question { max: Some(150.into()), ..question(3, "W", QuestionType::Percent) };
    let set = set(vec![percent, own, wide]);
    holds(&set, &[(1, "0"), (2, "10"), (3, "150")]);
    holds(&set, &[(1, "100%"), (2, "20")]);
    breaks(&set, &[(1, "100.01")], "RANGE");
    breaks(&set, &[(1, "-1")], "RANGE");
    breaks(&set, &[(2, "21")], "RANGE");
    breaks(&set, &[(3, "-1")], "RANGE");
}

#[test]
fn rows_are_compared_and_nulls_are_no_violation() {
    let check = |left: &str, op| Check::CrossRow { left: text(left), op, right_expression: text("{B} + 1") };
    for left in ["A", "{A}"] {
        let set = under(rule(check(left, Comparison::LessOrEqual), &[]));
        holds(&set, &[(1, "3"), (2, "2")]);
        breaks(&set, &[(1, "4"), (2, "2")], "CROSS_ROW");
        holds(&set, &[(1, "4")]);
    }
    for (op, one_more_than_b, more) in [
        (Comparison::Equal, true, false),
        (Comparison::NotEqual, false, true),
        (Comparison::Less, false, false),
        (Comparison::Greater, false, true),
        (Comparison::GreaterOrEqual, true, true),
    ] {
        let set = under(rule(check("{A}", op), &[]));
        assert_eq!(rules_broken(&set, &[(1, "3"), (2, "2")]).is_empty(), one_more_than_b, "{op:?}");
        assert_eq!(rules_broken(&set, &[(1, "9"), (2, "2")]).is_empty(), more, "{op:?}");
    }
}

#[test]
fn a_dependency_requires_forbids_or_demands() {
    let check = |then: &str| Check::Dependency { when_expression: text("{A} > 0"), then: text(then) };
    let required = under(rule(check("required"), &["B"]));
    breaks(&required, &[(1, "1")], "DEPENDENCY");
    holds(&required, &[(1, "1"), (2, "5")]);
    holds(&required, &[(1, "0")]);
    holds(&required, &[]);
    let forbidden = under(rule(check("forbidden"), &["B"]));
    breaks(&forbidden, &[(1, "1"), (2, "5")], "DEPENDENCY");
    holds(&forbidden, &[(1, "1")]);
    holds(&forbidden, &[(1, "0"), (2, "5")]);
    let demanded = under(rule(check("{B} < {C}"), &["B"]));
    breaks(&demanded, &[(1, "1"), (2, "5"), (3, "5")], "DEPENDENCY");
    holds(&demanded, &[(1, "1"), (2, "5"), (3, "6")]);
    holds(&demanded, &[(1, "1"), (2, "5")]);
}

#[test]
fn a_text_matches_the_whole_pattern_or_one_of_the_options() {
    let regex = under(rule(Check::Regex { pattern: text("[A-Z]{2}-[0-9]+") }, &["T"]));
    holds(&regex, &[(4, "AB-12")]);
    breaks(&regex, &[(4, "xAB-12")], "REGEX");
    holds(&regex, &[]);
    let options = under(rule(Check::Enum { options: vec![text("Yes"), text("No")] }, &["T"]));
    holds(&options, &[(4, " yes ")]);
    breaks(&options, &[(4, "perhaps")], "ENUM");
}

#[test]
fn an_outlier_is_a_warning_whatever_the_rule_says() {
    let set = under(rule(Check::BenchmarkOutlier { max_z: 3.into() }, &["A"]));
    let fact = |std_dev| BenchmarkFact { median: 12.into(), std_dev };
    let warned = |value: &str, std_dev| {
        let benchmarks = BTreeMap::from([(id(1), fact(std_dev))]);
        let result = validate(id(1), &set, &answers(&[(1, value)]), &benchmarks);
        assert!(result.valid);
        !result.warnings.is_empty()
    };
    assert!(!warned("18", Some(2.into())));
    assert!(warned("18.01", Some(2.into())));
    assert!(warned("5.9", Some(2.into())));
    assert!(!warned("1000", None));
    assert!(!warned("1000", Some(0.into())));
}

#[test]
fn a_warning_does_not_make_the_answers_invalid_and_a_message_is_used() {
    let check = Check::Range { min: Some(1.into()), max: None, inclusive: true };
    let rule = ValidationRule { severity: Severity::Warning, message: Some(text("too few")), ..rule(check, &["A"]) };
    let result = result(&under(rule), &answers(&[(1, "0")]));
    assert!(result.valid);
    assert_eq!(
        (result.warnings[0].message.as_str(), result.warnings[0].expected.as_deref()),
        ("too few", Some(">= 1"))
    );
}

#[test]
fn an_inactive_rule_is_silent() {
    let rule = ValidationRule { is_active: false, ..rule(Check::Required, &["A"]) };
    holds(&under(rule), &[]);
}

#[test]
fn without_stability_only_required_and_type_are_checked() {
    let check = Check::Range { min: Some(1.into()), max: None, inclusive: true };
    let mut set = under(rule(check, &["A"]));
    set.questions.push(formula(5, "X", "{X} + 1"));
    set.questions[1].is_required = true;
    assert_eq!(rules_broken(&set, &[(1, "0"), (3, "abc")]), ["FORMULA_NOT_STABLE", "REQUIRED", "NOT_A_NUMBER"]);
}

#[test]
fn a_rule_and_its_params_read_as_the_spec_writes_them() {
    let json = serde_json::json!({
        "id": 7, "code": "SPLIT", "rule_type": "GROUP_SUM", "params": {"codes": ["A", "B"]}, "severity": "ERROR",
        "vertical": null, "targets": [], "message": null, "is_active": true
    });
    let rule: ValidationRule = serde_json::from_value(json).unwrap();
    let codes = ["A", "B"].map(|code| Code::new(code).unwrap()).to_vec();
    assert_eq!(rule.check, Check::GroupSum { codes, target: 100.into(), tolerance: Decimal::new(1, 2) });
    let again: ValidationRule = serde_json::from_value(serde_json::to_value(&rule).unwrap()).unwrap();
    assert_eq!(again, rule);
    let required = serde_json::json!({
        "id": 7, "code": "R", "rule_type": "REQUIRED", "severity": "WARNING", "vertical": null, "targets": ["A"],
        "message": null, "is_active": true
    });
    assert_eq!(serde_json::from_value::<ValidationRule>(required).unwrap().check, Check::Required);
}

proptest! {
    #[test]
    fn no_answer_makes_validation_panic(given in prop::collection::btree_map(1_i64..6, "\\PC{0,12}|[0-9]{1,40}", 0..6)) {
        let codes = ["A", "B", "C"].map(|code| Code::new(code).unwrap()).to_vec();
        let check = Check::GroupSum { codes, target: Decimal::MAX, tolerance: Decimal::ZERO };
        let set = under(rule(check, &[]));
        let given: Vec<(i64, &str)> = given.iter().map(|(number, text)| (*number, text.as_str())).collect();
        let result = result(&set, &answers(&given));
        prop_assert_eq!(result.valid, result.errors.is_empty());
    }
}

#[test]
fn a_rule_that_makes_no_sense_is_found_out() {
    let codes = |code: &str| vec![Code::new(code).unwrap()];
    let sum = |codes| Check::GroupSum { codes, target: 100.into(), tolerance: Decimal::ZERO };
    let cross = |left: &str, right: &str| Check::CrossRow {
        left: text(left),
        op: Comparison::LessOrEqual,
        right_expression: text(right),
    };
    let when = |when: &str, then: &str| Check::Dependency { when_expression: text(when), then: text(then) };
    let range = |min: Option<i64>, max: Option<i64>| Check::Range {
        min: min.map(Decimal::from),
        max: max.map(Decimal::from),
        inclusive: true,
    };
    let set = under(rule(Check::Required, &["A"]));
    let inspector = Inspector::new(&set.questions);
    for (check, targets, code) in [
        (Check::Required, vec!["NOPE"], "UNKNOWN_QUESTION"),
        (Check::Required, vec![], "TARGETS_REQUIRED"),
        (range(None, None), vec!["A"], "INVALID_PARAMS"),
        (range(Some(2), Some(1)), vec!["A"], "INVALID_PARAMS"),
        (sum(codes("NOPE")), vec![], "UNKNOWN_QUESTION"),
        (sum(vec![]), vec![], "INVALID_PARAMS"),
        (cross("{NOPE}", "1"), vec![], "UNKNOWN_REFERENCE"),
        (cross("A", "{T}"), vec![], "TYPE_CLASH"),
        (cross("A", "1 +"), vec![], "INVALID_FORMULA"),
        (when("{A}", "required"), vec!["B"], "TYPE_CLASH"),
        (when("{A} > 0", "required"), vec![], "TARGETS_REQUIRED"),
        (when("{A} > 0", "{B}"), vec![], "TYPE_CLASH"),
        (when("CLASS(\"A\") = \"X\"", "{B} > 0"), vec![], "INVALID_FORMULA"),
        (Check::Regex { pattern: text("(") }, vec!["T"], "INVALID_PATTERN"),
        (Check::Enum { options: vec![] }, vec!["T"], "INVALID_PARAMS"),
    ] {
        assert_eq!(
            inspector.inspect(&rule(check.clone(), &targets)).map_err(|fault| fault.code),
            Err(code),
            "{check:?}"
        );
    }
    for (check, targets) in [(cross("A", "{B} * 2"), vec![]), (when("{A} > 0", "forbidden"), vec!["B"])] {
        assert_eq!(inspector.inspect(&rule(check, &targets)), Ok(()));
    }
}

#[test]
fn a_formula_that_makes_no_sense_is_found_out_and_no_other_is_blamed() {
    let questions = vec![
        question(1, "N", QuestionType::Number),
        question(2, "T", QuestionType::Text),
        formula(3, "BAD_TYPE", "{N} + {T}"),
        formula(4, "BAD_REFERENCE", "{NOPE}"),
        formula(5, "BAD_SYNTAX", "1 +"),
        formula(6, "BAD_CYCLE", "IF({BAD_CYCLE} > 1, \"a\", \"b\")"),
        formula(7, "FINE", "{BAD_TYPE} + {BAD_REFERENCE}"),
        formula(8, "WORD", "IF({N} > 1, \"many\", {T})"),
        formula(9, "WORDY", "{WORD} = \"many\""),
    ];
    let inspector = Inspector::new(&questions);
    let found: Vec<(i64, &str)> =
        inspector.faulty_formulas().iter().map(|(id, error)| (id.get(), error.code())).collect();
    assert_eq!(found, [(3, "TYPE_CLASH"), (4, "UNKNOWN_REFERENCE"), (5, "INVALID_FORMULA"), (6, "TYPE_CLASH")]);
}
