//! What is tortured: one PostgreSQL, one NATS and a mail server, with two nodes on them.

use std::{
    collections::HashMap,
    fs,
    io::{self, Write},
    net::{IpAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, ensure};
use ddc::embedded::{Durability, Options, Servers, TemporaryFolder};
use mailin_embedded::{Handler, Response, Server, SslConfig, response};

/// The ADMIN of the installation, and the password of everybody in it.
pub(crate) const ADMIN: &str = "admin@torture.test";
pub(crate) const PASSWORD: &str = "a long enough password";

/// Mails as they were accepted, by the `Message-ID` that says which mail of the log it is.
#[derive(Clone, Default)]
pub(crate) struct Inbox {
    pub(crate) mails: Arc<Mutex<HashMap<String, u32>>>,
    current: Vec<u8>,
}

impl Handler for Inbox {
    fn mail(&mut self, _: IpAddr, _: &str, _: &str) -> Response {
        self.current.clear();
        response::OK
    }

    fn data(&mut self, part: &[u8]) -> io::Result<()> {
        self.current.extend_from_slice(part);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let text = String::from_utf8_lossy(&self.current);
        let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default();
        *self.mails.lock().unwrap_or_else(PoisonError::into_inner).entry(id.trim().to_owned()).or_default() += 1;
        response::OK
    }
}

impl Inbox {
    /// Listens until the process ends; answers the address.
    pub(crate) fn listen(&self) -> Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let mut server = Server::new(self.clone());
        let named = server.with_name("mail.torture.test").with_ssl(SslConfig::None);
        named.map_err(|error| anyhow::anyhow!("{error}"))?.with_tcp_listener(listener);
        std::thread::spawn(move || drop(server.serve()));
        Ok(format!("smtp://{address}"))
    }
}

/// A node: a `ddc serve` that is killed, stopped, and started again.
pub(crate) struct Node {
    pub(crate) name: &'static str,
    pub(crate) address: String,
    environment: Vec<(&'static str, String)>,
    log: PathBuf,
    child: Option<Child>,
}

impl Node {
    pub(crate) fn start(&mut self) -> Result<()> {
        let log = fs::OpenOptions::new().create(true).append(true).open(&self.log)?;
        self.child = Some(serve_command(&self.environment).stderr(log).spawn()?);
        Ok(())
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        if let Some(child) = &self.child {
            signal_to(child.id(), signal);
        }
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// A node that ended by itself: nothing that is done to it from outside may bring that about.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().ok().flatten().is_some())
    }

    pub(crate) fn log(&self) -> &Path {
        &self.log
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn signal_to(pid: u32, signal: nix::sys::signal::Signal) {
    if let Ok(pid) = i32::try_from(pid) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal);
    }
}

fn ddc_command(environment: &[(&'static str, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ddc"));
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

/// A `ddc serve` that ends with this process.
fn serve_command(environment: &[(&'static str, String)]) -> Command {
    let mut command = ddc_command(environment);
    command.args(["--stop-with-parent", &std::process::id().to_string(), "serve"]).stdout(Stdio::null());
    command
}

/// A small file system of its own for the servers' data, which can be filled.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where mounting is not allowed.
    fn mount(folder: &Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1g,mode=0755", "tmpfs"])
            .arg(folder)
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(folder.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// The whole installation. The order of the fields is the order in which it is taken down.
pub(crate) struct Cluster {
    pub(crate) nodes: [Node; 2],
    pub(crate) inbox: Inbox,
    pub(crate) database_url: String,
    servers: Servers,
    disk: Option<SmallDisk>,
    data: PathBuf,
    folder: TemporaryFolder,
    environment: Vec<(&'static str, String)>,
}

impl Cluster {
    /// Starts the servers and plays one engagement on the first node, so that there is something to work on.
    pub(crate) fn start() -> Result<Self> {
        let folder = TemporaryFolder::new()?;
        let data = folder.path().join("servers");
        fs::create_dir(&data)?;
        let disk = SmallDisk::mount(&data);
        let mut options = Options::new(ddc::config::search_path());
        options.durability = Durability::Full;
        let servers = Servers::start(&data, &options)?;
        let database_url = servers.database_url().context("no PostgreSQL")?.to_owned();
        let nats_url = servers.nats_url().context("no NATS")?.to_owned();
        let inbox = Inbox::default();
        let environment = vec![
            ("DATABASE_URL", database_url.clone()),
            ("NATS_URL", nats_url),
            ("SECRET_KEY", "a secret key for the torture only".to_owned()),
            ("DDC_MASTER_KEY", "a master key for the torture only".to_owned()),
            ("DDC_LOG", "json".to_owned()),
            ("MAIL_RETRY_SECS", "2".to_owned()),
        ];
        let smtp = inbox.listen()?;
        let [one, two] = ["one", "two"].map(|name| node(name, folder.path(), &environment, &smtp));
        let nodes = [one?, two?];
        Ok(Self { nodes, inbox, database_url, servers, disk, data, folder, environment })
    }

    /// Runs a `ddc` command beside the nodes; answers whether it said that all is well, and what it said.
    pub(crate) fn ddc(&self, arguments: &[&str]) -> Result<(bool, String)> {
        let done = ddc_command(&self.environment)
            .env("DDC_DATA", self.folder.path().join("command"))
            .args(arguments)
            .output()
            .with_context(|| format!("ddc {arguments:?} cannot be run"))?;
        let told = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        Ok((done.status.success(), told))
    }

    /// One engagement as `ddc demo` plays it. Mails go to files for that long: the demo reads one.
    pub(crate) fn play_engagement(&self) -> Result<()> {
        let (made, told) = self.ddc(&["create_admin", "--email", ADMIN, "--password", PASSWORD])?;
        ensure!(made, "{told}");
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let (home, address) = (self.folder.path().join("stage"), format!("127.0.0.1:{port}"));
        let mut stage = serve_command(&self.environment)
            .env("DDC_DATA", &home)
            .env("DDC_LISTEN", &address)
            .stderr(Stdio::null())
            .spawn()?;
        while std::net::TcpStream::connect(&address).is_err() {
            ensure!(stage.try_wait()?.is_none(), "the first node ended by itself");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let outbox = home.join("outbox").to_string_lossy().into_owned();
        let server = format!("http://{address}");
        let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/demo");
        let played = self.ddc(&[
            "demo",
            "--server",
            &server,
            "--admin-email",
            ADMIN,
            "--password",
            PASSWORD,
            "--dir",
            demo,
            "--outbox",
            &outbox,
        ]);
        signal_to(stage.id(), nix::sys::signal::Signal::SIGTERM);
        stage.wait()?;
        let (well, told) = played?;
        ensure!(well, "the engagement could not be played:\n{told}");
        Ok(())
    }

    /// The processes of one of the servers: the children of this process with that name.
    pub(crate) fn processes(&self, program: &str) -> Vec<u32> {
        let of_ours = |pid: &u32| {
            let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
            let Some((name, rest)) = stat.rsplit_once(')') else { return false };
            let parent = rest.split_whitespace().nth(1).and_then(|parent| parent.parse().ok());
            name.ends_with(&format!("({program}")) && parent == Some(std::process::id())
        };
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        all.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok()).filter(of_ours).collect()
    }

    /// Removes all that the stopped NATS had stored.
    pub(crate) fn wipe_nats(&self) -> Result<()> {
        remove_jetstream(&self.data.join("nats"))
    }

    /// Fills the servers' disk; what it gives back empties it again when dropped. `None` where it cannot be done.
    pub(crate) fn fill_disk(&self) -> Option<Filler> {
        self.disk.as_ref()?;
        let path = self.data.join("filler");
        let mut file = fs::File::create(&path).ok()?;
        let block = vec![0_u8; 1 << 16];
        while file.write_all(&block).is_ok() {}
        Some(Filler(path))
    }

    pub(crate) fn can_fill_disk(&self) -> bool {
        self.disk.is_some()
    }

    pub(crate) fn nats_url(&self) -> Option<&str> {
        self.servers.nats_url()
    }
}

/// What fills the disk.
pub(crate) struct Filler(PathBuf);

impl Drop for Filler {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn remove_jetstream(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        if entry.file_name() == "jetstream" {
            fs::remove_dir_all(entry.path())?;
        } else if entry.file_type()?.is_dir() {
            remove_jetstream(&entry.path())?;
        }
    }
    Ok(())
}

fn node(name: &'static str, folder: &Path, environment: &[(&'static str, String)], smtp: &str) -> Result<Node> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let home = folder.join(name);
    fs::create_dir(&home)?;
    let mut environment = environment.to_vec();
    environment.push(("DDC_DATA", home.to_string_lossy().into_owned()));
    environment.push(("DDC_LISTEN", format!("127.0.0.1:{port}")));
    environment.push(("SMTP_URL", smtp.to_owned()));
    let address = format!("http://127.0.0.1:{port}");
    Ok(Node { name, address, environment, log: home.join("log"), child: None })
}
