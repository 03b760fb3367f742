//! A private PostgreSQL: reached only through a socket in a folder that nobody else may enter.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, mkdtemp};

use super::child::{self, Child, POLL, Stage};
use super::files;
use super::programs::{Account, PostgresPrograms};
use super::{Durability, Options, log};

const USER: &str = "ddc";
const DATABASE: &str = "ddc";
const SOCKET: &str = ".s.PGSQL.5432";
/// The longest path that a Unix socket address can hold (`sun_path` less its closing zero).
const SOCKET_PATH_LONGEST: usize = 107;
/// Recovery after a crash replays at most about `max_wal_size`; this is far beyond what that takes.
const START_PATIENCE: Duration = Duration::from_secs(600);
/// How much of what a backend has freed it keeps, in bytes: by default it gives all but 128 kB back to the system after
/// each statement, and takes it again for the next page of a list, at half of that page's cost.
const KEPT: [(&str, &str); 2] = [("MALLOC_TRIM_THRESHOLD_", "4194304"), ("MALLOC_TOP_PAD_", "524288")];
/// Fast shutdown, then immediate (the next start recovers).
const STAGES: &[Stage] = &[(Signal::SIGINT, Duration::from_secs(20)), (Signal::SIGQUIT, Duration::from_secs(5))];

/// A data folder that is ready to be served.
#[derive(Debug)]
pub(super) struct Postgres {
    home: Home,
    sockets: PathBuf,
    programs: PostgresPrograms,
    account: Option<Account>,
    password: String,
    log: PathBuf,
    durability: Durability,
    preload: Option<PathBuf>,
    settings: Vec<String>,
}

impl Postgres {
    /// Finds the programs, and makes the data folder when there is none yet.
    ///
    /// # Errors
    /// When the programs are missing, or the folder cannot be made.
    pub(super) fn prepare(data_dir: &Path, options: &Options) -> Result<Self> {
        let Options { search, durability, preload, settings, .. } = options.clone();
        let account = Account::for_postgres()?;
        let home = Home::open(&data_dir.join("postgres"), account)?;
        let written_by = fs::read_to_string(home.path.join("data/PG_VERSION")).ok();
        let wanted = written_by.map(|text| text.trim().parse()).transpose().context("PG_VERSION is unreadable")?;
        let programs = PostgresPrograms::find(&search, account, wanted)?;
        let password = files::secret(&data_dir.join("postgres.password"))?;
        let sockets = home.sockets(account)?;
        let log = data_dir.join("logs/postgres.log");
        let postgres = Self { home, sockets, programs, account, password, log, durability, preload, settings };
        if wanted.is_none() {
            postgres.make_data().context("the private PostgreSQL's data folder cannot be made")?;
        }
        Ok(postgres)
    }

    /// The address in the form that sqlx and libpq understand.
    pub(super) fn url(&self) -> String {
        let host = percent_encoded(&self.sockets.to_string_lossy());
        format!("postgres:///{DATABASE}?host={host}&port=5432&user={USER}&password={}", self.password)
    }

    /// Starts the server and waits until it takes connections; recovers first when it was killed.
    ///
    /// # Errors
    /// When it ends or is not ready in time; the message holds the end of its log.
    pub(super) fn start(&self) -> Result<Child> {
        self.clear_left_over()?;
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.home.inside("data"));
        for setting in self.settings() {
            command.arg("-c").arg(setting);
        }
        if let Some(library) = &self.preload {
            command.env("LD_PRELOAD", library);
        }
        let log = log::open(&self.log)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut child = Child::spawn("postgres", &mut command, STAGES)?;
        let deadline = Instant::now() + START_PATIENCE;
        while !self.is_ready(child.id()) {
            if let Some(status) = child.exited() {
                bail!("the private PostgreSQL ended ({status}) while it started:\n{}", log::tail(&self.log));
            }
            ensure!(Instant::now() < deadline, "the private PostgreSQL is not ready:\n{}", log::tail(&self.log));
            std::thread::sleep(POLL);
        }
        Ok(child)
    }

    fn settings(&self) -> Vec<String> {
        let sockets =
            if self.sockets.starts_with(&self.home.path) { self.home.inside("run") } else { self.sockets.clone() };
        let mut settings = vec![
            "listen_addresses=".to_owned(),
            format!("unix_socket_directories={}", sockets.display()),
            "unix_socket_permissions=0700".to_owned(),
            "max_connections=200".to_owned(),
            "shared_buffers=256MB".to_owned(),
            "max_wal_size=1GB".to_owned(),
            "log_line_prefix=%m [%p] ".to_owned(),
            "timezone=UTC".to_owned(),
            "log_timezone=UTC".to_owned(),
        ];
        if self.durability == Durability::None {
            let fast = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
            settings.extend(fast.map(str::to_owned));
        }
        settings.extend_from_slice(&self.settings);
        settings
    }

    fn is_ready(&self, pid: u32) -> bool {
        let Ok(text) = fs::read_to_string(self.home.path.join("data/postmaster.pid")) else { return false };
        let mut lines = text.lines();
        let ours = lines.next().is_some_and(|line| line.trim() == pid.to_string());
        let ready = lines.nth(6).is_some_and(|line| line.trim() == "ready");
        ours && ready && UnixStream::connect(self.sockets.join(SOCKET)).is_ok()
    }

    /// Clears away what a killed server leaves behind: processes, and files that hold the number of one. That number may
    /// belong to somebody else by now, or to a process that has ended and that nobody reaps: PostgreSQL would refuse
    /// to start.
    fn clear_left_over(&self) -> Result<()> {
        let data = self.home.path.join("data");
        for pid in working_in(&data) {
            child::stop_orphan("postgres", pid, STAGES)?;
        }
        for file in [data.join("postmaster.pid"), self.sockets.join(format!("{SOCKET}.lock"))] {
            files::remove_if_there(&file).with_context(|| format!("{} cannot be removed", file.display()))?;
        }
        Ok(())
    }

    /// Makes the data beside its final place and moves it there when it is whole, so that a kill half-way through
    /// leaves nothing that looks usable.
    fn make_data(&self) -> Result<()> {
        let new = self.home.path.join("data.new");
        if new.exists() {
            fs::remove_dir_all(&new)?;
        }
        let password_file = self.home.path.join("password.new");
        files::write_private(&password_file, &self.password)?;
        self.home.give(&password_file, self.account)?;
        let mut initdb = self.command("initdb");
        initdb.arg("-D").arg(self.home.inside("data.new"));
        initdb.arg("--pwfile").arg(self.home.inside("password.new"));
        initdb.args(["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"]);
        // The same order, of which the server knows that it need not ask the system's library for each comparison.
        initdb.args(["--lc-collate", "C"]);
        if self.durability == Durability::None {
            initdb.arg("--no-sync");
        }
        let made = run(&mut initdb, "");
        fs::remove_file(&password_file)?;
        made?;
        let mut single = self.command("postgres");
        single.arg("--single").arg("-D").arg(self.home.inside("data.new")).arg("postgres");
        run(&mut single, &format!("CREATE DATABASE {DATABASE}\n"))?;
        fs::rename(&new, self.home.path.join("data"))?;
        Ok(())
    }

    /// One of PostgreSQL's programs, run as its account, in an environment that no `PG…` variable reaches.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.program(program));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8").envs(KEPT).current_dir("/");
        Account::apply(self.account, &mut command);
        child::tie_to_this_thread(&mut command, Signal::SIGINT, self.home.handle.clone());
        command
    }
}

/// The folder that holds data and sockets, as we and as the server see it.
///
/// When we are root the server runs under another account, which often cannot reach the folder at all (a checkout
/// under `/root`). It is then given an open handle of the folder and finds everything through `/proc/self/fd`,
/// where only the folder's own permissions count.
#[derive(Debug)]
struct Home {
    path: PathBuf,
    handle: Option<Arc<File>>,
}

impl Home {
    fn open(path: &Path, account: Option<Account>) -> Result<Self> {
        files::private_folder(path)?;
        let path = fs::canonicalize(path)?;
        let handle = match account {
            Some(_) => Some(Arc::new(File::open(&path)?)),
            None => None,
        };
        let home = Self { path, handle };
        home.give(&home.path, account)?;
        Ok(home)
    }

    /// The path of `name` for a program that has inherited our handle.
    fn inside(&self, name: &str) -> PathBuf {
        match &self.handle {
            Some(handle) => PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd())).join(name),
            None => self.path.join(name),
        }
    }

    fn give(&self, path: &Path, account: Option<Account>) -> Result<()> {
        if let Some(Account { uid, gid }) = account {
            chown(path, Some(uid.as_raw()), Some(gid.as_raw()))
                .with_context(|| format!("{} cannot be given to PostgreSQL's account", path.display()))?;
        }
        Ok(())
    }

    /// Where the socket is: in the folder, or under `/tmp` when the folder's path is too long for a socket address.
    /// The place chosen is remembered, so that a kill leaves at most one folder, which the next start takes again.
    fn sockets(&self, account: Option<Account>) -> Result<PathBuf> {
        let run = self.path.join("run");
        if run.join(SOCKET).as_os_str().len() <= SOCKET_PATH_LONGEST {
            files::private_folder(&run)?;
            self.give(&run, account)?;
            return Ok(run);
        }
        let note = self.path.join("socket-folder");
        let owner = account.map_or_else(nix::unistd::geteuid, |account| account.uid).as_raw();
        if let Some(known) = fs::read_to_string(&note).ok().map(PathBuf::from) {
            let _ = fs::DirBuilder::new().mode(0o700).create(&known).and_then(|()| chown(&known, Some(owner), None));
            // It stands where anybody may write: only a real folder that is ours alone will do.
            let ours = |it: &fs::Metadata| it.is_dir() && it.uid() == owner && it.permissions().mode() & 0o077 == 0;
            if fs::symlink_metadata(&known).is_ok_and(|it| ours(&it)) {
                return Ok(known);
            }
        }
        let made = mkdtemp("/tmp/ddc-XXXXXX").context("no folder for PostgreSQL's socket can be made under /tmp")?;
        self.give(&made, account)?;
        fs::write(&note, made.to_string_lossy().as_bytes())?;
        Ok(made)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if !self.sockets.starts_with(&self.home.path) {
            // Empty once the server has stopped; if it has not, the folder must stay.
            let _ = fs::remove_dir(&self.sockets);
        }
    }
}

/// The PostgreSQL processes that serve a data folder: each works in it, also one whose postmaster was killed.
fn working_in(data: &Path) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let serves = |process: &Path| {
        fs::read_link(process.join("cwd")).is_ok_and(|folder| folder == data)
            && fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim() == "postgres")
    };
    let serving = entries.filter(|entry| serves(&entry.path()));
    serving.filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw)).collect()
}

/// Runs a program to its end with `input`; what it printed is the error's text.
fn run(command: &mut Command, input: &str) -> Result<()> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().with_context(|| format!("cannot be started: {command:?}"))?;
    if let Some(mut stdin) = process.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = process.wait_with_output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    // Single-user mode exits with success even when its statement failed.
    ensure!(output.status.success() && !errors.contains("ERROR:"), "{command:?} failed ({}): {errors}", output.status);
    Ok(())
}

/// Every byte that is not plainly allowed in a query value, as `%XX`.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn a_folder_name_with_odd_characters_survives_in_the_address() {
        assert_eq!(percent_encoded("/srv/my data/é&?%"), "/srv/my%20data/%C3%A9%26%3F%25");
    }
}
