//! The connection to NATS. Nothing waits for it but the fan-out: a node starts and serves without it.

use anyhow::{Context, Result};
use async_nats::{Client, connection::State, jetstream};
use tokio::sync::OnceCell;

use crate::{backing::nats_login, config::Secret};

/// NATS and the stream in it that holds a copy of the journal. Connects when it is first needed, and again by itself.
pub struct Broker {
    url: Secret,
    /// The stream's name; in lower case it begins the subjects.
    stream: String,
    client: OnceCell<Client>,
}

impl Broker {
    #[must_use]
    pub fn new(url: Secret, stream: String) -> Self {
        Self { url, stream, client: OnceCell::new() }
    }

    /// The stream's name.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// All subjects of the stream.
    #[must_use]
    pub fn subjects(&self) -> String {
        format!("{}.>", self.stream.to_lowercase())
    }

    /// The subject of an event's type: `proposal.approved` becomes `ddc.main.proposal.approved`.
    #[must_use]
    pub fn subject(&self, tenant: &str, event_type: &str) -> String {
        format!("{}.{tenant}.{event_type}", self.stream.to_lowercase())
    }

    /// The connection; it may not stand yet.
    ///
    /// # Errors
    /// When the address is malformed.
    pub async fn client(&self) -> Result<&Client> {
        self.client
            .get_or_try_init(|| async {
                let (address, options) = nats_login(&self.url)?;
                let options = options.name("ddc").retry_on_initial_connect().max_reconnects(None);
                options.connect(address).await.context("NATS cannot be used")
            })
            .await
    }

    /// JetStream over the connection.
    ///
    /// # Errors
    /// As [`Broker::client`].
    pub async fn jetstream(&self) -> Result<jetstream::Context> {
        Ok(jetstream::new(self.client().await?.clone()))
    }

    /// Whether the connection stands.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.client.get().is_some_and(|client| client.connection_state() == State::Connected)
    }
}
