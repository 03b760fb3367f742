//! The edge: routes by context, and the one place each for authentication, permissions, problems, pages and
//! idempotency.

pub mod activity;
pub mod admission;
pub mod body;
pub mod call;
pub mod connections;
mod emails;
mod engagement;
mod health;
pub mod idempotency;
mod identity;
mod library;
mod methods;
mod notifications;
mod oversight;
mod pace;
pub mod pages;
pub mod params;
pub mod permission;
pub mod problem;
mod query;
mod readers;
mod reference;
mod request_id;
pub mod upload;

use std::time::Duration;

use actix_cors::Cors;
use actix_web::{
    App as Service, HttpRequest, HttpResponse, HttpServer,
    dev::{Server, ServiceResponse},
    http::{StatusCode, header},
    middleware::{
        Compress, DefaultHeaders, ErrorHandlerResponse, ErrorHandlers, NormalizePath, TrailingSlash, from_fn,
    },
    web,
};
use anyhow::{Context, Result};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_actix_web::{AppExt, service_config::ServiceConfig};
use utoipa_swagger_ui::SwaggerUi;

use crate::{app::App, node_roles::NodeRole};
use methods::Methods;
use problem::Problem;
use readers::Readers;

/// A request's head must have come within this.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

#[derive(OpenApi)]
#[openapi(
    info(title = "DDC", description = "Diagnose, price, propose and deliver operational change."),
    modifiers(&Bearer),
    security(("bearer" = []))
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        document
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The routes of every context.
fn routes(config: &mut ServiceConfig<'_>) {
    health::routes(config);
    identity::routes(config);
    oversight::routes(config);
    engagement::routes(config);
    reference::routes(config);
    library::routes(config);
    notifications::routes(config);
    emails::routes(config);
}

/// The OpenAPI document of what is served.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, document) =
        Service::new().into_utoipa_app().openapi(Document::openapi()).configure(routes).split_for_parts();
    document
}

async fn no_such_route(request: HttpRequest) -> Result<HttpResponse, Problem> {
    if request.resource_map().has_resource(request.path()) {
        let detail = "this resource has no such method";
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", detail));
    }
    Err(Problem::not_found())
}

fn allow(request: &HttpRequest) -> Option<header::HeaderValue> {
    Some(request.app_data::<web::Data<Methods>>()?.allow(request.path(), request.method()))
}

/// Answers that were not made as problems (actix' own 4xx) become such.
fn as_problem<B: 'static>(mut response: ServiceResponse<B>) -> actix_web::Result<ErrorHandlerResponse<B>> {
    let status = response.status();
    let allow = (status == StatusCode::METHOD_NOT_ALLOWED).then(|| allow(response.request())).flatten();
    if let Some(allow) = &allow {
        response.headers_mut().insert(header::ALLOW, allow.clone());
    }
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/problem+json") {
        return Ok(ErrorHandlerResponse::Response(response.map_into_left_body()));
    }
    let detail = status.canonical_reason().unwrap_or("the request cannot be served");
    let code = detail.to_uppercase().replace([' ', '-'], "_");
    let problem = Problem::new(status, &code, detail);
    let mut answer = HttpResponse::build(status);
    answer.content_type("application/problem+json");
    if let Some(allow) = allow {
        answer.insert_header((header::ALLOW, allow));
    }
    let answer = answer.body(problem.body());
    Ok(ErrorHandlerResponse::Response(response.into_response(answer).map_into_right_body()))
}

fn cors(app: &App) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "DELETE"])
        .allowed_headers([
            "authorization",
            "content-type",
            "if-match",
            "idempotency-key",
            "ddc-min-position",
            "x-request-id",
        ])
        .expose_headers(["etag", "ddc-position", "x-request-id", "retry-after"])
        .max_age(3600);
    app.config.http.cors_allowed_origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// Serves on the configured address, or on a given listener.
///
/// # Errors
/// When the address is taken.
pub fn serve(app: web::Data<App>, listener: std::net::TcpListener) -> Result<Server> {
    let metrics = health::recorder()?;
    tokio::spawn(health::sum_up(metrics.clone()));
    // A node that does other work still tells how it is.
    let serves_api = app.config.roles.has(NodeRole::Api);
    let server = HttpServer::new(move || {
        let (service, document) = Service::new()
            .into_utoipa_app()
            .openapi(Document::openapi())
            .map(|service| {
                service
                    .app_data(app.clone())
                    .app_data(Readers::new(&app.tenant.pool))
                    .app_data(web::Data::new(metrics.clone()))
                    .wrap(Compress::default())
                    .wrap(ErrorHandlers::new().default_handler_client(as_problem).default_handler_server(as_problem))
                    .wrap(from_fn(health::measure))
                    .wrap(from_fn(activity::middleware))
                    .wrap(from_fn(admission::middleware))
                    // Around the refusals too: a browser shows its page no answer without these headers.
                    .wrap(cors(&app))
                    .wrap(
                        DefaultHeaders::new()
                            .add(("X-Content-Type-Options", "nosniff"))
                            .add(("X-Frame-Options", "DENY"))
                            .add(("Referrer-Policy", "no-referrer")),
                    )
                    .wrap(from_fn(request_id::middleware))
                    .wrap(from_fn(connections::middleware))
                    .wrap(NormalizePath::new(TrailingSlash::Always))
            })
            .configure(if serves_api { routes } else { health::routes })
            .split_for_parts();
        service
            .app_data(web::Data::new(Methods::of(&document)))
            // Every path has been given its slash; the files' names have none. The page's links are beside it.
            .service(SwaggerUi::new("/docs/{_:.+}/").url("/openapi.json/", document.clone()))
            .route("/docs/", web::get().to(|| async { web::Redirect::to("/docs/index.html") }))
            .default_service(web::to(no_such_route))
    })
    .on_connect(connections::watch)
    // An answer that is written in two parts is not to wait for the caller's acknowledgement of the first.
    .tcp_nodelay(true)
    .max_connections(connections::per_worker())
    // Who has gone away no longer waits for a place; what has got one is brought to its end all the same.
    .h1_allow_half_closed(false)
    .client_request_timeout(HEAD_WITHIN)
    .shutdown_timeout(20)
    .disable_signals()
    .listen(listener)
    .context("the listener cannot be used")?
    .run();
    Ok(server)
}
