use super::*;

fn table(text: &str) -> Vec<UploadRow> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(';').collect();
    let row = |(line, text): (u32, &str)| UploadRow {
        line,
        cells: header.iter().zip(text.split(';')).map(|(name, cell)| ((*name).to_owned(), cell.to_owned())).collect(),
    };
    (2..).zip(lines).map(row).collect()
}

fn verticals() -> Vec<VerticalRef> {
    vec![VerticalRef { id: id(1), code: Code::new("P2P").unwrap() }]
}

fn upload(set: &QuestionSet, text: &str) -> Upload {
    import_rows(set, &table(text), &verticals(), (100..).map(id))
}

fn counts(upload: &Upload) -> (u32, u32, u32, u32) {
    let report = &upload.report;
    (report.rows, report.created, report.updated, report.skipped)
}

fn errors(upload: &Upload) -> Vec<(u32, &str, &str)> {
    upload.report.errors.iter().map(|error| (error.row, error.column.as_str(), error.code.as_str())).collect()
}

#[test]
fn rows_become_questions_and_answers() {
    let upload = upload(
        &set(vec![]),
        "Code;TEXT;vertical_code;type;required;options;formula;min;max;order;value\n\
         VOL;Volume;p2p;integer;yes;;;-5;1,000,000;3;25,000\n\
         HOW;How?;;multi choice;no;Manual|ERP;;;;;erp\n\
         TWICE;Twice;P2P;;;;{VOL} * 2;;;;",
    );
    assert_eq!((counts(&upload), errors(&upload)), ((3, 3, 0, 0), vec![]));
    let [volume, how, twice] = upload.questions.as_slice() else { panic!("{upload:?}") };
    assert_eq!((volume.id, volume.order, volume.is_required, volume.min), (id(100), 3, true, Some((-5).into())));
    assert_eq!((how.question_type, how.options.len(), how.order), (QuestionType::MultiChoice, 2, 2));
    assert_eq!(twice.question_type, QuestionType::Calculated);
    assert_eq!(upload.answers, BTreeMap::from([(id(100), "25000".to_owned()), (id(101), "ERP".to_owned())]));
}

#[test]
fn a_text_that_looks_like_a_spreadsheet_formula_is_a_text() {
    let upload = upload(&set(vec![]), "code;text;help_text\nA;=HYPERLINK(\"x\");@sum");
    assert_eq!(&*upload.questions[0].text, "=HYPERLINK(\"x\")");
    assert_eq!(upload.questions[0].help_text.as_deref(), Some("@sum"));
    assert!(upload.questions[0].formula.is_none());
}

#[test]
fn a_bad_row_does_not_stop_the_others() {
    let upload = upload(
        &set(vec![]),
        "code;text;type;vertical_code;min;order;value;colour\n\
         A;a;NUMBER;;;;;red\n\
         a;again;NUMBER;;;;;\n\
         ;b;;;;;;\n\
         B;;;;;;;\n\
         C D;c;;;;;;\n\
         D;d;WORD;;;;;\n\
         E;e;;O2C;;;;\n\
         F;f;;;x;;;\n\
         G;g;;;;first;;\n\
         H;h;SCORE;;;;7;\n\
         I;i;CHOICE;;;;;",
    );
    assert_eq!(counts(&upload), (11, 1, 0, 0));
    assert_eq!(
        errors(&upload),
        [
            (1, "colour", "UNKNOWN_COLUMN"),
            (3, "code", "DUPLICATE_CODE"),
            (4, "code", "REQUIRED"),
            (5, "text", "REQUIRED"),
            (6, "code", "INVALID_CODE"),
            (7, "type", "INVALID_VALUE"),
            (8, "vertical_code", "UNKNOWN_VERTICAL"),
            (9, "min", "NOT_A_NUMBER"),
            (10, "order", "INVALID_VALUE"),
            (11, "value", "NOT_A_SCORE"),
            (12, "options", "OPTIONS_REQUIRED"),
        ]
    );
}

#[test]
fn references_are_checked_after_the_last_row_and_against_the_snapshot() {
    let set = set(vec![question(1, "KNOWN", QuestionType::Number)]);
    let upload = upload(
        &set,
        "code;text;formula\n\
         A;a;{B} + {KNOWN}\n\
         B;b;1\n\
         C;c;{NOPE}\n\
         D;d;{C} + 1\n\
         E;e;1 +",
    );
    let created: Vec<&str> = upload.questions.iter().map(|question| &*question.code).collect();
    assert_eq!(created, ["A", "B"]);
    assert_eq!(
        errors(&upload),
        [(4, "formula", "UNKNOWN_REFERENCE"), (5, "formula", "UNKNOWN_REFERENCE"), (6, "formula", "INVALID_FORMULA")]
    );
}

#[test]
fn a_known_question_is_updated_and_keeps_what_the_file_does_not_have() {
    let known = Question {
        unit: Some(Text::new("days").unwrap()),
        decimal_places: 4,
        ..question(1, "A", QuestionType::Integer)
    };
    let set = set(vec![known.clone()]);
    let same = upload(&set, "code;text\na;A");
    assert_eq!((counts(&same), same.questions.len()), ((1, 0, 1, 0), 1), "the spelling of the code differs");
    let same = upload(&set, "code;text\nA;A");
    assert_eq!((counts(&same), same.questions.len()), ((1, 0, 0, 1), 0));
    let changed = upload(&set, "code;text;value\nA;New;12");
    assert_eq!(counts(&changed), (1, 0, 1, 0));
    assert_eq!(changed.questions, [Question { text: Text::new("New").unwrap(), ..known }]);
    assert_eq!(changed.answers[&id(1)], "12");
}
