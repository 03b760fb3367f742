//! Who serves a data folder: one process holds its lock, and tells the others where its servers are.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::files;

/// Where the servers of a data folder are. Holds their passwords.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Addresses {
    /// The process that holds the lock.
    pub(super) pid: u32,
    pub(super) database_url: Option<String>,
    pub(super) nats_url: Option<String>,
}

/// The lock on a data folder. The system releases it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    addresses: PathBuf,
}

impl Lock {
    /// Takes the lock; `None` when another process has it.
    ///
    /// # Errors
    /// When the lock file cannot be used.
    pub(super) fn take(data_dir: &Path) -> Result<Option<Self>> {
        let mut file = open(data_dir)?;
        if !locked(file.try_lock())? {
            return Ok(None);
        }
        let addresses = addresses_file(data_dir);
        // What a killed holder wrote is not true any more.
        files::remove_if_there(&addresses)?;
        file.set_len(0)?;
        file.rewind()?;
        write!(file, "{}", std::process::id())?;
        Ok(Some(Self { file, addresses }))
    }

    /// Tells the other processes where the servers are.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn publish(&self, addresses: &Addresses) -> Result<()> {
        files::write_private(&self.addresses, &serde_json::to_string_pretty(addresses)?)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = files::remove_if_there(&self.addresses) {
            tracing::warn!(%error, "the file with the servers' addresses stays behind");
        }
        // Not by closing the file alone: a program that another thread is just starting has it open until its exec.
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the data folder's lock is released only when its last holder ends");
        }
    }
}

/// Whether a process has the lock. Looking takes a shared lock for a moment and leaves everything as it is.
///
/// # Errors
/// When the lock file cannot be used.
pub(super) fn is_taken(data_dir: &Path) -> Result<bool> {
    let file = open(data_dir)?;
    let free = locked(file.try_lock_shared())?;
    if free {
        file.unlock()?;
    }
    Ok(!free)
}

fn open(data_dir: &Path) -> Result<File> {
    let path = data_dir.join("lock");
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    opened.with_context(|| format!("{} cannot be opened", path.display()))
}

/// Whether a lock was to be had.
fn locked(outcome: Result<(), TryLockError>) -> Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error).context("the data folder cannot be locked"),
    }
}

/// The process that holds the lock, as it wrote it down; for messages.
pub(super) fn holder(data_dir: &Path) -> Option<u32> {
    fs::read_to_string(data_dir.join("lock")).ok()?.trim().parse().ok()
}

/// What the holder of the lock has published, once its servers are ready.
pub(super) fn published(data_dir: &Path) -> Option<Addresses> {
    let text = fs::read_to_string(addresses_file(data_dir)).ok()?;
    let addresses: Addresses = serde_json::from_str(&text).ok()?;
    // Between a new holder's lock and its clearing of the file, the file is still the dead one's.
    let alive = Path::new("/proc").join(addresses.pid.to_string()).exists();
    (alive && holder(data_dir) == Some(addresses.pid)).then_some(addresses)
}

fn addresses_file(data_dir: &Path) -> PathBuf {
    data_dir.join("servers.json")
}
