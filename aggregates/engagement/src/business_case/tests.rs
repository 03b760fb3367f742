use kernel::{Code, Text, testing::id};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

fn dec(text: &str) -> Decimal {
    text.replace(',', "").parse().unwrap()
}

fn shown(value: Option<Decimal>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| value.to_string())
}

fn p2p() -> BaselineInputs {
    BaselineInputs {
        annual_volume: dec("25,000"),
        fte: dec("8"),
        avg_salary: dec("52,000"),
        benefit_pct: dec("22"),
        overhead_pct: dec("15"),
        non_labour_cost: dec("60,000"),
        error_rate_pct: dec("4"),
        cost_per_error: dec("18.50"),
        ..BaselineInputs::default()
    }
}

fn facts() -> VerticalFacts {
    VerticalFacts {
        vertical_id: id(2),
        vertical_code: Code::new("P2P").unwrap(),
        inputs: p2p(),
        target_transactions_per_fte: None,
        gap_score: GAP_SCORE_WITHOUT_BENCHMARK,
    }
}

fn input(title: &str, shares: [&str; 4], other: &str) -> OpportunityInput {
    let [addressable, automation, realization, errors] = shares;
    OpportunityInput {
        vertical_id: id(2),
        title: Text::new(title).unwrap(),
        description: None,
        lever: Lever::Rpa,
        addressable_effort_percent: dec(addressable),
        automation_percent: dec(automation),
        realization_percent: dec(realization),
        error_reduction_percent: dec(errors),
        other_annual_benefit: dec(other),
        estimated_investment: Decimal::ZERO,
        annual_run_cost: Decimal::ZERO,
        complexity: Complexity::Low,
        start_year: None,
    }
}

fn opportunity(number: i64, input: OpportunityInput) -> Opportunity {
    Opportunity::new(id(number), id(1), Source::Template, input)
}

/// A and B of spec 23.
fn capture_and_helpdesk() -> Vec<Opportunity> {
    let mut capture = input("Invoice capture", ["40", "70", "85", "60"], "0");
    (capture.estimated_investment, capture.annual_run_cost) = (dec("91,000.00"), dec("14,625.00"));
    capture.start_year = Some(1);
    let mut helpdesk = input("Helpdesk", ["25", "50", "90", "0"], "12,000");
    (helpdesk.estimated_investment, helpdesk.annual_run_cost) = (dec("44,760.80"), dec("7,193.70"));
    helpdesk.start_year = Some(2);
    vec![opportunity(1, capture), opportunity(2, helpdesk)]
}

fn evaluated(opportunities: Vec<Opportunity>) -> Evaluation {
    evaluate(&[facts()], opportunities, &Parameters::default()).unwrap()
}

#[test]
fn b_the_baseline_is_what_the_worked_values_say() {
    let costs = p2p().costs(dec("1760")).unwrap();
    let baseline = Baseline::new(id(2), Code::new("P2P").unwrap(), p2p(), &costs);
    assert_eq!(baseline.loaded_cost_per_fte.to_string(), "71240.00", "B1");
    assert_eq!(baseline.labour_cost.to_string(), "569920.00", "B2");
    assert_eq!(baseline.total_processing_cost.to_string(), "629920.00", "B3");
    assert_eq!(shown(baseline.cost_per_transaction), "25.1968", "B4");
    assert_eq!(shown(baseline.transactions_per_fte), "3125.00", "B5");
    assert_eq!(shown(baseline.minutes_per_transaction), "33.79", "B6");
    assert_eq!(costs.minutes_per_transaction, Some(dec("33.792")), "B6 unrounded");
}

#[test]
fn without_volume_or_people_the_ratios_are_null() {
    let costs = BaselineInputs { annual_volume: Decimal::ZERO, ..p2p() }.costs(dec("1760")).unwrap();
    assert_eq!((costs.cost_per_transaction, costs.minutes_per_transaction), (None, None));
    assert_eq!(BaselineInputs { fte: Decimal::ZERO, ..p2p() }.costs(dec("1760")).unwrap().transactions_per_fte, None);
}

#[test]
fn a_missing_optional_input_is_zero_and_a_missing_required_one_is_named() {
    let code = Code::new("P2P").unwrap();
    let answer = |asked: &str| match asked {
        "P2P_ANNUAL_VOLUME" => Some(dec("25000")),
        "P2P_FTE" => Some(dec("8")),
        "P2P_AVG_SALARY" => Some(dec("52000")),
        _ => None,
    };
    let inputs = BaselineInputs::read(&code, answer).unwrap();
    assert_eq!((inputs.fte, inputs.benefit_pct), (dec("8"), Decimal::ZERO));
    let missing = BaselineInputs::read(&code, |asked| answer(asked).filter(|_| asked != "P2P_FTE")).unwrap_err();
    assert_eq!(missing.codes, ["P2P_FTE"]);
}

#[test]
fn o_the_opportunities_are_worth_what_the_worked_values_say() {
    let result = evaluated(capture_and_helpdesk());
    let row = |one: &Opportunity| {
        [one.fte_savings, one.labour_savings, one.error_savings, one.gross_savings].map(|value| value.to_string())
    };
    assert_eq!(row(&result.opportunities[0]), ["1.9040", "135640.96", "11100.00", "146740.96"], "O1");
    assert_eq!(row(&result.opportunities[1]), ["0.9000", "64116.00", "0.00", "76116.00"], "O2");
    assert_eq!(result.fte_savings.to_string(), "2.8040", "O3");
    assert_eq!(result.financials.annual_savings.to_string(), "222856.96", "O3");
    assert_eq!(shown(result.savings_percent), "35.38", "O3");
    assert_eq!(result.opportunities[0].net_savings.to_string(), "132115.96");
}

#[test]
fn f_the_financials_are_what_the_worked_values_say() {
    let of = |parameters: &Parameters| {
        Financials::of(Basis::Costed, dec("135,760.80"), dec("222,856.96"), dec("21,818.70"), parameters).unwrap()
    };
    let ramped = of(&Parameters::default());
    assert_eq!(ramped.net_annual_savings.to_string(), "201038.26", "F1");
    assert_eq!(shown(ramped.payback_months), "8.1", "F2");
    assert_eq!(shown(ramped.payback_months_ramped), "14.8", "F3");
    let flows: Vec<String> = ramped.cash_flows.iter().map(ToString::to_string).collect();
    assert_eq!(flows, ["89609.78", "201038.26", "201038.26"], "F4");
    let flat = of(&Parameters { ramp_percent: vec![dec("100")], ..Parameters::default() });
    assert_eq!([ramped.npv.to_string(), flat.npv.to_string()], ["262892.98", "364191.60"], "F5");
    assert_eq!([shown(ramped.roi_percent), shown(flat.roi_percent)], ["262.17", "344.25"], "F6");
    assert_eq!(shown(ramped.first_year_roi_percent), "48.08", "F7");
    assert!(ramped.reasons.is_empty());
}

#[test]
fn what_cannot_be_computed_is_null_and_says_why() {
    let of = |investment: &str, gross: &str, run: &str| {
        Financials::of(Basis::Estimate, dec(investment), dec(gross), dec(run), &Parameters::default()).unwrap()
    };
    let free = of("0", "1200", "0");
    assert_eq!((shown(free.payback_months), shown(free.payback_months_ramped)), ("0.0".into(), "0.0".into()));
    assert_eq!(free.roi_percent, None);
    assert_eq!(free.reasons["roi_percent"], NoFigure::NoInvestment);
    let loss = of("1000", "100", "100");
    assert_eq!((loss.payback_months, loss.payback_months_ramped), (None, None));
    assert_eq!(loss.reasons["payback_months"], NoFigure::NoPositiveSavings);
    let slow = of("10000", "100", "0");
    assert_eq!(shown(slow.payback_months), "1200.0");
    assert_eq!(slow.payback_months_ramped, None);
    assert_eq!(slow.reasons["payback_months_ramped"], NoFigure::NotWithinHorizon);
}

#[test]
fn r_the_roadmap_is_what_the_worked_values_say() {
    let result = evaluated(capture_and_helpdesk());
    let rows: Vec<_> = result
        .roadmap
        .iter()
        .map(|year| [year.investment, year.gross_savings, year.run_cost, year.net_savings].map(|v| v.to_string()))
        .collect();
    assert_eq!(rows[0], ["91000.00", "73370.48", "7312.50", "-24942.02"]);
    assert_eq!(rows[1], ["44760.80", "184798.96", "18221.85", "121816.31"]);
    assert_eq!(rows[2], ["0.00", "222856.96", "21818.70", "201038.26"]);
    assert_eq!(result.programme_npv.to_string(), "217071.13", "R1");
    assert_eq!(result.roadmap[0].opportunity_ids, [id(1)]);
    assert_eq!(result.roadmap[1].label, "Scale");
}

#[test]
fn the_priority_score_decides_the_start_year_unless_one_is_given() {
    let best = input("Best", ["40", "50", "100", "0"], "0");
    let middle = OpportunityInput { complexity: Complexity::Medium, ..input("Middle", ["20", "50", "100", "0"], "0") };
    let last = OpportunityInput { complexity: Complexity::High, ..input("Last", ["10", "50", "100", "0"], "0") };
    let moved = OpportunityInput { title: Text::new("Moved").unwrap(), start_year: Some(1), ..last.clone() };
    let all = [best, middle, last, moved].into_iter().zip(1..).map(|(input, n)| opportunity(n, input)).collect();
    let result = evaluated(all);
    let scores: Vec<_> =
        result.opportunities.iter().map(|one| (one.priority_score.to_string(), one.start_year)).collect();
    // 50% of 100, 50, 25, 25 + 30% of 100, 60, 30, 30 + 20% of 50.
    let expected = [("90.00", 1), ("53.00", 2), ("31.50", 3), ("31.50", 1)].map(|(score, year)| (score.into(), year));
    assert_eq!(scores, expected);
}

#[test]
fn shares_of_one_vertical_must_not_add_up_to_more_than_a_hundred() {
    let double = vec![
        opportunity(1, input("A", ["60", "10", "10", "50"], "0")),
        opportunity(2, input("B", ["40.01", "10", "10", "50"], "0")),
    ];
    let refused = evaluate(&[facts()], double.clone(), &Parameters::default()).unwrap_err();
    let field = "addressable_effort_percent";
    assert_eq!(refused, CaseError::CountedTwice { vertical_id: id(2), field, sum: dec("100.01") });
    let stale = double.into_iter().map(|one| match one.id {
        first if first == id(1) => Opportunity { status: OpportunityStatus::Stale, ..one },
        _ => one,
    });
    assert!(evaluate(&[facts()], stale.collect(), &Parameters::default()).is_ok(), "a stale one counts nowhere");
    let errors = vec![
        opportunity(1, input("A", ["10", "10", "10", "60"], "0")),
        opportunity(2, input("B", ["10", "10", "10", "60"], "0")),
    ];
    let refused = evaluate(&[facts()], errors, &Parameters::default()).unwrap_err();
    let field = "error_reduction_percent";
    assert_eq!(refused, CaseError::CountedTwice { vertical_id: id(2), field, sum: dec("120") });
}

#[test]
fn savings_above_the_cap_are_scaled_alike() {
    let parameters = Parameters { savings_cap_percent: dec("25"), ..Parameters::default() };
    let all = vec![
        opportunity(1, input("A", ["40", "100", "100", "0"], "0")),
        opportunity(2, input("B", ["60", "100", "100", "0"], "0")),
    ];
    let result = evaluate(&[facts()], all, &parameters).unwrap();
    assert_eq!(result.savings[0].scaling_factor, Some(dec("0.25")));
    assert_eq!(result.opportunities[0].fte_savings.to_string(), "0.8000");
    assert_eq!(result.opportunities[1].fte_savings.to_string(), "1.2000");
    assert_eq!(result.opportunities[1].labour_savings.to_string(), "85488.00");
}

#[test]
fn savings_beyond_the_benchmark_are_noticed() {
    let gap = |target: &str| {
        let facts = VerticalFacts { target_transactions_per_fte: Some(dec(target)), ..facts() };
        let result = evaluate(&[facts], capture_and_helpdesk(), &Parameters::default()).unwrap();
        (shown(result.savings[0].fte_gap), result.savings[0].exceeds_benchmark)
    };
    assert_eq!(gap("6000"), ("3.8333".into(), false));
    assert_eq!(gap("4000"), ("1.7500".into(), true));
}

#[test]
fn an_input_outside_its_bounds_and_an_opportunity_of_another_vertical_are_refused() {
    let bad = opportunity(1, input("A", ["140", "10", "10", "0"], "0"));
    let refused = evaluate(&[facts()], vec![bad], &Parameters::default()).unwrap_err();
    assert_eq!(refused.to_string(), "opportunity 1: addressable_effort_percent must be 0 to 100");
    let strange = OpportunityInput { vertical_id: id(9), ..input("A", ["10", "10", "10", "0"], "0") };
    let refused = evaluate(&[facts()], vec![opportunity(1, strange)], &Parameters::default()).unwrap_err();
    assert_eq!(refused, CaseError::UnknownVertical { id: id(1), vertical_id: id(9) });
    let years = Parameters { horizon_years: 0, ..Parameters::default() };
    let field = "horizon_years";
    let refused = evaluate(&[facts()], vec![], &years).unwrap_err();
    assert_eq!(refused, CaseError::Parameter(BadParameter { field, message: "must be 1 to 10" }));
}

#[test]
fn a_figure_too_large_is_refused_by_name() {
    let facts = VerticalFacts { inputs: BaselineInputs { avg_salary: Decimal::MAX, ..p2p() }, ..facts() };
    let refused = evaluate(&[facts], vec![], &Parameters::default()).unwrap_err();
    assert_eq!(refused, CaseError::OutOfRange(OutOfRange("loaded_cost_per_fte")));
}

#[test]
fn an_absent_parameter_has_its_default_and_an_unknown_one_is_refused() {
    let some: Parameters = serde_json::from_str(r#"{"savings_cap_percent": "40"}"#).unwrap();
    assert_eq!(some, Parameters { savings_cap_percent: dec("40"), ..Parameters::default() });
    assert!(serde_json::from_str::<Parameters>(r#"{"savings_cap": "40"}"#).is_err());
}

fn share() -> impl Strategy<Value = Decimal> {
    (0u32..=3333).prop_map(|n| Decimal::new(n.into(), 2))
}

fn any_decimal() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        Just(Decimal::MAX),
        Just(Decimal::MIN),
        Just(Decimal::ZERO),
        Just(Decimal::new(1, 28)),
        (any::<i64>(), 0u32..=18).prop_map(|(number, scale)| Decimal::new(number, scale)),
    ]
}

proptest! {
    #[test]
    fn sums_are_those_of_the_rounded_lines_and_scaling_never_exceeds_the_cap(
        shares in proptest::collection::vec((share(), share(), share(), share()), 1..=3),
        fte in 1u32..=1_000_000,
        cap in 0u32..=10_000,
    ) {
        let inputs = BaselineInputs { fte: Decimal::new(fte.into(), 3), ..p2p() };
        let parameters = Parameters { savings_cap_percent: Decimal::new(cap.into(), 2), ..Parameters::default() };
        let opportunities: Vec<_> = shares.iter().zip(1..).map(|((a, b, c, d), number)| {
            let hundred = Decimal::ONE_HUNDRED;
            opportunity(number, OpportunityInput {
                addressable_effort_percent: *a,
                automation_percent: hundred - *b,
                realization_percent: hundred - *c,
                error_reduction_percent: *d,
                ..input("Any", ["0"; 4], "0.004")
            })
        }).collect();
        let limit = inputs.fte * parameters.savings_cap_percent / Decimal::ONE_HUNDRED;
        let result = evaluate(&[VerticalFacts { inputs, ..facts() }], opportunities, &parameters).unwrap();
        let gross: Decimal = result.opportunities.iter().map(|one| one.gross_savings).sum();
        let fte: Decimal = result.opportunities.iter().map(|one| one.fte_savings).sum();
        prop_assert_eq!(gross, result.financials.annual_savings);
        prop_assert_eq!(fte, result.fte_savings);
        if result.savings[0].scaling_factor.is_some() {
            prop_assert!(fte <= limit, "{} exceeds {}", fte, limit);
        }
        for one in &result.opportunities {
            prop_assert_eq!(one.labour_savings + one.error_savings, one.gross_savings);
        }
    }

    #[test]
    fn no_input_however_extreme_makes_it_panic(values in proptest::collection::vec(any_decimal(), 14)) {
        let inputs = BaselineInputs {
            annual_volume: values[0], fte: values[1], avg_salary: values[2], benefit_pct: values[3],
            overhead_pct: values[4], non_labour_cost: values[5], error_rate_pct: values[6],
            cost_per_error: values[7], touchless_pct: values[8], cycle_time_hours: values[9],
        };
        let extreme = OpportunityInput {
            other_annual_benefit: values[10].abs(), estimated_investment: values[11].abs(),
            annual_run_cost: values[12].abs(), ..input("Any", ["100"; 4], "0")
        };
        let facts = VerticalFacts { inputs, target_transactions_per_fte: Some(values[13]), ..facts() };
        let parameters = Parameters { savings_cap_percent: dec("50"), ..Parameters::default() };
        let _ = evaluate(&[facts], vec![opportunity(1, extreme)], &parameters);
        let _ = Financials::of(Basis::Estimate, values[11], values[10], values[12], &Parameters::default());
    }
}
