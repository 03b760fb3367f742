//! Far more than a node can do: 2,000 connections, first patient ones that ask again as soon as they are answered, then
//! ten times the sustainable rate by the clock, of impatient ones that give up and come again. What is too much is refused
//! in order, what is acknowledged is kept, the memory stays flat, and with the load all of its effects go.

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
const MANY: u32 = 2000;

/// The node is given so many seconds to warm up.
const WARM_WITHIN: u32 = 20;
/// The impatient ask for so many times the sustainable rate.
const TIMES: f64 = 10.0;

/// How long the sustainable rate is measured.
const MEASURED: Duration = Duration::from_secs(4);
/// Full speed is back within so many seconds …
const RECOVERS_WITHIN: u64 = 5;
/// … and this much of the rate before counts as full.
const FULL: f64 = 0.8;
/// By itself a shared machine becomes slower down to this; what is slower than that has been broken by the load.
const SLOWER: f64 = 0.6;
/// Whatever the load has left behind is done after so many times [`MEASURED`].
const RESTED: u32 = 4;

/// What a connection may cost: actix' two buffers begin with 8 KB each, and requests and answers here are small.
const KB_A_CONNECTION: u64 = 64;
/// What all else may cost: the answers of 256 places, and the states of what was commanded, of which 20,000 are kept.
const KB_BESIDE: u64 = 96 << 10;
/// What the second half of the load may add to the first half's peak, in percent: nothing piles up.
const GROWTH: u64 = 15;

/// A shared machine has slow moments of its own: what the load has broken is broken each time that it is pressed.
const TRIES: u32 = 3;

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
    /// What was not waited for.
    given_up: u64,
    /// The request ids of what was acknowledged.
    acknowledged: Vec<String>,
    wrongs: Vec<String>,
}

impl Report {
    fn answers(&self) -> u64 {
        self.statuses.values().sum()
    }

    fn asked(&self) -> u64 {
        self.answers() + self.given_up
    }

    fn served(&self) -> u64 {
        self.statuses.range(200..300).map(|(_, count)| count).sum()
    }

    fn add(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.given_up += other.given_up;
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

    /// Asks over one connection until it is told to stop: when it is answered, or `every` so often, answered or not.
    async fn press(self: Arc<Self>, label: String, every: Option<Duration>, stop: watch::Receiver<bool>) -> Report {
        let mut report = Report::default();
        let (mut line, mut due) = (None, Instant::now());
        for count in 0.. {
            if let Some(every) = every {
                tokio::time::sleep_until(due.into()).await;
                due = Instant::now() + every;
            }
            if *stop.borrow() {
                break;
            }
            let (request, id) = self.request(&label, count);
            let asked = timeout(every.unwrap_or(PATIENCE), async {
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
                Err(_) if every.is_some() => {
                    report.given_up += 1;
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

    /// So many connections for so long, `every` of which asks so often; answers what they were told, and in what time.
    async fn drive(
        self: &Arc<Self>,
        name: &str,
        connections: usize,
        every: Option<Duration>,
        lasting: Duration,
    ) -> (Report, Duration) {
        let (stop, stopped) = watch::channel(false);
        let begun = Instant::now();
        let mut pressing = JoinSet::new();
        for number in 0..connections {
            pressing.spawn(Arc::clone(self).press(format!("{name}-{number}"), every, stopped.clone()));
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

    /// What is wrong with them, by the memory before and the time that the load took.
    fn judge(&self, name: &str, before: u64, time: Duration) -> Vec<String> {
        let (early, late) = (self.peak(|at| at < time / 2), self.peak(|at| at >= time / 2));
        let (most, bound) = (early.max(late), before + KB_BESIDE + KB_A_CONNECTION * u64::from(MANY));
        say(&format!(
            "  memory at most {} MB, then {} MB; alive {} times, within {:.0?}",
            early >> 10,
            late >> 10,
            self.looks,
            self.slowest
        ));
        let mut wrongs = self.wrongs.clone();
        if most > bound {
            wrongs.push(format!("{name}: {} MB of memory; {} MB are the bound", most >> 10, bound >> 10));
        }
        if late > early + early * GROWTH / 100 {
            wrongs.push(format!("{name}: the memory grows: {} MB, then {} MB", early >> 10, late >> 10));
        }
        wrongs
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
    let load = Arc::new(Load { token: token(&node.address).await?, host, seed });
    let mut all = Report::default();
    warm_up(&load, &mut all).await?;
    let (calm, time) = load.drive("calm", FEW, None, MEASURED).await;
    let (sustainable, before) = (rate(calm.served(), time), resident(pid));
    ensure!(calm.served() == calm.answers(), "{FEW} connections are too many: {:?}", calm.statuses);
    all.add(calm);
    say(&format!("overload: {FEW} connections are served {sustainable:.0} requests/s, {} MB", before >> 10));

    let mut wrongs = Vec::new();
    let often = Duration::from_secs_f64(f64::from(MANY) / (TIMES * sustainable));
    for (name, every) in [("patient", None), ("impatient", Some(often))] {
        for attempt in 1..=TRIES {
            let pressed = load.press_watched(&format!("{name}{attempt}"), pid, every, lasting / 2).await?;
            wrongs.extend(pressed.judge(name, sustainable, before));
            all.add(pressed.report);
            if recovers(&load, sustainable, &format!("{name}{attempt}-"), &mut all).await {
                break;
            }
            if attempt == TRIES {
                wrongs.push(format!("{name}: the rate is not back within {RECOVERS_WITHIN} s, in {TRIES} tries"));
            }
        }
    }
    let lost = recorded(pool, seed, &all).await?;
    say(&format!("  {} commands acknowledged, {} of them not in the journal once", all.acknowledged.len(), lost.len()));
    // A few of many tell enough.
    for many in [lost, all.wrongs] {
        wrongs.extend(many.len().checked_sub(11).map(|more| format!("{} more such as these:", more + 1)));
        wrongs.extend(many.into_iter().take(10));
    }
    Ok(wrongs)
}

/// What became of a load.
struct Pressed {
    report: Report,
    vitals: Vitals,
    time: Duration,
}

impl Pressed {
    /// Says what became of it, and answers what is wrong with that.
    fn judge(&self, name: &str, sustainable: f64, before: u64) -> Vec<String> {
        let Self { report, vitals, time } = self;
        say(&format!(
            "  {MANY} {name} connections for {:.0} s: {:.1} times that rate asked, {:.0}/s served; {:?}, {} not waited for",
            time.as_secs_f64(),
            rate(report.asked(), *time) / sustainable,
            rate(report.served(), *time),
            report.statuses,
            report.given_up,
        ));
        let mut wrongs = vitals.judge(name, before, *time);
        if !report.statuses.contains_key(&503) && report.given_up == 0 {
            wrongs.push(format!("{name}: nothing was refused, so that was no overload"));
        }
        wrongs
    }
}

impl Load {
    /// Presses a node for a while, and watches it.
    async fn press_watched(
        self: &Arc<Self>,
        name: &str,
        pid: u32,
        every: Option<Duration>,
        lasting: Duration,
    ) -> Result<Pressed> {
        let (stop, stopped) = watch::channel(false);
        let watching = tokio::spawn(Vitals::watch(self.host.clone(), pid, stopped));
        let (report, time) = self.drive(name, usize::try_from(MANY)?, every, lasting).await;
        stop.send_replace(true);
        Ok(Pressed { report, vitals: watching.await.context("the watch broke down")?, time })
    }
}

/// The other node's claims have to be taken over, caches and connections to be filled.
async fn warm_up(load: &Arc<Load>, all: &mut Report) -> Result<()> {
    for second in 0..WARM_WITHIN {
        let (report, _) = load.drive(&format!("warm{second}"), FEW, None, Duration::from_secs(1)).await;
        let is_warm = report.served() == report.answers();
        all.add(report);
        if is_warm {
            return Ok(());
        }
    }
    anyhow::bail!("{FEW} connections are too many: {:?}", all.statuses)
}

/// Whether full speed is reached again soon after the load: that of before, or, if the machine has become slower by
/// itself, that of a while later.
async fn recovers(load: &Arc<Load>, sustainable: f64, name: &str, all: &mut Report) -> bool {
    let mut best = 0.0_f64;
    for second in 1..=RECOVERS_WITHIN {
        let (again, time) = load.drive(&format!("{name}{second}"), FEW, None, Duration::from_secs(1)).await;
        let now = rate(again.served(), time);
        all.add(again);
        say(&format!("  {now:.0}/s in second {second} after it"));
        best = best.max(now);
        if now >= FULL * sustainable {
            return true;
        }
    }
    let mut later = 0.0;
    for rest in 0..RESTED {
        let (calm, time) = load.drive(&format!("{name}-rest{rest}"), FEW, None, MEASURED).await;
        later = rate(calm.served(), time);
        all.add(calm);
    }
    say(&format!("  {later:.0}/s a while later"));
    later >= SLOWER * sustainable && best >= FULL * later
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
