//! Cursors and all other parameters of queries. An input is `PATH?QUERY`, as it is sent.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use reqwest::{Method, Url};
use serde_json::Value;

use super::{ask, inputs::Inputs, judge, samples::Samples, spoiling::spoilt};
use crate::{
    authorization::expected::{Operation, operations},
    engagement::World,
    harness::{Answer, Node, Session},
};

/// How often each query is asked.
const ROUNDS: usize = 12;

const WORDS: &[&str] =
    &["%00", "%FF", "%", "&", "=", "+", "cursor=", "&page=", "&ordering=", "e30", "%22", "../", "?", "#", "-"];

const LISTS: [&str; 6] = ["cursor", "page", "page_size", "ordering", "search", "include_deleted"];

const ORDERS: [&str; 8] = ["id", "-id", "created_at", "-updated_at", "name", "-email", "code", "at"];

/// A cursor with something else about it, from a real one.
fn cursor(real: &str, inputs: &mut Inputs) -> String {
    let said = BASE64.decode(real).unwrap();
    let json: Value = serde_json::from_slice(&said).unwrap();
    match inputs.chance.u8(..6) {
        0 => real.to_owned(),
        1 => String::from_utf8_lossy(&inputs.mutated(real.into())).into_owned(),
        2 => BASE64.encode(inputs.mutated(said)),
        _ => BASE64.encode(spoilt(&json, &mut inputs.chance)),
    }
}

fn query(operation: &Operation, samples: &Samples, real: &str, inputs: &mut Inputs) -> Vec<u8> {
    let mut names = [samples.parameters(operation), LISTS.to_vec()].concat();
    inputs.chance.shuffle(&mut names);
    let mut address = Url::parse(&format!("http://ddc.test{}", operation.path)).unwrap();
    for name in names.into_iter().take(3).chain(["cursor"]) {
        let value = match name {
            "cursor" => cursor(real, inputs),
            "ordering" => (*inputs.chance.choice(&ORDERS).unwrap()).to_owned(),
            _ => {
                let text = spoilt(&Value::Null, &mut inputs.chance);
                // What is a text in JSON is meant without its quotes.
                serde_json::from_str::<String>(&text).unwrap_or(text).chars().take(2000).collect()
            }
        };
        address.query_pairs_mut().append_pair(name, &value);
    }
    let mut sent = address.query().unwrap_or_default().as_bytes().to_vec();
    if inputs.chance.u8(..8) == 0 {
        sent = inputs.mutated(sent);
    }
    [operation.path.as_bytes(), b"?", &sent].concat()
}

/// Whatever is wrong with a query is said of the parameter that it is wrong with.
fn names(answer: &Answer, query: &str) -> Result<(), String> {
    let sent = Url::parse(&format!("http://ddc.test/?{query}")).unwrap();
    let errors = answer.body["errors"].as_object();
    let is_sent = |name: &String| sent.query_pairs().any(|(sent, _)| sent == *name);
    let named = errors.is_some_and(|all| !all.is_empty() && all.keys().all(is_sent));
    if answer.status == 422 && answer.body["code"] != "REQUIRED" && !named {
        return Err(format!("names nothing that was sent: {}", answer.text));
    }
    Ok(())
}

async fn send(world: &World<'_>, admin: &Session<'_>, input: &[u8]) -> Result<(), String> {
    // Not all bytes can stand in an address, and not any number of them.
    let sent: String = String::from_utf8_lossy(input).chars().filter(|c| !c.is_control()).take(30_000).collect();
    let (path, query) = sent.split_once('?').unwrap_or((&sent, ""));
    let address = format!("{}?{query}", world.fill(path));
    for _ in 0..10 {
        let answer = ask(admin.request(Method::GET, &address)).await?;
        if answer.status != 503 || answer.header("retry-after").is_empty() {
            return judge(&answer).and_then(|()| names(&answer, query));
        }
    }
    Err("is never answered".to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_query_is_answered_or_refused_whatever_its_parameters_are() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let (admin, samples) = (node.admin().await, Samples::new());
    let page = admin.get("/api/accounts/users/?page_size=1").await.expect(200);
    let next = Url::parse(page["next"].as_str().unwrap()).unwrap();
    let real = next.query_pairs().find(|(name, _)| name == "cursor").unwrap().1.into_owned();
    let is_asked = |operation: &Operation| operation.method == Method::GET && operation.is_for("ADMIN");
    let queries: Vec<Operation> = operations().into_iter().filter(is_asked).collect();
    let mut inputs = Inputs::of("queries", ROUNDS * queries.len(), WORDS);
    let mut turns = queries.iter().cycle();
    loop {
        let input = match inputs.saved() {
            Some(saved) => saved,
            None if inputs.another() => query(turns.next().unwrap(), &samples, &real, &mut inputs),
            None => break,
        };
        if let Err(what) = send(&world, &admin, &input).await {
            inputs.failed(&input, &what);
        }
    }
    node.anonymous().get("/health/ready/").await.expect(200);
}
