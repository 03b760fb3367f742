use kernel::testing::id;
use kernel::{Code, Text};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::business_case::TargetQuartile::{Median, Top};

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn benchmark(number: i64, quartiles: [&str; 3]) -> Benchmark {
    let [top, median, bottom] = quartiles.map(dec);
    Benchmark {
        id: id(number),
        metric: Text::new("Cycle Time Hours").unwrap(),
        question_code: Some(Code::new("P2P_CYCLE_TIME_HOURS").unwrap()),
        question_text: Some(Text::new("How long does an invoice take?").unwrap()),
        unit: Some(Text::new("hours").unwrap()),
        direction: if top < bottom { Direction::LowerIsBetter } else { Direction::HigherIsBetter },
        industry_id: None,
        vertical_id: id(2),
        region_id: None,
        top_quartile: top,
        median,
        bottom_quartile: bottom,
        std_dev: None,
        sample_size: None,
        source: None,
        year: 2025,
        set_version: 1,
        is_active: true,
    }
}

fn cycle_time() -> Benchmark {
    benchmark(1, ["4.5", "12.0", "24.0"])
}

type Standing = (Classification, String, u8, String, String, String);

fn standing(benchmark: &Benchmark, value: &str) -> Standing {
    let value = dec(value);
    let percentile = benchmark.percentile(value).unwrap();
    let (top, median) = (benchmark.gap(value, Top).unwrap(), benchmark.gap(value, Median).unwrap());
    (
        benchmark.classify(value),
        percentile.to_string(),
        maturity_level(percentile),
        top.gap.normalize().to_string(),
        top.gap_percent.map(|percent| percent.to_string()).unwrap_or_default(),
        median.gap.normalize().to_string(),
    )
}

#[test]
fn k1_to_k5_values_stand_where_the_worked_values_say() {
    use Classification::*;
    let cost = benchmark(2, ["8.00", "15.00", "26.00"]);
    let productivity = benchmark(3, ["9000", "6000", "3000"]);
    let cases = [
        ("K1", cycle_time(), "18.0", (BelowMedian, "37.50", 2, "13.5", "75.00", "6")),
        ("K2", cycle_time(), "12.0", (AboveMedian, "50.00", 3, "7.5", "62.50", "0")),
        ("K3", cycle_time(), "30", (BottomQuartile, "12.50", 1, "25.5", "85.00", "18")),
        ("K4", cost, "25.1968", (BelowMedian, "26.83", 2, "17.1968", "68.25", "10.1968")),
        ("K5", productivity, "3125", (BelowMedian, "26.04", 2, "5875", "188.00", "2875")),
    ];
    for (case, benchmark, value, (class, percentile, maturity, top, top_percent, median)) in cases {
        let expected: Standing = (class, percentile.into(), maturity, top.into(), top_percent.into(), median.into());
        assert_eq!(standing(&benchmark, value), expected, "{case}");
    }
}

#[test]
fn k8_a_value_on_a_border_is_of_the_better_class_but_the_bottom_holds_its_own() {
    assert_eq!(cycle_time().classify(dec("4.5")), Classification::TopQuartile);
    assert_eq!(cycle_time().classify(dec("24.0")), Classification::BottomQuartile);
    assert_eq!(cycle_time().percentile(dec("4.5")).unwrap(), dec("75.00"));
    assert_eq!(cycle_time().percentile(dec("24.0")).unwrap(), dec("25.00"));
}

#[test]
fn quartiles_keep_the_decimals_they_came_with() {
    let json = serde_json::to_value(cycle_time()).unwrap();
    assert_eq!((&json["top_quartile"], &json["median"]), (&"4.5".into(), &"12.0".into()));
    let back: Benchmark = serde_json::from_value(json).unwrap();
    assert_eq!(back.median.to_string(), "12.0");
}

#[test]
fn a_maturity_is_the_mean_of_percentiles_and_of_scores() {
    let of = |percentiles: &[&str], scores: &[&str]| {
        let all = |texts: &[&str]| texts.iter().map(|text| dec(text)).collect::<Vec<_>>();
        section_maturity(&all(percentiles), &all(scores)).unwrap()
    };
    assert_eq!(of(&[], &[]), (None, None));
    assert_eq!(of(&["37.50", "26.83"], &[]), (Some(dec("32.17")), Some(2)), "32.165 is shown as 32.17");
    assert_eq!(of(&["37.50"], &["3"]).1, Some(3), "(2 + 3) / 2 = 2.5, half-up");
    assert_eq!(of(&[], &["3", "4"]).1, Some(4));
    assert_eq!(of(&["100"], &["5"]).1, Some(5));
    let levels = [("0", 1), ("19.99", 1), ("20", 2), ("79.99", 4), ("80", 5), ("100", 5)];
    assert!(levels.iter().all(|(percentile, level)| maturity_level(dec(percentile)) == *level));
}

fn asked<'a>(code: &'a str, text: &'a str) -> Subject<'a> {
    let place = Place { industry: Some(id(7)), region: Some(id(5)) };
    Subject { vertical: id(2), code: Some(code), text: Some(text), is_money: false, place }
}

fn found(rows: Vec<Benchmark>, subject: &Subject<'_>) -> Option<(i64, MatchMethod, MatchScope)> {
    let benchmarks = Benchmarks { set_version: 1, rows };
    let found = benchmarks.find(subject)?;
    Some((found.benchmark.id.get(), found.method, found.scope))
}

#[test]
fn a_code_comes_before_a_text_and_both_are_compared_without_case_and_outer_blanks() {
    use {MatchMethod::*, MatchScope::Global};
    let by_text = Benchmark { question_code: None, ..benchmark(2, ["1", "2", "3"]) };
    let text = "  how long does an INVOICE take? ";
    let rows = vec![by_text.clone(), cycle_time()];
    assert_eq!(found(rows, &asked(" p2p_cycle_time_hours ", text)), Some((1, Code, Global)));
    assert_eq!(found(vec![by_text.clone()], &asked("OTHER", text)), Some((2, Text, Global)));
    assert_eq!(found(vec![by_text.clone()], &asked("OTHER", "How long  does an invoice take?")), None);
    assert_eq!(found(vec![by_text], &Subject { vertical: id(3), ..asked("OTHER", text) }), None);
    assert_eq!(found(vec![], &asked("", "")), None);
}

#[test]
fn the_most_specific_then_the_newest_then_the_first_benchmark_is_taken() {
    let row = |number, industry: Option<i64>, region: Option<i64>, year| Benchmark {
        industry_id: industry.map(id),
        region_id: region.map(id),
        year,
        ..benchmark(number, ["1", "2", "3"])
    };
    let mut rows = vec![
        row(1, Some(7), Some(5), 2020),
        row(2, None, Some(5), 2025),
        row(3, Some(7), None, 2025),
        row(4, None, None, 2024),
        row(6, None, None, 2025),
        row(5, None, None, 2025),
        row(8, Some(8), Some(5), 2026),
        row(9, Some(7), Some(6), 2026),
    ];
    let subject = asked("P2P_CYCLE_TIME_HOURS", "");
    for (number, scope) in [
        (1, MatchScope::IndustryAndRegion),
        (2, MatchScope::Region),
        (3, MatchScope::Industry),
        (5, MatchScope::Global),
        (6, MatchScope::Global),
        (4, MatchScope::Global),
    ] {
        assert_eq!(found(rows.clone(), &subject), Some((number, MatchMethod::Code, scope)));
        rows.retain(|row| row.id != id(number));
    }
    assert_eq!(found(rows, &subject), None, "those of another industry or region");
    let inactive = Benchmark { is_active: false, ..cycle_time() };
    assert_eq!(found(vec![inactive], &subject), None);
}

#[test]
fn money_is_never_compared_outside_the_region() {
    let global = Benchmark { unit: Some(Text::new("EUR per invoice").unwrap()), ..cycle_time() };
    let regional = Benchmark { id: id(2), region_id: Some(id(5)), ..global.clone() };
    let foreign = Benchmark { id: id(3), region_id: Some(id(6)), ..global.clone() };
    let subject = asked("P2P_CYCLE_TIME_HOURS", "");
    assert_eq!(found(vec![global.clone(), foreign.clone()], &subject), None);
    assert_eq!(found(vec![global, regional, foreign], &subject).map(|found| found.0), Some(2));
    assert_eq!(found(vec![cycle_time()], &Subject { is_money: true, ..subject }), None);
    for money in ["€", "$/invoice", "eur", "k USD", "Currency"] {
        assert!(is_money(money), "{money}");
    }
    for other in ["hours", "%", "FTE", "invoices per FTE", ""] {
        assert!(!is_money(other), "{other}");
    }
}

proptest! {
    #[test]
    fn a_better_value_never_has_a_lower_percentile(
        quartiles in proptest::array::uniform3(-100_000i64..100_000),
        values in proptest::array::uniform2(-300_000i64..300_000),
        higher in any::<bool>(),
    ) {
        let mut quartiles = quartiles;
        quartiles.sort_unstable();
        prop_assume!(quartiles[0] < quartiles[2]);
        if higher {
            quartiles.reverse();
        }
        let [top, median, bottom] = quartiles.map(|number| Decimal::new(number, 2));
        let direction = if higher { Direction::HigherIsBetter } else { Direction::LowerIsBetter };
        let row = Benchmark { top_quartile: top, median, bottom_quartile: bottom, direction, ..cycle_time() };
        let [a, b] = values.map(|number| Decimal::new(number, 2));
        let (good, bad) = if direction.is_as_good(a, b) { (a, b) } else { (b, a) };
        let (better, worse) = (row.percentile(good).unwrap(), row.percentile(bad).unwrap());
        prop_assert!(better >= worse, "{} of {} is below {} of {}", better, good, worse, bad);
        prop_assert!((Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&better));
        prop_assert!(row.gap(good, Top).unwrap().gap <= row.gap(bad, Top).unwrap().gap);
    }

    #[test]
    fn extremes_are_refused_and_not_a_panic(number in any::<i64>(), top in any::<bool>()) {
        let row = Benchmark { top_quartile: Decimal::MIN, bottom_quartile: Decimal::MAX, ..cycle_time() };
        let value = if top { Decimal::MIN } else { Decimal::new(number, 0) };
        let _ = row.classify(value);
        let _ = (row.percentile(value), row.gap(value, Top), row.gap(Decimal::MAX, Top));
    }
}
