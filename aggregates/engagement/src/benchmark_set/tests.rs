use cqrs_es::test::{AggregateTestExecutor, TestFramework};
use kernel::{
    Code, Issued,
    Role::{Admin, Consultant},
    Text,
    testing::{by, id, now},
};

use super::*;
use crate::benchmark::{Benchmark, Direction};

fn item(metric: &str, quartiles: [&str; 3], year: u16) -> BenchmarkItem {
    let [top, median, bottom] = quartiles.map(|text| text.parse().unwrap());
    BenchmarkItem {
        metric: Text::new(metric).unwrap(),
        question_code: None,
        question_text: None,
        industry: None,
        vertical: Code::new("p2p").unwrap(),
        region: None,
        top_quartile: top,
        median,
        bottom_quartile: bottom,
        std_dev: None,
        unit: None,
        year,
        direction: None,
        sample_size: None,
        source: None,
    }
}

fn row(number: i64, metric: &str, quartiles: [&str; 3], year: u16, set_version: u32) -> Benchmark {
    let item = item(metric, quartiles, year);
    Benchmark {
        id: id(number),
        metric: item.metric,
        question_code: None,
        question_text: None,
        unit: None,
        direction: Direction::LowerIsBetter,
        industry_id: None,
        vertical_id: id(2),
        region_id: None,
        top_quartile: item.top_quartile,
        median: item.median,
        bottom_quartile: item.bottom_quartile,
        std_dev: None,
        sample_size: None,
        source: None,
        year,
        set_version,
        is_active: true,
    }
}

const HOURS: [&str; 3] = ["4.5", "12.0", "24.0"];

fn import(rows: Vec<BenchmarkItem>) -> Issued<BenchmarkSetCommand> {
    let known = KnownCodes { verticals: [("p2p".to_owned(), id(2))].into(), ..KnownCodes::default() };
    by(1, Admin, BenchmarkSetCommand::Import { rows, ids: (11..20).map(id).collect(), known })
}

fn imported(rows: Vec<Benchmark>, set_version: u32, year: u16) -> BenchmarkSetEvent {
    let replaced = vec![(id(2), year)];
    BenchmarkSetEvent::Imported { set_version, benchmarks: rows, replaced, by: Some(id(1)), at: now() }
}

fn given(events: Vec<BenchmarkSetEvent>) -> AggregateTestExecutor<BenchmarkSet> {
    TestFramework::<BenchmarkSet>::with(()).given(events)
}

#[test]
fn an_import_makes_a_new_version_of_the_set() {
    let first = imported(vec![row(11, "Cycle time", HOURS, 2024, 1)], 1, 2024);
    given(vec![]).when(import(vec![item("Cycle time", HOURS, 2024)])).then_expect_events(vec![first.clone()]);
    let second = imported(vec![row(11, "Cycle time", HOURS, 2025, 2)], 2, 2025);
    given(vec![first]).when(import(vec![item("Cycle time", HOURS, 2025)])).then_expect_events(vec![second]);
}

#[test]
fn an_import_replaces_its_verticals_and_years_and_carries_the_rest_over() {
    let mut set = BenchmarkSet::default();
    set.record(imported(vec![row(1, "A", HOURS, 2024, 1), row(2, "B", HOURS, 2024, 1)], 1, 2024));
    set.record(imported(vec![row(3, "A", HOURS, 2025, 2)], 2, 2025));
    set.record(imported(vec![row(4, "A", HOURS, 2024, 3)], 3, 2024));
    let all = set.benchmarks();
    let rows: Vec<_> = all.rows.iter().map(|row| (row.id.get(), row.set_version)).collect();
    assert_eq!((all.set_version, rows), (3, vec![(3, 3), (4, 3)]));
    assert_eq!(all.rows[0].median.to_string(), "12.0");
}

#[test]
fn every_faulty_row_is_listed_and_nothing_is_imported() {
    let unknown = BenchmarkItem { region: Some(Code::new("XX").unwrap()), ..item("A", HOURS, 2024) };
    let contrary = BenchmarkItem { direction: Some(Direction::HigherIsBetter), ..item("A", HOURS, 2024) };
    let rows = vec![
        item("A", HOURS, 2024),
        item("A", ["5", "5", "5"], 2024),
        item("A", ["4", "30", "24"], 2024),
        contrary,
        unknown,
    ];
    let fault = |row, column, code, message| RowFault { row, column, code, message };
    given(vec![]).when(import(rows)).then_expect_error(BenchmarkSetRefusal::InvalidImport(vec![
        fault(2, "top_quartile", "NO_DIRECTION", "equals the bottom quartile"),
        fault(3, "median", "MEDIAN_NOT_BETWEEN", "must lie between the quartiles"),
        fault(4, "direction", "WRONG_DIRECTION", "contradicts the quartiles"),
        fault(5, "region", "UNKNOWN_CODE", "is not known"),
    ]));
    given(vec![]).when(import(vec![])).then_expect_error(BenchmarkSetRefusal::Empty);
}

#[test]
fn only_an_administrator_imports_benchmarks() {
    let command = import(vec![item("A", HOURS, 2024)]).command;
    given(vec![]).when(by(2, Consultant, command)).then_expect_error(BenchmarkSetRefusal::Forbidden);
}

#[test]
fn the_same_import_again_is_no_event_and_a_changed_row_keeps_its_id() {
    let rows = || vec![item("A", HOURS, 2024), item("B", HOURS, 2024)];
    let before = vec![imported(vec![row(1, "A", HOURS, 2024, 1), row(2, "B", HOURS, 2024, 1)], 1, 2024)];
    given(before.clone()).when(import(rows())).then_expect_events(vec![]);
    let changed = vec![item("B", ["4.0", "12.0", "24.0"], 2024), item("C", HOURS, 2024)];
    let expected = vec![row(2, "B", ["4.0", "12.0", "24.0"], 2024, 2), row(12, "C", HOURS, 2024, 2)];
    given(before.clone()).when(import(changed)).then_expect_events(vec![imported(expected, 2, 2024)]);
    let fewer = imported(vec![row(1, "A", HOURS, 2024, 2)], 2, 2024);
    given(before).when(import(vec![item("A", HOURS, 2024)])).then_expect_events(vec![fewer]);
}

#[test]
fn an_import_of_benchmarks_is_bounded() {
    let rows = vec![item("A", HOURS, 2024); 20_001];
    given(vec![]).when(import(rows)).then_expect_error(BenchmarkSetRefusal::TooMany(20_000));
}
