use kernel::{Role, testing::id, testing::now};

use super::support::*;
use crate::assessment::{AssessmentCommand as Command, AssessmentEvent as Event, AssessmentRefusal as Refused, *};

fn add(comment: NewComment, parent: Option<i64>) -> Command {
    Command::AddComment { comment, parent: parent.map(id) }
}

fn commented() -> Vec<Event> {
    and(draft(), CLIENT, add(note(10, Some(FTE)), None))
}

#[test]
fn a_comment_says_who_what_and_when() {
    let of = assessment(commented());
    let [comment] = of.comments() else { panic!("{:?}", of.comments()) };
    assert_eq!((comment.author, comment.author_role), (Some(id(CLIENT.0)), Some(Role::Client)));
    assert_eq!((comment.kind, comment.question, comment.created_at), (CommentKind::Feedback, Some(id(FTE)), now()));
    assert_eq!(&*comment.comment_text, "Please look again");
    assert_eq!(decide(commented(), CLIENT, add(note(10, Some(FTE)), None)), Ok(vec![]));
}

#[test]
fn a_reply_names_its_parent_and_stays_with_its_question() {
    let of = assessment(and(commented(), MANAGER, add(note(11, None), Some(10))));
    let reply = of.comments().last().unwrap();
    assert_eq!((reply.kind, reply.parent_id, reply.question), (CommentKind::Reply, Some(id(10)), Some(id(FTE))));
}

#[test]
fn a_comment_on_nothing_that_is_there_is_refused() {
    let result = decide(draft(), MANAGER, add(note(10, Some(99)), None));
    assert_eq!(invalid_code(result), ("UNKNOWN_QUESTION", "question".to_owned()));
    let result = decide(draft(), MANAGER, add(note(10, None), Some(99)));
    assert_eq!(invalid_code(result), ("UNKNOWN_COMMENT", "parent_id".to_owned()));
}

#[test]
fn staff_resolve_any_comment_and_a_client_his_own() {
    let resolve = |comment| Command::ResolveComment { comment: id(comment) };
    for who in [ADMIN, MANAGER, PAIRED, REVIEWER, CLIENT] {
        let of = assessment(and(commented(), who, resolve(10)));
        assert_eq!(of.comments()[0].resolved_by, Some(id(who.0)));
        assert_eq!(of.comments()[0].resolved_at, Some(now()));
    }
    assert_eq!(decide(rework(), CLIENT, resolve(1)), Err(Refused::Forbidden));
    assert_eq!(decide(commented(), MANAGER, resolve(99)), Err(Refused::NotFound));
    assert_eq!(decide(and(commented(), MANAGER, resolve(10)), CLIENT, resolve(10)), Ok(vec![]));
    let locked = and(locked(), ADMIN, Command::Reopen { reason: text("x") });
    let locked =
        and_system(and(and(locked, MANAGER, add(note(20, None), None)), MANAGER, run(2)), complete(2, 2, vec![]));
    let locked = and(locked, ADMIN, Command::Lock { reason: text("x") });
    let refused = Refused::InvalidTransition { from: Status::Locked, verb: Verb::ResolveComment };
    assert_eq!(decide(locked, MANAGER, resolve(20)), Err(refused));
}
