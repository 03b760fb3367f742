//! One assessment in each of its states, and everybody who has to do with it.

use std::collections::{BTreeMap, BTreeSet};

use cqrs_es::{Aggregate, test::TestFramework};
use kernel::{
    CascadeId, Code, Issued, Reference, Role, Text, VerticalId,
    testing::{by, by_system, id, now},
};
use rust_decimal::Decimal;

use crate::{
    assessment::{AssessmentCommand as Command, AssessmentEvent as Event, AssessmentRefusal as Refused, *},
    business_case::{Basis, Complexity, Lever, Opportunity, OpportunityInput, Parameters, Source},
    questionnaire::{GivenAnswer, Question, QuestionSet, QuestionType, VerticalRef},
    report::{NarrativeSource, Report, ReportStatus, SummaryMetrics},
};

pub(super) type Who = (i64, Role);
pub(super) const ADMIN: Who = (1, Role::Admin);
pub(super) const OTHER_ADMIN: Who = (2, Role::Admin);
pub(super) const REVIEWER: Who = (3, Role::Reviewer);
pub(super) const MANAGER: Who = (4, Role::Consultant);
/// Paired with the client for vertical 3.
pub(super) const PAIRED: Who = (5, Role::Consultant);
pub(super) const CLIENT: Who = (12, Role::Client);
/// They have nothing to do with the assessment.
pub(super) const STRANGERS: [Who; 3] = [(6, Role::Consultant), (7, Role::Reviewer), (13, Role::Client)];

pub(super) const P2P: i64 = 2;
pub(super) const O2C: i64 = 3;
pub(super) const VOLUME: i64 = 1;
pub(super) const FTE: i64 = 2;
pub(super) const SALARY: i64 = 3;
/// Calculated: FTE times salary.
pub(super) const PAYROLL: i64 = 4;
/// Of the other vertical, on step 2, not required.
pub(super) const DISPUTES: i64 = 5;
/// The costed opportunity of the report.
pub(super) const BOTS: i64 = 100;
pub(super) const CHECKS: i64 = 101;

pub(super) fn text<const MIN: usize, const MAX: usize>(text: &str) -> Text<MIN, MAX> {
    Text::new(text).unwrap()
}

pub(super) fn decide(given: Vec<Event>, who: Who, command: Command) -> Result<Vec<Event>, Refused> {
    given_when(given, by(who.0, who.1, command))
}

pub(super) fn system(given: Vec<Event>, command: Command) -> Result<Vec<Event>, Refused> {
    given_when(given, by_system(command))
}

pub(super) fn given_when(given: Vec<Event>, command: Issued<Command>) -> Result<Vec<Event>, Refused> {
    TestFramework::<Assessment>::with(()).given(given).when(command).inspect_result()
}

/// The events with those of one more command, which must be accepted.
pub(super) fn and(mut given: Vec<Event>, who: Who, command: Command) -> Vec<Event> {
    given.extend(decide(given.clone(), who, command).unwrap());
    given
}

pub(super) fn and_system(mut given: Vec<Event>, command: Command) -> Vec<Event> {
    given.extend(system(given.clone(), command).unwrap());
    given
}

pub(super) fn assessment(events: Vec<Event>) -> Assessment {
    let mut assessment = Assessment::default();
    for event in events {
        assessment.apply(event);
    }
    assessment
}

pub(super) fn profile(events: Vec<Event>) -> Profile {
    assessment(events).header().known().unwrap().clone()
}

pub(super) fn question(number: i64, code: &str, vertical: i64) -> Question {
    Question {
        id: id(number),
        code: Code::new(code).unwrap(),
        text: text("How much?"),
        help_text: None,
        vertical: Some(VerticalRef {
            id: id(vertical),
            code: Code::new(if vertical == P2P { "P2P" } else { "O2C" }).unwrap(),
        }),
        section: Some(text("Volumes")),
        order: i32::try_from(number).unwrap(),
        step: 1,
        question_type: QuestionType::Number,
        unit: None,
        decimal_places: 2,
        is_required: true,
        options: vec![],
        sub_questions: vec![],
        formula: None,
        min: None,
        max: None,
        benchmark_code: None,
        is_active: true,
        bank_version: 1,
    }
}

pub(super) fn payroll() -> Question {
    Question {
        question_type: QuestionType::Calculated,
        formula: Some(text("{P2P_FTE} * {P2P_AVG_SALARY}")),
        is_required: false,
        ..question(PAYROLL, "P2P_PAYROLL", P2P)
    }
}

pub(super) fn disputes() -> Question {
    Question { is_required: false, step: 2, section: Some(text("Disputes")), ..question(DISPUTES, "O2C_DISPUTES", O2C) }
}

pub(super) fn snapshot() -> QuestionSet {
    QuestionSet {
        bank_version: 1,
        questions: vec![
            question(VOLUME, "P2P_ANNUAL_VOLUME", P2P),
            question(FTE, "P2P_FTE", P2P),
            question(SALARY, "P2P_AVG_SALARY", P2P),
            payroll(),
            disputes(),
        ],
        rules: vec![],
    }
}

pub(super) fn pairs() -> BTreeSet<Pairing> {
    let pair = |vertical, consultant: i64| Pairing { vertical: id(vertical), consultant: id(consultant) };
    BTreeSet::from([pair(P2P, MANAGER.0), pair(O2C, PAIRED.0), pair(9, STRANGERS[0].0)])
}

pub(super) fn new() -> NewAssessment {
    let vertical = |number: i64| Reference::<VerticalId>::new(id(number), true);
    NewAssessment {
        name: text("Finance Discovery Survey"),
        client: ClientFacts { user: id(CLIENT.0), is_active: true, reviewer: Some(id(REVIEWER.0)), pairs: pairs() },
        managed_by: ManagerFacts { user: id(MANAGER.0), role: Some(Role::Consultant), is_active: true },
        industry_type: Some(Reference::new(id(1), true)),
        region: Some(Reference::new(id(2), true)),
        verticals: vec![vertical(P2P), vertical(O2C)],
        input_method: InputMethod::Questionnaire,
        client_can_answer: false,
        current_step: 1,
        total_steps: 5,
        ble_parameters: Parameters::default(),
        questions: snapshot(),
        approval_policy: default_policy(),
    }
}

pub(super) fn create(new: NewAssessment) -> Command {
    Command::Create(Box::new(new))
}

pub(super) fn created() -> Vec<Event> {
    and(vec![], ADMIN, create(new()))
}

pub(super) fn answer(question: i64, value: &str) -> SubmittedAnswer {
    let given = GivenAnswer { value: Some(value.to_owned()), sub_answer: BTreeMap::new() };
    SubmittedAnswer { question: id(question), given }
}

pub(super) fn submit(answers: &[(i64, &str)]) -> Command {
    Command::SubmitAnswers { answers: answers.iter().map(|(question, value)| answer(*question, value)).collect() }
}

pub(super) fn draft() -> Vec<Event> {
    and(created(), MANAGER, submit(&[(VOLUME, "25,000"), (FTE, "10"), (SALARY, "50000")]))
}

pub(super) fn order(run: i64) -> AnalysisOrder {
    AnalysisOrder {
        assessment: id(7),
        run: id(run),
        force: false,
        pins: Pins { prompt_versions: BTreeMap::from([("summary".to_owned(), 2)]), benchmark_set_version: 3 },
        benchmarks: BTreeMap::new(),
        require_comment_resolution: false,
    }
}

pub(super) fn run(number: i64) -> Command {
    Command::RunAnalysis(Box::new(order(number)))
}

pub(super) fn force(number: i64) -> Command {
    Command::RunAnalysis(Box::new(AnalysisOrder { force: true, ..order(number) }))
}

pub(super) fn running() -> Vec<Event> {
    and(draft(), MANAGER, run(1))
}

pub(super) fn input(title: &str) -> OpportunityInput {
    OpportunityInput {
        vertical_id: id(P2P),
        title: text(title),
        description: None,
        lever: Lever::Rpa,
        addressable_effort_percent: Decimal::from(40),
        automation_percent: Decimal::from(50),
        realization_percent: Decimal::from(80),
        error_reduction_percent: Decimal::ZERO,
        other_annual_benefit: Decimal::ZERO,
        estimated_investment: Decimal::from(1000),
        annual_run_cost: Decimal::ZERO,
        complexity: Complexity::Low,
        start_year: None,
    }
}

pub(super) fn found(number: i64, title: &str) -> Opportunity {
    Opportunity::new(id(number), id(7), Source::Template, input(title))
}

pub(super) fn report(run: i64, version: u32, opportunities: Vec<Opportunity>) -> Report {
    let zero = Decimal::ZERO;
    Report {
        id: id(run),
        assessment_id: id(7),
        run_id: id(run),
        version,
        status: ReportStatus::Generated,
        generated_at: now(),
        narrative_source: NarrativeSource::Template,
        prompt_versions: BTreeMap::new(),
        currency: Code::new("USD").unwrap(),
        benchmark_set_version: 3,
        summary_metrics: SummaryMetrics {
            basis: Basis::Estimate,
            current_fte: Decimal::from(10),
            fte_savings: zero,
            baseline_cost: Decimal::from(500_000),
            annual_savings: Decimal::from(160_000),
            annual_run_cost: zero,
            net_annual_savings: zero,
            savings_percent: None,
            investment: zero,
            payback_months: None,
            payback_months_ramped: None,
            npv: zero,
            roi_percent: None,
            first_year_roi_percent: None,
            programme_npv: zero,
            maturity_level: None,
            roadmap: vec![],
            reasons: BTreeMap::new(),
        },
        verticals: vec![],
        benchmarks: vec![],
        opportunities,
        roadmap: vec![],
        sections: vec![],
        parameters: Parameters::default(),
        warnings: vec![],
    }
}

pub(super) fn complete(run: i64, version: u32, opportunities: Vec<Opportunity>) -> Command {
    Command::CompleteAnalysis { report: Box::new(report(run, version, opportunities)) }
}

pub(super) fn completed() -> Vec<Event> {
    and_system(running(), complete(1, 1, vec![found(BOTS, "Bots"), found(CHECKS, "Checks")]))
}

pub(super) fn note(number: i64, about: Option<i64>) -> NewComment {
    NewComment { id: id(number), question: about.map(id), text: text("Please look again") }
}

pub(super) fn reject(comments: Vec<NewComment>) -> Command {
    Command::Reject { comments }
}

pub(super) fn rework() -> Vec<Event> {
    and(completed(), REVIEWER, reject(vec![note(1, Some(VOLUME))]))
}

pub(super) fn approve() -> Command {
    Command::Approve { comment: None, allow_admin_self_approval: false }
}

pub(super) fn approve_with_comment() -> Command {
    Command::Approve { comment: Some(text("on behalf of the reviewer")), allow_admin_self_approval: false }
}

pub(super) fn reviewed() -> Vec<Event> {
    and(completed(), REVIEWER, approve())
}

pub(super) fn locked() -> Vec<Event> {
    and(reviewed(), CLIENT, approve())
}

pub(super) fn at(status: Status) -> Vec<Event> {
    match status {
        Status::Draft => draft(),
        Status::Running => running(),
        Status::Completed => completed(),
        Status::Rework => rework(),
        Status::Locked => locked(),
    }
}

pub(super) fn claim(costing: i64, opportunities: &[i64]) -> Command {
    Command::ClaimOpportunities {
        costing: id(costing),
        opportunities: opportunities.iter().map(|number| id(*number)).collect(),
        supersedes: None,
    }
}

pub(super) fn cascade(name: &str) -> CascadeId {
    CascadeId(text(name))
}

pub(super) fn delete() -> Command {
    Command::Delete { cascade: cascade("a"), has_active_project: false, force: false }
}

pub(super) fn invalid_code(result: Result<Vec<Event>, Refused>) -> (&'static str, String) {
    match result {
        Err(Refused::Invalid { code, field, .. }) => (code, field.into_owned()),
        other => panic!("expected an invalid member, got {other:?}"),
    }
}
