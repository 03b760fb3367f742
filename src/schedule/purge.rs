//! What has had its time is removed: answers kept for idempotency keys after a day, tokens after their end, what was
//! asked of the server after 90 days, notifications 180 days after they were read, and read models of builds that no node
//! has run for a day. None of it is business state.

use anyhow::Result;

use crate::app::App;

const QUERIES: [&str; 5] = [
    "DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'",
    "DELETE FROM refresh_tokens WHERE expires_at < now()",
    "DELETE FROM one_time_tokens WHERE expires_at < now()",
    "DELETE FROM http_activities WHERE created_at < now() - interval '90 days'",
    "DELETE FROM notifications WHERE is_read AND read_at < now() - interval '180 days'",
];

pub(super) async fn run(app: &App) -> Result<()> {
    for query in QUERIES {
        sqlx::query(query).execute(&app.tenant.pool).await?;
    }
    runtime::retire(&app.tenant.pool).await?;
    Ok(())
}
