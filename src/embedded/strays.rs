//! What a command has started and what might outlive it.
//!
//! A process group alone does not do: a program may leave it, and when we and the group's guard were killed together
//! nobody knows the group's number any more. So a command also carries a mark in its environment, which all that it
//! starts inherits, and which tells the next start what an earlier one has left behind. No number is kept that could
//! belong to somebody else by then.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpgid, getpid};

use super::child::{is_gone, wait_until};

/// The variable that marks a command, with the folder of its servers.
pub(super) const MARK: &str = "DDC_SERVERS_FOLDER";
/// How long strays have to end in order before they are killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// The processes that a command has started, as far as they still run.
#[derive(Debug)]
pub(super) struct Strays {
    mark: Vec<u8>,
    group: Option<Pid>,
}

impl Strays {
    /// Those of the command that ran with the servers of `folder`.
    pub(super) fn of(folder: &Path) -> Self {
        let mark = [MARK.as_bytes(), b"=", folder.as_os_str().as_encoded_bytes()].concat();
        Self { mark, group: None }
    }

    /// And those of this process group, but for its leader.
    pub(super) fn and_of_group(mut self, group: Pid) -> Self {
        self.group = Some(group);
        self
    }

    /// Ends them: in order, and what does not end, by force.
    pub(super) fn end(&self) {
        let signalled = |signal| {
            let running = self.running();
            for pid in &running {
                // An error means that it ended a moment ago.
                let _ = kill(*pid, signal);
            }
            running.is_empty()
        };
        if signalled(Signal::SIGTERM) || wait_until(PATIENCE, || self.running().is_empty()) {
            return;
        }
        tracing::warn!("killing what a command has left running");
        // Again and again: what is not killed yet may start others.
        if !wait_until(PATIENCE, || signalled(Signal::SIGKILL)) {
            tracing::error!(processes = ?self.running(), "cannot be killed");
        }
    }

    fn running(&self) -> Vec<Pid> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw));
        pids.filter(|pid| *pid != getpid() && self.is_one(*pid) && !is_gone(*pid)).collect()
    }

    fn is_one(&self, pid: Pid) -> bool {
        if self.group.is_some_and(|group| pid != group && getpgid(Some(pid)) == Ok(group)) {
            return true;
        }
        // What belongs to another account cannot be read, and is not ours.
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == self.mark)
    }
}
