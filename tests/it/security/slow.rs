//! Connections that are held open by a byte now and then are closed, and keep nobody out meanwhile.

use std::time::{Duration, Instant};

use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::harness::{Node, answer};

/// A head and a body have 10 s, a silent connection 20 s; the rest is for a busy machine.
const CLOSED_WITHIN: Duration = Duration::from_secs(45);

async fn open(node: &Node) -> TcpStream {
    TcpStream::connect(node.address.trim_start_matches("http://")).await.unwrap()
}

/// Sends a beginning, and then a piece now and then until the node has closed the connection. Answers what was said.
async fn drip(node: &Node, beginning: &str, piece: &str) -> String {
    let stream = open(node).await;
    let (mut reading, mut writing) = stream.into_split();
    writing.write_all(beginning.as_bytes()).await.unwrap();
    let bytes = piece.as_bytes().to_vec();
    let dripping = tokio::spawn(async move {
        while writing.write_all(&bytes).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    });
    let mut said = Vec::new();
    // A connection that is reset is closed too.
    let closed = timeout(CLOSED_WITHIN, reading.read_to_end(&mut said)).await;
    dripping.abort();
    assert!(closed.is_ok(), "still open: {beginning:?} {piece:?}, {:?}", String::from_utf8_lossy(&said));
    String::from_utf8_lossy(&said).into_owned()
}

const LOGIN: &str = "POST /api/auth/login/ HTTP/1.1\r\nHost: ddc.test\r\nContent-Type: application/json\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_sends_a_byte_now_and_then_is_cut_off() {
    let node = Node::start().await;
    let with_length = format!("{LOGIN}Content-Length: 60000\r\n\r\n{{");
    let chunked = format!("{LOGIN}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n");
    let second = "GET /health/live/ HTTP/1.1\r\nHost: ddc.test\r\n\r\nGET /health/live/ HTTP/1.1\r\nX: ";
    let (head, body, chunks, later) = tokio::join!(
        drip(&node, "GET /health/live/ HTTP/1.1\r\nX: ", "a"),
        drip(&node, &with_length, " "),
        drip(&node, &chunked, "1\r\n \r\n"),
        drip(&node, second, "a"),
    );
    assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    for told in [body, chunks] {
        assert!(told.starts_with("HTTP/1.1 408 ") && told.contains("TOO_SLOW"), "{told}");
    }
    assert!(later.starts_with("HTTP/1.1 200 ") && later.matches("HTTP/1.1").count() == 1, "{later}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn slow_senders_keep_nobody_out() {
    let node = Node::start().await;
    let admin = node.admin().await;
    // More than there are places.
    let mut slow = Vec::new();
    for number in 0..400 {
        let mut stream = open(&node).await;
        let beginning = match number % 2 {
            0 => "GET / HTTP/1.1\r\nX: ".to_owned(),
            _ => format!("{LOGIN}Content-Length: 60000\r\n\r\n{{"),
        };
        stream.write_all(beginning.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let begun = Instant::now();
    for number in 0..10 {
        admin.post("/api/common/company/", serde_json::json!({"name": format!("Acme {number}")})).await.expect(201);
        answer(admin.request(Method::GET, "/api/common/companies/")).await.expect(200);
    }
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    drop(slow);
}
