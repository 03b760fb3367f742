//! What is told of the measurements: `bench/RESULTS.md`.

use std::fmt::Write as _;

use anyhow::Result;

use crate::{
    bench::Bench,
    goals,
    machine::Machine,
    measure::{Figure, Sample, ratios},
};

/// One measurement: what it was about, and its figures.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    title: String,
    notes: Vec<String>,
    pub(crate) figures: Vec<Figure>,
}

impl Section {
    pub(crate) fn new(name: &'static str, title: &str, figures: Vec<Figure>) -> Self {
        Self { name, title: title.to_owned(), notes: Vec::new(), figures }
    }

    /// What a reader should know of it.
    pub(crate) fn say(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

/// What is looked at of a run.
type What = fn(&Sample) -> Option<f64>;

/// All that was measured.
#[derive(Debug, Default)]
pub(crate) struct Results(pub(crate) Vec<Section>);

impl Results {
    fn figure(&self, key: &str) -> Option<&Figure> {
        self.0.iter().flat_map(|section| &section.figures).find(|figure| figure.key == key)
    }

    /// What a figure was in each round.
    fn rounds(&self, key: &str, what: What) -> Vec<f64> {
        self.figure(key).into_iter().flat_map(|figure| &figure.samples).filter_map(what).collect()
    }

    /// The rate of a figure in each round.
    pub(crate) fn values(&self, key: &str) -> Vec<f64> {
        self.rounds(key, |sample| Some(sample.value))
    }

    pub(crate) fn p99s(&self, key: &str) -> Vec<f64> {
        self.rounds(key, |sample| sample.p99)
    }

    fn ratios(&self, key: &str, of: &str, what: What) -> Vec<f64> {
        ratios(self.rounds(key, what), self.rounds(of, what))
    }

    pub(crate) fn ratios_of_rates(&self, key: &str, of: &str) -> Vec<f64> {
        self.ratios(key, of, |sample| Some(sample.value))
    }

    pub(crate) fn ratios_of_p50(&self, key: &str, of: &str) -> Vec<f64> {
        self.ratios(key, of, |sample| sample.p50)
    }

    pub(crate) fn ratios_of_p99(&self, key: &str, of: &str) -> Vec<f64> {
        self.ratios(key, of, |sample| sample.p99)
    }
}

/// The whole page.
pub(crate) fn page(results: &Results, machine: &Machine, bench: &Bench) -> Result<String> {
    let mut page = String::new();
    writeln!(page, "# What DDC was measured to do\n")?;
    writeln!(
        page,
        "Written by `make bench` ({:?}): every figure is the median of {} rounds, in which DDC and its peers took \
         turns on the same servers, with the same payload (about 300 B, and 150 B of metadata) and the same \
         durability. Ratios are of runs of one round, which follow each other, and the median is of them.\n",
        bench.scale,
        bench.rounds()
    )?;
    writeln!(page, "{machine}")?;
    goals::write(&mut page, results)?;
    for section in &results.0 {
        writeln!(page, "\n## {}: {}\n", section.name, section.title)?;
        for note in &section.notes {
            writeln!(page, "{note}\n")?;
        }
        writeln!(page, "| what | median | unit | lowest – highest | p50 ms | p99 ms |")?;
        writeln!(page, "|---|---:|---|---:|---:|---:|")?;
        for figure in &section.figures {
            let range = spread(&figure.samples.iter().map(|sample| sample.value).collect::<Vec<_>>());
            let shown = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.2}"));
            let median = figure.median().map_or_else(|| "–".to_owned(), number);
            writeln!(
                page,
                "| {} | {median} | {} | {range} | {} | {} |",
                figure.what,
                figure.unit,
                shown(figure.p50()),
                shown(figure.p99())
            )?;
        }
    }
    Ok(page)
}

/// From the lowest to the highest of several.
pub(crate) fn spread(values: &[f64]) -> String {
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), it| (it.min(l), it.max(h)));
    if values.len() > 1 { format!("{} – {}", number(low), number(high)) } else { String::new() }
}

/// With as many digits as say something, thousands apart.
pub(crate) fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut apart = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 && !apart.ends_with('-') {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}
