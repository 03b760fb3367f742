//! A user who asks for one thing after another, of whichever node, and asks again until there is an answer.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use fastrand::Rng;
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    cluster::PASSWORD,
    commands::{Asked, Desk, Who},
    ledger::{Entry, Ledger, Outcome},
};

/// How long a user asks before the answer is taken to be unknown: longer than any outage here lasts.
const PATIENCE: Duration = Duration::from_secs(90);
/// One in so many acknowledged commands is read back, on either node.
const READS_BACK: usize = 3;

/// What all users share.
pub(crate) struct World {
    pub(crate) addresses: [String; 2],
    pub(crate) ledger: Ledger,
    pub(crate) seed: u64,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) emails: HashMap<Who, String>,
    pub(crate) desk: Desk,
}

pub(crate) struct User {
    world: Arc<World>,
    number: usize,
    rng: Rng,
    http: reqwest::Client,
    tokens: HashMap<Who, String>,
    desk: Desk,
}

struct Told {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
    text: String,
}

impl User {
    pub(crate) fn new(world: Arc<World>, number: usize) -> reqwest::Result<Self> {
        let rng = Rng::with_seed(world.seed.wrapping_mul(31).wrapping_add(u64::try_from(number).unwrap_or_default()));
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build()?;
        let desk = world.desk.clone();
        Ok(Self { world, number, rng, http, tokens: HashMap::new(), desk })
    }

    /// Works until it is told to stop; what is begun is brought to its end.
    pub(crate) async fn work(mut self) {
        for count in 0.. {
            if *self.world.stop.borrow() {
                return;
            }
            let label = format!("{}-{}-{count}", self.world.seed, self.number);
            if let Some(asked) = self.desk.think(&mut self.rng, &label) {
                self.ask(asked, format!("t{label}")).await;
            }
        }
    }

    /// Asks for one thing under one key until it is answered.
    async fn ask(&mut self, asked: Asked, key: String) {
        let begun = Instant::now();
        let what = format!("{} {}", asked.method, asked.path);
        for attempt in 0.. {
            if begun.elapsed() > PATIENCE {
                self.world.ledger.note(Entry { key, what, outcome: Outcome::Unknown });
                return;
            }
            if attempt > 0 {
                self.world.ledger.ask_again();
                tokio::time::sleep(Duration::from_millis(self.rng.u64(20..250))).await;
            }
            let id = format!("{key}.{attempt}");
            let headers = [("idempotency-key", key.as_str()), ("x-request-id", id.as_str())];
            let body = Some(&asked.body);
            let Some(told) = self.send(asked.who, asked.method.clone(), &asked.path, &headers, body).await else {
                continue;
            };
            let code = told.body["code"].as_str().unwrap_or_default();
            match told.status.as_u16() {
                200..=299 => {
                    let position = told.headers.get("ddc-position").and_then(|it| it.to_str().ok()?.parse().ok());
                    let Some(position) = position else {
                        self.world.ledger.wrong(format!("{what}: acknowledged without a position: {}", told.text));
                        return;
                    };
                    let outcome = Outcome::Acknowledged { position, eventful: asked.eventful };
                    self.world.ledger.note(Entry { key, what, outcome });
                    self.desk.learn(&asked, &told.body);
                    if self.rng.usize(0..READS_BACK) == 0 {
                        self.read_back(&asked, &told, position).await;
                    }
                    return;
                }
                401 => drop(self.tokens.remove(&asked.who)),
                409 if code == "IDEMPOTENCY_KEY_IN_FLIGHT" => {}
                // 408: the node was paused before it had read the request.
                408 | 429 | 503 => {}
                status @ 400..=499 => {
                    self.world.ledger.note(Entry { key, what, outcome: Outcome::Refused(status) });
                    return;
                }
                status => {
                    self.world.ledger.wrong(format!("{what}: {status}: {}", short(&told.text)));
                    return;
                }
            }
        }
    }

    /// What was written can be read at once, on either node.
    async fn read_back(&mut self, asked: &Asked, told: &Told, position: i64) {
        let Some(path) = asked.read_path(&told.body) else { return };
        let version =
            |headers: &HeaderMap| -> Option<i64> { headers.get("etag")?.to_str().ok()?.trim_matches('"').parse().ok() };
        let Some(written) = version(&told.headers) else { return };
        let position = position.to_string();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let headers = [("ddc-min-position", position.as_str())];
            let Some(seen) = self.send(asked.who, Method::GET, &path, &headers, None).await else { continue };
            match seen.status.as_u16() {
                200 if version(&seen.headers).is_some_and(|seen| seen >= written) => return,
                401 => drop(self.tokens.remove(&asked.who)),
                408 | 429 | 503 => {}
                status => {
                    let (found, path) = (version(&seen.headers), &path);
                    self.world.ledger.wrong(format!(
                        "{path}: written as version {written} at position {position}, read as {found:?} ({status}): {}",
                        short(&seen.text)
                    ));
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// `None`: no answer came.
    async fn send(
        &mut self,
        who: Who,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Option<Told> {
        let address = self.world.addresses[self.rng.usize(0..2)].clone();
        if !self.tokens.contains_key(&who) {
            let token = self.login(&address, who).await?;
            self.tokens.insert(who, token);
        }
        let mut request = self.http.request(method, format!("{address}{path}")).bearer_auth(self.tokens.get(&who)?);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        told(request).await
    }

    async fn login(&self, address: &str, who: Who) -> Option<String> {
        let body = json!({"email": self.world.emails.get(&who)?, "password": PASSWORD});
        let told = told(self.http.post(format!("{address}/api/auth/login/")).json(&body)).await?;
        if !matches!(told.status.as_u16(), 200 | 408 | 429 | 503) {
            self.world.ledger.wrong(format!("login of {who:?}: {}: {}", told.status, told.text));
        }
        told.body["access"].as_str().map(str::to_owned)
    }
}

/// The beginning of a text.
fn short(text: &str) -> String {
    text.chars().take(300).collect()
}

async fn told(request: reqwest::RequestBuilder) -> Option<Told> {
    let response = request.send().await.ok()?;
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.ok()?;
    Some(Told { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text })
}
