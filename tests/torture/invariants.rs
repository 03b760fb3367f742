//! What must be so, whatever was done.

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use sqlx::PgPool;

use crate::ledger::{Entry, Outcome};

#[derive(sqlx::FromRow)]
struct Event {
    position: i64,
    correlation: String,
    command: String,
    causation: Option<String>,
    block: i64,
}

/// The journal against what users were told. Answers what is wrong, and how many events were looked at.
pub(crate) async fn of_the_journal(pool: &PgPool, entries: &[Entry]) -> Result<(Vec<String>, usize)> {
    let mut wrongs = Vec::new();
    let (count, last, head): (i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM main.events), (SELECT max(position) FROM main.events), position FROM main.journal_head",
    )
    .fetch_one(pool)
    .await?;
    if (count, last) != (head, head) {
        wrongs.push(format!("positions are not dense: {count} events, the last at {last}, the head at {head}"));
    }
    let events: Vec<Event> = sqlx::query_as(
        "SELECT e.position, e.metadata->>'correlation_id' AS correlation, e.metadata->>'command' AS command,
                e.metadata->>'causation_id' AS causation, b.last_position AS block
         FROM main.events e JOIN LATERAL (
             SELECT last_position FROM main.journal_blocks WHERE last_position >= e.position ORDER BY last_position LIMIT 1
         ) b ON true ORDER BY e.position",
    )
    .fetch_all(pool)
    .await?;

    // What one command did stands together, in one append.
    let mut groups: HashMap<(&str, &str), Vec<&Event>> = HashMap::new();
    for event in &events {
        // A reaction may well give the same command to several things, each an append of its own.
        if event.causation.is_none() {
            groups.entry((&event.correlation, &event.command)).or_default().push(event);
        }
    }
    for ((correlation, command), events) in &groups {
        let whole = events.windows(2).all(|pair| match pair {
            [one, two] => one.position + 1 == two.position && one.block == two.block,
            _ => true,
        });
        if !whole && correlation.starts_with('t') {
            let at: Vec<i64> = events.iter().map(|event| event.position).collect();
            wrongs.push(format!("{command} ({correlation}) is torn: positions {at:?}"));
        }
    }

    // Each acknowledged command is there once, each refused one never.
    let mut attempts: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    let mut at: HashMap<i64, &str> = HashMap::new();
    for event in events.iter().filter(|event| event.causation.is_none()) {
        if let Some((key, _)) = event.correlation.rsplit_once('.') {
            attempts.entry(key).or_default().insert(&event.correlation);
            at.insert(event.position, key);
        }
    }
    for entry in entries {
        let done = attempts.get(entry.key.as_str()).map_or(0, BTreeSet::len);
        let (key, what) = (&entry.key, &entry.what);
        match entry.outcome {
            Outcome::Acknowledged { position, eventful } => {
                let there = at.get(&position) == Some(&key.as_str());
                if (eventful || done > 0) && !(there && done == 1) {
                    wrongs.push(format!("{what} ({key}), acknowledged at {position}, was done {done} times"));
                }
            }
            Outcome::Refused(status) if done > 0 => {
                wrongs.push(format!("{what} ({key}) was refused ({status}) and done {done} times"));
            }
            Outcome::Unknown if done > 1 => wrongs.push(format!("{what} ({key}) was done {done} times")),
            Outcome::Refused(_) | Outcome::Unknown => {}
        }
    }
    Ok((wrongs, events.len()))
}

/// What was sent and told, once everything has come to rest. Answers what is wrong, and the mails that came twice.
pub(crate) async fn of_the_fanout(
    pool: &PgPool,
    mails: &HashMap<String, u32>,
    crashes: usize,
) -> Result<(Vec<String>, usize)> {
    let mut wrongs = Vec::new();
    let unsent: Vec<(String, String, Option<String>)> = sqlx::query_as(
        "SELECT u.correlation, u.email, l.status FROM (
             SELECT aggregate_id::bigint AS id, metadata->>'correlation_id' AS correlation, aggregate_id AS email
             FROM main.events WHERE event_type = 'user.registered' AND metadata->>'correlation_id' LIKE 't%'
         ) u LEFT JOIN main.email_log l ON l.recipient = u.id AND l.kind = 'SET_PASSWORD'
         WHERE l.status IS DISTINCT FROM 'SENT'",
    )
    .fetch_all(pool)
    .await?;
    for (correlation, user, status) in unsent {
        wrongs.push(format!("user {user} ({correlation}) was sent no mail: {status:?}"));
    }
    let sent: Vec<(i64, i64, String)> = sqlx::query_as(
        "SELECT position, recipient, kind FROM main.email_log WHERE status = 'SENT' AND meta IS NOT NULL",
    )
    .fetch_all(pool)
    .await?;
    let mut twice = 0;
    for (position, recipient, kind) in sent {
        let id = format!("<{position}.{recipient}.{kind}@");
        match mails.iter().filter(|(known, _)| known.starts_with(&id)).map(|(_, count)| *count).sum::<u32>() {
            0 | 1 => {}
            _ => twice += 1,
        }
    }
    if twice > crashes {
        wrongs.push(format!("{twice} mails came twice, more than there were crashes ({crashes})"));
    }
    for reader in ["parked_events", "dead_letters"] {
        let stuck: i64 = sqlx::query_scalar(&format!("SELECT count(*) FROM main.{reader}")).fetch_one(pool).await?;
        if stuck > 0 {
            wrongs.push(format!("{stuck} {reader}"));
        }
    }
    let doubled: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT FROM main.notifications GROUP BY position, recipient HAVING count(*) > 1) AS twice",
    )
    .fetch_one(pool)
    .await?;
    if doubled > 0 {
        wrongs.push(format!("{doubled} notifications are there twice"));
    }
    Ok((wrongs, twice))
}

/// A fingerprint of all that was told, to see that telling it once more changes nothing.
pub(crate) async fn told(pool: &PgPool) -> Result<(i64, String, i64, String)> {
    Ok(sqlx::query_as(
        "SELECT (SELECT count(*) FROM main.notifications),
                (SELECT COALESCE(md5(string_agg(concat_ws('/', position, recipient, kind), ',' ORDER BY position, recipient)), '')
                 FROM main.notifications),
                (SELECT count(*) FROM main.email_log),
                (SELECT COALESCE(md5(string_agg(concat_ws('/', position, recipient, kind, status), ',' ORDER BY position, recipient, kind)), '')
                 FROM main.email_log)",
    )
    .fetch_one(pool)
    .await?)
}
