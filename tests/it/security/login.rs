//! Guessing: how often it may be tried, and what the time tells.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;

use crate::{
    crash,
    harness::{ADMIN, Answer, Node, PASSWORD, Session},
    process::Server,
};

const LOGIN: &str = "/api/auth/login/";

async fn attempt(node: &Node, email: &str, password: &str) -> Answer {
    node.anonymous().post(LOGIN, json!({"email": email, "password": password})).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn five_guesses_shut_an_email_out_and_nobody_else() {
    let node = Node::start().await;
    let admin = node.admin().await;
    for email in ["ann@ddc.test", "bob@ddc.test"] {
        let body = json!({"email": email, "role": "CONSULTANT", "password": PASSWORD});
        admin.post("/api/accounts/users/", body).await.expect(201);
    }
    let ann = node.login("ann@ddc.test", PASSWORD).await;
    // At once or one after another, in whichever case: five are looked at.
    let guesses = join_all((0..30).map(|guess| {
        let (node, email) = (&node, if guess % 2 == 0 { "ann@ddc.test" } else { " ANN@ddc.TEST" });
        async move { attempt(node, email, &format!("a guess {guess}")).await }
    }))
    .await;
    let looked_at = guesses.iter().filter(|told| told.status.as_u16() == 401).count();
    assert_eq!(looked_at, 5);
    for told in guesses.into_iter().filter(|told| told.status.as_u16() != 401) {
        let seconds: u64 = told.header("retry-after").parse().unwrap();
        assert!((1..=15 * 60).contains(&seconds), "{seconds}");
        told.expect_problem(429, "TOO_MANY_REQUESTS");
    }
    // The right password does not help now, which tells a guesser nothing.
    attempt(&node, "ann@ddc.test", PASSWORD).await.expect_problem(429, "TOO_MANY_REQUESTS");
    // Of an email that nobody has the same is told.
    for _ in 0..5 {
        attempt(&node, "nobody@ddc.test", "a guess").await.expect_problem(401, "INVALID_CREDENTIALS");
    }
    attempt(&node, "nobody@ddc.test", "a guess").await.expect_problem(429, "TOO_MANY_REQUESTS");
    // Others log in, and who is in stays in.
    node.login("bob@ddc.test", PASSWORD).await;
    ann.get("/api/auth/me/").await.expect(200);
    // Nor may the password be guessed by who has come by a token.
    let change = json!({"old_password": "a guess", "new_password": "another long password"});
    ann.post("/api/auth/change-password/", change).await.expect_problem(429, "TOO_MANY_REQUESTS");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_reads_the_emails_mails_need_not_wait() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let body = json!({"email": "ann@ddc.test", "role": "CONSULTANT", "password": PASSWORD});
    let id = admin.post("/api/accounts/users/", body).await.expect(201)["id"].as_i64().unwrap();
    // A success in between begins anew.
    for _ in 0..3 {
        for _ in 0..4 {
            attempt(&node, "ann@ddc.test", "a guess").await.expect_problem(401, "INVALID_CREDENTIALS");
        }
        attempt(&node, "ann@ddc.test", PASSWORD).await.expect(200);
    }
    for _ in 0..5 {
        attempt(&node, "ann@ddc.test", "a guess").await.expect_problem(401, "INVALID_CREDENTIALS");
    }
    attempt(&node, "ann@ddc.test", PASSWORD).await.expect_problem(429, "TOO_MANY_REQUESTS");
    let user = kernel::UserId::try_from(id).unwrap();
    let purpose = ddc::auth::OneTimePurpose::PasswordReset;
    let token = ddc::auth::issue_one_time(&node.app.tenant.pool, user, purpose).await.unwrap();
    let set = json!({"token": token, "password": "another long password"});
    node.anonymous().post("/api/auth/password-reset/confirm/", set).await.expect(204);
    attempt(&node, "ann@ddc.test", "another long password").await.expect(200);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// An unknown email costs what a known one costs: a look at the same tables, and a hash. That the dummy's hash is like any
/// other is proved beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_time_does_not_tell_whether_an_email_is_known() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for number in 0..8 {
        let body = json!({"email": format!("known{number}@ddc.test"), "role": "CONSULTANT", "password": PASSWORD});
        admin.post("/api/accounts/users/", body).await.expect(201);
    }
    for attempts in 0..4 {
        for number in 0..8 {
            for (kind, times) in [("known", &mut known), ("unknown", &mut unknown)] {
                let begun = Instant::now();
                let told = attempt(&node, &format!("{kind}{number}@ddc.test"), "a wrong password").await;
                let took = begun.elapsed();
                told.expect_problem(401, "INVALID_CREDENTIALS");
                // The first of each fills caches.
                if attempts > 0 {
                    times.push(took);
                }
            }
        }
    }
    let (known, unknown) = (median(known), median(unknown));
    let ratio = known.as_secs_f64() / unknown.as_secs_f64();
    assert!((0.5..2.0).contains(&ratio), "known {known:?}, unknown {unknown:?}");
    // And what was not waited for is recorded all the same.
    node.recorded("user.login_failed", 32).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_flood_of_log_ins_keeps_nobody_out() {
    // A process of its own: how many wait for a hash is counted for all of a process, and other tests log in too.
    let mut node = Node::start().await;
    let (data, nats) = (ddc::embedded::TemporaryFolder::new().unwrap(), std::env::var("NATS_URL").unwrap());
    let server = Server::new(&node.database_url, &nats, &format!("FLOOD_{}", std::process::id()), data.path());
    let _process = server.start();
    node.address.clone_from(&server.address);
    let token = Some(crash::login(&reqwest::Client::new(), &node.address).await);
    let admin = Session { node: &node, token };
    // Each another email, so that no throttle holds them.
    let flood = join_all((0..300).map(|number| {
        let node = &node;
        async move { attempt(node, &format!("flood{number}@ddc.test"), "a guess").await }
    }));
    let work = async {
        let begun = Instant::now();
        for number in 0..5 {
            admin.post("/api/common/company/", json!({"name": format!("Acme {number}")})).await.expect(201);
        }
        begun.elapsed()
    };
    let (told, took) = tokio::join!(flood, work);
    for told in told {
        match told.status.as_u16() {
            401 => {}
            _ => {
                assert_eq!(told.header("retry-after"), "1");
                told.expect_problem(503, "BUSY");
            }
        }
    }
    assert!(took < Duration::from_secs(20), "{took:?}");
    node.login(ADMIN, PASSWORD).await;
}
