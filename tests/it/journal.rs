//! The journal under many writers: nothing lost, nothing twice, no hole, and no command pays for another's conflict.

use std::sync::Arc;

use ddc::journal::{Committed, ExecuteError, Issuer, Journal, Refused};
use futures::future::join_all;
use identity::company::{Company, CompanyChanges, CompanyCommand, NewCompany};
use kernel::{Change, CompanyId, Text};
use sqlx::PgPool;

use crate::harness::Node;

fn company(id: CompanyId) -> NewCompany {
    NewCompany {
        id,
        name: Text::new("Acme").unwrap(),
        code: None,
        industry: None,
        country: None,
        address: None,
        website: None,
        parent: None,
        is_active: true,
    }
}

pub(crate) async fn create(journal: &Journal) -> CompanyId {
    let id: CompanyId = journal.ids().next().await.unwrap();
    let issuer = Issuer::system("company.create");
    let create = async |unit: &mut ddc::journal::Unit<'_>| {
        unit.decide::<Company, _>(id, CompanyCommand::Create(company(id))).await
    };
    journal.execute::<_, ExecuteError>(&issuer, create).await.unwrap();
    id
}

fn website(text: &str) -> CompanyCommand {
    CompanyCommand::ChangeDetails(CompanyChanges {
        website: Change::Set(Text::new(text).unwrap()),
        ..Default::default()
    })
}

pub(crate) async fn change(journal: &Journal, id: CompanyId, text: &str) -> Result<Committed<()>, ExecuteError> {
    let issuer = Issuer::system("company.change_details");
    journal.execute(&issuer, async |unit| unit.decide::<Company, _>(id, website(text)).await).await
}

pub(crate) async fn positions(pool: &PgPool) -> (i64, i64, i64) {
    sqlx::query_as("SELECT count(*), COALESCE(max(position), 0), (SELECT position FROM journal_head) FROM events")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn many_writers_on_overlapping_streams_lose_nothing_and_leave_no_hole() {
    const WRITERS: usize = 64;
    const COMMANDS: usize = 25;
    let node = Node::start().await;
    let journal = node.app.tenant.journal.clone();
    let streams: Arc<Vec<CompanyId>> = Arc::new(join_all((0..8).map(|_| create(&journal))).await);
    let before = positions(journal.pool()).await.0;
    // A second journal on the same database is a second node: its cache does not know of the first one's commands.
    let other = Journal::open(journal.pool().clone(), journal.codec().clone(), &[0; 32]).await.unwrap();
    let writers = (0..WRITERS).map(|writer| {
        let journal = if writer % 2 == 0 { journal.clone() } else { other.clone() };
        let streams = Arc::clone(&streams);
        async move {
            let mut acknowledged = Vec::new();
            for command in 0..COMMANDS {
                let id = streams[(writer + command) % streams.len()];
                let text = format!("w{writer}-{command}");
                match change(&journal, id, &text).await {
                    Ok(done) => acknowledged.push((done.position, text)),
                    Err(ExecuteError::Conflict) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            acknowledged
        }
    });
    let acknowledged: Vec<(i64, String)> = join_all(writers).await.into_iter().flatten().collect();
    assert!(acknowledged.len() > WRITERS * COMMANDS / 2, "only {} came about", acknowledged.len());
    let (count, last, head) = positions(journal.pool()).await;
    assert_eq!((last, head), (count, count), "positions are dense");
    assert_eq!(count - before, acknowledged.len() as i64, "each acknowledged command once, and no other");
    for (position, text) in &acknowledged {
        let payload: String = sqlx::query_scalar("SELECT payload::text FROM events WHERE position = $1")
            .bind(position)
            .fetch_one(journal.pool())
            .await
            .unwrap();
        assert!(payload.contains(&format!("\"{text}\"")), "{position}: {payload} is not {text}");
    }
    let gaps: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT sequence, row_number() OVER (PARTITION BY aggregate_type, aggregate_id
         ORDER BY position) AS expected FROM events) AS numbered WHERE sequence <> expected",
    )
    .fetch_one(journal.pool())
    .await
    .unwrap();
    assert_eq!(gaps, 0, "each stream is in its own order");
    node.prove_projections().await;
}

/// A batch that is refused because another node has appended is appended in the node's turn; the next ones go by the fast way
/// again.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_that_is_interrupted_now_and_then_fails_nothing() {
    let node = Node::start().await;
    interrupt(&node.app.tenant.journal).await;
}

pub(crate) async fn interrupt(journal: &Journal) {
    const WRITERS: usize = 64;
    const COMMANDS: usize = 60;
    let streams = join_all((0..WRITERS).map(|_| create(journal))).await;
    let before = positions(journal.pool()).await.0;
    let other = Journal::open(journal.pool().clone(), journal.codec().clone(), &[0; 32]).await.unwrap();
    let elsewhere = create(&other).await;
    let writers = streams.into_iter().map(|id| {
        let journal = journal.clone();
        async move {
            for command in 0..COMMANDS {
                change(&journal, id, &format!("c{command}")).await.unwrap();
            }
        }
    });
    let writing = join_all(writers);
    // Now and then, so that the writers' node believes in between that it is alone.
    let interrupting = async {
        let (mut head, mut interruptions) = (journal.head(), 0);
        loop {
            let next = *head.borrow() + WRITERS as i64 * 2;
            if next > before + (WRITERS * COMMANDS) as i64 {
                return interruptions;
            }
            head.wait_for(|position| *position >= next).await.unwrap();
            change(&other, elsewhere, &format!("i{interruptions}")).await.unwrap();
            interruptions += 1;
        }
    };
    let (_, interruptions) = tokio::join!(writing, interrupting);
    let (count, last, head) = positions(journal.pool()).await;
    assert_eq!((last, head), (count, count), "positions are dense");
    assert_eq!(count - before, 1 + (WRITERS * COMMANDS) as i64 + interruptions);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hot_stream_is_a_queue_and_not_a_storm() {
    let node = Node::start().await;
    let journal = &node.app.tenant.journal;
    let id = create(journal).await;
    let texts: Vec<String> = (0..200).map(|number| format!("n{number}")).collect();
    let outcomes = join_all(texts.iter().map(|text| change(journal, id, text))).await;
    assert!(outcomes.iter().all(Result::is_ok), "on one node no command to one stream conflicts with another");
    let version = journal.read::<Company, _>(id, |_, stamp| stamp.version).await.unwrap();
    assert_eq!(version, 201);
    // 200 changes passed two snapshots; a node that knows nothing loads the later one and the rest.
    let snapshot: i64 = sqlx::query_scalar("SELECT last_sequence FROM snapshots WHERE aggregate_type = 'company'")
        .fetch_one(journal.pool())
        .await
        .unwrap();
    assert!(snapshot >= 100, "{snapshot}");
    let fresh = Journal::open(journal.pool().clone(), journal.codec().clone(), &[0; 32]).await.unwrap();
    let seen = |company: &Company, stamp: &kernel::Stamp| (company.clone(), stamp.version);
    assert_eq!(fresh.read(id, seen).await.unwrap(), journal.read(id, seen).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_journal_refuses_to_be_changed() {
    let node = Node::start().await;
    let pool = &node.app.tenant.pool;
    for statement in ["UPDATE events SET sequence = 2", "DELETE FROM events", "TRUNCATE events"] {
        let error = sqlx::query(statement).execute(pool).await.unwrap_err();
        let code = error.as_database_error().and_then(|error| error.code()).unwrap();
        assert_eq!(code, "DD001", "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_unit_of_two_streams_comes_whole_or_not_at_all() {
    let node = Node::start().await;
    let journal = &node.app.tenant.journal;
    let (one, two) = (create(journal).await, create(journal).await);
    let issuer = Issuer::system("test.both");
    let refused = journal
        .execute::<(), ExecuteError>(&issuer, async |unit| {
            unit.decide::<Company, _>(one, website("one")).await?;
            unit.decide::<Company, _>(two, website("two")).await?;
            Err(Refused::not_found("third").into())
        })
        .await;
    assert!(matches!(refused, Err(ExecuteError::Refused(_))));
    for id in [one, two] {
        let (website, version) = journal
            .read::<Company, _>(id, |company, stamp| (company.live().unwrap().website.clone(), stamp.version))
            .await
            .unwrap();
        assert_eq!((website, version), (None, 1), "nothing of a refused unit is seen");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_a_command_depends_on_must_still_be_so_at_the_commit() {
    let node = Node::start().await;
    let journal = &node.app.tenant.journal;
    let (one, two) = (create(journal).await, create(journal).await);
    let other = Journal::open(journal.pool().clone(), journal.codec().clone(), &[0; 32]).await.unwrap();
    let issuer = Issuer::system("test.depend");
    let mut tries = 0;
    journal
        .execute::<_, ExecuteError>(&issuer, async |unit| {
            tries += 1;
            let seen = unit.depend::<Company, _>(two, |_, stamp| stamp.version).await?;
            if tries == 1 {
                // Another node moves the stream that this command has looked at.
                change(&other, two, "moved").await?;
            } else {
                assert_eq!(seen, 2);
            }
            unit.decide::<Company, _>(one, website("one")).await
        })
        .await
        .unwrap();
    assert!(tries >= 2, "the command was decided again on what is so");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_commands_conflict_does_not_fail_its_neighbours() {
    let node = Node::start().await;
    let journal = &node.app.tenant.journal;
    let other = Journal::open(journal.pool().clone(), journal.codec().clone(), &[0; 32]).await.unwrap();
    let stale = create(journal).await;
    let neighbours = join_all((0..20).map(|_| create(journal))).await;
    // This node believes the stream to be at version 1; it is not.
    change(&other, stale, "elsewhere").await.unwrap();
    let (first, rest) =
        tokio::join!(change(journal, stale, "here"), join_all(neighbours.iter().map(|id| change(journal, *id, "n"))));
    assert!(first.is_ok(), "decided again on what the other node left: {:?}", first.err());
    assert!(rest.iter().all(Result::is_ok));
    let (count, last, head) = positions(journal.pool()).await;
    assert_eq!((last, head), (count, count));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_another_node_left_is_not_answered_from_memory() {
    let node = Node::start().await;
    let journal = &node.app.tenant.journal;
    let id = create(journal).await;
    // It does not listen, so it learns of other nodes' commands only by looking.
    let other = Journal::open(journal.pool().clone(), journal.codec().clone(), &[0; 32]).await.unwrap();
    change(&other, id, "one").await.unwrap();
    change(journal, id, "two").await.unwrap();
    let issuer = Issuer::system("test.if_match");
    other
        .execute::<_, ExecuteError>(&issuer, async |unit| unit.require_version::<Company>(id, Some(3)).await)
        .await
        .expect("the version that the caller saw on the other node");
    change(journal, id, "three").await.unwrap();
    let done = change(&other, id, "two").await.unwrap();
    assert!(done.appended, "what is a change to the present state is not taken for none");
    let refused = other
        .execute::<_, ExecuteError>(&issuer, async |unit| unit.require_version::<Company>(id, Some(4)).await)
        .await;
    assert!(matches!(refused, Err(ExecuteError::VersionConflict { actual: 5 })), "{:?}", refused.err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn where_nothing_had_to_happen_the_position_covers_what_was_seen() {
    let node = Node::start().await;
    let journal = &node.app.tenant.journal;
    let id = create(journal).await;
    // It does not listen: of what comes now it hears nothing.
    let other = Journal::open(journal.pool().clone(), journal.codec().clone(), &[0; 32]).await.unwrap();
    let written = change(journal, id, "one").await.unwrap();
    let again = change(&other, id, "one").await.unwrap();
    assert!(written.appended && !again.appended);
    assert!(again.position >= written.position, "{} is before {}", again.position, written.position);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_follows_to_a_position_reads_nothing_older_from_memory() {
    let node = Node::start().await;
    let journal = &node.app.tenant.journal;
    let id = create(journal).await;
    let other = Journal::open(journal.pool().clone(), journal.codec().clone(), &[0; 32]).await.unwrap();
    let version = async || other.read::<Company, _>(id, |_, stamp| stamp.version).await.unwrap();
    assert_eq!(version().await, 1);
    let written = change(journal, id, "one").await.unwrap();
    assert!(other.follow(written.position).await.unwrap());
    assert_eq!(version().await, 2);
    assert!(!other.follow(written.position + 1).await.unwrap(), "nothing is there yet");
}
