use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use kernel::{Actor, CascadeId, Kind, Refusal, Resource, Stamp, testing::id, testing::now};
use serde_json::json;

use super::support::*;
use crate::assessment::{AssessmentCommand as Command, AssessmentEvent as Event, AssessmentRefusal as Refused, *};

fn restore(cascade: Option<CascadeId>) -> Command {
    Command::Restore { cascade }
}

fn actor(who: Who) -> Actor {
    Actor::User { id: id(who.0), role: who.1 }
}

#[test]
fn an_assessment_in_any_state_is_deleted_once_and_comes_back_as_it_was() {
    for status in Status::ALL {
        let deleted = and(at(status), ADMIN, delete());
        assert_eq!(decide(deleted.clone(), ADMIN, delete()), Ok(vec![]));
        assert!(!assessment(deleted.clone()).can_see(actor(ADMIN)));
        let restored = and(deleted, ADMIN, restore(None));
        assert_eq!(profile(restored.clone()), profile(at(status)));
        assert_eq!(decide(restored, ADMIN, restore(None)), Ok(vec![]));
    }
}

#[test]
fn a_cascade_restores_only_what_it_deleted() {
    let deleted = and(draft(), ADMIN, delete());
    assert_eq!(system(deleted.clone(), restore(Some(cascade("b")))), Ok(vec![]));
    let restored = Event::Restored { cascade: cascade("a"), by: None };
    assert_eq!(system(deleted, restore(Some(cascade("a")))), Ok(vec![restored]));
}

#[test]
fn a_project_in_progress_holds_the_assessment_unless_it_is_forced() {
    let delete = |force| Command::Delete { cascade: cascade("a"), has_active_project: true, force };
    let refused = decide(locked(), ADMIN, delete(false)).unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (Kind::Conflict, "ACTIVE_PROJECT"));
    assert_eq!(decide(locked(), ADMIN, delete(true)).unwrap().len(), 1);
}

#[test]
fn only_an_admin_deletes_and_restores() {
    for who in [MANAGER, PAIRED, REVIEWER, CLIENT] {
        assert_eq!(decide(draft(), who, delete()), Err(Refused::Forbidden));
        assert_eq!(decide(draft(), who, restore(None)), Err(Refused::Forbidden));
    }
    for command in [delete(), restore(None)] {
        assert_eq!(decide(vec![], ADMIN, command), Err(Refused::NotFound));
    }
}

#[test]
fn everybody_sees_only_what_he_takes_part_in() {
    let of = assessment(draft());
    for who in [ADMIN, REVIEWER, MANAGER, PAIRED, CLIENT] {
        assert!(of.can_see(actor(who)), "{who:?}");
    }
    assert!(of.can_see(Actor::System));
    for who in STRANGERS {
        assert!(!of.can_see(actor(who)), "{who:?}");
    }
    assert!(!Assessment::default().can_see(Actor::System));
}

#[test]
fn changed_participants_are_recorded_by_the_system_and_count_at_once() {
    let (stranger, reviewer, _) = (STRANGERS[0], STRANGERS[1], STRANGERS[2]);
    let pairs = BTreeSet::from([Pairing { vertical: id(O2C), consultant: id(stranger.0) }]);
    let record = Command::RecordParticipants { reviewer: Some(id(reviewer.0)), pairs: pairs.clone() };
    assert_eq!(decide(draft(), ADMIN, record.clone()), Err(Refused::Forbidden));
    let given = and_system(draft(), record.clone());
    let of = assessment(given.clone());
    assert!(of.can_see(actor(stranger)) && of.can_see(actor(reviewer)));
    assert!(of.can_see(actor(MANAGER)), "who manages it sees it without a pair");
    assert!(!of.can_see(actor(PAIRED)) && !of.can_see(actor(REVIEWER)));
    assert_eq!(of.participants().unwrap().consultants, BTreeSet::from([id(stranger.0)]));
    assert_eq!(system(given, record.clone()), Ok(vec![]));
    // They are followed while the assessment is deleted, too.
    assert_eq!(system(and(draft(), ADMIN, delete()), record).unwrap().len(), 1);
}

#[test]
fn a_vertical_brings_its_consultants_and_takes_them_along() {
    let third = NewVertical { vertical: kernel::Reference::new(id(9), true), questions: snapshot() };
    let given = and(draft(), MANAGER, Command::AddVertical(Box::new(third)));
    assert!(assessment(given).can_see(actor(STRANGERS[0])));
    let given = and(draft(), MANAGER, Command::RemoveVertical { vertical: id(O2C), confirm: false });
    assert!(!assessment(given).can_see(actor(PAIRED)));
}

#[test]
fn the_view_shows_what_the_contract_names() {
    let stamp = Stamp { id: "7".to_owned(), version: 9, created_at: now(), updated_at: now() };
    let view = Assessment::view(assessment(locked()).state(), &stamp).unwrap();
    let shown = serde_json::to_value(&view).unwrap();
    for (member, value) in [
        ("id", json!(7)),
        ("name", json!("Finance Discovery Survey")),
        ("client", json!(12)),
        ("industry_type", json!(1)),
        ("managed_by", json!(4)),
        ("client_can_answer", json!(false)),
        ("input_method", json!("QUESTIONNAIRE")),
        ("region_id", json!(2)),
        ("vertical_ids", json!([2, 3])),
        ("current_step", json!(1)),
        ("total_steps", json!(5)),
        ("status", json!("LOCKED")),
        ("analysis_status", json!("SUCCEEDED")),
        ("reviewer_id", json!(3)),
        ("rework_count", json!(0)),
        ("created_by", json!(1)),
        ("is_deleted", json!(false)),
        ("version", json!(9)),
    ] {
        assert_eq!(shown[member], value, "{member}");
    }
    assert_eq!(shown["report_data"]["annual_savings"], json!("160000"));
    assert_eq!(shown["ble_parameters"]["horizon_years"], json!(3));
    assert_eq!(shown["approvals"][1]["role"], json!("CLIENT"));
    let instants: [Option<DateTime<Utc>>; 3] = [view.submitted_at, view.completed_at, view.locked_at];
    assert_eq!(instants, [Some(now()); 3]);
    assert_eq!(shown.as_object().unwrap().len(), 26);
    assert_eq!(Assessment::view(&Header::NotYet, &stamp), None);
}

#[test]
fn state_and_events_survive_being_stored() {
    for status in Status::ALL {
        let events = at(status);
        let json = serde_json::to_string(&events).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Event>>(&json).unwrap(), events);
        let of = assessment(events);
        let json = serde_json::to_string(&of).unwrap();
        assert_eq!(serde_json::from_str::<Assessment>(&json).unwrap(), of);
    }
}

#[test]
fn the_slim_part_folds_as_the_whole_does() {
    for status in Status::ALL {
        let mut header = Header::default();
        for event in at(status) {
            <Assessment as Resource>::record(&mut header, event);
        }
        assert_eq!(&header, assessment(at(status)).state());
    }
}
