//! A JetStream stream that stands where a journal does, so that the relay goes on from there instead of from the
//! beginning.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use async_nats::jetstream::{message::PublishMessage, stream::Config};
use ddc::{
    config::Secret,
    fanout::{Broker, Message, relay},
    tenant::Tenant,
};
use runtime::{checkpoint, feed};

/// A new stream that holds the one event of `position`, as if those before it had been there once.
pub(crate) async fn begin_at(nats_url: &str, name: &str, tenant: &Tenant, position: i64) -> Result<Arc<Broker>> {
    let broker = Broker::new(Secret::new(nats_url), name.to_uppercase());
    let context = broker.jetstream().await?;
    let config = Config {
        name: broker.stream().to_owned(),
        subjects: vec![broker.subjects()],
        duplicate_window: Duration::from_secs(1),
        ..Config::default()
    };
    context.create_stream(config).await?;
    if position > 0 {
        let events = feed::after(&mut *tenant.pool.acquire().await?, position - 1, position, &[], 1).await?;
        let event = events.first().context("the journal does not reach that far")?;
        let id = format!("{}:{position}", tenant.name);
        let message = PublishMessage::build().message_id(id).payload(Message::encode(event, 0)?);
        context.send_publish(broker.subject(tenant.name, &event.event_type), message).await?.await?;
    }
    Ok(Arc::new(broker))
}

/// As [`begin_at`], from the relay's checkpoint in a prepared journal.
pub(crate) async fn for_journal(nats_url: &str, name: &str, tenant: &Tenant) -> Result<Arc<Broker>> {
    let known = checkpoint::load(&tenant.pool, relay::NAME).await?;
    begin_at(nats_url, name, tenant, known.map_or(0, |known| known.position)).await
}
