//! `ddc projections`: the read models, what state they are in, and building them anew.

use std::{io::Write, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use runtime::{Projection, rebuild::Report};

use super::progress::Progress;
use crate::{app::App, backing::Backing, config::Config, tenant::Tenant};

/// List the read models, show how far they are, rebuild them from the journal
///
/// Examples:
///   ddc projections status
///   ddc projections rebuild dashboard
///   ddc projections rebuild --all
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Projections {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The read models with their versions and tables
    List,
    /// How far each is, and how many events it has parked; exit with 1 when one has
    Status,
    /// Build anew beside the live one, compare, and change places; exit with 1 when they differ
    Rebuild(Rebuild),
    /// Try the parked events of a read model again; exit with 1 when some stay parked
    Retry {
        /// The read model
        name: String,
    },
}

#[derive(Debug, Args)]
struct Rebuild {
    /// The read model
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    name: Option<String>,
    /// All of them, one after another
    #[arg(long)]
    all: bool,
}

impl Projections {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let backing = Backing::for_command(&config)?;
        let app = App::open(config, &backing).await?;
        match self.command {
            Command::List => list(&app.tenant),
            Command::Status => status(&app.tenant).await,
            Command::Rebuild(Rebuild { name, .. }) => rebuild(&app.tenant, name.as_deref()).await,
            Command::Retry { name } => retry(&app.tenant, &name).await,
        }
    }
}

fn find<'a>(tenant: &'a Tenant, name: &str) -> Result<&'a dyn Projection> {
    let found = tenant.projections.iter().find(|projection| projection.name() == name);
    found.map(AsRef::as_ref).with_context(|| format!("there is no read model {name}; see `ddc projections list`"))
}

fn list(tenant: &Tenant) -> Result<ExitCode> {
    let mut out = std::io::stdout();
    for projection in tenant.projections.iter() {
        let kinds = projection.kinds();
        let reads = if kinds.is_empty() { "everything".to_owned() } else { kinds.join(", ") };
        let (name, version, tables) = (projection.name(), projection.version(), projection.tables().join(", "));
        writeln!(out, "{name:<28} version {version:<3} reads {reads}; tables {tables}")?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn status(tenant: &Tenant) -> Result<ExitCode> {
    let mut out = std::io::stdout();
    let head = runtime::feed::head(&tenant.pool).await?;
    let parked: Vec<(String, i64)> =
        sqlx::query_as("SELECT reader, count(*) FROM parked_events GROUP BY reader").fetch_all(&tenant.pool).await?;
    writeln!(out, "the journal ends at position {head}")?;
    for projection in tenant.projections.iter() {
        let name = projection.name();
        let key = projection.reader();
        let checkpoint = runtime::checkpoint::load(&tenant.pool, &key).await?;
        let (position, version) = checkpoint.map_or((0, 0), |checkpoint| (checkpoint.position, checkpoint.version));
        let stale = if version == projection.version() { "" } else { ", yet to be built for its new version" };
        let parked = parked.iter().find(|(reader, _)| *reader == key).map_or(0, |(_, count)| *count);
        let behind = head.saturating_sub(position);
        writeln!(out, "{name:<28} position {position:>10}, {behind} behind, {parked} parked{stale}")?;
    }
    Ok(if parked.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn retry(tenant: &Tenant, name: &str) -> Result<ExitCode> {
    let projection = find(tenant, name)?;
    let (applied, still) = runtime::runner::retry(&tenant.pool, tenant.journal.codec(), projection).await?;
    writeln!(std::io::stdout(), "{name}: {applied} events applied, {still} still parked")?;
    Ok(if still == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn rebuild(tenant: &Tenant, name: Option<&str>) -> Result<ExitCode> {
    let chosen: Vec<&dyn Projection> = match name {
        Some(name) => vec![find(tenant, name)?],
        None => tenant.projections.iter().map(AsRef::as_ref).collect(),
    };
    if chosen.is_empty() {
        bail!("there are no read models");
    }
    let mut equal = true;
    for projection in chosen {
        let mut progress = Progress::new(projection.name());
        let codec = tenant.journal.codec();
        let report =
            runtime::rebuild::rebuild(&tenant.pool, codec, projection, &mut |advance| progress.show(advance)).await;
        progress.end();
        let report = report.with_context(|| format!("{} could not be rebuilt", projection.name()))?;
        equal &= report.differing.as_ref().is_none_or(Vec::is_empty);
        writeln!(std::io::stdout(), "{}", told(projection.name(), &report))?;
    }
    Ok(if equal { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(name: &str, report: &Report) -> String {
    let Report { position, events, rows, elapsed, differing } = report;
    let comparison = match differing.as_deref() {
        None => "nothing to compare with at that position".to_owned(),
        Some([]) => "equal to the live one".to_owned(),
        Some(tables) => format!("DIFFERENT from the live one in {}", tables.join(", ")),
    };
    let seconds = elapsed.as_millis();
    let rate = u128::from(*events).saturating_mul(1000).checked_div(seconds).unwrap_or_default();
    format!(
        "{name}: rebuilt to position {position} from {events} events in {seconds} ms ({rate} events/s), {rows} rows: \
         {comparison}"
    )
}
