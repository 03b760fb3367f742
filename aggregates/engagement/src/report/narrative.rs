//! The narrative that code writes from the figures alone. A language model's text takes the same placeholders.

use std::{collections::BTreeMap, fmt::Write};

use rust_decimal::Decimal;

use super::{Report, Section};

const CHAPTERS: [(&str, &str, &str); 4] = [
    (
        "maturity_evaluation",
        "Maturity evaluation",
        "The overall maturity level is {{maturity_level}} of 5.\n\n{{maturity_by_vertical}}",
    ),
    (
        "process_gap_audit",
        "Process gap audit",
        "The processes cost {{baseline_cost}} {{currency}} a year with {{current_fte}} FTE.\n\n{{gaps}}",
    ),
    (
        "executive_summary",
        "Executive summary",
        "Annual savings of {{annual_savings}} {{currency}} ({{savings_percent}}% of the baseline) and {{fte_savings}} FTE \
         are within reach. An investment of {{investment}} {{currency}} is paid back in {{payback_months}} months; its net \
         present value is {{npv}} {{currency}}, its return {{roi_percent}}%.\n\n{{opportunities}}",
    ),
    (
        "roadmap",
        "3-year roadmap",
        "{{roadmap}}\n\nThe programme's net present value is {{programme_npv}} {{currency}}.",
    ),
];

/// The chapters of the template narrative, in order.
#[must_use]
pub fn sections(report: &Report) -> Vec<Section> {
    let data = figures(report);
    let mut texts = data.clone();
    texts.insert("maturity_by_vertical".to_owned(), maturity(report));
    texts.insert("gaps".to_owned(), gaps(report));
    texts.insert("opportunities".to_owned(), opportunities(report));
    texts.insert("roadmap".to_owned(), roadmap(report));
    CHAPTERS
        .iter()
        .zip(1..)
        .map(|((key, title, template), order)| Section {
            key: (*key).to_owned(),
            title: (*title).to_owned(),
            order,
            body_markdown: fill(template, &texts),
            data: data.iter().filter(|(name, _)| names(template, name)).map(|(k, v)| (k.clone(), v.clone())).collect(),
        })
        .collect()
}

/// The figures that a narrative may name, as it shows them.
#[must_use]
pub fn figures(report: &Report) -> BTreeMap<String, String> {
    let of = &report.summary_metrics;
    let some = |value: Option<Decimal>| value.map_or_else(|| "n/a".to_owned(), |value| value.to_string());
    let people = |value: Decimal| kernel::rounded(value, 2).to_string();
    [
        ("currency", report.currency.to_string()),
        ("current_fte", people(of.current_fte)),
        ("fte_savings", people(of.fte_savings)),
        ("baseline_cost", of.baseline_cost.to_string()),
        ("annual_savings", of.annual_savings.to_string()),
        ("annual_run_cost", of.annual_run_cost.to_string()),
        ("net_annual_savings", of.net_annual_savings.to_string()),
        ("savings_percent", some(of.savings_percent)),
        ("investment", of.investment.to_string()),
        ("payback_months", some(of.payback_months)),
        ("payback_months_ramped", some(of.payback_months_ramped)),
        ("npv", of.npv.to_string()),
        ("programme_npv", of.programme_npv.to_string()),
        ("roi_percent", some(of.roi_percent)),
        ("first_year_roi_percent", some(of.first_year_roi_percent)),
        ("maturity_level", of.maturity_level.map_or_else(|| "n/a".to_owned(), |level| level.to_string())),
    ]
    .map(|(name, shown)| (name.to_owned(), shown))
    .into()
}

/// Replaces every `{{name}}` that is known, once: what was filled in is not looked at again.
#[must_use]
pub fn fill(template: &str, values: &BTreeMap<String, String>) -> String {
    let mut result = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        result.push_str(before);
        match after.split_once("}}").and_then(|(name, tail)| Some((values.get(name.trim())?, tail))) {
            Some((value, tail)) => {
                result.push_str(value);
                rest = tail;
            }
            None => {
                result.push_str("{{");
                rest = after;
            }
        }
    }
    result.push_str(rest);
    result
}

fn names(template: &str, name: &str) -> bool {
    template.contains(&format!("{{{{{name}}}}}"))
}

/// Text of a user on one line, without meaning in Markdown or HTML.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => result.push_str("&amp;"),
            '<' => result.push_str("&lt;"),
            '>' => result.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|' | '~' => {
                result.push('\\');
                result.push(c);
            }
            c if c.is_control() => result.push(' '),
            c => result.push(c),
        }
    }
    result
}

/// One item a line; `otherwise` when there is none.
fn list(items: impl Iterator<Item = String>, otherwise: &str) -> String {
    let mut text = String::new();
    for item in items {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "- {item}");
    }
    if text.is_empty() { otherwise.to_owned() } else { text.trim_end().to_owned() }
}

fn maturity(report: &Report) -> String {
    let item = |one: &super::VerticalResult| {
        let level = one.maturity_level?;
        Some(format!("{}: level {level} of 5", escape(&one.baseline.vertical_code)))
    };
    list(report.verticals.iter().filter_map(item), "No vertical could be compared with others.")
}

fn gaps(report: &Report) -> String {
    let items = report.benchmarks.iter().filter_map(|one| {
        let (class, median, gap) = (one.classification?, one.median?, one.gap_to_median?);
        let metric = escape(&one.metric);
        Some(format!(
            "{metric}: {} ({}), median {median}, gap {gap}",
            one.value,
            class.as_str().replace('_', " ").to_lowercase()
        ))
    });
    list(items, "No benchmark fits the metrics of this assessment.")
}

fn opportunities(report: &Report) -> String {
    let active = report.opportunities.iter().filter(|one| one.is_active());
    let item = |one: &crate::business_case::Opportunity| {
        format!("{}: {} {} a year", escape(&one.title), one.gross_savings, report.currency)
    };
    list(active.map(item), "No opportunity was found.")
}

fn roadmap(report: &Report) -> String {
    let currency = &report.currency;
    let item = |year: &crate::business_case::RoadmapYear| {
        format!(
            "Year {}, {}: investment {}, gross savings {}, run cost {}, net {} {currency}",
            year.year, year.label, year.investment, year.gross_savings, year.run_cost, year.net_savings
        )
    };
    list(report.roadmap.iter().map(item), "There is no roadmap.")
}
