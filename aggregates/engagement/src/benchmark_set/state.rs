use chrono::{DateTime, Utc};
use kernel::{Resource, Stamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::BenchmarkSetEvent;
use crate::benchmark::{Benchmark, Benchmarks};

/// The benchmark set as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum BenchmarkSet {
    #[default]
    NotYet,
    Filled(Benchmarks),
}

/// The benchmark set as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BenchmarkSetView {
    pub set_version: u32,
    pub benchmarks: Vec<Benchmark>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

impl BenchmarkSet {
    /// The current version with its rows; version 0 without rows before the first import.
    #[must_use]
    pub fn benchmarks(&self) -> Benchmarks {
        match self {
            Self::NotYet => Benchmarks::default(),
            Self::Filled(benchmarks) => benchmarks.clone(),
        }
    }

    pub(super) fn record(&mut self, event: BenchmarkSetEvent) {
        let BenchmarkSetEvent::Imported { set_version, benchmarks, replaced, .. } = event;
        let mut all = match std::mem::take(self) {
            Self::NotYet => Benchmarks::default(),
            Self::Filled(all) => all,
        };
        all.set_version = set_version;
        all.rows.retain(|row| !replaced.contains(&(row.vertical_id, row.year)));
        all.rows.extend(benchmarks);
        for row in &mut all.rows {
            row.set_version = set_version;
        }
        *self = Self::Filled(all);
    }
}

impl Resource for BenchmarkSet {
    type State = Self;
    type View = BenchmarkSetView;

    fn state(&self) -> &Self {
        self
    }

    fn record(state: &mut Self, event: BenchmarkSetEvent) {
        state.record(event);
    }

    fn view(state: &Self, stamp: &Stamp) -> Option<BenchmarkSetView> {
        let Self::Filled(all) = state else { return None };
        Some(BenchmarkSetView {
            set_version: all.set_version,
            benchmarks: all.rows.clone(),
            updated_at: stamp.updated_at,
            version: stamp.version,
        })
    }
}
