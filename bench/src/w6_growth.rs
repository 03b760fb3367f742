//! W6: what becomes slower as the journal grows. It should be nothing.

use std::time::{Duration, Instant};

use anyhow::Result;
use ddc::tenant::Tenant;
use identity_projections::company_list::CompanyList;
use runtime::{ResourceTable, feed};

use crate::{
    bench::Bench,
    measure::{Contestant, Figure, Sample, alternate, once, ratios, real},
    node::{self, Node},
    prepared,
    report::{Section, number},
    scale::{EVENTS_EACH, Scale},
    seed::{Kind, Seed, Shape},
    servers,
    w1_commands::{Streams, add, run_ddc, working_set},
    w4_reads::{Asking, Questions},
    w5_http_commands::CONNECTIONS,
};

/// Events of one batch of a live projection.
const BATCH: i64 = 1_000;
const BATCHES: i64 = 20;
/// A node that has been left alone this long is at rest.
const AT_REST: Duration = Duration::from_secs(4);
/// A journal that has just been opened has made its connections by then.
const SETTLED: Duration = Duration::from_millis(100);
/// More than a journal makes when it is opened.
const CONNECTIONS_MADE: u64 = 30;
/// Loads of a stream that is not at hand.
const LOADS: u32 = 20;

/// A journal of one size, and a node on it.
struct Grown {
    events: u32,
    dossiers: Tenant,
    companies: Tenant,
    node: Node,
}

/// All of W6.
pub(crate) async fn measure(bench: &Bench) -> Result<Section> {
    let mut figures = Vec::new();
    let mut journals = Vec::new();
    for events in bench.scale.growth() {
        journals.push(grow(bench, *events, &mut figures).await?);
    }
    let mut contestants = Vec::new();
    for part in Part::ALL {
        // What is compared follows each other.
        for grown in &journals {
            contestants.push(contestant(bench, grown, part)?);
        }
    }
    let measured = alternate(bench, contestants).await?;
    if let (Some(small), Some(large)) = (journals.first(), journals.last()) {
        figures.extend(worst(&measured, small.events, large.events));
    }
    figures.extend(measured);
    for Grown { dossiers, companies, node, .. } in journals {
        node.stop().await?;
        dossiers.pool.close().await;
        companies.pool.close().await;
    }
    for length in lengths(bench.scale) {
        figures.extend(long_stream(bench, *length).await?);
    }
    let mut section = Section::new("W6", "Growth", figures);
    section.say(format!(
        "The same with different numbers of events in the journal: 32 writers as in W1; {CONNECTIONS} connections that \
         read as in W4 (a tenth as many companies as events); a batch of {BATCH} events applied to the list of \
         companies. Then commands to streams of different length, of which those of 1,000 events and more have the \
         snapshots that the journal writes every 100 events."
    ));
    Ok(section)
}

async fn grow(bench: &Bench, events: u32, figures: &mut Vec<Figure>) -> Result<Grown> {
    let dossiers = seeded(bench, Kind::Dossier, events, "dossiers").await?;
    let companies = seeded(bench, Kind::Company, events, "companies").await?;
    let node = Node::ddc(&companies, &bench.nats()?.url, &format!("w6_{events}"), None).await?;
    let events_text = number(f64::from(events));
    let started = node.started_within.as_secs_f64() * 1000.0;
    let what = format!("start-up to the first answer, {events_text} events");
    let start = once(&bench.progress, format!("w6.start.{events}"), what, "ms", async { Ok(Sample::of(started)) });
    figures.push(start.await?);
    let memory = async {
        tokio::time::sleep(AT_REST).await;
        Ok(Sample::of(real(usize::try_from(node.memory()? / 1024)?) / 1024.0))
    };
    let what = format!("memory of the node at rest, {events_text} events");
    let mut memory = once(&bench.progress, format!("w6.rss.{events}"), what, "MB", memory).await?;
    if bench.scale.growth().last() == Some(&events) {
        memory.key = "w6.rss.largest".to_owned();
    }
    figures.push(memory);
    Ok(Grown {
        events,
        dossiers: servers::tenant(&dossiers, Vec::new()).await?,
        companies: servers::tenant(&companies, ddc::app::Build::this().projections).await?,
        node,
    })
}

/// A journal of so many events. One that nobody else measures on is not kept for others: it takes too much room.
async fn seeded(bench: &Bench, kind: Kind, events: u32, name: &str) -> Result<String> {
    let seed = Seed { kind, shape: Shape::Ddc, streams: events / EVENTS_EACH, each: EVENTS_EACH };
    let url = bench.seeded(seed, &format!("w6_{name}_{events}")).await?;
    if events > bench.scale.events() {
        bench.forget(seed).await?;
    }
    Ok(url)
}

/// What must not become slower.
#[derive(Debug, Clone, Copy)]
enum Part {
    Commands,
    One,
    List,
    Batch,
}

impl Part {
    const ALL: [Self; 4] = [Self::Commands, Self::One, Self::List, Self::Batch];

    fn key(self, events: u32) -> String {
        format!("w6.{self:?}.{events}").to_lowercase()
    }

    fn what(self) -> String {
        match self {
            Self::Commands => "DDC, 32 writers".to_owned(),
            Self::One => "DDC, one resource".to_owned(),
            Self::List => "DDC, list of 50, read anew each time".to_owned(),
            Self::Batch => format!("DDC, batches of {BATCH} events into company_list"),
        }
    }
}

fn contestant<'a>(bench: &'a Bench, grown: &'a Grown, part: Part) -> Result<Contestant<'a>> {
    let (events, scale, address) = (grown.events, bench.scale, grown.node.address);
    let (key, what) = (part.key(events), format!("{}, {} events", part.what(), number(f64::from(events))));
    let token = node::token()?;
    let questions = Questions::of(events / EVENTS_EACH);
    let asking = Asking { scale, address, token: &token, connections: CONNECTIONS };
    Ok(match part {
        Part::Commands => Contestant::new(key, what, "commands/s", move |_| {
            let journal = grown.dossiers.journal.clone();
            run_ddc(bench, vec![journal], 32, 1, working_set(events / EVENTS_EACH, bench.next_run()))
        }),
        Part::One => asking.contestant(key, what, questions.one),
        Part::List => asking.contestant(key, what, questions.first_anew),
        Part::Batch => Contestant::new(key, what, "events/s", move |_| batches(&grown.companies)),
    })
}

/// The projection's own work on the journal's last events, not committed.
async fn batches(tenant: &Tenant) -> Result<Sample> {
    let projection = prepared::projection(tenant, CompanyList::NAME)?;
    let head = feed::head(&tenant.pool).await?;
    let mut applied = 0;
    let started = Instant::now();
    for batch in (1..=BATCHES).rev() {
        let mut tx = tenant.pool.begin().await?;
        let from = (head - batch * BATCH).max(0);
        let events = feed::after(&mut tx, from, head, projection.kinds(), BATCH).await?;
        projection.apply(&mut tx, tenant.journal.codec(), &events).await?;
        applied += u64::try_from(events.len())?;
        tx.rollback().await?;
    }
    let sample = Sample::rate(applied, started.elapsed());
    // What was rolled back is not to be in the way of who is measured next.
    sqlx::query(&format!("VACUUM main_company_list_v{}.company_list", CompanyList::VERSION))
        .execute(&tenant.pool)
        .await?;
    Ok(sample)
}

/// How much slower the slowest part has become, round by round.
fn worst(figures: &[Figure], small: u32, large: u32) -> Option<Figure> {
    let rates = |part: Part, events| {
        let figure = figures.iter().find(|figure| figure.key == part.key(events))?;
        Some(figure.samples.iter().map(|sample| sample.value))
    };
    let slower = |part: Part| {
        let ratios = ratios(rates(part, small)?, rates(part, large)?);
        let what = format!(
            "the slowest of them ({}) with {} events against {}",
            part.what(),
            number(f64::from(large)),
            number(f64::from(small))
        );
        Some(Figure {
            key: "w6.worst".to_owned(),
            what,
            unit: "x",
            samples: ratios.into_iter().map(Sample::of).collect(),
        })
    };
    let parts = Part::ALL.into_iter().filter_map(slower);
    parts.max_by(|one, other| one.median().unwrap_or_default().total_cmp(&other.median().unwrap_or_default()))
}

const fn lengths(scale: Scale) -> &'static [u32] {
    match scale {
        Scale::Quick => &[10, 1_000],
        Scale::Million | Scale::TenMillion => &[10, 1_000, 100_000],
    }
}

/// One writer's commands to streams of this length: at hand, and not.
async fn long_stream(bench: &Bench, length: u32) -> Result<Vec<Figure>> {
    // Were there only one, the database would take it for its whole table, and read that.
    let streams = (10_000 / length).clamp(10, 100);
    let seed = Seed { kind: Kind::Dossier, shape: Shape::Ddc, streams, each: length };
    let url = bench.seeded(seed, "w6_length").await?;
    let tenant = servers::tenant(&url, Vec::new()).await?;
    if length >= 1_000 {
        for id in 1..=streams {
            // As the journal would have on the way: a snapshot.
            add(&tenant.journal, u64::from(id), 100).await?;
        }
    }
    let text = number(f64::from(length));
    let at_hand = once(
        &bench.progress,
        format!("w6.stream.{length}"),
        format!("DDC, one writer, streams of {text} events at hand"),
        "commands/s",
        run_ddc(bench, vec![tenant.journal.clone()], 1, 1, Streams::Of(1, streams)),
    )
    .await?;
    tenant.pool.close().await;
    let loads = once(
        &bench.progress,
        format!("w6.load.{length}"),
        format!("DDC, one command each to streams of {text} events that are not at hand"),
        "commands/s",
        cold(&url, streams),
    )
    .await?;
    Ok(vec![at_hand, loads])
}

/// Each command on a node that knows no stream.
async fn cold(url: &str, streams: u32) -> Result<Sample> {
    let mut latencies = Vec::new();
    for load in 0..LOADS {
        let tenant = servers::tenant(url, Vec::new()).await?;
        let id = u64::from(1 + load % streams);
        // Other streams pay for the connections and for the statements' preparation: the pool hands its own out in turn.
        for other in 0..CONNECTIONS_MADE {
            add(&tenant.journal, u64::MAX - other, 1).await?;
        }
        tokio::time::sleep(SETTLED).await;
        let started = Instant::now();
        add(&tenant.journal, id, 1).await?;
        latencies.push(started.elapsed());
        tenant.pool.close().await;
    }
    let took = latencies.iter().sum();
    Ok(Sample::of_latencies(took, latencies))
}
