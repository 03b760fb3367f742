//! "When A, then B": an event leads to another command. `ls` of this folder is the map of what contexts have to do with
//! each other.
//!
//! A reaction is a checkpointed reader of the journal. Its checkpoint moves after its commands, so a crash between the
//! two repeats the reaction: the aggregates make a repeated command no event. An event whose reaction is refused for good
//! is parked, visibly; a dependency that is down is waited for. An event that a newer build has written may concern that
//! build's reaction: this one stops before it and leaves the rest to a node of that build.

mod analysis_requested_runs_the_analysis;
mod assessment_team_changed_reaches_what_came_of_it;
mod client_team_changed_reaches_its_assessments;
mod costing_approved_archives_the_superseded;
mod rate_card_revised_outdates_its_costings;

use std::{sync::Arc, time::Duration};

use actix_web::web::Data;
use async_trait::async_trait;
use runtime::{Claims, CodecError, Place, Recorded, Renounce, Turn, checkpoint, feed::Feed, parked};
use tokio::{sync::watch, task::LocalSet};

use crate::{app::App, journal::ExecuteError, schedule};

/// How many events a reaction takes at a time.
const BATCH: i64 = 200;
/// How much of the journal it looks at in a turn.
const AHEAD: i64 = 10_000;
const PAUSE: Duration = Duration::from_millis(500);
/// How long a reaction waits for a read model before it tries again from the start.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a reaction did not come about.
#[derive(Debug, thiserror::Error)]
pub enum ReactionError {
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error("position {0} was written by a newer build")]
    Newer(i64),
    #[error("{0}")]
    Other(String),
}

impl ReactionError {
    /// Whether trying again may help.
    fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Execute(ExecuteError::Unavailable(_) | ExecuteError::Conflict)
                | Self::Codec(CodecError::Unavailable(_))
        ) || self.is_newer()
    }

    /// Whether only a newer build can do it.
    fn is_newer(&self) -> bool {
        matches!(self, Self::Newer(_) | Self::Execute(ExecuteError::Newer(_)) | Self::Codec(CodecError::Newer { .. }))
    }
}

/// One "when A, then B".
#[async_trait(?Send)]
pub trait Reaction: Send + Sync + 'static {
    /// The name of its file, and of its claim and checkpoint.
    fn name(&self) -> &'static str;

    /// The aggregate types whose events it looks at.
    fn kinds(&self) -> &'static [&'static str];

    /// Reacts to one event; most are none of its business. Reacting twice must change nothing.
    async fn react(&self, app: &App, event: &Recorded) -> Result<(), ReactionError>;
}

/// Waits until a read model shows an event, so that it tells of all that the event concerns.
async fn shown(app: &App, read_model: &'static str, event: &Recorded) -> Result<(), ExecuteError> {
    let waited = app.tenant.progress.wait(&app.tenant.pool, read_model, event.position, PATIENCE).await;
    waited.map(drop).map_err(|behind| ExecuteError::Unavailable(behind.to_string()))
}

/// All reactions.
#[must_use]
pub fn all() -> Vec<Arc<dyn Reaction>> {
    vec![
        Arc::new(costing_approved_archives_the_superseded::CostingApprovedArchivesTheSuperseded),
        Arc::new(rate_card_revised_outdates_its_costings::RateCardRevisedOutdatesItsCostings),
        Arc::new(analysis_requested_runs_the_analysis::AnalysisRequestedRunsTheAnalysis),
        Arc::new(assessment_team_changed_reaches_what_came_of_it::AssessmentTeamChangedReachesWhatCameOfIt),
        Arc::new(client_team_changed_reaches_its_assessments::ClientTeamChangedReachesItsAssessments),
    ]
}

/// Starts all reactions, and what happens because time passes, on a thread of their own: their futures hold a unit across awaits and need not move between
/// threads. The thread ends when `stopped` says so.
///
/// # Errors
/// When the thread cannot be started.
pub fn start(
    app: Data<App>,
    feed: &Arc<Feed>,
    claims: &Claims,
    mut stopped: watch::Receiver<bool>,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let (feed, epochs, renounce) = (Arc::clone(feed), claims.epochs(), claims.renounce());
    std::thread::Builder::new().name("reactions".to_owned()).spawn(move || {
        let local = LocalSet::new();
        for reaction in all() {
            let place = Place::new(reaction.name(), &feed, epochs.clone());
            local.spawn_local(run(app.clone(), reaction, place, renounce.clone()));
        }
        local.spawn_local(schedule::run(app.clone(), epochs.clone()));
        let stop = async { while !*stopped.borrow_and_update() && stopped.changed().await.is_ok() {} };
        app.runtime.block_on(local.run_until(stop));
        // What the reactions still hold, e.g. connections, is given back within the runtime.
        let _context = app.runtime.enter();
        drop(local);
    })
}

async fn run(app: Data<App>, reaction: Arc<dyn Reaction>, mut place: Place, renounce: Renounce) {
    loop {
        match place.turn().await {
            Ok(Some(turn)) => match step(&app, &*reaction, &mut place, turn).await {
                Ok(()) => {}
                Err(error) => {
                    if error.is_newer() {
                        tracing::warn!(reaction = reaction.name(), %error, "left to a node of a newer build");
                        renounce.renounce(reaction.name());
                    } else {
                        tracing::warn!(reaction = reaction.name(), %error, "a reaction could not go on, it tries again");
                    }
                    place.doubt();
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(reaction = reaction.name(), %error, "a reaction could not go on, it tries again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Reacts to the next events.
async fn step(app: &App, reaction: &dyn Reaction, place: &mut Place, mut turn: Turn) -> Result<(), ReactionError> {
    turn.head = turn.head.min(turn.position + AHEAD);
    let newer = place.feed().newer(app.tenant.journal.codec(), turn.position, turn.head).await;
    if let Some(newer) = newer.map_err(ExecuteError::from)? {
        turn.head = newer - 1;
        if turn.head == turn.position {
            return Err(ReactionError::Newer(newer));
        }
    }
    let batch = place.batch(turn, reaction.kinds(), BATCH).await.map_err(ExecuteError::from)?;
    if !batch.note {
        place.passed(turn, batch.position);
        return Ok(());
    }
    for event in &batch.events {
        if let Err(error) = reaction.react(app, event).await {
            if error.is_passing() {
                return Err(error);
            }
            let mut connection = app.tenant.pool.acquire().await.map_err(ExecuteError::from)?;
            let parking = parked::park(&mut connection, reaction.name(), event, &error.to_string()).await;
            parking.map_err(ExecuteError::from)?;
        }
    }
    let mut connection = app.tenant.pool.acquire().await.map_err(ExecuteError::from)?;
    let moved = checkpoint::advance(&mut connection, reaction.name(), turn.epoch, turn.noted, batch.position).await;
    match moved.map_err(ExecuteError::from)? {
        Ok(_) => place.moved(turn, batch.position),
        Err(_) => place.doubt(),
    }
    Ok(())
}
