//! A command and everything it starts, as one group that ends with us.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getppid};
use tokio::signal::unix::{SignalKind, signal};

use super::child;
use super::guard::Guard;
use super::strays::{MARK, Strays};

/// How long a command has to end in order before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Lets this process be stopped in order (SIGTERM) when the process that started it, `parent`, ends, even by `kill -9`.
///
/// # Errors
/// When the parent has ended already, or the system refuses.
pub fn stop_with_parent(parent: i32) -> Result<()> {
    prctl::set_pdeathsig(Signal::SIGTERM).context("the system does not tie a process to its parent")?;
    // It may have ended before the line above: nobody would ever send the signal.
    ensure!(getppid() == Pid::from_raw(parent), "the process that started this one has ended");
    Ok(())
}

/// Ends what an earlier command with the servers of `folder` has left running. Only who serves the folder may do so:
/// nobody else knows that the earlier run is over.
///
/// # Errors
/// When there is no such folder.
pub fn end_strays(folder: &Path) -> Result<()> {
    Strays::of(&folder.canonicalize()?).end();
    Ok(())
}

/// The signals that ask us to stop, from the moment on that they are taken: none of them ends the process any more.
#[derive(Debug)]
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

impl Signals {
    /// Takes them.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn take() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::SIGINT,
            _ = self.terminate.recv() => Signal::SIGTERM,
            _ = self.hang_up.recv() => Signal::SIGHUP,
        }
    }
}

/// Runs a command with the servers of `folder` in a process group of its own, passes our Ctrl-C or SIGTERM on to the
/// whole group, and leaves nobody behind, also after a `kill -9` of ours. Answers the exit code that a shell would.
///
/// Must be called from the main thread: the command is tied to the thread that starts it.
///
/// # Errors
/// When the command cannot be started.
pub async fn run_group(
    mut signals: Signals,
    folder: &Path,
    program: &str,
    arguments: &[String],
    environment: &[(&str, &str)],
) -> Result<u8> {
    let folder = folder.canonicalize()?;
    let guard = Guard::start(&folder)?;
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().copied()).env(MARK, &folder);
    command.process_group(guard.group().as_raw());
    child::tie_to_this_thread(&mut command, Signal::SIGTERM, None);
    let mut process = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("`{program}` cannot be started"))?;
    let received = tokio::select! {
        status = process.wait() => return Ok(exit_code(status?)),
        signal = signals.next() => signal,
    };
    guard.signal(received);
    let status = tokio::time::timeout(PATIENCE, process.wait()).await;
    // Ends the command too, if it has not ended.
    drop(guard);
    match status {
        Ok(status) => Ok(exit_code(status?)),
        Err(_) => Ok(exit_code(process.wait().await?)),
    }
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}
