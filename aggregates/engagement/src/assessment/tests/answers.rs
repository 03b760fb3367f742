use std::collections::BTreeMap;

use kernel::{Kind, Refusal, testing::id, testing::now};
use rust_decimal::Decimal;

use super::support::*;
use crate::{
    assessment::{AssessmentCommand as Command, AssessmentEvent as Event, AssessmentRefusal as Refused, *},
    questionnaire::GivenAnswer,
};

#[test]
fn only_changed_answers_are_recorded_with_old_and_new_value() {
    let command = submit(&[(VOLUME, "25000"), (FTE, "12"), (PAYROLL, "1"), (SALARY, "")]);
    let events = decide(draft(), PAIRED, command).unwrap();
    let [Event::AnswersSubmitted { answers, by, at }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((*by, *at, answers.len()), (Some(id(PAIRED.0)), now(), 2));
    assert_eq!(answers[0].old, Some(GivenAnswer { value: Some("10".to_owned()), sub_answer: BTreeMap::new() }));
    assert_eq!(answers[0].new.value.as_deref(), Some("12"));
    assert_eq!(answers[0].new.numeric_value, Some(Decimal::from(12)));
    assert_eq!((answers[0].new.revision, answers[0].new.answered_by), (2, Some(id(PAIRED.0))));
    assert!(answers[1].is_cleared());
    assert_eq!(answers[1].new.question_id, id(SALARY));
}

#[test]
fn a_submission_is_sorted_into_saved_unchanged_cleared_and_ignored() {
    let answers = [answer(VOLUME, " 25000 "), answer(FTE, "12"), answer(PAYROLL, "1"), answer(SALARY, " ")];
    let sorted = assessment(draft()).sort_answers(&answers, None, now()).unwrap();
    assert_eq!((sorted.saved(), sorted.cleared()), (1, 1));
    assert_eq!((sorted.unchanged, sorted.ignored), (vec![id(VOLUME)], vec![id(PAYROLL)]));
}

#[test]
fn what_is_stored_already_or_counts_for_nothing_is_no_event() {
    assert_eq!(decide(draft(), MANAGER, submit(&[(FTE, "10"), (PAYROLL, "5"), (DISPUTES, "")])), Ok(vec![]));
    assert_eq!(decide(draft(), MANAGER, submit(&[])), Ok(vec![]));
}

#[test]
fn one_bad_answer_refuses_the_whole_submission() {
    for (bad, code, field) in [
        ((99, "1"), "UNKNOWN_QUESTION", "answers[1].question_id"),
        ((FTE, "1"), "DUPLICATE_QUESTION", "answers[1].question_id"),
        ((SALARY, "a lot"), "NOT_A_NUMBER", "answers[1].value"),
    ] {
        let result = decide(draft(), MANAGER, submit(&[(FTE, "12"), bad]));
        assert_eq!(invalid_code(result), (code, field.to_owned()));
    }
    let mut odd = answer(FTE, "12");
    odd.given.sub_answer.insert("nonsense".to_owned(), "1".to_owned());
    let result = decide(draft(), MANAGER, Command::SubmitAnswers { answers: vec![odd] });
    assert_eq!(invalid_code(result), ("UNKNOWN_SUB_KEY", "answers[0].sub_answer".to_owned()));
}

#[test]
fn a_client_answers_only_where_he_may() {
    let refused = decide(draft(), CLIENT, submit(&[(FTE, "12")])).unwrap_err();
    assert_eq!((refused.kind(), &refused), (Kind::Forbidden, &Refused::ClientCannotAnswer));
    let changes = DetailChanges { client_can_answer: Some(true), ..DetailChanges::default() };
    let opened = and(draft(), MANAGER, Command::UpdateDetails(Box::new(changes)));
    assert_eq!(decide(opened, CLIENT, submit(&[(FTE, "12")])).unwrap().len(), 1);
}

#[test]
fn a_cleared_answer_is_gone_and_its_revisions_go_on() {
    let cleared = and(draft(), MANAGER, submit(&[(FTE, "")]));
    assert_eq!(assessment(cleared.clone()).answers().count(), 2);
    let again = assessment(and(cleared, MANAGER, submit(&[(FTE, "11")])));
    let fte = again.answers().find(|answer| answer.question_id == id(FTE)).unwrap();
    assert_eq!(fte.revision, 3);
}

#[test]
fn all_answers_are_listed_calculated_ones_included() {
    let of = assessment(draft());
    let all = of.all_answers();
    assert_eq!(all.iter().map(|answer| answer.question_id.get()).collect::<Vec<_>>(), [VOLUME, FTE, SALARY, PAYROLL]);
    let payroll = all.last().unwrap();
    assert!(payroll.is_calculated);
    assert_eq!(payroll.numeric_value, Some(Decimal::from(500_000)));
    assert_eq!((of.completion().answered, of.completion().required), (3, 3));
}

#[test]
fn uploaded_questions_belong_to_this_assessment_and_may_bring_answers() {
    let more = question(50, "P2P_MORE", P2P);
    let command = Command::UploadQuestions { questions: vec![more.clone()], answers: vec![answer(50, "5")] };
    let events = decide(draft(), PAIRED, command.clone()).unwrap();
    assert!(matches!(&events[0], Event::QuestionsImported { questions, .. } if *questions == [more.clone()]));
    assert!(matches!(&events[1], Event::AnswersSubmitted { answers, .. } if answers.len() == 1));
    let imported = and(draft(), PAIRED, command.clone());
    assert_eq!(assessment(imported.clone()).question(id(50)), Some(&more));
    // The same file again says nothing new.
    assert_eq!(decide(imported, PAIRED, command), Ok(vec![]));
}

#[test]
fn an_uploaded_question_replaces_the_one_of_its_id_and_must_fit_the_others() {
    let upload = |question| Command::UploadQuestions { questions: vec![question], answers: vec![] };
    let reworded = crate::questionnaire::Question { text: text("How many people?"), ..question(FTE, "P2P_FTE", P2P) };
    let given = and(draft(), PAIRED, upload(reworded.clone()));
    assert_eq!(assessment(given.clone()).question(id(FTE)), Some(&reworded));
    assert_eq!(assessment(given).questions().questions.len(), snapshot().questions.len());
    let twice = decide(draft(), PAIRED, upload(question(51, "p2p_fte", P2P)));
    assert_eq!(invalid_code(twice), ("DUPLICATE_CODE", "file".to_owned()));
    let foreign = decide(draft(), PAIRED, upload(question(51, "R2R_FTE", 9)));
    assert_eq!(invalid_code(foreign), ("UNKNOWN_VERTICAL", "file".to_owned()));
}
