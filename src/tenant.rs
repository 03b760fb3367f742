//! A tenant: a PostgreSQL schema and all that runs on it. There is one, `main`; nothing outside this file knows that.

use std::{str::FromStr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use runtime::{Codec, Progress, Projection, page::Counts};
use sqlx::{
    ConnectOptions, Connection, Executor, PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};

use crate::{
    app::Build,
    config::Secret,
    journal::{Journal, MasterKey, PostgresVault, upcasters},
};

/// A connection that has been idle for longer may have been cut off unnoticed.
pub const RESTED: Duration = Duration::from_secs(1);

/// A transaction of a node that has been stopped holds what others wait for; it is broken off after this.
const IDLE: &str = "5s";

/// How many connections a node holds at the most.
const CONNECTIONS: u32 = 24;

/// All that runs for a tenant hangs on this value. Cheap to clone.
#[derive(Clone)]
pub struct Tenant {
    pub name: &'static str,
    pub pool: PgPool,
    pub journal: Journal,
    pub progress: Progress,
    pub counts: Counts,
    pub projections: Arc<[Arc<dyn Projection>]>,
}

impl Tenant {
    /// The one tenant: connects, migrates, and opens its journal.
    ///
    /// # Errors
    /// When the database cannot be reached or does not take the migrations.
    pub async fn main(database_url: &Secret, master_key: &Secret, build: Build) -> Result<Self> {
        Self::open("main", database_url, master_key, build).await
    }

    async fn open(
        name: &'static str,
        database_url: &Secret,
        master_key: &Secret,
        Build { projections, events }: Build,
    ) -> Result<Self> {
        // Each version of a read model has a schema of its own; one that is not there yet is passed over.
        let homes = projections.iter().map(|projection| projection.home(name));
        let search_path = std::iter::once(name.to_owned()).chain(homes).collect::<Vec<_>>().join(",");
        let options = PgConnectOptions::from_str(database_url.expose())
            .context("DATABASE_URL is malformed")?
            .options([("search_path", search_path.as_str()), ("idle_in_transaction_session_timeout", IDLE)])
            .log_statements(tracing::log::LevelFilter::Trace);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(Duration::from_secs(10))
            // A question whether it still lives costs a round trip: asked only of a connection that has rested.
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > RESTED {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options)
            .await
            .context("the database cannot be reached")?;
        // Two nodes may start at once; `migrate` itself takes a lock, the schema needs one too.
        pool.execute(
            format!(
                "SELECT pg_advisory_lock(4202); CREATE SCHEMA IF NOT EXISTS {name}; SELECT pg_advisory_unlock(4202)"
            )
            .as_str(),
        )
        .await
        .with_context(|| format!("the schema {name} cannot be made"))?;
        // A newer build may have been here before: what it added does not disturb.
        sqlx::migrate!().set_ignore_missing(true).run(&pool).await.context("the migrations failed")?;
        for projection in &projections {
            let prepared = runtime::runner::prepare(&pool, projection.as_ref()).await;
            prepared.with_context(|| format!("the tables of {} cannot be made", projection.name()))?;
        }
        let secret = derive(master_key, "master");
        let master = MasterKey::new(&secret).context("the master key cannot be used")?;
        let codec = Codec::new(Arc::new(PostgresVault::new(pool.clone(), master)), upcasters(), events);
        let journal = Journal::open(pool.clone(), Arc::new(codec), &derive(master_key, "installation")).await?;
        let progress = Progress::new(projections.iter().map(AsRef::as_ref));
        Ok(Self { name, pool, journal, progress, counts: Counts::default(), projections: projections.into() })
    }

    /// Hears of what other nodes append, until the process ends; the poll behind it covers what is missed meanwhile.
    pub async fn listen(self) {
        loop {
            if let Err(error) = self.hear().await {
                tracing::warn!(%error, "news of the journal are not heard, connecting again");
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn hear(&self) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.eager_reconnect(false);
        listener.listen(&format!("ddc_{}", self.name)).await?;
        self.journal.advance(runtime::feed::head(&self.pool).await?).await?;
        loop {
            // What was not heard while the connection was lost is looked up when it is there again.
            let notification = listener.try_recv().await?.ok_or_else(|| sqlx::Error::Protocol("closed".to_owned()))?;
            self.journal.hear(notification.payload()).await?;
        }
    }
}

/// Keys for different uses from one secret.
fn derive(secret: &Secret, purpose: &str) -> [u8; 32] {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.expose().as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, purpose.as_bytes());
    let mut derived = [0; 32];
    derived.copy_from_slice(tag.as_ref());
    derived
}
