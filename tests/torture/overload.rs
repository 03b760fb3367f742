//! Far more than a node can do: 2,000 connections that ask again as soon as they are answered. What is too much is
//! refused in order, what is acknowledged is kept, the memory stays flat, and with the load all of its effects go.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    task::JoinSet,
    time::timeout,
};

use crate::{
    cluster::{ADMIN, Node, PASSWORD},
    say, wait,
};

/// How many connections a node carries well, and how many it gets.
const FEW: usize = 32;
const MANY: usize = 2000;

/// The node is given so many seconds to warm up.
const WARM_WITHIN: u32 = 20;
/// How long the sustainable rate is measured.
const MEASURED: Duration = Duration::from_secs(4);
/// Full speed is back within so many seconds …
const RECOVERS_WITHIN: u64 = 5;
/// … and this much of the rate before counts as full.
const FULL: f64 = 0.8;

/// What a connection may cost: actix' two buffers begin with 8 KB each, and requests and answers here are small.
const KB_A_CONNECTION: u64 = 64;
/// What all else may cost: the answers of 256 places, and the states of what was commanded, of which 20,000 are kept.
const KB_BESIDE: u64 = 96 << 10;
/// What the second half of the load may add to the first half's peak, in percent: nothing piles up.
const GROWTH: u64 = 15;

/// The longest that a sign of life may take, of a debug build on two cores that the load's own clients share.
const ALIVE_WITHIN: Duration = Duration::from_secs(5);

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection, spoken to by hand: the clients must cost less than the server.
struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
}

struct Told {
    status: u16,
    says_when: bool,
}

impl Line {
    async fn connect(address: &str) -> io::Result<Self> {
        Ok(Self { stream: TcpStream::connect(address).await?, buffer: Vec::with_capacity(8 << 10) })
    }

    async fn ask(&mut self, request: &str) -> io::Result<Told> {
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        let (told, end) = loop {
            self.read().await?;
            if let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
                let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default();
                let length: usize = header("content-length:").and_then(|length| length.parse().ok()).unwrap_or(0);
                break (Told { status, says_when: header("retry-after:").is_some() }, end + 4 + length);
            }
        };
        while self.buffer.len() < end {
            self.read().await?;
        }
        Ok(told)
    }

    async fn read(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// What one connection, or all of them, were told.
#[derive(Default)]
struct Report {
    statuses: BTreeMap<u16, u64>,
    /// The request ids of what was acknowledged.
    acknowledged: Vec<String>,
    wrongs: Vec<String>,
}

impl Report {
    fn answers(&self) -> u64 {
        self.statuses.values().sum()
    }

    fn served(&self) -> u64 {
        self.statuses.range(200..300).map(|(_, count)| count).sum()
    }

    fn add(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.acknowledged.extend(other.acknowledged);
        self.wrongs.extend(other.wrongs);
    }
}

/// What is asked of the node, and with what right.
struct Load {
    host: String,
    token: String,
    seed: u64,
}

impl Load {
    /// Commands and reads in turn; answers the request and, for a command, its id.
    fn request(&self, label: &str, count: usize) -> (String, Option<String>) {
        let Self { host, token, seed } = self;
        let head = format!("HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n");
        if count % 2 == 1 {
            return (format!("GET /api/common/companies/?page_size=20 {head}\r\n"), None);
        }
        let id = format!("o{seed}-{label}-{count}");
        let body = json!({"name": format!("Overload {id}")}).to_string();
        let request = format!(
            "POST /api/common/company/ {head}x-request-id: {id}\r\nidempotency-key: {id}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        (request, Some(id))
    }

    /// Asks over one connection until it is told to stop.
    async fn press(self: Arc<Self>, label: String, stop: watch::Receiver<bool>) -> Report {
        let mut report = Report::default();
        let mut line = None;
        for count in 0.. {
            if *stop.borrow() {
                break;
            }
            let (request, id) = self.request(&label, count);
            let asked = timeout(PATIENCE, async {
                let mut open = match line.take() {
                    Some(open) => open,
                    None => Line::connect(&self.host).await?,
                };
                let told = open.ask(&request).await?;
                Ok::<_, io::Error>((open, told))
            });
            let (open, told) = match asked.await {
                Ok(Ok(answered)) => answered,
                Ok(Err(error)) => {
                    report.wrongs.push(format!("connection {label} broke at {count}: {error:?}"));
                    continue;
                }
                Err(_) => {
                    report.wrongs.push(format!("connection {label} had no answer within {PATIENCE:?}"));
                    continue;
                }
            };
            line = Some(open);
            *report.statuses.entry(told.status).or_default() += 1;
            match (told.status, id) {
                (201, Some(id)) => report.acknowledged.push(id),
                (200, None) => {}
                (429 | 503, _) if told.says_when => {}
                (status, id) => report.wrongs.push(format!("{id:?} was answered with {status}")),
            }
        }
        report
    }

    /// So many connections for so long; answers what they were told, and in what time.
    async fn drive(self: &Arc<Self>, name: &str, connections: usize, lasting: Duration) -> (Report, Duration) {
        let (stop, stopped) = watch::channel(false);
        let begun = Instant::now();
        let mut pressing = JoinSet::new();
        for number in 0..connections {
            pressing.spawn(Arc::clone(self).press(format!("{name}-{number}"), stopped.clone()));
        }
        tokio::time::sleep(lasting).await;
        stop.send_replace(true);
        let mut all = Report::default();
        while let Some(report) = pressing.join_next().await {
            all.add(report.unwrap_or_default());
        }
        (all, begun.elapsed())
    }
}

/// How the node was while it was pressed.
#[derive(Default)]
struct Vitals {
    /// In KB, with the time since the begin.
    memory: Vec<(Duration, u64)>,
    slowest: Duration,
    looks: u32,
    wrongs: Vec<String>,
}

impl Vitals {
    /// Looks again and again, over a new connection each time, as a balancer does.
    async fn watch(host: String, pid: u32, stop: watch::Receiver<bool>) -> Self {
        let (mut vitals, begun) = (Self::default(), Instant::now());
        let request = format!("GET /health/live/ HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        while !*stop.borrow() {
            let asked = Instant::now();
            let look = async { Line::connect(&host).await?.ask(&request).await };
            match timeout(ALIVE_WITHIN, look).await {
                Ok(Ok(Told { status: 200, .. })) => vitals.slowest = vitals.slowest.max(asked.elapsed()),
                Ok(Ok(told)) => vitals.wrongs.push(format!("health/live answers {}", told.status)),
                Ok(Err(error)) => vitals.wrongs.push(format!("health/live: {error}")),
                Err(_) => vitals.wrongs.push(format!("health/live takes longer than {ALIVE_WITHIN:?}")),
            }
            vitals.looks += 1;
            vitals.memory.push((begun.elapsed(), resident(pid)));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        vitals
    }

    fn peak(&self, of: impl Fn(Duration) -> bool) -> u64 {
        self.memory.iter().filter(|(at, _)| of(*at)).map(|(_, size)| *size).max().unwrap_or_default()
    }
}

/// The resident memory of a process, in KB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

async fn token(address: &str) -> Result<String> {
    let http = reqwest::Client::new();
    let body = json!({"email": ADMIN, "password": PASSWORD});
    let mut token = None;
    wait("the node lets ADMIN in", async || {
        let answer = http.post(format!("{address}/api/auth/login/")).json(&body).send().await?;
        token = answer.json::<Value>().await?["access"].as_str().map(str::to_owned);
        Ok(token.is_some())
    })
    .await?;
    token.context("no token")
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// Presses a node that has nothing else to do. Answers what is wrong.
pub(crate) async fn overload(node: &Node, pool: &PgPool, seed: u64, lasting: Duration) -> Result<Vec<String>> {
    let pid = node.pid().context("the node does not run")?;
    let host = node.address.trim_start_matches("http://").to_owned();
    let load = Arc::new(Load { token: token(&node.address).await?, host: host.clone(), seed });
    // The other node's claims have to be taken over, caches and connections to be filled.
    let (mut all, mut warm) = (Report::default(), 0);
    loop {
        let (report, _) = load.drive(&format!("warm{warm}"), FEW, Duration::from_secs(1)).await;
        let is_warm = report.served() == report.answers();
        all.add(report);
        if is_warm {
            break;
        }
        warm += 1;
        ensure!(warm < WARM_WITHIN, "{FEW} connections are too many: {:?}", all.statuses);
    }
    let (calm, time) = load.drive("calm", FEW, MEASURED).await;
    let sustainable = rate(calm.served(), time);
    let refused = calm.answers() - calm.served();
    all.add(calm);
    ensure!(refused == 0, "{refused} of {FEW} connections' requests were refused");
    let before = resident(pid);
    say(&format!("overload: {FEW} connections are served {sustainable:.0} requests/s, {} MB", before >> 10));

    let (stop, stopped) = watch::channel(false);
    let watching = tokio::spawn(Vitals::watch(host, pid, stopped));
    let (pressed, time) = load.drive("much", MANY, lasting).await;
    stop.send_replace(true);
    let vitals = watching.await.context("the watch broke down")?;
    let (asked, served) = (rate(pressed.answers(), time), rate(pressed.served(), time));
    let (early, late) = (vitals.peak(|at| at < time / 2), vitals.peak(|at| at >= time / 2));
    say(&format!(
        "  {MANY} connections: {} asked in {:.0} s ({:.1} times the rate), {served:.0}/s served, the rest refused in order: {:?}; \
         memory at most {} MB, then {} MB; alive {} times, within {:.0?}",
        pressed.answers(),
        time.as_secs_f64(),
        asked / sustainable,
        pressed.statuses,
        early >> 10,
        late >> 10,
        vitals.looks,
        vitals.slowest,
    ));

    let mut back = None;
    for second in 1..=RECOVERS_WITHIN {
        let (again, time) = load.drive(&format!("back{second}"), FEW, Duration::from_secs(1)).await;
        let now = rate(again.served(), time);
        all.add(again);
        if now >= FULL * sustainable {
            back = Some(second);
            say(&format!("  full speed again within {second} s: {now:.0}/s"));
            break;
        }
        say(&format!("  second {second} after it: {now:.0}/s"));
    }

    let mut wrongs = vitals.wrongs.clone();
    all.add(pressed);
    let most = before + KB_BESIDE + KB_A_CONNECTION * u64::try_from(MANY)?;
    if early.max(late) > most {
        wrongs.push(format!("{} MB of memory; {} MB are the bound", early.max(late) >> 10, most >> 10));
    }
    if late > early + early * GROWTH / 100 {
        wrongs.push(format!("the memory grows: {} MB, then {} MB", early >> 10, late >> 10));
    }
    if !all.statuses.contains_key(&503) && !all.statuses.contains_key(&429) {
        wrongs.push("nothing was refused: that was no overload".to_owned());
    }
    if back.is_none() {
        wrongs.push(format!("the rate is not back within {RECOVERS_WITHIN} s"));
    }
    let lost = recorded(pool, seed, &all).await?;
    say(&format!("  {} commands acknowledged, {} of them not in the journal once", all.acknowledged.len(), lost.len()));
    // A few of many tell enough.
    for many in [lost, all.wrongs] {
        wrongs.extend(many.len().checked_sub(10).map(|more| format!("{more} more such as these:")));
        wrongs.extend(many.into_iter().take(10));
    }
    Ok(wrongs)
}

/// Each acknowledged command is in the journal once.
async fn recorded(pool: &PgPool, seed: u64, report: &Report) -> Result<Vec<String>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT metadata->>'correlation_id', count(*) FROM main.events
         WHERE event_type = 'company.created' AND metadata->>'correlation_id' LIKE $1 GROUP BY 1",
    )
    .bind(format!("o{seed}-%"))
    .fetch_all(pool)
    .await?;
    let recorded: HashMap<&str, i64> = rows.iter().map(|(id, count)| (id.as_str(), *count)).collect();
    let times = |id: &String| recorded.get(id.as_str()).copied().unwrap_or_default();
    let acknowledged = report.acknowledged.iter().filter(|id| times(id) != 1);
    Ok(acknowledged.map(|id| format!("{id} was acknowledged and is in the journal {} times", times(id))).collect())
}
