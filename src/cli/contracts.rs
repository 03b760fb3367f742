//! `ddc contracts`: what others may rely on, as files.

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use crate::contracts;

/// Write the OpenAPI document and the JSON Schema of every event
///
/// Examples:
///   ddc contracts            write what has changed below openapi/
///   ddc contracts --check    change nothing, and exit with 1 when something has
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Contracts {
    /// Only say what differs; exit with 1 when something does
    #[arg(long)]
    check: bool,
    /// The folder of the files
    #[arg(long, value_name = "FOLDER", default_value = "openapi")]
    out: PathBuf,
}

impl Contracts {
    pub(super) fn run(self) -> Result<ExitCode> {
        let folder = self.out.display();
        let context = || format!("the contracts in {folder}");
        let mut out = std::io::stdout();
        if self.check {
            let differing = contracts::differing(&self.out).with_context(context)?;
            for path in &differing {
                writeln!(out, "{folder}/{} differs from the code; `ddc contracts` writes it", path.display())?;
            }
            return Ok(if differing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        let written = contracts::write(&self.out).with_context(context)?;
        for path in &written {
            writeln!(out, "{folder}/{} was written", path.display())?;
        }
        if written.is_empty() {
            writeln!(out, "the contracts in {folder} are up to date")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
