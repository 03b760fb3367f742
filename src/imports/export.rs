//! Benchmarks as the file that they can be imported from again.

use std::collections::BTreeMap;

use engagement::{benchmark::Benchmark, benchmark_set::BenchmarkSet};

use super::{THE_ONE, cell::shielded, codes::Place, file::BENCHMARKS};
use crate::journal::{ExecuteError, Journal, Refused};

/// Which benchmarks; `None`: all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    pub industry: Option<i64>,
    pub vertical: Option<i64>,
    pub region: Option<i64>,
}

impl Filter {
    fn admits(&self, row: &Benchmark) -> bool {
        let is = |wanted: Option<i64>, present: Option<i64>| wanted.is_none() || wanted == present;
        is(self.industry, row.industry_id.map(Into::into))
            && is(self.vertical, Some(row.vertical_id.into()))
            && is(self.region, row.region_id.map(Into::into))
    }
}

/// The current set as CSV text.
///
/// # Errors
/// When a stream cannot be loaded; a conflict when an industry, vertical or region has lost the code that the file
/// would have to name it by.
pub async fn benchmarks(journal: &Journal, filter: Filter) -> Result<String, ExecuteError> {
    let rows = journal
        .read::<BenchmarkSet, _>(THE_ONE, |set, _| {
            let rows = set.benchmarks().rows.into_iter();
            rows.filter(|row| filter.admits(row)).collect::<Vec<_>>()
        })
        .await?;
    let mut codes = Codes { journal, known: BTreeMap::new() };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fault = |error: csv::Error| ExecuteError::Fault(error.to_string());
    writer.write_record(BENCHMARKS.known).map_err(fault)?;
    for row in rows {
        let (industry, region) = (row.industry_id.map(Into::into), row.region_id.map(Into::into));
        let places = [
            codes.of(Place::Industry, industry).await?,
            codes.of(Place::Vertical, Some(row.vertical_id.into())).await?,
            codes.of(Place::Region, region).await?,
        ];
        writer.write_record(cells(&row, places)?).map_err(fault)?;
    }
    let bytes = writer.into_inner().map_err(|error| ExecuteError::Fault(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| ExecuteError::Fault(error.to_string()))
}

/// In the order of [`BENCHMARKS`].
fn cells(row: &Benchmark, [industry, vertical, region]: [String; 3]) -> Result<[String; 15], ExecuteError> {
    let direction = serde_json::to_value(row.direction).map_err(|error| ExecuteError::Fault(error.to_string()))?;
    let text = |text: Option<&str>| shielded(text.unwrap_or_default());
    let [industry, vertical, region] = [industry, vertical, region].map(|code| shielded(&code));
    Ok([
        shielded(&row.metric),
        text(row.question_code.as_deref()),
        text(row.question_text.as_deref()),
        industry,
        vertical,
        region,
        row.top_quartile.to_string(),
        row.median.to_string(),
        row.bottom_quartile.to_string(),
        row.std_dev.map(|number| number.to_string()).unwrap_or_default(),
        text(row.unit.as_deref()),
        row.year.to_string(),
        text(direction.as_str()),
        row.sample_size.map(|number| number.to_string()).unwrap_or_default(),
        text(row.source.as_deref()),
    ])
}

/// Codes that have been looked up.
struct Codes<'a> {
    journal: &'a Journal,
    known: BTreeMap<(&'static str, i64), String>,
}

impl Codes<'_> {
    /// Empty for any.
    async fn of(&mut self, place: Place, id: Option<i64>) -> Result<String, ExecuteError> {
        let Some(id) = id else { return Ok(String::new()) };
        let kind = match place {
            Place::Industry => "industry",
            Place::Vertical => "vertical",
            Place::Region => "region",
        };
        if let Some(code) = self.known.get(&(kind, id)) {
            return Ok(code.clone());
        }
        let code = place.code(self.journal, id).await?.ok_or_else(|| {
            Refused::conflict("CODE_MISSING", kind, format!("the {kind} {id} has no code to be exported by"))
        })?;
        self.known.insert((kind, id), code.clone());
        Ok(code)
    }
}
