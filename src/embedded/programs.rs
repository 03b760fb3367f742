//! Where the servers' programs are: on the PATH, in Debian's versioned folders, or in `./.tools` (put there by
//! `make setup`).

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::unistd::{Gid, Uid, User, geteuid};

const POSTGRES_OLDEST: u32 = 15;
const NATS_OLDEST: (u32, u32) = (2, 9);
const DEBIAN_POSTGRES: &str = "/usr/lib/postgresql";
const TOOLS: &str = ".tools/bin";
const SYSTEM: [&str; 4] = ["/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin"];
const HINT: &str = "run `make setup` to install it";

/// The unprivileged account that PostgreSQL runs under when we are root, because it refuses to run as root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    pub(super) uid: Uid,
    pub(super) gid: Gid,
}

impl Account {
    /// `None` when we are not root: then the servers run under our own account.
    ///
    /// # Errors
    /// When we are root and the machine has neither a user `postgres` nor `nobody`.
    pub(super) fn for_postgres() -> Result<Option<Self>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        for name in ["postgres", "nobody"] {
            if let Some(user) = User::from_name(name).context("the users of this machine cannot be read")? {
                return Ok(Some(Self { uid: user.uid, gid: user.gid }));
            }
        }
        bail!("PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as")
    }

    pub(super) fn apply(account: Option<Self>, command: &mut Command) {
        if let Some(Self { uid, gid }) = account {
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
    }
}

/// PostgreSQL's programs of one version.
#[derive(Debug, Clone)]
pub(super) struct PostgresPrograms {
    pub(super) folder: PathBuf,
    pub(super) major: u32,
}

impl PostgresPrograms {
    /// Finds them. A data folder belongs to one major version, so `wanted` is that version when there is one.
    ///
    /// # Errors
    /// When there is none that is new enough, or none of the wanted version.
    pub(super) fn find(search: &[PathBuf], account: Option<Account>, wanted: Option<u32>) -> Result<Self> {
        let mut found = Vec::new();
        for folder in folders(search, &debian_folders()) {
            if !folder.join("initdb").exists() {
                continue;
            }
            let Some(version) = version(&folder.join("postgres"), account) else { continue };
            found.push(Self { folder, major: version.0 });
        }
        let fits = |programs: &&Self| match wanted {
            Some(major) => programs.major == major,
            None => programs.major >= POSTGRES_OLDEST,
        };
        if let Some(programs) = found.iter().find(fits) {
            return Ok(programs.clone());
        }
        let seen: Vec<_> = found.iter().map(|it| format!("{} in {}", it.major, it.folder.display())).collect();
        let seen = if seen.is_empty() { "none".to_owned() } else { seen.join(", ") };
        match wanted {
            Some(major) => bail!("the data was written by PostgreSQL {major}, which is not installed (found: {seen})"),
            None => bail!("PostgreSQL {POSTGRES_OLDEST} or newer is not installed (found: {seen}): {HINT}"),
        }
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The newest `nats-server` found.
#[derive(Debug, Clone)]
pub(super) struct NatsProgram {
    pub(super) path: PathBuf,
    pub(super) version: (u32, u32),
}

impl NatsProgram {
    /// # Errors
    /// When there is none that is new enough.
    pub(super) fn find(search: &[PathBuf]) -> Result<Self> {
        folders(search, &[])
            .into_iter()
            .filter_map(|folder| {
                let path = folder.join("nats-server");
                version(&path, None).map(|version| Self { path, version })
            })
            .filter(|program| program.version >= NATS_OLDEST)
            .max_by_key(|program| program.version)
            .with_context(|| {
                format!("nats-server {}.{} or newer is not installed: {HINT}", NATS_OLDEST.0, NATS_OLDEST.1)
            })
    }
}

/// The folders to look in, each once, in order of preference; links are followed because PostgreSQL finds its other
/// files relative to its real place.
fn folders(search: &[PathBuf], more: &[PathBuf]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    let system = SYSTEM.iter().map(PathBuf::from);
    for folder in search.iter().cloned().chain(more.iter().cloned()).chain([PathBuf::from(TOOLS)]).chain(system) {
        for program in ["postgres", "nats-server"] {
            let real = fs::canonicalize(folder.join(program)).ok();
            let Some(real) = real.as_deref().and_then(Path::parent).map(Path::to_path_buf) else { continue };
            if !folders.contains(&real) {
                folders.push(real);
            }
        }
    }
    folders
}

/// Debian keeps every major version in a folder of its own, off the PATH; the newest first.
fn debian_folders() -> Vec<PathBuf> {
    let mut versions: Vec<u32> = fs::read_dir(DEBIAN_POSTGRES)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.iter().map(|version| Path::new(DEBIAN_POSTGRES).join(version.to_string()).join("bin")).collect()
}

/// What `program --version` says, run by the account that will run the server: a program that this account cannot
/// reach counts as absent.
fn version(program: &Path, account: Option<Account>) -> Option<(u32, u32)> {
    let mut command = Command::new(program);
    command.arg("--version").current_dir("/");
    Account::apply(account, &mut command);
    let output = command.output().ok().filter(|output| output.status.success())?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian …)`, `postgres (PostgreSQL) 18beta1` or `nats-server: v2.15.1`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let number = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u32>().ok();
    text.split_whitespace().find_map(|word| {
        let mut parts = word.trim_start_matches('v').split('.');
        let major = number(parts.next()?)?;
        Some((major, parts.next().and_then(number).unwrap_or(0)))
    })
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_are_read_as_the_programs_print_them() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some((15, 18)));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1\n"), Some((18, 0)));
        assert_eq!(parse_version("nats-server: v2.15.1\n"), Some((2, 15)));
        assert_eq!(parse_version("nats-server: v2.9.10-RC.1\n"), Some((2, 9)));
        assert_eq!(parse_version("command not found"), None);
    }
}
