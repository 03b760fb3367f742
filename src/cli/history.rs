//! `ddc history`: all that happened to one thing.

use std::{io::Write, process::ExitCode};

use anyhow::{Result, bail};
use clap::Args;
use runtime::Recorded;
use serde_json::json;

use crate::{app::App, backing::Backing, config::Config, history};

/// How many events are fetched at a time.
const CHUNK: i64 = 500;

/// Show the events of one thing, oldest first
///
/// Examples:
///   ddc history assessment 12
///   ddc history company 3 --json | jq .payload
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct History {
    /// The kind of thing, e.g. company, user, assessment, solution_costing, proposal, project
    aggregate: String,
    /// Its id
    id: String,
    /// One JSON object a line, with payload and metadata; personal data stays sealed
    #[arg(long)]
    json: bool,
}

impl History {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let backing = Backing::for_command(&config)?;
        let app = App::open(config, &backing).await?;
        let (pool, mut out) = (&app.tenant.pool, std::io::stdout());
        let mut after = 0;
        loop {
            let events = history::events(pool, &self.aggregate, &self.id, after, CHUNK).await?;
            for event in &events {
                writeln!(out, "{}", if self.json { object(event) } else { line(event) })?;
            }
            match events.last() {
                Some(last) => after = last.sequence,
                None if after == 0 => bail!("nothing has happened to {} {}", self.aggregate, self.id),
                None => return Ok(ExitCode::SUCCESS),
            }
        }
    }
}

fn line(event: &Recorded) -> String {
    let metadata = &event.metadata;
    let who = match (&metadata.user_id, &metadata.role) {
        (Some(user), Some(role)) => format!("{role} {user}"),
        (Some(user), None) => format!("user {user}"),
        (None, _) => "system".to_owned(),
    };
    let cause = metadata.causation_id.as_ref().map(|cause| format!(" because of {cause}")).unwrap_or_default();
    format!(
        "{:>5}  {}  {:<40} {who}, {}{cause}  (position {}, request {})",
        event.sequence,
        event.recorded_at.format("%Y-%m-%d %H:%M:%S%.3f"),
        event.event_type,
        metadata.command,
        event.position,
        metadata.correlation_id,
    )
}

fn object(event: &Recorded) -> String {
    json!({
        "position": event.position,
        "aggregate_type": event.aggregate_type,
        "aggregate_id": event.aggregate_id,
        "sequence": event.sequence,
        "event_type": event.event_type,
        "event_version": event.event_version,
        "payload": event.payload,
        "metadata": *event.metadata,
        "recorded_at": event.recorded_at,
    })
    .to_string()
}
