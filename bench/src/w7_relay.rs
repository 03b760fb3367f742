//! W7: from the journal into JetStream, acknowledged.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use async_nats::jetstream::{self, stream::Config};
use ddc::{
    backing::nats_login,
    config::Secret,
    embedded::Durability,
    fanout::{Message, relay},
    tenant::Tenant,
};
use runtime::{
    Claims,
    feed::{self, Feed},
};

use crate::{
    bench::Bench,
    measure::{Contestant, Sample, alternate},
    report::Section,
    scale::EVENTS_EACH,
    seed::{Kind, Seed, Shape},
    servers::{self, Nats},
    stream,
};

const UNIT: &str = "events/s";
/// Events that the relay has to catch up with.
const PENDING_MOST: i64 = 100_000;
/// A flush each is slow: fewer then.
const PENDING_FLUSHED: i64 = 30_000;
const SINGLE_WITHIN: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(300);

/// All of W7.
pub(crate) async fn measure(bench: &Bench) -> Result<Section> {
    let seed = Seed { kind: Kind::Company, shape: Shape::Ddc, streams: bench.scale.streams(), each: EVENTS_EACH };
    let tenant = servers::tenant(&bench.seeded(seed, "w7_ddc").await?, Vec::new()).await?;
    let (flushed, default) = (bench.nats()?, Nats::start(Durability::None)?);
    let mut contestants = Vec::new();
    for (key, what, nats, most) in [
        ("always", "every message flushed", flushed, PENDING_FLUSHED),
        ("default", "flushed every two minutes", &default, PENDING_MOST),
    ] {
        let tenant = &tenant;
        let most = most.min(i64::from(seed.events()));
        contestants.push(Contestant::new(
            format!("w7.ddc.{key}"),
            format!("DDC's relay, {most} events to catch up with, {what}"),
            UNIT,
            move |round| catch_up(tenant, nats, format!("{key}{round}"), most),
        ));
        contestants.push(Contestant::new(
            format!("w7.single.{key}"),
            format!("one publish at a time, acknowledged, {what}"),
            UNIT,
            move |round| one_at_a_time(tenant, nats, format!("single{key}{round}")),
        ));
    }
    let figures = alternate(bench, contestants).await?;
    tenant.pool.close().await;
    let mut section = Section::new("W7", "The relay", figures);
    section.say(
        "The relay begins with a new stream and the events before it pending, as after an outage: an hour at 200 \
         events a second leaves 720,000, so divide those by the rate to know how long catching up takes.",
    );
    Ok(section)
}

/// A stream whose last message stands for all but the last `pending` events, then the relay until nothing is pending.
async fn catch_up(tenant: &Tenant, nats: &Nats, name: String, pending: i64) -> Result<Sample> {
    let head = feed::head(&tenant.pool).await?;
    let from = (head - pending).max(0);
    let broker = stream::begin_at(&nats.url, &name, tenant, from).await?;
    sqlx::query("UPDATE checkpoints SET position = $2 WHERE name = $1")
        .bind(relay::NAME)
        .bind(from)
        .execute(&tenant.pool)
        .await?;
    let claims = Claims::start(tenant.pool.clone(), vec![relay::NAME.to_owned()]);
    let mut epochs = claims.epochs();
    epochs.wait_for(|epochs| epochs.contains_key(relay::NAME)).await?;
    let started = Instant::now();
    let feed = Feed::new(tenant.pool.clone(), tenant.journal.head());
    let tasks = [
        tokio::spawn(Arc::clone(&feed).run()),
        tokio::spawn(relay::run(tenant.clone(), feed, Arc::clone(&broker), claims.epochs())),
    ];
    let mut stream = broker.jetstream().await?.get_stream(broker.stream()).await?;
    // With the one that it begins with.
    let all = u64::try_from(head - from + i64::from(from > 0))?;
    while stream.info().await?.state.messages < all {
        ensure!(started.elapsed() < PATIENCE, "the relay does not catch up");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let took = started.elapsed();
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    claims.release().await;
    broker.jetstream().await?.delete_stream(broker.stream()).await?;
    Ok(Sample::rate((head - from).unsigned_abs(), took))
}

/// The same messages, each acknowledged before the next is sent.
async fn one_at_a_time(tenant: &Tenant, nats: &Nats, name: String) -> Result<Sample> {
    let events = feed::after(&mut *tenant.pool.acquire().await?, 0, i64::MAX, &[], 1000).await?;
    let bodies = events.iter().map(|event| Message::encode(event, 0)).collect::<Result<Vec<_>>>()?;
    let (address, options) = nats_login(&Secret::new(nats.url.clone()))?;
    let context = jetstream::new(options.connect(address).await?);
    let subject = format!("{name}.event");
    let config = Config { name: name.clone(), subjects: vec![format!("{name}.>")], ..Config::default() };
    context.create_stream(config).await?;
    let (started, mut published) = (Instant::now(), 0);
    for body in bodies.iter().cycle() {
        context.publish(subject.clone(), body.clone()).await?.await.context("a message was not acknowledged")?;
        published += 1;
        if started.elapsed() > SINGLE_WITHIN {
            break;
        }
    }
    let took = started.elapsed();
    context.delete_stream(&name).await?;
    Ok(Sample::rate(published, took))
}
