//! The command line: one file a command, each with its arguments and what it does.
//!
//! To add one: a file beside this one with a struct that derives [`clap::Args`] and a
//! `pub(super) async fn run(self, config: Config) -> anyhow::Result<ExitCode>`, a variant of [`Command`], and an arm
//! in [`Command::run`]; [`help`] says in which group `ddc --help` shows it.

mod contracts;
mod create_admin;
mod demo;
mod help;
mod history;
mod imports;
mod journal;
mod load;
mod migrate;
mod progress;
mod projections;
mod serve;
mod servers;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::app::{App, Work};
use crate::built_in::Part;
use crate::config::Config;
use crate::tenant::Tenant;
use crate::{embedded, telemetry};

/// How long a command waits for the read models: longer than a dead node's claims hold.
const SETTLE_WITHIN: std::time::Duration = std::time::Duration::from_secs(60);

/// Event-sourced backend for firms that diagnose, price, propose and deliver operational change.
#[derive(Debug, Parser)]
#[command(name = "ddc", version)]
struct Cli {
    /// Stop when the process that started this one, which must be this, ends, however it ends
    #[arg(long, global = true, hide = true, value_name = "PROCESS")]
    stop_with_parent: Option<i32>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API
    Serve(serve::Serve),
    /// Bring the tables of the journal up to date, and make those of new read models
    Migrate(migrate::Migrate),
    /// Make a user with the role ADMIN, or give one a new password
    #[command(name = "create_admin")]
    CreateAdmin(create_admin::CreateAdmin),
    /// Load the process verticals that are built in
    #[command(name = "load_verticals")]
    LoadVerticals(load::Load),
    /// Load the industry types that are built in
    #[command(name = "load_industry_types")]
    LoadIndustryTypes(load::Load),
    /// Load the currencies that are built in
    #[command(name = "load_default_currencies")]
    LoadDefaultCurrencies(load::Load),
    /// Load the regions that are built in
    #[command(name = "load_regions")]
    LoadRegions(load::Load),
    /// List the read models, show how far they are, rebuild them from the journal
    Projections(projections::Projections),
    /// Prove that nothing in the journal was changed, lost or put in, and note how far it goes
    Journal(journal::Journal),
    /// Show the events of one thing, oldest first
    History(history::History),
    /// Write the OpenAPI document and the JSON Schema of every event
    Contracts(contracts::Contracts),
    /// Import questions from a JSON file
    #[command(name = "import_questionnaire_snapshot")]
    ImportQuestions(imports::ImportQuestions),
    /// Import validation rules from a JSON file
    #[command(name = "import_validation_rules_json")]
    ImportRules(imports::ImportRules),
    /// Import questions that are answered by a score from 1 to 5, from a JSON or CSV file
    #[command(name = "import_review_questions")]
    ImportReviewQuestions(imports::ImportReviewQuestions),
    /// Import benchmarks from a CSV file
    #[command(name = "import_benchmarks")]
    ImportBenchmarks(imports::ImportBenchmarks),
    /// Import opportunity templates from a JSON file
    #[command(name = "import_opportunity_templates")]
    ImportTemplates(imports::ImportTemplates),
    /// Write the current benchmarks as CSV that can be imported again
    #[command(name = "extract_benchmarks")]
    ExtractBenchmarks(imports::ExtractBenchmarks),
    /// Play one whole engagement against a running server and tell what happened
    Demo(demo::Demo),
    /// Development: private servers for other programs
    Servers(servers::Servers),
}

impl Command {
    async fn run(self, config: Config) -> Result<ExitCode> {
        match self {
            Self::Serve(command) => command.run(config).await,
            Self::Migrate(command) => command.run(config).await,
            Self::CreateAdmin(command) => command.run(config).await,
            Self::LoadVerticals(command) => command.run(config, Part::Verticals).await,
            Self::LoadIndustryTypes(command) => command.run(config, Part::IndustryTypes).await,
            Self::LoadDefaultCurrencies(command) => command.run(config, Part::Currencies).await,
            Self::LoadRegions(command) => command.run(config, Part::Regions).await,
            Self::Projections(command) => command.run(config).await,
            Self::Journal(command) => command.run(config).await,
            Self::History(command) => command.run(config).await,
            Self::Contracts(command) => command.run(),
            Self::ImportQuestions(command) => command.run(config).await,
            Self::ImportRules(command) => command.run(config).await,
            Self::ImportReviewQuestions(command) => command.run(config).await,
            Self::ImportBenchmarks(command) => command.run(config).await,
            Self::ImportTemplates(command) => command.run(config).await,
            Self::ExtractBenchmarks(command) => command.run(config).await,
            Self::Demo(command) => command.run().await,
            Self::Servers(command) => command.run(config).await,
        }
    }
}

/// Runs the command that the arguments name; an error goes to standard error in one line and the exit code is 1.
#[must_use]
pub fn main() -> ExitCode {
    match start(help::parse()) {
        Ok(code) => code,
        Err(error) => {
            // With standard error closed there is nobody left to tell.
            let _ = writeln!(std::io::stderr(), "ddc: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(cli: Cli) -> Result<ExitCode> {
    if let Some(parent) = cli.stop_with_parent {
        embedded::stop_with_parent(parent)?;
    }
    let config = Config::from_env()?;
    telemetry::start(config.log.format, config.log.filter.as_deref())?;
    let runtime = tokio::runtime::Runtime::new().context("the runtime cannot be started")?;
    // On this thread, which lives as long as the process: children are tied to the thread that starts them.
    runtime.block_on(cli.command.run(config))
}

/// Runs the read models until they show a position, so that what a command did is there when it returns. Beside a
/// running server that is the server's work; without one it is done here.
async fn settle(app: &App, position: Option<i64>) -> Result<()> {
    let Some(position) = position else { return Ok(()) };
    let work = Work::project(&app.tenant);
    for projection in app.tenant.projections.iter() {
        let Tenant { pool, progress, .. } = &app.tenant;
        let reached = progress.wait(pool, projection.name(), position, SETTLE_WITHIN).await;
        reached.with_context(|| format!("{} has not reached position {position}", projection.name()))?;
    }
    work.stop().await;
    Ok(())
}
