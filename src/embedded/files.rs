//! Files and folders that only we may read.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result};

/// Makes the folder, and those above it, for our eyes only; one that exists stays as it is.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn private_folder(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("the folder {} cannot be made", path.display()))
}

/// Puts `text` in the place of the file's content in one step: a reader sees the old text or the new, and a kill
/// leaves one of them whole.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    let writing = path.with_extension("writing");
    let write = || -> std::io::Result<()> {
        remove_if_there(&writing)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&writing)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&writing, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

/// # Errors
/// When the file is there and cannot be removed.
pub(super) fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The secret kept in the file; made when there is no file. 256 random bits in hexadecimal.
///
/// # Errors
/// When the file cannot be read or made.
pub(crate) fn secret(path: &Path) -> Result<String> {
    match fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
    let secret = random_hex()?;
    write_private(path, &secret)?;
    Ok(secret)
}

/// 256 random bits in hexadecimal.
///
/// # Errors
/// When the system has no randomness to give.
pub(crate) fn random_hex() -> Result<String> {
    let mut bytes = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| anyhow::anyhow!("the system has no randomness to give"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
