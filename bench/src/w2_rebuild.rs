//! W2: how fast read models come out of the journal again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Result;
use async_trait::async_trait;
use cqrs_es::{
    EventEnvelope, Query, View,
    persist::{GenericQuery, QueryReplay},
};
use ddc::{journal::verify, tenant::Tenant};
use identity::company::Company;
use identity_projections::company_list::CompanyList;
use kernel::Resource;
use postgres_es::{PostgresEventRepository, PostgresViewRepository};
use runtime::{
    ApplyError, Codec, Fold, NewFold, Projection, Recorded, RecordedRef, ResourceProjection, ResourceTable,
    copy_out::CopyOut, feed,
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};

use crate::{
    bench::Bench,
    measure::{Contestant, Sample, alternate, once},
    prepared,
    report::Section,
    scale::EVENTS_EACH,
    seed::{Kind, Seed, Shape},
    servers, vanilla,
};

const UNIT: &str = "events/s";
/// A replay into a table of views would take minutes: it is stopped after this.
const VIEWS_WITHIN: Duration = Duration::from_secs(8);

/// All of W2.
pub(crate) async fn measure(bench: &Bench) -> Result<Section> {
    let streams = bench.scale.streams();
    let seed = |shape| Seed { kind: Kind::Company, shape, streams, each: EVENTS_EACH };
    let tenant =
        servers::tenant(&bench.seeded(seed(Shape::Ddc), "w2_ddc").await?, ddc::app::Build::this().projections).await?;
    let peer_url = bench.seeded(seed(Shape::PostgresEs), "w2_vanilla").await?;
    let peer = servers::pool(&peer_url, vanilla::CONNECTIONS).await?;
    let all = tenant.projections.len();
    let (tenant, peer) = (&tenant, &peer);
    let mut figures = alternate(
        bench,
        vec![
            Contestant::new("w2.ddc.one", "DDC, rebuild of company_list, swap included", UNIT, |_| rebuild_one(tenant)),
            Contestant::new("w2.ddc.fold", "DDC, fold of company_list in memory", UNIT, |_| fold(tenant)),
            Contestant::new("w2.limit", "COPY BINARY to a loop that parses the JSON and drops it", UNIT, |_| {
                parse(tenant)
            }),
            Contestant::new("w2.vanilla.memory", "cqrs-es, replay into memory", UNIT, |_| replay_memory(peer)),
            Contestant::new("w2.vanilla.views", "cqrs-es, replay into a GenericQuery view", UNIT, |_| {
                replay_views(peer)
            }),
        ],
    )
    .await?;
    // These take long, and nobody does the like beside them: once is enough.
    if bench.is_wanted("w2.ddc.all") {
        let what = format!("DDC, rebuild of all {all} projections, one by one");
        figures.push(once(&bench.progress, "w2.ddc.all", what, UNIT, rebuild_all(tenant)).await?);
    }
    if bench.is_wanted("w2.verify") {
        let what = "ddc journal verify, the whole journal";
        figures.push(once(&bench.progress, "w2.verify", what, UNIT, verify_all(tenant)).await?);
    }
    tenant.pool.close().await;
    peer.close().await;
    let mut section = Section::new("W2", "Rebuilding read models", figures);
    section.say(format!(
        "{} events of {streams} companies. A rebuild begins with nothing, writes the table, indexes it and swaps it in; \
         for all projections the rate is the journal's events in the time of all. The replay into views was stopped \
         after {} s.",
        bench.scale.events(),
        VIEWS_WITHIN.as_secs()
    ));
    Ok(section)
}

async fn verify_all(tenant: &Tenant) -> Result<Sample> {
    let started = Instant::now();
    let range = verify::Range { from: 1, to: None, head: None };
    let verified = verify::verify(&tenant.pool, range, &mut |_, _| {}).await?;
    Ok(Sample::rate(verified.events, started.elapsed()))
}

async fn rebuild_one(tenant: &Tenant) -> Result<Sample> {
    let started = Instant::now();
    let report = prepared::build(tenant, prepared::projection(tenant, CompanyList::NAME)?).await?;
    Ok(Sample::rate(report.events, started.elapsed()))
}

async fn rebuild_all(tenant: &Tenant) -> Result<Sample> {
    let started = Instant::now();
    for projection in tenant.projections.iter() {
        prepared::build(tenant, projection.as_ref()).await?;
    }
    let head = feed::head(&tenant.pool).await?;
    Ok(Sample::rate(head.unsigned_abs(), started.elapsed()))
}

/// A rebuild that writes nothing of what it has folded.
async fn fold(tenant: &Tenant) -> Result<Sample> {
    sqlx::query("INSERT INTO checkpoints (name, version, position, epoch) VALUES ($1, 0, 0, 0) ON CONFLICT DO NOTHING")
        .bind(InMemoryOnly.name())
        .execute(&tenant.pool)
        .await?;
    let started = Instant::now();
    let report = prepared::build(tenant, &InMemoryOnly).await?;
    Ok(Sample::rate(report.events, started.elapsed()))
}

/// The list of companies without its table.
struct InMemoryOnly;

#[async_trait]
impl Projection for InMemoryOnly {
    fn name(&self) -> &'static str {
        "in_memory_only"
    }

    fn version(&self) -> i32 {
        1
    }

    fn kinds(&self) -> &'static [&'static str] {
        CompanyList::KINDS
    }

    fn tables(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn schema(&self) -> String {
        String::new()
    }

    fn indexes(&self) -> String {
        String::new()
    }

    fn fold(&self) -> Option<NewFold> {
        let begin: fn() -> Box<dyn Fold> =
            || Box::new(Forgotten(ResourceProjection::<CompanyList>::default().fold().map(|new| (new.begin)())));
        Some(NewFold { begin, reads_metadata: false })
    }

    async fn apply(&self, _: &mut PgConnection, _: &Codec, _: &[Recorded]) -> Result<(), ApplyError> {
        Ok(())
    }
}

struct Forgotten(Option<Box<dyn Fold>>);

#[async_trait]
impl Fold for Forgotten {
    async fn take(
        &mut self,
        tx: &mut PgConnection,
        codec: &Codec,
        events: &[RecordedRef<'_>],
    ) -> Result<(), ApplyError> {
        match &mut self.0 {
            Some(fold) => fold.take(tx, codec, events).await,
            None => Ok(()),
        }
    }

    fn holds(&self) -> usize {
        self.0.as_ref().map_or(0, |fold| fold.holds())
    }

    async fn finish(self: Box<Self>, _: &mut PgConnection, _: &Codec) -> Result<(), ApplyError> {
        Ok(())
    }
}

/// The limit: the same events, parsed and dropped.
async fn parse(tenant: &Tenant) -> Result<Sample> {
    let started = Instant::now();
    let query = "SELECT aggregate_id, sequence, event_type, payload FROM events WHERE aggregate_type = 'company' ORDER BY position";
    let mut connection = tenant.pool.acquire().await?;
    let mut copy = CopyOut::open(&mut connection, query).await?;
    let mut rows = 0;
    while let Some(row) = copy.next().await? {
        let mut fields = row.fields();
        fields.text()?;
        fields.number()?;
        fields.text()?;
        let _: serde_json::Value = fields.json()?;
        rows += 1;
    }
    Ok(Sample::rate(rows, started.elapsed()))
}

/// A company as cqrs-es keeps it for readers.
#[derive(Debug, Default, Serialize, Deserialize)]
struct CompanyRow {
    company: Company,
    version: usize,
}

impl View<Company> for CompanyRow {
    fn update(&mut self, event: &EventEnvelope<Company>) {
        <Company as Resource>::record(&mut self.company, event.payload.clone());
        self.version = event.sequence;
    }
}

/// All companies, in memory.
#[derive(Default, Clone)]
struct InMemory(Arc<Mutex<HashMap<String, CompanyRow>>>);

#[async_trait]
impl Query<Company> for InMemory {
    async fn dispatch(&self, id: &str, events: &[EventEnvelope<Company>]) {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let row = rows.entry(id.to_owned()).or_default();
        events.iter().for_each(|event| row.update(event));
    }
}

async fn replay_memory(peer: &PgPool) -> Result<Sample> {
    let started = Instant::now();
    let rows = InMemory::default();
    let repository = PostgresEventRepository::new(peer.clone());
    let replay: QueryReplay<_, _, Company> = QueryReplay::new(repository, rows.clone());
    replay.replay_all().await?;
    let versions = rows.0.lock().unwrap_or_else(PoisonError::into_inner).values().map(|row| row.version).sum::<usize>();
    Ok(Sample::rate(u64::try_from(versions)?, started.elapsed()))
}

async fn replay_views(peer: &PgPool) -> Result<Sample> {
    sqlx::query("TRUNCATE company_view").execute(peer).await?;
    let started = Instant::now();
    let views = PostgresViewRepository::<CompanyRow, Company>::new("company_view", peer.clone());
    let query = GenericQuery::new(Arc::new(views));
    let replay: QueryReplay<_, _, Company> = QueryReplay::new(PostgresEventRepository::new(peer.clone()), query);
    let replayed = tokio::time::timeout(VIEWS_WITHIN, replay.replay_all()).await;
    let took = started.elapsed();
    if let Ok(outcome) = replayed {
        outcome?;
    }
    let events: i64 =
        sqlx::query_scalar("SELECT COALESCE(sum(version), 0)::bigint FROM company_view").fetch_one(peer).await?;
    Ok(Sample::rate(events.unsigned_abs(), took))
}
