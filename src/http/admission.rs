//! How much a node takes on at once. What is beyond waits a moment for a place and is then refused (503 with Retry-After): a
//! queue without an end makes everybody late, and what works beside the requests waits in it too. Refused without that
//! moment, those who ask again at once would have the node do nothing but refuse.
//!
//! A place goes to whoever has come last: those who have waited longest are the likeliest to have given up, and a node that
//! serves them in their order serves nobody in time.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::{
    Error, HttpMessage, HttpRequest, ResponseError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

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
    places: Arc<Places>,
    large_bodies: Arc<Semaphore>,
}

impl Default for Admission {
    fn default() -> Self {
        Self { places: Arc::new(Places::of(PLACES)), large_bodies: Arc::new(Semaphore::new(LARGE_BODIES)) }
    }
}

/// The places, and who waits for one.
struct Places(Mutex<State>);

struct State {
    free: usize,
    /// The last one came last. Some have given up.
    waiting: Vec<oneshot::Sender<Place>>,
    /// When there are so many, those who have given up are taken out.
    many: usize,
}

/// A request's place; free again when its answer begins.
struct Place(Arc<Places>);

impl Places {
    fn of(count: usize) -> Self {
        Self(Mutex::new(State { free: count, waiting: Vec::new(), many: 2 * PLACES }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, or one that is to come.
    fn take(self: &Arc<Self>) -> Result<Place, oneshot::Receiver<Place>> {
        let mut state = self.state();
        if state.free > 0 {
            state.free -= 1;
            return Ok(Place(Arc::clone(self)));
        }
        if state.waiting.len() >= state.many {
            state.waiting.retain(|waiting| !waiting.is_closed());
            state.many = 2 * state.waiting.len().max(PLACES);
        }
        let (sender, coming) = oneshot::channel();
        state.waiting.push(sender);
        Err(coming)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.0.state();
        let next = std::iter::from_fn(|| state.waiting.pop()).find(|waiting| !waiting.is_closed());
        let Some(next) = next else {
            state.free += 1;
            return;
        };
        drop(state);
        // Should that one give up at this moment, its place is dropped, and so goes on to the one after it.
        let _ = next.send(Self(Arc::clone(&self.0)));
    }
}

/// Room for a large body; free again with the place.
struct Room(#[expect(dead_code, reason = "held, never read")] OwnedSemaphorePermit);

impl Admission {
    /// How many requests are being worked on.
    #[must_use]
    pub fn taken(&self) -> usize {
        PLACES.saturating_sub(self.places.state().free)
    }

    async fn enter(&self, request: &HttpRequest) -> Result<(), Problem> {
        let place = match self.places.take() {
            Ok(place) => place,
            Err(coming) => tokio::time::timeout(WAITS, coming).await.map_err(|_| busy())?.map_err(Problem::fault)?,
        };
        request.extensions_mut().insert(place);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_place_goes_to_whoever_came_last_and_has_not_given_up() {
        let places = Arc::new(Places::of(1));
        let first = places.take().unwrap_or_else(|_| panic!("there is one"));
        let [mut earlier, later, gone] = [(), (), ()].map(|()| places.take().err().unwrap());
        drop(gone);
        drop(first);
        let second = later.await.unwrap();
        assert!(earlier.try_recv().is_err(), "there is only one");
        drop(second);
        drop(earlier.await.unwrap());
        assert_eq!(places.state().free, 1);
    }

    #[tokio::test]
    async fn a_place_that_comes_too_late_is_not_lost() {
        let places = Arc::new(Places::of(1));
        let first = places.take().unwrap_or_else(|_| panic!("there is one"));
        let coming = places.take().err().unwrap();
        drop(first);
        assert_eq!(places.state().free, 0, "it is on its way");
        drop(coming);
        assert_eq!(places.state().free, 1);
    }

    #[test]
    fn those_who_have_given_up_are_not_kept() {
        let places = Arc::new(Places::of(0));
        for _ in 0..100 * PLACES {
            drop(places.take());
        }
        assert!(places.state().waiting.len() <= 2 * PLACES);
    }
}
