//! W4: reads over HTTP, as a frontend asks them.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ddc::embedded::TemporaryFolder;
use serde_json::{Value, json};

use crate::{
    bench::Bench,
    http_load::{self, Connection},
    measure::{Contestant, alternate},
    node::{self, Node},
    pgbench,
    report::Section,
    scale::Scale,
    seed::{self, Kind, Seed, Shape},
    w5_http_commands::CONNECTIONS,
};

const UNIT: &str = "requests/s";
const PAGE: u32 = 50;
/// A search may read the whole table: with more of them, none would end within a run.
const SEARCHERS: u64 = 2;
/// The deep page begins here, of a million rows.
const DEEP_PER_MILLE: u32 = 900;

/// A path, given a random number.
pub(crate) type Question = Arc<dyn Fn(u64) -> String + Send + Sync>;

/// Questions that are asked of a list of so many companies.
pub(crate) struct Questions {
    pub(crate) one: Question,
    first: Question,
    /// The first page under an address that nobody has asked for: it cannot be answered as it was before.
    pub(crate) first_anew: Question,
    deep_anew: Question,
    filtered: Question,
    stats: Question,
}

impl Questions {
    pub(crate) fn of(rows: u32) -> Self {
        let (count, deep) = (u64::from(rows), rows / 1000 * DEEP_PER_MILLE);
        let first = format!("/api/common/companies/?page_size={PAGE}");
        let (anew, having) = (format!("{first}&n="), format!("{first}&search="));
        let cursor = BASE64.encode(json!({"b": false, "k": seed::company_name(deep), "i": deep}).to_string());
        let after = format!("{first}&cursor={cursor}&n=");
        Self {
            one: Arc::new(move |chance| format!("/api/common/company/{}/", 1 + chance % count)),
            first: Arc::new(move |_| first.clone()),
            first_anew: Arc::new(move |chance| format!("{anew}{chance}")),
            deep_anew: Arc::new(move |chance| format!("{after}{chance}")),
            // One row of all.
            filtered: Arc::new(move |chance| format!("{having}{:08}", 1 + chance % count)),
            stats: Arc::new(|_| "/api/dashboards/stats/".to_owned()),
        }
    }
}

/// The page's rows, as bare SQL.
const SELECT: &str =
    "SELECT id, name, body FROM main_company_list_v1.company_list WHERE NOT is_deleted ORDER BY name, id LIMIT 51;\n";

/// All of W4.
pub(crate) async fn measure(bench: &Bench) -> Result<Section> {
    // A row an event.
    let rows = bench.scale.events();
    let seed = Seed { kind: Kind::Company, shape: Shape::Ddc, streams: rows, each: 1 };
    let url = bench.seeded(seed, "w4_ddc").await?;
    let node = Node::ddc(&url, &bench.nats()?.url, "w4", None).await?;
    let token = node::token()?;
    let questions = Questions::of(rows);
    let folder = TemporaryFolder::new()?;
    let (file, size) = answer(node.address, &(questions.first)(0), &token, &folder).await?;
    let peer = Node::peer(&["bytes", "--file", &file]).await?;

    let scale = bench.scale;
    let asking = Asking { scale, address: node.address, token: &token, connections: CONNECTIONS };
    let searching = Asking { connections: SEARCHERS, ..asking };
    let memory = Asking { address: peer.address, ..asking };
    let (page, deep) = (format!("DDC, list of {PAGE}"), rows / 1000 * DEEP_PER_MILLE);
    let Questions { one, first, first_anew, deep_anew, filtered, stats } = questions;
    let mut contestants = vec![
        asking.contestant("w4.ddc.one", "DDC, one resource", one),
        asking.contestant("w4.ddc.first", format!("{page}, first page, unchanged since it was last read"), first),
        asking.contestant("w4.ddc.first.anew", format!("{page}, first page, read anew each time"), first_anew),
        asking.contestant("w4.ddc.deep", format!("{page}, from row {deep}, read anew each time"), deep_anew),
        searching.contestant(
            "w4.ddc.filtered",
            format!("DDC, list, searched for what one name has, {SEARCHERS} connections"),
            filtered,
        ),
        asking.contestant("w4.ddc.stats", "DDC, dashboard stats", stats),
        memory.contestant(
            "w4.memory",
            "actix-web, the first page's bytes from memory",
            Arc::new(|_| "/bytes/".to_owned()),
        ),
    ];
    if let Some(program) = bench.pgbench.clone() {
        let pgbench = pgbench::Bench { program, url: url.clone(), script: SELECT.to_owned() };
        let what = format!("pgbench, SELECT of the same {PAGE} rows, {CONNECTIONS} clients");
        contestants.push(Contestant::new("w4.pgbench", what, UNIT, move |_| {
            let pgbench = pgbench.clone();
            async move { pgbench.run(usize::try_from(CONNECTIONS)?, scale.measure()).await }
        }));
    }
    let figures = alternate(bench, contestants).await?;
    node.stop().await?;
    peer.stop().await?;
    let mut section = Section::new("W4", "Reads over HTTP", figures);
    section.say(format!(
        "{CONNECTIONS} connections ask a node with {rows} companies; every request carries a JWT. The first page is \
         {size} bytes. A list that was read before is answered again when the database says that it has not changed; read anew \
         it is under an address that nobody has asked for. The dashboard has no engagements to count."
    ));
    Ok(section)
}

/// Somebody who asks a server one kind of question again and again.
pub(crate) struct Asking<'a> {
    pub(crate) scale: Scale,
    pub(crate) address: SocketAddr,
    pub(crate) token: &'a str,
    pub(crate) connections: u64,
}

impl Asking<'_> {
    pub(crate) fn contestant<'a>(
        &self,
        key: impl Into<String>,
        what: impl Into<String>,
        question: Question,
    ) -> Contestant<'a> {
        let Self { scale, address, connections, token } = *self;
        let token: Arc<str> = token.into();
        Contestant::new(key, what, UNIT, move |_| {
            let (question, token) = (Arc::clone(&question), Arc::clone(&token));
            http_load::load(http_load::SUCCESS, address, connections, scale, move |chance| {
                http_load::get(&question(chance), &token)
            })
        })
    }
}

/// What DDC answers, in a file, and how long it is; it must be a whole page.
async fn answer(address: SocketAddr, path: &str, token: &str, folder: &TemporaryFolder) -> Result<(String, usize)> {
    let mut connection = Connection::open(address).await?;
    let body = connection.send(&http_load::get(path, token)).await?;
    let page: Value = serde_json::from_slice(body)?;
    let results = page.get("results").and_then(Value::as_array).context("the list has no results")?;
    anyhow::ensure!(results.len() == usize::try_from(PAGE)?, "the list has {} rows", results.len());
    let file = folder.path().join("page.json");
    std::fs::write(&file, body)?;
    Ok((file.to_string_lossy().into_owned(), body.len()))
}
