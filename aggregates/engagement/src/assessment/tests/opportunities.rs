use kernel::testing::id;
use rust_decimal::Decimal;

use super::support::*;
use crate::{
    assessment::{AssessmentCommand as Command, AssessmentEvent as Event, AssessmentRefusal as Refused},
    business_case::{Opportunity, OpportunityChanges, OpportunityInput, OpportunityStatus, Source},
};

fn add(number: i64, input: OpportunityInput) -> Command {
    Command::AddOpportunity { id: id(number), assessment: id(7), input: Box::new(input) }
}

fn change(number: i64, changes: OpportunityChanges) -> Command {
    Command::ChangeOpportunity { id: id(number), changes: Box::new(changes) }
}

fn automation(percent: i64) -> OpportunityChanges {
    OpportunityChanges { automation_percent: Some(Decimal::from(percent)), ..OpportunityChanges::default() }
}

fn remove(number: i64) -> Command {
    Command::RemoveOpportunity { id: id(number) }
}

fn get(events: Vec<Event>, number: i64) -> Opportunity {
    assessment(events).opportunity_book().get(id(number)).unwrap().clone()
}

#[test]
fn an_opportunity_entered_by_hand_has_its_figures_at_once() {
    // 10 FTE at 50,000: 10 * 40% * 50% * 80% = 1.6 FTE, 80,000 a year.
    let one = get(and(draft(), MANAGER, add(200, input("By hand"))), 200);
    assert_eq!((one.source, one.status), (Source::Manual, OpportunityStatus::Active));
    assert_eq!(
        (one.fte_savings.to_string(), one.gross_savings.to_string()),
        ("1.6000".to_owned(), "80000.00".to_owned())
    );
}

#[test]
fn without_answers_the_figures_are_zero() {
    let one = get(and(created(), MANAGER, add(200, input("By hand"))), 200);
    assert_eq!(one.gross_savings, Decimal::ZERO);
}

#[test]
fn a_change_to_a_found_opportunity_makes_it_adjusted_and_one_by_hand_stays_manual() {
    let found = and(completed(), MANAGER, change(BOTS, automation(100)));
    let one = get(found.clone(), BOTS);
    assert_eq!((one.source, one.gross_savings.to_string()), (Source::Adjusted, "160000.00".to_owned()));
    assert_eq!(decide(found, MANAGER, change(BOTS, automation(100))), Ok(vec![]));
    let by_hand = and(draft(), MANAGER, add(200, input("By hand")));
    assert_eq!(get(and(by_hand, MANAGER, change(200, automation(100))), 200).source, Source::Manual);
}

#[test]
fn others_whose_figures_move_are_told() {
    let given = and(draft(), MANAGER, add(200, input("By hand")));
    // Twice the worth: the first one is no longer the most valuable, so its priority falls.
    let events = decide(
        given,
        MANAGER,
        add(201, OpportunityInput { automation_percent: Decimal::ONE_HUNDRED, ..input("More") }),
    )
    .unwrap();
    let [Event::OpportunityAdded { opportunity, recomputed, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((opportunity.id, recomputed.len(), recomputed[0].id), (id(201), 1, id(200)));
    assert!(recomputed[0].priority_score < opportunity.priority_score);
}

#[test]
fn shares_of_one_vertical_do_not_overlap() {
    let share =
        |percent: i64, title| OpportunityInput { addressable_effort_percent: Decimal::from(percent), ..input(title) };
    let given = and(draft(), MANAGER, add(200, share(60, "One")));
    let result = decide(given.clone(), MANAGER, add(201, share(41, "Two")));
    assert_eq!(invalid_code(result), ("DOUBLE_COUNTING", "addressable_effort_percent".to_owned()));
    let given = and(given, MANAGER, add(201, share(40, "Two")));
    let more =
        OpportunityChanges { addressable_effort_percent: Some(Decimal::from(61)), ..OpportunityChanges::default() };
    assert_eq!(invalid_code(decide(given.clone(), MANAGER, change(200, more.clone()))).0, "DOUBLE_COUNTING");
    // What is removed makes room.
    assert!(decide(and(given, MANAGER, remove(201)), MANAGER, change(200, more)).is_ok());
    let errors =
        |percent: i64, title| OpportunityInput { error_reduction_percent: Decimal::from(percent), ..share(1, title) };
    let given = and(draft(), MANAGER, add(200, errors(60, "One")));
    let result = decide(given, MANAGER, add(201, errors(41, "Two")));
    assert_eq!(invalid_code(result), ("DOUBLE_COUNTING", "error_reduction_percent".to_owned()));
}

#[test]
fn bad_input_names_what_is_wrong() {
    let result = decide(draft(), MANAGER, add(200, OpportunityInput { vertical_id: id(9), ..input("One") }));
    assert_eq!(invalid_code(result), ("UNKNOWN_VERTICAL", "vertical_id".to_owned()));
    let over = OpportunityInput { automation_percent: Decimal::from(101), ..input("One") };
    let result = decide(draft(), MANAGER, add(200, over));
    assert_eq!(invalid_code(result), ("OUT_OF_BOUNDS", "automation_percent".to_owned()));
    let given = and(draft(), MANAGER, add(200, input("One")));
    let twin = OpportunityInput { addressable_effort_percent: Decimal::ONE, ..input(" ONE ") };
    let result = decide(given.clone(), MANAGER, add(201, twin));
    assert_eq!(invalid_code(result), ("DUPLICATE_OPPORTUNITY", "title".to_owned()));
    assert_eq!(decide(given, MANAGER, add(200, input("One"))), Ok(vec![]));
}

#[test]
fn a_removed_opportunity_is_shown_no_more_and_does_not_come_back() {
    let given = and(completed(), MANAGER, remove(BOTS));
    assert_eq!(assessment(given.clone()).opportunities().count(), 1);
    assert_eq!(decide(given.clone(), MANAGER, remove(BOTS)), Ok(vec![]));
    assert_eq!(decide(given.clone(), MANAGER, change(BOTS, automation(1))), Err(Refused::NotFound));
    assert_eq!(decide(given.clone(), MANAGER, remove(99)), Err(Refused::NotFound));
    // The next analysis sees that it was removed.
    let again = and_system(and(given, ADMIN, force(2)), complete(2, 2, vec![found(CHECKS, "Checks")]));
    let of = assessment(again);
    assert_eq!(of.opportunities().count(), 1);
    let removed = of.opportunity_book().all().find(|one| one.id == id(BOTS)).unwrap();
    assert_eq!(removed.status, OpportunityStatus::Removed);
}

#[test]
fn a_costed_opportunity_is_not_removed() {
    let given = and(completed(), MANAGER, claim(1, &[BOTS]));
    let in_use = Refused::OpportunityInUse { opportunity: id(BOTS), costing: id(1) };
    assert_eq!(decide(given, MANAGER, remove(BOTS)), Err(in_use));
}

#[test]
fn after_a_signature_opportunities_stay_as_they_are() {
    for command in [add(200, input("By hand")), change(BOTS, automation(1)), remove(BOTS)] {
        assert_eq!(decide(reviewed(), MANAGER, command), Err(Refused::ApprovalGiven));
    }
}
