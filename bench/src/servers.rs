//! The bench's own PostgreSQL and NATS, durable as in earnest, and databases in them.

use std::{
    net::Ipv4Addr,
    path::Path,
    sync::atomic::{AtomicU8, Ordering},
};

use anyhow::{Context, Result};
use ddc::{
    app::Build,
    config::Secret,
    embedded::{Durability, Options, Servers, TemporaryFolder},
    tenant::Tenant,
};
use runtime::Projection;
use sqlx::{Connection, Executor, PgConnection, PgPool, postgres::PgPoolOptions};
use std::sync::Arc;

use crate::dossier::DossierEvent;

/// What signs and seals in the bench's databases.
pub(crate) const KEY: &str = "a key for measuring with, not for use";

/// What a machine of this size is given in earnest, and peers too.
const SETTINGS: [&str; 2] = ["shared_buffers=2GB", "max_wal_size=4GB"];

/// A PostgreSQL with a data folder that is removed at the end. It is reached over TCP, as a database mostly is; it has
/// a loopback address of its own, so that several of them never meet.
pub(crate) struct Postgres {
    _servers: Servers,
    _folder: TemporaryFolder,
    /// All of its address up to the database's name.
    url: String,
}

impl Postgres {
    /// Starts one: fsync and synchronous_commit are on. `preload` is a library that it is to load first.
    pub(crate) fn start(preload: Option<&Path>) -> Result<Self> {
        let folder = TemporaryFolder::new()?;
        let mut options = Options::new(ddc::config::search_path());
        options.nats = false;
        options.preload = preload.map(Path::to_path_buf);
        static STARTED: AtomicU8 = AtomicU8::new(1);
        let [.., high, low] = std::process::id().to_be_bytes();
        let address = Ipv4Addr::new(127, high, low, STARTED.fetch_add(1, Ordering::Relaxed));
        options.settings = SETTINGS.map(str::to_owned).into();
        options.settings.push(format!("listen_addresses={address}"));
        let servers = Servers::start(folder.path(), &options)?;
        let socket = servers.database_url().context("the private PostgreSQL has no address")?;
        let (_, password) = socket.split_once("password=").context("the private PostgreSQL has no password")?;
        let url = format!("postgres://ddc:{password}@{address}:5432/");
        Ok(Self { _servers: servers, _folder: folder, url })
    }

    /// The address of a database.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("{}{name}", self.url)
    }

    /// A connection to the database that was there first.
    async fn connect(&self) -> Result<PgConnection> {
        Ok(PgConnection::connect(&self.url("ddc")).await?)
    }

    async fn run(&self, statement: &str) -> Result<()> {
        let mut connection = self.connect().await?;
        connection.execute(statement).await?;
        Ok(connection.close().await?)
    }

    /// An empty database.
    pub(crate) async fn create(&self, name: &str) -> Result<String> {
        self.drop(name).await?;
        self.run(&format!("CREATE DATABASE {name}")).await?;
        Ok(self.url(name))
    }

    /// A database like `template`, which nobody may be using; then flushed, so that nobody pays for it later.
    pub(crate) async fn copy(&self, template: &str, name: &str) -> Result<String> {
        self.drop(name).await?;
        self.run(&format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")).await?;
        self.run("CHECKPOINT").await?;
        Ok(self.url(name))
    }

    pub(crate) async fn drop(&self, name: &str) -> Result<()> {
        self.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
    }

    /// What the server says of itself.
    pub(crate) async fn settings(&self) -> Result<Vec<(String, String)>> {
        let mut connection = self.connect().await?;
        let settings = sqlx::query_as(
            "SELECT name, current_setting(name) FROM pg_settings WHERE name IN ('server_version', 'fsync',
                 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'shared_buffers', 'max_wal_size',
                 'max_connections') ORDER BY name",
        )
        .fetch_all(&mut connection)
        .await?;
        connection.close().await?;
        Ok(settings)
    }
}

/// A NATS with JetStream. `Full` flushes every message before it acknowledges it.
pub(crate) struct Nats {
    _servers: Servers,
    _folder: TemporaryFolder,
    pub(crate) url: String,
}

impl Nats {
    pub(crate) fn start(durability: Durability) -> Result<Self> {
        let folder = TemporaryFolder::new()?;
        let mut options = Options::new(ddc::config::search_path());
        options.postgres = false;
        options.durability = durability;
        let servers = Servers::start(folder.path(), &options)?;
        let url = servers.nats_url().context("the private NATS has no address")?.to_owned();
        Ok(Self { _servers: servers, _folder: folder, url })
    }
}

/// A pool of plain connections, as the peers use them.
pub(crate) async fn pool(url: &str, connections: u32) -> Result<PgPool> {
    Ok(PgPoolOptions::new().max_connections(connections).min_connections(connections).connect(url).await?)
}

/// DDC's tenant in a database; migrates it.
pub(crate) async fn tenant(url: &str, projections: Vec<Arc<dyn Projection>>) -> Result<Tenant> {
    let events = Build::this().events.into_iter().chain(DossierEvent::TYPES.iter().copied()).collect();
    Tenant::main(&Secret::new(url), &Secret::new(KEY), Build { projections, events }).await
}
