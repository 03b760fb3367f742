use kernel::formula::Value;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

fn shown(values: &Stabilised, number: i64) -> Option<String> {
    values.value(id(number)).map(ToString::to_string)
}

/// V1, V2 and B1 to B4: the worst order takes a pass for each formula and one to confirm.
#[test]
fn the_baseline_comes_out_to_the_last_digit_in_any_order() {
    for (order, passes) in [(["CPT", "TOT", "LAB", "LOAD"], 5), (["LOAD", "LAB", "TOT", "CPT"], 2)] {
        let result = result(&baseline(order), &baseline_answers());
        assert_eq!((result.passes, result.stabilized, result.valid), (passes, true, true));
        for (code, expected) in [("LOAD", "71240.00"), ("LAB", "569920.00"), ("TOT", "629920.00"), ("CPT", "25.1968")] {
            assert_eq!(result.calculated[code], expected, "{code}");
        }
    }
}

/// V3.
#[test]
fn a_cycle_that_converges_is_stable_and_a_warning() {
    let set = set(vec![formula(1, "PMO", "ROUND({TOTAL}*0.12,2)"), formula(2, "TOTAL", "121215 + {PMO}")]);
    let values = stabilise(&set, &Answers::new());
    assert_eq!((values.passes, values.stabilized), (10, true));
    assert_eq!(shown(&values, 1).as_deref(), Some("16529.32"));
    assert_eq!(shown(&values, 2).as_deref(), Some("137744.32"));
    let result = result(&set, &Answers::new());
    assert!(result.valid);
    assert_eq!(result.warnings.len(), 1);
    assert_eq!(result.warnings[0].rule, "CYCLIC_FORMULA");
    assert_eq!(result.warnings[0].codes, ["PMO", "TOTAL"]);
}

/// V4.
#[test]
fn what_grows_for_ever_is_an_error_after_ten_passes() {
    let result = result(&set(vec![formula(1, "X", "{X} + 1")]), &Answers::new());
    assert_eq!((result.passes, result.stabilized, result.valid), (10, false, false));
    assert_eq!(result.errors.len(), 1);
    assert_eq!(result.errors[0].rule, "FORMULA_NOT_STABLE");
    assert_eq!(result.errors[0].codes, ["X"]);
    assert_eq!(result.calculated["X"], "10.00");
}

#[test]
fn a_set_without_formulas_is_confirmed_in_one_pass() {
    let values = stabilise(&set(vec![question(1, "A", QuestionType::Number)]), &Answers::new());
    assert_eq!((values.passes, values.stabilized), (1, true));
}

#[test]
fn null_stays_null_and_a_division_by_zero_is_a_warning() {
    let set = set(vec![
        question(1, "A", QuestionType::Number),
        formula(2, "B", "{A} + 1"),
        formula(3, "C", "5 / {A}"),
        formula(4, "D", "{A} * 10 ^ 24"),
    ]);
    let empty = result(&set, &Answers::new());
    assert!(empty.calculated.is_empty() && empty.valid && empty.warnings.is_empty());
    let zero = result(&set, &answers(&[(1, "0")]));
    assert_eq!(zero.warnings[0].rule, "DIVISION_BY_ZERO");
    assert_eq!(zero.warnings[0].question_id, Some(id(3)));
    let huge = result(&set, &answers(&[(1, "2")]));
    assert_eq!(huge.errors[0].rule, "VALUE_OUT_OF_RANGE");
    assert!(!huge.valid);
}

#[test]
fn a_stored_answer_to_a_calculated_question_counts_for_nothing() {
    let set = set(vec![formula(1, "X", "IF({X} = 7, 7, 0)")]);
    assert_eq!(shown(&stabilise(&set, &answers(&[(1, "7")])), 1).as_deref(), Some("0.00"));
}

#[test]
fn parts_and_texts_and_dots_in_codes_can_be_referred_to() {
    let part = SubQuestion {
        key: Code::new("po").unwrap(),
        label: Text::new("With order").unwrap(),
        question_type: QuestionType::Number,
        required: false,
    };
    let mix = Question { sub_questions: vec![part], ..question(1, "MIX", QuestionType::Text) };
    let set = set(vec![
        mix,
        question(2, "A.B", QuestionType::Boolean),
        formula(3, "F", "IF({a.b} AND {MIX} = \"HALF\", {Mix.PO} * 2, 0)"),
    ]);
    let mut given = answers(&[(1, " half"), (2, "yes")]);
    given.get_mut(&id(1)).unwrap().sub_answer.insert("PO".to_owned(), "21".to_owned());
    assert_eq!(shown(&stabilise(&set, &given), 3).as_deref(), Some("42.00"));
}

#[test]
fn a_code_means_the_question_of_the_same_vertical_first() {
    let of = |number: i64, code: &str| Some(VerticalRef { id: id(number), code: Code::new(code).unwrap() });
    let set = set(vec![
        Question { vertical: of(1, "P2P"), ..question(1, "VOL", QuestionType::Number) },
        Question { vertical: of(2, "O2C"), ..question(2, "VOL", QuestionType::Number) },
        Question { vertical: of(2, "O2C"), ..formula(3, "TWICE", "{VOL} * 2") },
        Question { vertical: of(1, "P2P"), ..formula(4, "TWICE", "{VOL} * 2") },
        formula(5, "ANY", "{VOL}"),
    ]);
    let result = result(&set, &answers(&[(1, "10"), (2, "20")]));
    assert_eq!(result.calculated["O2C.TWICE"], "40.00");
    assert_eq!(result.calculated["P2P.TWICE"], "20.00");
    // To a shared formula the code is ambiguous, so it has no value.
    assert!(!result.calculated.contains_key("ANY"));
}

/// Formulas that refer only to earlier ones of `edges`, then put into any order.
fn acyclic() -> impl Strategy<Value = Vec<Question>> {
    prop::collection::vec(prop::collection::vec(0_usize..100, 0..4), 1..25).prop_flat_map(|edges| {
        let questions: Vec<Question> = edges
            .iter()
            .enumerate()
            .map(|(at, targets)| {
                let terms: Vec<String> =
                    targets.iter().filter(|_| at > 0).map(|target| format!("{{F{}}} / 3", target % at)).collect();
                let text = format!("{{A}} + {at} {}{}", if terms.is_empty() { "" } else { "+ " }, terms.join(" + "));
                formula(100 + i64::try_from(at).unwrap(), &format!("F{at}"), &text)
            })
            .collect();
        Just(questions).prop_shuffle().prop_map(|mut shuffled| {
            for (question, order) in shuffled.iter_mut().zip(0..) {
                question.order = order;
            }
            shuffled
        })
    })
}

proptest! {
    #[test]
    fn n_formulas_without_a_cycle_are_stable_within_n_and_one_passes(mut questions in acyclic(), a in -1000_i64..1000) {
        let formulas = u32::try_from(questions.len()).unwrap();
        questions.push(question(1, "A", QuestionType::Number));
        let given = answers(&[(1, &a.to_string())]);
        let values = stabilise(&set(questions.clone()), &given);
        prop_assert!(values.stabilized && values.passes <= formulas + 1);
        prop_assert!(values.cycles.is_empty());
        // Any other order gives the same values.
        questions.sort_by_key(|question| question.id);
        for (question, order) in questions.iter_mut().zip(0..) {
            question.order = order;
        }
        let sorted = stabilise(&set(questions), &given);
        prop_assert_eq!(sorted.passes, 2);
        prop_assert_eq!(sorted.values, values.values);
    }

    #[test]
    fn leaving_out_what_has_not_changed_changes_nothing(
        edges in prop::collection::vec((prop::collection::vec(0_usize..6, 0..3), 1_i64..9), 1..6)
    ) {
        let questions: Vec<Question> = edges
            .iter()
            .zip(1..)
            .map(|((targets, factor), number)| {
                let terms: Vec<String> =
                    targets.iter().map(|target| format!("0.{factor} * {{F{}}}", target % edges.len() + 1)).collect();
                formula(number, &format!("F{number}"), &[vec!["3".to_owned()], terms].concat().join(" + "))
            })
            .collect();
        let set = set(questions);
        let values = stabilise(&set, &Answers::new());
        prop_assert_eq!(naive(&set, &values), (values.values.clone(), values.passes, values.stabilized));
        // And it does not depend on what was calculated before.
        let history: Answers = values.values.iter().map(|(id, value)| (*id, GivenAnswer::new(&value.to_string()))).collect();
        prop_assert_eq!(stabilise(&set, &history), values);
    }
}

/// The loop as the spec writes it, every formula in every pass.
fn naive(set: &QuestionSet, found: &Stabilised) -> (BTreeMap<kernel::QuestionId, Value>, u32, bool) {
    let index = Index::new(&set.questions);
    let mut state = Stabilised::default();
    for id in found.cycles.concat() {
        state.values.insert(id, Value::Number(Decimal::ZERO));
    }
    let limit = u32::try_from(set.questions.len() + 1).unwrap().max(10);
    for pass in 1..=limit {
        let before = state.values.clone();
        for question in &set.questions {
            let formula = kernel::formula::Formula::parse(question.formula.as_ref().unwrap()).unwrap();
            match formula.evaluate(&state.seen_from(&index, None)).value {
                Some(Value::Number(number)) => {
                    state.values.insert(question.id, Value::Number(kernel::rounded(number, 2)));
                }
                _ => {
                    state.values.remove(&question.id);
                }
            }
        }
        if before == state.values {
            return (state.values, pass, true);
        }
    }
    (state.values, limit, false)
}
