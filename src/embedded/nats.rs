//! A private NATS with JetStream: on a free port of 127.0.0.1, behind a token.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::child::{self, Child, POLL, Stage};
use super::programs::NatsProgram;
use super::{Durability, files, log};

const USER: &str = "ddc";
/// JetStream checks its store when it opens it.
const START_PATIENCE: Duration = Duration::from_secs(120);
const STAGES: &[Stage] = &[(Signal::SIGTERM, Duration::from_secs(10))];
/// The first version that can flush every message before it acknowledges it.
const SYNC_ALWAYS_SINCE: (u32, u32) = (2, 10);

/// A store that is ready to be served.
#[derive(Debug)]
pub(super) struct Nats {
    home: PathBuf,
    program: NatsProgram,
    password: String,
    log: PathBuf,
    durability: Durability,
    /// The port of the first start; a restart takes it again, so that clients find their way back.
    port: Option<u16>,
}

impl Nats {
    /// Finds the program and makes the folders.
    ///
    /// # Errors
    /// When the program is missing or the folders cannot be made.
    pub(super) fn prepare(data_dir: &Path, search: &[PathBuf], durability: Durability) -> Result<Self> {
        let home = data_dir.join("nats");
        files::private_folder(&home.join("ports"))?;
        let home = fs::canonicalize(home)?;
        let program = NatsProgram::find(search)?;
        if program.version < SYNC_ALWAYS_SINCE && durability == Durability::Full {
            tracing::warn!("this nats-server flushes to disk only every two minutes; 2.10 or newer flushes at once");
        }
        let password = files::secret(&data_dir.join("nats.password"))?;
        Ok(Self { home, program, password, log: data_dir.join("logs/nats.log"), durability, port: None })
    }

    /// The address, once started; it holds the token.
    pub(super) fn url(&self) -> Option<String> {
        self.port.map(|port| format!("nats://{USER}:{}@127.0.0.1:{port}", self.password))
    }

    /// Starts the server and waits until it takes connections.
    ///
    /// # Errors
    /// When it ends or is not ready in time; the message holds the end of its log.
    pub(super) fn start(&mut self) -> Result<Child> {
        self.stop_orphan()?;
        let ports = self.home.join("ports");
        for stale in fs::read_dir(&ports)?.flatten() {
            fs::remove_file(stale.path())?;
        }
        let config = self.home.join("nats.conf");
        files::write_private(&config, &self.config())?;
        let log = log::open(&self.log)?;
        let mut command = Command::new(&self.program.path);
        command.arg("--config").arg(&config).current_dir("/");
        command.env_clear().env("PATH", "/usr/bin:/bin");
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        child::tie_to_this_thread(&mut command, Signal::SIGTERM, None);
        let mut child = Child::spawn("nats-server", &mut command, STAGES)?;
        let file = ports.join(format!("nats-server_{}.ports", child.id()));
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            if let Some(port) = port_in(&file).filter(|port| greets(*port)) {
                self.port = Some(port);
                return Ok(child);
            }
            if let Some(status) = child.exited() {
                bail!("the private nats-server ended ({status}) while it started:\n{}", log::tail(&self.log));
            }
            ensure!(Instant::now() < deadline, "the private nats-server is not ready:\n{}", log::tail(&self.log));
            std::thread::sleep(POLL);
        }
    }

    fn config(&self) -> String {
        let port = self.port.map_or_else(|| "-1".to_owned(), |port| port.to_string());
        let home = quoted(&self.home);
        let sync = match self.durability {
            Durability::Full if self.program.version >= SYNC_ALWAYS_SINCE => "  sync_interval: always\n",
            _ => "",
        };
        format!(
            "server_name: ddc\n\
             listen: \"127.0.0.1:{port}\"\n\
             ports_file_dir: \"{home}/ports\"\n\
             pid_file: \"{home}/nats.pid\"\n\
             authorization {{ user: \"{USER}\", password: \"{}\" }}\n\
             jetstream {{\n  store_dir: \"{home}\"\n{sync}}}\n",
            self.password
        )
    }

    /// A kill of our process leaves its pid file; the process is ours only if it runs with our configuration.
    fn stop_orphan(&self) -> Result<()> {
        let Ok(text) = fs::read_to_string(self.home.join("nats.pid")) else { return Ok(()) };
        let Ok(pid) = text.trim().parse::<i32>() else { return Ok(()) };
        let command_line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let config = self.home.join("nats.conf");
        if command_line.split(|byte| *byte == 0).any(|word| word == config.as_os_str().as_encoded_bytes()) {
            child::stop_orphan("nats-server", Pid::from_raw(pid), STAGES)?;
        }
        Ok(())
    }
}

/// A path as it stands between double quotes in the configuration.
fn quoted(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"")
}

/// The port that the server says it took.
fn port_in(file: &Path) -> Option<u16> {
    let text = fs::read_to_string(file).ok()?;
    let ports: serde_json::Value = serde_json::from_str(&text).ok()?;
    ports.get("nats")?.get(0)?.as_str()?.rsplit(':').next()?.trim_end_matches('/').parse().ok()
}

/// Whether a NATS server answers there.
fn greets(port: u16) -> bool {
    let greeting = || -> Result<bool> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).context("no greeting")?;
        Ok(line.starts_with("INFO "))
    };
    greeting().unwrap_or(false)
}
