//! A PostgreSQL server for the time of a measurement, with its default settings.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::leftovers::{PREFIX, SERVER};
use crate::programs::done;

/// A running server; stopped and removed when dropped.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
}

impl Cluster {
    /// Returns `true` if the server's programs are installed.
    pub fn is_installed() -> bool {
        folder_of_programs().is_some()
    }

    /// Creates an empty cluster in a temporary folder and starts a server on it.
    pub fn start() -> Result<Self, String> {
        let programs = folder_of_programs().ok_or("PostgreSQL is not installed")?;
        // Not below TMPDIR, which may be closed to others, or in /tmp, which may not be on a disk.
        let folder = PathBuf::from(format!("/var/tmp/{PREFIX}{SERVER}{}", std::process::id()));
        let made = std::fs::create_dir(&folder)
            .and_then(|()| std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)));
        made.map_err(|error| format!("{}: {error}", folder.display()))?;
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let port = listener.map_err(|error| error.to_string())?.port();
        let cluster = Self {
            programs,
            folder,
            port,
        };
        if is_root() {
            done(Command::new("chown").arg(account()).arg(&cluster.folder))?;
        }
        let mut initdb = cluster.command("initdb");
        done(initdb.args([
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--username=postgres",
        ]))?;
        let log = cluster.folder.join("log");
        let options =
            format!("-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''");
        let mut start = cluster.command("pg_ctl");
        start
            .args(["start", "--wait", "--timeout=60", "--log"])
            .arg(&log)
            .arg("--options")
            .arg(options);
        // The server keeps inherited handles: it must not inherit a pipe on which another process waits.
        start
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        match start.status() {
            Ok(status) if status.success() => Ok(cluster),
            _ => Err(std::fs::read_to_string(&log).unwrap_or_else(|error| error.to_string())),
        }
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Returns a command for a server program on this cluster, as a user other than root.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            let user = account();
            command.args([
                &format!("--reuid={user}"),
                &format!("--regid={}", group()),
                "--clear-groups",
            ]);
            command.arg("--").arg(program);
            command
        } else {
            Command::new(program)
        };
        command
            .current_dir(&self.folder)
            .env("LC_ALL", "C")
            .env("PGDATA", self.folder.join("data"));
        for name in ["PGHOST", "PGPORT", "PGUSER", "PGOPTIONS"] {
            command.env_remove(name);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = done(
            self.command("pg_ctl")
                .args(["stop", "--wait", "--mode=immediate"]),
        );
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Returns the folder in the path, or Debian's newest version.
fn folder_of_programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).find(|folder| has_programs(folder));
    found.or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
        folders.filter(|folder| has_programs(folder)).max()
    })
}

fn has_programs(folder: &Path) -> bool {
    ["initdb", "pg_ctl"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

fn is_root() -> bool {
    id(&["-u"]).as_deref() == Some("0")
}

/// Returns the user that owns the cluster if this process runs as root.
fn account() -> String {
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| id(&["-u", name]))
        .unwrap_or_default()
}

fn group() -> String {
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| id(&["-g", name]))
        .unwrap_or_default()
}

fn id(arguments: &[&str]) -> Option<String> {
    let output = Command::new("id")
        .args(arguments)
        .stderr(std::process::Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
