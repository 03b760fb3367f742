//! W3: how long after a command its effect is seen: in a query, and at a subscriber of NATS.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::web::Data;
use anyhow::{Context, Result, ensure};
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use ddc::{
    app::{App, Work},
    backing::Backing,
    config::Config,
    embedded::TemporaryFolder,
    fanout::Broker,
    journal::{ExecuteError, Issuer},
    tenant::Tenant,
};
use futures::StreamExt;
use identity::company::{Company, CompanyChanges, CompanyCommand};
use identity_projections::company_list::CompanyList;
use kernel::{Actor, Change, Role, Text};
use runtime::{ResourceTable, page};
use tokio::task::spawn_local;

use crate::{
    bench::Bench,
    measure::{Chance, Figure, Sample, median},
    report::Section,
    scale::EVENTS_EACH,
    seed::{self, Kind, Seed, Shape},
    servers::KEY,
    stream,
    writers::drive,
};

/// A gentle load (commands a second).
const GENTLE: f64 = 200.0;
/// A heavy one, of what was measured to be the most.
const HEAVY: f64 = 0.8;
/// Writers that find out the most.
const WRITERS: usize = 32;
const COMPANIES: u64 = 5_000;
/// What is not seen by then counts as lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// All of W3.
pub(crate) async fn measure(bench: &Bench) -> Result<Section> {
    let seed = Seed { kind: Kind::Company, shape: Shape::Ddc, streams: bench.scale.streams(), each: EVENTS_EACH };
    let url = bench.seeded(seed, "w3_ddc").await?;
    let node = Whole::start(&url, &bench.nats()?.url).await?;
    let companies = COMPANIES.min(u64::from(seed.streams));
    let arrivals = subscribe(&node.broker).await?;

    bench.progress.say("the most commands a second whose effect is seen at once");
    let tenant = node.app.tenant.clone();
    let most = drive(WRITERS, bench.scale.warm_up(), bench.scale.measure(), move |chance, _| {
        let tenant = tenant.clone();
        async move { give(&tenant, 1 + chance % companies).await?.until_visible(&tenant).await.map(|_| ()) }
    })
    .await?;
    let heavy = (most.value * HEAVY).max(GENTLE);
    let mut figures = vec![figure("w3.most", format!("DDC, {WRITERS} writers who wait to see it"), vec![most])];
    for (key, rate) in [("200", GENTLE), ("heavy", heavy)] {
        let (mut append, mut visible, mut delivered) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..bench.rounds() {
            bench.progress.say(format!("round {}: lag at {rate:.0} commands a second", round + 1));
            let seen = at_rate(&node.app.tenant, &arrivals, rate, bench.scale.measure() * 2, companies).await?;
            append.push(seen.append);
            visible.push(seen.visible);
            delivered.push(seen.delivered);
        }
        for (what, name, samples) in [
            ("append", "acknowledged", append),
            ("visible", "seen in a query", visible),
            ("delivered", "delivered by NATS", delivered),
        ] {
            let figure = figure(format!("w3.{what}.{key}"), format!("command → {name}, at {rate:.0}/s"), samples);
            let p99 = median(figure.samples.iter().filter_map(|sample| sample.p99)).unwrap_or_default();
            bench.progress.note(format!("{p99:>12.2} ms p99      {}", figure.what));
            figures.push(figure);
        }
    }
    node.stop().await;
    let mut section = Section::new("W3", "From a command to its effect", figures);
    section.say(format!(
        "A whole node over {} events: all projections, the reactions, the relay and the consumers run. Times are from \
         the command on, not from its acknowledgement; seen in a query means that the row was read and had the \
         version. The heavy rate is {:.0} % of the most.",
        bench.scale.events(),
        HEAVY * 100.0
    ));
    Ok(section)
}

fn figure(key: impl Into<String>, what: String, samples: Vec<Sample>) -> Figure {
    Figure { key: key.into(), what, unit: "commands/s", samples }
}

/// A node in this process, with all that runs beside requests.
struct Whole {
    app: Data<App>,
    work: Work,
    broker: Arc<Broker>,
    _data: TemporaryFolder,
}

impl Whole {
    async fn start(database_url: &str, nats_url: &str) -> Result<Self> {
        let data = TemporaryFolder::new()?;
        let folder = data.path().to_string_lossy().into_owned();
        let given = HashMap::from([
            ("DATABASE_URL", database_url),
            ("NATS_URL", nats_url),
            ("DDC_STREAM", "W3"),
            ("DDC_DATA", folder.as_str()),
            ("SECRET_KEY", KEY),
            ("DDC_MASTER_KEY", KEY),
        ]);
        let config = Config::from_lookup(&|name| given.get(name).map(|value| (*value).to_owned()))?;
        let backing = Backing::for_serving(&config)?;
        let app = Data::new(App::open(config, &backing).await?);
        let broker = stream::for_journal(nats_url, "W3", &app.tenant).await?;
        let work = Work::start(&app)?;
        let head = runtime::feed::head(&app.tenant.pool).await?;
        let tenant = &app.tenant;
        let ready = tenant.progress.wait(&tenant.pool, CompanyList::NAME, head, PATIENCE).await;
        ready.context("the node does not get ready")?;
        Ok(Self { app, work, broker, _data: data })
    }

    async fn stop(self) {
        self.work.stop().await;
        self.app.tenant.pool.close().await;
    }
}

/// A command that was acknowledged.
struct Given {
    started: Instant,
    acknowledged: Duration,
    company: u64,
    position: i64,
}

/// Changes a company's address, to another one each time: what changes nothing makes no event.
async fn give(tenant: &Tenant, company: u64) -> Result<Given> {
    static NUMBER: AtomicU32 = AtomicU32::new(1_000_000);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let started = Instant::now();
    let actor = Actor::User { id: 1_i64.try_into()?, role: Role::Admin };
    let issuer = Issuer { actor, ..Issuer::system("company.change_details") };
    let address = seed::address(7, number);
    let changes = CompanyChanges { address: Change::Set(Text::new(&address)?), ..CompanyChanges::default() };
    let done = tenant
        .journal
        .execute::<_, ExecuteError>(&issuer, async |unit| {
            unit.decide::<Company, _>(company, CompanyCommand::ChangeDetails(changes.clone())).await
        })
        .await?;
    ensure!(done.appended, "nothing was changed");
    Ok(Given { started, acknowledged: started.elapsed(), company, position: done.position })
}

impl Given {
    /// Reads as a request does that names the position.
    async fn until_visible(&self, tenant: &Tenant) -> Result<Duration> {
        let (pool, company) = (&tenant.pool, i64::try_from(self.company)?);
        tenant.progress.wait(pool, CompanyList::NAME, self.position, PATIENCE).await?;
        let row = page::one(pool, CompanyList::NAME, company, &[]).await?;
        ensure!(row.is_some(), "company {company} is not in the list");
        Ok(self.started.elapsed())
    }
}

/// When each position came by NATS.
type Arrivals = Arc<Mutex<HashMap<i64, Instant>>>;

async fn subscribe(broker: &Broker) -> Result<Arrivals> {
    let stream = broker.jetstream().await?.get_stream(broker.stream()).await?;
    let config = pull::OrderedConfig { deliver_policy: DeliverPolicy::New, ..Default::default() };
    let mut messages = stream.create_consumer(config).await?.messages().await?;
    let arrivals = Arrivals::default();
    let seen = Arc::clone(&arrivals);
    tokio::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            let at = Instant::now();
            let id = message.headers.as_ref().and_then(|headers| headers.get(async_nats::header::NATS_MESSAGE_ID));
            if let Some(position) = id.and_then(|id| id.as_str().rsplit(':').next()?.parse().ok()) {
                seen.lock().unwrap_or_else(PoisonError::into_inner).insert(position, at);
            }
        }
    });
    Ok(arrivals)
}

struct Seen {
    append: Sample,
    visible: Sample,
    delivered: Sample,
}

/// Commands come at a steady rate, whatever becomes of the ones before.
async fn at_rate(tenant: &Tenant, arrivals: &Arrivals, rate: f64, within: Duration, companies: u64) -> Result<Seen> {
    let (started, mut chance, mut tasks) = (Instant::now(), Chance::new(42), Vec::new());
    let pause = Duration::from_secs_f64(1.0 / rate);
    let mut due = Duration::ZERO;
    while due < within {
        while due <= started.elapsed() {
            let (tenant, number) = (tenant.clone(), chance.below(u64::MAX));
            tasks.push(spawn_local(async move {
                let given = give(&tenant, 1 + number % companies).await?;
                let visible = given.until_visible(&tenant).await?;
                Ok::<_, anyhow::Error>((given, visible))
            }));
            due += pause;
        }
        tokio::time::sleep_until((started + due).into()).await;
    }
    let mut given = Vec::new();
    for task in tasks {
        given.push(task.await??);
    }
    let took = started.elapsed();
    let delivered = delivered(arrivals, &given).await?;
    let append = given.iter().map(|(given, _)| given.acknowledged).collect();
    let visible = given.iter().map(|(_, visible)| *visible).collect();
    Ok(Seen {
        append: Sample::of_latencies(took, append),
        visible: Sample::of_latencies(took, visible),
        delivered: Sample::of_latencies(took, delivered),
    })
}

/// Waits for all that was written.
async fn delivered(arrivals: &Arrivals, given: &[(Given, Duration)]) -> Result<Vec<Duration>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        {
            let arrivals = arrivals.lock().unwrap_or_else(PoisonError::into_inner);
            let times =
                given.iter().map(|(given, _)| Some(arrivals.get(&given.position)?.duration_since(given.started)));
            if let Some(times) = times.collect() {
                return Ok(times);
            }
        }
        ensure!(Instant::now() < deadline, "NATS does not deliver all");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
