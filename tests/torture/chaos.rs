//! What is done to the installation while users work: one thing after another, as the seed has it.

use std::time::{Duration, Instant};

use anyhow::Result;
use fastrand::Rng;
use nix::sys::signal::Signal;
use sqlx::PgPool;

use crate::{cluster::Cluster, say};

/// How long a claim holds.
const CLAIM_HOLDS: Duration = Duration::from_secs(7);
/// A node that is paused this long has lost its claims when it wakes up.
const LONGER_THAN_A_CLAIM: Duration = Duration::from_secs(9);
/// Within this another node has taken over.
const TAKE_OVER_WITHIN: Duration = Duration::from_secs(10);

/// All that can be done.
const BLOWS: &[Blow] = &[
    Blow::KillNode,
    Blow::KillPostgres,
    Blow::KillNats,
    Blow::DropConnections,
    Blow::PauseNode,
    Blow::LeaveNodeAway,
    Blow::WipeNats,
    Blow::DeliverAgain,
    Blow::StopPostgresAtOnce,
    Blow::FillDisk,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Blow {
    /// kill -9, started again at once.
    KillNode,
    /// kill -9, and the other node has to take over.
    LeaveNodeAway,
    /// SIGSTOP for longer than its claims hold.
    PauseNode,
    /// An immediate shutdown: the next start recovers from the log.
    StopPostgresAtOnce,
    /// kill -9.
    KillPostgres,
    KillNats,
    /// kill -9, and all that it had stored is gone.
    WipeNats,
    /// Every connection to the database is cut.
    DropConnections,
    /// The consumers forget how far they were: everything is delivered to them once more.
    DeliverAgain,
    /// No space left for the servers, for a while.
    FillDisk,
}

/// The blows of a run, each kind before any comes twice.
pub(crate) struct Chaos {
    rng: Rng,
    deck: Vec<Blow>,
    pub(crate) dealt: Vec<Blow>,
    pub(crate) skipped: Vec<Blow>,
    /// The longest that a node took to take over.
    pub(crate) take_over: Duration,
}

impl Chaos {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            deck: Vec::new(),
            dealt: Vec::new(),
            skipped: Vec::new(),
            take_over: Duration::ZERO,
        }
    }

    /// Waits a little, then deals the next blow. Returns when all that was stopped runs again, or is about to.
    pub(crate) async fn strike(&mut self, cluster: &mut Cluster, pool: &PgPool) -> Result<Blow> {
        tokio::time::sleep(Duration::from_millis(self.rng.u64(500..4000))).await;
        if self.deck.is_empty() {
            self.deck = BLOWS.to_vec();
            self.rng.shuffle(&mut self.deck);
        }
        let Some(blow) = self.deck.pop() else { anyhow::bail!("there are no blows") };
        say(&format!("blow: {blow:?}"));
        self.deal(blow, cluster, pool).await?;
        self.dealt.push(blow);
        Ok(blow)
    }

    async fn deal(&mut self, blow: Blow, cluster: &mut Cluster, pool: &PgPool) -> Result<()> {
        let victim = self.rng.usize(0..2);
        match blow {
            Blow::KillNode => {
                let Some(node) = cluster.nodes.get_mut(victim) else { return Ok(()) };
                node.kill();
                tokio::time::sleep(Duration::from_millis(self.rng.u64(0..1500))).await;
                node.start()?;
            }
            Blow::LeaveNodeAway => {
                if let Some(node) = cluster.nodes.get_mut(victim) {
                    node.kill();
                }
                self.wait_for_take_over(pool).await?;
                if let Some(node) = cluster.nodes.get_mut(victim) {
                    node.start()?;
                }
            }
            Blow::PauseNode => {
                let Some(node) = cluster.nodes.get(victim) else { return Ok(()) };
                node.signal(Signal::SIGSTOP);
                tokio::time::sleep(LONGER_THAN_A_CLAIM).await;
                node.signal(Signal::SIGCONT);
            }
            Blow::StopPostgresAtOnce => signal_all(cluster, "postgres", Signal::SIGQUIT),
            Blow::KillPostgres => signal_all(cluster, "postgres", Signal::SIGKILL),
            Blow::KillNats => signal_all(cluster, "nats-server", Signal::SIGKILL),
            Blow::WipeNats => {
                signal_all(cluster, "nats-server", Signal::SIGKILL);
                cluster.wipe_nats()?;
            }
            Blow::DropConnections => {
                // The one that asks is among them.
                let _ = sqlx::query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()",
                )
                .execute(pool)
                .await;
            }
            Blow::DeliverAgain => self.deliver_again(cluster).await,
            Blow::FillDisk if !cluster.can_fill_disk() => self.skipped.push(blow),
            Blow::FillDisk => {
                let filler = cluster.fill_disk();
                tokio::time::sleep(Duration::from_secs(3)).await;
                drop(filler);
                // A NATS that met a full disk has turned its streams off until it is started again.
                signal_all(cluster, "nats-server", Signal::SIGKILL);
            }
        }
        Ok(())
    }

    /// A consumer that is deleted is made again by its node, and gets the whole stream once more.
    pub(crate) async fn deliver_again(&self, cluster: &Cluster) {
        let Some(url) = cluster.nats_url() else { return };
        let Ok(client) = async_nats::connect(url).await else { return };
        let jetstream = async_nats::jetstream::new(client);
        for name in ["notifications", "emails"] {
            if let Err(error) = jetstream.delete_consumer_from_stream(name, "DDC").await {
                say(&format!("  {name}: {error}"));
            }
        }
    }

    /// Every claim is held again, by a node that lives.
    async fn wait_for_take_over(&mut self, pool: &PgPool) -> Result<()> {
        let begun = Instant::now();
        let since: chrono::DateTime<chrono::Utc> = sqlx::query_scalar("SELECT now()").fetch_one(pool).await?;
        loop {
            // A claim that was renewed since then is a living node's.
            let left: Vec<String> = sqlx::query_scalar(
                "SELECT name FROM main.claims WHERE until <= $1 + make_interval(secs => $2) ORDER BY name",
            )
            .bind(since)
            .bind(CLAIM_HOLDS.as_secs_f64())
            .fetch_all(pool)
            .await?;
            if left.is_empty() {
                break;
            }
            anyhow::ensure!(
                begun.elapsed() <= TAKE_OVER_WITHIN,
                "nobody has taken over within {TAKE_OVER_WITHIN:?}: {}",
                left.join(", ")
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.take_over = self.take_over.max(begun.elapsed());
        Ok(())
    }
}

fn signal_all(cluster: &Cluster, program: &str, signal: Signal) {
    for pid in cluster.processes(program) {
        crate::cluster::signal_to(pid, signal);
    }
}
