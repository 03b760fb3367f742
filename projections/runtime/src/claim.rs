//! Who runs what: each reader of the journal is run by one node at a time.
//!
//! A claim is a row with an owner, an epoch and an end, by the database's clock. A node renews its claims well before
//! their end; when it dies, another takes over under the next epoch. What a reader writes is fenced by the epoch: see
//! [`crate::checkpoint`].

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use sqlx::PgPool;
use tokio::sync::watch;
use uuid::Uuid;

/// How long a claim holds without being renewed. A dead node's work is taken over within this and one renewal.
const HOLDS_SECS: f64 = 7.0;
const RENEW_EVERY: Duration = Duration::from_millis(1500);

/// The epochs of what this node runs at the moment.
pub type Epochs = Arc<HashMap<String, i64>>;

/// Gives up for good what this node cannot run, so that another one does.
#[derive(Clone)]
pub struct Renounce(watch::Sender<BTreeSet<String>>);

impl Renounce {
    /// Does not renew this claim any more, nor take it again.
    pub fn renounce(&self, name: &str) {
        metrics::gauge!("ddc_reader_needs_newer_build", "reader" => name.to_owned()).set(1.0);
        self.0.send_if_modified(|names| names.insert(name.to_owned()));
    }
}

/// Takes and renews this node's claims.
pub struct Claims {
    epochs: watch::Receiver<Epochs>,
    renounced: watch::Sender<BTreeSet<String>>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Claims {
    /// Starts to claim `names` and goes on doing so, also while others hold them.
    #[must_use]
    pub fn start(pool: PgPool, names: Vec<String>) -> Self {
        let (sender, epochs) = watch::channel(Epochs::default());
        let (stop, stopped) = watch::channel(false);
        let (renounced, news) = watch::channel(BTreeSet::new());
        let task = tokio::spawn(keep(pool, Uuid::now_v7(), names, sender, news, stopped));
        Self { epochs, renounced, stop, task }
    }

    /// For those who find that this node cannot do what it has claimed.
    #[must_use]
    pub fn renounce(&self) -> Renounce {
        Renounce(self.renounced.clone())
    }

    /// The epochs, as they change.
    #[must_use]
    pub fn epochs(&self) -> watch::Receiver<Epochs> {
        self.epochs.clone()
    }

    /// Gives all claims up, so that another node need not wait.
    pub async fn release(self) {
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "the claims were not given up in order");
        }
    }
}

async fn keep(
    pool: PgPool,
    owner: Uuid,
    mut names: Vec<String>,
    sender: watch::Sender<Epochs>,
    renounced: watch::Receiver<BTreeSet<String>>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        names.retain(|name| !renounced.borrow().contains(name));
        let renewed = tokio::time::timeout(RENEW_EVERY, renew(&pool, owner, &names)).await;
        let epochs = match renewed {
            Ok(Ok(epochs)) => epochs,
            Ok(Err(error)) => {
                tracing::warn!(%error, "claims could not be renewed");
                HashMap::new()
            }
            Err(_) => HashMap::new(),
        };
        sender.send_if_modified(|known| {
            let news = **known != epochs;
            if news {
                *known = Arc::new(epochs);
            }
            news
        });
        tokio::select! {
            () = tokio::time::sleep(RENEW_EVERY) => {}
            _ = stopped.changed() => break,
        }
    }
    let released =
        sqlx::query("UPDATE claims SET until = now() WHERE owner = $1::uuid").bind(owner.to_string()).execute(&pool);
    // A node's end does not wait for a database that does not answer.
    match tokio::time::timeout(RENEW_EVERY, released).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "claims could not be given up; they run out by themselves"),
        Err(_) => tracing::warn!("claims could not be given up in time; they run out by themselves"),
    }
}

/// Renews what this node holds and takes what nobody holds, in one statement.
async fn renew(pool: &PgPool, owner: Uuid, names: &[String]) -> Result<HashMap<String, i64>, sqlx::Error> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "INSERT INTO claims AS c (name, owner, epoch, until)
         SELECT name, $2::uuid, 1, now() + make_interval(secs => $3) FROM unnest($1) AS name ORDER BY name
         ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until,
             epoch = c.epoch + CASE WHEN c.owner = excluded.owner AND c.until >= now() THEN 0 ELSE 1 END
         WHERE c.owner = excluded.owner OR c.until < now()
         RETURNING name, epoch",
    )
    .bind(names)
    .bind(owner.to_string())
    .bind(HOLDS_SECS)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().collect())
}
