//! The dashboard (E42, E43).

use actix_web::{HttpResponse, get};
use oversight_projections::dashboard::{self, Details, Period, Stats};
use serde::Serialize;

use crate::http::{call::Call, params::Params, permission::Permission, problem::Problem};

/// A dashboard list has 10 rows unless asked otherwise …
const ROWS: i64 = 10;
/// … and never more than 100.
const ROWS_LIMIT: i64 = 100;

fn as_of(position: i64, body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header(("DDC-Position", position.to_string())).json(body)
}

/// How the work stands, of what the caller sees.
#[utoipa::path(tag = "dashboards",
    params(("from" = Option<String>, Query, description = "only what was created since"),
        ("to" = Option<String>, Query, description = "only what was created until")),
    responses((status = 200, body = Stats), (status = 401), (status = 422)))]
#[get("/api/dashboards/stats/")]
pub(super) async fn dashboard_stats(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::DashboardRead)?;
    let period = Period { from: params.instant("from")?, to: params.instant("to")? };
    call.settled(dashboard::NAME).await?;
    let stats = call.read(async |connection| dashboard::stats(connection, call.actor(), period).await).await?;
    Ok(as_of(stats.as_of_position, &stats))
}

/// What was worked on last, of what the caller sees.
#[utoipa::path(tag = "dashboards", params(("limit" = Option<i64>, Query, description = "rows of each kind, 1 to 100")),
    responses((status = 200, body = Details), (status = 401), (status = 422)))]
#[get("/api/dashboards/details/")]
pub(super) async fn dashboard_details(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::DashboardRead)?;
    let limit = params.get::<i64>("limit")?.unwrap_or(ROWS);
    if !(1..=ROWS_LIMIT).contains(&limit) {
        return Err(Problem::field("INVALID", "limit", "must be 1 to 100"));
    }
    call.settled(dashboard::NAME).await?;
    let details = dashboard::details(&call.tenant().pool, call.actor(), limit).await?;
    Ok(as_of(details.as_of_position, &details))
}
