use std::collections::BTreeMap;

use kernel::{BenchmarkId, Code, IndustryTypeId, RegionId, Text, VerticalId};
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::benchmark::Direction;

/// What can be asked of the benchmark set. Of `ids` as many as there are rows suffice.
#[derive(Debug, Clone, PartialEq)]
pub enum BenchmarkSetCommand {
    Import { rows: Vec<BenchmarkItem>, ids: Vec<BenchmarkId>, known: KnownCodes },
}

/// What the codes of an import mean; keys in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownCodes {
    pub industries: BTreeMap<String, IndustryTypeId>,
    pub verticals: BTreeMap<String, VerticalId>,
    pub regions: BTreeMap<String, RegionId>,
}

/// One row of an import (spec 20). Industry, vertical and region are codes; absent: any.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkItem {
    pub metric: Text<1, 200>,
    #[serde(default)]
    pub question_code: Option<Code>,
    #[serde(default)]
    pub question_text: Option<Text<1, 1000>>,
    #[serde(default)]
    pub industry: Option<Code>,
    pub vertical: Code,
    #[serde(default)]
    pub region: Option<Code>,
    /// The decimals are kept as they are given.
    pub top_quartile: Decimal,
    pub median: Decimal,
    pub bottom_quartile: Decimal,
    #[serde(default)]
    pub std_dev: Option<Decimal>,
    #[serde(default)]
    pub unit: Option<Text<1, 40>>,
    pub year: u16,
    /// Absent: the side of the better quartile says it.
    #[serde(default)]
    pub direction: Option<Direction>,
    #[serde(default)]
    pub sample_size: Option<u32>,
    #[serde(default)]
    pub source: Option<Text<1, 200>>,
}
