//! Claims: each reader of the journal runs on one node, another takes over within 10 s, and one that comes back late
//! applies nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use nix::sys::signal::Signal;
use runtime::{ApplyError, Claims, Codec, Place, Progress, Projection, Recorded, Rows, checkpoint, feed::Feed, runner};
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    crash::login,
    harness::{Node, database, until},
    process::Server,
};

const TAKE_OVER_WITHIN: Duration = Duration::from_secs(10);

/// Counts events, so that a batch that is applied twice shows. A runner of it can be stopped at two places.
#[derive(Default)]
struct Tally {
    before_reading: Option<Mutex<Stop>>,
    before_writing: Option<Gate>,
    /// Of a batch that goes to the database in one statement.
    with_its_rows: Option<Gate>,
}

/// Tells that it has been reached, and lets pass when it is open.
struct Gate {
    reached: watch::Sender<bool>,
    open: watch::Receiver<bool>,
}

impl Gate {
    async fn pass(&self) {
        self.reached.send_replace(true);
        // A test that has failed has dropped the other end.
        let _ = self.open.clone().wait_for(|open| *open).await;
    }
}

/// As [`Gate`], where nothing can be awaited, and only once.
struct Stop {
    reached: Option<tokio::sync::oneshot::Sender<()>>,
    go_on: std::sync::mpsc::Receiver<()>,
}

#[async_trait]
impl Projection for Tally {
    fn name(&self) -> &'static str {
        "tally"
    }

    fn version(&self) -> i32 {
        1
    }

    fn kinds(&self) -> &'static [&'static str] {
        // Asked for after the runner has its turn, before it moves the checkpoint.
        if let Some(stop) = &self.before_reading {
            let mut stop = stop.lock().unwrap();
            if let Some(reached) = stop.reached.take() {
                reached.send(()).unwrap();
                stop.go_on.recv().unwrap();
            }
        }
        &[]
    }

    fn tables(&self) -> Vec<&'static str> {
        vec!["tally"]
    }

    fn schema(&self) -> String {
        "CREATE TABLE tally (id bigint PRIMARY KEY, events bigint NOT NULL); INSERT INTO tally VALUES (1, 0)".to_owned()
    }

    fn indexes(&self) -> String {
        String::new()
    }

    async fn rows(
        &self,
        connection: &mut PgConnection,
        _: &Codec,
        events: &[Recorded],
    ) -> Result<Option<Vec<Rows>>, ApplyError> {
        let Some(gate) = &self.with_its_rows else { return Ok(None) };
        let known: i64 = sqlx::query_scalar("SELECT events FROM main_tally_v1.tally").fetch_one(connection).await?;
        gate.pass().await;
        let counted = known + i64::try_from(events.len()).unwrap();
        Ok(Some(vec![Rows::of("main_tally_v1.tally", &[json!({"id": 1, "events": counted})])?]))
    }

    async fn apply(&self, tx: &mut PgConnection, _: &Codec, events: &[Recorded]) -> Result<(), ApplyError> {
        if let Some(gate) = &self.before_writing {
            gate.pass().await;
        }
        sqlx::query("UPDATE main_tally_v1.tally SET events = events + $1")
            .bind(i64::try_from(events.len()).unwrap())
            .execute(tx)
            .await?;
        Ok(())
    }
}

/// One more reader, as a node of its own would run it.
struct Reader {
    claims: Claims,
    running: JoinHandle<()>,
    feeding: JoinHandle<()>,
}

impl Reader {
    fn start(node: &Node, tally: Tally) -> Self {
        let tenant = &node.app.tenant;
        let tally: Arc<dyn Projection> = Arc::new(tally);
        // Asked for here, before any runner is stopped by it.
        let progress = Progress::new([&Tally::default() as &dyn Projection]);
        let claims = Claims::start(tenant.pool.clone(), vec![tally.reader()]);
        let feed = Feed::new(tenant.pool.clone(), tenant.journal.head());
        let place = Place::new(tally.reader(), &feed, claims.epochs());
        let (pool, codec) = (tenant.pool.clone(), Arc::clone(tenant.journal.codec()));
        let running = tokio::spawn(runner::run(pool, codec, tally, progress, place, claims.renounce()));
        Self { claims, running, feeding: tokio::spawn(feed.run()) }
    }

    async fn claimed(&self) {
        self.claims.epochs().wait_for(|epochs| epochs.contains_key("tally_v1")).await.unwrap();
    }
}

/// A node, and the tally ready for what is written from now on. Nobody runs it yet.
async fn start() -> Node {
    let node = Node::start().await;
    let pool = &node.app.tenant.pool;
    let ddl =
        "CREATE SCHEMA main_tally_v1; CREATE TABLE main_tally_v1.tally (id bigint PRIMARY KEY, events bigint NOT NULL);
               INSERT INTO main_tally_v1.tally VALUES (1, 0)";
    sqlx::raw_sql(ddl).execute(pool).await.unwrap();
    let head = runtime::feed::head(pool).await.unwrap();
    checkpoint::begin(&mut pool.acquire().await.unwrap(), "tally_v1", 1, head).await.unwrap();
    node
}

async fn tally(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT events FROM main_tally_v1.tally").fetch_one(pool).await.unwrap()
}

/// Something to count. Answers how many events it was.
async fn write(node: &Node, name: &str) -> i64 {
    let pool = &node.app.tenant.pool;
    let before = runtime::feed::head(pool).await.unwrap();
    node.admin().await.post("/api/common/company/", json!({"name": name})).await.expect(201);
    runtime::feed::head(pool).await.unwrap() - before
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_batch_of_one_who_has_slept_past_the_claim_is_not_applied() {
    let node = start().await;
    let pool = &node.app.tenant.pool;
    let written = write(&node, "Acme").await;
    let ((reached, stopped), (go_on, waiting)) = (tokio::sync::oneshot::channel(), std::sync::mpsc::channel());
    let stop = Stop { reached: Some(reached), go_on: waiting };
    let slow = Reader::start(&node, Tally { before_reading: Some(Mutex::new(stop)), ..Tally::default() });
    stopped.await.unwrap();
    // It has its turn under the first epoch. Meanwhile another takes the claim and does the work.
    slow.claims.release().await;
    let other = Reader::start(&node, Tally::default());
    other.claimed().await;
    until("the other has counted", async || (tally(pool).await == written).then_some(())).await;
    let stands = "SELECT position, epoch FROM checkpoints WHERE name = 'tally_v1'";
    let before: (i64, i64) = sqlx::query_as(stands).fetch_one(pool).await.unwrap();
    assert_eq!(before.1, 2, "under the second epoch");
    // It wakes up, goes on with its turn, and ends because it has no claim.
    go_on.send(()).unwrap();
    slow.running.await.unwrap();
    assert_eq!(tally(pool).await, written);
    assert_eq!(sqlx::query_as::<_, (i64, i64)>(stands).fetch_one(pool).await.unwrap(), before);
    // Even from where the checkpoint stands an earlier epoch moves nothing.
    let mut tx = pool.begin().await.unwrap();
    let late = checkpoint::advance(&mut tx, "tally_v1", 1, before.0, before.0 + 1).await.unwrap();
    assert_eq!(late, Err(checkpoint::Fenced));
    slow.feeding.abort();
    other.feeding.abort();
    other.claims.release().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn rows_that_were_made_before_the_claim_was_lost_are_not_written() {
    let node = start().await;
    let pool = &node.app.tenant.pool;
    let first = write(&node, "Acme").await;
    let ((go_on, open), (reached, mut stopped)) = (watch::channel(true), watch::channel(false));
    let slow = Reader::start(&node, Tally { with_its_rows: Some(Gate { reached, open }), ..Tally::default() });
    until("the first has been counted", async || (tally(pool).await == first).then_some(())).await;
    let second = write(&node, "Bolt").await;
    until("the second has been counted", async || (tally(pool).await == first + second).then_some(())).await;
    assert!(stopped.borrow_and_update().to_owned(), "the second goes in one statement");
    stopped.mark_unchanged();
    go_on.send_replace(false);
    let third = write(&node, "Cork").await;
    stopped.changed().await.unwrap();
    slow.claims.release().await;
    let other = Reader::start(&node, Tally::default());
    let all = first + second + third;
    until("the other has counted the third", async || (tally(pool).await == all).then_some(())).await;
    // Were its rows written, they would be right by chance: the table is moved on so that they would be seen.
    sqlx::query("UPDATE main_tally_v1.tally SET events = events + 100").execute(pool).await.unwrap();
    go_on.send_replace(true);
    slow.running.await.unwrap();
    assert_eq!(tally(pool).await, all + 100);
    slow.feeding.abort();
    other.feeding.abort();
    other.claims.release().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_node_that_stops_within_a_batch_holds_nobody_up() {
    let node = start().await;
    let pool = &node.app.tenant.pool;
    let written = write(&node, "Acme").await;
    let ((go_on, open), (reached, mut stopped)) = (watch::channel(false), watch::channel(false));
    let slow = Reader::start(&node, Tally { before_writing: Some(Gate { reached, open }), ..Tally::default() });
    // It has moved the checkpoint in its transaction, so whoever comes next has to wait for that.
    stopped.wait_for(|stopped| *stopped).await.unwrap();
    let begun = Instant::now();
    slow.claims.release().await;
    let other = Reader::start(&node, Tally::default());
    until("the other has counted", async || (tally(pool).await == written).then_some(())).await;
    assert!(begun.elapsed() <= TAKE_OVER_WITHIN, "{:?}", begun.elapsed());
    go_on.send_replace(true);
    slow.running.await.unwrap();
    assert_eq!(tally(pool).await, written);
    slow.feeding.abort();
    other.feeding.abort();
    other.claims.release().await;
}

/// Who holds what at the moment, and under which epoch.
async fn held(pool: &PgPool) -> BTreeMap<String, (String, i64)> {
    let rows: Vec<(String, String, i64)> =
        sqlx::query_as("SELECT name, owner::text, epoch FROM main.claims WHERE until > now()")
            .fetch_all(pool)
            .await
            .unwrap();
    rows.into_iter().map(|(name, owner, epoch)| (name, (owner, epoch))).collect()
}

/// Waits until all is held by nobody of `before`. Answers who holds what.
async fn taken_over(pool: &PgPool, before: &BTreeMap<String, (String, i64)>) -> BTreeMap<String, (String, i64)> {
    let begun = Instant::now();
    let gone: BTreeSet<&String> = before.values().map(|(owner, _)| owner).collect();
    let now = until("all is taken over", async || {
        let now = held(pool).await;
        (now.len() == before.len() && now.values().all(|(owner, _)| !gone.contains(owner))).then_some(now)
    })
    .await;
    assert!(begun.elapsed() <= TAKE_OVER_WITHIN, "taken over after {:?}", begun.elapsed());
    for (name, (_, epoch)) in &now {
        assert!(*epoch > before[name].1, "{name} is run by another under the same epoch");
    }
    now
}

/// How many events a node's projections have applied.
async fn applied(address: &str) -> u64 {
    let text = reqwest::get(format!("{address}/metrics/")).await.unwrap().text().await.unwrap();
    let lines = text.lines().filter(|line| line.starts_with("ddc_projection_events_total{"));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// Connections of the shared pool that were made for requests outlive the threads that served these.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_that_stops_gives_its_claims_up_and_notes_its_last_requests() {
    let node = Node::start().await;
    let pool = PgPool::connect(&node.database_url).await.unwrap();
    // Each asks over the pool, until all of its connections are there.
    let anonymous = node.anonymous();
    futures::future::join_all((0..200).map(|_| anonymous.get("/health/ready/"))).await;
    futures::future::join_all((0..50).map(|_| anonymous.get("/last/"))).await;
    assert!(!held(&pool).await.is_empty());
    drop(node);
    assert_eq!(held(&pool).await, BTreeMap::new(), "still held");
    let noted = "SELECT count(*) FROM main.http_activities WHERE path = '/last/'";
    assert_eq!(sqlx::query_scalar::<_, i64>(noted).fetch_one(&pool).await.unwrap(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_reader_runs_on_one_of_two_nodes_and_is_taken_over_from_one_that_dies_or_sleeps() {
    let database_url = database().await;
    let data = ddc::embedded::TemporaryFolder::new().unwrap();
    let stream = format!("CLAIMS_{}", std::process::id());
    let nats = std::env::var("NATS_URL").unwrap();
    let [first, second] = [(), ()].map(|()| Server::new(&database_url, &nats, &stream, data.path()));
    first.create_admin();
    let pool = PgPool::connect(&database_url).await.unwrap();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    let mut companies = 0;
    let mut write = async |address: &str, times: usize| {
        let token = login(&client, address).await;
        for _ in 0..times {
            companies += 1;
            let request = client.post(format!("{address}/api/common/company/")).bearer_auth(&token);
            let answer = request.json(&json!({"name": format!("Company {companies}")})).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 201, "{}", answer.text().await.unwrap());
        }
        let list = client.get(format!("{address}/api/common/companies/?page_size=100")).bearer_auth(&token);
        let list: serde_json::Value = list.send().await.unwrap().json().await.unwrap();
        assert_eq!(list["results"].as_array().map(Vec::len), Some(companies), "{list}");
    };

    let mut killed = first.start();
    // The projections, the reactions, and: schedule, relay, notifications, emails, mailer.
    let all = ddc::app::Build::this().projections.len() + ddc::reactions::all().len() + 5;
    let at_first =
        until("the first node holds all", async || Some(held(&pool).await).filter(|it| it.len() == all)).await;
    let other = second.start();
    login(&client, &second.address).await;
    // Whoever asks, the work is done by the node that has the claims, as often as they are renewed.
    let renewed = "SELECT min(until)::text FROM main.claims WHERE name <> 'none'";
    let mut seen = BTreeSet::new();
    while seen.len() < 4 {
        write(&second.address, 1).await;
        assert_eq!(held(&pool).await, at_first, "a claim has changed hands");
        seen.insert(sqlx::query_scalar::<_, String>(renewed).fetch_one(&pool).await.unwrap());
    }
    assert!(applied(&first.address).await > 0);
    assert_eq!(applied(&second.address).await, 0, "the second node has no claim");

    killed.kill();
    let then = taken_over(&pool, &at_first).await;
    write(&second.address, 3).await;

    let _first = first.start();
    login(&client, &first.address).await;
    let before = applied(&second.address).await;
    assert!(before > 0);
    other.signal(Signal::SIGSTOP);
    let last = taken_over(&pool, &then).await;
    write(&first.address, 3).await;
    other.signal(Signal::SIGCONT);
    write(&second.address, 3).await;
    write(&first.address, 3).await;
    assert_eq!(held(&pool).await, last, "the one that woke up has taken something back");
    assert_eq!(applied(&second.address).await, before, "the one that woke up has applied something");
    Node::start_on(&database_url, &[]).await.prove_projections().await;
}
