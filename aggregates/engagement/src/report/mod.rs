//! What an analysis finds (spec 13): the report, and how it is built.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::{AssessmentId, BenchmarkId, Code, QuestionId, ReportId, RunId, Text, VerticalId};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    benchmark::{Classification, Direction, MatchMethod, MatchScope},
    business_case::{Baseline, Basis, NoFigure, Opportunity, Parameters, RoadmapYear},
};

mod build;
mod comparison;
mod costed;
mod narrative;
mod opportunities;
#[cfg(test)]
mod tests;

pub use build::{BuildError, Inputs, VerticalInputs, build};
pub use costed::CostedFigures;
pub use narrative::{escape, figures, fill, sections};

/// What one analysis of an assessment found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Report {
    pub id: ReportId,
    pub assessment_id: AssessmentId,
    pub run_id: RunId,
    /// 1 for the first analysis of the assessment, one more for every further one.
    pub version: u32,
    pub status: ReportStatus,
    pub generated_at: DateTime<Utc>,
    pub narrative_source: NarrativeSource,
    /// The prompts that the narrative was made with; empty for the template narrative.
    pub prompt_versions: BTreeMap<String, u32>,
    /// The currency of all money in the report.
    pub currency: Code,
    pub benchmark_set_version: u32,
    pub summary_metrics: SummaryMetrics,
    pub verticals: Vec<VerticalResult>,
    pub benchmarks: Vec<BenchmarkComparison>,
    pub opportunities: Vec<Opportunity>,
    pub roadmap: Vec<RoadmapYear>,
    pub sections: Vec<Section>,
    pub parameters: Parameters,
    pub warnings: Vec<Warning>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReportStatus {
    Generated,
    /// A later analysis made a newer version.
    Superseded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NarrativeSource {
    /// Written by code from the figures alone.
    Template,
    /// Written by a language model; the figures are filled in by code.
    Llm,
}

/// The totals (spec 12.8), as stored: FTE 4 decimals, money and percent 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct SummaryMetrics {
    pub basis: Basis,
    pub current_fte: Decimal,
    pub fte_savings: Decimal,
    pub baseline_cost: Decimal,
    /// Gross, a year.
    pub annual_savings: Decimal,
    pub annual_run_cost: Decimal,
    pub net_annual_savings: Decimal,
    pub savings_percent: Option<Decimal>,
    pub investment: Decimal,
    pub payback_months: Option<Decimal>,
    pub payback_months_ramped: Option<Decimal>,
    pub npv: Decimal,
    pub roi_percent: Option<Decimal>,
    pub first_year_roi_percent: Option<Decimal>,
    /// The net present value of the roadmap (spec 12.6).
    pub programme_npv: Decimal,
    /// 1 to 5; `None` without benchmark and score.
    pub maturity_level: Option<u8>,
    pub roadmap: Vec<RoadmapYear>,
    /// The name of every figure that is null, and why it is.
    pub reasons: BTreeMap<String, NoFigure>,
}

/// A vertical's baseline and how mature it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct VerticalResult {
    #[serde(flatten)]
    pub baseline: Baseline,
    /// The mean percentile of its metrics; `None` without a benchmark.
    pub percentile: Option<Decimal>,
    /// 1 to 5; `None` without benchmark and score.
    pub maturity_level: Option<u8>,
    pub fte_savings: Decimal,
    pub gross_savings: Decimal,
    /// What the savings were multiplied with to stay below the cap; `None` when they did.
    pub scaling_factor: Option<Decimal>,
    /// Full-time equivalents above what the target quartile would need; `None` without a benchmark.
    pub fte_gap: Option<Decimal>,
}

/// One metric beside its benchmark. Without a match only the first fields are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct BenchmarkComparison {
    pub status: ComparisonStatus,
    pub vertical_id: VerticalId,
    /// `None` for a figure of the baseline.
    pub question_id: Option<QuestionId>,
    pub question_code: Code,
    pub metric: String,
    pub unit: Option<Text<1, 40>>,
    pub value: Decimal,
    pub benchmark_id: Option<BenchmarkId>,
    pub match_method: Option<MatchMethod>,
    pub match_scope: Option<MatchScope>,
    pub year: Option<u16>,
    pub direction: Option<Direction>,
    pub top_quartile: Option<Decimal>,
    pub median: Option<Decimal>,
    pub bottom_quartile: Option<Decimal>,
    pub classification: Option<Classification>,
    pub percentile: Option<Decimal>,
    pub maturity_level: Option<u8>,
    pub gap_to_top: Option<Decimal>,
    pub gap_to_top_percent: Option<Decimal>,
    pub gap_to_median: Option<Decimal>,
    pub gap_to_median_percent: Option<Decimal>,
    /// What closing the gap of a unit cost is worth, a year.
    pub value_of_gap_to_top: Option<Decimal>,
    pub value_of_gap_to_median: Option<Decimal>,
    /// Full-time equivalents above what the productivity metric's quartile would need.
    pub fte_gap_to_top: Option<Decimal>,
    pub fte_gap_to_median: Option<Decimal>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ComparisonStatus {
    Matched,
    NoBenchmark,
}

/// A chapter of the narrative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Section {
    pub key: String,
    pub title: String,
    pub order: u8,
    /// Markdown without HTML.
    pub body_markdown: String,
    /// The figures that the text names, as it names them.
    pub data: BTreeMap<String, String>,
}

/// Something a reader of the report should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Warning {
    /// `SAVINGS_EXCEED_BENCHMARK`, `SAVINGS_SCALED`, …
    pub code: String,
    pub vertical_id: Option<VerticalId>,
    pub message: String,
}
