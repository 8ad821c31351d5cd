//! A throw-away pgbouncer in front of a PostgreSQL server.
//!
//! It needs the program `pgbouncer`: the one that `PGBOUNCER` names, or the one in `PATH` or `/usr/sbin`. Without it,
//! [`Pgbouncer::before`] prints one line and returns `None`, or panics if `REQUIRE_PGBOUNCER=1`.

use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Once;
use std::time::{Duration, Instant};

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::postgres::account::Account;
use crate::postgres::server::free_port;
use crate::postgres::{folder, lifeline};

/// How long a client keeps its server connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolMode {
    /// From connecting to disconnecting.
    Session,
    /// From the beginning to the end of each transaction.
    Transaction,
}

/// A pgbouncer, stopped and removed when dropped, and when this process ends in whatever way.
#[derive(Debug)]
pub struct Pgbouncer {
    url: String,
    lifeline: Child,
}

impl Pgbouncer {
    /// Starts a pgbouncer with its default settings in front of the server of this address. If pgbouncer is not
    /// installed, prints so and returns `None`.
    ///
    /// Blocks until it answers.
    pub fn before(url: &str, mode: PoolMode) -> Option<Self> {
        Self::before_with(url, mode, &[])
    }

    /// Starts a pgbouncer with these settings of `pgbouncer.ini` in front of the server of this address.
    pub fn before_with(url: &str, mode: PoolMode, settings: &[(&str, &str)]) -> Option<Self> {
        let Some(program) = program() else {
            missing();
            return None;
        };
        let options: PgConnectOptions = url.parse().unwrap();
        let account = Account::unprivileged();
        for _ in 0..5 {
            // Another process may take the free port before pgbouncer does.
            let port = free_port();
            let folder = folder::create(&folder::root(&account), &account);
            let file = folder.join("pgbouncer.ini");
            std::fs::write(&file, configuration(&options, port, mode, settings)).unwrap();
            let mut words = account.words(&program);
            words.push(file.into());
            let mut lifeline = lifeline::carry(&folder, &words);
            if answers(port, &mut lifeline) {
                let mut own = options.clone().host("127.0.0.1").port(port).to_url_lossy();
                // Parameters that sqlx adds, and that pgbouncer may not know.
                own.set_query(None);
                let url = own.to_string();
                return Some(Self { url, lifeline });
            }
        }
        panic!("pgbouncer does not start");
    }

    /// Returns the address of the same database behind it.
    pub fn url(&self) -> String {
        self.url.clone()
    }
}

impl Drop for Pgbouncer {
    fn drop(&mut self) {
        drop(self.lifeline.stdin.take());
        let _ = self.lifeline.wait();
    }
}

/// Returns `true` if pgbouncer supports named statements in transaction mode (`max_prepared_statements`), as versions
/// from 1.21 on do, or `None` if it is not installed.
pub fn knows_named_statements() -> Option<bool> {
    let output = Command::new(program()?).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.lines().next()?.rsplit_once(' ')?.1;
    let mut numbers = version.split('.').map_while(|number| number.parse().ok());
    let version: (u32, u32) = (numbers.next()?, numbers.next()?);
    Some(version >= (1, 21))
}

fn program() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("PGBOUNCER") {
        return Some(PathBuf::from(given)).filter(|program| program.is_file());
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.is_file())
}

/// Prints once per process which tests are not run; panics if they are required.
fn missing() {
    const TOLD: &str = "PGBOUNCER TESTS NOT RUN: no pgbouncer found; install it with \
                        `apt-get install pgbouncer`, or name the program in PGBOUNCER";
    static ONCE: Once = Once::new();
    let required = std::env::var("REQUIRE_PGBOUNCER").is_ok_and(|value| value == "1");
    assert!(!required, "{TOLD}");
    ONCE.call_once(|| println!("{TOLD}"));
}

/// Every client may connect, as the user of the server's address. Settings that are not given keep pgbouncer's
/// defaults, including those for start-up parameters and prepared statements.
fn configuration(
    options: &PgConnectOptions,
    port: u16,
    mode: PoolMode,
    settings: &[(&str, &str)],
) -> String {
    let url = options.to_url_lossy();
    let password = url
        .password()
        .map(|password| format!(" password={password}"));
    let mode = match mode {
        PoolMode::Session => "session",
        PoolMode::Transaction => "transaction",
    };
    let mut text = format!(
        "[databases]\n* = host={} port={} user={}{}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
         listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\n",
        options.get_host(),
        options.get_port(),
        options.get_username(),
        password.unwrap_or_default(),
    );
    for (name, value) in settings {
        text.extend([name, " = ", value, "\n"]);
    }
    text
}

/// Returns `true` if it accepts a connection before it ends.
fn answers(port: u16, lifeline: &mut Child) -> bool {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return true;
        }
        if !matches!(lifeline.try_wait(), Ok(None)) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}
