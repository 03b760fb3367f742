//! A folder for the length of a run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::mkdtemp;

const PLACE: &str = "/tmp";
const PREFIX: &str = "ddc-run-";

/// A folder under `/tmp` that is removed on drop. What a killed run left is removed by the next one.
#[derive(Debug)]
pub struct TemporaryFolder {
    path: PathBuf,
    /// Held as long as we live: tells our folder from one that is left over.
    _lock: Flock<fs::File>,
}

impl TemporaryFolder {
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> Result<Self> {
        remove_left_over();
        let template = format!("{PLACE}/{PREFIX}XXXXXX");
        let path = mkdtemp(template.as_str()).context("no temporary folder can be made")?;
        let lock = lock(&path).context("the temporary folder cannot be locked")?;
        Ok(Self { path, _lock: lock })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, folder = %self.path.display(), "a temporary folder stays behind");
        }
    }
}

fn lock(folder: &Path) -> Option<Flock<fs::File>> {
    Flock::lock(fs::File::open(folder).ok()?, FlockArg::LockExclusiveNonblock).ok()
}

/// Removes the folders of runs that were killed, as far as they are ours to remove.
fn remove_left_over() {
    for entry in fs::read_dir(PLACE).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        // A folder younger than a minute may be one that its maker has not locked yet.
        let age = entry.metadata().and_then(|it| it.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age.as_secs() >= 60) && lock(&entry.path()).is_some() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
