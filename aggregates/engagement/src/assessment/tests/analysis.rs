use chrono::Duration;
use kernel::{Actor, Issued, Kind, Refusal, testing::id, testing::now};

use super::support::*;
use crate::{
    assessment::{AssessmentCommand as Command, AssessmentEvent as Event, AssessmentRefusal as Refused, *},
    business_case::OpportunityStatus,
};

fn step(run: i64, step: u8) -> Command {
    Command::RecordAnalysisStep { run: id(run), step }
}

fn fail(run: i64) -> Command {
    Command::FailAnalysis { run: id(run), step: 2, code: text("BROKEN"), message: text("it broke") }
}

#[test]
fn an_analysis_pins_what_it_reads_and_who_asked() {
    let events = decide(draft(), MANAGER, run(1)).unwrap();
    let [Event::AnalysisRequested { run_id, answers_hash, pins, by, at }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((*run_id, pins, *by, *at), (id(1), &order(1).pins, Some(id(MANAGER.0)), now()));
    assert_eq!(*answers_hash, digest(&assessment(draft()).given_answers()));
    let after = profile(running());
    assert_eq!((after.status, after.analysis_status), (Status::Running, AnalysisStatus::Queued));
    assert_eq!((after.submitted_at, after.submitted_by), (Some(now()), Some(id(MANAGER.0))));
}

#[test]
fn answers_with_errors_are_not_analysed_and_the_result_says_why() {
    let refused = decide(created(), MANAGER, run(1)).unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (Kind::Unprocessable, "VALIDATION_FAILED"));
    let members = refused.members();
    assert_eq!(members["validation"]["valid"], false);
    assert_eq!(members["validation"]["assessment_id"], 7);
    assert_eq!(members["validation"]["errors"].as_array().unwrap().len(), 3);
}

#[test]
fn an_analysis_asked_for_twice_is_asked_for_once() {
    assert_eq!(decide(running(), MANAGER, run(1)), Ok(vec![]));
    assert_eq!(decide(running(), MANAGER, run(2)), Err(Refused::AnalysisAlreadyRunning));
}

#[test]
fn unresolved_comments_forbid_an_analysis_only_where_that_is_configured() {
    let strict = Command::RunAnalysis(Box::new(AnalysisOrder { require_comment_resolution: true, ..order(2) }));
    assert_eq!(assessment(rework()).open_rework_comments().count(), 1);
    assert_eq!(decide(rework(), MANAGER, strict.clone()), Err(Refused::UnresolvedComments { open: 1 }));
    assert!(decide(rework(), MANAGER, run(2)).is_ok());
    let resolved = and(rework(), MANAGER, Command::ResolveComment { comment: id(1) });
    assert_eq!(decide(resolved, MANAGER, strict).unwrap().len(), 1);
}

#[test]
fn a_completed_assessment_is_analysed_again_by_force_until_a_signature_is_given() {
    assert_eq!(decide(completed(), ADMIN, force(2)).unwrap().len(), 1);
    assert_eq!(decide(completed(), MANAGER, force(2)), Err(Refused::Forbidden));
    assert_eq!(decide(reviewed(), ADMIN, force(2)), Err(Refused::ApprovalGiven));
    let refused = Refused::InvalidTransition { from: Status::Completed, verb: Verb::RunAnalysis };
    assert_eq!(decide(completed(), ADMIN, run(2)), Err(refused));
}

#[test]
fn steps_are_recorded_in_order_and_a_repeated_one_is_no_news() {
    let mut given = running();
    for number in 1..=5 {
        assert_eq!(system(given.clone(), step(1, number + 1)), Err(Refused::StepOutOfOrder { due: number }));
        let events = system(given.clone(), step(1, number)).unwrap();
        let step_name = STEPS[usize::from(number) - 1].to_owned();
        let expected = Event::AnalysisStepCompleted { run_id: id(1), step: number, step_name, progress: number * 20 };
        assert_eq!(events, vec![expected]);
        given.extend(events);
        assert_eq!(system(given.clone(), step(1, number)), Ok(vec![]));
        assert_eq!(profile(given.clone()).analysis_status, AnalysisStatus::Running);
    }
    assert_eq!(system(given.clone(), step(1, 6)), Err(Refused::StepOutOfOrder { due: 6 }));
    let of = assessment(given);
    assert_eq!((of.current_run().unwrap().step, of.current_run().unwrap().progress), (5, 100));
}

#[test]
fn a_finished_run_has_nothing_more_to_say_and_another_is_not_listened_to() {
    let again = and(rework(), MANAGER, run(2));
    for command in [step(1, 3), fail(1), complete(1, 2, vec![]), Command::TimeOutAnalysis { run: id(1) }] {
        assert_eq!(system(again.clone(), command), Ok(vec![]));
    }
    for command in [step(9, 1), fail(9), complete(9, 2, vec![]), Command::TimeOutAnalysis { run: id(9) }] {
        assert_eq!(system(again.clone(), command), Err(Refused::RunNotCurrent));
    }
}

#[test]
fn a_completed_analysis_brings_report_opportunities_and_totals() {
    let of = assessment(completed());
    let profile = of.live().unwrap();
    assert_eq!((profile.status, profile.analysis_status), (Status::Completed, AnalysisStatus::Succeeded));
    assert_eq!(profile.completed_at, Some(now()));
    assert_eq!(profile.analysed_by, Some(id(MANAGER.0)));
    assert_eq!(profile.summary_metrics.as_ref(), of.report().map(|report| &report.summary_metrics));
    let titles: Vec<String> = of.opportunities().map(|opportunity| opportunity.title.to_string()).collect();
    assert_eq!(titles, ["Bots", "Checks"]);
    let run = &of.runs()[0];
    assert_eq!((run.status, run.progress, run.finished_at), (RunStatus::Succeeded, 100, Some(now())));
    assert_eq!((of.next_report_version(), of.current_run()), (2, None));
}

#[test]
fn an_opportunity_that_is_not_found_again_goes_unless_a_costing_uses_it() {
    let given = and(completed(), MANAGER, claim(1, &[BOTS]));
    let given = and(given, ADMIN, force(2));
    let of = assessment(and_system(given, complete(2, 2, vec![found(300, "New")])));
    let left: Vec<_> = of.opportunities().map(|one| (one.id, one.status)).collect();
    assert_eq!(left, [(id(BOTS), OpportunityStatus::Stale), (id(300), OpportunityStatus::Active)]);
}

#[test]
fn an_analysis_that_comes_to_nothing_leaves_the_assessment_where_it_was() {
    for (given, who, command, back_to) in [
        (draft(), MANAGER, run(2), Status::Draft),
        (rework(), MANAGER, run(2), Status::Rework),
        (completed(), ADMIN, force(2), Status::Completed),
    ] {
        let given = and(given, who, command);
        let failed = profile(and_system(given.clone(), fail(2)));
        assert_eq!((failed.status, failed.analysis_status), (back_to, AnalysisStatus::Failed));
        let cancelled = profile(and(given, PAIRED, Command::CancelAnalysis));
        assert_eq!((cancelled.status, cancelled.analysis_status), (back_to, AnalysisStatus::Cancelled));
    }
}

#[test]
fn a_forced_analysis_that_fails_does_not_change_who_may_sign() {
    let given = and_system(and(completed(), ADMIN, force(2)), fail(2));
    assert_eq!(profile(given.clone()).analysed_by, Some(id(MANAGER.0)));
    assert!(decide(given, ADMIN, approve_with_comment()).is_ok());
}

#[test]
fn a_failed_run_keeps_its_reason() {
    let of = assessment(and_system(running(), fail(1)));
    let run = &of.runs()[0];
    assert_eq!(
        (run.status, run.code.as_deref(), run.message.as_deref()),
        (RunStatus::Failed, Some("BROKEN"), Some("it broke"))
    );
}

#[test]
fn a_run_times_out_after_thirty_minutes_and_not_before() {
    let after = |minutes| {
        let at = now() + Duration::minutes(minutes);
        given_when(running(), Issued::new(Actor::System, at, Command::TimeOutAnalysis { run: id(1) }))
    };
    assert_eq!(after(29), Ok(vec![]));
    let events = after(30).unwrap();
    let [Event::AnalysisFailed { step, code, back_to, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((*step, &**code, *back_to), (1, "TIMED_OUT", Status::Draft));
}

#[test]
fn a_run_may_end_while_its_assessment_is_deleted() {
    let given = and_system(and(running(), ADMIN, delete()), complete(1, 1, vec![]));
    assert_eq!(profile(given).status, Status::Completed);
}
