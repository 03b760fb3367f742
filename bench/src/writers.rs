//! Writers in a closed loop: each gives its next command when the last one was acknowledged.
//!
//! They live on threads that each run their own tasks, as the workers of DDC's HTTP server do. The threads last as long
//! as the bench: connections that were opened on one belong to it.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, LazyLock},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use futures::future::try_join_all;
use tokio::{
    runtime::Builder,
    sync::{mpsc, oneshot},
    task::{LocalSet, spawn_local},
};

use crate::measure::{Chance, Sample, Window};

/// Something to be done on a worker.
type Job = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// One a core, as actix-web has.
static WORKERS: LazyLock<Vec<mpsc::UnboundedSender<Job>>> = LazyLock::new(|| {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    (0..cores).map(|_| worker()).collect()
});

fn worker() -> mpsc::UnboundedSender<Job> {
    let (sender, mut jobs) = mpsc::unbounded_channel::<Job>();
    thread::spawn(move || {
        // Without a runtime its jobs are dropped, which whoever waits for them is told.
        let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
        LocalSet::new().block_on(&runtime, async move {
            while let Some(job) = jobs.recv().await {
                spawn_local(job());
            }
        });
    });
    sender
}

/// Lets `writers` give commands through the warm-up and the measurement. A command is given chance and its writer's
/// number.
pub(crate) async fn drive<C, F>(writers: usize, warm_up: Duration, measure: Duration, command: C) -> Result<Sample>
where
    C: Fn(u64, u64) -> F + Send + Sync + 'static,
    F: Future<Output = Result<()>> + 'static,
{
    let window = Window::new(warm_up, measure);
    let command = Arc::new(command);
    let mut outcomes = Vec::new();
    for (worker, jobs) in WORKERS.iter().enumerate() {
        let (done, outcome) = oneshot::channel();
        let command = Arc::clone(&command);
        let mine = (worker..writers).step_by(WORKERS.len());
        let job: Job = Box::new(move || {
            Box::pin(async move {
                let written = mine.map(|writer| write(window, u64::try_from(writer).unwrap_or_default(), &*command));
                // Nobody waits any more when another worker has failed.
                let _ = done.send(try_join_all(written).await);
            })
        });
        jobs.send(job).ok().context("a worker has ended")?;
        outcomes.push(outcome);
    }
    let mut latencies = Vec::new();
    for outcome in outcomes {
        latencies.extend(outcome.await.context("a worker gave up")??.into_iter().flatten());
    }
    Ok(Sample::of_latencies(window.length(), latencies))
}

async fn write<F: Future<Output = Result<()>>>(
    window: Window,
    writer: u64,
    command: &impl Fn(u64, u64) -> F,
) -> Result<Vec<Duration>> {
    let mut chance = Chance::new(writer + 1);
    let mut latencies = Vec::new();
    loop {
        let started = Instant::now();
        if started >= window.end {
            return Ok(latencies);
        }
        command(chance.below(u64::MAX), writer).await?;
        let ended = Instant::now();
        if window.counts(ended) {
            latencies.push(ended - started);
        }
    }
}
