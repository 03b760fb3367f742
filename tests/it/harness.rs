//! A whole node in this process, on a database of its own, spoken to over HTTP. One PostgreSQL and one NATS serve all
//! tests of a run: `make test` starts them.

use std::{
    io::Write,
    net::TcpListener,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use actix_web::web::Data;
use ddc::{
    app::{App, Build, Work},
    backing::Backing,
    config::Config,
    http,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};

pub(crate) const ADMIN: &str = "admin@ddc.test";
pub(crate) const PASSWORD: &str = "a long enough password";

/// The position that an answer has at least to show.
const MIN_POSITION: &str = "ddc-min-position";

/// How often a read model that is behind is asked; each time it has two seconds.
const ASKED: usize = 10;

/// A node that has not stopped by then is left behind: one test must not hang all others.
const STOPS_WITHIN: Duration = Duration::from_secs(15);

/// A running node.
pub(crate) struct Node {
    pub(crate) address: String,
    pub(crate) app: Data<App>,
    pub(crate) database_url: String,
    /// The test's own.
    pool: sqlx::PgPool,
    client: reqwest::Client,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    _data: ddc::embedded::TemporaryFolder,
}

/// Waits for something to become so, looking again and again; a bound keeps a broken test from hanging.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests by `make test`"))
}

/// A new, empty database beside the one of DATABASE_URL, named after this process and a counter.
pub(crate) async fn database() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let name = format!("t_{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
    let url = variable("DATABASE_URL");
    let mut connection = PgConnection::connect(&url).await.unwrap();
    connection.execute(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)").as_str()).await.unwrap();
    connection.execute(format!("CREATE DATABASE {name}").as_str()).await.unwrap();
    connection.close().await.unwrap();
    let mut url = reqwest::Url::parse(&url).unwrap();
    url.set_path(&name);
    url.into()
}

// A test has a runtime of two threads, so that connections of the node that it has used itself are tended while it does
// nothing but wait for the node's end.
impl Node {
    /// A node with nothing in it but the ADMIN of [`ADMIN`] and [`PASSWORD`].
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// As [`Node::start`], with these variables set.
    pub(crate) async fn start_with(variables: &[(&str, &str)]) -> Self {
        let database_url = database().await;
        let node = Self::start_on(&database_url, variables).await;
        node.register_admin().await;
        node
    }

    /// A node on an existing database.
    pub(crate) async fn start_on(database_url: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_as(Build::this(), database_url, variables).await
    }

    /// A node of another build on an existing database.
    pub(crate) async fn start_as(build: Build, database_url: &str, variables: &[(&str, &str)]) -> Self {
        let data = ddc::embedded::TemporaryFolder::new().unwrap();
        // One stream a database: the servers of other tests share the broker.
        let stream = reqwest::Url::parse(database_url).unwrap().path().trim_start_matches('/').to_uppercase();
        let mut given: Vec<(String, String)> = [
            ("DATABASE_URL", database_url),
            ("NATS_URL", &variable("NATS_URL")),
            ("DDC_STREAM", &stream),
            ("DDC_DATA", data.path().to_str().unwrap()),
            ("SECRET_KEY", "a secret key for the tests only"),
            ("DDC_MASTER_KEY", "a master key for the tests only"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        given.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let lookup = |name: &str| given.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let config = Config::from_lookup(&lookup).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (started, ready) = tokio::sync::oneshot::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let backing = Backing::for_serving(&config).unwrap();
                let app = Data::new(App::open_as(build, config, &backing).await.unwrap());
                let work = Work::start(&app).unwrap();
                let server = http::serve(app.clone(), listener).unwrap();
                let handle = server.handle();
                let serving = tokio::spawn(server);
                let _ = started.send(app);
                let _ = stopped.await;
                handle.stop(true).await;
                work.stop().await;
                // As `ddc serve` does: the server's future may stay pending although all its workers have ended.
                serving.abort();
            });
        });
        Self {
            address,
            app: ready.await.expect("the node did not start"),
            database_url: database_url.to_owned(),
            pool: sqlx::postgres::PgPoolOptions::new().max_connections(2).connect_lazy(database_url).unwrap(),
            // A connection each: a test that waits for another node to stop does not see that one of its own was closed.
            client: reqwest::Client::builder()
                .timeout(Duration::from_secs(60))
                .pool_max_idle_per_host(0)
                .build()
                .unwrap(),
            stop: Some(stop),
            thread: Some(thread),
            _data: data,
        }
    }

    pub(crate) async fn register_admin(&self) {
        use ddc::{
            auth::{EMAIL_SCOPE, Password},
            journal::{ExecuteError, Issuer, Refused},
        };
        use identity::user::{NewUser, User, UserCommand, UserProfile};
        let journal = &self.app.tenant.journal;
        let id: kernel::UserId = journal.ids().next().await.unwrap();
        let hash = Password::try_from(PASSWORD.to_owned()).unwrap().hash().await.unwrap();
        hash.save(&self.app.tenant.pool, id).await.unwrap();
        let issuer = Issuer::system("user.register");
        journal
            .execute::<_, ExecuteError>(&issuer, async |unit| {
                let email = kernel::Email::new(ADMIN).unwrap();
                unit.claim(EMAIL_SCOPE, &email, id, || Refused::not_found("user")).await?;
                let user = NewUser {
                    id,
                    email,
                    role: kernel::Role::Admin,
                    company_name: None,
                    parent: None,
                    industry_type: None,
                    profile: UserProfile::default(),
                    must_set_password: false,
                };
                unit.decide::<User, _>(id, UserCommand::Register(user)).await
            })
            .await
            .unwrap();
    }

    /// Signs in.
    pub(crate) async fn login(&self, email: &str, password: &str) -> Session<'_> {
        let answer = self.anonymous().post("/api/auth/login/", json!({"email": email, "password": password})).await;
        assert_eq!(answer.status, StatusCode::OK, "{email} cannot sign in: {}", answer.body);
        Session { node: self, token: answer.body["access"].as_str().map(str::to_owned) }
    }

    pub(crate) async fn admin(&self) -> Session<'_> {
        self.login(ADMIN, PASSWORD).await
    }

    /// Nobody in particular.
    pub(crate) fn anonymous(&self) -> Session<'_> {
        Session { node: self, token: None }
    }

    /// How many events of this type there are.
    pub(crate) async fn count(&self, event_type: &str) -> i64 {
        let query = sqlx::query_scalar("SELECT count(*) FROM events WHERE event_type = $1").bind(event_type);
        query.fetch_one(&self.app.tenant.pool).await.unwrap()
    }

    /// Waits until there are so many events of this type.
    pub(crate) async fn recorded(&self, event_type: &str, times: i64) {
        let mut head = self.app.tenant.journal.head();
        while self.count(event_type).await < times {
            let news = tokio::time::timeout(Duration::from_secs(20), head.changed()).await;
            news.unwrap_or_else(|_| panic!("there is no {event_type} number {times}")).unwrap();
        }
    }

    /// Proves that every read model equals one that is rebuilt from zero, and that nothing is parked.
    pub(crate) async fn prove_projections(&self) {
        let tenant = &self.app.tenant;
        let head = ddc_head(&self.pool).await;
        for projection in tenant.projections.iter() {
            let reached = tenant.progress.wait(&tenant.pool, projection.name(), head, Duration::from_secs(20)).await;
            assert!(reached.is_ok(), "{} does not catch up", projection.name());
            let codec = tenant.journal.codec();
            let report =
                runtime::rebuild::rebuild(&tenant.pool, codec, projection.as_ref(), &mut |_| {}).await.unwrap();
            assert_eq!(report.differing, Some(vec![]), "{} differs from its rebuild", projection.name());
        }
        let parked: Vec<(String, i64, String)> =
            sqlx::query_as("SELECT reader, position, error FROM parked_events").fetch_all(&tenant.pool).await.unwrap();
        assert!(parked.is_empty(), "{parked:?}");
    }
}

async fn ddc_head(pool: &sqlx::PgPool) -> i64 {
    sqlx::query_scalar("SELECT position FROM main.journal_head").fetch_one(pool).await.unwrap()
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let Some(thread) = self.thread.take() else { return };
        let started = Instant::now();
        while !thread.is_finished() && started.elapsed() < STOPS_WITHIN {
            std::thread::sleep(Duration::from_millis(10));
        }
        if !thread.is_finished() {
            let _ =
                writeln!(std::io::stderr(), "a node has not stopped within {STOPS_WITHIN:?}; it ends with the process");
        } else if thread.join().is_err() && !std::thread::panicking() {
            panic!("the node broke down");
        }
    }
}

/// Somebody who sends requests.
#[derive(Clone)]
pub(crate) struct Session<'a> {
    pub(crate) node: &'a Node,
    pub(crate) token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Answer {
    /// The body of an answer that must have this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.body
    }

    /// The answer must be this problem.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{}", self.text);
        self.body
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Session<'_> {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    /// A GET that asks for no position: what the caller wrote it shows all the same, what others wrote perhaps later.
    pub(crate) async fn get_own(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &[], Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, &[], Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// A GET shows everything that has been written by now, by whomever and on whichever node, unless `headers` ask for
    /// another position.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut request = self.request(method.clone(), path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        if method != Method::GET || headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(MIN_POSITION)) {
            return answer(request).await;
        }
        let request = request.header(MIN_POSITION, ddc_head(&self.node.pool).await);
        // On a busy machine a read model may take longer than a request waits: then it is to be asked again.
        for _ in 1..ASKED {
            let answer = answer(request.try_clone().unwrap()).await;
            if answer.status != StatusCode::SERVICE_UNAVAILABLE || answer.header("retry-after").is_empty() {
                return answer;
            }
        }
        answer(request).await
    }

    /// A multipart upload of one file under the key `file`.
    pub(crate) async fn upload(&self, path: &str, name: &str, content: impl Into<Vec<u8>>) -> Answer {
        let part = reqwest::multipart::Part::bytes(content.into()).file_name(name.to_owned());
        answer(self.request(Method::POST, path).multipart(reqwest::multipart::Form::new().part("file", part))).await
    }

    /// A request to be made by hand, with the session's token.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.node.client.request(method, format!("{}{path}", self.node.address));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
}
