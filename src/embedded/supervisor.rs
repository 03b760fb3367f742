//! The thread that owns the servers: it starts them, starts one again that ends by itself, and stops them.
//!
//! One thread for their whole life, because the kernel ties a child to the thread that started it.

use std::convert::Infallible;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Options;
use super::child::Child;
use super::lock::{Addresses, Lock};
use super::nats::Nats;
use super::postgres::Postgres;

/// How often the servers are looked at.
const WATCH: Duration = Duration::from_millis(250);
/// A server that ended is started again after this, doubled after each end that follows soon.
const RESTART_AFTER: Duration = Duration::from_millis(250);
const RESTART_AFTER_LONGEST: Duration = Duration::from_secs(5);
/// A server that ran this long counts as healthy again.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);

/// Lives as long as the other end of `stop` does.
pub(super) fn run(
    lock: Lock,
    data_dir: &Path,
    options: &Options,
    ready: &Sender<Result<Addresses>>,
    stop: &Receiver<Infallible>,
) {
    let mut running = match start(data_dir, options) {
        Ok(running) => running,
        Err(error) => {
            drop(lock);
            let _ = ready.send(Err(error));
            return;
        }
    };
    let addresses = running.addresses();
    let told = lock.publish(&addresses).map(|()| addresses);
    let failed = told.is_err();
    if ready.send(told).is_err() || failed {
        return;
    }
    while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(WATCH) {
        running.watch();
    }
    // NATS first: it is fed from the journal, never the other way round.
    drop(running.nats.take());
    drop(running.postgres.take());
    drop(lock);
}

/// What runs. The order of the fields is the order in which they stop.
#[derive(Default)]
struct Running {
    nats: Option<(Watched, Nats)>,
    postgres: Option<(Watched, Postgres)>,
}

fn start(data_dir: &Path, options: &Options) -> Result<Running> {
    let mut running = Running::default();
    if options.postgres {
        let postgres = Postgres::prepare(data_dir, options)?;
        running.postgres = Some((Watched::new(postgres.start()?), postgres));
    }
    if options.nats {
        let mut nats = Nats::prepare(data_dir, &options.search, options.durability)?;
        running.nats = Some((Watched::new(nats.start()?), nats));
    }
    Ok(running)
}

impl Running {
    fn addresses(&self) -> Addresses {
        Addresses {
            pid: std::process::id(),
            database_url: self.postgres.as_ref().map(|(_, postgres)| postgres.url()),
            nats_url: self.nats.as_ref().and_then(|(_, nats)| nats.url()),
        }
    }

    fn watch(&mut self) {
        if let Some((watched, postgres)) = &mut self.postgres {
            watched.look("postgres", || postgres.start());
        }
        if let Some((watched, nats)) = &mut self.nats {
            watched.look("nats-server", || nats.start());
        }
    }
}

/// A server and when to start it again.
struct Watched {
    child: Child,
    since: Instant,
    restart_at: Option<Instant>,
    restart_after: Duration,
}

impl Watched {
    fn new(child: Child) -> Self {
        Self { child, since: Instant::now(), restart_at: None, restart_after: RESTART_AFTER }
    }

    fn look(&mut self, name: &'static str, start: impl FnOnce() -> Result<Child>) {
        let Some(restart_at) = self.restart_at else {
            if let Some(status) = self.child.exited() {
                tracing::error!(server = name, %status, "ended by itself; it is started again");
                if self.since.elapsed() > HEALTHY_AFTER {
                    self.restart_after = RESTART_AFTER;
                }
                self.restart_at = Some(Instant::now() + self.restart_after);
            }
            return;
        };
        if Instant::now() < restart_at {
            return;
        }
        self.restart_after = (self.restart_after * 2).min(RESTART_AFTER_LONGEST);
        match start() {
            Ok(child) => {
                tracing::info!(server = name, "runs again");
                self.child = child;
                self.since = Instant::now();
                self.restart_at = None;
            }
            Err(error) => {
                tracing::error!(server = name, error = format!("{error:#}"), "cannot be started again yet");
                self.restart_at = Some(Instant::now() + self.restart_after);
            }
        }
    }
}
