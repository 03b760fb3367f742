//! The composition root: what a node is made of.

use std::sync::Arc;

use actix_web::web::Data;
use anyhow::Result;
use runtime::{Claims, EventTypes, Place, Projection, feed::Feed};
use tokio::{runtime::Handle, sync::watch};

use crate::{
    auth::{Sessions, Throttle, Tokens},
    backing::Backing,
    config::Config,
    contracts::EVENTS,
    fanout::{Broker, Fanout},
    http::{activity::Activities, admission::Admission, idempotency::InFlight, pages::Pages},
    node_roles::NodeRole,
    reactions, schedule,
    tenant::Tenant,
};

/// What every request has at hand.
pub struct App {
    pub config: Config,
    /// The node's own. It outlives those of the threads that serve requests or react, and a connection lives no longer than
    /// the runtime in which it was made: whatever takes one from the pool does so in here.
    pub runtime: Handle,
    pub tenant: Tenant,
    pub sessions: Sessions,
    pub admission: Admission,
    pub in_flight: InFlight,
    pub activities: Activities,
    pub pages: Pages,
    pub broker: Arc<Broker>,
}

/// What a build knows of, and others perhaps not or otherwise.
pub struct Build {
    pub projections: Vec<Arc<dyn Projection>>,
    pub events: EventTypes,
}

impl Build {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        Self { projections: projections(), events: EVENTS.iter().flat_map(|events| events.types).copied().collect() }
    }
}

/// All read models.
#[must_use]
pub fn projections() -> Vec<Arc<dyn Projection>> {
    [
        identity_projections::all(),
        oversight_projections::all(),
        engagement_projections::all(),
        reference_projections::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl App {
    /// Connects, migrates and opens; nothing runs yet.
    ///
    /// # Errors
    /// When the database or a key cannot be had.
    pub async fn open(config: Config, backing: &Backing) -> Result<Self> {
        Self::open_as(Build::this(), config, backing).await
    }

    /// As [`App::open`], as another build would.
    ///
    /// # Errors
    /// When the database or a key cannot be had.
    pub async fn open_as(build: Build, config: Config, backing: &Backing) -> Result<Self> {
        let tenant = Tenant::main(&backing.database_url, &config.master_key()?, build).await?;
        let sessions = Sessions {
            tokens: Tokens::new(&config.secret_key()?, config.tokens.access),
            throttle: Throttle::default(),
            refresh_lifetime: config.tokens.refresh,
        };
        let broker = Arc::new(Broker::new(backing.nats_url.clone(), config.stream.clone()));
        let (admission, in_flight, activities, pages) = Default::default();
        let runtime = Handle::current();
        Ok(Self { config, runtime, tenant, sessions, admission, in_flight, activities, pages, broker })
    }
}

/// What runs beside the requests, until it is stopped.
pub struct Work {
    feed: Arc<Feed>,
    claims: Claims,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    reactions: Option<std::thread::JoinHandle<()>>,
    fanout: Option<Fanout>,
    activities: Option<tokio::task::JoinHandle<()>>,
    stop: watch::Sender<bool>,
}

impl Work {
    /// Starts all readers of the journal; each runs on the node that has its claim. The broker need not be there.
    ///
    /// # Errors
    /// When a thread cannot be started, or mail is not configured well.
    pub fn start(app: &Data<App>) -> Result<Self> {
        let roles = &app.config.roles;
        let reacting = reactions::all().into_iter().map(|reaction| reaction.name().to_owned());
        let mut names = roles.claims(NodeRole::Reactor, reacting.chain([schedule::NAME.to_owned()]));
        let projecting = app.tenant.projections.iter().map(|projection| projection.reader());
        names.extend(roles.claims(NodeRole::Projector, projecting));
        let mut work = Self::projecting(&app.tenant, names);
        work.reactions = Some(reactions::start(app.clone(), &work.feed, &work.claims, work.stop.subscribe())?);
        work.fanout = Some(Fanout::start(app, &work.feed)?);
        work.activities = Some(tokio::spawn(Activities::run(app.clone(), work.stop.subscribe())));
        Ok(work)
    }

    /// Starts the projections only, as a command needs them that is not the server.
    #[must_use]
    pub fn project(tenant: &Tenant) -> Self {
        let names = tenant.projections.iter().map(|projection| projection.reader()).collect();
        Self::projecting(tenant, names)
    }

    fn projecting(tenant: &Tenant, names: Vec<String>) -> Self {
        let claims = Claims::start(tenant.pool.clone(), names);
        let feed = Arc::clone(tenant.journal.feed());
        let mut tasks = vec![tokio::spawn(tenant.clone().listen()), tokio::spawn(Arc::clone(&feed).run())];
        for projection in tenant.projections.iter() {
            let Tenant { pool, journal, progress, .. } = tenant.clone();
            let wanted = progress.wanted(projection.name());
            let place = Place::new(projection.reader(), &feed, claims.epochs()).hastened_by(wanted);
            let codec = Arc::clone(journal.codec());
            let (projection, renounce) = (Arc::clone(projection), claims.renounce());
            tasks.push(tokio::spawn(runtime::runner::run(pool, codec, projection, progress, place, renounce)));
        }
        Self { feed, claims, tasks, reactions: None, fanout: None, activities: None, stop: watch::Sender::new(false) }
    }

    /// Stops all work and gives the claims up.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.reactions {
            let joined = tokio::task::spawn_blocking(|| thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::warn!("the reactions did not end in order");
            }
        }
        if let Some(fanout) = self.fanout {
            fanout.stop().await;
        }
        if let Some(activities) = self.activities
            && activities.await.is_err()
        {
            tracing::warn!("the activities of the last requests are lost");
        }
        for task in &self.tasks {
            task.abort();
        }
        self.claims.release().await;
    }
}
