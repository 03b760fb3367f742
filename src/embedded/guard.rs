//! A small process beside a command that ends what the command has started when we cannot: after a `kill -9`.
//!
//! The kernel's parent-death signal reaches our own children only, not the programs that they have started (cargo's
//! test binary). The guard waits at a pipe that closes when we end, however we end. It leads the command's process group, so
//! that the group's number stays taken for as long as it may be needed.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, getpid};
use tokio::signal::unix::{SignalKind, signal};

use super::child::pid_of;
use super::strays::Strays;

/// What the guard says once nothing but SIGKILL can end it any more.
const READY: &str = "ready";

/// A running guard. Dropping it ends all that the command has started, and the guard.
pub(super) struct Guard {
    process: Child,
    _held: ChildStdin,
    group: Pid,
    strays: Strays,
}

impl Guard {
    /// Starts one for a command that runs with the servers of `folder`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        // Not by its path: a build may put another program there at any time.
        let mut command = Command::new("/proc/self/exe");
        command.args(["servers", "guard"]).arg(folder).process_group(0);
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the guard of a command cannot be started")?;
        let held = process.stdin.take().context("the guard has no pipe")?;
        let said = process.stdout.take().context("the guard has no voice")?;
        let group = pid_of(process.id())?;
        let guard = Self { process, _held: held, group, strays: Strays::of(folder).and_of_group(group) };
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        ensure!(line.trim() == READY, "the guard of a command is not ready");
        Ok(guard)
    }

    /// The process group that the command must join.
    pub(super) fn group(&self) -> Pid {
        self.group
    }

    /// Sends a signal to the command and all that has not left its group.
    pub(super) fn signal(&self, signal: Signal) {
        // An error means that nobody is left.
        let _ = killpg(self.group, signal);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.strays.end();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the guard itself does: waits for the end of the process that has started it.
///
/// # Errors
/// When the system refuses to let it.
pub async fn guard(folder: &Path) -> Result<()> {
    // Taken, and never looked at: what ends the group in order must not end the guard.
    let _deaf = [
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
        signal(SignalKind::quit())?,
    ];
    let mut out = std::io::stdout();
    writeln!(out, "{READY}")?;
    out.flush()?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Strays::of(folder).and_of_group(getpid()).end();
    Ok(())
}
