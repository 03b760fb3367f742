//! Load over HTTP/1.1: one connection and one task a client, requests prepared as bytes, so that the client takes as
//! little of the shared cores as it can.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    measure::{Chance, Sample, Window},
    scale::Scale,
};

/// How an answer begins.
pub(crate) const SUCCESS: &str = "HTTP/1.1 2";
pub(crate) const REFUSAL: &str = "HTTP/1.1 4";

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    expected: &'static str,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 << 10), expected: SUCCESS })
    }

    /// Sends a request and takes the answer in; its body, if it is what was expected.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut needed = None;
        loop {
            if let Some((head, whole)) = needed
                && self.buffer.len() >= whole
            {
                return self.buffer.get(head..whole).context("an answer is shorter than it says");
            }
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server hung up");
            if needed.is_none()
                && let Some(head) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n")
            {
                let text = std::str::from_utf8(self.buffer.get(..head).unwrap_or_default())?;
                let length = length(text).with_context(|| format!("an answer of unknown length: {text}"))?;
                if !text.starts_with(self.expected) {
                    let rest = String::from_utf8_lossy(self.buffer.get(head..).unwrap_or_default());
                    bail!("not what was expected: {text}{rest}");
                }
                needed = Some((head + 4, head + 4 + length));
            }
        }
    }
}

fn length(head: &str) -> Option<usize> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    })
}

/// A GET by somebody who has signed in.
pub(crate) fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

/// A PUT of JSON by somebody who has signed in, under a key.
pub(crate) fn put(path: &str, token: &str, key: &str, body: &str) -> Vec<u8> {
    format!(
        "PUT {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Requests a second over so many connections, answered as expected; `request` is given the client's chance.
pub(crate) async fn load(
    expected: &'static str,
    address: SocketAddr,
    connections: u64,
    scale: Scale,
    request: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static,
) -> Result<Sample> {
    let window = Window::new(scale.warm_up(), scale.measure());
    let request = Arc::new(request);
    let tasks: Vec<_> = (0..connections)
        .map(|client| {
            let request = Arc::clone(&request);
            tokio::spawn(async move {
                let mut chance = Chance::new(client + 1);
                let mut connection = Connection { expected, ..Connection::open(address).await? };
                let mut latencies = Vec::new();
                loop {
                    let started = Instant::now();
                    if started >= window.end {
                        return Ok::<_, anyhow::Error>(latencies);
                    }
                    connection.send(&request(chance.below(u64::MAX))).await?;
                    let ended = Instant::now();
                    if window.counts(ended) {
                        latencies.push(ended - started);
                    }
                }
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    Ok(Sample::of_latencies(window.length(), latencies))
}
