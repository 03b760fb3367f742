//! Fan-out: the stream is a copy of the journal whatever happens to it, and nobody is told or written to twice.

use std::{collections::BTreeSet, process::Command};

use async_nats::jetstream::{
    self,
    stream::{Config, Stream},
};
use ddc::{
    config::Secret,
    embedded::{Durability, Options, Servers, TemporaryFolder},
};
use engagement::{
    participants::Participants,
    proposal::{ProposalContent, ProposalEvent},
};
use futures::{StreamExt, TryStreamExt};
use kernel::{Text, UserId};
use serde_json::{Value, json};

use crate::{
    harness::{Node, PASSWORD, Session, database, until},
    process::{Process, free_port},
};

async fn jetstream() -> jetstream::Context {
    jetstream_at(&std::env::var("NATS_URL").unwrap()).await
}

async fn jetstream_at(url: &str) -> jetstream::Context {
    let (address, login) = ddc::backing::nats_login(&Secret::new(url)).unwrap();
    jetstream::new(login.connect(address).await.unwrap())
}

async fn head(node: &Node) -> i64 {
    runtime::feed::head(&node.app.tenant.pool).await.unwrap()
}

/// The positions that a stream holds, in its order.
async fn positions(stream: &Stream) -> Vec<i64> {
    let last = stream.get_info().await.unwrap().state.messages;
    let config = jetstream::consumer::pull::OrderedConfig::default();
    let messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
    let messages: Vec<_> = messages.take(usize::try_from(last).unwrap()).try_collect().await.unwrap();
    messages.iter().map(|message| ddc::fanout::Message::decode(&message.payload).unwrap().position).collect()
}

/// Waits until the node's stream holds the whole journal: each position once, in order.
async fn copied(node: &Node) -> Stream {
    copied_to(node, &jetstream().await).await
}

async fn copied_to(node: &Node, context: &jetstream::Context) -> Stream {
    let head = head(node).await;
    let name = node.app.config.stream.as_str();
    let stream = until("the stream holds the journal", async || {
        let stream = context.get_stream(name).await.ok()?;
        (stream.cached_info().state.messages >= u64::try_from(head).unwrap()).then_some(stream)
    })
    .await;
    assert_eq!(positions(&stream).await, (1..=head).collect::<Vec<_>>());
    stream
}

/// Waits until a consumer has done what the journal's events ask of it.
async fn consumed(node: &Node, consumer: &str) {
    let head = head(node).await;
    let pool = &node.app.tenant.pool;
    let reached = async || (ddc::fanout::position(pool, consumer).await.unwrap() >= head).then_some(());
    until("the consumer catches up", reached).await;
}

async fn count(node: &Node, table: &str) -> i64 {
    let query = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar(&query).fetch_one(&node.app.tenant.pool).await.unwrap()
}

/// Registers somebody who sets the password by the token of a mail.
async fn invite(admin: &Session<'_>, email: &str) -> i64 {
    let user = admin.post("/api/accounts/users/", json!({"email": email, "role": "CONSULTANT"})).await.expect(201);
    user["id"].as_i64().unwrap()
}

/// Appends an event past all rules.
async fn append(node: &Node, kind: &str, id: i64, sequence: i64, event_type: &str, payload: &Value) -> i64 {
    let pool = &node.app.tenant.pool;
    let metadata = json!({"at": "2026-01-01T00:00:00Z", "command": "test", "correlation_id": "test"});
    // Should somebody else append meanwhile, the position is taken, and this is tried again.
    loop {
        let appended = sqlx::query_scalar(
            "WITH appended AS (
                 INSERT INTO events
                 SELECT position + 1, $1, $2, $3, $4, '1.0', $5::json, $6::json, now(), sha256('test') FROM journal_head
             )
             INSERT INTO journal_blocks SELECT position + 1, position + 1, sha256('test') FROM journal_head
             RETURNING last_position",
        )
        .bind(kind)
        .bind(id.to_string())
        .bind(sequence)
        .bind(event_type)
        .bind(payload.to_string())
        .bind(metadata.to_string())
        .fetch_one(pool)
        .await;
        match appended {
            Ok(position) => {
                sqlx::query("SELECT pg_notify('ddc_main', $1)")
                    .bind(format!("{} {position} test", position - 1))
                    .execute(pool)
                    .await
                    .unwrap();
                return position;
            }
            Err(sqlx::Error::Database(taken)) if taken.is_unique_violation() => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn user(id: i64) -> UserId {
    id.try_into().unwrap()
}

/// A proposal of `creator` that was sent to `client`.
async fn propose(node: &Node, client: i64, creator: i64) {
    let created = ProposalEvent::Created {
        solution_costing_id: 1.try_into().unwrap(),
        assessment_id: 1.try_into().unwrap(),
        content: ProposalContent {
            title: Text::new("Automate the invoices").unwrap(),
            executive_summary: Text::new("All of them").unwrap(),
            scope_of_work: Text::new("All of it").unwrap(),
            timeline_weeks: 12,
            validity_days: 30,
            deliverables: vec![Text::new("A bot").unwrap()],
            terms_and_conditions: Text::new("Ours").unwrap(),
        },
        total_value: 1000.into(),
        currency: 1.try_into().unwrap(),
        participants: Participants {
            client: user(client),
            reviewer: None,
            managed_by: user(creator),
            consultants: BTreeSet::new(),
        },
        by: Some(user(creator)),
    };
    let at = chrono::Utc::now();
    let submitted = ProposalEvent::Submitted { by: Some(user(creator)), at, valid_until: at.date_naive() };
    let rejected = ProposalEvent::Rejected {
        by: Some(user(client)),
        at,
        on_behalf: false,
        reason: Text::new("Too dear").unwrap(),
    };
    for (sequence, name, event) in [(1, "created", created), (2, "submitted", submitted), (3, "rejected", rejected)] {
        let payload = serde_json::to_value(event).unwrap();
        append(node, "proposal", 1, sequence, &format!("proposal.{name}"), &payload).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_stream_holds_every_event_once_and_in_order_over_a_restart() {
    let database = database().await;
    let first = Node::start_on(&database, &[]).await;
    first.register_admin().await;
    first.admin().await.post("/api/common/company/", json!({"name": "Acme"})).await.expect(201);
    let stream = copied(&first).await;
    let message = stream.get_raw_message(1).await.unwrap();
    let prefix = first.app.config.stream.to_lowercase();
    assert!(message.subject.starts_with(&format!("{prefix}.main.")), "{}", message.subject);
    assert_eq!(message.headers.get("Nats-Msg-Id").unwrap().as_str(), "main:1");
    drop(first);
    let second = Node::start_on(&database, &[]).await;
    second.admin().await.post("/api/common/company/", json!({"name": "Bolt"})).await.expect(201);
    copied(&second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stream_that_was_lost_is_made_again_and_nobody_is_written_to_twice() {
    let node = Node::start().await;
    let admin = node.admin().await;
    for number in 0..5 {
        invite(&admin, &format!("ann{number}@ddc.test")).await;
    }
    let stream = copied(&node).await;
    consumed(&node, "emails").await;
    assert_eq!(count(&node, "email_log").await, 5);

    stream.purge().await.unwrap();
    let context = jetstream().await;
    copied(&node).await;
    context.delete_stream(&node.app.config.stream).await.unwrap();
    copied(&node).await;
    invite(&admin, "bob@ddc.test").await;
    copied(&node).await;
    consumed(&node, "emails").await;
    assert_eq!(count(&node, "email_log").await, 6);
    assert_eq!(count(&node, "dead_letters").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_delivered_again_has_no_effect_and_a_hole_is_filled_from_the_journal() {
    let node = Node::start().await;
    let admin = node.admin().await;
    for number in 0..5 {
        invite(&admin, &format!("ann{number}@ddc.test")).await;
    }
    let stream = copied(&node).await;
    consumed(&node, "emails").await;
    // Everything is delivered again.
    let delivered = async || {
        until("all is delivered", async || {
            let info = stream.consumer_info("emails").await.ok()?;
            (info.num_pending == 0 && info.num_ack_pending == 0 && info.delivered.stream_sequence > 0).then_some(())
        })
        .await;
    };
    delivered().await;
    stream.delete_consumer("emails").await.unwrap();
    delivered().await;
    assert_eq!(count(&node, "email_log").await, 5);
    // The consumer is set back to the beginning, of which the stream has only the end.
    let pool = &node.app.tenant.pool;
    stream.purge().keep(1).await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("UPDATE consumers SET position = 0 WHERE name = 'emails'").execute(&mut *tx).await.unwrap();
    sqlx::query("DELETE FROM email_log").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    stream.delete_consumer("emails").await.unwrap();
    consumed(&node, "emails").await;
    assert_eq!(count(&node, "email_log").await, 5);
}

/// What there is to catch up with goes to it in batches, once it has been found to be slow. Its stream is one that an older
/// build has made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_flushes_each_message_holds_every_event_once_and_in_order() {
    let folder = TemporaryFolder::new().unwrap();
    let mut options = Options::new(ddc::config::search_path());
    (options.postgres, options.durability) = (false, Durability::Full);
    let servers = Servers::start(folder.path(), &options).unwrap();
    let url = servers.nats_url().unwrap();
    let context = jetstream_at(url).await;
    let node = Node::start_with(&[("DDC_ROLES", "api,relay"), ("NATS_URL", url)]).await;
    let stream = copied_to(&node, &context).await;
    let config = Config { allow_atomic_publish: false, ..stream.cached_info().config.clone() };
    context.update_stream(config).await.unwrap();
    // Events that nobody but the relay looks at, in one append.
    sqlx::query(
        "WITH appended AS (
             INSERT INTO events
             SELECT position + n, 'test', '1', n, 'test.noted', '1.0', '{}', $1::json, now(), sha256('test')
             FROM journal_head, generate_series(1, 3000) AS n
         )
         INSERT INTO journal_blocks SELECT position + 1, position + 3000, sha256('test') FROM journal_head",
    )
    .bind(json!({"at": "2026-01-01T00:00:00Z", "command": "test", "correlation_id": "test"}).to_string())
    .execute(&node.app.tenant.pool)
    .await
    .unwrap();
    copied_to(&node, &context).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_may_not_change_streams_is_enough() {
    let (folder, port) = (TemporaryFolder::new().unwrap(), free_port());
    let config = format!(
        "listen: \"127.0.0.1:{port}\"
         jetstream {{ store_dir: \"{}\" }}
         authorization {{ users: [
             {{ user: owner, password: secret }}
             {{ user: ddc, password: secret, permissions: {{ publish: {{ deny: \"$JS.API.STREAM.UPDATE.>\" }} }} }}
         ] }}",
        folder.path().display()
    );
    let file = folder.path().join("nats.conf");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(ddc::embedded::nats_server(&ddc::config::search_path()).unwrap());
    command.arg("--config").arg(&file);
    let _broker = Process::start(command);
    let owner = Secret::new(format!("nats://owner:secret@127.0.0.1:{port}"));
    let (address, login) = ddc::backing::nats_login(&owner).unwrap();
    let client = until("the broker is there", async || login.clone().connect(&address).await.ok()).await;
    let context = jetstream::new(client);
    let url = format!("nats://ddc:secret@127.0.0.1:{port}");
    let name = format!("OLD{port}");
    let older =
        Config { name: name.clone(), subjects: vec![format!("{}.>", name.to_lowercase())], ..Config::default() };
    context.create_stream(older).await.unwrap();
    let node = Node::start_with(&[("DDC_ROLES", "api,relay"), ("NATS_URL", &url), ("DDC_STREAM", &name)]).await;
    node.admin().await;
    let stream = copied_to(&node, &context).await;
    assert!(!stream.cached_info().config.allow_atomic_publish);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_message_of_somebody_else_does_not_stop_the_relay() {
    let node = Node::start().await;
    let admin = node.admin().await;
    copied(&node).await;
    let subject = format!("{}.main.nonsense", node.app.config.stream.to_lowercase());
    jetstream().await.publish(subject, "nonsense".into()).await.unwrap().await.unwrap();
    invite(&admin, "ann@ddc.test").await;
    consumed(&node, "emails").await;
    assert_eq!(count(&node, "email_log").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_event_that_a_consumer_cannot_read_becomes_a_dead_letter_and_the_later_ones_go_on() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let bad = append(&node, "user", 99_999, 1, "user.registered", &json!({"Nonsense": true})).await;
    invite(&admin, "ann@ddc.test").await;
    consumed(&node, "emails").await;
    consumed(&node, "notifications").await;
    assert_eq!(count(&node, "email_log").await, 1);
    let letters: Vec<(String, i64, i32)> =
        sqlx::query_as("SELECT consumer, position, attempts FROM dead_letters ORDER BY consumer")
            .fetch_all(&node.app.tenant.pool)
            .await
            .unwrap();
    let letter = |name: &str| (name.to_owned(), bad, ddc::fanout::ATTEMPTS);
    assert_eq!(letters, [letter("emails"), letter("notifications")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn commands_go_on_without_the_broker_and_the_node_says_so() {
    let node = Node::start_with(&[("NATS_URL", "nats://127.0.0.1:1")]).await;
    let admin = node.admin().await;
    admin.post("/api/common/company/", json!({"name": "Acme"})).await.expect(201);
    let ready = node.anonymous().get("/health/ready/").await.expect(200);
    assert!(ready["broker"].as_str().unwrap().starts_with("not connected"), "{ready}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn everybody_sees_and_reads_only_what_was_told_to_them() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let registered = async |email: &str, role: &str| {
        let body = json!({"email": email, "role": role, "password": PASSWORD});
        admin.post("/api/accounts/users/", body).await.expect(201)["id"].as_i64().unwrap()
    };
    let creator = registered("carl@ddc.test", "CONSULTANT").await;
    let client = registered("clara@ddc.test", "CONSULTANT").await;
    propose(&node, client, creator).await;
    consumed(&node, "notifications").await;

    let (carl, clara) = (node.login("carl@ddc.test", PASSWORD).await, node.login("clara@ddc.test", PASSWORD).await);
    let told = clara.get("/api/notifications/").await.expect(200);
    assert_eq!(told["count"], 1, "{told}");
    let first = &told["results"][0];
    assert_eq!((&first["kind"], &first["link"]), (&json!("PROPOSAL_SUBMITTED"), &json!("/proposals/1")));
    assert!(first["message"].as_str().unwrap().ends_with("Automate the invoices"), "{first}");
    for session in [&carl, &admin] {
        let told = session.get("/api/notifications/?is_read=false").await.expect(200);
        assert_eq!((&told["count"], &told["results"][0]["kind"]), (&json!(1), &json!("PROPOSAL_REJECTED")), "{told}");
    }

    let read = format!("/api/notifications/{}/read/", first["id"]);
    carl.post(&read, json!({})).await.expect(404);
    assert_eq!(clara.get("/api/notifications/unread-count/").await.expect(200)["unread"], 1);
    let once = clara.post(&read, json!({})).await.expect(200);
    assert_eq!((&once["is_read"], once["read_at"].is_string()), (&json!(true), true));
    assert_eq!(clara.post(&read, json!({})).await.expect(200)["read_at"], once["read_at"]);
    assert_eq!(clara.get("/api/notifications/?is_read=false").await.expect(200)["count"], 0);
    assert_eq!(carl.post("/api/notifications/read-all/", json!({})).await.expect(200)["marked"], 1);
    assert_eq!(carl.get("/api/notifications/unread-count/").await.expect(200)["unread"], 0);
    assert_eq!(admin.get("/api/notifications/unread-count/").await.expect(200)["unread"], 1);
    node.anonymous().get("/api/notifications/").await.expect(401);
}
