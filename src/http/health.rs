//! Whether the node lives, whether it can serve, and what it counts.

use std::{
    cell::RefCell,
    collections::HashMap,
    time::{Duration, Instant},
};

use ::metrics::Histogram;
use actix_web::{
    Error, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    get,
    http::Method,
    middleware::Next,
    web,
};
use anyhow::{Context, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::json;
use std::sync::OnceLock;
use utoipa_actix_web::service_config::ServiceConfig;

use super::problem::Problem;
use crate::app::App;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(live).service(ready).service(metrics);
}

/// The process answers.
#[utoipa::path(tag = "health", security(()), responses((status = 200)))]
#[get("/health/live/")]
async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "live"}))
}

/// Whether requests can be served. Without the broker they can; notifications and mails then wait for it. While a read
/// model is yet to be built for its new version they cannot, and a node of the older build goes on serving them.
#[utoipa::path(tag = "health", security(()), responses((status = 200), (status = 503)))]
#[get("/health/ready/")]
async fn ready(app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let database = runtime::feed::head(&app.tenant.pool).await;
    let unbuilt = runtime::runner::unbuilt(&app.tenant.pool, &app.tenant.projections).await.unwrap_or_default();
    if !unbuilt.is_empty() {
        let problem = Problem::unavailable("read models are yet to be built for their new versions");
        return Err(problem.with_member("building", unbuilt));
    }
    let behind = |head: &i64| {
        let positions = app.tenant.projections.iter().map(|projection| app.tenant.progress.position(projection.name()));
        head - positions.min().unwrap_or(*head)
    };
    let state = json!({
        "broker": if app.broker.is_connected() { "ok" } else { "not connected: notifications and mails wait for it" },
        "database": database.as_ref().map_or_else(ToString::to_string, |_| "ok".to_owned()),
        "projection_lag_events": database.as_ref().map(behind).unwrap_or_default(),
    });
    Ok(if database.is_ok() { HttpResponse::Ok().json(state) } else { HttpResponse::ServiceUnavailable().json(state) })
}

/// Prometheus metrics.
#[utoipa::path(tag = "health", security(()), responses((status = 200)))]
#[get("/metrics/")]
async fn metrics(app: web::Data<App>, handle: web::Data<PrometheusHandle>) -> HttpResponse {
    let parked: Result<Vec<(String, i64)>, _> =
        sqlx::query_as("SELECT reader, count(*) FROM parked_events GROUP BY reader").fetch_all(&app.tenant.pool).await;
    for (reader, count) in parked.unwrap_or_default() {
        ::metrics::gauge!("ddc_parked_events", "reader" => reader)
            .set(f64::from(i32::try_from(count).unwrap_or(i32::MAX)));
    }
    ::metrics::gauge!("ddc_http_in_flight").set(f64::from(u32::try_from(app.admission.taken()).unwrap_or(u32::MAX)));
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(handle.render())
}

/// The process' one recorder of metrics.
pub(super) fn recorder() -> Result<PrometheusHandle> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
    let counts = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &buckets)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Full("ddc_append_batch_commands".to_owned()), &counts)
        })
        .context("the buckets of a histogram are wrong")?
        .build_recorder();
    let handle = RECORDER.get_or_init(|| recorder.handle()).clone();
    // Another thread may have been faster; then its recorder counts.
    let _ = ::metrics::set_global_recorder(recorder);
    Ok(handle)
}

/// What has been noted is summed up this often: until then, or until somebody asks, it is kept one by one.
const SUMMED_UP: Duration = Duration::from_secs(5);

/// Keeps the metrics small while nobody asks for them.
pub(super) async fn sum_up(noted: PrometheusHandle) {
    loop {
        tokio::time::sleep(SUMMED_UP).await;
        noted.run_upkeep();
    }
}

/// A histogram's labels: method, route, status.
type Labels = (&'static str, String, u16);

thread_local! {
    /// Those that a worker has noted times in: looking one up in the recorder costs more than the note.
    static SECONDS: RefCell<HashMap<Labels, Histogram>> = RefCell::default();
}

/// Clients may make up methods; each as a label would stay for ever.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        _ => "OTHER",
    }
}

fn note(labels: &Labels, elapsed: Duration) {
    SECONDS.with_borrow_mut(|seconds| {
        if let Some(histogram) = seconds.get(labels) {
            return histogram.record(elapsed);
        }
        let (method, route, status) = labels.clone();
        let histogram = ::metrics::histogram!(
            "ddc_http_request_seconds", "method" => method, "route" => route, "status" => status.to_string()
        );
        histogram.record(elapsed);
        seconds.insert(labels.clone(), histogram);
    });
}

/// Counts requests and their time, by route.
///
/// # Errors
/// Those of the service within.
pub(super) async fn measure(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let response = next.call(request).await?;
    let method = known(response.request().method());
    let route = response.request().match_pattern().unwrap_or_else(|| "unknown".to_owned());
    let elapsed = started.elapsed();
    let labels = (method, route, response.status().as_u16());
    note(&labels, elapsed);
    let (method, route, status) = labels;
    tracing::info!(
        request_id = super::request_id::current(),
        method,
        route,
        status,
        elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    Ok(response)
}
