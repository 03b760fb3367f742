//! What is told of the measurements: `bench/RESULTS.md`.

use std::fmt::Write as _;

use anyhow::Result;

use crate::{bench::Bench, goals, machine::Machine, measure::Figure};

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

/// All that was measured.
#[derive(Debug, Default)]
pub(crate) struct Results(pub(crate) Vec<Section>);

impl Results {
    fn figure(&self, key: &str) -> Option<&Figure> {
        self.0.iter().flat_map(|section| &section.figures).find(|figure| figure.key == key)
    }

    /// The median of a figure.
    pub(crate) fn value(&self, key: &str) -> Option<f64> {
        self.figure(key)?.median()
    }

    pub(crate) fn p50(&self, key: &str) -> Option<f64> {
        self.figure(key)?.p50()
    }

    pub(crate) fn p99(&self, key: &str) -> Option<f64> {
        self.figure(key)?.p99()
    }

    /// One figure in terms of another.
    pub(crate) fn ratio(&self, key: &str, of: &str) -> Option<f64> {
        self.value(of).filter(|value| *value > 0.0).and_then(|other| Some(self.value(key)? / other))
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
         durability.\n",
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
            let values = || figure.samples.iter().map(|sample| sample.value);
            let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
            let range =
                if figure.samples.len() > 1 { format!("{} – {}", number(low), number(high)) } else { String::new() };
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
