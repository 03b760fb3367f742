//! A child process that cannot outlive us: it is stopped in order on drop, and by the kernel when we are killed.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid, getppid};

/// How often a condition on another process is looked at.
pub(super) const POLL: Duration = Duration::from_millis(10);

/// A signal and how long it is given to work before the next, harsher one.
pub(super) type Stage = (Signal, Duration);

/// A running child. Dropping it stops it and waits for its end.
#[derive(Debug)]
pub(super) struct Child {
    name: &'static str,
    process: std::process::Child,
    stages: &'static [Stage],
}

impl Child {
    /// Starts `command` in a process group of its own, so that a Ctrl-C on the terminal reaches only us and we
    /// decide the order in which children stop.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub(super) fn spawn(name: &'static str, command: &mut Command, stages: &'static [Stage]) -> Result<Self> {
        command.process_group(0);
        let process = command.spawn().with_context(|| format!("{name} cannot be started: {command:?}"))?;
        Ok(Self { name, process, stages })
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its exit status once it has ended, by itself or by our hand.
    pub(super) fn exited(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().ok().flatten()
    }

    /// Stops it: each signal in turn, and SIGKILL at the end. Does nothing to a child that has ended.
    pub(super) fn stop(&mut self) {
        for (signal, patience) in self.stages {
            if self.exited().is_some() {
                return;
            }
            if let Ok(pid) = pid_of(self.id()) {
                // An error means that it ended a moment ago, which the wait below sees.
                let _ = kill(pid, *signal);
            }
            if wait_until(*patience, || self.exited().is_some()) {
                return;
            }
            tracing::warn!(server = self.name, %signal, "did not stop in time");
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Lets the kernel send `signal` to the program when the thread that starts it ends, however it ends. The caller
/// must therefore start it from a thread that lives as long as the child should. `inherit` is a directory handle
/// that the program keeps open under the same number.
#[expect(unsafe_code, reason = "pre_exec is the only way to set the parent-death signal of a child; see SAFETY")]
pub(super) fn tie_to_this_thread(command: &mut Command, signal: Signal, inherit: Option<Arc<File>>) {
    let parent = getpid();
    let tie = move || {
        prctl::set_pdeathsig(signal)?;
        if getppid() != parent {
            // We died between fork and prctl: nobody would ever send the signal.
            return Err(std::io::Error::from(nix::errno::Errno::ESRCH));
        }
        if let Some(directory) = &inherit {
            fcntl(directory.as_ref(), FcntlArg::F_SETFD(FdFlag::empty()))?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec only async-signal-safe calls are made (prctl, getppid, fcntl) and nothing is
    // allocated: an Errno becomes an io::Error without allocation.
    unsafe {
        command.pre_exec(tie);
    }
}

/// Waits for `condition`, at most for `patience`; answers whether it came true.
pub(super) fn wait_until(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(POLL);
    }
}

/// The process id in the type that signals take.
///
/// # Errors
/// When it is no process id.
pub(super) fn pid_of(id: u32) -> Result<Pid> {
    Ok(Pid::from_raw(i32::try_from(id).context("a process id is out of range")?))
}

/// Whether a process runs no more. One that has ended counts, even when whoever inherited it has not reaped it yet:
/// in a container that may never happen.
pub(super) fn is_gone(pid: Pid) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
    // The state follows the program's name, which stands in parentheses and may hold any character.
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    matches!(state, Some('Z' | 'X'))
}

/// Stops a server that an earlier, killed run of ours left behind. The kernel has told it to stop already, so it is
/// first given time to do so in order.
///
/// # Errors
/// When it is still there after SIGKILL.
pub(super) fn stop_orphan(name: &str, pid: Pid, stages: &[Stage]) -> Result<()> {
    let gone = || is_gone(pid);
    if wait_until(Duration::from_secs(3), gone) {
        return Ok(());
    }
    tracing::warn!(server = name, %pid, "stopping what an earlier run left behind");
    for (signal, patience) in stages {
        let _ = kill(pid, *signal);
        if wait_until(*patience, gone) {
            return Ok(());
        }
    }
    let _ = kill(pid, Signal::SIGKILL);
    anyhow::ensure!(wait_until(Duration::from_secs(5), gone), "{name} (process {pid}) of an earlier run does not stop");
    Ok(())
}
