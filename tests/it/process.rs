//! Nodes as processes of their own, which can be killed and paused.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::harness::{ADMIN, PASSWORD};

/// A process that is killed when the test ends, however it ends.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.0.id()).unwrap()), signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A `ddc serve` that can be started again and again.
pub(crate) struct Server {
    pub(crate) address: String,
    environment: Vec<(&'static str, String)>,
}

impl Server {
    pub(crate) fn new(database_url: &str, nats_url: &str, stream: &str, data: &Path) -> Self {
        let listen = format!("127.0.0.1:{}", free_port());
        let environment = [
            ("DATABASE_URL", database_url),
            ("NATS_URL", nats_url),
            ("DDC_STREAM", stream),
            ("DDC_DATA", data.to_str().unwrap()),
            ("DDC_LISTEN", &listen),
            ("SECRET_KEY", "a secret key for the tests only"),
            ("DDC_MASTER_KEY", "a master key for the tests only"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        Self { address: format!("http://{listen}"), environment }
    }

    pub(crate) fn create_admin(&self) {
        let mut command = self.command();
        let made = command.args(["create_admin", "--email", ADMIN, "--password", PASSWORD]).status().unwrap();
        assert!(made.success());
    }

    pub(crate) fn start(&self) -> Process {
        let mut command = self.command();
        command.arg("serve");
        Process::start(command)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ddc"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}
