use std::collections::BTreeSet;

use kernel::{
    Code, Text,
    formula::{Formula, Value},
    testing::{id, now},
};
use rust_decimal::Decimal;

use super::*;
use crate::{
    benchmark::{Benchmark, Benchmarks, Place},
    business_case::{Complexity, Lever, OpportunityStatus, OpportunityTemplate, Source},
    questionnaire::VerticalRef,
};

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn vertical() -> VerticalInputs<'static> {
    let answers = [
        ("p2p_annual_volume", "25000"),
        ("p2p_fte", "8"),
        ("p2p_avg_salary", "52000"),
        ("p2p_benefit_pct", "22"),
        ("p2p_overhead_pct", "15"),
        ("p2p_non_labour_cost", "60000"),
        ("p2p_error_rate_pct", "4"),
        ("p2p_cost_per_error", "18.50"),
    ];
    VerticalInputs {
        vertical: VerticalRef { id: id(2), code: Code::new("P2P").unwrap() },
        name: "Procure to Pay".to_owned(),
        questions: vec![],
        answers: answers.map(|(code, value)| (code.to_owned(), Value::Number(dec(value)))).into(),
    }
}

fn template(number: i64, title: &str, shares: [&str; 4], applies_when: Option<&str>) -> OpportunityTemplate {
    let [addressable, automation, realization, errors] = shares.map(dec);
    OpportunityTemplate {
        id: id(number),
        code: Code::new(&format!("T{number}")).unwrap(),
        version: 1,
        vertical: vertical().vertical,
        lever: Lever::Rpa,
        title: Text::new(title).unwrap(),
        description: None,
        addressable_effort_percent: addressable,
        automation_percent: automation,
        realization_percent: realization,
        error_reduction_percent: errors,
        other_annual_benefit: Decimal::ZERO,
        estimated_investment: dec("91000"),
        annual_run_cost: dec("14625"),
        complexity: Complexity::Low,
        start_year: None,
        applies_when: applies_when.map(|formula| Formula::parse(formula).unwrap()),
        is_active: true,
    }
}

fn row(number: i64, metric: &str, code: &str, quartiles: [&str; 3], direction: Direction) -> Benchmark {
    let [top_quartile, median, bottom_quartile] = quartiles.map(dec);
    Benchmark {
        id: id(number),
        metric: Text::new(metric).unwrap(),
        question_code: Some(Code::new(code).unwrap()),
        question_text: None,
        unit: None,
        direction,
        industry_id: None,
        vertical_id: id(2),
        region_id: Some(id(5)),
        top_quartile,
        median,
        bottom_quartile,
        std_dev: None,
        sample_size: None,
        source: None,
        year: 2025,
        set_version: 3,
        is_active: true,
    }
}

fn benchmarks() -> Benchmarks {
    let cost = ["8.00", "15.00", "26.00"];
    let productivity = ["9000", "6000", "3000"];
    Benchmarks {
        set_version: 3,
        rows: vec![
            row(1, "Cost per Invoice", "P2P_COST_PER_TRANSACTION", cost, Direction::LowerIsBetter),
            row(2, "Invoices per FTE", "P2P_TRANSACTIONS_PER_FTE", productivity, Direction::HigherIsBetter),
        ],
    }
}

fn built(templates: &[OpportunityTemplate], old: &[Opportunity], used: &[i64]) -> Result<Report, BuildError> {
    let new_ids: Vec<_> = (100..100 + i64::try_from(templates.len()).unwrap()).map(id).collect();
    build(&Inputs {
        id: id(1),
        assessment_id: id(1),
        run_id: id(1),
        version: 1,
        at: now(),
        currency: Code::new("USD").unwrap(),
        verticals: &[vertical()],
        benchmarks: &benchmarks(),
        place: Place { industry: None, region: Some(id(5)) },
        templates,
        opportunities: old,
        used: &used.iter().map(|number| id(*number)).collect::<BTreeSet<_>>(),
        new_ids: &new_ids,
        parameters: &Parameters::default(),
    })
}

fn capture() -> OpportunityTemplate {
    template(1, "Invoice <capture>", ["40", "70", "85", "60"], None)
}

#[test]
fn k6_k7_the_gaps_of_the_baseline_are_worth_what_the_worked_values_say() {
    let report = built(&[], &[], &[]).unwrap();
    let [cost, productivity] = report.benchmarks.as_slice() else { panic!("two metrics, not {:?}", report.benchmarks) };
    assert_eq!((cost.value, cost.percentile), (dec("25.1968"), Some(dec("26.83"))));
    assert_eq!(cost.value_of_gap_to_median, Some(dec("254920.00")));
    assert_eq!(cost.value_of_gap_to_top, Some(dec("429920.00")));
    assert_eq!(productivity.fte_gap_to_median, Some(dec("3.8333")));
    assert_eq!(productivity.fte_gap_to_top, Some(dec("5.2222")));
    assert_eq!(report.verticals[0].fte_gap, Some(dec("3.8333")));
    assert_eq!(report.summary_metrics.maturity_level, Some(2));
    assert_eq!((report.benchmark_set_version, report.parameters), (3, Parameters::default()));
}

#[test]
fn a_template_applies_when_its_formula_is_true() {
    let when = |formula| template(1, "Any", ["10", "10", "10", "0"], Some(formula));
    let count = |formula| built(&[when(formula)], &[], &[]).unwrap().opportunities.len();
    assert_eq!(count("{P2P_ERROR_RATE_PCT} > 3"), 1);
    assert_eq!(count("{P2P_ERROR_RATE_PCT} > 5"), 0);
    assert_eq!(count(r#"CLASS("P2P_COST_PER_TRANSACTION") = "BELOW_MEDIAN""#), 1);
    assert_eq!(count(r#"CLASS("P2P_COST_PER_TRANSACTION") = "TOP_QUARTILE""#), 0);
    assert_eq!(count("{UNKNOWN} > 3"), 0, "null is not true");
    let inactive = OpportunityTemplate { is_active: false, ..capture() };
    assert!(built(&[inactive], &[], &[]).unwrap().opportunities.is_empty());
}

#[test]
fn the_narrative_names_the_figures_and_escapes_the_titles() {
    let report = built(&[capture()], &[], &[]).unwrap();
    let keys: Vec<_> = report.sections.iter().map(|section| section.key.as_str()).collect();
    assert_eq!(keys, ["maturity_evaluation", "process_gap_audit", "executive_summary", "roadmap"]);
    let summary = &report.sections[2];
    assert!(summary.body_markdown.contains("Annual savings of 146740.96 USD"), "{}", summary.body_markdown);
    assert!(summary.body_markdown.contains("Invoice &lt;capture&gt;: 146740.96 USD"), "{}", summary.body_markdown);
    assert_eq!(summary.data["annual_savings"], "146740.96");
    assert!(report.sections.iter().all(|section| !section.body_markdown.contains("{{")));
    assert_eq!(report, built(&[capture()], &[], &[]).unwrap(), "the same inputs give the same report");
}

#[test]
fn what_is_filled_in_is_not_looked_at_again() {
    let values = [("a".to_owned(), "{{b}}".to_owned()), ("b".to_owned(), "never".to_owned())].into();
    assert_eq!(fill("{{a}} {{ a }} {{c}} {{", &values), "{{b}} {{b}} {{c}} {{");
}

#[test]
fn an_opportunity_keeps_its_id_and_what_was_done_by_hand() {
    let first = built(&[capture()], &[], &[]).unwrap().opportunities;
    assert_eq!((first[0].id, first[0].source), (id(100), Source::Template));
    let renamed = OpportunityTemplate { id: id(9), title: Text::new("INVOICE <CAPTURE>").unwrap(), ..capture() };
    let again = built(&[renamed], &first, &[]).unwrap().opportunities;
    assert_eq!((again.len(), again[0].id), (1, id(100)), "found by vertical, lever and title");

    let share = dec("20");
    let adjusted =
        vec![Opportunity { source: Source::Adjusted, addressable_effort_percent: share, ..first[0].clone() }];
    let again = built(&[capture()], &adjusted, &[]).unwrap().opportunities;
    assert_eq!((again[0].addressable_effort_percent, again[0].fte_savings), (share, dec("0.9520")));
    let removed = vec![Opportunity { status: OpportunityStatus::Removed, ..first[0].clone() }];
    let report = built(&[capture()], &removed, &[]).unwrap();
    assert_eq!(report.opportunities[0].status, OpportunityStatus::Removed);
    assert_eq!(report.summary_metrics.annual_savings, dec("0.00"));
}

#[test]
fn a_vanished_opportunity_is_stale_when_a_costing_uses_it_and_gone_otherwise() {
    let first = built(&[capture()], &[], &[]).unwrap().opportunities;
    let report = built(&[], &first, &[100]).unwrap();
    assert_eq!(report.opportunities[0].status, OpportunityStatus::Stale);
    assert_eq!(report.summary_metrics.annual_savings, dec("0.00"));
    assert!(built(&[], &first, &[]).unwrap().opportunities.is_empty());
    let back = built(&[capture()], &report.opportunities, &[100]).unwrap().opportunities;
    assert_eq!((back[0].id, back[0].status), (id(100), OpportunityStatus::Active));
    let manual = vec![Opportunity { source: Source::Manual, template_id: None, ..first[0].clone() }];
    assert_eq!(built(&[], &manual, &[]).unwrap().opportunities[0].status, OpportunityStatus::Active);
}

#[test]
fn savings_beyond_the_benchmark_are_a_warning() {
    let much = template(1, "Much", ["100", "100", "100", "0"], None);
    let report = built(&[much], &[], &[]).unwrap();
    assert_eq!(report.warnings[0].code, "SAVINGS_EXCEED_BENCHMARK");
}
