//! A server's programs, data and port.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::account::Account;
use super::programs;

/// The superuser of every cluster; it needs no password.
const SUPERUSER: &str = "postgres";

/// Paths of sockets are limited to about a hundred bytes.
const LONGEST_SOCKET_FOLDER: usize = 80;

/// The location of a server's programs, and the account of its processes.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    programs: PathBuf,
    pub(super) account: Account,
}

impl Installation {
    /// Returns the installation on this machine, or `None` if the server's programs are missing.
    pub(super) fn find() -> Option<Self> {
        Some(Self {
            programs: programs::folder()?,
            account: Account::unprivileged(),
        })
    }
}

/// The data of a cluster in a folder, and the port of its server.
#[derive(Debug)]
pub(super) struct Server {
    installation: Installation,
    folder: PathBuf,
    port: u16,
    settings: Vec<(String, String)>,
}

/// Fast, and safe unless the machine itself fails: no crash of a process loses a commit.
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
    /// Prepares a server in a folder of the account, without starting it.
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

    /// Creates the data of an empty cluster.
    pub(super) fn create(&self) {
        let mut initdb = self.command("initdb");
        initdb
            .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"])
            .arg(format!("--username={SUPERUSER}"))
            .arg("--pgdata")
            .arg(self.data());
        done(&mut initdb).unwrap_or_else(|problem| panic!("{problem}"));
    }

    /// Copies the data of another, stopped server.
    pub(super) fn copy_from(&self, other: &Self) {
        let mut copy = self.installation.account.command("cp", &self.folder);
        copy.arg("-R").arg(other.data()).arg(self.data());
        done(&mut copy).unwrap_or_else(|problem| panic!("{problem}"));
    }

    /// Makes the server start as a standby next time.
    pub(super) fn make_standby(&self) {
        let mut touch = self.installation.account.command("touch", &self.folder);
        touch.arg(self.data().join("standby.signal"));
        done(&mut touch).unwrap_or_else(|problem| panic!("{problem}"));
    }

    pub(super) fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Returns the folder of the data, with the path that the server reports.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Returns the address of a database.
    pub(super) fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Starts the server on a free port.
    pub(super) fn start_anywhere(&mut self) {
        // Another process may take the free port before the server does.
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

    /// Starts the server on its previous port.
    pub(super) fn start(&self) {
        // After a kill, starting fails until the last of the old processes is gone.
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

    /// Kills the server's main process; the others exit when they notice.
    pub(super) fn kill(&self) {
        let file = self.data().join("postmaster.pid");
        let text = std::fs::read_to_string(file).expect("a server that runs can be killed");
        let pid = text.lines().next().unwrap();
        done(Command::new("kill").args(["-KILL", pid])).unwrap();
    }

    /// Returns the words of a command that stops the server at once, whatever it is doing.
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

/// Runs a command to its end; an error contains its output.
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
