//! The limit that bare SQL sets: pgbench with the statements that any event store must send, prepared, each its own
//! transaction.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use ddc::embedded::TemporaryFolder;

use crate::measure::{Sample, percentile};

/// PostgreSQL allows 200 connections, some of which DDC and the peers hold meanwhile.
pub(crate) const CLIENTS_MOST: usize = 128;

/// It counts the time in which it opens its connections.
const SECONDS_LEAST: u64 = 3;

/// Debian keeps it off the PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The program, if the machine has it.
pub(crate) fn find() -> Option<PathBuf> {
    let mut folders = ddc::config::search_path();
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    folders.into_iter().map(|folder| folder.join("pgbench")).find(|program| program.exists())
}

/// One script on one database.
#[derive(Debug, Clone)]
pub(crate) struct Bench {
    pub(crate) program: PathBuf,
    pub(crate) url: String,
    /// In pgbench's language.
    pub(crate) script: String,
}

impl Bench {
    /// Transactions a second with so many clients; with a single one, each is timed.
    pub(crate) async fn run(&self, clients: usize, measure: Duration) -> Result<Sample> {
        let folder = TemporaryFolder::new()?;
        let script = folder.path().join("script.sql");
        fs::write(&script, &self.script)?;
        let mut command = tokio::process::Command::new(&self.program);
        command.args(["-n", "-M", "prepared", "-c", &clients.to_string(), "-j", &clients.min(2).to_string()]);
        command.args(["-T", &measure.as_secs().max(SECONDS_LEAST).to_string(), "-f"]).arg(&script);
        if clients == 1 {
            command.args(["--log", "--log-prefix", "transactions"]);
        }
        // A connection string that libpq reads as sqlx does.
        command.arg(&self.url).current_dir(folder.path()).stdin(Stdio::null());
        let output = command.output().await.context("pgbench cannot be started")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench failed: {errors}");
        let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        let value = rate.with_context(|| format!("pgbench says no rate: {text}{errors}"))?;
        let latencies = if clients == 1 { logged(folder.path())? } else { Vec::new() };
        Ok(Sample { value, p50: percentile(&latencies, 50), p99: percentile(&latencies, 99) })
    }
}

/// The third word of a line of the log is the transaction's time in microseconds.
fn logged(folder: &Path) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("transactions.")) {
            continue;
        }
        let text = fs::read_to_string(path)?;
        let micros = text.lines().filter_map(|line| line.split(' ').nth(2)?.parse().ok());
        latencies.extend(micros.map(Duration::from_micros));
    }
    latencies.sort_unstable();
    Ok(latencies)
}
