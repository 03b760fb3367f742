//! Every request has an id, the caller's own or a new one; every answer carries it and every event remembers it.

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};
use tokio::{runtime::Handle, task::JoinHandle};
use tokio_util::context::TokioContext;

use crate::app::App;

static HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The request that a task serves.
#[derive(Clone)]
struct Served {
    id: String,
    /// Of the worker that got the request.
    worker: Handle,
}

tokio::task_local! {
    static CURRENT: Served;
}

#[derive(Clone)]
struct RequestId(String);

/// The id of the request that this task serves; empty outside of one.
#[must_use]
pub(super) fn current() -> String {
    CURRENT.try_with(|served| served.id.clone()).unwrap_or_default()
}

/// The id of a request.
#[must_use]
pub(super) fn of(request: &HttpRequest) -> String {
    request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

/// Works for a request in a task of its own: on its worker, under its id, and with the node's runtime for connections.
pub(super) fn spawn<T: 'static>(app: &App, work: impl Future<Output = T> + 'static) -> JoinHandle<T> {
    let served = CURRENT.try_with(Clone::clone);
    let served = served.unwrap_or_else(|_| Served { id: String::new(), worker: Handle::current() });
    let worker = served.worker.clone();
    let _in_worker = worker.enter();
    actix_web::rt::spawn(TokioContext::new(CURRENT.scope(served, work), app.runtime.clone()))
}

/// Gives the request its id and the answer its header.
///
/// # Errors
/// Those of the service within.
pub(super) async fn middleware(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let given = request.headers().get(&HEADER).and_then(|value| value.to_str().ok()).filter(|id| is_sound(id));
    let id = given.map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned);
    request.extensions_mut().insert(RequestId(id.clone()));
    let header = HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static(""));
    CURRENT
        .scope(Served { id, worker: Handle::current() }, async {
            // An error is made into its answer here, where the id is known.
            let mut response = match next.call(request).await {
                Ok(response) => response.map_into_boxed_body(),
                Err(error) => return Err(error),
            };
            response.headers_mut().insert(HEADER.clone(), header);
            Ok(response)
        })
        .await
}

/// An id that may stand in a log and in an event.
fn is_sound(id: &str) -> bool {
    (1..=100).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
}
