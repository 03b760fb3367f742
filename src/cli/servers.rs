//! `ddc servers`: a private PostgreSQL and NATS for tests and other programs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use crate::config::{Config, search_path};
use crate::embedded::{self, Durability, Options};

#[derive(Debug, Args)]
pub(super) struct Servers {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a command with servers of its own: it finds them in DATABASE_URL and NATS_URL, and they end with it
    Run(Run),
    /// Say whether the private servers of the data folder run
    Status,
    /// End what `run` has started, once `run` itself has ended
    #[command(hide = true)]
    Guard {
        /// The folder of the servers
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Run {
    /// Keep the servers' data in this folder, and keep it safe (without: a temporary folder, not flushed to disk)
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Servers {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        match self.command {
            Command::Run(run) => run.run().await,
            Command::Status => status(&config.data),
            Command::Guard { folder } => embedded::guard(&folder).await.map(|()| ExitCode::SUCCESS),
        }
    }
}

impl Run {
    async fn run(self) -> Result<ExitCode> {
        let (program, arguments) = self.command.split_first().context("there is no command to run")?;
        let mut options = Options::new(search_path());
        let (_temporary, folder) = match self.data {
            Some(folder) => (None, folder),
            None => {
                options.durability = Durability::None;
                let temporary = embedded::TemporaryFolder::new()?;
                let folder = temporary.path().to_path_buf();
                (Some(temporary), folder)
            }
        };
        // Before the servers tell anybody that they run: whoever knows may ask us to stop, and we stop in order.
        let signals = embedded::Signals::take()?;
        let servers = embedded::Servers::start(&folder, &options)?;
        embedded::end_strays(&folder)?;
        let database_url = servers.database_url().context("the private PostgreSQL has no address")?;
        let nats_url = servers.nats_url().context("the private NATS has no address")?;
        let environment = [("DATABASE_URL", database_url), ("NATS_URL", nats_url)];
        let code = embedded::run_group(signals, &folder, program, arguments, &environment).await?;
        Ok(ExitCode::from(code))
    }
}

fn status(folder: &Path) -> Result<ExitCode> {
    let served_by = embedded::served_by(folder)?;
    let folder = folder.display();
    let text = match served_by {
        Some((pid, true)) => format!("the private servers of {folder} run, as children of process {pid}"),
        Some((pid, false)) => format!("the private servers of {folder} start or stop, under process {pid}"),
        None => format!("no private servers run for {folder}"),
    };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(if served_by.is_some() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}
