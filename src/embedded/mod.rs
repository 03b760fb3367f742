//! A private PostgreSQL and a private NATS as child processes, for whoever has none at hand.
//!
//! Shape: [`Servers`] is a handle; a thread of its own ([`supervisor`]) starts, watches and stops the children.
//! One process serves a data folder (a lock on it says which); others attach to it.
//! Nothing outlives its owner: on drop the servers are stopped in order, on `kill -9` the kernel signals them, and
//! what even that leaves behind the next start clears away. Data survives all of it.
//! Layering: knows nothing of DDC's own code; reads no environment.

mod child;
mod files;
mod group;
mod guard;
mod lock;
mod log;
mod nats;
mod postgres;
mod programs;
mod strays;
mod supervisor;
mod temporary;

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

pub(crate) use files::{private_folder, secret};
pub use group::{Signals, end_strays, run_group, stop_with_parent};
pub use guard::guard;
use lock::{Addresses, Lock};
pub use temporary::TemporaryFolder;

/// Where the `nats-server` program is, for whoever runs one by hand.
///
/// # Errors
/// When there is none that is new enough.
pub fn nats_server(search: &[PathBuf]) -> Result<PathBuf> {
    Ok(programs::NatsProgram::find(search)?.path)
}

/// How long a process that attaches waits for another one that is just starting or stopping.
const ATTACH_PATIENCE: Duration = Duration::from_secs(60);
const ATTACH_POLL: Duration = Duration::from_millis(50);
/// Far longer than a look at a lock takes, and too short to keep anybody waiting for a refusal.
const LOOK_PATIENCE: Duration = Duration::from_millis(500);

/// What of the data must survive a failure of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// All that was acknowledged.
    Full,
    /// Nothing: for tests, many times faster.
    None,
}

/// Which servers, and how.
#[derive(Debug, Clone)]
pub struct Options {
    pub postgres: bool,
    pub nats: bool,
    pub durability: Durability,
    /// Folders to look for the programs in, before the usual ones.
    pub search: Vec<PathBuf>,
    /// A library that PostgreSQL loads before all others (`LD_PRELOAD`), e.g. one that models a slow disk.
    pub preload: Option<PathBuf>,
    /// Settings of PostgreSQL (`name=value`) that go before our own.
    pub settings: Vec<String>,
}

impl Options {
    /// Both servers, as they are meant to be used. `search` is usually [`crate::config::search_path`].
    #[must_use]
    pub fn new(search: Vec<PathBuf>) -> Self {
        Self { postgres: true, nats: true, durability: Durability::Full, search, preload: None, settings: Vec::new() }
    }
}

/// Servers of a data folder: our own, which stop when this is dropped, or those of another process.
pub struct Servers {
    addresses: Addresses,
    owner: Option<Owner>,
}

struct Owner {
    stop: Option<Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Servers {
    /// Starts the servers of `data_dir`, which is made when it is not there. Blocks until they are ready (about two
    /// seconds the first time).
    ///
    /// # Errors
    /// When another process serves the folder, a program is missing, or a server does not start.
    pub fn start(data_dir: &Path, options: &Options) -> Result<Self> {
        private_folder(data_dir)?;
        let Some(lock) = Self::take(data_dir)? else {
            let holder = lock::holder(data_dir).map_or_else(String::new, |pid| format!(" (process {pid})"));
            bail!(
                "{} is already served by another ddc{holder}: stop it, or set DDC_DATA to another folder",
                data_dir.display()
            );
        };
        Self::own(lock, data_dir, options)
    }

    /// Uses the servers of the process that serves `data_dir`, or starts them when there is none.
    ///
    /// # Errors
    /// As [`Servers::start`]; and when the process that serves the folder does not offer what is asked for, or is
    /// not ready within a minute.
    pub fn attach(data_dir: &Path, options: &Options) -> Result<Self> {
        private_folder(data_dir)?;
        let deadline = Instant::now() + ATTACH_PATIENCE;
        loop {
            if let Some(lock) = Lock::take(data_dir)? {
                return Self::own(lock, data_dir, options);
            }
            if let Some(addresses) = lock::published(data_dir) {
                let offered = |wanted: bool, url: &Option<String>| !wanted || url.is_some();
                ensure!(
                    offered(options.postgres, &addresses.database_url) && offered(options.nats, &addresses.nats_url),
                    "process {} serves {} with other servers than its own: set DATABASE_URL and NATS_URL as it has them",
                    addresses.pid,
                    data_dir.display()
                );
                return Ok(Self { addresses, owner: None });
            }
            ensure!(Instant::now() < deadline, "the ddc that serves {} does not get ready", data_dir.display());
            thread::sleep(ATTACH_POLL);
        }
    }

    /// The lock, also while somebody who only looks ([`served_by`]) holds it for a moment.
    fn take(data_dir: &Path) -> Result<Option<Lock>> {
        let deadline = Instant::now() + LOOK_PATIENCE;
        loop {
            let lock = Lock::take(data_dir)?;
            if lock.is_some() || Instant::now() >= deadline {
                return Ok(lock);
            }
            thread::sleep(child::POLL);
        }
    }

    fn own(lock: Lock, data_dir: &Path, options: &Options) -> Result<Self> {
        let (ready, is_ready) = channel();
        let (stop, stopped) = channel();
        let (folder, options) = (data_dir.to_path_buf(), options.clone());
        let thread = thread::Builder::new()
            .name("embedded".to_owned())
            .spawn(move || supervisor::run(lock, &folder, &options, &ready, &stopped))
            .context("no thread for the private servers")?;
        // Made before the wait, so that a failure waits for what has been started to stop.
        let owner = Owner { stop: Some(stop), thread: Some(thread) };
        let addresses = is_ready.recv().context("the private servers ended while they started")??;
        Ok(Self { addresses, owner: Some(owner) })
    }

    /// The private PostgreSQL's address, when it was asked for. The user may create databases. Holds a password.
    #[must_use]
    pub fn database_url(&self) -> Option<&str> {
        self.addresses.database_url.as_deref()
    }

    /// The private NATS's address, when it was asked for. Holds a password.
    #[must_use]
    pub fn nats_url(&self) -> Option<&str> {
        self.addresses.nats_url.as_deref()
    }

    /// Whether they are our own and stop with us.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        self.owner.is_some()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the private servers panicked");
        }
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Servers").field("is_owner", &self.is_owner()).finish_non_exhaustive()
    }
}

/// The process that serves `data_dir`, if there is one, and whether its servers are ready; for people.
///
/// # Errors
/// When the folder's lock cannot be used.
pub fn served_by(data_dir: &Path) -> Result<Option<(u32, bool)>> {
    if !data_dir.exists() || !lock::is_taken(data_dir)? {
        return Ok(None);
    }
    Ok(lock::holder(data_dir).map(|pid| (pid, lock::published(data_dir).is_some())))
}
