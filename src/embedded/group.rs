//! A command and everything it starts, as one group that ends with us.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::prctl;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::signal::unix::{SignalKind, signal};

use super::child;

/// How long a command has to end in order before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Lets this process be stopped in order (SIGTERM) when the process that started it ends, even by `kill -9`.
///
/// # Errors
/// When the system refuses.
pub fn stop_with_parent() -> Result<()> {
    prctl::set_pdeathsig(Signal::SIGTERM).context("the system does not tie a process to its parent")
}

/// Runs a command in a process group of its own, passes our Ctrl-C or SIGTERM on to the whole group, and leaves
/// nobody of the group behind. Answers the exit code that a shell would.
///
/// Must be called from the main thread: the command is tied to the thread that starts it.
///
/// # Errors
/// When the command cannot be started.
pub async fn run_group(program: &str, arguments: &[String], environment: &[(&str, &str)]) -> Result<u8> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().copied());
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    child::tie_to_this_thread(&mut command, Signal::SIGTERM, None);
    let mut process = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("`{program}` cannot be started"))?;
    let group = Group(child::pid_of(process.id().context("the command ended before it began")?)?);
    let received = tokio::select! {
        status = process.wait() => return Ok(exit_code(status?)),
        _ = interrupt.recv() => Signal::SIGINT,
        _ = terminate.recv() => Signal::SIGTERM,
        _ = hang_up.recv() => Signal::SIGHUP,
    };
    group.signal(received);
    let status = tokio::time::timeout(PATIENCE, process.wait()).await;
    drop(group);
    match status {
        Ok(status) => Ok(exit_code(status?)),
        Err(_) => Ok(exit_code(process.wait().await?)),
    }
}

/// Kills on drop whoever is left of a process group.
struct Group(Pid);

impl Group {
    fn signal(&self, signal: Signal) {
        // An error means that nobody is left.
        let _ = killpg(self.0, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}
