//! What was acknowledged is there: on a slow disk, where a batch's events are inserted while the batch before it is flushed,
//! and after a crash of the database.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use ddc::{
    app::Build,
    config::Secret,
    embedded::{Options, Servers, TemporaryFolder},
    journal::ExecuteError,
    tenant::Tenant,
};
use futures::future::join_all;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::PgPool;

use crate::{
    embedded::server_pids,
    journal::{change, create, interrupt, positions},
};

/// Servers of their own, with settings of PostgreSQL.
fn start(folder: &TemporaryFolder, settings: &[&str]) -> (Servers, Options) {
    let mut options = Options::new(ddc::config::search_path());
    options.nats = false;
    options.settings = settings.iter().map(|&setting| setting.to_owned()).collect();
    (Servers::start(folder.path(), &options).unwrap(), options)
}

/// A flush takes 3 ms longer.
const SLOW_DISK: [&str; 2] = ["commit_delay=3000", "commit_siblings=0"];

/// Whether a batch is ready to be committed while the one before it is flushed.
async fn is_followed(pool: &PgPool) -> bool {
    sqlx::query_scalar(
        "SELECT count(*) FILTER (WHERE state = 'idle in transaction') = 1
            AND count(*) FILTER (WHERE state = 'active' AND query = 'COMMIT') = 1
         FROM pg_stat_activity WHERE datname = current_database()",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_behind_others_on_a_slow_disk_lose_nothing_and_leave_no_hole() {
    const WRITERS: usize = 256;
    const COMMANDS: usize = 40;
    let folder = TemporaryFolder::new().unwrap();
    let (servers, _) = start(&folder, &SLOW_DISK);
    let tenant = open(&servers).await;
    // Half of them share streams, so that what is decided follows what is on its way.
    let streams = join_all((0..WRITERS / 2 + 8).map(|_| create(&tenant.journal))).await;
    let writers = (0..WRITERS).map(|writer| {
        let (journal, id) =
            (tenant.journal.clone(), streams[if writer % 2 == 0 { writer / 2 } else { WRITERS / 2 + writer % 8 }]);
        async move {
            let mut acknowledged = Vec::new();
            for command in 0..COMMANDS {
                let text = format!("w{writer}-{command}");
                acknowledged.push((change(&journal, id, &text).await.unwrap().position, text));
            }
            acknowledged
        }
    });
    let mut followed = false;
    let watching = async {
        loop {
            followed |= is_followed(&tenant.pool).await;
        }
    };
    let acknowledged = tokio::select! {
        acknowledged = join_all(writers) => acknowledged,
        () = watching => unreachable!("it watches until all have written"),
    };
    let acknowledged: Vec<(i64, String)> = acknowledged.into_iter().flatten().collect();
    assert!(followed, "no batch was sent behind another");
    kept(&tenant.pool, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn batches_behind_one_that_is_refused_are_appended_all_the_same() {
    let folder = TemporaryFolder::new().unwrap();
    let (servers, _) = start(&folder, &SLOW_DISK);
    interrupt(&open(&servers).await.journal).await;
}

/// All of it is in the journal, where it was said to be, and there is no hole.
async fn kept(pool: &PgPool, acknowledged: &[(i64, String)]) {
    let kept: HashMap<i64, String> = sqlx::query_as("SELECT position, payload::text FROM events")
        .fetch_all(pool)
        .await
        .unwrap()
        .into_iter()
        .collect();
    for (position, text) in acknowledged {
        let payload = kept.get(position);
        assert!(payload.is_some_and(|payload| payload.contains(&format!("\"{text}\""))), "{position}: {payload:?}");
    }
    let (count, last, head) = positions(pool).await;
    assert_eq!((last, head), (count, count), "positions are dense");
}

async fn open(servers: &Servers) -> Tenant {
    let (url, key) = (Secret::new(servers.database_url().unwrap()), Secret::new("k".repeat(32)));
    Tenant::main(&url, &key, Build::this()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_a_crash_of_the_database() {
    outlive_a_crash(32, 2_000, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_on_a_slow_disk_outlives_a_crash_of_the_database() {
    outlive_a_crash(256, 8_000, &SLOW_DISK).await;
}

async fn outlive_a_crash(writers: usize, most: usize, settings: &[&str]) {
    let folder = TemporaryFolder::new().unwrap();
    let (servers, options) = start(&folder, settings);
    let tenant = open(&servers).await;
    let ids = join_all((0..writers).map(|_| create(&tenant.journal))).await;
    let (count, crash) = (Arc::new(AtomicUsize::new(0)), Pid::from_raw(server_pids(folder.path())[0]));
    let writers = ids.into_iter().enumerate().map(|(writer, id)| {
        let (journal, count) = (tenant.journal.clone(), Arc::clone(&count));
        async move {
            let mut acknowledged = Vec::new();
            for command in 0.. {
                let text = format!("w{writer}-{command}");
                match change(&journal, id, &text).await {
                    Ok(done) => acknowledged.push((done.position, text)),
                    Err(ExecuteError::Unavailable(_)) => break,
                    Err(error) => panic!("{error}"),
                }
                if count.fetch_add(1, Ordering::Relaxed) == most {
                    // At once, with whatever has not been written yet.
                    kill(crash, Signal::SIGQUIT).unwrap();
                }
            }
            acknowledged
        }
    });
    let acknowledged: Vec<(i64, String)> = join_all(writers).await.into_iter().flatten().collect();
    assert!(acknowledged.len() > most, "only {} were acknowledged", acknowledged.len());
    tenant.pool.close().await;
    drop((tenant, servers));

    let servers = Servers::start(folder.path(), &options).unwrap();
    let tenant = open(&servers).await;
    kept(&tenant.pool, &acknowledged).await;
}
