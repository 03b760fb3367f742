//! Keeps projections up to date: batch by batch, each with its checkpoint in one transaction.

use std::{sync::Arc, time::Duration};

use sqlx::{Connection, Executor, PgConnection, PgPool};

use crate::{
    ApplyError, Batch, Codec, Place, Projection, Recorded, Renounce, Turn, checkpoint, parked, progress::Progress,
    rebuild,
};

/// How many events a live batch takes at the most.
const BATCH: i64 = 1000;
/// How long a reader waits after the database failed it.
const PAUSE: Duration = Duration::from_millis(500);

/// Creates the tables of a projection while there is nothing in the journal. Later a version that has never run is built
/// by the node that claims it, and is not there for readers before.
///
/// # Errors
/// When the database refuses.
pub async fn prepare(pool: &PgPool, projection: &dyn Projection) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    // Two nodes may start at once; creating is done by one of them.
    let reader = projection.reader();
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext($1))").bind(&reader).execute(&mut *tx).await?;
    let is_due: bool = sqlx::query_scalar(
        "SELECT position = 0 AND NOT EXISTS (SELECT FROM checkpoints WHERE name = $1) FROM journal_head",
    )
    .bind(&reader)
    .fetch_one(&mut *tx)
    .await?;
    if is_due {
        let tenant: String = sqlx::query_scalar("SELECT current_schema()::text").fetch_one(&mut *tx).await?;
        let home = projection.home(&tenant);
        let ddl = format!(
            "CREATE SCHEMA {home}; SET LOCAL search_path TO {home}, {tenant}; {}; {};",
            projection.schema(),
            projection.indexes()
        );
        tx.execute(ddl.as_str()).await?;
        checkpoint::begin(&mut tx, &reader, projection.version(), 0).await?;
    }
    tx.commit().await
}

/// The projections of which this version has not been built yet.
///
/// # Errors
/// When the database cannot be reached.
pub async fn unbuilt(pool: &PgPool, projections: &[Arc<dyn Projection>]) -> Result<Vec<&'static str>, sqlx::Error> {
    let (readers, versions): (Vec<String>, Vec<i32>) =
        projections.iter().map(|projection| (projection.reader(), projection.version())).unzip();
    let missing: Vec<String> = sqlx::query_scalar(
        "SELECT reader FROM unnest($1::text[], $2::int[]) AS wanted(reader, version) WHERE NOT EXISTS (
             SELECT FROM checkpoints c WHERE c.name = wanted.reader AND c.version = wanted.version)",
    )
    .bind(readers)
    .bind(versions)
    .fetch_all(pool)
    .await?;
    let is_missing = |projection: &&Arc<dyn Projection>| missing.contains(&projection.reader());
    Ok(projections.iter().filter(is_missing).map(|projection| projection.name()).collect())
}

/// Runs a projection on this node for as long as it has the claim, until the node shuts down, or the journal holds what
/// only a newer build understands.
pub async fn run(
    pool: PgPool,
    codec: Arc<Codec>,
    projection: Arc<dyn Projection>,
    progress: Progress,
    mut place: Place,
    renounce: Renounce,
) {
    let mut unparked = Unparked::default();
    loop {
        let turn = match place.turn().await {
            Ok(Some(turn)) => turn,
            Ok(None) => return,
            Err(error) => {
                pause(projection.name(), &error).await;
                continue;
            }
        };
        match step(&pool, &codec, &*projection, &place, turn, &mut unparked).await {
            Ok(Step::Applied(position)) => place.moved(turn, position),
            Ok(Step::Passed(position)) => place.passed(turn, position),
            Ok(Step::Fenced) => {
                place.doubt();
                continue;
            }
            Err(error) => {
                place.doubt();
                if matches!(error, ApplyError::Newer { .. }) {
                    renounce.renounce(&place.name);
                }
                pause(projection.name(), &error).await;
                continue;
            }
        }
        if let Some(position) = place.position() {
            progress.reached(projection.name(), position);
            // Not kept: a handle that was made before there is a recorder tells nobody.
            metrics::gauge!("ddc_projection_lag_events", "projection" => projection.name())
                .set(f64_of(turn.head - position));
        }
    }
}

/// A lag as metrics want it; exact to 2^31.
fn f64_of(lag: i64) -> f64 {
    f64::from(i32::try_from(lag).unwrap_or(i32::MAX))
}

async fn pause(name: &str, error: &(dyn std::error::Error + Sync)) {
    tracing::warn!(projection = name, %error, "a projection could not go on, it tries again");
    tokio::time::sleep(PAUSE).await;
}

/// What came of a turn.
enum Step {
    /// The read model and its checkpoint are at this position.
    Applied(i64),
    /// There was nothing to apply up to this position.
    Passed(i64),
    /// Another has moved the checkpoint.
    Fenced,
}

/// The epoch under which the reader was last seen to have no parked events. As long as it runs under it, nobody but itself
/// can park any, and so nobody puts any back.
#[derive(Debug, Clone, Copy, Default)]
struct Unparked(Option<i64>);

/// Applies the next batch. (Without waiting for the disk it is faster, and as exact; but a read that waited for its
/// position, and then for a database that had crashed, would not find there what it waited for.)
async fn step(
    pool: &PgPool,
    codec: &Arc<Codec>,
    projection: &dyn Projection,
    place: &Place,
    turn: Turn,
    unparked: &mut Unparked,
) -> Result<Step, ApplyError> {
    if turn.fresh {
        let known = checkpoint::load(pool, &place.name).await?;
        if known.is_some_and(|known| known.version != projection.version()) {
            let report = rebuild::rebuild(pool, codec, projection, &mut |_| {}).await?;
            tracing::info!(projection = place.name, events = report.events, "built");
            return Ok(Step::Fenced);
        }
    }
    let batch = place.batch(turn, projection.kinds(), BATCH).await?;
    if !batch.note {
        return Ok(Step::Passed(batch.position));
    }
    if unparked.0.take() == Some(turn.epoch)
        && let Some(step) = step_at_once(pool, codec, projection, place, turn, &batch).await?
    {
        unparked.0 = matches!(step, Step::Applied(_)).then_some(turn.epoch);
        return Ok(step);
    }
    let mut tx = pool.begin().await?;
    // Before the tables, as a retry and a rebuild take it: so none waits for the other.
    let moved = checkpoint::advance(&mut tx, &place.name, turn.epoch, turn.noted, batch.position).await?;
    let Ok(moved) = moved else { return Ok(Step::Fenced) };
    let mut is_unparked = !moved.has_parked;
    if moved.has_parked {
        apply(&mut tx, codec, projection, &batch.events).await?;
    } else if let Some(error) = try_at_once(&mut tx, codec, projection, &batch.events).await? {
        // Without a savepoint, which each batch would have had to pay for.
        warn_of_singles(projection, &error);
        tx.rollback().await?;
        tx = pool.begin().await?;
        let moved = checkpoint::advance(&mut tx, &place.name, turn.epoch, turn.noted, batch.position).await?;
        if moved.is_err() {
            return Ok(Step::Fenced);
        }
        apply_singly(&mut tx, codec, projection, &batch.events, parked::Waiting::new()).await?;
        is_unparked = false;
    }
    tx.commit().await?;
    unparked.0 = is_unparked.then_some(turn.epoch);
    Ok(applied(projection, &batch))
}

fn applied(projection: &dyn Projection, batch: &Batch) -> Step {
    metrics::counter!("ddc_projection_events_total", "projection" => projection.name())
        .increment(u64::try_from(batch.events.len()).unwrap_or_default());
    Step::Applied(batch.position)
}

/// Applies a batch of a projection that only writes rows, in one statement instead of a transaction of several. `None`: it
/// is to be done in the other way.
async fn step_at_once(
    pool: &PgPool,
    codec: &Codec,
    projection: &dyn Projection,
    place: &Place,
    turn: Turn,
    batch: &Batch,
) -> Result<Option<Step>, ApplyError> {
    let mut connection = pool.acquire().await?;
    let moving = (turn.noted, batch.position);
    let moved = async {
        let Some(rows) = projection.rows(&mut connection, codec, &batch.events).await? else { return Ok(None) };
        let moved = checkpoint::advance_with(&mut connection, &place.name, turn.epoch, moving, &rows).await?;
        Ok(Some(moved))
    };
    match moved.await {
        Ok(Some(Ok(()))) => Ok(Some(applied(projection, batch))),
        Ok(Some(Err(checkpoint::Fenced))) => Ok(Some(Step::Fenced)),
        Ok(None) => Ok(None),
        Err(error @ ApplyError::Database(_)) if error.is_outage() => Err(error),
        Err(error @ ApplyError::Newer { .. }) => Err(error),
        // What is wrong with which event is told there.
        Err(_) => Ok(None),
    }
}

/// Applies events; those that cannot be applied are parked, and the later ones of the same aggregates behind them.
pub(crate) async fn apply(
    tx: &mut PgConnection,
    codec: &Codec,
    projection: &dyn Projection,
    events: &[Recorded],
) -> Result<(), ApplyError> {
    if events.is_empty() {
        return Ok(());
    }
    let waiting = parked::waiting(&mut *tx, &projection.reader()).await?;
    if waiting.is_empty() {
        let mut batch = tx.begin().await?;
        match try_at_once(&mut batch, codec, projection, events).await? {
            None => return Ok(batch.commit().await?),
            Some(error) => {
                warn_of_singles(projection, &error);
                batch.rollback().await?;
            }
        }
    }
    apply_singly(tx, codec, projection, events, waiting).await
}

/// Applies a batch, or tells what is wrong with some event of it; what was done by then must be rolled back.
async fn try_at_once(
    tx: &mut PgConnection,
    codec: &Codec,
    projection: &dyn Projection,
    events: &[Recorded],
) -> Result<Option<ApplyError>, ApplyError> {
    if events.is_empty() {
        return Ok(None);
    }
    match projection.apply(tx, codec, events).await {
        Ok(()) => Ok(None),
        Err(error) if error.is_outage() => Err(error),
        Err(error) => Ok(Some(error)),
    }
}

fn warn_of_singles(projection: &dyn Projection, error: &ApplyError) {
    tracing::warn!(projection = projection.name(), %error, "a batch failed, its events are tried one by one");
}

async fn apply_singly(
    tx: &mut PgConnection,
    codec: &Codec,
    projection: &dyn Projection,
    events: &[Recorded],
    mut waiting: parked::Waiting,
) -> Result<(), ApplyError> {
    let reader = projection.reader();
    for event in events {
        let stream = (event.aggregate_type.clone(), event.aggregate_id.clone());
        if waiting.contains(&stream) {
            parked::park(tx, &reader, event, "waits behind an earlier event of the same aggregate").await?;
            continue;
        }
        let mut one = tx.begin().await?;
        match projection.apply(&mut one, codec, std::slice::from_ref(event)).await {
            Ok(()) => one.commit().await?,
            Err(error) if error.is_outage() => return Err(error),
            Err(error) => {
                one.rollback().await?;
                parked::park(tx, &reader, event, &error.to_string()).await?;
                waiting.insert(stream);
            }
        }
    }
    Ok(())
}

/// Tries the parked events again, in their order. Answers (applied, still parked).
///
/// # Errors
/// When the database cannot be reached.
pub async fn retry(pool: &PgPool, codec: &Codec, projection: &dyn Projection) -> Result<(usize, usize), ApplyError> {
    let mut tx = pool.begin().await?;
    // The live runner waits for it, so that no later event of these streams slips in between, or is parked behind one that
    // is being applied.
    let reader = projection.reader();
    checkpoint::hold(&mut tx, &reader).await?;
    let query = format!(
        "WITH parked AS (DELETE FROM parked_events WHERE reader = $1 RETURNING position)
         SELECT {} FROM events JOIN parked USING (position) ORDER BY position",
        crate::COLUMNS
    );
    let events: Vec<Recorded> = sqlx::query_as(&query).bind(&reader).fetch_all(&mut *tx).await?;
    apply_singly(&mut tx, codec, projection, &events, parked::Waiting::new()).await?;
    checkpoint::touch(&mut tx, &reader).await?;
    let still: i64 = sqlx::query_scalar("SELECT count(*) FROM parked_events WHERE reader = $1")
        .bind(&reader)
        .fetch_one(&mut *tx)
        .await?;
    tx.commit().await?;
    let still = usize::try_from(still).unwrap_or_default();
    Ok((events.len().saturating_sub(still), still))
}
