//! What do others achieve? Asked by everybody who compares a client; the current version of the set only.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use engagement::{
    benchmark::{Benchmark, Benchmarks},
    benchmark_set::{BenchmarkSet, BenchmarkSetEvent},
};
use kernel::Resource;
use runtime::{ApplyError, Codec, Projection, Recorded};
use serde_json::{Map, Value, json};
use sqlx::{PgConnection, types::Json};

use crate::item_table::{Row, members, schema};

/// An import takes the place of what it replaces and moves the version of all rows on, so the whole set is read,
/// folded as the aggregate folds it, and written.
#[derive(Default)]
pub struct BenchmarkList;

impl BenchmarkList {
    pub const NAME: &'static str = "benchmark_list";
}

#[async_trait]
impl Projection for BenchmarkList {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn version(&self) -> i32 {
        1
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["benchmark_set"]
    }

    fn tables(&self) -> Vec<&'static str> {
        vec![Self::NAME]
    }

    fn schema(&self) -> String {
        let columns = "metric text NOT NULL, question_code text, industry_id bigint, vertical_id bigint NOT NULL,
            region_id bigint, year integer NOT NULL";
        schema(Self::NAME, columns)
    }

    fn indexes(&self) -> String {
        "CREATE INDEX ON benchmark_list (vertical_id, id)".to_owned()
    }

    async fn apply(&self, tx: &mut PgConnection, codec: &Codec, events: &[Recorded]) -> Result<(), ApplyError> {
        let Some(last) = events.last() else { return Ok(()) };
        let known: Vec<(DateTime<Utc>, Json<Benchmark>)> =
            sqlx::query_as("SELECT created_at, body FROM benchmark_list ORDER BY id").fetch_all(&mut *tx).await?;
        let mut created: HashMap<i64, DateTime<Utc>> =
            known.iter().map(|(created_at, benchmark)| (benchmark.id.get(), *created_at)).collect();
        let rows: Vec<Benchmark> = known.into_iter().map(|(_, benchmark)| benchmark.0).collect();
        let set_version = rows.first().map_or(0, |row| row.set_version);
        let mut set = BenchmarkSet::Filled(Benchmarks { set_version, rows });
        for recorded in events {
            let event: BenchmarkSetEvent =
                codec.event(recorded).await.map_err(|error| ApplyError::event(recorded, &error))?;
            let BenchmarkSetEvent::Imported { benchmarks, .. } = &event;
            for benchmark in benchmarks {
                created.entry(benchmark.id.get()).or_insert(recorded.recorded_at);
            }
            BenchmarkSet::record(&mut set, event);
        }
        let rows: Vec<Row<Benchmark>> = set
            .benchmarks()
            .rows
            .into_iter()
            .map(|benchmark| Row {
                id: benchmark.id.get(),
                version: last.sequence,
                created_at: created.get(&benchmark.id.get()).copied().unwrap_or(last.recorded_at),
                updated_at: last.recorded_at,
                columns: columns(&benchmark),
                body: benchmark,
            })
            .collect();
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        sqlx::query("DELETE FROM benchmark_list WHERE NOT id = ANY($1)").bind(ids).execute(&mut *tx).await?;
        runtime::write(tx, Self::NAME, &rows).await
    }
}

fn columns(benchmark: &Benchmark) -> Map<String, Value> {
    members(json!({
        "metric": benchmark.metric,
        "question_code": benchmark.question_code,
        "industry_id": benchmark.industry_id,
        "vertical_id": benchmark.vertical_id,
        "region_id": benchmark.region_id,
        "year": benchmark.year,
    }))
}
