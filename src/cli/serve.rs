//! `ddc serve`: the server.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    app::{App, Work},
    backing::Backing,
    config::Config,
    http,
    node_roles::NodeRole,
};

/// Serve the API, with a private PostgreSQL and NATS unless DATABASE_URL and NATS_URL say otherwise
///
/// Examples:
///   ddc serve
///   DATABASE_URL=postgres://… NATS_URL=nats://… ddc serve --roles api
///   DATABASE_URL=postgres://… NATS_URL=nats://… ddc serve --roles projector,relay,consumer,reactor
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Serve {
    /// What this node does, e.g. api,projector; everything without it (or DDC_ROLES). /health and /metrics are always
    /// served
    #[arg(long, value_delimiter = ',', value_name = "ROLES")]
    roles: Vec<NodeRole>,
}

impl Serve {
    pub(super) async fn run(self, mut config: Config) -> Result<ExitCode> {
        if !self.roles.is_empty() {
            config.roles = self.roles.into();
        }
        http::connections::raise_open_files();
        let backing = Backing::for_serving(&config)?;
        let listener = http::connections::listen(config.listen)
            .with_context(|| format!("{} cannot be listened on; set DDC_LISTEN to another address", config.listen))?;
        let address = listener.local_addr()?;
        let app = actix_web::web::Data::new(App::open(config, &backing).await?);
        crate::built_in::load_missing(&app.tenant.journal).await?;
        let work = Work::start(&app)?;
        let server = http::serve(app.clone(), listener)?;
        let handle = server.handle();
        let mut serving = tokio::spawn(server);
        tracing::info!("serving on http://{address}, the API explorer is at http://{address}/docs/");
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            ended = &mut serving => ended.context("the server broke off")?.context("the server failed")?,
        }
        tracing::info!("stopping: finishing requests");
        handle.stop(true).await;
        work.stop().await;
        tracing::info!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}
