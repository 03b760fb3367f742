//! `ddc journal`: whether the journal can be trusted.

use std::{io::Write, process::ExitCode, time::Instant};

use anyhow::{Result, anyhow};
use clap::{Args, Subcommand};
use runtime::rebuild::Advance;

use super::progress::Progress;
use crate::{
    app::App,
    backing::Backing,
    config::Config,
    journal::{
        chain::Hash,
        verify::{self, Failure, Range},
    },
    tenant::Tenant,
};

/// Prove that nothing in the journal was changed, lost or put in, and note how far it goes
///
/// The proof is as good as what it is held against: note the head from time to time, in a place that whoever might
/// change the journal cannot reach, and give it to `verify`. Without it, a journal that was cut off or rewritten as a
/// whole looks like one that was always so.
///
/// Examples:
///   ddc journal head
///   ddc journal verify
///   ddc journal verify --from 1000000
///   ddc journal verify --head 5f1c…
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Journal {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The last position, and the hash that vouches for all up to it
    Head,
    /// Check every hash, the chain, the positions and the order of each stream; exit with 1 at the first damage
    Verify(Verify),
}

#[derive(Debug, Args)]
struct Verify {
    /// The first position to check; a stream's order is then checked from its first event in the range on
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..))]
    from: i64,
    /// The last position to check; the journal's last without
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..))]
    to: Option<i64>,
    /// A hash that `ddc journal head` once told: it must be in the range that is checked
    #[arg(long, value_parser = hash)]
    head: Option<Hash>,
}

fn hash(text: &str) -> Result<Hash> {
    let wrong = || anyhow!("write the 64 hexadecimal digits that `ddc journal head` told");
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return Err(wrong());
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits)?, 16).map_err(|_| wrong())?;
    }
    Ok(hash)
}

impl Journal {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let backing = Backing::for_command(&config)?;
        let app = App::open(config, &backing).await?;
        match self.command {
            Command::Head => head(&app.tenant).await,
            Command::Verify(verify) => verify.run(&app.tenant).await,
        }
    }
}

async fn head(tenant: &Tenant) -> Result<ExitCode> {
    let head = verify::head(&tenant.pool).await?;
    writeln!(std::io::stdout(), "position {}\nhash     {}", head.position, hex(&head.hash))?;
    Ok(ExitCode::SUCCESS)
}

impl Verify {
    async fn run(self, tenant: &Tenant) -> Result<ExitCode> {
        let (mut progress, started) = (Progress::new("journal"), Instant::now());
        let range = Range { from: self.from, to: self.to, head: self.head };
        let outcome = verify::verify(&tenant.pool, range, &mut |done, target| {
            progress.show(Advance { position: done, target, events: done.unsigned_abs(), elapsed: started.elapsed() });
        })
        .await;
        progress.end();
        let mut out = std::io::stdout();
        match outcome {
            Ok(verified) => {
                let spent = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                let rate = verified.events.saturating_mul(1000).checked_div(spent).unwrap_or_default();
                writeln!(
                    out,
                    "positions {} to {}: {} events in {} appends are as they were written ({spent} ms, {rate} events/s)\n\
                     head {}",
                    verified.first,
                    verified.last,
                    verified.events,
                    verified.blocks,
                    hex(&verified.hash)
                )?;
                Ok(ExitCode::SUCCESS)
            }
            Err(Failure::Damaged(damage)) => {
                writeln!(out, "DAMAGED: {damage}")?;
                Ok(ExitCode::FAILURE)
            }
            Err(Failure::Unavailable(error)) => Err(error.into()),
        }
    }
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
