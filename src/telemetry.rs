//! What the process says about itself while it runs.

use std::io::{IsTerminal, stderr};

use anyhow::{Result, anyhow};
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// What is logged when nothing else is asked for: our own steps, and of the libraries only what went wrong.
const DEFAULT_FILTER: &str = "warn,ddc=info";

/// Sends logs to standard error (standard output belongs to what a command answers), as lines for people or as one
/// JSON object a line. `filter` is in the syntax of `RUST_LOG`.
///
/// # Errors
/// When the filter is malformed, or it has been called before.
pub fn start(format: LogFormat, filter: Option<&str>) -> Result<()> {
    let filter = EnvFilter::try_new(filter.unwrap_or(DEFAULT_FILTER))
        .map_err(|error| anyhow!("RUST_LOG is malformed ({error}): write for example `info,ddc=debug`"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    match format {
        LogFormat::Human => builder.with_ansi(stderr().is_terminal()).with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    }
    .map_err(|error| anyhow!("logging cannot be started: {error}"))
}
