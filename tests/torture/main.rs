//! `make torture`: two nodes on one PostgreSQL and one NATS, users who ask for anything, and blow upon blow, by a seed.
//! At every blow and at the end the invariants are looked at; the process ends with 1 when one does not hold.
#![expect(clippy::indexing_slicing, reason = "an absent member of a JSON value is null, and the nodes are two")]

mod chaos;
mod cluster;
mod commands;
mod invariants;
mod ledger;
mod overload;
mod user;

use std::{
    collections::HashMap,
    io::Write,
    process::ExitCode,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use chaos::{Blow, Chaos};
use clap::Parser;
use cluster::{ADMIN, Cluster, PASSWORD};
use commands::{Desk, Thing, Who};
use ledger::{Ledger, Outcome};
use serde_json::{Value, json};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::sync::watch;
use user::{User, World};

/// How long everything is given to come to rest, after a blow and at the end.
const REST_WITHIN: Duration = Duration::from_secs(120);

/// Torture two nodes, and look whether anything is lost, doubled or torn
///
/// Examples:
///   make torture
///   make torture ARGS="--minutes 60"
///   make torture ARGS="--seed 42 --minutes 5"
#[derive(Debug, Parser)]
#[command(name = "torture", verbatim_doc_comment)]
struct Args {
    /// How long blows are dealt
    #[arg(long, default_value_t = 5.0)]
    minutes: f64,
    /// What decides the blows and the commands; another each time without it
    #[arg(long)]
    seed: Option<u64>,
    /// How long 2,000 connections press a node after the blows, in seconds; 0: not at all
    #[arg(long, default_value_t = 24)]
    overload: u64,
    /// How many users work at once
    #[arg(long, default_value_t = 16)]
    users: usize,
}

pub(crate) fn say(text: &str) {
    // Whoever does not listen misses it.
    let _ = writeln!(std::io::stdout(), "{} {text}", chrono::Utc::now().format("%H:%M:%S"));
}

fn main() -> ExitCode {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    say(&format!("seed {seed} (the same blows and commands again: --seed {seed})"));
    // The servers are tied to the thread that starts them, which is this one's child and lives as long.
    let outcome = tokio::runtime::Runtime::new().context("no runtime").and_then(|runtime| {
        let mut cluster = Cluster::start()?;
        cluster.play_engagement()?;
        let held = runtime.block_on(async {
            let held = torture(&args, seed, &mut cluster).await?;
            Ok(overloaded(&args, seed, &mut cluster).await? && held)
        });
        if !matches!(held, Ok(true)) {
            keep_logs(&cluster, seed);
        }
        held
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("the run broke off (seed {seed}): {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn keep_logs(cluster: &Cluster, seed: u64) {
    for node in &cluster.nodes {
        let kept = std::env::temp_dir().join(format!("ddc-torture-{seed}-{}.log", node.name));
        if std::fs::copy(node.log(), &kept).is_ok() {
            say(&format!("the log of node {} is kept in {}", node.name, kept.display()));
        }
    }
}

async fn torture(args: &Args, seed: u64, cluster: &mut Cluster) -> Result<bool> {
    let pool =
        PgPoolOptions::new().max_connections(2).acquire_timeout(REST_WITHIN).connect(&cluster.database_url).await?;
    for node in &mut cluster.nodes {
        node.start()?;
    }
    let (stop, stopped) = watch::channel(false);
    let (emails, desk) = desk(&cluster.nodes[0].address).await?;
    let addresses = [cluster.nodes[0].address.clone(), cluster.nodes[1].address.clone()];
    let world = Arc::new(World { addresses, ledger: Ledger::default(), seed, stop: stopped, emails, desk });
    let users: Vec<_> = (0..args.users)
        .map(|number| Ok(tokio::spawn(User::new(Arc::clone(&world), number)?.work())))
        .collect::<Result<_>>()?;

    let (mut chaos, begun) = (Chaos::new(seed), Instant::now());
    let mut wrongs = Vec::new();
    let mut noted: Option<String> = None;
    while begun.elapsed().as_secs_f64() < args.minutes * 60.0 && wrongs.is_empty() && world.ledger.wrongs().is_empty() {
        let before = events(&pool).await?;
        if let Err(error) = chaos.strike(cluster, &pool).await {
            wrongs.push(format!("{error:#}"));
        }
        for node in &mut cluster.nodes {
            if node.has_ended() {
                wrongs.push(format!("node {} ended by itself", node.name));
            }
        }
        let resumed = Instant::now();
        wait("the users get on", async || Ok(events(&pool).await? > before + 10)).await?;
        // What is acknowledged by now is looked for now.
        let entries = world.ledger.entries();
        let (found, count) = again(async || invariants::of_the_journal(&pool, &entries).await).await?;
        wrongs.extend(found);
        say(&format!("  {count} events, {} answers, all there; on after {:.1?}", entries.len(), resumed.elapsed()));
        if noted.is_none() {
            noted =
                Some(sqlx::query_scalar("SELECT encode(hash, 'hex') FROM main.journal_head").fetch_one(&pool).await?);
        }
    }
    say("no more blows; the users finish");
    stop.send_replace(true);
    for user in users {
        user.await.context("a user broke down")?;
    }
    let run = Run { pool, world, chaos, noted };
    run.judge(cluster, wrongs, begun.elapsed()).await
}

/// One of the nodes alone, pressed by far too many.
async fn overloaded(args: &Args, seed: u64, cluster: &mut Cluster) -> Result<bool> {
    if args.overload == 0 {
        return Ok(true);
    }
    ddc::http::connections::raise_open_files();
    let pool = PgPoolOptions::new().max_connections(1).connect(&cluster.database_url).await?;
    cluster.nodes[1].kill();
    let lasting = Duration::from_secs(args.overload);
    let mut wrongs = overload::overload(&cluster.nodes[0], &pool, seed, lasting).await?;
    if cluster.nodes[0].has_ended() {
        wrongs.push("the node ended by itself".to_owned());
    }
    for wrong in &wrongs {
        say(&format!("WRONG: {wrong}"));
    }
    say(if wrongs.is_empty() { "the overload was borne" } else { "the overload was NOT borne" });
    Ok(wrongs.is_empty())
}

struct Run {
    pool: PgPool,
    world: Arc<World>,
    chaos: Chaos,
    noted: Option<String>,
}

impl Run {
    /// Everything at rest, all invariants are looked at, and the figures are told.
    async fn judge(self, cluster: &Cluster, mut wrongs: Vec<String>, elapsed: Duration) -> Result<bool> {
        let Self { pool, world, chaos, noted } = self;
        rest(&pool).await?;
        let entries = world.ledger.entries();
        let (found, count) = invariants::of_the_journal(&pool, &entries).await?;
        wrongs.extend(found);
        wrongs.extend(world.ledger.wrongs());
        let crashes = chaos.dealt.iter().filter(|blow| !matches!(blow, Blow::DeliverAgain)).count();
        let mails = cluster.inbox.mails.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (found, twice) = invariants::of_the_fanout(&pool, &mails, crashes).await?;
        wrongs.extend(found);

        let told = invariants::told(&pool).await?;
        let once_more = Chaos::new(0);
        once_more.deliver_again(cluster).await;
        rest(&pool).await?;
        if invariants::told(&pool).await? != told {
            wrongs.push("delivering everything once more changed what was told".to_owned());
        }

        let mut verify = vec!["journal", "verify"];
        verify.extend(noted.iter().flat_map(|head| ["--head", head]));
        let (well, said) = cluster.ddc(&verify)?;
        say(said.trim());
        if !well {
            wrongs.push("the chain does not verify".to_owned());
        }
        let (well, said) = cluster.ddc(&["projections", "rebuild", "--all"])?;
        let equal = said.lines().filter(|line| line.contains("equal to the live one")).count();
        say(&format!("{equal} read models are equal to their rebuild"));
        if !well {
            wrongs.push(format!("a read model differs from its rebuild:\n{said}"));
        }

        let of = |wanted: fn(&Outcome) -> bool| entries.iter().filter(|entry| wanted(&entry.outcome)).count();
        say(&format!(
            "{} commands held in {} events over {:.0} s: {} refused, {} unknown, {} asked again",
            of(|outcome| matches!(outcome, Outcome::Acknowledged { .. })),
            count,
            elapsed.as_secs_f64(),
            of(|outcome| matches!(outcome, Outcome::Refused(_))),
            of(|outcome| matches!(outcome, Outcome::Unknown)),
            world.ledger.asked_again(),
        ));
        say(&format!(
            "{} blows survived, {} skipped; taken over within {:.1?}; {} notifications and {} mails, {} of them twice",
            chaos.dealt.len() - chaos.skipped.len(),
            chaos.skipped.len(),
            chaos.take_over,
            told.0,
            mails.len(),
            twice
        ));
        for wrong in &wrongs {
            say(&format!("WRONG: {wrong}"));
        }
        say(if wrongs.is_empty() { "all invariants hold" } else { "NOT all invariants hold" });
        Ok(wrongs.is_empty())
    }
}

async fn events(pool: &PgPool) -> Result<i64> {
    again(async || Ok(sqlx::query_scalar("SELECT position FROM main.journal_head").fetch_one(pool).await?)).await
}

/// The database may be away for a while.
async fn again<T>(mut ask: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    loop {
        match ask().await {
            Err(error) if begun.elapsed() > REST_WITHIN => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            done => return done,
        }
    }
}

async fn wait(what: &str, mut is_so: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !again(&mut is_so).await? {
        ensure!(begun.elapsed() < REST_WITHIN, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Until all that was written has been told to everybody.
async fn rest(pool: &PgPool) -> Result<()> {
    let (mut last, begun) = (0, Instant::now());
    loop {
        let (head, behind): (i64, Vec<String>) = sqlx::query_as(
            "SELECT position, ARRAY(
                 SELECT c.name || ' at ' || c.position FROM main.consumers c WHERE c.position < h.position
                 UNION ALL
                 SELECT c.name || ' at ' || c.position FROM main.checkpoints c WHERE c.position < h.position
                 UNION ALL
                 SELECT 'mail ' || id || ': ' || COALESCE(error, '') FROM main.email_log WHERE status = 'PENDING')
             FROM main.journal_head h",
        )
        .fetch_one(pool)
        .await?;
        // Reactions may yet write more.
        if behind.is_empty() && head == last {
            return Ok(());
        }
        last = head;
        ensure!(begun.elapsed() < REST_WITHIN, "not at rest at position {head}: {}", behind.join(", "));
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// What the users begin with: the people and things of the engagement that was played.
async fn desk(address: &str) -> Result<(HashMap<Who, String>, Desk)> {
    let http = reqwest::Client::new();
    let body = json!({"email": ADMIN, "password": PASSWORD});
    let mut token = None;
    wait("the first node lets ADMIN in", async || {
        let answer = http.post(format!("{address}/api/auth/login/")).json(&body).send().await?;
        token = answer.json::<Value>().await?["access"].as_str().map(str::to_owned);
        Ok(token.is_some())
    })
    .await?;
    let token = token.context("no token")?;
    let get = async |path: &str| -> Result<Value> {
        let answer = http.get(format!("{address}{path}")).bearer_auth(&token).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    };
    let users = get("/api/accounts/users/?page_size=100").await?;
    let email = |role: &str| -> Result<String> {
        let found = users["results"].as_array().into_iter().flatten().find(|user| user["role"] == role);
        Ok(found.and_then(|user| user["email"].as_str()).with_context(|| format!("nobody is {role}"))?.to_owned())
    };
    let emails = HashMap::from([
        (Who::Admin, ADMIN.to_owned()),
        (Who::Consultant, email("CONSULTANT")?),
        (Who::Reviewer, email("REVIEWER")?),
        (Who::Client, email("CLIENT")?),
    ]);
    let first = |list: Value| -> Result<Value> { list["results"].get(0).cloned().context("a list is empty") };
    let assessment = first(get("/api/assessments/").await?)?;
    let id = assessment["id"].as_i64().context("no id")?;
    let questions = get(&format!("/api/questionnaires/questions/?assessment_id={id}&page_size=100")).await?;
    let given: HashMap<String, Value> =
        serde_json::from_str(include_str!("../../demo/answers.json")).context("demo/answers.json")?;
    let bank = get("/api/questionnaires/questions/?page_size=100").await?;
    let known: Vec<&Value> =
        bank["results"].as_array().into_iter().flatten().map(|question| &question["code"]).collect();
    let mut answers = Vec::new();
    for question in questions["results"].as_array().into_iter().flatten() {
        let code = question["code"].as_str().unwrap_or_default();
        // Those that were uploaded for one assessment are not asked in another.
        let (Some(given), true) = (given.get(code), known.contains(&&question["code"])) else { continue };
        let mut row = json!({"question_id": question["id"], "value": given, "sub_answer": {}});
        if let (Some(row), Some(given)) = (row.as_object_mut(), given.as_object()) {
            row.extend(given.clone());
        }
        answers.push(row);
    }
    ensure!(!answers.is_empty(), "no question of the bank is known: {questions}");
    let number = |value: Value| value["id"].as_i64().context("no id");
    let rate_card = number(first(get("/api/rate_card/?status=ACTIVE").await?)?)?;
    let role = number(first(get("/api/common/operations-roles/").await?)?)?;
    let project = number(first(get("/api/projects/").await?)?)?;
    let assessment = json!({
        "client": assessment["client"], "managed_by": assessment["managed_by"], "region_id": assessment["region_id"],
        "industry_type": assessment["industry_type"], "vertical_ids": assessment["vertical_ids"],
        "input_method": "QUESTIONNAIRE", "current_step": 1, "total_steps": 5,
    });
    let mut desk = Desk { assessment, rate_card, role, answers, ..Desk::default() };
    desk.know(Thing::Project, project);
    Ok((emails, desk))
}
