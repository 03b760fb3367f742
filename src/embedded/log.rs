//! The servers' log files.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};

/// Beyond this size a log starts anew and the former content is kept once, as `….old`.
const LONGEST: u64 = 16 * 1024 * 1024;
/// How many of the last lines go into an error message.
const TAIL: usize = 12;

/// Opens a log to append to.
///
/// # Errors
/// When it cannot be opened.
pub(super) fn open(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        super::files::private_folder(folder)?;
    }
    if fs::metadata(path).is_ok_and(|it| it.len() > LONGEST) {
        fs::rename(path, path.with_extension("old"))?;
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("{} cannot be opened", path.display()))
}

/// The last lines, for an error message.
pub(super) fn tail(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().join("\n")
}
