//! The server as its users see it: HTTP, JSON, and problem details when it refuses.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, multipart};
use serde_json::{Value, json};

/// How often a read is repeated whose answer has not caught up with what was written.
const ATTEMPTS: u32 = 5;

/// A server, and the last position in its journal that any of the sessions has seen.
pub(super) struct Server {
    http: Client,
    root: Url,
    seen: AtomicU64,
}

impl Server {
    /// # Errors
    /// When the address is none.
    pub(super) fn at(address: &str) -> Result<Self> {
        let root = Url::parse(address).with_context(|| format!("{address} is not an address"))?;
        let http = Client::builder().timeout(Duration::from_secs(60)).build()?;
        Ok(Self { http, root, seen: AtomicU64::new(0) })
    }

    /// The full address of a path.
    ///
    /// # Errors
    /// When the path is none.
    pub(super) fn address(&self, path: &str) -> Result<Url> {
        self.root.join(path).with_context(|| format!("{path} is not a path"))
    }

    /// Logs somebody in.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses the password.
    pub(super) async fn login(&self, email: &str, password: &str) -> Result<Session<'_>> {
        let body = json!({"email": email, "password": password});
        let tokens = self.call(Method::POST, "/api/auth/login/", None, Some(&body)).await?;
        Ok(Session { server: self, access: text(&tokens, "access")?.to_owned() })
    }

    /// Uses the token of a mail to set somebody's first password.
    ///
    /// # Errors
    /// When the server refuses the token or the password.
    pub(super) async fn set_password(&self, token: &str, password: &str) -> Result<()> {
        let body = json!({"token": token, "password": password});
        self.call(Method::POST, "/api/auth/set-password/", None, Some(&body)).await?;
        Ok(())
    }

    async fn call(&self, method: Method, path: &str, access: Option<&str>, body: Option<&Value>) -> Result<Value> {
        let address = self.address(path)?;
        for attempt in 1.. {
            let mut request = self.http.request(method.clone(), address.clone());
            if let Some(body) = body {
                request = request.json(body);
            }
            let response = self.send(request, access).await?;
            let is_behind = response.status() == StatusCode::SERVICE_UNAVAILABLE && method == Method::GET;
            if !is_behind || attempt == ATTEMPTS {
                return self.answer(&method, path, response).await;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        bail!("{method} {path} was not answered")
    }

    /// Everybody reads what anybody has written before: each request names the last position seen.
    async fn send(&self, mut request: RequestBuilder, access: Option<&str>) -> Result<Response> {
        if let Some(access) = access {
            request = request.bearer_auth(access);
        }
        let seen = self.seen.load(Ordering::Relaxed);
        if seen > 0 {
            request = request.header("DDC-Min-Position", seen);
        }
        let response = request.send().await.with_context(|| {
            format!("No server answers at {}. Start one with `make run`, or name another with --server.", self.root)
        })?;
        let position = response.headers().get("DDC-Position").and_then(|value| value.to_str().ok());
        if let Some(position) = position.and_then(|value| value.parse().ok()) {
            self.seen.fetch_max(position, Ordering::Relaxed);
        }
        Ok(response)
    }

    async fn answer(&self, method: &Method, path: &str, response: Response) -> Result<Value> {
        let status = response.status();
        let body = response.bytes().await.with_context(|| format!("{method} {path} broke off"))?;
        if status.is_success() {
            if body.is_empty() {
                return Ok(Value::Null);
            }
            return serde_json::from_slice(&body).with_context(|| format!("{method} {path} did not answer JSON"));
        }
        let said = serde_json::from_slice::<Value>(&body)
            .map_or_else(|_| String::from_utf8_lossy(&body).into_owned(), |problem| problem_text(&problem));
        bail!("{method} {path} answered {status}\n{said}")
    }
}

/// Somebody who is logged in.
pub(super) struct Session<'a> {
    server: &'a Server,
    access: String,
}

impl Session<'_> {
    /// # Errors
    /// When the server refuses; so in all methods.
    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        self.server.call(Method::GET, path, Some(&self.access), None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.server.call(Method::POST, path, Some(&self.access), Some(body)).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.server.call(Method::PUT, path, Some(&self.access), Some(body)).await
    }

    /// All rows of a list, page by page.
    pub(super) async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let mut next = Some(format!("{path}{mark}page_size=100"));
        let mut rows = Vec::new();
        while let Some(page) = next {
            let answer = self.get(&page).await?;
            rows.extend(items(&answer, "results")?.iter().cloned());
            next = answer.get("next").and_then(Value::as_str).map(path_of).transpose()?;
        }
        Ok(rows)
    }

    /// How many rows a list has.
    pub(super) async fn count(&self, path: &str) -> Result<u64> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let answer = self.get(&format!("{path}{mark}page_size=1")).await?;
        answer.get("count").and_then(Value::as_u64).with_context(|| format!("{path} did not answer a count"))
    }

    /// Sends a file as the form field `file`.
    pub(super) async fn upload(&self, path: &str, name: &str, mime: &str, content: Vec<u8>) -> Result<Value> {
        let part = multipart::Part::bytes(content).file_name(name.to_owned()).mime_str(mime)?;
        let form = multipart::Form::new().part("file", part);
        let request = self.server.http.post(self.server.address(path)?).multipart(form);
        let response = self.server.send(request, Some(&self.access)).await?;
        self.server.answer(&Method::POST, path, response).await
    }
}

/// The next page is named by its full address, as the server knows itself; we may know it by another name.
fn path_of(address: &str) -> Result<String> {
    let url = Url::parse(address).with_context(|| format!("{address} is not an address"))?;
    Ok(url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path())))
}

/// A problem+json as lines of text: code, detail, a line for each field, the id of the request.
fn problem_text(problem: &Value) -> String {
    let part = |key: &str| problem.get(key).and_then(Value::as_str);
    let mut lines = vec![format!(
        "  {}: {}",
        part("code").unwrap_or("UNKNOWN"),
        part("detail").or_else(|| part("title")).unwrap_or("no detail")
    )];
    if let Some(errors) = problem.get("errors").and_then(Value::as_object) {
        for (field, said) in errors {
            let said = said.as_array().map_or_else(
                || said.to_string(),
                |all| {
                    all.iter()
                        .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
                        .collect::<Vec<_>>()
                        .join("; ")
                },
            );
            lines.push(format!("  {field}: {said}"));
        }
    }
    if let Some(request) = part("request_id") {
        lines.push(format!("  request {request}"));
    }
    lines.join("\n")
}

/// A member that is a whole number.
///
/// # Errors
/// When there is none; so in the functions below.
pub(super) fn number(value: &Value, key: &str) -> Result<i64> {
    value.get(key).and_then(Value::as_i64).with_context(|| format!("`{key}` is missing in {value}"))
}

/// The resource's id.
pub(super) fn id(value: &Value) -> Result<i64> {
    number(value, "id")
}

/// A member that is text.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> Result<&'v str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("`{key}` is missing in {value}"))
}

/// A member that is a list.
pub(super) fn items<'v>(value: &'v Value, key: &str) -> Result<&'v [Value]> {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .with_context(|| format!("`{key}` is missing in {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_shown_with_its_code_fields_and_request() {
        let problem = json!({"code": "FIELDS", "title": "No", "detail": "Two fields are wrong.", "request_id": "r-1",
            "errors": {"name": ["is empty", "is short"]}});
        assert_eq!(
            problem_text(&problem),
            "  FIELDS: Two fields are wrong.\n  name: is empty; is short\n  request r-1"
        );
    }

    #[test]
    fn the_next_page_is_asked_of_the_server_that_we_know() {
        assert_eq!(path_of("http://elsewhere:1/api/x/?cursor=a%2Bb").unwrap(), "/api/x/?cursor=a%2Bb");
    }
}
