//! Whoever changes the journal is found out: `ddc journal verify` names the first damage.

use ddc::journal::{
    chain::Hash,
    verify::{self, Damage, Failure, Range, Verified},
};
use serde_json::json;
use sqlx::{Executor, PgPool};

use crate::harness::Node;

const ALL: Range = Range { from: 1, to: None, head: None };

async fn check(pool: &PgPool, range: Range) -> Result<Verified, Damage> {
    match verify::verify(pool, range, &mut |_, _| {}).await {
        Ok(verified) => Ok(verified),
        Err(Failure::Damaged(damage)) => Err(damage),
        Err(Failure::Unavailable(error)) => panic!("{error}"),
    }
}

/// A journal with some appends of one event, one of several, and nobody who reads it.
struct Journal {
    node: Node,
    /// The positions of a company's events, and of what came with each in the same append.
    companies: Vec<i64>,
}

impl Journal {
    async fn start() -> Self {
        let node = Node::start().await;
        let admin = node.admin().await;
        let mut companies = Vec::new();
        for number in 0..6 {
            let company = json!({"name": format!("Company {number}")});
            let answer = admin.post("/api/common/company/", company).await;
            companies.push(answer.header("ddc-position").parse().unwrap());
            answer.expect(201);
        }
        Self { node, companies }
    }

    fn pool(&self) -> &PgPool {
        &self.node.app.tenant.pool
    }

    /// Does what only a superuser can: past the triggers.
    async fn tamper(&self, statements: &str) {
        let mut connection = self.pool().acquire().await.unwrap();
        let script = format!("BEGIN; SET LOCAL session_replication_role = replica; {statements}; COMMIT");
        connection.execute(script.as_str()).await.unwrap();
    }

    async fn head(&self) -> verify::Head {
        verify::head(self.pool()).await.unwrap()
    }

    /// The block that a position is in.
    async fn block(&self, position: i64) -> (i64, i64) {
        sqlx::query_as("SELECT first_position, last_position FROM journal_blocks WHERE $1 BETWEEN first_position AND last_position")
            .bind(position)
            .fetch_one(self.pool())
            .await
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_untouched_journal_is_proved_whole_and_in_parts() {
    let journal = Journal::start().await;
    let head = journal.head().await;
    let whole = check(journal.pool(), ALL).await.unwrap();
    assert_eq!((whole.first, whole.last, whole.hash), (1, head.position, head.hash));
    assert_eq!(whole.events, head.position as u64);
    let (first, last) = journal.block(journal.companies[2]).await;
    let part = Range { from: last, to: Some(last), head: None };
    let part = check(journal.pool(), part).await.unwrap();
    assert_eq!((part.first, part.last, part.blocks), (first, last, 1));
    // The journal has grown since the head was noted.
    let admin = journal.node.admin().await;
    admin.post("/api/common/company/", json!({"name": "Later"})).await.expect(201);
    check(journal.pool(), Range { head: Some(head.hash), ..ALL }).await.unwrap();
    let beyond = check(journal.pool(), Range { from: 1_000_000, ..ALL }).await;
    assert!(matches!(beyond, Err(Damage::OutOfRange { from: 1_000_000, .. })), "{beyond:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_changed_byte_is_named_whichever_column_it_is_in() {
    let journal = Journal::start().await;
    let position = journal.companies[3];
    let changes = [
        "payload = replace(payload::text, 'Company 3', 'Company 4')::json",
        "metadata = (metadata::text || ' ')::json",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "event_type = event_type || 'x'",
        "event_version = '9'",
        "aggregate_id = '1' || aggregate_id",
        "hash = sha256('x')",
    ];
    for change in changes {
        let row = "position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload::text, metadata::text, recorded_at, hash";
        let keep = format!("CREATE TABLE kept AS SELECT {row} FROM events WHERE position = {position}");
        journal.tamper(&keep).await;
        journal.tamper(&format!("UPDATE events SET {change} WHERE position = {position}")).await;
        let damage = check(journal.pool(), ALL).await.unwrap_err();
        assert!(matches!(damage, Damage::Changed { position: found, .. } if found == position), "{change}: {damage}");
        journal
            .tamper(&format!(
                "DELETE FROM events WHERE position = {position};
                 INSERT INTO events SELECT position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                        payload::json, metadata::json, recorded_at, hash FROM kept; DROP TABLE kept"
            ))
            .await;
    }
    check(journal.pool(), ALL).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_event_that_is_gone_leaves_a_hole() {
    let journal = Journal::start().await;
    let position = journal.companies[1];
    journal.tamper(&format!("DELETE FROM events WHERE position = {position}")).await;
    assert_eq!(check(journal.pool(), ALL).await, Err(Damage::Missing { position }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_event_that_was_never_there_has_no_place() {
    let journal = Journal::start().await;
    let (one, two) = (journal.companies[1], journal.companies[2]);
    // In the place of another, with a hash that fits it.
    journal
        .tamper(&format!(
            "UPDATE events SET (event_type, payload, hash) =
                 (SELECT event_type, payload, hash FROM events WHERE position = {two}) WHERE position = {one}"
        ))
        .await;
    assert!(matches!(check(journal.pool(), ALL).await, Err(Damage::Changed { position, .. }) if position == one));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_events_that_changed_places_are_both_named() {
    let journal = Journal::start().await;
    let (first, last): (i64, i64) = sqlx::query_as(
        "SELECT first_position, last_position FROM journal_blocks WHERE last_position > first_position LIMIT 1",
    )
    .fetch_one(journal.pool())
    .await
    .unwrap();
    journal
        .tamper(&format!(
            "UPDATE events SET position = -1 WHERE position = {first};
             UPDATE events SET position = {first} WHERE position = {last};
             UPDATE events SET position = {last} WHERE position = -1"
        ))
        .await;
    assert_eq!(check(journal.pool(), ALL).await, Err(Damage::Swapped { one: first, other: last }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_rewritten_append_is_named() {
    let journal = Journal::start().await;
    let (first, last) = journal.block(journal.companies[2]).await;
    journal.tamper(&format!("UPDATE journal_blocks SET hash = sha256('x') WHERE last_position = {last}")).await;
    assert_eq!(check(journal.pool(), ALL).await, Err(Damage::BlockRewritten { first, last }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_append_that_is_rewritten_with_all_its_hashes_does_not_bear_what_follows() {
    let journal = Journal::start().await;
    let (first, last) = journal.block(journal.companies[2]).await;
    let (next_first, next_last) = journal.block(last + 1).await;
    // The hash of another event, and a block that fits it.
    let events: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT hash FROM events WHERE position BETWEEN $1 AND $2 ORDER BY position")
            .bind(first)
            .bind(last)
            .fetch_all(journal.pool())
            .await
            .unwrap();
    let mut hashes: Vec<Hash> = events.into_iter().map(|hash| hash.try_into().unwrap()).collect();
    let target = first + hashes.len() as i64 - 1;
    let row: (String, String, i64, String, String, String, String, chrono::DateTime<chrono::Utc>) = sqlx::query_as(
        "SELECT aggregate_type, aggregate_id, sequence, event_type, event_version, payload::text, metadata::text, recorded_at
         FROM events WHERE position = $1",
    )
    .bind(target)
    .fetch_one(journal.pool())
    .await
    .unwrap();
    let payload = format!("{} ", row.5);
    *hashes.last_mut().unwrap() = ddc::journal::chain::event_hash(&ddc::journal::chain::Canonical {
        aggregate_type: &row.0,
        aggregate_id: &row.1,
        sequence: row.2,
        event_type: &row.3,
        event_version: &row.4,
        payload: &payload,
        metadata: &row.6,
        recorded_at: row.7,
    });
    let before: Vec<u8> = sqlx::query_scalar("SELECT hash FROM journal_blocks WHERE last_position = $1")
        .bind(first - 1)
        .fetch_one(journal.pool())
        .await
        .unwrap();
    let block = ddc::journal::chain::block_hash(&before, &hashes);
    let hex = |hash: &Hash| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    journal
        .tamper(&format!(
            "UPDATE events SET payload = '{payload}'::json, hash = '\\x{}' WHERE position = {target};
             UPDATE journal_blocks SET hash = '\\x{}' WHERE last_position = {last}",
            hex(hashes.last().unwrap()),
            hex(&block)
        ))
        .await;
    let damage = Damage::BlockHash { first: next_first, last: next_last };
    assert_eq!(check(journal.pool(), ALL).await, Err(damage), "the append after it no longer fits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_append_whose_record_is_gone_is_missed() {
    let journal = Journal::start().await;
    // The last one first: there, nothing comes after it that would miss it.
    for company in [4, 2] {
        let (first, last) = journal.block(journal.companies[company]).await;
        journal.tamper(&format!("DELETE FROM journal_blocks WHERE last_position = {last}")).await;
        assert_eq!(check(journal.pool(), ALL).await, Err(Damage::Blocks { position: first }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_tail_that_was_cut_off_is_missed_by_the_head() {
    let journal = Journal::start().await;
    let noted = journal.head().await;
    let (first, _) = journal.block(journal.companies[4]).await;
    journal.tamper(&format!("DELETE FROM events WHERE position >= {first}")).await;
    assert_eq!(check(journal.pool(), ALL).await, Err(Damage::Missing { position: first }));
    // Cut off with care: only the noted head knows that there was more.
    journal.tamper(&format!("DELETE FROM journal_blocks WHERE last_position >= {first}")).await;
    check(journal.pool(), ALL).await.unwrap();
    let against = Range { head: Some(noted.hash), ..ALL };
    assert_eq!(check(journal.pool(), against).await, Err(Damage::NotOfThisChain { last: first - 1 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_record_of_appends_refuses_to_be_changed() {
    let journal = Journal::start().await;
    for statement in
        ["UPDATE journal_blocks SET first_position = 2", "DELETE FROM journal_blocks", "TRUNCATE journal_blocks"]
    {
        let error = sqlx::query(statement).execute(journal.pool()).await.unwrap_err();
        let code = error.as_database_error().and_then(|error| error.code()).unwrap().into_owned();
        assert_eq!(code, "DD001", "{statement}");
    }
}
