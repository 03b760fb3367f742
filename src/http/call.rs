//! A signed-in caller's request, and the one path on which it becomes a command. For queries see [`super::query`].

use std::{future::Future, pin::Pin, rc::Rc, time::Duration};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, dev::Payload, http::StatusCode, http::header, web,
};
use chrono::{SubsecRound, Utc};
use kernel::{Actor, Resource, Role, UserId};
use serde::Serialize;

use super::{body::Digest, idempotency, permission::Permission, problem::Problem, readers::Readers, request_id};
use crate::{
    app::App,
    journal::{Answer, Committed, ExecuteError, Issuer, StoredAnswer, Unit},
    tenant::Tenant,
};

/// How long a query waits for its read model.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// How often the journal is looked at for a position that it does not have yet.
const LOOK: Duration = Duration::from_millis(20);

/// A request of a signed-in user.
#[derive(Clone)]
pub struct Call(Rc<Inner>);

struct Inner {
    app: web::Data<App>,
    readers: Readers,
    request: HttpRequest,
    user: UserId,
    role: Role,
    /// `DDC-Min-Position`: nothing older is to be shown.
    min_position: Option<i64>,
}

/// What a command answers.
pub struct Reply {
    status: StatusCode,
    body: String,
    version: Option<i64>,
}

impl Reply {
    /// Any body.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self { status, body: serde_json::to_string(body).map_err(Problem::fault)?, version: None })
    }

    /// A resource as this unit leaves it, with its ETag.
    ///
    /// # Errors
    /// 404 when it is not there.
    pub async fn resource<A: Resource + 'static>(
        status: StatusCode,
        unit: &mut Unit<'_>,
        id: impl ToString,
    ) -> Result<Self, Problem> {
        let id = id.to_string();
        let view = unit.view::<A>(&id).await?.ok_or_else(Problem::not_found)?;
        Ok(Self { version: Some(unit.version::<A>(&id).await?), ..Self::json(status, &view)? })
    }

    /// 204.
    #[must_use]
    pub fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: String::new(), version: None }
    }

    /// With the version that the ETag shows.
    #[must_use]
    pub fn at_version(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }
}

impl FromRequest for Call {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app = request.app_data::<web::Data<App>>().cloned().ok_or_else(|| Problem::fault("no app"))?;
            let readers = request.app_data::<Readers>().cloned().ok_or_else(|| Problem::fault("no readers"))?;
            let (user, role) = app.sessions.authenticate(&app.tenant, bearer(&request)?).await?;
            request.extensions_mut().insert(user);
            let min_position = min_position(&request)?;
            if let Some(position) = min_position {
                follow(&app.tenant, position).await?;
            }
            Ok(Self(Rc::new(Inner { app, readers, request, user, role, min_position })))
        })
    }
}

fn min_position(request: &HttpRequest) -> Result<Option<i64>, Problem> {
    let Some(value) = request.headers().get("ddc-min-position") else { return Ok(None) };
    let position = value.to_str().ok().and_then(|text| text.parse::<i64>().ok());
    position.map(Some).ok_or_else(|| Problem::malformed("DDC-Min-Position must be a position"))
}

/// Waits until the journal has a position, and what this node knows of its streams is no older.
async fn follow(tenant: &Tenant, position: i64) -> Result<(), Problem> {
    let following = async {
        while !tenant.journal.follow(position).await.map_err(ExecuteError::from)? {
            tokio::time::sleep(LOOK).await;
        }
        Ok::<_, ExecuteError>(())
    };
    let followed = tokio::time::timeout(PATIENCE, following).await;
    Ok(followed.map_err(|_| Problem::unavailable("the journal has not reached the position yet"))??)
}

fn bearer(request: &HttpRequest) -> Result<&str, Problem> {
    let value = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        value.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    token.map(|(_, token)| token.trim()).ok_or_else(|| Problem::unauthenticated("a bearer token is required"))
}

/// The caller's address: the peer, or what a trusted proxy says of it.
#[must_use]
pub fn address(app: &App, request: &HttpRequest) -> Option<String> {
    let peer = request.peer_addr()?.ip();
    let forwarded = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
    let trusted = app.config.http.trusted_proxies.contains(&peer);
    let client = forwarded.filter(|_| trusted).and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
    Some(client.unwrap_or(peer).to_string())
}

/// Who commands over this request.
#[must_use]
pub fn issuer(app: &App, request: &HttpRequest, actor: Actor, command: &'static str) -> Issuer {
    let text = |name: header::HeaderName, most: usize| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.map(|value| value.chars().take(most).collect::<String>())
    };
    Issuer {
        actor,
        at: Utc::now().trunc_subsecs(6),
        command,
        correlation_id: request_id::of(request),
        causation: None,
        ip: address(app, request),
        user_agent: text(header::USER_AGENT, 200),
        idempotency: None,
    }
}

impl Call {
    #[must_use]
    pub fn app(&self) -> &App {
        &self.0.app
    }

    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.0.app.tenant
    }

    #[must_use]
    pub fn user(&self) -> UserId {
        self.0.user
    }

    #[must_use]
    pub fn role(&self) -> Role {
        self.0.role
    }

    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::User { id: self.0.user, role: self.0.role }
    }

    /// `DDC-Min-Position`.
    #[must_use]
    pub(super) fn min_position(&self) -> Option<i64> {
        self.0.min_position
    }

    /// The connections of the worker that serves this request.
    #[must_use]
    pub(super) fn readers(&self) -> &Readers {
        &self.0.readers
    }

    #[must_use]
    pub fn request(&self) -> &HttpRequest {
        &self.0.request
    }

    /// 403 unless the caller's role may ever do this.
    ///
    /// # Errors
    /// 403.
    pub fn may(&self, permission: Permission) -> Result<&Self, Problem> {
        if permission.roles().contains(&self.0.role) { Ok(self) } else { Err(Problem::forbidden()) }
    }

    /// The version that the caller saw (`If-Match`).
    ///
    /// # Errors
    /// 400 when the header is no version.
    pub fn seen_version(&self) -> Result<Option<i64>, Problem> {
        let value = self.0.request.headers().get(header::IF_MATCH).and_then(|value| value.to_str().ok());
        match value.map(str::trim) {
            None | Some("*") => Ok(None),
            Some(tag) => {
                let version = tag.trim_start_matches("W/").trim_matches('"').parse();
                version.map(Some).map_err(|_| Problem::malformed("If-Match must be a version, as an ETag shows it"))
            }
        }
    }

    /// Carries out a command. `work` may be called again when another command was faster.
    ///
    /// # Errors
    /// What `work` refuses; 409, 412 or 422 of the idempotency key; 503 when the journal cannot be reached.
    pub async fn command(
        &self,
        name: &'static str,
        mut work: impl AsyncFnMut(&mut Unit<'_>) -> Result<Reply, Problem>,
    ) -> Result<HttpResponse, Problem> {
        let mut issuer = issuer(self.app(), &self.0.request, self.actor(), name);
        let key = idempotency::key(&self.0.request)?;
        let hash = self.0.request.extensions().get::<Digest>().map(|digest| digest.0.clone()).unwrap_or_default();
        let _flight = match &key {
            None => None,
            Some(key) => {
                let flight = self.app().in_flight.take_off(self.user(), key)?;
                issuer.idempotency = Some((self.user(), key.clone(), hash.clone()));
                Some(flight)
            }
        };
        let outcome = self
            .tenant()
            .journal
            .execute(&issuer, async |unit| {
                let outcome = work(unit).await;
                if let Some(actual) = unit.moved_on_to().filter(|_| yields(&outcome)) {
                    return Err(ExecuteError::VersionConflict { actual }.into());
                }
                let reply = outcome?;
                unit.remember(Answer {
                    status: reply.status.as_u16(),
                    body: reply.body.clone(),
                    version: reply.version,
                });
                Ok::<_, CommandError>(reply)
            })
            .await;
        // A key that was used is refused by the append itself. It is looked up only where nothing was appended, so that
        // the many that are new cost nothing.
        match (outcome, key) {
            (Ok(Committed { output, position, appended: true }), _) => Ok(respond(answer_of(&output), position)),
            (Ok(Committed { output, position, appended: false }), key) => {
                let answer = answer_of(&output);
                let replayed = self.replayed_or_kept(key, &hash, &answer, position).await?;
                Ok(replayed.unwrap_or_else(|| respond(answer, position)))
            }
            (Err(CommandError::Execute(ExecuteError::KeyUsed)), Some(key)) => {
                match idempotency::find(self.tenant(), self.user(), &key).await? {
                    Some(stored) => replay(stored, &hash),
                    None => Err(Problem::conflict("IDEMPOTENCY_KEY_IN_FLIGHT", "the key is in use")),
                }
            }
            (Err(error), key) => {
                let problem = Problem::from(error);
                tracing::debug!(command = name, %problem, "refused");
                let key = key.filter(|_| problem.status().is_client_error());
                let answer = Answer { status: problem.status().as_u16(), body: problem.body(), version: None };
                let position = *self.tenant().journal.head().borrow();
                self.replayed_or_kept(key, &hash, &answer, position).await?.ok_or(problem)
            }
        }
    }

    /// For a command that appended nothing: what was answered under its key before; else this answer is kept under it.
    async fn replayed_or_kept(
        &self,
        key: Option<String>,
        hash: &str,
        answer: &Answer,
        position: i64,
    ) -> Result<Option<HttpResponse>, Problem> {
        let Some(key) = key else { return Ok(None) };
        if let Some(stored) = idempotency::find(self.tenant(), self.user(), &key).await? {
            return replay(stored, hash).map(Some);
        }
        idempotency::keep(self.tenant(), self.user(), &key, hash, answer, position).await?;
        Ok(None)
    }
}

/// Why a command over HTTP did not come about.
enum CommandError {
    Problem(Problem),
    Execute(ExecuteError),
}

impl From<Problem> for CommandError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<ExecuteError> for CommandError {
    fn from(error: ExecuteError) -> Self {
        Self::Execute(error)
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Problem(problem) => problem,
            CommandError::Execute(error) => error.into(),
        }
    }
}

/// Whether what was decided matters less than that the caller had seen another version. What he may not see or do he
/// may not do on any version, and then he does not learn which there is.
fn yields(outcome: &Result<Reply, Problem>) -> bool {
    let Err(problem) = outcome else { return true };
    let first = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
    problem.status().is_client_error() && !first.contains(&problem.status())
}

fn answer_of(reply: &Reply) -> Answer {
    Answer { status: reply.status.as_u16(), body: reply.body.clone(), version: reply.version }
}

fn replay(stored: StoredAnswer, hash: &str) -> Result<HttpResponse, Problem> {
    if stored.request_hash != hash {
        return Err(Problem::field(
            "IDEMPOTENCY_KEY_REUSED",
            "Idempotency-Key",
            "the key was used for another request",
        ));
    }
    let status = u16::try_from(stored.status).unwrap_or(500);
    Ok(respond(Answer { status, body: stored.body, version: stored.version }, stored.position))
}

pub(super) fn respond(answer: Answer, position: i64) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.insert_header(("DDC-Position", position.to_string()));
    if let Some(version) = answer.version {
        response.insert_header((header::ETAG, format!("\"{version}\"")));
    }
    if answer.body.is_empty() {
        return response.finish();
    }
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    response.content_type(kind).body(answer.body)
}
