use super::*;

const ALL: [CostingStatus; 5] = [
    CostingStatus::Draft,
    CostingStatus::Submitted,
    CostingStatus::Approved,
    CostingStatus::Rejected,
    CostingStatus::Archived,
];

fn kind(events: &[CostingEvent], command: Issued<CostingCommand>) -> Kind {
    result(events, command).unwrap_err().kind()
}

#[test]
fn a_costing_is_created_once_by_assigned_staff() {
    let events = result(&[], create());
    let Ok([CostingEvent::Created(created)]) = events.as_deref() else { panic!("not created") };
    assert_eq!((created.by, created.with.opportunities.len()), (Some(id(4)), 2));
    given(draft()).when(create()).then_expect_error(CostingRefusal::AlreadyExists);
    for (user, role, refused) in [
        (9, Role::Consultant, Kind::NotFound),
        (2, Role::Reviewer, Kind::Forbidden),
        (12, Role::Client, Kind::Forbidden),
    ] {
        assert_eq!(kind(&[], by(user, role, CostingCommand::Create(Box::new(new())))), refused, "{role:?}");
    }
}

#[test]
fn a_costing_needs_a_ready_assessment_free_opportunities_and_a_usable_card() {
    let refused = |change: &dyn Fn(&mut NewCosting)| {
        let mut creation = new();
        change(&mut creation);
        result(&[], owner(CostingCommand::Create(Box::new(creation)))).unwrap_err().code()
    };
    let found = |new: &mut NewCosting, change: &dyn Fn(&mut FoundOpportunity)| {
        change(new.opportunities[1].found.as_mut().unwrap());
    };
    assert_eq!(refused(&|new| new.assessment.is_ready = false), "ASSESSMENT_NOT_READY");
    assert_eq!(refused(&|new| new.assessment.is_deleted = true), "NOT_FOUND");
    assert_eq!(refused(&|new| new.opportunities.clear()), "BAD_OPPORTUNITIES");
    assert_eq!(refused(&|new| new.opportunities[1].id = id(1)), "BAD_OPPORTUNITIES");
    assert_eq!(refused(&|new| new.opportunities[1].found = None), "UNKNOWN_REFERENCE");
    assert_eq!(refused(&|new| found(new, &|one| one.assessment = id(8))), "DIFFERENT_ASSESSMENTS");
    assert_eq!(refused(&|new| found(new, &|one| one.costed_by = Some(id(44)))), "OPPORTUNITY_ALREADY_COSTED");
    assert_eq!(refused(&|new| new.rate_card.status = CardStatus::Draft), "RATE_CARD_NOT_ACTIVE");
    assert_eq!(refused(&|new| new.rate_card.effective_to = now().date_naive().pred_opt()), "RATE_CARD_NOT_ACTIVE");
    assert_eq!(refused(&|new| new.rate_card.client = Some(id(13))), "RATE_CARD_NOT_USABLE");
    assert_eq!(refused(&|new| new.rate_card.region = id(99)), "RATE_CARD_NOT_USABLE");
    assert_eq!(refused(&|new| new.solution_rate_card.as_mut().unwrap().currency = id(2)), "RATE_CARD_NOT_USABLE");
    let old = |is_approved| SupersededFacts { id: id(44), assessment: id(7), is_approved };
    assert_eq!(refused(&|new| new.supersedes = Some(old(false))), "NOT_SUPERSEDABLE");
    let mut heir = new();
    heir.supersedes = Some(old(true));
    found(&mut heir, &|one| one.costed_by = Some(id(44)));
    result(&[], owner(CostingCommand::Create(Box::new(heir)))).unwrap();
}

#[test]
fn every_step_is_taken_from_its_own_state_only() {
    use CostingStatus::{Approved, Archived, Draft, Rejected, Submitted};
    type Step = (Issued<CostingCommand>, CostingStatus, CostingStatus);
    let steps: [Step; 5] = [
        (owner(CostingCommand::Submit), Draft, Submitted),
        (reviewer(approve()), Submitted, Approved),
        (reviewer(reject()), Submitted, Rejected),
        (owner(CostingCommand::Revise), Rejected, Draft),
        (by(1, Role::Admin, CostingCommand::Archive), Approved, Archived),
    ];
    for (command, from, to) in steps {
        for status in ALL {
            let outcome = result(&at(status), command.clone());
            if status == from {
                let events = [at(status), outcome.unwrap()].concat();
                assert_eq!(folded(&events).status, to);
            } else if status == to {
                assert_eq!(outcome.unwrap(), vec![], "{command:?} again");
            } else {
                let refusal = outcome.unwrap_err();
                assert_eq!((refusal.kind(), refusal.code()), (Kind::Conflict, "INVALID_TRANSITION"), "{command:?}");
                assert_eq!(refusal.members()["from"], status.as_str());
            }
        }
    }
}

#[test]
fn only_a_draft_is_worked_on() {
    let edits = [
        add_role(2),
        CostingCommand::UpdateLineItem { id: id(1), changes: Box::default(), cards: vec![] },
        CostingCommand::RemoveLineItem { id: id(1) },
        CostingCommand::SetParameters(Box::default()),
    ];
    for status in ALL {
        for edit in &edits {
            let outcome = result(&at(status), owner(edit.clone()));
            match status {
                CostingStatus::Draft => assert!(outcome.is_ok(), "{edit:?}"),
                _ => assert_eq!(outcome.unwrap_err().code(), "INVALID_TRANSITION", "{status:?} {edit:?}"),
            }
        }
    }
}

#[test]
fn who_may_not_is_refused_and_who_is_not_assigned_sees_nothing() {
    let draft = draft();
    let submitted = at(CostingStatus::Submitted);
    for (user, role, refused) in [
        (5, Role::Consultant, Kind::Forbidden),
        (9, Role::Consultant, Kind::NotFound),
        (2, Role::Reviewer, Kind::Forbidden),
        (12, Role::Client, Kind::Forbidden),
    ] {
        for command in [add_role(2), CostingCommand::Submit, CostingCommand::SetParameters(Box::default())] {
            assert_eq!(kind(&draft, by(user, role, command)), refused, "{user} {role:?}");
        }
    }
    result(&draft, by(1, Role::Admin, add_role(2))).unwrap();
    for (user, role, refused) in [
        (5, Role::Consultant, Kind::Forbidden),
        (3, Role::Reviewer, Kind::NotFound),
        (12, Role::Client, Kind::Forbidden),
    ] {
        assert_eq!(kind(&submitted, by(user, role, approve())), refused, "{user} {role:?}");
        assert_eq!(kind(&submitted, by(user, role, reject())), refused, "{user} {role:?}");
    }
    assert_eq!(kind(&at(CostingStatus::Approved), owner(CostingCommand::Archive)), Kind::Forbidden);
    given(vec![]).when(owner(CostingCommand::Submit)).then_expect_error(CostingRefusal::NotFound);
}

#[test]
fn the_submitter_or_last_editor_cannot_approve_even_as_admin() {
    let admin = |command| by(1, Role::Admin, command);
    let by_admin = after(vec![create(), owner(add_role(1)), admin(CostingCommand::Submit)]);
    given(by_admin.clone()).when(admin(approve())).then_expect_error(CostingRefusal::OwnCosting);
    let edited = after(vec![create(), admin(add_role(1)), owner(CostingCommand::Submit)]);
    given(edited.clone()).when(admin(approve())).then_expect_error(CostingRefusal::OwnCosting);
    let allowed = CostingCommand::Approve { assessment_is_in_rework: false, admin_may_approve_own: true };
    for events in [by_admin, edited] {
        result(&events, admin(allowed.clone())).unwrap();
        result(&events, by(8, Role::Admin, approve())).unwrap();
    }
    // The reviewer was a consultant when he submitted.
    let promoted = after(vec![create(), owner(add_role(1)), owner(CostingCommand::Submit)]);
    let people = Participants { reviewer: Some(id(4)), ..people() };
    let promoted =
        [promoted.clone(), result(&promoted, by_system(CostingCommand::RecordParticipants(people))).unwrap()].concat();
    given(promoted).when(by(4, Role::Reviewer, approve())).then_expect_error(CostingRefusal::OwnCosting);
}

#[test]
fn an_approval_carries_all_amounts_and_waits_for_the_assessment() {
    let submitted = at(CostingStatus::Submitted);
    let amounts = Box::new(folded(&submitted).amounts);
    given(submitted.clone()).when(reviewer(approve())).then_expect_events(vec![CostingEvent::Approved {
        by: Some(id(2)),
        at: now(),
        amounts,
    }]);
    let in_rework = CostingCommand::Approve { assessment_is_in_rework: true, admin_may_approve_own: false };
    given(submitted).when(reviewer(in_rework)).then_expect_error(CostingRefusal::AssessmentNotReady);
}

#[test]
fn a_costing_that_comes_to_nothing_cannot_be_submitted() {
    let free = after(vec![create(), owner(add(1, input(component_work(1, "0", "2", Complexity::Low), None)))]);
    given(free).when(owner(CostingCommand::Submit)).then_expect_error(CostingRefusal::NothingToPay);
}

#[test]
fn only_an_approved_costing_is_proposed_and_only_once() {
    let link = |number| owner(CostingCommand::LinkProposal { proposal: id(number) });
    for status in ALL {
        let outcome = result(&at(status), link(6));
        match status {
            CostingStatus::Approved => {
                assert_eq!(outcome.unwrap(), vec![CostingEvent::ProposalLinked { proposal_id: id(6) }]);
            }
            _ => assert_eq!(outcome.unwrap_err(), CostingRefusal::NotApproved, "{status:?}"),
        }
    }
    let approved = at(CostingStatus::Approved);
    let linked = [approved.clone(), result(&approved, link(6)).unwrap()].concat();
    assert_eq!(result(&linked, link(6)).unwrap(), vec![]);
    let again = result(&linked, link(7)).unwrap_err();
    assert_eq!((again.kind(), again.code()), (Kind::Conflict, "COSTING_ALREADY_PROPOSED"));
    let archive = || by(1, Role::Admin, CostingCommand::Archive);
    assert_eq!(kind(&linked, archive()), Kind::Conflict);
    let unlink = |number| by_system(CostingCommand::UnlinkProposal { proposal: id(number) });
    assert_eq!(result(&linked, unlink(7)).unwrap(), vec![]);
    let free = [linked.clone(), result(&linked, unlink(6)).unwrap()].concat();
    result(&free, archive()).unwrap();
    result(&free, link(7)).unwrap();
}

#[test]
fn a_client_sees_the_costing_once_its_totals_are_disclosed() {
    let client = Actor::User { id: id(12), role: Role::Client };
    let approved = at(CostingStatus::Approved);
    assert!(!folded(&approved).can_see(client));
    let disclosed = [approved.clone(), result(&approved, by_system(CostingCommand::DiscloseTotals)).unwrap()].concat();
    assert!(folded(&disclosed).can_see(client));
    assert!(!folded(&disclosed).can_see(Actor::User { id: id(13), role: Role::Client }));
    assert!(folded(&approved).can_see(Actor::User { id: id(5), role: Role::Consultant }));
    assert_eq!(result(&disclosed, by_system(CostingCommand::DiscloseTotals)).unwrap(), vec![]);
}

#[test]
fn a_cascade_brings_back_only_what_it_removed() {
    let delete = |cascade: Option<&str>| CostingCommand::Delete {
        cascade_id: cascade.map(text),
        force: false,
        project_is_active: false,
    };
    let restore = |cascade: Option<&str>| CostingCommand::Restore { cascade_id: cascade.map(text) };
    let draft = draft();
    let by_hand = [draft.clone(), result(&draft, owner(delete(None))).unwrap()].concat();
    given(by_hand.clone()).when(owner(add_role(2))).then_expect_error(CostingRefusal::NotFound);
    assert_eq!(result(&by_hand, by_system(delete(Some("c1")))).unwrap(), vec![]);
    assert_eq!(result(&by_hand, by_system(restore(Some("c1")))).unwrap(), vec![]);
    let by_cascade = [draft.clone(), result(&draft, by_system(delete(Some("c1")))).unwrap()].concat();
    assert_eq!(result(&by_cascade, by_system(restore(Some("c2")))).unwrap(), vec![]);
    given(by_cascade).when(by_system(restore(Some("c1")))).then_expect_events(vec![CostingEvent::Restored]);
    let approved = at(CostingStatus::Approved);
    given(approved.clone()).when(owner(delete(None))).then_expect_error(CostingRefusal::Forbidden);
    let busy = |force| CostingCommand::Delete { cascade_id: None, force, project_is_active: true };
    given(approved.clone()).when(by(1, Role::Admin, busy(false))).then_expect_error(CostingRefusal::ActiveProject);
    result(&approved, by(1, Role::Admin, busy(true))).unwrap();
}

#[test]
fn only_an_approved_costing_has_figures_beside_those_of_the_report() {
    for status in ALL {
        let figures = CostedFigures::of(id(1), &folded(&at(status)));
        assert_eq!(figures.is_some(), status == CostingStatus::Approved, "{status:?}");
    }
    let approved = at(CostingStatus::Approved);
    let (costing, figures) = (folded(&approved), CostedFigures::of(id(1), &folded(&approved)).unwrap());
    assert_eq!((figures.financials.basis, figures.financials.npv), (Basis::Costed, costing.amounts.roi_summary.npv));
    assert_eq!(figures.financials.investment, costing.amounts.totals.one_time_cost);
    let deleted = [approved, vec![CostingEvent::Deleted { cascade_id: None }]].concat();
    assert_eq!(CostedFigures::of(id(1), &folded(&deleted)), None);
}
