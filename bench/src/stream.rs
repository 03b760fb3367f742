//! A JetStream stream that stands where a journal does, so that the relay goes on from there instead of from the
//! beginning.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use async_nats::jetstream::{message::PublishMessage, stream::Config};
use ddc::{config::Secret, fanout::Broker, tenant::Tenant};

/// A new stream whose last message says that everything up to `position` has been published.
pub(crate) async fn begin_at(nats_url: &str, name: &str, position: i64) -> Result<Arc<Broker>> {
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
        let mark = PublishMessage::build().message_id(format!("main:{position}")).payload("".into());
        context.send_publish(broker.subject("main", "bench.mark"), mark).await?.await?;
    }
    Ok(Arc::new(broker))
}

/// As [`begin_at`], from the relay's checkpoint in a prepared journal.
pub(crate) async fn for_journal(nats_url: &str, name: &str, tenant: &Tenant) -> Result<Arc<Broker>> {
    let known = runtime::checkpoint::load(&tenant.pool, ddc::fanout::relay::NAME).await?;
    begin_at(nats_url, name, known.map_or(0, |known| known.position)).await
}
