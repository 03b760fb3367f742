use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

fn values() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        ("vol", number("25000")),
        ("fte", number("8")),
        ("zero", number("0")),
        ("huge", number("1000000000000000000000000")),
        ("name", Value::Text(" Acme ".to_owned())),
        ("yes", Value::Boolean(true)),
        ("mix.part", number("7")),
    ])
}

fn outcome(formula: &str) -> Outcome {
    let values = values();
    Formula::parse(formula).unwrap().evaluate(&|reference: &Reference| values.get(reference.key()).cloned())
}

fn value(formula: &str) -> Option<String> {
    let outcome = outcome(formula);
    assert_eq!(outcome.problems, [], "{formula}");
    outcome.value.map(|value| value.to_string())
}

fn is(formula: &str, expected: &str) {
    assert_eq!(value(formula).as_deref(), Some(expected), "{formula}");
}

/// Numbers that may be null, texts and truth values, by the first letter of the code.
fn type_of(reference: &Reference) -> Option<Type> {
    match reference.key() {
        "name" => Some(Type::Text),
        "yes" => Some(Type::Boolean),
        "unknown" => None,
        _ => Some(Type::Number),
    }
}

fn check(formula: &str) -> Result<Type, FormulaError> {
    Formula::parse(formula)?.check(type_of)
}

#[test]
fn operators_bind_as_in_arithmetic() {
    is("1 + 2 * 3", "7");
    is("(1 + 2) * 3", "9");
    is("10 - 4 - 3", "3");
    is("64 / 4 / 2", "8");
    is("-2 ^ 2", "-4");
    is("2 ^ 3 ^ 2", "512");
    is("2 ^ -2", "0.25");
    is("0 ^ 0", "1");
    is("2 * -3", "-6");
    is("not 1 = 2 and 3 > 2", "true");
    is("1 = 2 or 1 != 2", "true");
    is("1 + 1 <= 2 AND 2 >= 1 + 1 AND 1 < 2", "true");
}

#[test]
fn references_and_texts_are_compared_without_regard_to_case() {
    is("{VOL} / {Fte}", "3125");
    is("{mix.PART}", "7");
    is("{ vol }", "25000");
    is("{NAME} = \"ACME\"", "true");
    is("{name} != \" acme \"", "false");
    is("\"a \"\"b\"\"\"", "a \"b\"");
}

#[test]
fn functions_calculate() {
    is("SUM(1, 2, {none}, 3.5)", "6.5");
    is("avg(1, {none}, 3)", "2");
    is("MIN(3, {none}, -1)", "-1");
    is("MAX(3, {none}, -1)", "3");
    is("ABS(-4.5)", "4.5");
    is("ROUND(2.345, 2)", "2.35");
    is("ROUND(-2.5, 0)", "-3");
    is("IF({vol} > 1, \"big\", \"small\")", "big");
    is("IF({zero} = 0, 0, 1 / {zero})", "0");
    is("COALESCE({none}, {fte}, 1 / {zero})", "8");
    is("PCT(12)", "0.12");
}

#[test]
fn an_operator_with_a_null_is_null() {
    for formula in [
        "{none}",
        "{none} + 1",
        "1 - {none}",
        "-{none}",
        "{none} ^ 2",
        "{none} = {none}",
        "{none} < 1",
        "NOT ({none} = 1)",
        "{yes} OR {none}",
        "FALSE AND {none}",
        "ABS({none})",
        "PCT({none})",
        "ROUND({none}, 2)",
        "ROUND(1, {none})",
        "SUM({none}, {none})",
        "AVG({none})",
        "MIN({none})",
        "COALESCE({none})",
        "IF({none}, 1, 2)",
        "CLASS(\"VOL\")",
    ] {
        assert_eq!(value(formula), None, "{formula}");
    }
}

#[test]
fn a_division_by_zero_is_null_and_a_warning() {
    for formula in ["1 / {zero}", "{vol} / ({fte} - 8)", "{zero} ^ -1", "1 / 0 + 1"] {
        assert_eq!(outcome(formula), Outcome { value: None, problems: vec![Problem::DivisionByZero] }, "{formula}");
    }
    assert!(Problem::DivisionByZero.is_warning());
}

#[test]
fn what_is_beyond_the_range_is_null_and_an_error() {
    is("{huge}", "1000000000000000000000000");
    for formula in ["{huge} + 1", "{huge} * {huge}", "10 ^ 25", "2 ^ 0.5", "10 ^ 1000000", "ROUND(1, {vol})"] {
        assert_eq!(outcome(formula), Outcome { value: None, problems: vec![Problem::ValueOutOfRange] }, "{formula}");
    }
    assert!(!Problem::ValueOutOfRange.is_warning());
}

#[test]
fn a_class_comes_from_the_benchmarks() {
    struct Classes;
    impl Values for Classes {
        fn value(&self, _: &Reference) -> Option<Value> {
            None
        }

        fn class(&self, code: &str) -> Option<String> {
            (code == "P2P_CPT").then(|| "BOTTOM_QUARTILE".to_owned())
        }
    }
    let formula = Formula::parse("CLASS(\"P2P_CPT\") = \"bottom_quartile\"").unwrap();
    assert_eq!(formula.classes(), ["P2P_CPT"]);
    assert_eq!(formula.evaluate(&Classes).value, Some(Value::Boolean(true)));
}

#[test]
fn a_formula_names_what_it_refers_to_once() {
    let formula = Formula::parse("{A} + {b.c} * {a} - CLASS(\"X\")").unwrap();
    let keys: Vec<&str> = formula.references().iter().map(Reference::key).collect();
    assert_eq!(keys, ["a", "b.c"]);
    assert_eq!(formula.references()[1].parts(), Some(("b", "c")));
}

#[test]
fn types_are_checked_without_values() {
    for (formula, expected) in [
        ("{vol} + 1", Type::Number),
        ("{vol} > 1 AND {yes}", Type::Boolean),
        ("{name} = \"a\"", Type::Boolean),
        ("IF({yes}, \"a\", {name})", Type::Text),
        ("COALESCE({vol}, 0)", Type::Number),
        ("CLASS(\"A\")", Type::Text),
    ] {
        assert_eq!(check(formula), Ok(expected), "{formula}");
    }
    for formula in [
        "{name} + 1",
        "{vol} = {name}",
        "{name} < {name}",
        "NOT {vol}",
        "-{yes}",
        "{yes} AND 1",
        "IF({vol}, 1, 2)",
        "IF({yes}, 1, \"a\")",
        "COALESCE(1, {yes})",
        "SUM(1, {name})",
        "2 ^ {yes}",
        "({vol} = 1) = 1",
    ] {
        assert_eq!(check(formula).unwrap_err().code(), "TYPE_CLASH", "{formula}");
    }
    assert_eq!(check("{unknown} + 1"), Err(FormulaError::UnknownReference("unknown".to_owned())));
    for formula in ["2 ^ 0.5", "ROUND(1, 1.5)", "ROUND(1, 13)"] {
        assert_eq!(check(formula).unwrap_err().code(), "INVALID_FORMULA", "{formula}");
    }
}

#[test]
fn what_is_no_formula_is_refused_with_the_place() {
    for (formula, at) in [
        ("", 1),
        ("1 +", 4),
        ("1 2", 3),
        ("(1", 3),
        ("1)", 2),
        ("{A", 1),
        ("{}", 1),
        ("\"a", 1),
        ("FOO(1)", 1),
        ("vol + 1", 1),
        ("1 # 2", 3),
        ("1 < 2 < 3", 7),
        ("CLASS({A})", 7),
        ("SUM()", 5),
        ("99999999999999999999999999999999", 1),
    ] {
        let error = Formula::parse(formula).unwrap_err();
        assert!(matches!(&error, FormulaError::Syntax { at: found, .. } if *found == at), "{formula}: {error}");
    }
    assert_eq!(Formula::parse("IF(1 = 1, 2)").unwrap_err().to_string(), "IF takes 3 arguments");
}

#[test]
fn depth_and_length_are_bounded() {
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Formula::parse(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(Formula::parse(&nested(MAX_DEPTH + 1)), Err(FormulaError::TooDeep));
    for hostile in ["(".repeat(2000), "-".repeat(2000), "NOT ".repeat(500), "2^".repeat(1000), "ABS(".repeat(500)] {
        assert_eq!(Formula::parse(&hostile), Err(FormulaError::TooDeep));
    }
    assert_eq!(Formula::parse(&"1".repeat(MAX_LENGTH + 1)), Err(FormulaError::TooLong));
    // A long sum is long, not deep.
    is(&vec!["1"; 1000].join("+"), "1000");
}

#[test]
fn a_nested_formula_is_checked_in_no_time() {
    let nested = format!("{}(1 = 1){}", "(".repeat(60), " = (1 = 1))".repeat(60));
    assert_eq!(check(&nested), Ok(Type::Boolean));
}

#[test]
fn a_formula_is_its_text_in_json() {
    let formula: Formula = serde_json::from_str("\"{A} + 1\"").unwrap();
    assert_eq!(serde_json::to_string(&formula).unwrap(), "\"{A} + 1\"");
    assert!(serde_json::from_str::<Formula>("\"1 +\"").is_err());
}

fn decimals() -> impl Strategy<Value = Decimal> {
    (-1_000_000_000_i64..1_000_000_000, 0_u32..4).prop_map(|(digits, scale)| Decimal::new(digits, scale))
}

/// Formulas as text: any mixture of all that the language has, types right or wrong.
fn formulas() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (0_u32..1000).prop_map(|n| n.to_string()),
        "[0-9]{1,6}\\.[0-9]{1,4}",
        "\\{[A-C](\\.[xy])?\\}",
        "\"[a-z ]{0,4}\"",
        Just("TRUE".to_owned()),
    ];
    leaf.prop_recursive(4, 40, 3, |inner| {
        let operator =
            prop::sample::select(vec!["+", "-", "*", "/", "^", "=", "!=", "<", "<=", ">", ">=", "AND", "OR"]);
        let function = prop::sample::select(vec!["SUM", "AVG", "MIN", "MAX", "COALESCE"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, o, b)| format!("({a} {o} {b})")),
            (function, prop::collection::vec(inner.clone(), 1..4))
                .prop_map(|(f, all)| format!("{f}({})", all.join(","))),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("IF({a}, {b}, {c})")),
            inner.clone().prop_map(|a| format!("-{a}")),
            inner.prop_map(|a| format!("NOT {a}")),
        ]
    })
}

fn evaluated(formula: &Formula, a: Option<Decimal>) -> Outcome {
    formula.evaluate(&|reference: &Reference| match reference.key() {
        "a" => a.map(Value::Number),
        "b" => Some(Value::Text("x".to_owned())),
        _ => None,
    })
}

proptest! {
    #[test]
    fn a_printed_formula_means_the_same(text in formulas(), a in prop::option::of(decimals())) {
        let formula = Formula::parse(&text).unwrap();
        let again = Formula::parse(&formula.to_string()).unwrap();
        prop_assert_eq!(formula.to_string(), again.to_string());
        prop_assert_eq!(evaluated(&formula, a), evaluated(&again, a));
    }

    #[test]
    fn a_checked_formula_has_a_value_of_its_type_or_none(text in formulas(), a in prop::option::of(decimals())) {
        let formula = Formula::parse(&text).unwrap();
        let types = |reference: &Reference| Some(if reference.key() == "b" { Type::Text } else { Type::Number });
        if let Ok(sort) = formula.check(types) {
            let outcome = evaluated(&formula, a);
            prop_assert!(!outcome.problems.contains(&Problem::TypeClash));
            prop_assert!(outcome.value.is_none_or(|value| value.sort() == sort));
        }
    }

    #[test]
    fn arithmetic_is_that_of_decimals(a in decimals(), b in decimals()) {
        let run = |text: &str| {
            let values = |reference: &Reference| Some(Value::Number(if reference.key() == "a" { a } else { b }));
            Formula::parse(text).unwrap().evaluate(&values).value.and_then(|value| value.number())
        };
        prop_assert_eq!(run("{a} + {b}"), Some(a + b));
        prop_assert_eq!(run("{a} + {b}"), run("{b} + {a}"));
        prop_assert_eq!(run("{a} * {b}"), run("{b} * {a}"));
        prop_assert_eq!(run("{a} - {b}"), run("-({b} - {a})"));
        prop_assert_eq!(run("SUM({a}, {b}) / 2"), run("AVG({a}, {b})"));
        prop_assert_eq!(run("{a} * {a} * {a}"), run("{a} ^ 3"));
        prop_assert_eq!(run("MIN({a}, {b}) + MAX({a}, {b})"), run("{a} + {b}"));
    }
}
