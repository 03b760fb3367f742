//! On what was measured.

use std::{fmt, fs};

use anyhow::Result;

use crate::servers::Postgres;

/// The machine, and the programs on it.
pub(crate) struct Machine {
    lines: Vec<String>,
}

impl Machine {
    pub(crate) async fn look(postgres: &Postgres) -> Result<Self> {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let cpu = field(&read("/proc/cpuinfo"), "model name").unwrap_or_default();
        let memory = field(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let settings = postgres.settings().await?;
        let settings = settings.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ");
        Ok(Self {
            lines: vec![
                format!("{cores} cores of {cpu}, {memory} of memory, Linux {}", read("/proc/sys/kernel/osrelease").trim()),
                "Servers, DDC, peers and load generators share these cores: a figure is for all of them together"
                    .to_owned(),
                format!(
                    "PostgreSQL, as DDC's private server (it keeps what a backend frees), over TCP on the loopback: \
                     {settings}"
                ),
                "NATS JetStream on disk, `sync_interval: always` unless it says otherwise".to_owned(),
                format!(
                    "DDC {} in release; peers: cqrs-es and postgres-es 0.5 (pool {}), pgbench -M prepared",
                    env!("CARGO_PKG_VERSION"),
                    crate::vanilla::CONNECTIONS
                ),
                "Load over HTTP comes from a client within the bench: one task a connection, requests prepared as bytes"
                    .to_owned(),
            ],
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(formatter, "- {line}."))
    }
}
