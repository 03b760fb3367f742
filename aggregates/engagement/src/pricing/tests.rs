use kernel::testing::id;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn role(day_rate: &str) -> RoleFacts {
    RoleFacts {
        role: RoleRef::Operations(id(2)),
        code: "O2C_TL".to_owned(),
        name: "Order to Cash Team Lead".to_owned(),
        is_active: true,
        day_rate_min: d("350.00"),
        day_rate_max: d("550.00"),
        day_rate_current: d(day_rate),
        number_of_days: Some(20),
    }
}

fn card(number: i64, assessment: Option<i64>, client: Option<i64>, day_rate: &str) -> CardFacts {
    CardFacts {
        id: id(number),
        version: 1,
        status: CardStatus::Active,
        currency: id(1),
        region: id(3),
        client: client.map(id),
        assessment: assessment.map(id),
        effective_from: None,
        effective_to: None,
        roles: vec![CardRole {
            role: RoleRef::Operations(id(2)),
            day_rate: d(day_rate),
            number_of_days: None,
            base_salary: None,
            benefit_percentage: None,
            overhead_percentage: None,
            cost_day_rate: Some(d("310")),
            is_override: false,
            reason: None,
        }],
    }
}

fn component(number: i64, rate: &str) -> ComponentFacts {
    ComponentFacts {
        id: id(number),
        code: format!("C{number}"),
        name: format!("Component {number}"),
        unit: "bot".to_owned(),
        default_rate: d(rate),
        default_effort_days: None,
        is_active: true,
    }
}

fn role_line(number: i64, headcount: &str, months: &str, rate: Rate) -> Result<Line, OutOfRange> {
    let work = Work::Role { role: role("450.00"), headcount: d(headcount), duration_months: d(months) };
    let input = LineInput { category: Category::Build, opportunity_id: None, location: None, multiplier: None, work };
    Line::price(id(number), input, rate, None)
}

fn component_line(number: i64, rate: &str, quantity: &str, complexity: Complexity, times: &str) -> Line {
    let component = component(number, rate);
    let resolved = resolve_component(&component, None);
    let work = Work::Component { component, quantity: d(quantity), complexity: Some(complexity) };
    let multiplier = Some(d(times));
    let input = LineInput { category: Category::Licence, opportunity_id: None, location: None, multiplier, work };
    Line::price(id(number), input, resolved, None).unwrap()
}

fn seed_rate() -> Rate {
    resolve_role(&role("450.00"), &card(5, None, None, "450.00"), &[], (id(7), id(12), id(3)))
}

fn worked_lines() -> Vec<Line> {
    vec![
        role_line(1, "1.5", "6", seed_rate()).unwrap(),
        component_line(2, "6500.00", "3", Complexity::Medium, "1.00"),
        component_line(3, "4800.00", "2", Complexity::High, "1.10"),
    ]
}

fn terms() -> Terms {
    Terms { pmo_percentage: d("12"), support_percentage: d("18"), support_years_in_price: Decimal::ONE }
}

fn opportunities() -> Vec<CostedOpportunity> {
    vec![
        CostedOpportunity { id: id(1), gross_savings: d("146740.96") },
        CostedOpportunity { id: id(2), gross_savings: d("76116.00") },
    ]
}

#[test]
fn the_worked_costing_comes_to_the_last_digit() {
    let lines = worked_lines();
    let amounts: Vec<String> = lines.iter().map(|line| line.amounts.amount.to_string()).collect();
    assert_eq!(amounts, ["81000.00", "24375.00", "15840.00"]); // C1, C2, C3
    assert_eq!(lines[0].amounts.effort_days.to_string(), "180.0000");
    let totals = roll_up(&lines, &terms(), &opportunities()).unwrap();
    let shown = [
        (totals.build_cost, "121215.00"),    // C4
        (totals.pmo_cost, "14545.80"),       // C5
        (totals.support_cost, "21818.70"),   // C6
        (totals.total_cost, "157579.50"),    // C7
        (totals.one_time_cost, "135760.80"), // C8
        (totals.tco_3y, "201216.90"),        // C8
        (totals.annual_run_cost, "21818.70"),
        (totals.internal_cost, "55800.00"),
        (totals.margin_amount, "25200.00"),                   // C9
        (totals.margin_percent.unwrap_or_default(), "31.11"), // C9
        (totals.fte_days, "180.0000"),
    ];
    for (figure, expected) in shown {
        assert_eq!(figure.to_string(), expected);
    }
    assert_eq!(totals.cost_breakdown.lines_without_cost_rate, [id(2), id(3)]);
}

#[test]
fn the_breakdown_is_by_category_component_role_and_opportunity() {
    let mut lines = worked_lines();
    lines[0].input.opportunity_id = Some(id(2));
    let breakdown = roll_up(&lines, &terms(), &opportunities()).unwrap().cost_breakdown;
    let categories: Vec<_> = breakdown.by_category.iter().map(|c| (c.category, c.amount.to_string())).collect();
    assert_eq!(categories, [(Category::Build, "81000.00".to_owned()), (Category::Licence, "40215.00".to_owned())]);
    assert_eq!(breakdown.by_component.len(), 2);
    assert_eq!(breakdown.by_role[0].effort_days, d("180"));
    let by_opportunity = &breakdown.by_opportunity;
    // 40,215.00 shared by 146,740.96 : 76,116.00.
    assert_eq!(by_opportunity[0].shared.to_string(), "26479.71");
    assert_eq!(by_opportunity[1].shared.to_string(), "13735.29");
    assert_eq!(by_opportunity[1].direct.to_string(), "81000.00");
    assert_eq!(by_opportunity[0].total_cost + by_opportunity[1].total_cost, d("157579.50"));
}

#[test]
fn a_rate_is_looked_for_in_the_own_card_then_assessment_client_and_standard_cards_then_the_role() {
    let empty = CardFacts { roles: vec![], ..card(5, None, None, "0") };
    let standard = card(6, None, None, "401");
    let client = card(7, None, Some(12), "402");
    let assessment = card(8, Some(7), Some(12), "403");
    let elsewhere = CardFacts { region: id(99), ..card(9, None, None, "404") };
    let foreign = card(10, None, Some(13), "405");
    let dollars = CardFacts { currency: id(2), ..card(11, Some(7), None, "406") };
    let at = (id(7), id(12), id(3));
    let find = |own: &CardFacts, others: &[CardFacts]| {
        let rate = resolve_role(&role("450"), own, others, at);
        (rate.source, rate.unit_rate.to_string())
    };
    let all = [elsewhere.clone(), foreign.clone(), dollars.clone(), standard.clone(), client.clone(), assessment];
    assert_eq!(find(&standard, &all), (RateSource::StandardCard, "401.00".to_owned()));
    assert_eq!(find(&empty, &all), (RateSource::AssessmentCard, "403.00".to_owned()));
    assert_eq!(find(&empty, &all[..5]), (RateSource::ClientCard, "402.00".to_owned()));
    assert_eq!(find(&empty, &all[..4]), (RateSource::StandardCard, "401.00".to_owned()));
    assert_eq!(find(&empty, &[elsewhere, foreign, dollars]), (RateSource::Role, "450.00".to_owned()));
}

#[test]
fn the_loaded_day_is_the_loaded_year_over_its_working_days() {
    let annual = loaded_annual(d("52000"), d("22"), d("15")).unwrap();
    assert_eq!(annual, d("71240"));
    assert_eq!(loaded_day(annual, 20).unwrap().unwrap().to_string(), "296.83");
    assert_eq!(loaded_day(annual, 0), Ok(None));
}

#[test]
fn an_unknown_location_multiplies_by_one_and_is_told() {
    let mut card = SolutionCardFacts {
        id: id(1),
        version: 1,
        status: CardStatus::Active,
        currency: id(1),
        base_rate_card: None,
        pmo_percentage: d("12"),
        support_percentage: d("18"),
        location_multipliers: [("india".to_owned(), d("0.6"))].into(),
        complexity_multipliers: default_complexity_multipliers(),
        items: vec![],
    };
    let priced = |place: &str, card: &SolutionCardFacts| {
        let mut input = role_line(1, "1", "1", seed_rate()).unwrap().input;
        input.location = Some(kernel::Text::new(place).unwrap());
        let line = Line::price(id(1), input, seed_rate(), Some(card)).unwrap();
        (line.amounts.amount.to_string(), line.amounts.location_is_known)
    };
    assert_eq!(priced(" India ", &card), ("5400.00".to_owned(), true));
    assert_eq!(priced("US-East", &card), ("9000.00".to_owned(), false));
    card.location_multipliers.clear();
    assert_eq!(priced("India", &card), ("9000.00".to_owned(), false));
}

#[test]
fn a_component_takes_rate_complexity_and_multiplier_from_the_solution_card() {
    let item = SolutionItem {
        component_id: id(1),
        unit: kernel::Text::new("bot").unwrap(),
        rate: d("100"),
        complexity: Complexity::High,
        multiplier: d("2"),
    };
    let card = SolutionCardFacts {
        id: id(1),
        version: 1,
        status: CardStatus::Active,
        currency: id(1),
        base_rate_card: None,
        pmo_percentage: d("0"),
        support_percentage: d("0"),
        location_multipliers: [].into(),
        complexity_multipliers: [(Complexity::High, d("3"))].into(),
        items: vec![item],
    };
    let rate = resolve_component(&component(1, "7"), Some(&card));
    assert_eq!(rate.source, RateSource::SolutionRateCard);
    let work = Work::Component { component: component(1, "7"), quantity: d("1"), complexity: None };
    let input = LineInput { category: Category::Build, opportunity_id: None, location: None, multiplier: None, work };
    let line = Line::price(id(1), input, rate, Some(&card)).unwrap();
    assert_eq!(line.amounts.amount.to_string(), "600.00");
}

#[test]
fn what_does_not_fit_is_named() {
    let rate = Rate { unit_rate: Decimal::MAX, ..seed_rate() };
    assert_eq!(role_line(1, "999", "60", rate).unwrap_err().field, "amount");
    assert!(loaded_annual(Decimal::MAX, d("22"), d("15")).is_err());
    assert!(prorata("weights", d("1.00"), &[Decimal::MAX, Decimal::MAX]).is_err());
}

#[test]
fn shares_never_fall_below_zero_and_are_equal_without_weights() {
    assert_eq!(prorata("x", d("0.01"), &[d("1"), d("1"), d("0")]).unwrap(), [d("0.01"), d("0"), d("0")]);
    assert_eq!(prorata("x", d("1.00"), &[d("0"), d("-3"), d("0")]).unwrap(), [d("0.33"), d("0.33"), d("0.34")]);
    assert_eq!(prorata("x", d("1.00"), &[]).unwrap(), []);
}

fn any_decimal() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        (any::<i64>(), 0..10u32).prop_map(|(number, scale)| Decimal::new(number, scale)),
        (any::<i128>(), 0..=28u32)
            .prop_map(|(number, scale)| Decimal::try_from_i128_with_scale(number >> 33, scale).unwrap_or_default()),
        Just(Decimal::MAX),
        Just(Decimal::MIN),
    ]
}

fn any_cents() -> impl Strategy<Value = Decimal> {
    (0..1_000_000_000_i64).prop_map(|cents| Decimal::new(cents, 2))
}

proptest! {
    #[test]
    fn shares_add_up_to_the_total(total in any_cents(), weights in prop::collection::vec(any_cents(), 1..12)) {
        let shares = prorata("x", total, &weights).unwrap();
        prop_assert_eq!(shares.iter().sum::<Decimal>(), total);
        prop_assert!(shares.iter().all(|share| *share >= Decimal::ZERO));
    }

    #[test]
    fn lines_and_opportunities_add_up_to_the_totals(
        sheet in prop::collection::vec((1..99_900_i64, 1..60_i64, any_cents(), 0..4_i64), 0..8),
        savings in prop::collection::vec(any_cents(), 1..4),
        pmo in 0..=10_000_i64,
        support in 0..=10_000_i64,
    ) {
        let lines: Vec<Line> = sheet.iter().zip(1..).filter_map(|((heads, months, rate, of), number)| {
            let rate = Rate { unit_rate: *rate, ..seed_rate() };
            let heads = Decimal::new(*heads, 2).to_string();
            let mut line = role_line(number, &heads, &months.to_string(), rate).ok()?;
            line.input.opportunity_id = (*of > 0).then(|| id(*of));
            Some(line)
        }).collect();
        let opportunities: Vec<_> = savings.iter().zip(1..)
            .map(|(gross, number)| CostedOpportunity { id: id(number), gross_savings: *gross }).collect();
        let terms = Terms {
            pmo_percentage: Decimal::new(pmo, 2), support_percentage: Decimal::new(support, 2), support_years_in_price: Decimal::ONE,
        };
        let totals = roll_up(&lines, &terms, &opportunities).unwrap();
        prop_assert_eq!(lines.iter().map(|line| line.amounts.amount).sum::<Decimal>(), totals.build_cost);
        prop_assert_eq!(totals.build_cost + totals.pmo_cost + totals.support_cost, totals.total_cost);
        let rows = &totals.cost_breakdown.by_opportunity;
        prop_assert_eq!(rows.iter().map(|row| row.build_cost).sum::<Decimal>(), totals.build_cost);
        prop_assert_eq!(rows.iter().map(|row| row.one_time_cost).sum::<Decimal>(), totals.one_time_cost);
        prop_assert_eq!(rows.iter().map(|row| row.annual_run_cost).sum::<Decimal>(), totals.annual_run_cost);
        prop_assert_eq!(rows.iter().map(|row| row.total_cost).sum::<Decimal>(), totals.total_cost);
    }

    #[test]
    fn no_number_is_too_hostile(
        heads in any_decimal(), months in any_decimal(), rate in any_decimal(), cost in any_decimal(),
        gross in any_decimal(), percent in any_decimal(), years in any::<u32>(),
    ) {
        let rate = Rate { unit_rate: rate, cost_day_rate: Some(cost), number_of_days: Some(years), ..seed_rate() };
        let lines: Vec<Line> = role_line(1, &heads.to_string(), &months.to_string(), rate).into_iter().collect();
        let terms = Terms { pmo_percentage: percent, support_percentage: percent, support_years_in_price: gross };
        let opportunities =
            [CostedOpportunity { id: id(1), gross_savings: gross }, CostedOpportunity { id: id(2), gross_savings: gross }];
        if let Ok(totals) = roll_up(&lines, &terms, &opportunities) {
            prop_assert!(totals.total_cost.scale() == 2);
        }
        let _ = resolve_component(&ComponentFacts { default_rate: cost, ..component(1, "1") }, None);
        let _ = loaded_annual(heads, months, percent).and_then(|annual| loaded_day(annual, years));
    }
}
