//! What happens because time passes. One node at a time does it, the one that has the claim [`NAME`].
//!
//! A job finds what it concerns by asking a read model, and then commands as the system; the aggregate decides again on
//! what is true by then, so a job that comes late, early or twice does no harm. A job runs when a node takes the claim and
//! whenever its time has come. One that fails (a read model is yet to be built) is logged and tried again within minutes.
//!
//! To add one: an `async fn(&App) -> Result<()>` in a file of this folder, and a line in [`jobs`].

mod expire_proposals;
mod purge;
mod reassess_projects;
mod time_out_analyses;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use actix_web::web::Data;
use anyhow::Result;
use futures::future::LocalBoxFuture;
use runtime::Epochs;
use tokio::sync::watch;

use crate::{
    app::App,
    journal::{ExecuteError, Issuer, Unit},
};

/// The name of the claim under which jobs run.
pub const NAME: &str = "schedule";

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long a node without the claim, or without a job that is due, waits at the most before it looks again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Something done again and again.
struct Job {
    name: &'static str,
    every: Duration,
    run: fn(&App) -> LocalBoxFuture<'_, Result<()>>,
}

/// All jobs.
fn jobs() -> [Job; 4] {
    [
        Job { name: "expire_proposals", every: HOUR, run: |app| Box::pin(expire_proposals::run(app)) },
        Job { name: "reassess_projects", every: DAY, run: |app| Box::pin(reassess_projects::run(app)) },
        Job { name: "time_out_analyses", every: MINUTE, run: |app| Box::pin(time_out_analyses::run(app)) },
        Job { name: "purge", every: HOUR, run: |app| Box::pin(purge::run(app)) },
    ]
}

/// Does what is due, for as long as the node runs.
pub async fn run(app: Data<App>, mut epochs: watch::Receiver<Epochs>) {
    let jobs = jobs();
    let mut begun: Option<i64> = None;
    let mut next: HashMap<&'static str, Instant> = HashMap::new();
    loop {
        let epoch = epochs.borrow_and_update().get(NAME).copied();
        if epoch != begun {
            // Another node may have had the claim in between, and may have died over its work.
            begun = epoch;
            next.clear();
        }
        for job in jobs.iter().filter(|_| epoch.is_some()) {
            let now = Instant::now();
            if next.get(job.name).is_some_and(|due| *due > now) {
                continue;
            }
            next.insert(job.name, now + job.every);
            if let Err(error) = (job.run)(&app).await {
                tracing::warn!(job = job.name, error = format!("{error:#}"), "a scheduled job failed");
                next.insert(job.name, now + job.every.min(MINUTE));
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            news = epochs.changed() => if news.is_err() { return },
        }
    }
}

/// A command of the system on one thing. What the aggregate refuses is no failure: the read model was behind.
async fn command(
    app: &App,
    name: &'static str,
    id: i64,
    work: impl AsyncFnMut(&mut Unit<'_>) -> Result<(), ExecuteError>,
) -> Result<()> {
    match app.tenant.journal.execute(&Issuer::system(name), work).await {
        Ok(_) => Ok(()),
        Err(ExecuteError::Refused(refused)) => {
            tracing::debug!(command = name, id, %refused, "what was due is not due any more");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
