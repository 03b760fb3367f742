//! A vertical's metrics beside their benchmarks (spec 10).

use kernel::{Code, effort, money};
use rust_decimal::Decimal;

use super::{BenchmarkComparison, ComparisonStatus, VerticalInputs};
use crate::{
    benchmark::{Benchmarks, Match, Place, Subject, maturity_level},
    business_case::{
        BaselineInputs, Costs, Figure, OutOfRange,
        TargetQuartile::{self, Median, Top},
        fte_gap,
    },
    questionnaire::{Question, QuestionType},
};

/// What a vertical is compared with.
pub(super) struct Surroundings<'a> {
    pub(super) inputs: &'a BaselineInputs,
    pub(super) costs: &'a Costs,
    pub(super) benchmarks: &'a Benchmarks,
    pub(super) place: Place,
}

/// Every answered number that has a benchmark, or is linked to one by `benchmark_code`; then the baseline's own ratios
/// (`<V>_COST_PER_TRANSACTION` …), where a benchmark but no question has their code.
pub(super) fn comparisons(
    vertical: &VerticalInputs<'_>,
    around: &Surroundings<'_>,
) -> Result<Vec<BenchmarkComparison>, OutOfRange> {
    let mut found = Vec::new();
    for question in &vertical.questions {
        let is_metric = !matches!(question.question_type, QuestionType::Score);
        if let (true, Some(value)) = (is_metric, vertical.number(&question.code)) {
            found.extend(of_question(vertical, question, value, around)?);
        }
    }
    let ratios = [
        (
            "COST_PER_TRANSACTION",
            "Cost per transaction",
            around.costs.cost_per_transaction.map(kernel::unit_cost),
            true,
        ),
        ("TRANSACTIONS_PER_FTE", "Transactions per FTE", around.costs.transactions_per_fte.map(effort), false),
        ("MINUTES_PER_TRANSACTION", "Minutes per transaction", around.costs.minutes_per_transaction.map(effort), false),
    ];
    for (name, metric, value, is_money) in ratios {
        let Ok(code) = Code::new(&format!("{}_{name}", vertical.vertical.code)) else { continue };
        let asked = found.iter().any(|one: &BenchmarkComparison| one.question_code.key() == code.key());
        let subject =
            Subject { vertical: vertical.vertical.id, code: Some(&code), text: None, is_money, place: around.place };
        if let (false, Some(value), Some(hit)) = (asked, value, around.benchmarks.find(&subject)) {
            found.push(matched(unmatched(vertical, &code, metric, value), &hit, around)?);
        }
    }
    Ok(found)
}

fn of_question(
    vertical: &VerticalInputs<'_>,
    question: &Question,
    value: Decimal,
    around: &Surroundings<'_>,
) -> Result<Option<BenchmarkComparison>, OutOfRange> {
    let code = question.benchmark_code.as_ref().unwrap_or(&question.code);
    let subject = Subject {
        vertical: vertical.vertical.id,
        code: Some(code),
        text: Some(&question.text),
        is_money: question.question_type == QuestionType::Currency,
        place: around.place,
    };
    let plain = BenchmarkComparison {
        question_id: Some(question.id),
        unit: question.unit.clone(),
        ..unmatched(vertical, &question.code, &question.text, value)
    };
    match around.benchmarks.find(&subject) {
        Some(hit) => matched(plain, &hit, around).map(Some),
        None => Ok(question.benchmark_code.is_some().then_some(plain)),
    }
}

fn unmatched(vertical: &VerticalInputs<'_>, code: &Code, metric: &str, value: Decimal) -> BenchmarkComparison {
    BenchmarkComparison {
        status: ComparisonStatus::NoBenchmark,
        vertical_id: vertical.vertical.id,
        question_id: None,
        question_code: code.clone(),
        metric: metric.to_owned(),
        unit: None,
        value,
        benchmark_id: None,
        match_method: None,
        match_scope: None,
        year: None,
        direction: None,
        top_quartile: None,
        median: None,
        bottom_quartile: None,
        classification: None,
        percentile: None,
        maturity_level: None,
        gap_to_top: None,
        gap_to_top_percent: None,
        gap_to_median: None,
        gap_to_median_percent: None,
        value_of_gap_to_top: None,
        value_of_gap_to_median: None,
        fte_gap_to_top: None,
        fte_gap_to_median: None,
    }
}

fn matched(
    plain: BenchmarkComparison,
    hit: &Match<'_>,
    around: &Surroundings<'_>,
) -> Result<BenchmarkComparison, OutOfRange> {
    let row = hit.benchmark;
    let percentile = row.percentile(plain.value)?;
    let (top, median) = (row.gap(plain.value, Top)?, row.gap(plain.value, Median)?);
    let worth = |gap: Decimal| {
        let figure = Figure("value_of_gap");
        is_unit_cost(&row.metric).then(|| figure.mul(gap, around.inputs.annual_volume).map(money)).transpose()
    };
    let people = |quartile| {
        let gap = is_productivity(&row.metric).then(|| fte_gap(around.inputs, row.target(quartile))).transpose()?;
        Ok::<_, OutOfRange>(gap.flatten().map(effort))
    };
    Ok(BenchmarkComparison {
        status: ComparisonStatus::Matched,
        metric: row.metric.to_string(),
        unit: row.unit.clone().or(plain.unit),
        benchmark_id: Some(row.id),
        match_method: Some(hit.method),
        match_scope: Some(hit.scope),
        year: Some(row.year),
        direction: Some(row.direction),
        top_quartile: Some(row.top_quartile),
        median: Some(row.median),
        bottom_quartile: Some(row.bottom_quartile),
        classification: Some(row.classify(plain.value)),
        percentile: Some(percentile),
        maturity_level: Some(maturity_level(percentile)),
        gap_to_top: Some(top.gap),
        gap_to_top_percent: top.gap_percent,
        gap_to_median: Some(median.gap),
        gap_to_median_percent: median.gap_percent,
        value_of_gap_to_top: worth(top.gap)?,
        value_of_gap_to_median: worth(median.gap)?,
        fte_gap_to_top: people(Top)?,
        fte_gap_to_median: people(Median)?,
        ..plain
    })
}

/// "Cost per invoice": a gap of it times the volume is money.
fn is_unit_cost(metric: &str) -> bool {
    metric.to_lowercase().starts_with("cost per ")
}

/// "Invoices per FTE": the volume divided by it is people.
fn is_productivity(metric: &str) -> bool {
    metric.to_lowercase().ends_with(" per fte")
}

/// The productivity that the quartile reaches, of the first metric that is one.
pub(super) fn target_productivity(comparisons: &[BenchmarkComparison], quartile: TargetQuartile) -> Option<Decimal> {
    let metric = comparisons.iter().find(|one| one.benchmark_id.is_some() && is_productivity(&one.metric))?;
    match quartile {
        Median => metric.median,
        Top => metric.top_quartile,
    }
}
