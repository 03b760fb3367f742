//! What may be imported into the benchmark set, and when it is refused.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cqrs_es::{Aggregate, event_sink::EventSink};
use kernel::{BenchmarkId, Code, IndustryTypeId, Issued, RegionId, VerticalId};

use super::{
    BenchmarkItem, BenchmarkSet, BenchmarkSetCommand, BenchmarkSetEvent, BenchmarkSetRefusal, KnownCodes, RowFault,
};
use crate::benchmark::{Benchmark, Benchmarks, Direction};

/// The most rows of one import.
const MAX_ROWS: usize = 20_000;

impl Aggregate for BenchmarkSet {
    const TYPE: &'static str = "benchmark_set";
    type Command = Issued<BenchmarkSetCommand>;
    type Event = BenchmarkSetEvent;
    type Error = BenchmarkSetRefusal;
    type Services = ();

    async fn handle(
        &mut self,
        issued: Self::Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), BenchmarkSetRefusal> {
        if !issued.by.is_admin() {
            return Err(BenchmarkSetRefusal::Forbidden);
        }
        let BenchmarkSetCommand::Import { rows, ids, known } = issued.command;
        let present = self.benchmarks();
        let set_version = present.set_version.saturating_add(1);
        let benchmarks = import(&present, rows, ids, &known, set_version)?;
        let pairs: BTreeSet<_> = benchmarks.iter().map(|row| (row.vertical_id, row.year)).collect();
        if is_the_same(&present, &benchmarks, &pairs) {
            return Ok(());
        }
        let replaced = pairs.into_iter().collect();
        let (by, at) = (issued.by.user(), issued.at);
        sink.write(BenchmarkSetEvent::Imported { set_version, benchmarks, replaced, by, at }, self).await;
        Ok(())
    }

    fn apply(&mut self, event: BenchmarkSetEvent) {
        self.record(event);
    }
}

fn import(
    present: &Benchmarks,
    rows: Vec<BenchmarkItem>,
    ids: Vec<BenchmarkId>,
    known: &KnownCodes,
    set_version: u32,
) -> Result<Vec<Benchmark>, BenchmarkSetRefusal> {
    if rows.is_empty() {
        return Err(BenchmarkSetRefusal::Empty);
    }
    if rows.len() > MAX_ROWS {
        return Err(BenchmarkSetRefusal::TooMany(MAX_ROWS));
    }
    let mut old = BTreeMap::<Key, VecDeque<BenchmarkId>>::new();
    for row in &present.rows {
        old.entry(key(row)).or_default().push_back(row.id);
    }
    let (mut benchmarks, mut faults) = (Vec::new(), Vec::new());
    let mut ids = ids.into_iter();
    for (item, row) in rows.into_iter().zip(1..) {
        match benchmark(item, ids.next(), known, set_version) {
            Ok(mut benchmark) => {
                let kept = old.get_mut(&key(&benchmark)).and_then(VecDeque::pop_front);
                benchmark.id = kept.unwrap_or(benchmark.id);
                benchmarks.push(benchmark);
            }
            Err((column, code, message)) => faults.push(RowFault { row, column, code, message }),
        }
    }
    if faults.is_empty() { Ok(benchmarks) } else { Err(BenchmarkSetRefusal::InvalidImport(faults)) }
}

/// What a row is about: its figures may change, then it is still the same row.
type Key = (VerticalId, u16, Option<IndustryTypeId>, Option<RegionId>, Option<String>, String);

fn key(row: &Benchmark) -> Key {
    let code = row.question_code.as_ref().map(kernel::Code::key);
    (row.vertical_id, row.year, row.industry_id, row.region_id, code, row.metric.key())
}

/// Whether the rows are those that are there for these verticals and years; then there is nothing new.
fn is_the_same(present: &Benchmarks, new: &[Benchmark], pairs: &BTreeSet<(VerticalId, u16)>) -> bool {
    let old: BTreeMap<_, _> = present
        .rows
        .iter()
        .filter(|row| pairs.contains(&(row.vertical_id, row.year)))
        .map(|row| (row.id, row))
        .collect();
    let is_there = |row: &Benchmark| {
        old.get(&row.id).is_some_and(|old| **old == Benchmark { set_version: old.set_version, ..row.clone() })
    };
    old.len() == new.len() && new.iter().all(is_there)
}

/// Column, code and message of what is wrong with a row.
type Fault = (&'static str, &'static str, &'static str);

fn benchmark(
    item: BenchmarkItem,
    id: Option<BenchmarkId>,
    known: &KnownCodes,
    set_version: u32,
) -> Result<Benchmark, Fault> {
    fn look_up<I>(
        code: Option<&Code>,
        column: &'static str,
        find: impl Fn(&str) -> Option<I>,
    ) -> Result<Option<I>, Fault> {
        let unknown = (column, "UNKNOWN_CODE", "is not known");
        code.map(|code| find(&code.key()).ok_or(unknown)).transpose()
    }
    let unknown_vertical = ("vertical", "UNKNOWN_CODE", "is not known");
    Ok(Benchmark {
        id: id.ok_or(("metric", "NO_MORE_IDS", "there is no id for the row"))?,
        direction: direction(&item)?,
        industry_id: look_up(item.industry.as_ref(), "industry", |key| known.industries.get(key).copied())?,
        vertical_id: known.verticals.get(&item.vertical.key()).copied().ok_or(unknown_vertical)?,
        region_id: look_up(item.region.as_ref(), "region", |key| known.regions.get(key).copied())?,
        metric: item.metric,
        question_code: item.question_code,
        question_text: item.question_text,
        unit: item.unit,
        top_quartile: item.top_quartile,
        median: item.median,
        bottom_quartile: item.bottom_quartile,
        std_dev: item.std_dev,
        sample_size: item.sample_size,
        source: item.source,
        year: item.year,
        set_version,
        is_active: true,
    })
}

/// The given direction, or the one that the quartiles show; they must agree and the median lie between (spec 10.1).
fn direction(item: &BenchmarkItem) -> Result<Direction, Fault> {
    let shown = match item.top_quartile.cmp(&item.bottom_quartile) {
        std::cmp::Ordering::Less => Direction::LowerIsBetter,
        std::cmp::Ordering::Greater => Direction::HigherIsBetter,
        std::cmp::Ordering::Equal => return Err(("top_quartile", "NO_DIRECTION", "equals the bottom quartile")),
    };
    if item.direction.is_some_and(|given| given != shown) {
        return Err(("direction", "WRONG_DIRECTION", "contradicts the quartiles"));
    }
    let between =
        shown.is_as_good(item.top_quartile, item.median) && shown.is_as_good(item.median, item.bottom_quartile);
    if between { Ok(shown) } else { Err(("median", "MEDIAN_NOT_BETWEEN", "must lie between the quartiles")) }
}
