//! A server for a single test.

use std::path::PathBuf;
use std::process::Child;

use super::server::{Installation, Server};
use super::{folder, lifeline, missing, sql};

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Waits until every client has disconnected.
    Smart,
    /// Ends the clients' sessions, then shuts down in order.
    Fast,
    /// Exits at once; the next start recovers from the log.
    Immediate,
}

impl Stop {
    fn name(self) -> &'static str {
        match self {
            Self::Smart => "smart",
            Self::Fast => "fast",
            Self::Immediate => "immediate",
        }
    }
}

/// A separate PostgreSQL server in a temporary folder; stopped and removed when dropped, and when this process ends
/// in whatever way.
///
/// All calls block until they are done.
#[derive(Debug)]
pub struct Cluster {
    server: Server,
    folder: PathBuf,
    lifeline: Child,
}

impl Cluster {
    /// Starts an empty server. If PostgreSQL is not installed, prints so and returns `None`.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts an empty server with these settings of `postgresql.conf` instead of those for speed (`fsync` and
    /// `full_page_writes` are off unless turned on here).
    pub fn start_with(settings: &[(&str, &str)]) -> Option<Self> {
        let Some(installation) = Installation::find() else {
            missing();
            return None;
        };
        let folder = folder::create(&folder::root(&installation.account), &installation.account);
        let mut server = Server::new(installation, &folder, settings);
        let lifeline = lifeline::tie(&folder, &server.stop_words());
        server.create();
        server.start_anywhere();
        Some(Self {
            server,
            folder,
            lifeline,
        })
    }

    /// Starts a copy of this server, which must be stopped, as a separate server.
    #[must_use]
    pub fn copy(&self) -> Self {
        let installation = self.server.installation().clone();
        let folder = folder::create(&folder::root(&installation.account), &installation.account);
        let mut server = Server::new(installation, &folder, &[]);
        let lifeline = lifeline::tie(&folder, &server.stop_words());
        server.copy_from(&self.server);
        server.start_anywhere();
        Self {
            server,
            folder,
            lifeline,
        }
    }

    /// Starts the stopped server as a read-only standby, at the same address.
    pub fn start_again_read_only(&self) {
        self.server.make_standby();
        self.server.start();
    }

    /// Returns the address of a database; `postgres` always exists.
    pub fn url(&self, database: &str) -> String {
        self.server.url(database)
    }

    /// Creates an empty database and returns its address.
    pub fn create_database(&self, database: &str) -> String {
        sql::run(
            &self.url("postgres"),
            format!("CREATE DATABASE \"{database}\" TEMPLATE template0"),
        )
        .unwrap();
        self.url(database)
    }

    /// Stops the server and starts it again, at the same address.
    pub fn restart(&self, mode: Stop) {
        self.stop(mode);
        self.start_again();
    }

    /// Stops the server; its data are kept.
    pub fn stop(&self, mode: Stop) {
        self.server.stop(mode.name());
    }

    /// Kills the server without warning; its data are kept.
    pub fn kill(&self) {
        self.server.kill();
    }

    /// Starts the server after a stop or a kill, at the same address.
    pub fn start_again(&self) {
        self.server.start();
    }

    /// Returns the folder of the server's data and log.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.lifeline.stdin.take());
        let _ = self.lifeline.wait();
    }
}
