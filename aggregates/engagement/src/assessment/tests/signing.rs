use kernel::{Kind, Refusal, Role, testing::id, testing::now};

use super::support::*;
use crate::assessment::{AssessmentCommand as Command, AssessmentEvent as Event, AssessmentRefusal as Refused, *};

fn self_approval() -> Command {
    Command::Approve { comment: Some(text("nobody else is here")), allow_admin_self_approval: true }
}

fn reopen() -> Command {
    Command::Reopen { reason: text("mistake") }
}

#[test]
fn the_reviewer_signs_first_and_the_client_locks() {
    let first = decide(completed(), REVIEWER, approve()).unwrap();
    let [Event::Approved(signature)] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!((signature.signature, signature.role, signature.by), (1, Role::Reviewer, id(REVIEWER.0)));
    assert_eq!(profile(reviewed()).status, Status::Completed);
    let second = decide(reviewed(), CLIENT, approve()).unwrap();
    let [Event::Approved(signature), Event::Locked { overridden: false, reason: None, .. }] = second.as_slice() else {
        panic!("{second:?}")
    };
    assert_eq!((signature.signature, signature.role, signature.by), (2, Role::Client, id(CLIENT.0)));
    assert_eq!((profile(locked()).status, profile(locked()).locked_at), (Status::Locked, Some(now())));
}

#[test]
fn the_client_does_not_sign_before_the_reviewer() {
    let refused = decide(completed(), CLIENT, approve()).unwrap_err();
    assert_eq!(refused, Refused::SignatureOutOfOrder { due: Role::Reviewer });
    assert_eq!((refused.kind(), refused.members()["due"].as_str()), (Kind::Conflict, Some("REVIEWER")));
}

#[test]
fn nobody_signs_twice() {
    assert_eq!(decide(reviewed(), REVIEWER, approve()), Err(Refused::AlreadySigned));
    let given = and(completed(), ADMIN, approve_with_comment());
    assert_eq!(decide(given.clone(), ADMIN, approve_with_comment()), Err(Refused::AlreadySigned));
    assert_eq!(decide(given, OTHER_ADMIN, approve_with_comment()).unwrap().len(), 2);
}

#[test]
fn another_reviewer_does_not_sign_for_the_client() {
    let other = Command::RecordParticipants { reviewer: Some(id(STRANGERS[1].0)), pairs: pairs() };
    let given = and_system(reviewed(), other);
    assert_eq!(decide(given, STRANGERS[1], approve()), Err(Refused::SignatureOutOfOrder { due: Role::Client }));
}

#[test]
fn a_client_without_reviewer_signs_alone() {
    let gone = Command::RecordParticipants { reviewer: None, pairs: pairs() };
    let given = and_system(completed(), gone.clone());
    let events = decide(given, CLIENT, approve()).unwrap();
    assert!(matches!(events.as_slice(), [Event::Approved(one), Event::Locked { .. }] if one.signature == 1));
}

#[test]
fn the_policy_says_who_signs() {
    let policy = vec![Role::Client, Role::Admin];
    let given = and(vec![], ADMIN, create(NewAssessment { approval_policy: policy, ..new() }));
    let given = and(given, MANAGER, submit(&[(VOLUME, "1"), (FTE, "1"), (SALARY, "1")]));
    let given = and_system(and(given, MANAGER, run(1)), complete(1, 1, vec![]));
    assert_eq!(decide(given.clone(), REVIEWER, approve()), Err(Refused::SignatureOutOfOrder { due: Role::Client }));
    let given = and(given, CLIENT, approve());
    assert_eq!(decide(given, ADMIN, approve()).unwrap().len(), 2);
}

#[test]
fn an_admin_signs_instead_of_another_and_says_why() {
    let refused = decide(completed(), ADMIN, approve()).unwrap_err();
    assert_eq!((refused.code(), refused.field().as_deref()), ("COMMENT_REQUIRED", Some("comment")));
    let events = decide(completed(), ADMIN, approve_with_comment()).unwrap();
    let [Event::Approved(signature)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((signature.role, signature.by_role, signature.by), (Role::Reviewer, Role::Admin, id(ADMIN.0)));
}

#[test]
fn who_ran_the_analysis_does_not_sign_unless_admins_may() {
    let own = and_system(and(draft(), ADMIN, run(1)), complete(1, 1, vec![]));
    let refused = decide(own.clone(), ADMIN, approve_with_comment()).unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (Kind::Forbidden, "SELF_APPROVAL"));
    assert_eq!(decide(own.clone(), ADMIN, self_approval()).unwrap().len(), 1);
    assert_eq!(decide(own, REVIEWER, approve()).unwrap().len(), 1);
}

#[test]
fn the_system_signs_and_rejects_nothing() {
    for command in [approve_with_comment(), reject(vec![note(1, None)])] {
        assert_eq!(system(completed(), command), Err(Refused::Forbidden));
    }
}

#[test]
fn a_rejection_says_why_voids_the_signatures_and_counts() {
    let comments = vec![note(1, Some(DISPUTES)), note(2, None)];
    let events = decide(reviewed(), CLIENT, reject(comments.clone())).unwrap();
    let [Event::ReworkRequested { comments: made, section_ids, by, by_role, .. }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert!(made.iter().all(|comment| comment.kind == CommentKind::Rework));
    assert_eq!(*section_ids, ["Disputes"]);
    assert_eq!((*by, *by_role), (Some(id(CLIENT.0)), Some(Role::Client)));
    let given = and(reviewed(), CLIENT, reject(comments));
    let after = profile(given.clone());
    assert_eq!(
        (after.status, after.rework_count, after.approvals, after.completed_at),
        (Status::Rework, 1, vec![], None)
    );
    assert_eq!(assessment(given).comments().len(), 2);
}

#[test]
fn a_rejection_without_a_comment_or_on_an_unknown_question_is_refused() {
    assert_eq!(decide(completed(), CLIENT, reject(vec![])), Err(Refused::CommentRequired));
    let result = decide(completed(), CLIENT, reject(vec![note(1, Some(99))]));
    assert_eq!(invalid_code(result).0, "UNKNOWN_QUESTION");
}

#[test]
fn rework_starts_at_the_lowest_step_with_an_open_comment() {
    let forward = DetailChanges { current_step: Some(5), ..DetailChanges::default() };
    let given = and(draft(), MANAGER, Command::UpdateDetails(Box::new(forward)));
    let given = and_system(and(given, MANAGER, run(1)), complete(1, 1, vec![]));
    let step = |comments| profile(and(given.clone(), CLIENT, reject(comments))).details.current_step;
    assert_eq!(step(vec![note(1, Some(DISPUTES))]), 2);
    assert_eq!(step(vec![note(1, Some(DISPUTES)), note(2, Some(VOLUME))]), 1);
    assert_eq!(step(vec![note(1, None)]), 5, "no question is named");
    // An older comment counts while it is open.
    let older = Command::AddComment { comment: note(9, Some(VOLUME)), parent: None };
    let older = and(given.clone(), REVIEWER, older);
    let rejection = reject(vec![note(1, Some(DISPUTES))]);
    assert_eq!(profile(and(older.clone(), CLIENT, rejection.clone())).details.current_step, 1);
    let resolved = and(older, MANAGER, Command::ResolveComment { comment: id(9) });
    assert_eq!(profile(and(resolved, CLIENT, rejection)).details.current_step, 2);
}

#[test]
fn an_admin_locks_by_hand_with_a_reason() {
    let events = decide(completed(), ADMIN, Command::Lock { reason: text("urgent") }).unwrap();
    let [Event::Locked { overridden: true, reason: Some(reason), by, .. }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((&**reason, *by), ("urgent", Some(id(ADMIN.0))));
}

#[test]
fn a_reopened_assessment_is_in_rework_and_must_be_signed_anew() {
    let after = profile(and(locked(), ADMIN, reopen()));
    assert_eq!((after.status, after.approvals, after.locked_at), (Status::Rework, vec![], None));
    assert_eq!(after.rework_count, 0, "nobody asked for rework");
}
