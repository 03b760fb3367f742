//! What was asked of the server (E46).

use actix_web::{HttpResponse, get};
use chrono::{DateTime, Utc};
use runtime::page::{Condition, Order, Shown};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{call::Call, params::Params, permission::Permission, problem::Problem};

/// A request and its answer.
#[derive(Serialize, ToSchema)]
struct HttpRequestActivity {
    id: i64,
    method: String,
    /// Without the query.
    path: String,
    /// As this document has it; `null` when there is none.
    route: Option<String>,
    status_code: i16,
    /// Until the answer began.
    latency_ms: f64,
    ip: Option<String>,
    user_id: Option<i64>,
    request_id: String,
    user_agent: Option<String>,
    created_at: DateTime<Utc>,
}

/// Requests of the last 90 days, newest first; those that this node has answered by now are there.
#[utoipa::path(tag = "audit",
    params(("user" = Option<i64>, Query), ("method" = Option<String>, Query),
        ("status_code" = Option<i64>, Query), ("path" = Option<String>, Query, description = "a part of the path"),
        ("route" = Option<String>, Query), ("ip" = Option<String>, Query), ("request_id" = Option<String>, Query),
        ("from" = Option<String>, Query), ("to" = Option<String>, Query)),
    responses((status = 200, body = [HttpRequestActivity]), (status = 401), (status = 403), (status = 422)))]
#[get("/api/audit_logs/http-activities/")]
pub(super) async fn list_http_activities(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::AuditRead)?;
    let list = params.log("http_activity_list", Order::NEWEST, &[("latency_ms", "latency_us", "bigint")])?;
    let text = |name| params.text(name).map(str::to_owned);
    let conditions = [
        params.get("user")?.map(|user| Condition::Number("user_id", user)),
        params.get("status_code")?.map(|status| Condition::Number("status_code", status)),
        text("method").map(|method| Condition::Text("method", method.to_uppercase())),
        text("path").map(|path| Condition::Contains("path", path)),
        text("route").map(|route| Condition::Text("route", route)),
        text("ip").map(|ip| Condition::Text("ip", ip)),
        text("request_id").map(|id| Condition::Text("request_id", id)),
        text("search").map(|path| Condition::Contains("path", path)),
        params.instant("from")?.map(|at| Condition::Since("created_at", at)),
        params.instant("to")?.map(|at| Condition::Until("created_at", at)),
    ];
    call.app().activities.write(&call.tenant().pool).await;
    let position = *call.tenant().journal.head().borrow();
    call.page_of(&params, list, conditions.into_iter().flatten().collect(), Shown::now(position)).await
}
