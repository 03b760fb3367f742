use chrono::{DateTime, Utc};
use kernel::{UserId, VerticalId, domain_event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::benchmark::Benchmark;

/// What happened to the benchmark set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum BenchmarkSetEvent {
    /// The rows take the place of all rows of the replaced (vertical, year) pairs; the others are carried over.
    Imported {
        set_version: u32,
        benchmarks: Vec<Benchmark>,
        replaced: Vec<(VerticalId, u16)>,
        by: Option<UserId>,
        at: DateTime<Utc>,
    },
}

domain_event!(BenchmarkSetEvent: Imported => "benchmark_set.imported");
