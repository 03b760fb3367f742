//! The peers over HTTP, each a process of its own like DDC: the smallest actix-web servers that answer the same.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use actix_web::{
    App, HttpResponse, HttpServer,
    error::{ErrorBadRequest, ErrorInternalServerError},
    get, put, web,
};
use anyhow::{Context, Result};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use identity::company::{Company, CompanyChanges, CompanyCommand};
use kernel::{Change, Text};
use postgres_es::PostgresCqrs;
use serde::Deserialize;

use crate::{seed, servers, vanilla};

/// Which peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// Answers a file's bytes from memory
    Bytes,
    /// Carries commands out by cqrs-es and postgres-es
    Commands,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Be a peer's server instead of measuring (the bench starts itself so)
    #[arg(long, hide = true)]
    pub(crate) serve: Option<Peer>,
    #[arg(long, hide = true)]
    parent: Option<i32>,
    #[arg(long, hide = true)]
    listen: Option<SocketAddr>,
    #[arg(long, hide = true)]
    database: Option<String>,
    #[arg(long, hide = true)]
    file: Option<PathBuf>,
}

/// Serves until it is stopped.
pub(crate) async fn serve(peer: Peer, arguments: &Serve) -> Result<()> {
    ddc::embedded::stop_with_parent(arguments.parent.context("--parent is missing")?)?;
    let listen = arguments.listen.context("--listen is missing")?;
    match peer {
        Peer::Bytes => {
            let body = Bytes::from(std::fs::read(arguments.file.as_ref().context("--file is missing")?)?);
            let body = web::Data::new(body);
            let server = HttpServer::new(move || App::new().app_data(body.clone()).service(page).service(live));
            server.tcp_nodelay(true).bind(listen)?.run().await?;
        }
        Peer::Commands => {
            let url = arguments.database.as_ref().context("--database is missing")?;
            let framework = vanilla::framework::<Company>(servers::pool(url, vanilla::CONNECTIONS).await?);
            let framework: web::Data<Arc<PostgresCqrs<Company>>> = web::Data::new(framework);
            let server = HttpServer::new(move || App::new().app_data(framework.clone()).service(change).service(live));
            server.tcp_nodelay(true).bind(listen)?.run().await?;
        }
    }
    Ok(())
}

#[get("/health/live/")]
async fn live() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[get("/bytes/")]
async fn page(body: web::Data<Bytes>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body.get_ref().clone())
}

#[derive(Deserialize)]
struct Body {
    address: Text<1, 500>,
}

#[put("/company/{id}/")]
async fn change(
    framework: web::Data<Arc<PostgresCqrs<Company>>>,
    id: web::Path<u32>,
    body: web::Bytes,
) -> actix_web::Result<HttpResponse> {
    let Body { address } = serde_json::from_slice(&body).map_err(ErrorBadRequest)?;
    let command =
        CompanyCommand::ChangeDetails(CompanyChanges { address: Change::Set(address), ..CompanyChanges::default() });
    let metadata = seed::metadata(chrono::Utc::now(), "company", *id);
    vanilla::execute(framework.get_ref(), &id.to_string(), command, &metadata)
        .await
        .map_err(ErrorInternalServerError)?;
    Ok(HttpResponse::Ok().json(serde_json::json!({ "id": *id })))
}
