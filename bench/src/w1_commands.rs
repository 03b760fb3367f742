//! W1: commands to small streams, through the one door that DDC has for them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use anyhow::{Context, Result, ensure};
use ddc::{
    journal::{ExecuteError, Issuer, Journal},
    tenant::Tenant,
};
use kernel::{Actor, Role};

use crate::{
    bench::Bench,
    dossier::{Dossier, DossierCommand, Entry},
    measure::{Contestant, Sample, alternate},
    pgbench,
    report::Section,
    scale::EVENTS_EACH,
    seed,
    seed::{Kind, Seed, Shape},
    servers, vanilla,
    writers::drive,
};

/// Streams that a run writes to: a node has them all at hand.
const WORKING_SET: u32 = 5_000;
/// The last streams are the hot ones, which no other run writes to: they grow long.
const HOT_MOST: u32 = 20;
/// How many streams are read at once to have them at hand.
const WARMERS: u64 = 16;
const UNIT: &str = "commands/s";

/// Which streams a run writes to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Streams {
    /// Any of these, from the first one on.
    Of(u32, u32),
    /// Each only once, in turn, over all that there are.
    Fresh(u32),
}

impl Streams {
    fn pick(self, chance: u64, turn: &AtomicU64) -> u64 {
        match self {
            Self::Of(first, count) => u64::from(first) + chance % u64::from(count),
            Self::Fresh(count) => 1 + turn.fetch_add(1, Ordering::Relaxed) % u64::from(count),
        }
    }
}

/// A part of the streams for each run, so that none grows much longer than the others.
pub(crate) fn working_set(streams: u32, run: usize) -> Streams {
    let size = WORKING_SET.min((streams / 4).max(1));
    let sets = (streams.saturating_sub(HOT_MOST) / size).max(1);
    let set = u32::try_from(run).unwrap_or_default() % sets;
    Streams::Of(1 + set * size, size)
}

/// One command of an ADMIN's to a dossier. Answers how often the journal gave up on it (409) and it was given again.
pub(crate) async fn add(journal: &Journal, id: u64, count: usize) -> Result<u64> {
    let issuer =
        Issuer { actor: Actor::User { id: 1_i64.try_into()?, role: Role::Admin }, ..Issuer::system("dossier.add") };
    let command = DossierCommand::Add { count, entry: Entry::new(id) };
    let mut given_up = 0;
    loop {
        let done = journal
            .execute::<_, ExecuteError>(&issuer, async |unit| unit.decide::<Dossier, _>(id, command.clone()).await)
            .await;
        match done {
            Ok(_) => return Ok(given_up),
            Err(ExecuteError::Conflict) => given_up += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Has these streams at hand.
pub(crate) async fn warm(journal: &Journal, streams: Streams) -> Result<()> {
    let Streams::Of(first, count) = streams else { return Ok(()) };
    let tasks: Vec<_> = (0..WARMERS)
        .map(|warmer| {
            let journal = journal.clone();
            tokio::spawn(async move {
                let ids = u64::from(first)..u64::from(first) + u64::from(count);
                for id in ids.filter(|id| id % WARMERS == warmer) {
                    journal.read::<Dossier, _>(id, |_, _| ()).await?;
                }
                Ok::<_, ExecuteError>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

/// DDC: as many nodes as journals are given.
pub(crate) async fn run_ddc(
    bench: &Bench,
    nodes: Vec<Journal>,
    writers: usize,
    count: usize,
    streams: Streams,
) -> Result<Sample> {
    for node in &nodes {
        warm(node, streams).await?;
    }
    let (turn, given_up) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let lost = Arc::clone(&given_up);
    let sample = drive(writers, bench.scale.warm_up(), bench.scale.measure(), move |chance, writer| {
        let node = usize::try_from(writer).unwrap_or_default() % nodes.len().max(1);
        let node = nodes.get(node).cloned();
        let (id, lost) = (streams.pick(chance, &turn), Arc::clone(&lost));
        async move {
            let node = node.context("there is no node")?;
            lost.fetch_add(add(&node, id, count).await?, Ordering::Relaxed);
            Ok(())
        }
    })
    .await?;
    let given_up = given_up.load(Ordering::Relaxed);
    if given_up > 0 {
        bench.progress.note(format!("{given_up:>12} times the journal gave up on a command, which was given again"));
    }
    Ok(sample)
}

/// The peer, with the same aggregate, payload and metadata.
pub(crate) async fn run_vanilla(
    bench: &Bench,
    pool: &sqlx::PgPool,
    writers: usize,
    count: usize,
    streams: Streams,
) -> Result<Sample> {
    let framework = vanilla::framework::<Dossier>(pool.clone());
    let turn = Arc::new(AtomicU64::new(0));
    drive(writers, bench.scale.warm_up(), bench.scale.measure(), move |chance, _| {
        let framework = Arc::clone(&framework);
        let id = streams.pick(chance, &turn);
        async move {
            let command = DossierCommand::Add { count, entry: Entry::new(id) };
            let number = u32::try_from(chance % u64::from(u32::MAX)).unwrap_or_default();
            let metadata = seed::metadata(chrono::Utc::now(), "dossier", number);
            vanilla::execute(&framework, &id.to_string(), command, &metadata).await
        }
    })
    .await
}

/// The bare statements on the same columns; the sequences are drawn so that none is refused.
pub(crate) fn script(streams: u32, with_load: bool) -> Result<String> {
    // `:name` is a variable to pgbench.
    let apart = |json: String| json.replace("\":", "\": ");
    let payload = apart(serde_json::to_string(&crate::dossier::DossierEvent::EntryAdded(Entry::new(11)))?);
    let metadata = apart(serde_json::to_string(&seed::metadata(chrono::Utc::now(), "dossier", 1))?);
    let load = format!(
        "SELECT aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata FROM events
         WHERE aggregate_type = 'dossier' AND aggregate_id = :id AND sequence <= {EVENTS_EACH} ORDER BY sequence;"
    );
    Ok(format!(
        "\\set id random(1, {streams})\n\\set sequence random(1000, 9000000000000000)\n{}\n\
         INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, \
         recorded_at) VALUES ('dossier', :id, :sequence, 'dossier.entry_added', '1.0', '{payload}', '{metadata}', \
         now());\n",
        if with_load { load.replace('\n', " ") } else { String::new() }
    ))
}

/// All of W1.
pub(crate) async fn measure(bench: &Bench) -> Result<Section> {
    let streams = bench.scale.streams();
    let seed = |shape| Seed { kind: Kind::Dossier, shape, streams, each: EVENTS_EACH };
    let url = bench.seeded(seed(Shape::Ddc), "w1_ddc").await?;
    let peer_url = bench.seeded(seed(Shape::PostgresEs), "w1_vanilla").await?;
    let bare_url = bench.seeded(seed(Shape::Bare), "w1_bare").await?;
    let node = servers::tenant(&url, Vec::new()).await?;
    let second = servers::tenant(&url, Vec::new()).await?;
    let hearing = tokio::spawn(node.clone().listen());
    let peer = servers::pool(&peer_url, vanilla::CONNECTIONS).await?;

    let mut contestants = Vec::new();
    for writers in [1, 32, 128, 512] {
        contestants.extend(different_streams(bench, &node, &peer, &bare_url, writers)?);
    }
    contestants.extend(three_events(bench, &node, &peer));
    contestants.extend(hot_streams(bench, &node, &second, &peer));
    let cold = url.clone();
    contestants.push(Contestant::new("w1.ddc.cold.32", "DDC, 32 writers, no stream at hand", UNIT, move |_| {
        let url = cold.clone();
        async move {
            let fresh = servers::tenant(&url, Vec::new()).await?;
            let sample = run_ddc(bench, vec![fresh.journal.clone()], 32, 1, Streams::Fresh(streams)).await;
            fresh.pool.close().await;
            sample
        }
    }));
    let figures = alternate(bench, contestants).await?;
    hearing.abort();
    let (dense, events) = seed::is_dense(&mut *node.pool.acquire().await?).await?;
    ensure!(dense, "the journal has holes after W1");
    peer.close().await;
    second.pool.close().await;
    node.pool.close().await;
    let mut section = Section::new("W1", "Commands to small streams", figures);
    section.say(format!(
        "10 events a stream so far, one more each command (three where it says so); {streams} streams, of which a run \
         writes to {} that are at hand, unless it says otherwise. Every command is through `Journal::execute`, with \
         NOTIFY and each node listening. Afterwards the journal held {events} events without a hole.",
        WORKING_SET.min((streams / 4).max(1))
    ));
    Ok(section)
}

fn different_streams<'a>(
    bench: &'a Bench,
    node: &Tenant,
    peer: &sqlx::PgPool,
    bare_url: &str,
    writers: usize,
) -> Result<Vec<Contestant<'a>>> {
    let streams = bench.scale.streams();
    let (journal, peer) = (node.journal.clone(), peer.clone());
    let count = if writers == 1 { "one writer".to_owned() } else { format!("{writers} writers") };
    let mut contestants = vec![
        Contestant::new(format!("w1.ddc.{writers}"), format!("DDC, {count}"), UNIT, move |_| {
            run_ddc(bench, vec![journal.clone()], writers, 1, working_set(streams, bench.next_run()))
        }),
        Contestant::new(format!("w1.vanilla.{writers}"), format!("postgres-es, {count}"), UNIT, move |_| {
            let peer = peer.clone();
            async move { run_vanilla(bench, &peer, writers, 1, working_set(streams, bench.next_run())).await }
        }),
    ];
    let scripts =
        [("insert", "INSERT", script(streams, false)?), ("load", "SELECT 10 + INSERT", script(streams, true)?)];
    for (key, what, script) in scripts {
        let Some(program) = bench.pgbench.clone().filter(|_| writers <= pgbench::CLIENTS_MOST) else { continue };
        let pgbench = pgbench::Bench { program, url: bare_url.to_owned(), script };
        contestants.push(Contestant::new(
            format!("w1.pgbench_{key}.{writers}"),
            format!("pgbench {what}, {writers} clients"),
            UNIT,
            move |_| {
                let pgbench = pgbench.clone();
                async move { pgbench.run(writers, bench.scale.measure()).await }
            },
        ));
    }
    Ok(contestants)
}

fn three_events<'a>(bench: &'a Bench, node: &Tenant, peer: &sqlx::PgPool) -> Vec<Contestant<'a>> {
    let streams = bench.scale.streams();
    let (journal, peer) = (node.journal.clone(), peer.clone());
    vec![
        Contestant::new("w1.ddc.three.32", "DDC, 32 writers, 3 events a command", UNIT, move |_| {
            run_ddc(bench, vec![journal.clone()], 32, 3, working_set(streams, bench.next_run()))
        }),
        Contestant::new("w1.vanilla.three.32", "postgres-es, 32 writers, 3 events a command", UNIT, move |_| {
            let peer = peer.clone();
            async move { run_vanilla(bench, &peer, 32, 3, working_set(streams, bench.next_run())).await }
        }),
    ]
}

fn hot_streams<'a>(bench: &'a Bench, node: &Tenant, second: &Tenant, peer: &sqlx::PgPool) -> Vec<Contestant<'a>> {
    let mut contestants = Vec::new();
    for hot in [8, HOT_MOST] {
        let one = vec![node.journal.clone()];
        let two = vec![node.journal.clone(), second.journal.clone()];
        // The last ones, which nobody else writes to.
        let streams = Streams::Of(bench.scale.streams() - hot + 1, hot);
        for (key, what, nodes, other) in [("one", "one node", one, None), ("two", "two nodes", two, Some(second))] {
            let other = other.cloned();
            contestants.push(Contestant::new(
                format!("w1.ddc.hot{hot}.{key}"),
                format!("DDC, 32 writers on {hot} hot streams, {what}"),
                UNIT,
                move |_| {
                    let (nodes, other) = (nodes.clone(), other.clone());
                    async move {
                        // Nodes hear of each other's appends, as in earnest; one that is not there hears nothing.
                        let hearing = other.map(|other| tokio::spawn(other.listen()));
                        let sample = run_ddc(bench, nodes, 32, 1, streams).await;
                        if let Some(hearing) = hearing {
                            hearing.abort();
                        }
                        sample
                    }
                },
            ));
        }
    }
    let (peer, streams) = (peer.clone(), Streams::Of(bench.scale.streams() - 7, 8));
    contestants.push(Contestant::new("w1.vanilla.hot8", "postgres-es, 32 writers on 8 hot streams", UNIT, move |_| {
        let peer = peer.clone();
        async move { run_vanilla(bench, &peer, 32, 1, streams).await }
    }));
    contestants
}
