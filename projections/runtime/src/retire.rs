//! Read models of builds that are gone.

use sqlx::{Executor, PgPool};

/// For how long a version that no node runs is kept, for those who go back to it.
const KEPT: &str = "1 day";

/// Drops the versions of read models that no node has run for a day. Answers which.
///
/// # Errors
/// When the database fails.
pub async fn retire(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    let left = format!(
        r"SELECT name FROM claims WHERE name ~ '^[a-z_]+_v\d+$' AND until < now() - interval '{KEPT}' ORDER BY name"
    );
    let mut retired = Vec::new();
    for reader in sqlx::query_scalar::<_, String>(&left).fetch_all(pool).await? {
        let mut tx = pool.begin().await?;
        // A node that begins to run it at this moment waits, and then finds that it has to be built.
        let claim = format!("DELETE FROM claims WHERE name = $1 AND until < now() - interval '{KEPT}'");
        if sqlx::query(&claim).bind(&reader).execute(&mut *tx).await?.rows_affected() == 0 {
            continue;
        }
        sqlx::query("DELETE FROM checkpoints WHERE name = $1").bind(&reader).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM parked_events WHERE reader = $1").bind(&reader).execute(&mut *tx).await?;
        let tenant: String = sqlx::query_scalar("SELECT current_schema()::text").fetch_one(&mut *tx).await?;
        tx.execute(format!("DROP SCHEMA IF EXISTS {tenant}_{reader} CASCADE").as_str()).await?;
        tx.commit().await?;
        tracing::info!(reader, "a version of a read model that no node runs any more was dropped");
        retired.push(reader);
    }
    Ok(retired)
}
