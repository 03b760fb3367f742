//! Fan-out: what leaves the journal for the outside. The relay copies the journal to a stream of NATS; consumers of the
//! stream tell people in the application and by mail. Commands never wait for any of it.

mod broker;
mod consumer;
mod email;
mod message;
mod notice;
mod notifications;
pub mod relay;

use std::sync::Arc;

use anyhow::Result;
use runtime::{Claims, feed::Feed};
use tokio::task::JoinHandle;

pub use broker::Broker;
pub use consumer::{ATTEMPTS, position};
pub use email::NAME as EMAILS;
pub use message::Message;
pub use notifications::NAME as NOTIFICATIONS;

use crate::{app::App, node_roles::NodeRole, tenant::Tenant};
use consumer::Effect;

/// The relay, the consumers and the sender of mails of this node.
pub struct Fanout {
    claims: Claims,
    tasks: Vec<JoinHandle<()>>,
}

impl Fanout {
    /// Starts them; each runs on the node that has its claim. NATS need not be there.
    ///
    /// # Errors
    /// When the configuration of mail is wrong.
    pub fn start(app: &App, feed: &Arc<Feed>) -> Result<Self> {
        let App { tenant, broker, config, .. } = app;
        let effects = effects(tenant);
        let consuming = effects.iter().map(|effect| effect.name().to_owned()).chain([email::SENDER.to_owned()]);
        let mut names = config.roles.claims(NodeRole::Consumer, consuming);
        names.extend(config.roles.claims(NodeRole::Relay, [relay::NAME.to_owned()]));
        let sender = Arc::new(email::Sender::new(tenant.pool.clone(), config)?);
        let claims = Claims::start(tenant.pool.clone(), names);
        let mut tasks = vec![
            tokio::spawn(relay::run(tenant.clone(), Arc::clone(feed), Arc::clone(broker), claims.epochs())),
            tokio::spawn(sender.run(claims.epochs())),
        ];
        for effect in effects {
            let (tenant, broker) = (tenant.clone(), Arc::clone(broker));
            tasks.push(tokio::spawn(consumer::run(effect, tenant, broker, claims.epochs(), claims.renounce())));
        }
        Ok(Self { claims, tasks })
    }

    /// Stops all of it and gives the claims up.
    pub async fn stop(self) {
        for task in &self.tasks {
            task.abort();
        }
        for task in self.tasks {
            // Aborted, so there is nothing to tell.
            let _ = task.await;
        }
        self.claims.release().await;
    }
}

/// What the consumers of the stream do.
fn effects(tenant: &Tenant) -> Vec<Arc<dyn Effect>> {
    vec![
        Arc::new(notifications::Notifications { journal: tenant.journal.clone() }),
        Arc::new(email::Emails { journal: tenant.journal.clone() }),
    ]
}
