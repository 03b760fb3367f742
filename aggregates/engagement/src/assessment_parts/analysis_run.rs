use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use kernel::{RunId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Status;

/// The pipeline's steps, in order; each ends at a multiple of 20 percent (spec 13).
pub const STEPS: [&str; 5] = ["data_validation", "ble_execution", "narrative_creation", "sync", "persistence"];

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunStatus {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

/// Versions of what an analysis reads besides the answers, fixed when it was requested.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Pins {
    /// By the prompt's key.
    pub prompt_versions: BTreeMap<String, u32>,
    pub benchmark_set_version: u32,
}

/// One analysis, as `GET …/analysis-runs/` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnalysisRun {
    pub id: RunId,
    pub requested_at: DateTime<Utc>,
    pub requested_by: Option<UserId>,
    pub status: RunStatus,
    /// The last step completed; 0 before the first.
    pub step: u8,
    /// Percent.
    pub progress: u8,
    pub answers_hash: String,
    #[serde(flatten)]
    pub pins: Pins,
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub code: Option<String>,
    pub message: Option<String>,
    /// The state to return to when it comes to nothing.
    pub came_from: Status,
}

impl AnalysisRun {
    /// A run that has not ended after this long has failed (spec 8.3).
    #[must_use]
    pub fn deadline(&self) -> DateTime<Utc> {
        self.requested_at + Duration::minutes(30)
    }

    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.status, RunStatus::Succeeded | RunStatus::Failed | RunStatus::Cancelled)
    }
}
