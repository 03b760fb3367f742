//! A server in a process of its own: `ddc serve`, or a peer.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use ddc::{auth::Tokens, config::Secret, embedded::TemporaryFolder};
use kernel::Role;
use sqlx::{Connection as _, PgConnection};
use tokio::process::{Child, Command};

use crate::{
    http_load::{self, Connection},
    prepared,
    servers::{self, KEY},
    stream,
};

/// A server that is not there by then never will be.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server; it ends with this value.
pub(crate) struct Node {
    process: Child,
    pub(crate) address: SocketAddr,
    /// From the start to the first answer.
    pub(crate) started_within: Duration,
    _data: Option<TemporaryFolder>,
}

/// A program of the same build as this one.
fn program(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "{} is not there: build it in the same way", path.display());
    Ok(path)
}

/// A port that was free a moment ago.
fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

impl Node {
    /// `ddc serve` on a prepared database, with a stream of that name, as a whole node or with some of the roles.
    pub(crate) async fn ddc(database_url: &str, nats_url: &str, name: &str, roles: Option<&str>) -> Result<Self> {
        let tenant = servers::tenant(database_url, Vec::new()).await?;
        let stream = stream::for_journal(nats_url, name, &tenant).await?;
        tenant.pool.close().await;
        let (address, data) = (free()?, TemporaryFolder::new()?);
        let mut command = Command::new(program("ddc")?);
        command.args(["--stop-with-parent", &std::process::id().to_string(), "serve"]).env_clear().envs([
            ("DATABASE_URL", database_url),
            ("NATS_URL", nats_url),
            ("DDC_STREAM", stream.stream()),
            ("DDC_LISTEN", &address.to_string()),
            ("SECRET_KEY", KEY),
            ("DDC_MASTER_KEY", KEY),
            ("RUST_LOG", "warn"),
        ]);
        command.env("DDC_DATA", data.path()).current_dir(data.path());
        command.envs(roles.map(|roles| ("DDC_ROLES", roles)));
        Self::start(command, address, Some(data), "/health/live/").await
    }

    /// One of the peers that this program can be.
    pub(crate) async fn peer(arguments: &[&str]) -> Result<Self> {
        let address = free()?;
        let mut command = Command::new(program("bench")?);
        command.arg("--serve").args(arguments).args(["--listen", &address.to_string()]);
        command.args(["--parent", &std::process::id().to_string()]);
        Self::start(command, address, None, "/health/live/").await
    }

    async fn start(
        mut command: Command,
        address: SocketAddr,
        data: Option<TemporaryFolder>,
        path: &str,
    ) -> Result<Self> {
        let started = Instant::now();
        let process = command.stdin(Stdio::null()).kill_on_drop(true).spawn().context("a server cannot be started")?;
        let mut node = Self { process, address, started_within: Duration::ZERO, _data: data };
        let request = http_load::get(path, "");
        loop {
            if let Ok(mut connection) = Connection::open(address).await {
                connection.send(&request).await?;
                node.started_within = started.elapsed();
                return Ok(node);
            }
            if let Some(status) = node.process.try_wait()? {
                anyhow::bail!("the server ended while it started: {status}");
            }
            ensure!(started.elapsed() < PATIENCE, "the server does not answer");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The memory that it holds (bytes).
    pub(crate) fn memory(&self) -> Result<u64> {
        let pid = self.process.id().context("the server has ended")?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
        Ok(kilobytes * 1024)
    }

    /// Ends it in order.
    pub(crate) async fn stop(mut self) -> Result<()> {
        if let Some(pid) = self.process.id() {
            let pid = nix::unistd::Pid::from_raw(i32::try_from(pid)?);
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM)?;
        }
        if tokio::time::timeout(PATIENCE, self.process.wait()).await.is_err() {
            self.process.kill().await?;
        }
        Ok(())
    }
}

/// Waits until all readers of a journal have read all of it: until then their node takes from whoever is measured next.
pub(crate) async fn rest(database_url: &str) -> Result<()> {
    let mut connection = PgConnection::connect(database_url).await?;
    let started = Instant::now();
    loop {
        let behind: i64 = sqlx::query_scalar(
            "SELECT position - LEAST((SELECT min(position) FROM main.checkpoints), (SELECT min(position) FROM main.consumers))
             FROM main.journal_head",
        )
        .fetch_one(&mut connection)
        .await?;
        if behind <= 0 {
            return Ok(connection.close().await?);
        }
        ensure!(started.elapsed() < PATIENCE, "a node does not come to rest: {behind} events are left");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What the ADMIN of a prepared journal sends along.
pub(crate) fn token() -> Result<String> {
    let tokens = Tokens::new(&Secret::new(KEY), Duration::from_secs(24 * 3600));
    Ok(tokens.make(prepared::admin()?, Role::Admin, prepared::ADMIN, 1)?)
}
