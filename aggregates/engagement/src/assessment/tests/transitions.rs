//! The table of spec 8.3, written out once more.

use kernel::{Kind, Refusal, testing::id};
use serde_json::json;

use super::support::*;
use crate::{
    assessment::{AssessmentCommand as Command, AssessmentRefusal as Refused, *},
    business_case::OpportunityChanges,
};

/// Each verb with somebody who may, a command, and the states that admit it.
fn table() -> Vec<(Verb, Option<Who>, Command, Vec<Status>)> {
    use Status::{Completed, Draft, Locked, Rework, Running};
    let renamed = DetailChanges { name: Some(text("Renamed")), ..DetailChanges::default() };
    let retitled = OpportunityChanges { title: Some(text("Retitled")), ..OpportunityChanges::default() };
    let third = NewVertical { vertical: kernel::Reference::new(id(9), true), questions: snapshot() };
    let open = vec![Draft, Rework];
    let by_hand = vec![Draft, Rework, Completed];
    let fail = Command::FailAnalysis { run: id(1), step: 2, code: text("BROKEN"), message: text("it broke") };
    vec![
        (Verb::UpdateDetails, Some(MANAGER), Command::UpdateDetails(Box::new(renamed)), open.clone()),
        (Verb::AddVertical, Some(MANAGER), Command::AddVertical(Box::new(third)), open.clone()),
        (
            Verb::RemoveVertical,
            Some(MANAGER),
            Command::RemoveVertical { vertical: id(O2C), confirm: true },
            open.clone(),
        ),
        (
            Verb::UploadQuestions,
            Some(PAIRED),
            Command::UploadQuestions { questions: vec![question(50, "P2P_MORE", P2P)], answers: vec![] },
            open.clone(),
        ),
        (Verb::SubmitAnswers, Some(PAIRED), submit(&[(FTE, "12")]), open.clone()),
        (
            Verb::AddComment,
            Some(CLIENT),
            Command::AddComment { comment: note(50, None), parent: None },
            vec![Draft, Running, Completed, Rework],
        ),
        (Verb::RunAnalysis, Some(MANAGER), run(2), open),
        (Verb::ForceAnalysis, Some(ADMIN), force(2), vec![Draft, Rework, Completed]),
        (Verb::RecordAnalysisStep, None, Command::RecordAnalysisStep { run: id(1), step: 1 }, vec![Running]),
        (Verb::CompleteAnalysis, None, complete(1, 1, vec![]), vec![Running]),
        (Verb::FailAnalysis, None, fail, vec![Running]),
        (Verb::CancelAnalysis, Some(PAIRED), Command::CancelAnalysis, vec![Running]),
        (Verb::Approve, Some(REVIEWER), approve(), vec![Completed]),
        (Verb::Reject, Some(CLIENT), reject(vec![note(51, None)]), vec![Completed]),
        (Verb::Lock, Some(ADMIN), Command::Lock { reason: text("urgent") }, vec![Completed]),
        (Verb::Reopen, Some(ADMIN), Command::Reopen { reason: text("mistake") }, vec![Locked]),
        (
            Verb::AddOpportunity,
            Some(MANAGER),
            Command::AddOpportunity {
                id: id(200),
                assessment: id(7),
                input: Box::new(crate::business_case::OpportunityInput {
                    addressable_effort_percent: rust_decimal::Decimal::ONE,
                    ..input("By hand")
                }),
            },
            by_hand.clone(),
        ),
        (
            Verb::ChangeOpportunity,
            Some(MANAGER),
            Command::ChangeOpportunity { id: id(BOTS), changes: Box::new(retitled) },
            by_hand.clone(),
        ),
        (Verb::RemoveOpportunity, Some(MANAGER), Command::RemoveOpportunity { id: id(BOTS) }, by_hand),
    ]
}

#[test]
fn every_state_admits_exactly_what_the_table_says() {
    for (verb, who, command, admitting) in table() {
        for status in Status::ALL {
            let needs_opportunity = matches!(verb, Verb::ChangeOpportunity | Verb::RemoveOpportunity);
            if status == Status::Draft && needs_opportunity {
                continue; // There is none before the first analysis; see the tests of opportunities.
            }
            let result = match who {
                Some(who) => decide(at(status), who, command.clone()),
                None => {
                    // Only what the current run reports is of interest; in other states it is another's.
                    let command = if status == Status::Running { command.clone() } else { of_unknown_run(&command) };
                    system(at(status), command)
                }
            };
            if admitting.contains(&status) {
                assert!(result.as_ref().is_ok_and(|events| !events.is_empty()), "{verb:?} in {status:?}: {result:?}");
            } else if status == Status::Running && matches!(verb, Verb::RunAnalysis | Verb::ForceAnalysis) {
                assert_eq!(result, Err(Refused::AnalysisAlreadyRunning));
            } else {
                let verb = if verb == Verb::ForceAnalysis { Verb::RunAnalysis } else { verb };
                assert_eq!(result, Err(Refused::InvalidTransition { from: status, verb }));
            }
        }
    }
}

fn of_unknown_run(command: &Command) -> Command {
    match command.clone() {
        Command::RecordAnalysisStep { step, .. } => Command::RecordAnalysisStep { run: id(99), step },
        Command::CompleteAnalysis { .. } => complete(99, 1, vec![]),
        Command::FailAnalysis { step, code, message, .. } => Command::FailAnalysis { run: id(99), step, code, message },
        other => other,
    }
}

#[test]
fn a_refused_transition_names_where_it_is_what_was_asked_and_what_may_be_asked() {
    let refused = decide(locked(), MANAGER, run(2)).unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (Kind::Conflict, "INVALID_TRANSITION"));
    let members = serde_json::Value::Object(refused.members());
    assert_eq!(members, json!({"from": "LOCKED", "command": "RunAnalysis", "allowed": ["ReopenAssessment"]}));
    let refused = decide(completed(), MANAGER, submit(&[(FTE, "1")])).unwrap_err();
    assert_eq!(
        refused.members()["allowed"],
        json!([
            "AddComment",
            "ResolveComment",
            "RunAnalysis(force)",
            "ApproveAssessment",
            "RejectAssessment",
            "LockAssessment",
            "AddOpportunity",
            "ChangeOpportunity",
            "RemoveOpportunity"
        ])
    );
}

#[test]
fn the_way_leads_from_draft_over_running_completed_and_rework_to_locked() {
    for status in Status::ALL {
        assert_eq!(profile(at(status)).status, status);
    }
}

#[test]
fn what_does_not_exist_for_somebody_is_not_found_whatever_he_asks() {
    for (verb, who, command, _) in table() {
        for stranger in STRANGERS {
            assert_eq!(decide(completed(), stranger, command.clone()), Err(Refused::NotFound), "{verb:?} {stranger:?}");
        }
        let who = who.unwrap_or(ADMIN);
        assert_eq!(decide(vec![], who, command.clone()), Err(Refused::NotFound), "{verb:?}");
        if verb != Verb::RecordAnalysisStep && verb != Verb::CompleteAnalysis && verb != Verb::FailAnalysis {
            let deleted = and(completed(), ADMIN, delete());
            assert_eq!(decide(deleted, who, command), Err(Refused::NotFound), "{verb:?}");
        }
    }
}

#[test]
fn who_takes_part_may_still_not_do_what_is_not_his() {
    let may: [(Verb, &[Who]); 19] = [
        (Verb::UpdateDetails, &[ADMIN, MANAGER]),
        (Verb::AddVertical, &[ADMIN, MANAGER]),
        (Verb::RemoveVertical, &[ADMIN, MANAGER]),
        (Verb::UploadQuestions, &[ADMIN, MANAGER, PAIRED]),
        (Verb::SubmitAnswers, &[ADMIN, MANAGER, PAIRED]),
        (Verb::AddComment, &[ADMIN, MANAGER, PAIRED, REVIEWER, CLIENT]),
        (Verb::RunAnalysis, &[ADMIN, MANAGER]),
        (Verb::ForceAnalysis, &[ADMIN]),
        (Verb::RecordAnalysisStep, &[]),
        (Verb::CompleteAnalysis, &[]),
        (Verb::FailAnalysis, &[]),
        (Verb::CancelAnalysis, &[ADMIN, MANAGER, PAIRED]),
        (Verb::Approve, &[ADMIN, REVIEWER, CLIENT]),
        (Verb::Reject, &[ADMIN, REVIEWER, CLIENT]),
        (Verb::Lock, &[ADMIN]),
        (Verb::Reopen, &[ADMIN]),
        (Verb::AddOpportunity, &[ADMIN, MANAGER]),
        (Verb::ChangeOpportunity, &[ADMIN, MANAGER]),
        (Verb::RemoveOpportunity, &[ADMIN, MANAGER]),
    ];
    for (verb, _, command, admitting) in table() {
        let (_, allowed) = may.iter().find(|(of, _)| *of == verb).unwrap();
        // COMPLETED where it can be: only there forcing an analysis differs from asking for one.
        let status = if admitting.contains(&Status::Completed) { Status::Completed } else { admitting[0] };
        for who in [ADMIN, MANAGER, PAIRED, REVIEWER, CLIENT] {
            let result = decide(at(status), who, command.clone());
            let is_forbidden = result.as_ref().is_err_and(|refused| refused.kind() == Kind::Forbidden);
            assert_eq!(is_forbidden, !allowed.contains(&who), "{verb:?} by {who:?}: {result:?}");
        }
    }
}
