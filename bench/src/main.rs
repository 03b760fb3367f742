//! DDC measured beside its peers, on servers of its own: `make bench`.

mod bench;
mod chained;
mod dossier;
mod goals;
mod http_load;
mod machine;
mod measure;
mod node;
mod peers;
mod pgbench;
mod prepared;
mod progress;
mod report;
mod scale;
mod seed;
mod servers;
mod slow_disk;
mod stream;
mod vanilla;
mod w1_commands;
mod w2_rebuild;
mod w3_lag;
mod w4_reads;
mod w5_http_commands;
mod w6_growth;
mod w7_relay;
mod writers;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, ValueEnum};

use bench::Bench;
use machine::Machine;
use peers::Serve;
use report::Results;
use scale::Scale;

/// As in the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measure DDC beside its peers, and write what was found
#[derive(Debug, Parser)]
struct Arguments {
    /// How much is measured
    #[arg(long, value_enum, default_value = "1m")]
    scale: Scale,
    /// Only these measurements, e.g. W1,W3
    #[arg(long, value_enum, value_delimiter = ',', ignore_case = true)]
    only: Vec<Measurement>,
    /// Only contestants whose key holds this text, e.g. `ddc.32`: to look at one of them with a profiler
    #[arg(long)]
    matching: Option<String>,
    /// How often each measurement is taken, if not as often as the scale says
    #[arg(long)]
    rounds: Option<usize>,
    /// Where to write the results
    #[arg(long, default_value = "bench/RESULTS.md")]
    output: PathBuf,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measurement {
    /// Commands to small streams
    #[value(name = "W1")]
    Commands,
    /// Commands where a flush takes a millisecond more
    #[value(name = "slow")]
    SlowDisk,
    /// Rebuilding read models
    #[value(name = "W2")]
    Rebuild,
    /// From a command to its effect
    #[value(name = "W3")]
    Lag,
    /// Reads over HTTP
    #[value(name = "W4")]
    Reads,
    /// Commands over HTTP
    #[value(name = "W5")]
    HttpCommands,
    /// Growth
    #[value(name = "W6")]
    Growth,
    /// The relay
    #[value(name = "W7")]
    Relay,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(peer) = arguments.serve.serve {
        return actix_web::rt::System::new().block_on(peers::serve(peer, &arguments.serve));
    }
    let bench = Bench::new(arguments.scale, arguments.rounds, arguments.matching.clone())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, run(&bench, &arguments))
}

async fn run(bench: &Bench, arguments: &Arguments) -> Result<()> {
    let machine = Machine::look(&bench.postgres).await?;
    let mut results = Results::default();
    for measurement in Measurement::value_variants() {
        if !arguments.only.is_empty() && !arguments.only.contains(measurement) {
            continue;
        }
        let section = match measurement {
            Measurement::Commands => w1_commands::measure(bench).await?,
            Measurement::SlowDisk => slow_disk::measure(bench).await?,
            Measurement::Rebuild => w2_rebuild::measure(bench).await?,
            Measurement::Lag => w3_lag::measure(bench).await?,
            Measurement::Reads => w4_reads::measure(bench).await?,
            Measurement::HttpCommands => w5_http_commands::measure(bench).await?,
            Measurement::Growth => w6_growth::measure(bench).await?,
            Measurement::Relay => w7_relay::measure(bench).await?,
        };
        results.0.push(section);
        // After each, so that a run that is stopped leaves what it has found.
        std::fs::write(&arguments.output, report::page(&results, &machine, bench)?)?;
    }
    bench.progress.note(format!("written to {}", arguments.output.display()));
    Ok(())
}
