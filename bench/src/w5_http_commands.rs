//! W5: commands over HTTP, as a frontend gives them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use anyhow::Result;

use crate::{
    bench::Bench,
    http_load,
    measure::{Contestant, alternate},
    node::{self, Node},
    report::Section,
    scale::EVENTS_EACH,
    seed::{self, Kind, Seed, Shape},
};

pub(crate) const CONNECTIONS: u64 = 32;
/// Companies that are written to.
const WORKING_SET: u64 = 5_000;
const UNIT: &str = "requests/s";

/// All of W5.
pub(crate) async fn measure(bench: &Bench) -> Result<Section> {
    let streams = bench.scale.streams();
    let seed = |shape| Seed { kind: Kind::Company, shape, streams, each: EVENTS_EACH };
    let url = bench.seeded(seed(Shape::Ddc), "w5_ddc").await?;
    let peer_url = bench.seeded(seed(Shape::PostgresEs), "w5_vanilla").await?;
    let nats = bench.nats()?;
    let node = Node::ddc(&url, &nats.url, "w5", None).await?;
    let api_url = bench.seeded(seed(Shape::Ddc), "w5_api").await?;
    let api = Node::ddc(&api_url, &nats.url, "w5_api", Some("api")).await?;
    let peer = Node::peer(&["commands", "--database", &peer_url]).await?;
    let token = node::token()?;
    let (numbers, peer_numbers) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let companies = WORKING_SET.min(u64::from(streams));
    let (scale, peer_address) = (bench.scale, peer.address);
    let ddc = |key: &'static str, what: &'static str, address, whole: Option<String>| {
        let (token, numbers) = (token.clone(), Arc::clone(&numbers));
        Contestant::new(key, what, UNIT, move |_| {
            let (token, numbers, whole) = (token.clone(), Arc::clone(&numbers), whole.clone());
            let load = http_load::load(http_load::SUCCESS, address, CONNECTIONS, scale, move |chance| {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                let path = format!("/api/common/company/{}/update/", 1 + chance % companies);
                http_load::put(&path, &token, &format!("bench-{number}"), &body(number))
            });
            async move {
                let sample = load.await?;
                if let Some(url) = whole {
                    node::rest(&url).await?;
                }
                Ok(sample)
            }
        })
    };
    let contestants = vec![
        ddc(
            "w5.ddc",
            "DDC, a whole node: PUT with JWT, validation and idempotency key",
            node.address,
            Some(url.clone()),
        ),
        ddc("w5.ddc.api", "DDC, a node with the role api: the same", api.address, None),
        Contestant::new("w5.ddc.refused", "the same, refused for its body: nothing but HTTP", UNIT, {
            let (token, address) = (token.clone(), api.address);
            move |_| {
                let token = token.clone();
                http_load::load(http_load::REFUSAL, address, CONNECTIONS, scale, move |chance| {
                    let path = format!("/api/common/company/{}/update/", 1 + chance % companies);
                    http_load::put(&path, &token, &format!("refused-{chance}"), r#"{"address":5}"#)
                })
            }
        }),
        Contestant::new("w5.vanilla", "bare actix-web + PostgresCqrs", UNIT, move |_| {
            let numbers = Arc::clone(&peer_numbers);
            http_load::load(http_load::SUCCESS, peer_address, CONNECTIONS, scale, move |chance| {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                let path = format!("/company/{}/", 1 + chance % companies);
                http_load::put(&path, "", &format!("bench-{number}"), &body(number))
            })
        }),
    ];
    let figures = alternate(bench, contestants).await?;
    node.stop().await?;
    api.stop().await?;
    peer.stop().await?;
    let mut section = Section::new("W5", "Commands over HTTP", figures);
    section.say(format!(
        "{CONNECTIONS} connections, each changes the address of one of {companies} companies at a time. DDC is a whole \
         node: meanwhile it also keeps its read models, publishes to NATS and runs its reactions, and whoever is measured \
         after it waits until it has done so; the bare endpoint does the command and nothing else, without JWT and without a key. What is refused for its body \
         is neither decided nor stored, and no command can be faster."
    ));
    Ok(section)
}

/// Something new each time: what changes nothing makes no event.
fn body(number: u64) -> String {
    let floor = u32::try_from(number % 1_000_000_000).unwrap_or_default() + 1_000_000;
    format!(r#"{{"address":"{}"}}"#, seed::address(7, floor))
}
