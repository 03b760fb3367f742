//! Who asked for what, and what it took (spec 19): noted after each request, written beside them in batches.
//!
//! A request never waits for it. What is noted while the database is away or too slow is kept up to a bound; beyond, and
//! when the database does not take a batch, it is dropped and counted (`ddc_http_activities_dropped_total`). Neither bodies nor
//! queries nor headers are noted, except the user agent.

use std::{
    borrow::Cow,
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
use chrono::Utc;
use kernel::UserId;
use runtime::copy_in::CopyIn;
use sqlx::PgPool;
use tokio::{sync::watch, time::timeout};

use super::{call, request_id};
use crate::{app::App, journal::ExecuteError};

/// What is kept at the most until it is written, beside the batch that is being written.
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

/// What is written of a request and its answer.
const COLUMNS: &str = "method, path, route, status_code, latency_us, ip, user_id, request_id, user_agent, created_at";

/// What was noted and is not written yet.
#[derive(Default)]
pub struct Activities {
    noted: Mutex<CopyIn>,
    many: tokio::sync::Notify,
    /// One batch is written at a time, so that whoever waits for it knows that the one before is there too. Whoever gives
    /// up in the middle leaves it to the next.
    batch: tokio::sync::Mutex<CopyIn>,
}

impl Activities {
    /// Adds a row, unless there are too many already.
    fn note(&self, write: impl FnOnce(&mut CopyIn)) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.rows() < BOUND {
            write(&mut noted);
            if noted.rows() == MANY {
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
        // What could not be written the last time, and then what has come since.
        for _ in 0..2 {
            if batch.rows() == 0 {
                std::mem::swap(&mut *batch, &mut self.noted.lock().unwrap_or_else(PoisonError::into_inner));
            }
            if batch.rows() == 0 {
                return;
            }
            match insert(pool, &batch).await {
                Ok(()) => batch.clear(),
                Err(ExecuteError::Unavailable(error)) => {
                    tracing::warn!(error, kept = batch.rows(), "the activities of requests cannot be written yet");
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, dropped = batch.rows(), "the activities of requests cannot be written");
                    dropped(batch.rows());
                    batch.clear();
                }
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

async fn insert(pool: &PgPool, batch: &CopyIn) -> Result<(), ExecuteError> {
    let late = |_| ExecuteError::Unavailable("the database takes too long".to_owned());
    let mut connection = timeout(WITHIN, pool.acquire()).await.map_err(late)??;
    let sent = timeout(WITHIN, batch.send(&mut connection, "http_activities", COLUMNS)).await;
    if sent.is_err() {
        // In the middle of a copy it is of no use to anybody.
        drop(connection.detach());
    }
    Ok(sent.map_err(late)??)
}

/// A text as the database takes it.
fn sound(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| !c.is_control()).take(LONGEST).collect())
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
        let (ip, user) = (call::address(app, request), request.extensions().get::<UserId>().map(|user| user.get()));
        let latency = i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX);
        let (route, request_id) = (request.match_pattern(), request_id::of(request));
        app.activities.note(|rows| {
            rows.row(10)
                .text(&sound(request.method().as_str()))
                .text(&sound(request.path()))
                .text_or_null(route.as_deref())
                .smallint(i16::try_from(response.status().as_u16()).unwrap_or_default())
                .bigint(latency)
                .text_or_null(ip.as_deref())
                .bigint_or_null(user)
                .text(&request_id)
                .text_or_null(user_agent.map(sound).as_deref())
                .time(created_at);
        });
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded() {
        let activities = Activities::default();
        for _ in 0..BOUND + 5 {
            activities.note(|rows| {
                rows.row(0);
            });
        }
        assert_eq!(activities.noted.lock().unwrap().rows(), BOUND);
    }

    #[test]
    fn a_path_is_cut_and_stripped_of_what_the_database_refuses() {
        assert_eq!(sound("/a\0b\n"), "/ab");
        assert_eq!(sound(&"x".repeat(LONGEST + 1)).len(), LONGEST);
    }
}
