//! The peer: cqrs-es with postgres-es, as its documentation says, with its default pool of ten connections.

use std::{collections::HashMap, sync::Arc};

use anyhow::{Result, bail};
use cqrs_es::{Aggregate, AggregateError};
use kernel::{Actor, Issued, Role};
use postgres_es::{PostgresCqrs, postgres_cqrs};
use runtime::Metadata;
use sqlx::{Executor, PgPool};

/// The number of connections that postgres-es opens by default.
pub(crate) const CONNECTIONS: u32 = 10;

/// The framework over a pool, without queries: DDC's commands carry none either.
pub(crate) fn framework<A: Aggregate<Services = ()> + 'static>(pool: PgPool) -> Arc<PostgresCqrs<A>> {
    Arc::new(postgres_cqrs(pool, Vec::new(), ()))
}

/// The tables of postgres-es' own `init.sql`, and one for a view.
pub(crate) async fn create_tables(pool: &PgPool) -> Result<()> {
    pool.execute(
        "CREATE TABLE events (
             aggregate_type text NOT NULL, aggregate_id text NOT NULL,
             sequence bigint CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL, event_version text NOT NULL,
             payload json NOT NULL, metadata json NOT NULL, PRIMARY KEY (aggregate_type, aggregate_id, sequence));
         CREATE TABLE snapshots (
             aggregate_type text NOT NULL, aggregate_id text NOT NULL,
             last_sequence bigint CHECK (last_sequence >= 0) NOT NULL,
             current_snapshot bigint CHECK (current_snapshot >= 0) NOT NULL, payload json NOT NULL,
             PRIMARY KEY (aggregate_type, aggregate_id, last_sequence));
         CREATE TABLE company_view (
             view_id text NOT NULL, version bigint CHECK (version >= 0) NOT NULL, payload json NOT NULL,
             PRIMARY KEY (view_id))",
    )
    .await?;
    Ok(())
}

/// What DDC records beside an event, as this framework takes it.
pub(crate) fn metadata(metadata: Metadata) -> HashMap<String, String> {
    let Metadata { at, user_id, role, command, correlation_id, .. } = metadata;
    let mut known = HashMap::from([("command".to_owned(), command), ("correlation_id".to_owned(), correlation_id)]);
    known.insert("at".to_owned(), at.to_rfc3339());
    known.extend(user_id.map(|user| ("user_id".to_owned(), user)));
    known.extend(role.map(|role| ("role".to_owned(), role)));
    known
}

/// A command of an ADMIN's.
pub(crate) fn issued<C>(command: C) -> Result<Issued<C>> {
    let by = Actor::User { id: 1_i64.try_into()?, role: Role::Admin };
    Ok(Issued::new(by, chrono::Utc::now(), command))
}

/// Gives a command until it is taken: what loses the race for a stream is given again, as DDC does.
pub(crate) async fn execute<A, C>(framework: &PostgresCqrs<A>, id: &str, command: C, recorded: &Metadata) -> Result<()>
where
    A: Aggregate<Command = Issued<C>>,
    C: Clone,
{
    loop {
        match framework.execute_with_metadata(id, issued(command.clone())?, metadata(recorded.clone())).await {
            Ok(()) => return Ok(()),
            Err(AggregateError::AggregateConflict) => {}
            Err(error) => bail!("postgres-es: {error}"),
        }
    }
}
