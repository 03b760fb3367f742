//! Who asked for what, and what it took (spec 19): noted after each request, written beside them in batches.
//!
//! A request never waits for it. What is noted while the database is away or too slow is kept up to a bound; beyond, and
//! when the database does not take a batch, it is dropped and counted (`ddc_http_activities_dropped_total`). Neither bodies nor
//! queries nor headers are noted, except the user agent.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header,
    middleware::Next,
    web,
};
use chrono::{DateTime, Utc};
use kernel::UserId;
use sqlx::PgPool;
use tokio::sync::watch;

use super::{call, request_id};
use crate::{app::App, journal::ExecuteError};

/// What is kept at the most until it is written.
const BOUND: usize = 10_000;

/// A batch that takes longer is tried again: neither a stop of the node nor its next batch waits for a dead connection.
const WITHIN: Duration = Duration::from_secs(5);

/// It is written so often …
const EVERY: Duration = Duration::from_secs(1);
/// … or when so much has been noted.
const MANY: usize = 1_000;

/// Longer paths and user agents are cut.
const LONGEST: usize = 500;

/// Probes and the documentation: they are nobody's activity.
const UNNOTED: [&str; 4] = ["/health/", "/metrics/", "/docs/", "/openapi.json/"];

/// A request and its answer.
#[derive(Debug, Clone)]
struct Activity {
    method: String,
    path: String,
    route: Option<String>,
    status_code: i16,
    latency_us: i64,
    ip: Option<String>,
    user_id: Option<i64>,
    request_id: String,
    user_agent: Option<String>,
    created_at: DateTime<Utc>,
}

/// What was noted and is not written yet.
#[derive(Default)]
pub struct Activities {
    noted: Mutex<Vec<Activity>>,
    many: tokio::sync::Notify,
    /// One batch is written at a time, so that whoever waits for it knows that the one before is there too. Whoever gives
    /// up in the middle leaves it to the next.
    batch: tokio::sync::Mutex<Vec<Activity>>,
}

impl Activities {
    fn note(&self, activity: Activity) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < BOUND {
            noted.push(activity);
            if noted.len() == MANY {
                self.many.notify_one();
            }
        } else {
            drop(noted);
            dropped(1);
        }
    }

    /// Writes what has been noted by now.
    pub async fn write(&self, pool: &PgPool) {
        let mut batch = self.batch.lock().await;
        batch.append(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner));
        // What could not be written the last time counts too.
        let beyond = batch.len().saturating_sub(BOUND);
        if beyond > 0 {
            batch.truncate(BOUND);
            dropped(beyond);
        }
        if batch.is_empty() {
            return;
        }
        let late = || ExecuteError::Unavailable("the database takes too long".to_owned());
        let written = tokio::time::timeout(WITHIN, insert(pool, &batch)).await;
        match written.map_or_else(|_| Err(late()), |written| written.map_err(ExecuteError::from)) {
            Ok(()) => batch.clear(),
            Err(ExecuteError::Unavailable(error)) => {
                tracing::warn!(error, kept = batch.len(), "the activities of requests cannot be written yet");
            }
            Err(error) => {
                tracing::warn!(%error, dropped = batch.len(), "the activities of requests cannot be written");
                dropped(batch.len());
                batch.clear();
            }
        }
    }

    /// Writes again and again until the node stops, and then what is left.
    pub async fn run(app: web::Data<App>, mut stop: watch::Receiver<bool>) {
        let mut stopped = false;
        while !stopped {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = app.activities.many.notified() => {}
                _ = stop.wait_for(|stop| *stop) => stopped = true,
            }
            app.activities.write(&app.tenant.pool).await;
        }
    }
}

fn dropped(count: usize) {
    metrics::counter!("ddc_http_activities_dropped_total").increment(u64::try_from(count).unwrap_or(u64::MAX));
}

async fn insert(pool: &PgPool, batch: &[Activity]) -> Result<(), sqlx::Error> {
    fn column<'a, T>(batch: &'a [Activity], of: impl Fn(&'a Activity) -> T) -> Vec<T> {
        batch.iter().map(of).collect()
    }
    sqlx::query(
        "INSERT INTO http_activities (method, path, route, status_code, latency_us, ip, user_id, request_id, user_agent,
                                      created_at)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::bigint[], $6::text[], $7::bigint[],
                              $8::text[], $9::text[], $10::timestamptz[])",
    )
    .bind(column(batch, |activity| activity.method.as_str()))
    .bind(column(batch, |activity| activity.path.as_str()))
    .bind(column(batch, |activity| activity.route.as_deref()))
    .bind(column(batch, |activity| activity.status_code))
    .bind(column(batch, |activity| activity.latency_us))
    .bind(column(batch, |activity| activity.ip.as_deref()))
    .bind(column(batch, |activity| activity.user_id))
    .bind(column(batch, |activity| activity.request_id.as_str()))
    .bind(column(batch, |activity| activity.user_agent.as_deref()))
    .bind(column(batch, |activity| activity.created_at))
    .execute(pool)
    .await?;
    Ok(())
}

/// A text as the database takes it.
fn sound(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// Notes a request when its answer begins.
///
/// # Errors
/// Those of the service within.
pub(super) async fn middleware(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let (started, created_at) = (Instant::now(), Utc::now());
    let response = next.call(request).await?;
    let request = response.request();
    let app = request.app_data::<web::Data<App>>();
    if let Some(app) = app.filter(|_| !UNNOTED.iter().any(|path| request.path().starts_with(path))) {
        let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        app.activities.note(Activity {
            method: sound(request.method().as_str()),
            path: sound(request.path()),
            route: request.match_pattern(),
            status_code: i16::try_from(response.status().as_u16()).unwrap_or_default(),
            latency_us: i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX),
            ip: call::address(app, request),
            user_id: request.extensions().get::<UserId>().map(|user| user.get()),
            request_id: request_id::of(request),
            user_agent: user_agent.map(sound),
            created_at,
        });
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activity() -> Activity {
        Activity {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            route: None,
            status_code: 200,
            latency_us: 1,
            ip: None,
            user_id: None,
            request_id: String::new(),
            user_agent: None,
            created_at: Utc::now(),
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let activities = Activities::default();
        for _ in 0..BOUND + 5 {
            activities.note(activity());
        }
        assert_eq!(activities.noted.lock().unwrap().len(), BOUND);
    }

    #[test]
    fn a_path_is_cut_and_stripped_of_what_the_database_refuses() {
        assert_eq!(sound("/a\0b\n"), "/ab");
        assert_eq!(sound(&"x".repeat(LONGEST + 1)).len(), LONGEST);
    }
}
