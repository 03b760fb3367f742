//! W1 on a disk that takes its time: a second PostgreSQL, every flush of which is a millisecond longer.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};
use ddc::embedded::TemporaryFolder;

use crate::{
    bench::Bench,
    measure::{Contestant, alternate},
    pgbench,
    report::Section,
    scale::EVENTS_EACH,
    seed::{Kind, Seed, Seeds, Shape},
    servers::{self, Postgres},
    vanilla,
    w1_commands::{run_ddc, run_vanilla, script, working_set},
};

const UNIT: &str = "commands/s";
/// What the figures need, and no more: loading is slow there.
const STREAMS_MOST: u32 = 10_000;

/// Stands between PostgreSQL and the C library.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static void take_a_millisecond(void) {
    struct timespec time = {0, 1000000};
    nanosleep(&time, 0);
}

int fdatasync(int file) {
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, "fdatasync");
    take_a_millisecond();
    return real(file);
}

int fsync(int file) {
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, "fsync");
    take_a_millisecond();
    return real(file);
}
"#;

/// The shim as a library; in a folder that PostgreSQL's account may enter.
fn build(folder: &TemporaryFolder) -> Result<PathBuf> {
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    let (source, library) = (folder.path().join("slow_disk.c"), folder.path().join("slow_disk.so"));
    fs::write(&source, SHIM)?;
    let output =
        Command::new("cc").args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(&source).arg("-ldl").output();
    let output = output.context("cc cannot be started")?;
    ensure!(output.status.success(), "the shim cannot be built: {}", String::from_utf8_lossy(&output.stderr));
    Ok(library)
}

/// All of it.
pub(crate) async fn measure(bench: &Bench) -> Result<Section> {
    let folder = TemporaryFolder::new()?;
    let library = build(&folder)?;
    bench.progress.say("starting a PostgreSQL on a slow disk");
    let (postgres, seeds) = (Postgres::start(Some(&library))?, Seeds::default());
    let streams = bench.scale.streams().min(STREAMS_MOST);
    let seed = |shape| Seed { kind: Kind::Dossier, shape, streams, each: EVENTS_EACH };
    let (postgres, progress) = (&postgres, &bench.progress);
    let node =
        servers::tenant(&seeds.copy(postgres, progress, seed(Shape::Ddc), "slow_ddc").await?, Vec::new()).await?;
    let peer_url = seeds.copy(postgres, progress, seed(Shape::PostgresEs), "slow_vanilla").await?;
    let peer = servers::pool(&peer_url, vanilla::CONNECTIONS).await?;
    let bare_url = seeds.copy(postgres, progress, seed(Shape::Bare), "slow_bare").await?;
    let mut contestants = Vec::new();
    for writers in [32, 128] {
        let journal = node.journal.clone();
        contestants.push(Contestant::new(
            format!("slow.ddc.{writers}"),
            format!("DDC, {writers} writers"),
            UNIT,
            move |_| run_ddc(bench, vec![journal.clone()], writers, 1, working_set(streams, bench.next_run())),
        ));
        let Some(program) = bench.pgbench.clone() else { continue };
        let pgbench = pgbench::Bench { program, url: bare_url.clone(), script: script(streams, false)? };
        contestants.push(Contestant::new(
            format!("slow.pgbench_insert.{writers}"),
            format!("pgbench INSERT, {writers} clients"),
            UNIT,
            move |_| {
                let pgbench = pgbench.clone();
                async move { pgbench.run(writers, bench.scale.measure()).await }
            },
        ));
    }
    let vanilla = peer.clone();
    contestants.push(Contestant::new("slow.vanilla.32", "postgres-es, 32 writers", UNIT, move |_| {
        let vanilla = vanilla.clone();
        async move { run_vanilla(bench, &vanilla, 32, 1, working_set(streams, bench.next_run())).await }
    }));
    let figures = alternate(bench, contestants).await?;
    node.pool.close().await;
    peer.close().await;
    let mut section = Section::new("W1, slow disk", "Commands where a flush takes a millisecond more", figures);
    section.say("A library that PostgreSQL loads first adds 1 ms to every `fdatasync` and `fsync`. Streams as in W1.");
    Ok(section)
}
