use std::collections::BTreeSet;

use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use kernel::{
    Actor, Change, Issued, Kind, Refusal, Resource, Role, Stamp, Text,
    testing::{by, by_system, id, now},
};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::{
    business_case::{Basis, Parameters},
    participants::Participants,
    pricing::{
        Amounts, CardFacts, CardRole, CardStatus, Category, Complexity, ComponentFacts, CostedOpportunity, LineChanges,
        LineInput, RateSource, RoleFacts, RoleRef, SolutionCardFacts, Work, default_complexity_multipliers,
    },
    report::CostedFigures,
};

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn text<const MIN: usize, const MAX: usize>(text: &str) -> Text<MIN, MAX> {
    Text::new(text).unwrap()
}

/// Client 12, reviewer 2, managed by 4; 5 is paired.
fn people() -> Participants {
    Participants {
        client: id(12),
        reviewer: Some(id(2)),
        managed_by: id(4),
        consultants: BTreeSet::from([id(5), id(6)]),
    }
}

fn card() -> CardFacts {
    let entry = CardRole {
        role: RoleRef::Operations(id(2)),
        day_rate: d("450.00"),
        number_of_days: Some(20),
        base_salary: None,
        benefit_percentage: None,
        overhead_percentage: None,
        cost_day_rate: Some(d("310.00")),
        is_override: false,
        reason: None,
    };
    CardFacts {
        id: id(5),
        version: 2,
        status: CardStatus::Active,
        currency: id(1),
        region: id(3),
        client: None,
        assessment: None,
        effective_from: None,
        effective_to: None,
        roles: vec![entry],
    }
}

fn solution_card() -> SolutionCardFacts {
    SolutionCardFacts {
        id: id(9),
        version: 1,
        status: CardStatus::Active,
        currency: id(1),
        base_rate_card: Some(id(5)),
        pmo_percentage: d("12"),
        support_percentage: d("18"),
        location_multipliers: [("us-east".to_owned(), d("1.00"))].into(),
        complexity_multipliers: default_complexity_multipliers(),
        items: vec![],
    }
}

fn opportunity(number: i64, gross: &str) -> OpportunityFacts {
    let found = FoundOpportunity { assessment: id(7), gross_savings: d(gross), costed_by: None };
    OpportunityFacts { id: id(number), found: Some(found) }
}

fn new() -> NewCosting {
    NewCosting {
        name: text("Consulting ROI Estimate"),
        assessment: AssessmentFacts {
            id: id(7),
            region: id(3),
            participants: people(),
            is_ready: true,
            is_deleted: false,
            parameters: Parameters::default(),
        },
        opportunities: vec![opportunity(1, "146740.96"), opportunity(2, "76116.00")],
        rate_card: card(),
        solution_rate_card: Some(solution_card()),
        supersedes: None,
    }
}

fn role_work(headcount: &str, months: &str) -> Work {
    let role = RoleFacts {
        role: RoleRef::Operations(id(2)),
        code: "O2C_TL".to_owned(),
        name: "Order to Cash Team Lead".to_owned(),
        is_active: true,
        day_rate_min: d("350"),
        day_rate_max: d("550"),
        day_rate_current: d("460"),
        number_of_days: Some(20),
    };
    Work::Role { role, headcount: d(headcount), duration_months: d(months) }
}

fn component_work(number: i64, rate: &str, quantity: &str, complexity: Complexity) -> Work {
    let component = ComponentFacts {
        id: id(number),
        code: format!("C{number}"),
        name: format!("Component {number}"),
        unit: "bot".to_owned(),
        default_rate: d(rate),
        default_effort_days: None,
        is_active: true,
    };
    Work::Component { component, quantity: d(quantity), complexity: Some(complexity) }
}

const fn input(work: Work, multiplier: Option<Decimal>) -> LineInput {
    LineInput { category: Category::Build, opportunity_id: None, location: None, multiplier, work }
}

fn add(number: i64, input: LineInput) -> CostingCommand {
    CostingCommand::AddLineItem { id: id(number), input: Box::new(input), cards: vec![] }
}

fn add_role(number: i64) -> CostingCommand {
    add(number, input(role_work("1.5", "6"), None))
}

/// Commands of owner 4 unless said otherwise.
fn owner(command: CostingCommand) -> Issued<CostingCommand> {
    by(4, Role::Consultant, command)
}

fn reviewer(command: CostingCommand) -> Issued<CostingCommand> {
    by(2, Role::Reviewer, command)
}

fn approve() -> CostingCommand {
    CostingCommand::Approve { assessment_is_in_rework: false, admin_may_approve_own: false }
}

fn reject() -> CostingCommand {
    CostingCommand::Reject { reason: text("too dear") }
}

fn create() -> Issued<CostingCommand> {
    owner(CostingCommand::Create(Box::new(new())))
}

fn given(events: Vec<CostingEvent>) -> AggregateTestExecutor<SolutionCosting> {
    TestFramework::<SolutionCosting>::with(()).given(events)
}

fn result(events: &[CostingEvent], command: Issued<CostingCommand>) -> Result<Vec<CostingEvent>, CostingRefusal> {
    given(events.to_vec()).when(command).inspect_result()
}

/// The history that these commands make, all of them accepted.
fn after(commands: Vec<Issued<CostingCommand>>) -> Vec<CostingEvent> {
    let mut events = Vec::new();
    for command in commands {
        let more = result(&events, command).unwrap();
        events.extend(more);
    }
    events
}

fn draft() -> Vec<CostingEvent> {
    after(vec![create(), owner(add_role(1))])
}

fn at(status: CostingStatus) -> Vec<CostingEvent> {
    let mut commands = vec![create(), owner(add_role(1))];
    let submit = || owner(CostingCommand::Submit);
    commands.extend(match status {
        CostingStatus::Draft => vec![],
        CostingStatus::Submitted => vec![submit()],
        CostingStatus::Approved => vec![submit(), reviewer(approve())],
        CostingStatus::Rejected => vec![submit(), reviewer(reject())],
        CostingStatus::Archived => {
            vec![submit(), reviewer(approve()), by(1, Role::Admin, CostingCommand::Archive)]
        }
    });
    after(commands)
}

fn folded(events: &[CostingEvent]) -> KnownCosting {
    let mut costing = SolutionCosting::default();
    events.iter().for_each(|event| <SolutionCosting as Resource>::record(&mut costing, event.clone()));
    costing.known().unwrap().clone()
}

fn stamp() -> Stamp {
    Stamp { id: "3".to_owned(), version: 9, created_at: now(), updated_at: now() }
}

fn worked() -> Vec<CostingEvent> {
    after(vec![
        create(),
        owner(add_role(1)),
        owner(add(2, input(component_work(1, "6500.00", "3", Complexity::Medium), None))),
        owner(add(3, input(component_work(2, "4800.00", "2", Complexity::High), Some(d("1.10"))))),
    ])
}

mod figures;
mod steps;
