//! Requests that are too large, too deep, or named to lead astray.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Duration, timeout},
};

use crate::{
    engagement::World,
    harness::{Node, answer},
};

/// What a node says to these bytes before it closes the connection, or begins to say.
async fn told(node: &Node, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(node.address.trim_start_matches("http://")).await.unwrap();
    // The node may close it before it has taken all.
    let _ = stream.write_all(bytes).await;
    let mut said = vec![0; 4096];
    let read = timeout(Duration::from_secs(30), stream.read(&mut said)).await.expect("no answer");
    String::from_utf8_lossy(&said[..read.unwrap_or_default()]).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn heads_have_limits() {
    let node = Node::start().await;
    let head = |headers: &str| format!("GET /health/live/ HTTP/1.1\r\nHost: ddc.test\r\n{headers}\r\n").into_bytes();
    let many: String = (0..200).map(|number| format!("X-{number}: a\r\n")).collect();
    let refused = [
        head(&many),
        head(&format!("X: {}\r\n", "a".repeat(200_000))),
        format!("GET /{} HTTP/1.1\r\nHost: ddc.test\r\n\r\n", "a".repeat(200_000)).into_bytes(),
        head("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
        head("Content-Length: 1\r\nContent-Length: 2\r\n"),
        head("Content-Length: -1\r\n"),
        head("X: a\0b\r\n"),
        head(" : nameless\r\n"),
    ];
    for bytes in refused {
        let said = told(&node, &bytes).await;
        let shown: String = String::from_utf8_lossy(&bytes).chars().take(120).collect();
        // Where more has come than was read, a reset may overtake the answer.
        assert!(said.starts_with("HTTP/1.1 4") || said.is_empty(), "{shown}: {said}");
        assert!(!said.starts_with("HTTP/1.1 404"), "{shown}: {said}");
    }
    assert!(told(&node, &head("X: a\r\n")).await.starts_with("HTTP/1.1 200 "));
}

/// The head of the answer to a body that comes in chunks, of which nobody says how many.
async fn chunked(node: &Node, token: Option<&str>, path: &str, size: usize) -> String {
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let mut bytes = format!(
        "POST {path} HTTP/1.1\r\nHost: ddc.test\r\n{token}Content-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for begin in (0..size).step_by(1 << 16) {
        let length = (size - begin).min(1 << 16);
        bytes.extend_from_slice(format!("{length:x}\r\n{}\r\n", " ".repeat(length)).as_bytes());
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    told(node, &bytes).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn bodies_have_limits_with_and_without_a_length() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let send = async |token: Option<&str>, path: &str, size: usize| {
        let request = node.anonymous().request(Method::POST, path).header("content-type", "application/json");
        let request = token.iter().fold(request, |request, token| request.bearer_auth(token));
        answer(request.body(vec![b' '; size])).await
    };
    let (company, login, token) = ("/api/common/company/", "/api/auth/login/", admin.token.as_deref());
    for (token, path, size, status, code) in [
        (token, company, (10 << 20) + 1, 413, "TOO_LARGE"),
        // Blanks only, but taken in.
        (token, company, 9 << 20, 400, "MALFORMED"),
        // Of a stranger less is taken in.
        (None, login, (64 << 10) + 1, 413, "TOO_LARGE"),
        (None, login, 60 << 10, 400, "MALFORMED"),
        (None, company, 5 << 20, 401, "NOT_AUTHENTICATED"),
    ] {
        send(token, path, size).await.expect_problem(status, code);
        let said = chunked(&node, token, path, size).await;
        let told = said.starts_with(&format!("HTTP/1.1 {status} ")) && said.contains("application/problem+json");
        assert!(told, "{path} {size}: {said}");
    }
}

/// A file by a name that the sender chose, byte for byte.
async fn upload(session: &crate::harness::Session<'_>, path: &str, name: &[u8]) -> crate::harness::Answer {
    let mut body = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"".to_vec();
    body.extend_from_slice(name);
    body.extend_from_slice(b"\"\r\nContent-Type: text/csv\r\n\r\ncode,text\nA,One\n\r\n--b--\r\n");
    let request = session.request(Method::POST, path).header("content-type", "multipart/form-data; boundary=b");
    answer(request.body(body)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_files_name_leads_nowhere() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let canary = std::env::temp_dir().join(format!("ddc-canary-{}.csv", std::process::id()));
    let above = format!("{}{}", "../".repeat(20), canary.to_str().unwrap().trim_start_matches('/'));
    let names: Vec<Vec<u8>> = vec![
        above.into_bytes(),
        canary.to_str().unwrap().as_bytes().to_vec(),
        b"..\\..\\..\\windows\\win.ini.csv".to_vec(),
        b"C:\\autoexec.csv".to_vec(),
        b"a\0.csv".to_vec(),
        b"a.csv\0.exe".to_vec(),
        b"a\r\nX-Injected: yes\r\n\r\n.csv".to_vec(),
        b"\xff\xfe.csv".to_vec(),
        [b"x".repeat(100_000), b".csv".to_vec()].concat(),
        b"".to_vec(),
        b"..".to_vec(),
        b"<script>.csv".to_vec(),
    ];
    for path in [world.fill("/api/assessments/{id}/upload-questions/"), "/api/benchmarks/import/".to_owned()] {
        let session = if path.contains("assessments") { world.consultant.clone() } else { node.admin().await };
        for name in &names {
            let told = upload(&session, &path, name).await;
            let shown: String = String::from_utf8_lossy(name).chars().take(60).collect();
            assert!(told.status.as_u16() < 500, "{path} {shown:?}: {}", told.text);
            assert!(told.headers.get("x-injected").is_none(), "{path} {shown:?}: {:?}", told.headers);
            let headers: Vec<String> = told.headers.values().map(|value| format!("{value:?}")).collect();
            assert!(!headers.iter().any(|value| value.contains("canary") || value.contains("script")), "{headers:?}");
            assert!(!told.text.contains("<script>"), "{path} {shown:?}: {}", told.text);
        }
    }
    assert!(!canary.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_header_that_is_given_back_cannot_be_two() {
    let node = Node::start().await;
    for id in ["a b", "a\tb", "<script>", "a\"b", &"x".repeat(101), "é"] {
        let request = node.anonymous().request(Method::GET, "/health/live/").header("x-request-id", id);
        let told = answer(request).await;
        assert_eq!(told.status, StatusCode::OK);
        assert_ne!(told.header("x-request-id"), id);
    }
    let wrong = json!({"email": "a@ddc.test\r\nBcc: b@ddc.test", "role": "CLIENT"});
    node.admin().await.post("/api/accounts/users/", wrong).await.expect_problem(422, "INVALID");
}
