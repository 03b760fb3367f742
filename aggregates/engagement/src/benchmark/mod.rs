//! How a client compares with others (spec 10): matching, classification, gaps. Pure calculation.

use kernel::{BenchmarkId, Code, IndustryTypeId, RegionId, Text, VerticalId};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mod matching;
mod standing;
#[cfg(test)]
mod tests;

pub use matching::{Match, Place, Subject, is_money};
pub use standing::{Gap, maturity_level, section_maturity};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Direction {
    LowerIsBetter,
    HigherIsBetter,
}

/// Where a value stands among the benchmark's quartiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Classification {
    TopQuartile,
    AboveMedian,
    BelowMedian,
    BottomQuartile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MatchMethod {
    Code,
    Text,
}

/// How specific the benchmark is, most specific first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MatchScope {
    IndustryAndRegion,
    Region,
    Industry,
    Global,
}

/// The quartiles of one metric (spec 10.1). The quartiles keep the decimals they were given with ("12.0").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Benchmark {
    pub id: BenchmarkId,
    pub metric: Text<1, 200>,
    pub question_code: Option<Code>,
    pub question_text: Option<Text<1, 1000>>,
    pub unit: Option<Text<1, 40>>,
    pub direction: Direction,
    /// `None`: any industry.
    pub industry_id: Option<IndustryTypeId>,
    pub vertical_id: VerticalId,
    /// `None`: global.
    pub region_id: Option<RegionId>,
    pub top_quartile: Decimal,
    pub median: Decimal,
    pub bottom_quartile: Decimal,
    pub std_dev: Option<Decimal>,
    pub sample_size: Option<u32>,
    pub source: Option<Text<1, 200>>,
    pub year: u16,
    /// The version of the set that the row is part of.
    pub set_version: u32,
    pub is_active: bool,
}

/// The benchmarks of one version of the set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Benchmarks {
    /// 0 before the first import.
    pub set_version: u32,
    pub rows: Vec<Benchmark>,
}
