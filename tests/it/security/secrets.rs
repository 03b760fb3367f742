//! What a node says about itself holds no secret, however much it is asked to say.

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{database, until};

const SECRET_KEY: &str = "sEcReT-kEy-of-the-log-test-01";
const MASTER_KEY: &str = "mAsTeR-kEy-of-the-log-test-02";
const EMAIL: &str = "ann@ddc.test";
const FIRST: &str = "fIrSt-PaSsWoRd-03";
const SECOND: &str = "sEcOnD-PaSsWoRd-04";
const WRONG: &str = "wRoNg-PaSsWoRd-05";
const INVITED: &str = "iNvItEd-PaSsWoRd-06";
const BODY: &str = "sEcReT-bOdY-07";

/// A server that ends with its test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What is asked, and all that came back that nobody else may know.
struct Asker {
    http: reqwest::Client,
    address: String,
    secrets: Vec<String>,
}

impl Asker {
    async fn ask(&self, method: Method, path: &str, token: Option<&str>, body: Value) -> (StatusCode, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.address)).json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token).header("idempotency-key", "a key");
        }
        let answer = request.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap_or_default())
    }

    async fn login(&mut self, email: &str, password: &str) -> (String, String) {
        let (_, pair) =
            self.ask(Method::POST, "/api/auth/login/", None, json!({"email": email, "password": password})).await;
        self.keep(&pair)
    }

    fn keep(&mut self, pair: &Value) -> (String, String) {
        let [access, refresh] = ["access", "refresh"].map(|name| pair[name].as_str().unwrap().to_owned());
        self.secrets.extend([access.clone(), refresh.clone()]);
        (access, refresh)
    }
}

/// The token of the newest mail in the outbox that has one and is to this address.
async fn mailed(outbox: &std::path::Path, to: &str) -> String {
    until("the mail is there", async || {
        let files = fs::read_dir(outbox).ok()?.flatten().filter_map(|file| fs::read_to_string(file.path()).ok());
        let mail = files.filter(|mail| mail.contains(&format!("To: {to}"))).find(|mail| mail.contains("token="))?;
        Some(mail.split_once("token=")?.1.split_whitespace().next()?.to_owned())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_log_holds_no_secret_however_much_is_logged() {
    let folder = ddc::embedded::TemporaryFolder::new().unwrap();
    let (log, home) = (folder.path().join("log"), folder.path().join("home"));
    let database_url = database().await;
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let stream = reqwest::Url::parse(&database_url).unwrap().path().trim_start_matches('/').to_uppercase();
    let command = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ddc"));
        command.args(arguments).env("DATABASE_URL", &database_url).env("DDC_STREAM", &stream).env("DDC_DATA", &home);
        command.env("SECRET_KEY", SECRET_KEY).env("DDC_MASTER_KEY", MASTER_KEY);
        command.env("DDC_LISTEN", format!("127.0.0.1:{port}")).env("DDC_LOG", "json").env("RUST_LOG", "trace");
        command.stdout(Stdio::null()).stderr(fs::OpenOptions::new().create(true).append(true).open(&log).unwrap());
        command
    };
    assert!(command(&["create_admin", "--email", EMAIL, "--password", FIRST]).status().unwrap().success());
    let _server = Server(command(&["serve"]).spawn().unwrap());
    let http = reqwest::Client::new();
    let mut asker = Asker { http, address: format!("http://127.0.0.1:{port}"), secrets: Vec::new() };
    until("the server serves", async || {
        asker.http.get(format!("{}/health/ready/", asker.address)).send().await.ok().filter(|told| told.status() == 200)
    })
    .await;

    let (access, refresh) = asker.login(EMAIL, FIRST).await;
    asker.ask(Method::POST, "/api/auth/login/", None, json!({"email": EMAIL, "password": WRONG})).await;
    asker.ask(Method::POST, "/api/auth/login/", None, json!({"email": EMAIL, "password": WRONG, "more": BODY})).await;
    asker.ask(Method::POST, "/api/auth/login/", None, json!([EMAIL, WRONG])).await;
    let (_, pair) = asker.ask(Method::POST, "/api/auth/token/refresh/", None, json!({"refresh": refresh})).await;
    asker.keep(&pair);
    asker.ask(Method::POST, "/api/auth/token/refresh/", None, json!({"refresh": refresh})).await;
    let token = Some(access.as_str());
    for (method, path) in
        [(Method::GET, "/api/auth/me/"), (Method::POST, "/nowhere/"), (Method::GET, "/api/auth/login/")]
    {
        asker.ask(method, path, token, json!({"password": WRONG})).await;
    }
    asker.ask(Method::GET, "/api/auth/me/", Some(&format!("{access}x")), Value::Null).await;
    // An invitation, whose answer is kept under its key; a reset; a change.
    let invited = json!({"email": "bob@ddc.test", "role": "CONSULTANT", "profile": {"address": BODY}});
    let (status, _) = asker.ask(Method::POST, "/api/accounts/users/", token, invited).await;
    assert_eq!(status, 201);
    let outbox = home.join("outbox");
    let invitation = mailed(&outbox, "bob@ddc.test").await;
    let set = json!({"token": invitation, "password": INVITED});
    assert_eq!(asker.ask(Method::POST, "/api/auth/set-password/", None, set.clone()).await.0, 204);
    assert_eq!(asker.ask(Method::POST, "/api/auth/set-password/", None, set).await.0, 422);
    asker.ask(Method::POST, "/api/auth/password-reset/", None, json!({"email": EMAIL})).await;
    let reset = mailed(&outbox, EMAIL).await;
    let set = json!({"token": reset, "password": SECOND});
    assert_eq!(asker.ask(Method::POST, "/api/auth/password-reset/confirm/", None, set).await.0, 204);
    asker.secrets.extend([invitation, reset]);
    let (access, _) = asker.login(EMAIL, SECOND).await;
    let change = json!({"old_password": SECOND, "new_password": FIRST});
    assert_eq!(asker.ask(Method::POST, "/api/auth/change-password/", Some(&access), change).await.0, 204);

    let mut secrets = asker.secrets.clone();
    secrets.extend([SECRET_KEY, MASTER_KEY, FIRST, SECOND, WRONG, INVITED, BODY].map(str::to_owned));
    secrets.extend(reqwest::Url::parse(&database_url).unwrap().password().map(str::to_owned));
    let said = fs::read_to_string(&log).unwrap();
    // It did say something of these requests.
    assert!(said.contains("\"route\":\"/api/auth/login/\"") && said.contains("TRACE"), "{}", said.len());
    let told: Vec<&str> =
        said.lines().filter(|line| secrets.iter().any(|secret| line.contains(secret.as_str()))).collect();
    let shown: Vec<String> = told.iter().take(5).map(|line| line.chars().take(600).collect()).collect();
    assert!(told.is_empty(), "{} lines tell a secret:\n{}", told.len(), shown.join("\n"));
    let metrics = asker.http.get(format!("{}/metrics/", asker.address)).send().await.unwrap().text().await.unwrap();
    assert!(!secrets.iter().any(|secret| metrics.contains(secret.as_str())));
}
