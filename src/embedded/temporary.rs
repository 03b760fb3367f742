//! A folder for the length of a run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::mkdtemp;

use super::strays::Strays;

const PLACE: &str = "/tmp";
const PREFIX: &str = "ddc-run-";
/// A file in the folder that says that its maker has locked it.
const LOCKED: &str = "locked";

/// A folder under `/tmp` that is removed on drop. What a killed run left, folders and processes, is removed by the next
/// one.
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
        fs::write(path.join(LOCKED), "").context("the temporary folder cannot be written to")?;
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
        let path = entry.path();
        // One that is not locked yet may be one that its maker has made a moment ago.
        let age = entry.metadata().and_then(|it| it.modified()).ok().and_then(|at| at.elapsed().ok());
        let made = path.join(LOCKED).exists() || age.is_some_and(|age| age.as_secs() >= 60);
        if made && let Some(_lock) = lock(&path) {
            Strays::of(&path).end();
            let _ = fs::remove_dir_all(&path);
        }
    }
}
