//! What a user is told: own rows only. That a notification was read is no business state, so it is no event.

use actix_web::{HttpResponse, get, post, web};
use runtime::page::{Condition, Order, Shown};
use serde_json::{json, value::RawValue};
use sqlx::types::Json;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{call::Call, params::Params, permission::Permission, problem::Problem};
use crate::fanout;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_notifications).service(count_unread).service(read_all_notifications).service(read_notification);
}

/// One's own notifications, newest first.
#[utoipa::path(tag = "notifications", params(("is_read" = Option<bool>, Query)), responses((status = 200), (status = 401)))]
#[get("/api/notifications/")]
async fn list_notifications(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::NotificationRead)?;
    let list = params.log("notification_list", Order::NEWEST, &[])?;
    let mut conditions = vec![Condition::Number("recipient", call.user().get())];
    conditions.extend(params.flag("is_read")?.map(|read| Condition::Is("is_read", read)));
    let position = fanout::position(&call.tenant().pool, fanout::NOTIFICATIONS).await?;
    call.page_of(&params, list, conditions, Shown::now(position)).await
}

/// How many of one's own notifications are unread.
#[utoipa::path(tag = "notifications", responses((status = 200), (status = 401)))]
#[get("/api/notifications/unread-count/")]
async fn count_unread(call: Call) -> Result<HttpResponse, Problem> {
    call.may(Permission::NotificationRead)?;
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM notifications WHERE recipient = $1 AND NOT is_read")
        .bind(call.user().get())
        .fetch_one(&call.tenant().pool)
        .await?;
    Ok(HttpResponse::Ok().json(json!({"unread": count})))
}

/// Marks one's own notification as read.
#[utoipa::path(tag = "notifications", params(("id" = i64, Path)), responses((status = 200), (status = 401), (status = 404)))]
#[post("/api/notifications/{id}/read/")]
async fn read_notification(call: Call, id: web::Path<i64>) -> Result<HttpResponse, Problem> {
    call.may(Permission::NotificationRead)?;
    let pool = &call.tenant().pool;
    sqlx::query(
        "UPDATE notifications SET is_read = true, read_at = now() WHERE id = $1 AND recipient = $2 AND NOT is_read",
    )
    .bind(*id)
    .bind(call.user().get())
    .execute(pool)
    .await?;
    let found: Option<Json<Box<RawValue>>> =
        sqlx::query_scalar("SELECT body FROM notification_list WHERE id = $1 AND recipient = $2")
            .bind(*id)
            .bind(call.user().get())
            .fetch_optional(pool)
            .await?;
    Ok(HttpResponse::Ok().json(found.ok_or_else(Problem::not_found)?.0))
}

/// Marks all of one's own notifications as read.
#[utoipa::path(tag = "notifications", responses((status = 200), (status = 401)))]
#[post("/api/notifications/read-all/")]
async fn read_all_notifications(call: Call) -> Result<HttpResponse, Problem> {
    call.may(Permission::NotificationRead)?;
    let marked =
        sqlx::query("UPDATE notifications SET is_read = true, read_at = now() WHERE recipient = $1 AND NOT is_read")
            .bind(call.user().get())
            .execute(&call.tenant().pool)
            .await?;
    Ok(HttpResponse::Ok().json(json!({"marked": marked.rows_affected()})))
}
