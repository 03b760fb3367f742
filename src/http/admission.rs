//! How much a node takes on at once. What is beyond waits a moment for a place and is then refused (503 with Retry-After): a
//! queue without an end makes everybody late, and what works beside the requests waits in it too. Refused without that
//! moment, those who ask again at once would have the node do nothing but refuse.

use std::{sync::Arc, time::Duration};

use actix_web::{
    Error, HttpMessage, HttpRequest, ResponseError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{problem::Problem, request_id};
use crate::app::App;

/// So many requests are worked on at once: enough to fill the journal's batches, few enough that the last in the queue
/// is answered within a second or two.
const PLACES: usize = 256;

/// How long a request waits for a place. The queue's other bound is the number of connections: each has one request.
const WAITS: Duration = Duration::from_secs(1);

/// So many large bodies are held at once: with 10 MB each, 160 MB.
const LARGE_BODIES: usize = 16;

/// Those who look after a node are let in however full it is.
const ALWAYS: [&str; 2] = ["/health/", "/metrics/"];

/// The node's places.
#[derive(Clone)]
pub struct Admission {
    places: Arc<Semaphore>,
    large_bodies: Arc<Semaphore>,
}

impl Default for Admission {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), large_bodies: Arc::new(Semaphore::new(LARGE_BODIES)) }
    }
}

/// A request's place; free again when its answer begins.
struct Place(#[expect(dead_code, reason = "held, never read")] OwnedSemaphorePermit);

/// Room for a large body; free again with the place.
struct Room(#[expect(dead_code, reason = "held, never read")] OwnedSemaphorePermit);

impl Admission {
    /// How many requests are being worked on.
    #[must_use]
    pub fn taken(&self) -> usize {
        PLACES.saturating_sub(self.places.available_permits())
    }

    async fn enter(&self, request: &HttpRequest) -> Result<(), Problem> {
        let place = tokio::time::timeout(WAITS, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(|_| busy())?.map_err(Problem::fault)?;
        request.extensions_mut().insert(Place(place));
        Ok(())
    }
}

fn busy() -> Problem {
    metrics::counter!("ddc_http_refused_total").increment(1);
    Problem::busy()
}

fn admission(request: &HttpRequest) -> Result<Admission, Problem> {
    let app = request.app_data::<web::Data<App>>().ok_or_else(|| Problem::fault("no app"))?;
    Ok(app.admission.clone())
}

/// Waits for what the sender has yet to send. Meanwhile the request has no place: slow senders keep nobody out.
///
/// # Errors
/// 503 when all places are taken by then.
pub(super) async fn outside<T>(request: &HttpRequest, sent: impl Future<Output = T>) -> Result<T, Problem> {
    drop(request.extensions_mut().remove::<Place>());
    let sent = sent.await;
    admission(request)?.enter(request).await?;
    Ok(sent)
}

/// Room for a body that is not small.
///
/// # Errors
/// 503 when too many are being held.
pub(super) fn make_room(request: &HttpRequest) -> Result<(), Problem> {
    let room = admission(request)?.large_bodies.try_acquire_owned().map_err(|_| busy())?;
    request.extensions_mut().insert(Room(room));
    Ok(())
}

/// Gives each request a place, or refuses it.
///
/// # Errors
/// Those of the service within.
pub(super) async fn middleware(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let app = request.app_data::<web::Data<App>>().cloned().ok_or_else(|| Problem::fault("no app"))?;
    if !ALWAYS.iter().any(|path| request.path().starts_with(path))
        && let Err(problem) = app.admission.enter(request.request()).await
    {
        return Ok(request.into_response(problem.error_response()).map_into_right_body());
    }
    // In a task of its own: whoever goes away does not leave a command half done.
    let answered = request_id::spawn(&app, async move { next.call(request).await });
    Ok(answered.await.map_err(Problem::fault)??.map_into_left_body())
}
