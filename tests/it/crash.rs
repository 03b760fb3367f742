//! kill -9 under load, with the broker gone for part of the time: what was acknowledged is there once, what was not is
//! there once after the client asked again, read models equal their rebuild, and each mail was made exactly once.

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    harness::{ADMIN, Node, PASSWORD, database, until},
    process::{Process, Server, free_port},
};

const WRITERS: usize = 8;
const USERS: usize = 20;

fn nats(port: u16, store: &Path) -> Process {
    let mut command = Command::new(ddc::embedded::nats_server(&ddc::config::search_path()).unwrap());
    command.args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--jetstream", "--store_dir"]).arg(store);
    Process::start(command)
}

pub(crate) async fn login(client: &reqwest::Client, address: &str) -> String {
    until("the server lets ADMIN in", async || {
        let body = json!({"email": ADMIN, "password": PASSWORD});
        let response = client.post(format!("{address}/api/auth/login/")).json(&body).send().await.ok()?;
        let body: Value = response.json().await.ok()?;
        body["access"].as_str().map(str::to_owned)
    })
    .await
}

/// Registers users one after another, each asked for under one key until it is acknowledged.
async fn write(writer: usize, address: String, stop: Arc<AtomicBool>) -> (Vec<String>, usize) {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
    let (mut acknowledged, mut asked_again) = (Vec::new(), 0);
    let mut token = login(&client, &address).await;
    for number in 0.. {
        if stop.load(Ordering::Relaxed) && number >= USERS {
            break;
        }
        let email = format!("w{writer}-{number}@ddc.test");
        loop {
            let request = client
                .post(format!("{address}/api/accounts/users/"))
                .bearer_auth(&token)
                .header("idempotency-key", &email)
                .json(&json!({"email": email, "role": "CONSULTANT"}));
            match request.send().await {
                Ok(response) if response.status() == StatusCode::CREATED => break,
                Ok(response) if response.status() == StatusCode::UNAUTHORIZED => {
                    token = login(&client, &address).await;
                }
                Ok(response) => {
                    let status = response.status();
                    assert!(
                        matches!(status.as_u16(), 503 | 409),
                        "{status}: {}",
                        response.text().await.unwrap_or_default()
                    );
                }
                Err(_) => {}
            }
            asked_again += 1;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        acknowledged.push(email);
    }
    (acknowledged, asked_again)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_when_the_server_is_killed_and_the_broker_is_away() {
    let database_url = database().await;
    let data = ddc::embedded::TemporaryFolder::new().unwrap();
    let store = data.path().join("broker");
    let port = free_port();
    let mut broker = Some(nats(port, &store));
    let server = Server::new(&database_url, &format!("nats://127.0.0.1:{port}"), "DDC", data.path());
    server.create_admin();
    let mut running = server.start();
    let client = reqwest::Client::new();
    login(&client, &server.address).await;

    let stop = Arc::new(AtomicBool::new(false));
    let writers = join_all((0..WRITERS).map(|writer| write(writer, server.address.clone(), Arc::clone(&stop))));
    let pool = PgPool::connect(&database_url).await.unwrap();
    let registered = async || {
        let count = "SELECT count(*) FROM main.events WHERE event_type = 'user.registered'";
        sqlx::query_scalar::<_, i64>(count).fetch_one(&pool).await.unwrap()
    };
    let killing = async {
        for round in 0..3 {
            let before = registered().await;
            until("the writers get on", async || (registered().await > before + 15).then_some(())).await;
            if round == 1 {
                broker.take().unwrap().kill();
            }
            running.kill();
            running = server.start();
            if round == 2 {
                broker = Some(nats(port, &store));
            }
        }
        stop.store(true, Ordering::Relaxed);
    };
    let (written, ()) = tokio::join!(writers, killing);
    let (mut acknowledged, mut asked_again) = (Vec::new(), 0);
    for (emails, again) in written {
        acknowledged.extend(emails);
        asked_again += again;
    }
    assert!(asked_again > 0, "the server was never missed: the test has not tested");

    // Each user that was acknowledged is there once, and nobody else: ADMIN and those.
    assert_eq!(registered().await, acknowledged.len() as i64 + 1);
    let (count, last): (i64, i64) =
        sqlx::query_as("SELECT count(*), max(position) FROM main.events").fetch_one(&pool).await.unwrap();
    assert_eq!(count, last, "positions are dense");

    // Each of them gets one mail.
    let mails = until("all mails have been made", async || {
        let sent = "SELECT count(*) FROM main.email_log WHERE status = 'SENT' AND kind = 'SET_PASSWORD'";
        let sent: i64 = sqlx::query_scalar(sent).fetch_one(&pool).await.ok()?;
        (sent >= acknowledged.len() as i64).then_some(sent)
    })
    .await;
    assert_eq!(mails, acknowledged.len() as i64);
    let twice: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT to_email FROM main.email_log GROUP BY to_email HAVING count(*) > 1) AS twice",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(twice, 0);
    drop(running);
    Node::start_on(&database_url, &[]).await.prove_projections().await;
    drop(broker);
}
