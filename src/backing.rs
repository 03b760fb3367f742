//! The database and the message broker that this process works with: those that are configured, else private ones.

use std::sync::Arc;

use anyhow::{Context, Result};

use crate::config::{Config, Secret, search_path};
use crate::embedded::{Options, Servers};

/// Where the database and the broker are. While a clone of it lives, so do private servers of our own.
#[derive(Debug, Clone)]
pub struct Backing {
    pub database_url: Secret,
    pub nats_url: Secret,
    servers: Option<Arc<Servers>>,
}

impl Backing {
    /// For the server: private servers are its own, and a data folder that another process serves is refused.
    /// Blocks for up to a few seconds: call it before the runtime has other work.
    ///
    /// # Errors
    /// As [`Servers::start`].
    pub fn for_serving(config: &Config) -> Result<Self> {
        Self::resolve(config, |options| Servers::start(&config.data, options))
    }

    /// For any other command: attaches to the private servers of the running server, else starts them for as long as
    /// the command takes.
    ///
    /// # Errors
    /// As [`Servers::attach`].
    pub fn for_command(config: &Config) -> Result<Self> {
        Self::resolve(config, |options| Servers::attach(&config.data, options))
    }

    /// Whether private servers run that stop with us.
    #[must_use]
    pub fn owns_servers(&self) -> bool {
        self.servers.as_ref().is_some_and(|servers| servers.is_owner())
    }

    fn resolve(config: &Config, servers: impl FnOnce(&Options) -> Result<Servers>) -> Result<Self> {
        let mut options = Options::new(search_path());
        options.postgres = config.database_url.is_none();
        options.nats = config.nats_url.is_none();
        let servers = if options.postgres || options.nats { Some(servers(&options)?) } else { None };
        let private = |url: fn(&Servers) -> Option<&str>| servers.as_ref().and_then(url).map(Secret::new);
        let database_url = config.database_url.clone().or_else(|| private(Servers::database_url));
        let nats_url = config.nats_url.clone().or_else(|| private(Servers::nats_url));
        Ok(Self {
            database_url: database_url.context("there is no database: set DATABASE_URL")?,
            nats_url: nats_url.context("there is no message broker: set NATS_URL")?,
            servers: servers.map(Arc::new),
        })
    }
}

/// The broker's address without its credentials, and options that hold them: the client library ignores those in
/// an address. A user without a password is a token.
///
/// # Errors
/// When the address is malformed.
pub fn nats_login(url: &Secret) -> Result<(String, async_nats::ConnectOptions)> {
    let address: async_nats::ServerAddr = url.expose().parse().context("NATS_URL is malformed")?;
    let options = async_nats::ConnectOptions::new();
    let options = match (address.username(), address.password()) {
        (Some(user), Some(password)) => options.user_and_password(user.to_owned(), password.to_owned()),
        (Some(token), None) => options.token(token.to_owned()),
        _ => options,
    };
    Ok((format!("{}://{}:{}", address.scheme(), address.host(), address.port()), options))
}
