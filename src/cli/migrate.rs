//! `ddc migrate`: the database's tables.

use std::{io::Write, process::ExitCode};

use anyhow::Result;
use clap::Args;

use crate::{app::App, backing::Backing, config::Config};

/// Bring the tables of the journal up to date, and make those of new read models
///
/// The server does it too when it starts; this does it before, e.g. ahead of a deployment.
#[derive(Debug, Args)]
pub(super) struct Migrate {}

impl Migrate {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let backing = Backing::for_command(&config)?;
        let app = App::open(config, &backing).await?;
        let pool = &app.tenant.pool;
        let latest: i64 = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(pool).await?;
        let head = runtime::feed::head(pool).await?;
        let models = app.tenant.projections.len();
        writeln!(
            std::io::stdout(),
            "the database is at migration {latest:04}, with {models} read models; the journal ends at position {head}"
        )?;
        Ok(ExitCode::SUCCESS)
    }
}
