use std::collections::BTreeSet;

use kernel::{Kind, Refusal, testing::id};

use super::support::*;
use crate::assessment::{AssessmentCommand as Command, AssessmentEvent as Event, AssessmentRefusal as Refused, *};

fn approval(costing: i64) -> Command {
    Command::RecordCostingApproval { costing: id(costing) }
}

fn release(costing: i64) -> Command {
    Command::ReleaseOpportunities { costing: id(costing) }
}

fn claimed() -> Vec<Event> {
    and(completed(), PAIRED, claim(1, &[BOTS]))
}

#[test]
fn a_costing_claims_opportunities_of_a_result_that_stands() {
    for status in Status::ALL {
        let result = decide(at(status), PAIRED, claim(1, &[BOTS]));
        if matches!(status, Status::Completed | Status::Locked) {
            let opportunity_ids = BTreeSet::from([id(BOTS)]);
            assert_eq!(result, Ok(vec![Event::OpportunitiesClaimed { costing_id: id(1), opportunity_ids }]));
        } else {
            let refused = result.unwrap_err();
            assert_eq!((refused.kind(), refused.code()), (Kind::Conflict, "ASSESSMENT_NOT_READY"));
        }
    }
}

#[test]
fn an_opportunity_is_in_one_live_costing_only() {
    let in_use = Refused::OpportunityInUse { opportunity: id(BOTS), costing: id(1) };
    assert_eq!(decide(claimed(), PAIRED, claim(2, &[BOTS, CHECKS])), Err(in_use));
    assert_eq!(decide(claimed(), PAIRED, claim(1, &[BOTS])), Ok(vec![]));
    assert_eq!(decide(claimed(), PAIRED, claim(2, &[CHECKS])).unwrap().len(), 1);
    let released = and(claimed(), REVIEWER, release(1));
    assert_eq!(decide(released.clone(), PAIRED, claim(2, &[BOTS])).unwrap().len(), 1);
    assert_eq!(decide(released, REVIEWER, release(1)), Ok(vec![]));
}

#[test]
fn only_opportunities_that_are_there_can_be_claimed() {
    assert_eq!(decide(completed(), PAIRED, claim(1, &[99])), Err(Refused::UnknownOpportunity(id(99))));
    let result = decide(completed(), PAIRED, claim(1, &[]));
    assert_eq!(invalid_code(result).0, "OPPORTUNITIES_REQUIRED");
    let removed = and(completed(), MANAGER, Command::RemoveOpportunity { id: id(BOTS) });
    assert_eq!(decide(removed, PAIRED, claim(1, &[BOTS])), Err(Refused::UnknownOpportunity(id(BOTS))));
    for who in [REVIEWER, CLIENT] {
        assert_eq!(decide(completed(), who, claim(1, &[BOTS])), Err(Refused::Forbidden));
    }
}

#[test]
fn a_stale_opportunity_is_not_claimed_anew() {
    let again = and_system(and(claimed(), ADMIN, force(2)), complete(2, 2, vec![]));
    assert_eq!(decide(again.clone(), PAIRED, claim(1, &[BOTS])), Ok(vec![]));
    let released = and_system(again, release(1));
    assert_eq!(decide(released, PAIRED, claim(2, &[BOTS])), Err(Refused::StaleOpportunity(id(BOTS))));
}

#[test]
fn a_costing_is_approved_only_while_the_result_stands() {
    assert_eq!(
        decide(claimed(), REVIEWER, approval(1)),
        Ok(vec![Event::CostingApprovalRecorded { costing_id: id(1) }])
    );
    let approved = and(claimed(), REVIEWER, approval(1));
    assert_eq!(decide(approved, REVIEWER, approval(1)), Ok(vec![]));
    assert_eq!(decide(claimed(), REVIEWER, approval(2)), Err(Refused::NothingClaimed));
    let rework = and(claimed(), CLIENT, reject(vec![note(1, None)]));
    assert_eq!(decide(rework, REVIEWER, approval(1)), Err(Refused::NotReady { status: Status::Rework }));
}

#[test]
fn an_assessment_with_an_approved_costing_stays_locked_until_the_costing_goes() {
    let reopen = || Command::Reopen { reason: text("mistake") };
    let locked = and(locked(), MANAGER, claim(1, &[BOTS]));
    assert!(decide(locked.clone(), ADMIN, reopen()).is_ok());
    let approved = and(locked, REVIEWER, approval(1));
    let refused = decide(approved.clone(), ADMIN, reopen()).unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (Kind::Conflict, "DOWNSTREAM_APPROVED"));
    assert!(decide(and(approved, ADMIN, release(1)), ADMIN, reopen()).is_ok());
}

#[test]
fn a_costing_shares_the_opportunities_of_the_approved_one_that_it_is_to_supersede() {
    let successor = |costing, old: i64| Command::ClaimOpportunities {
        costing: id(costing),
        opportunities: BTreeSet::from([id(BOTS)]),
        supersedes: Some(id(old)),
    };
    let result = decide(claimed(), PAIRED, successor(2, 1));
    assert_eq!(invalid_code(result), ("NOT_SUPERSEDABLE", "supersedes_id".to_owned()));
    let both = and(and(claimed(), REVIEWER, approval(1)), PAIRED, successor(2, 1));
    assert_eq!(decide(both.clone(), PAIRED, successor(2, 1)), Ok(vec![]));
    let in_use = |costing| Err(Refused::OpportunityInUse { opportunity: id(BOTS), costing: id(costing) });
    assert_eq!(decide(both.clone(), PAIRED, successor(3, 1)), in_use(2));
    // When the successor comes to nothing the old one has its opportunities still; when the old one goes, the new one.
    assert_eq!(decide(and(both.clone(), REVIEWER, release(2)), PAIRED, claim(3, &[BOTS])), in_use(1));
    assert_eq!(decide(and(both, ADMIN, release(1)), PAIRED, claim(3, &[BOTS])), in_use(2));
}

#[test]
fn a_costing_is_released_while_the_assessment_is_deleted() {
    let deleted = and(claimed(), ADMIN, delete());
    assert_eq!(system(deleted.clone(), claim(2, &[CHECKS])), Err(Refused::NotFound));
    let restored = and(and_system(deleted, release(1)), ADMIN, Command::Restore { cascade: None });
    assert!(assessment(restored).opportunity_book().claimed().is_empty());
}

#[test]
fn strangers_know_nothing_of_costings() {
    for who in STRANGERS {
        for command in [claim(1, &[BOTS]), approval(1), release(1)] {
            assert_eq!(decide(claimed(), who, command), Err(Refused::NotFound));
        }
    }
}
