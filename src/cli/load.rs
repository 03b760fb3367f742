//! `ddc load_verticals` and its likes: what every installation begins with.

use std::{io::Write, process::ExitCode};

use anyhow::Result;
use clap::Args;

use crate::{
    app::App,
    backing::Backing,
    built_in::{self, Part, Present},
    config::Config,
};

/// Load what is built in; a row that was changed becomes as it was built, a deleted one stays deleted
#[derive(Debug, Args)]
pub(super) struct Load {}

impl Load {
    pub(super) async fn run(self, config: Config, part: Part) -> Result<ExitCode> {
        let backing = Backing::for_command(&config)?;
        let app = App::open(config, &backing).await?;
        let counts = built_in::load(&app.tenant.journal, part, Present::Replaced).await?;
        super::settle(&app, counts.position).await?;
        for error in &counts.errors {
            writeln!(std::io::stderr(), "{error}")?;
        }
        let (created, updated, unchanged) = (counts.created, counts.updated, counts.unchanged);
        let errors = counts.errors.len();
        writeln!(std::io::stdout(), "{created} created, {updated} updated, {unchanged} unchanged, {errors} errors")?;
        Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
