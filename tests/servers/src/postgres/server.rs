//! A server's programs, data and port.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::account::Account;
use super::programs;

/// The superuser of every cluster; it needs no password.
const SUPERUSER: &str = "postgres";

/// Paths of sockets are at most about a hundred bytes long, wherever they lie.
const LONGEST_SOCKET_FOLDER: usize = 80;

/// Where a server's programs are, and whose its processes are.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    programs: PathBuf,
    pub(super) account: Account,
}

impl Installation {
    /// What is installed here; `None` without the server's programs.
    pub(super) fn find() -> Option<Self> {
        Some(Self {
            programs: programs::folder()?,
            account: Account::unprivileged(),
        })
    }
}

/// A cluster's data in a folder, and the port that its server listens on.
#[derive(Debug)]
pub(super) struct Server {
    installation: Installation,
    folder: PathBuf,
    port: u16,
    settings: Vec<(String, String)>,
}

/// Fast, and safe against all but the end of the machine: no crash of a process loses a commit.
const SETTINGS: [(&str, &str); 8] = [
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("max_connections", "300"),
    ("shared_buffers", "32MB"),
    ("listen_addresses", "127.0.0.1"),
    ("log_min_messages", "warning"),
    ("timezone", "UTC"),
    ("jit", "off"),
];

impl Server {
    /// A server to be, in a folder of the account.
    pub(super) fn new(
        installation: Installation,
        folder: &Path,
        settings: &[(&str, &str)],
    ) -> Self {
        Self {
            installation,
            folder: folder.to_owned(),
            port: free_port(),
            settings: SETTINGS
                .iter()
                .chain(settings)
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    /// Makes the data of an empty cluster.
    pub(super) fn create(&self) {
        let mut initdb = self.command("initdb");
        initdb
            .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"])
            .arg(format!("--username={SUPERUSER}"))
            .arg("--pgdata")
            .arg(self.data());
        done(&mut initdb).unwrap_or_else(|problem| panic!("{problem}"));
    }

    /// Makes the data those of another server, which is stopped.
    pub(super) fn copy_from(&self, other: &Self) {
        let mut copy = self.installation.account.command("cp", &self.folder);
        copy.arg("-R").arg(other.data()).arg(self.data());
        done(&mut copy).unwrap_or_else(|problem| panic!("{problem}"));
    }

    /// Makes the next start that of a standby.
    pub(super) fn make_standby(&self) {
        let mut touch = self.installation.account.command("touch", &self.folder);
        touch.arg(self.data().join("standby.signal"));
        done(&mut touch).unwrap_or_else(|problem| panic!("{problem}"));
    }

    pub(super) fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Where the data lie, as the server tells it, too.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The address of a database.
    pub(super) fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Starts the server on a port that is free.
    pub(super) fn start_anywhere(&mut self) {
        // Another process may take a free port before the server does.
        let mut problem = String::new();
        for _ in 0..5 {
            match self.try_start() {
                Ok(()) => return,
                Err(told) => problem = told,
            }
            self.port = free_port();
        }
        panic!("{problem}");
    }

    /// Starts the server on the port it had.
    pub(super) fn start(&self) {
        // After a kill, the next start is refused until the last of the old processes has gone.
        let mut problem = String::new();
        for _ in 0..20 {
            match self.try_start() {
                Ok(()) => return,
                Err(told) => problem = told,
            }
            std::thread::sleep(std::time::Duration::from_millis(250));
        }
        panic!("{problem}");
    }

    fn try_start(&self) -> Result<(), String> {
        let log = self.folder.join("log");
        let mut start = self.command("pg_ctl");
        start
            .args(["start", "--wait", "--timeout=60", "--pgdata"])
            .arg(self.data())
            .arg("--log")
            .arg(&log)
            .arg("--options")
            .arg(self.options());
        done(&mut start).map_err(|problem| {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            format!("{problem}{log}")
        })
    }

    fn options(&self) -> String {
        let sockets = match self.folder.to_str() {
            Some(folder) if folder.len() <= LONGEST_SOCKET_FOLDER => folder,
            _ => "",
        };
        let settings = self
            .settings
            .iter()
            .map(|(name, value)| format!("-c {name}='{value}'"));
        let own = [
            format!("-c port={}", self.port),
            format!("-c unix_socket_directories='{sockets}'"),
        ];
        settings.chain(own).collect::<Vec<_>>().join(" ")
    }

    /// Stops the server and waits for its end.
    pub(super) fn stop(&self, mode: &str) {
        let mut stop = self.command("pg_ctl");
        stop.args(["stop", "--wait", "--timeout=60", "--mode", mode, "--pgdata"])
            .arg(self.data());
        done(&mut stop).unwrap_or_else(|problem| panic!("{problem}"));
    }

    /// Kills the server's first process; the others end when they see it gone.
    pub(super) fn kill(&self) {
        let file = self.data().join("postmaster.pid");
        let text = std::fs::read_to_string(file).expect("a server that runs can be killed");
        let pid = text.lines().next().unwrap();
        done(Command::new("kill").args(["-KILL", pid])).unwrap();
    }

    /// The words of a command that stops the server at once, whatever it does.
    pub(super) fn stop_words(&self) -> Vec<OsString> {
        let pg_ctl = self.installation.programs.join("pg_ctl");
        let mut words = self.installation.account.words(pg_ctl);
        words.extend(["stop", "--mode", "immediate", "--pgdata"].map(OsString::from));
        words.push(self.data().into());
        words
    }

    fn command(&self, program: &str) -> Command {
        let Installation { programs, account } = &self.installation;
        account.command(programs.join(program), &self.folder)
    }
}

/// Runs a command to its end; fails with what it said.
fn done(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    Err(format!("{command:?}: {}\n{out}{err}", output.status))
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
