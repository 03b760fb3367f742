//! Builds a projection anew beside the live one, compares the two, and swaps them in one transaction. Readers never see
//! an empty or half-built table; a rebuild that a crash interrupts leaves nothing that the next one does not sweep away.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{Connection, Executor, PgConnection, PgPool};

use crate::{
    ApplyError, Codec, Projection, checkpoint, feed,
    replay::Replay,
    runner,
    shares::{Outcome, Share, Work},
};

pub use crate::shares::Limits;

const BATCH: i64 = 5000;

/// How far a rebuild has come.
#[derive(Debug, Clone, Copy)]
pub struct Advance {
    pub position: i64,
    pub target: i64,
    pub events: u64,
    pub elapsed: Duration,
}

/// What a rebuild did.
#[derive(Debug, Clone)]
pub struct Report {
    pub position: i64,
    pub events: u64,
    pub rows: i64,
    pub elapsed: Duration,
    /// Tables that differed from the live ones at the same position; `None` when there were none yet.
    pub differing: Option<Vec<String>>,
}

/// Rebuilds a projection.
///
/// # Errors
/// When the database fails, or another rebuild of the same projection is under way.
pub async fn rebuild(
    pool: &PgPool,
    codec: &Arc<Codec>,
    projection: &dyn Projection,
    advance: &mut (dyn FnMut(Advance) + Send),
) -> Result<Report, ApplyError> {
    rebuild_within(pool, codec, projection, Limits::default(), advance).await
}

/// As [`rebuild`], with the work divided otherwise.
///
/// # Errors
/// As [`rebuild`].
pub async fn rebuild_within(
    pool: &PgPool,
    codec: &Arc<Codec>,
    projection: &dyn Projection,
    limits: Limits,
    advance: &mut (dyn FnMut(Advance) + Send),
) -> Result<Report, ApplyError> {
    let name = projection.reader();
    // A connection of its own, closed at the end: its lock and its search_path go with it.
    let mut connection = pool.acquire().await?.detach();
    let alone: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtext('rebuild ' || current_schema() || $1))")
        .bind(&name)
        .fetch_one(&mut connection)
        .await?;
    if !alone {
        return Err(sqlx::Error::Protocol(format!("{name} is being rebuilt by another")).into());
    }
    let tenant: String = sqlx::query_scalar("SELECT current_schema()::text").fetch_one(&mut connection).await?;
    let generation = format!("{tenant}_rebuild_{name}");
    create(&mut connection, projection, &tenant, &generation).await?;
    checkpoint::begin(&mut connection, &name, 0, 0).await?;

    let started = Instant::now();
    let (mut position, mut events) = match projection.fold() {
        Some(new) => {
            let target = target(&mut connection, projection).await?;
            let mut tell = |position, events| advance(Advance { position, target, events, elapsed: started.elapsed() });
            let work = Work {
                pool: pool.clone(),
                codec: Arc::clone(codec),
                fold: new,
                kinds: projection.kinds(),
                target,
                limits,
                tables: format!("{generation}, {tenant}"),
            };
            let Outcome { events, failed } = work.run(&mut tell).await?;
            tell(target, events);
            (target, events + by_batches(pool, &mut connection, codec, projection, &failed, target).await?)
        }
        None => (0, 0),
    };
    loop {
        let target = target(&mut connection, projection).await?;
        if position >= target {
            break;
        }
        let (reached, count) = fold(&mut connection, codec, projection, position, target).await?;
        position = reached;
        events += count;
        advance(Advance { position, target, events, elapsed: started.elapsed() });
    }
    connection.execute(projection.indexes().as_str()).await?;
    let (position, rows, differing) =
        swap(&mut connection, codec, projection, (&tenant, &generation), position).await?;
    // The server lets go of a closed connection's lock a little later; whoever rebuilds next is not to find it.
    connection.execute("SELECT pg_advisory_unlock_all()").await?;
    connection.close().await?;
    Ok(Report { position, events, rows, elapsed: started.elapsed(), differing })
}

/// Does the shares that could not be folded at once as the live projection would: what cannot be applied is parked.
async fn by_batches(
    pool: &PgPool,
    connection: &mut PgConnection,
    codec: &Codec,
    projection: &dyn Projection,
    shares: &[Share],
    target: i64,
) -> Result<u64, ApplyError> {
    let mut count = 0;
    for share in shares {
        let mut reader = pool.acquire().await?.detach();
        let mut replay = Replay::open(&mut reader, projection.kinds(), *share, target, true).await?;
        loop {
            let events = replay.page(usize::try_from(BATCH).unwrap_or_default()).await?;
            if events.is_empty() {
                break;
            }
            let mut tx = connection.begin().await?;
            runner::apply(&mut tx, codec, projection, &events).await?;
            tx.commit().await?;
            count += u64::try_from(events.len()).unwrap_or_default();
        }
        drop(replay);
        reader.close().await?;
    }
    Ok(count)
}

/// A schema of its own, found before the tenant's; what an earlier, interrupted rebuild left is swept away.
async fn create(
    connection: &mut PgConnection,
    projection: &dyn Projection,
    tenant: &str,
    generation: &str,
) -> Result<(), sqlx::Error> {
    let ddl = format!(
        "SET client_min_messages = warning;
         DROP SCHEMA IF EXISTS {generation} CASCADE;
         CREATE SCHEMA {generation};
         SET search_path TO {generation}, {tenant};
         CREATE TABLE {generation}.parked_events (LIKE {tenant}.parked_events INCLUDING ALL);
         {};",
        projection.schema()
    );
    connection.execute(ddl.as_str()).await?;
    Ok(())
}

/// How far to go: to where the live one is, or to the head when there is none yet.
async fn target(connection: &mut PgConnection, projection: &dyn Projection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT CASE WHEN version = $2 THEN position ELSE (SELECT position FROM journal_head) END
         FROM checkpoints WHERE name = $1",
    )
    .bind(projection.reader())
    .bind(projection.version())
    .fetch_one(connection)
    .await
}

async fn fold(
    connection: &mut PgConnection,
    codec: &Codec,
    projection: &dyn Projection,
    position: i64,
    target: i64,
) -> Result<(i64, u64), ApplyError> {
    let mut tx = connection.begin().await?;
    let events = feed::after(&mut tx, position, target, projection.kinds(), BATCH).await?;
    let cut = i64::try_from(events.len()).unwrap_or(BATCH) == BATCH;
    let reached = events.last().filter(|_| cut).map_or(target, |event| event.position);
    runner::apply(&mut tx, codec, projection, &events).await?;
    tx.commit().await?;
    Ok((reached, u64::try_from(events.len()).unwrap_or_default()))
}

/// Stops the live projection for a moment by taking its checkpoint, catches up, compares, and changes places.
async fn swap(
    connection: &mut PgConnection,
    codec: &Codec,
    projection: &dyn Projection,
    (tenant, generation): (&str, &str),
    mut position: i64,
) -> Result<(i64, i64, Option<Vec<String>>), ApplyError> {
    let (name, home) = (projection.reader(), projection.home(tenant));
    let mut tx = connection.begin().await?;
    tx.execute(format!("CREATE SCHEMA IF NOT EXISTS {home}").as_str()).await?;
    let live = checkpoint::hold(&mut tx, &name).await?.ok_or(sqlx::Error::RowNotFound)?;
    let target = target(&mut tx, projection).await?;
    while position < target {
        position = fold(&mut tx, codec, projection, position, target).await?.0;
    }
    let comparable = live.version == projection.version() && live.position == position;
    let (mut rows, mut differing) = (0, Vec::new());
    for table in projection.tables() {
        if comparable {
            let new = fingerprint(&mut tx, generation, table).await?;
            rows += new.0;
            if fingerprint(&mut tx, &home, table).await? != new {
                differing.push(table.to_owned());
            }
        } else {
            let count = format!("SELECT count(*) FROM {generation}.{table}");
            rows += sqlx::query_scalar::<_, i64>(&count).fetch_one(&mut *tx).await?;
        }
        let swap = format!("DROP TABLE IF EXISTS {home}.{table}; ALTER TABLE {generation}.{table} SET SCHEMA {home};");
        tx.execute(swap.as_str()).await?;
    }
    sqlx::query("UPDATE checkpoints SET version = $2, position = $3, updated_at = now() WHERE name = $1")
        .bind(&name)
        .bind(projection.version())
        .bind(position)
        .execute(&mut *tx)
        .await?;
    let parked = format!(
        "DELETE FROM {tenant}.parked_events WHERE reader = '{name}';
         INSERT INTO {tenant}.parked_events SELECT * FROM {generation}.parked_events;
         DROP SCHEMA {generation} CASCADE;"
    );
    tx.execute(parked.as_str()).await?;
    tx.commit().await?;
    Ok((position, rows, comparable.then_some(differing)))
}

/// Row count and a hash of all rows that does not depend on their order. The column `state` is left out: personal data
/// in it is sealed anew each time, and what a reader sees of it is in the other columns.
///
/// # Errors
/// When the database fails.
pub async fn fingerprint(
    connection: &mut PgConnection,
    schema: &str,
    table: &str,
) -> Result<(i64, String), sqlx::Error> {
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT 't.' || quote_ident(attname) FROM pg_attribute
         WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attname <> 'state' ORDER BY attnum",
    )
    .bind(format!("{schema}.{table}"))
    .fetch_all(&mut *connection)
    .await?;
    let query = format!(
        "SELECT count(*), COALESCE(sum(hashtextextended(ROW({})::text, 0)::numeric), 0)::text FROM {schema}.{table} AS t",
        columns.join(", ")
    );
    sqlx::query_as(&query).fetch_one(connection).await
}
