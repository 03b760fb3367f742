use super::*;

#[test]
fn the_worked_costing_comes_to_the_last_digit_with_its_return() {
    let known = folded(&worked());
    let Amounts { totals, roi_summary } = &known.amounts;
    let amounts: Vec<String> = known.lines.iter().map(|line| line.amounts.amount.to_string()).collect();
    assert_eq!(amounts, ["81000.00", "24375.00", "15840.00"]); // C1, C2, C3
    for (figure, expected) in [
        (totals.build_cost, "121215.00"),              // C4
        (totals.pmo_cost, "14545.80"),                 // C5
        (totals.support_cost, "21818.70"),             // C6
        (totals.total_cost, "157579.50"),              // C7
        (totals.one_time_cost, "135760.80"),           // C8
        (totals.tco_3y, "201216.90"),                  // C8
        (totals.margin_amount, "25200.00"),            // C9
        (totals.margin_percent.unwrap(), "31.11"),     // C9
        (roi_summary.annual_savings, "222856.96"),     // O3
        (roi_summary.net_annual_savings, "201038.26"), // F1
        (roi_summary.payback_months.unwrap(), "8.1"),  // F2
        (roi_summary.npv, "262892.98"),                // F5
        (roi_summary.roi_percent.unwrap(), "262.17"),  // F6
    ] {
        assert_eq!(figure.to_string(), expected);
    }
    assert_eq!(known.lines[0].rate.source, RateSource::StandardCard);
}

#[test]
fn the_view_has_the_names_of_the_contract() {
    let mut costing = SolutionCosting::default();
    worked().into_iter().for_each(|event| <SolutionCosting as Resource>::record(&mut costing, event));
    let view = serde_json::to_value(SolutionCosting::view(&costing, &stamp()).unwrap()).unwrap();
    for name in [
        "id",
        "name",
        "assessment_id",
        "assessment_opportunities",
        "rate_card",
        "rate_card_version",
        "currency",
        "status",
        "number_of_bots",
        "number_of_processes",
        "fte_days",
        "duration_months",
        "build_cost",
        "pmo_percentage",
        "pmo_cost",
        "support_percentage",
        "support_cost",
        "total_cost",
        "internal_cost",
        "margin_amount",
        "margin_percent",
        "cost_breakdown",
        "roi_summary",
        "line_items",
        "created_by",
        "submitted_by",
        "approved_by",
        "approved_at",
        "rejection_reason",
        "version",
        "is_deleted",
    ] {
        assert!(view.get(name).is_some(), "{name}");
    }
    assert_eq!(view["total_cost"], "157579.50");
    assert_eq!(view["line_items"][0]["headcount"], "1.5");
    assert_eq!(view["line_items"][1]["kind"], "COMPONENT");
    assert_eq!(client_view(&costing, &stamp()), None);
    <SolutionCosting as Resource>::record(&mut costing, CostingEvent::TotalsDisclosed);
    assert_eq!(client_view(&costing, &stamp()).unwrap().total_cost, d("157579.50"));
}

#[test]
fn every_event_comes_back_from_its_json() {
    for event in worked() {
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<CostingEvent>(&json).unwrap(), event, "{json}");
    }
}

#[test]
fn a_line_is_guarded() {
    for (work, field) in [
        (role_work("0", "6"), "headcount"),
        (role_work("999.01", "6"), "headcount"),
        (role_work("-1", "6"), "headcount"),
        (role_work("1", "0"), "duration_months"),
        (role_work("1", "60.01"), "duration_months"),
        (component_work(1, "1", "0", Complexity::Low), "quantity"),
        (component_work(1, "79228162514264337593543950335", "2", Complexity::Low), "amount"),
    ] {
        given(draft())
            .when(owner(add(2, input(work, None))))
            .then_expect_error(CostingRefusal::ValueOutOfRange { field: field.into() });
    }
    for (headcount, months) in [("999", "60"), ("0.01", "0.5")] {
        result(&draft(), owner(add(2, input(role_work(headcount, months), None)))).unwrap();
    }
    let times = |factor| input(role_work("1", "1"), Some(d(factor)));
    given(draft())
        .when(owner(add(2, times("0"))))
        .then_expect_error(CostingRefusal::ValueOutOfRange { field: "multiplier".into() });
    let foreign = LineInput { opportunity_id: Some(id(99)), ..times("1") };
    given(draft()).when(owner(add(2, foreign))).then_expect_error(CostingRefusal::ForeignOpportunity);
    given(draft()).when(owner(add_role(1))).then_expect_error(CostingRefusal::LineItemExists);
    let mut retired = input(role_work("1", "1"), None);
    if let Work::Role { role, .. } = &mut retired.work {
        role.is_active = false;
    }
    given(draft()).when(owner(add(2, retired))).then_expect_error(CostingRefusal::InactiveReference("role"));
}

#[test]
fn lines_are_updated_and_removed_and_the_amounts_follow() {
    let update = |changes| CostingCommand::UpdateLineItem { id: id(1), changes: Box::new(changes), cards: vec![] };
    let three = LineChanges { headcount: Some(d("3")), ..LineChanges::default() };
    let events = [draft(), result(&draft(), owner(update(three.clone()))).unwrap()].concat();
    assert_eq!(folded(&events).amounts.totals.build_cost, d("162000"));
    assert_eq!(result(&events, owner(update(three))).unwrap(), vec![]);
    let foreign = LineChanges { quantity: Some(d("3")), ..LineChanges::default() };
    given(draft()).when(owner(update(foreign))).then_expect_error(CostingRefusal::NotOfThisKind("quantity"));
    let gone = [draft(), result(&draft(), owner(CostingCommand::RemoveLineItem { id: id(1) })).unwrap()].concat();
    assert_eq!(folded(&gone).amounts.totals.total_cost, Decimal::ZERO);
    given(gone.clone())
        .when(owner(CostingCommand::RemoveLineItem { id: id(1) }))
        .then_expect_error(CostingRefusal::NoSuchLineItem);
    given(gone).when(owner(CostingCommand::Submit)).then_expect_error(CostingRefusal::NoLineItems);
}

#[test]
fn parameters_override_the_solution_card_and_fall_back_to_it() {
    let set = |changes| owner(CostingCommand::SetParameters(Box::new(changes)));
    let ten = ParameterChanges { pmo_percentage: Change::Set(d("10")), ..ParameterChanges::default() };
    let events = [worked(), result(&worked(), set(ten)).unwrap()].concat();
    assert_eq!(folded(&events).amounts.totals.pmo_cost, d("12121.50"));
    let cleared = ParameterChanges { pmo_percentage: Change::Clear, ..ParameterChanges::default() };
    let events = [events.clone(), result(&events, set(cleared)).unwrap()].concat();
    assert_eq!(folded(&events).amounts.totals.pmo_cost, d("14545.80"));
    for percent in ["-0.01", "100.01"] {
        let bad = ParameterChanges { support_percentage: Change::Set(d(percent)), ..ParameterChanges::default() };
        given(worked())
            .when(set(bad))
            .then_expect_error(CostingRefusal::ValueOutOfRange { field: "support_percentage".into() });
    }
    let mut dear = solution_card();
    dear.complexity_multipliers.insert(Complexity::Medium, d("2"));
    let other = ParameterChanges { solution_rate_card: Change::Set(dear), ..ParameterChanges::default() };
    let events = [worked(), result(&worked(), set(other)).unwrap()].concat();
    assert_eq!(folded(&events).lines[1].amounts.amount, d("39000"));
    assert_eq!(folded(&events).lines[0], folded(&worked()).lines[0]);
    assert_eq!(result(&worked(), set(ParameterChanges::default())).unwrap(), vec![]);
}

#[test]
fn an_outdated_draft_can_be_repriced_and_keeps_its_rates_until_then() {
    let outdate = |version| by_system(CostingCommand::OutdateRateCard { version });
    assert_eq!(result(&draft(), outdate(2)).unwrap(), vec![]);
    let events = [draft(), result(&draft(), outdate(3)).unwrap()].concat();
    assert!(folded(&events).rate_card_outdated);
    assert_eq!(folded(&events).amounts, folded(&draft()).amounts);
    let mut newer = card();
    newer.version = 3;
    newer.roles[0].day_rate = d("500");
    let repricing = Repricing {
        rate_card: newer,
        solution_rate_card: Some(solution_card()),
        cards: vec![],
        roles: vec![],
        components: vec![],
        opportunities: vec![CostedOpportunity { id: id(1), gross_savings: d("1000.00") }],
        parameters: Parameters::default(),
    };
    let reprice = owner(CostingCommand::Reprice(Box::new(repricing)));
    let events = [events.clone(), result(&events, reprice).unwrap()].concat();
    let known = folded(&events);
    assert!(!known.rate_card_outdated);
    assert_eq!((known.with.rate_card.version, known.amounts.totals.build_cost), (3, d("90000")));
    assert_eq!(known.amounts.roi_summary.annual_savings, d("77116"));
    let submitted = at(CostingStatus::Submitted);
    assert_eq!(result(&submitted, outdate(3)).unwrap(), vec![]);
}

fn any_decimal() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        (any::<i64>(), 0..10u32).prop_map(|(number, scale)| Decimal::new(number, scale)),
        (1..100_000_i64, 0..4u32).prop_map(|(number, scale)| Decimal::new(number, scale)),
        Just(Decimal::MAX),
        Just(Decimal::MIN),
        Just(Decimal::ZERO),
    ]
}

proptest! {
    #[test]
    fn whatever_is_typed_in_is_priced_or_refused(
        heads in any_decimal(), months in any_decimal(), quantity in any_decimal(), rate in any_decimal(),
        times in any_decimal(), percent in any_decimal(), years in any_decimal(), gross in any_decimal(),
    ) {
        let mut creation = new();
        creation.opportunities[0].found.as_mut().unwrap().gross_savings = gross;
        creation.rate_card.roles[0].cost_day_rate = Some(rate);
        let set = ParameterChanges {
            pmo_percentage: Change::Set(percent), support_years_in_price: Change::Set(years), ..ParameterChanges::default()
        };
        let mut events = Vec::new();
        for command in [
            CostingCommand::Create(Box::new(creation)),
            add(1, input(role_work(&heads.to_string(), &months.to_string()), Some(times))),
            add(2, input(component_work(1, &rate.to_string(), &quantity.to_string(), Complexity::High), None)),
            CostingCommand::SetParameters(Box::new(set)),
        ] {
            if let Ok(more) = result(&events, owner(command)) {
                events.extend(more);
            }
        }
        if !events.is_empty() {
            let known = folded(&events);
            let sum: Decimal = known.lines.iter().map(|line| line.amounts.amount).sum();
            prop_assert_eq!(sum, known.amounts.totals.build_cost);
        }
    }
}
