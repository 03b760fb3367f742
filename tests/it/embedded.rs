//! The private servers, from outside: what is kept, and what is left behind.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ddc::embedded::{Durability, Options, Servers, TemporaryFolder, served_by};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpgid};
use sqlx::{Connection, PgConnection};

const PATIENCE: Duration = Duration::from_secs(60);

fn options() -> Options {
    let mut options = Options::new(ddc::config::search_path());
    options.durability = Durability::None;
    options
}

fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        sleep(Duration::from_millis(20));
    }
}

/// The processes that a data folder's servers wrote down.
pub(crate) fn server_pids(data: &Path) -> Vec<i32> {
    ["postgres/data/postmaster.pid", "nats/nats.pid"]
        .iter()
        .filter_map(|file| fs::read_to_string(data.join(file)).ok()?.lines().next()?.trim().parse().ok())
        .collect()
}

/// Whether a process runs no more; one that has ended and is not reaped yet does not run.
fn is_gone(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| matches!(rest.trim_start().chars().next(), Some('Z' | 'X')))
}

fn wait_for_the_end_of(pids: &[i32]) {
    wait_for("the servers to be gone", || pids.iter().copied().all(is_gone));
}

/// `ddc servers run` with a command that waits; both servers are up when this returns.
fn running(data: &Path) -> Child {
    running_script(data, "exec sleep 3600")
}

fn running_script(data: &Path, script: &str) -> Child {
    let child = Command::new(env!("CARGO_BIN_EXE_ddc"))
        .args(["servers", "run", "--data"])
        .arg(data)
        .args(["--", "sh", "-c", script])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the servers to be ready", || served_by(data).unwrap().is_some_and(|(_, ready)| ready));
    child
}

async fn connect(servers: &Servers) -> PgConnection {
    PgConnection::connect(servers.database_url().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn data_outlives_a_restart_and_the_broker_wants_its_password() {
    let folder = TemporaryFolder::new().unwrap();
    let data = folder.path().join("data");
    let servers = Servers::start(&data, &options()).unwrap();
    sqlx::query("CREATE TABLE kept AS SELECT 42 AS answer").execute(&mut connect(&servers).await).await.unwrap();
    let url = ddc::config::Secret::new(servers.nats_url().unwrap());
    let (address, login) = ddc::backing::nats_login(&url).unwrap();
    login.connect(&address).await.unwrap().flush().await.unwrap();
    assert!(async_nats::connect(&address).await.is_err(), "the broker let a stranger in");
    let pids = server_pids(&data);
    assert_eq!(pids.len(), 2);
    drop(servers);
    assert!(pids.into_iter().all(is_gone));

    let servers = Servers::start(&data, &options()).unwrap();
    let answer: i32 =
        sqlx::query_scalar("SELECT answer FROM kept").fetch_one(&mut connect(&servers).await).await.unwrap();
    assert_eq!(answer, 42);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_served_folder_is_refused_to_a_second_server_and_open_to_commands() {
    let folder = TemporaryFolder::new().unwrap();
    let data = folder.path().join("data");
    let first = Servers::start(&data, &options()).unwrap();
    let refusal = Servers::start(&data, &options()).unwrap_err().to_string();
    assert!(refusal.contains("already served") && refusal.contains("DDC_DATA"), "{refusal}");
    let attached = Servers::attach(&data, &options()).unwrap();
    assert!(first.is_owner() && !attached.is_owner());
    assert_eq!(attached.database_url(), first.database_url());
    assert_eq!(attached.nats_url(), first.nats_url());
    drop(attached);
    connect(&first).await.close().await.unwrap();
    drop(first);
    assert_eq!(served_by(&data).unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_too_long_for_a_socket_is_served_all_the_same() {
    let folder = TemporaryFolder::new().unwrap();
    let data = folder.path().join("d".repeat(120)).join("with a blank & more");
    let servers = Servers::start(&data, &options()).unwrap();
    connect(&servers).await.close().await.unwrap();
}

#[test]
fn a_server_that_is_killed_is_started_again_on_the_same_address() {
    let folder = TemporaryFolder::new().unwrap();
    let data = folder.path().join("data");
    let servers = Servers::start(&data, &options()).unwrap();
    let (database, broker) = (servers.database_url().map(str::to_owned), servers.nats_url().map(str::to_owned));
    let killed = server_pids(&data);
    for pid in &killed {
        kill(Pid::from_raw(*pid), Signal::SIGKILL).unwrap();
    }
    let answers = || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async { PgConnection::connect(database.as_deref().unwrap()).await.is_ok() })
    };
    let port: u16 = broker.as_deref().unwrap().rsplit(':').next().unwrap().parse().unwrap();
    let other = |pid: &i32| !killed.contains(pid);
    wait_for("both to run again", || {
        server_pids(&data).iter().filter(|pid| other(pid)).count() == 2
            && std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
            && answers()
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs_on_after_a_kill_and_the_next_start_recovers() {
    let folder = TemporaryFolder::new().unwrap();
    let data = folder.path().join("data");
    let mut child = running(&data);
    let pids = server_pids(&data);
    assert_eq!(pids.len(), 2);
    child.kill().unwrap();
    child.wait().unwrap();
    // At once, while what was killed is still on its way out.
    let servers = Servers::start(&data, &options()).unwrap();
    wait_for_the_end_of(&pids);
    connect(&servers).await.close().await.unwrap();
}

#[test]
fn a_signal_ends_the_command_and_the_servers() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let folder = TemporaryFolder::new().unwrap();
        let data = folder.path().join("data");
        let mut child = running(&data);
        let pids = server_pids(&data);
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        let status = child.wait().unwrap();
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        // 128 + the signal that ended the command, as a shell answers.
        assert_eq!(
            status.code(),
            Some(
                128 + match signal {
                    Signal::SIGINT => 2,
                    _ => 15,
                }
            ),
            "{errors}"
        );
        assert!(pids.into_iter().all(is_gone));
    }
}

/// A script's first lines: one process in the command's group and one that has left it; then the shell's own number.
const STARTS_TWO: &str =
    "sleep 600 & one=$!; setsid sleep 600 & echo $one $! $$ > \"$PIDS.new\"; mv \"$PIDS.new\" \"$PIDS\"";

/// The processes that [`STARTS_TWO`] wrote down, once it has.
fn started(file: &Path) -> Vec<i32> {
    wait_for("the command to have started others", || file.exists());
    fs::read_to_string(file).unwrap().split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn what_a_command_leaves_in_the_background_ends_with_it() {
    let folder = TemporaryFolder::new().unwrap();
    let file = folder.path().join("pids");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ddc"));
    command.args(["servers", "run", "--", "sh", "-c", STARTS_TWO]).env("PIDS", &file);
    assert!(command.status().unwrap().success());
    let pids = started(&file);
    assert!(pids.iter().copied().all(is_gone), "{pids:?}");
}

#[test]
fn what_a_command_has_started_ends_after_a_kill() {
    let folder = TemporaryFolder::new().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("pids"));
    let script = format!("PIDS='{}'; {STARTS_TWO}; wait", file.display());
    let mut child = running_script(&data, &script);
    let pids = started(&file);
    let guard = getpgid(Some(Pid::from_raw(pids[0]))).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for("all that the command has started to be gone", || pids.iter().copied().all(is_gone));
    wait_for("the guard to be gone", || is_gone(guard.as_raw()));
}

#[test]
fn the_next_start_ends_what_no_guard_was_left_to_end() {
    let folder = TemporaryFolder::new().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("pids"));
    let script = format!("PIDS='{}'; {STARTS_TWO}; wait", file.display());
    let mut child = running_script(&data, &script);
    let pids = started(&file);
    kill(getpgid(Some(Pid::from_raw(pids[0]))).unwrap(), Signal::SIGKILL).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    // The kernel ends the command itself; nobody is there any more to end the others.
    wait_for("the command to be gone", || is_gone(pids[2]));
    assert!(!is_gone(pids[0]) && !is_gone(pids[1]));
    let mut next = running(&data);
    wait_for("the others to be gone", || pids.iter().copied().all(is_gone));
    kill(Pid::from_raw(i32::try_from(next.id()).unwrap()), Signal::SIGTERM).unwrap();
    next.wait().unwrap();
}

#[test]
fn a_start_gets_past_what_a_kill_of_every_process_leaves() {
    let folder = TemporaryFolder::new().unwrap();
    let data = folder.path().join("data");
    let mut child = running(&data);
    for pid in server_pids(&data) {
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // A number that is taken, as one of a process is that nobody reaps: this test's own.
    let lock = data.join("postgres/run/.s.PGSQL.5432.lock");
    let text = fs::read_to_string(&lock).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    fs::write(&lock, format!("{}\n{rest}", std::process::id())).unwrap();
    Servers::start(&data, &options()).unwrap();
}

#[test]
fn the_commands_exit_code_is_ours_and_it_finds_both_addresses() {
    let run = |script: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ddc"));
        command.args(["servers", "run", "--", "sh", "-c", script]).status().unwrap().code()
    };
    assert_eq!(run("test -n \"$DATABASE_URL\" && test -n \"$NATS_URL\" && exit 7"), Some(7));
    assert_eq!(run("kill -9 $$"), Some(137));
}
