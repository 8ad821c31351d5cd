//! A server for one test alone.

use std::path::PathBuf;
use std::process::Child;

use super::server::{Installation, Server};
use super::{folder, lifeline, missing, sql};

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Waits until every client has gone.
    Smart,
    /// Ends the clients' sessions, then closes in order.
    Fast,
    /// Ends at once; the next start recovers from the log.
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

/// A PostgreSQL server of its own, in a temporary folder; stopped and removed when dropped, and when
/// this process ends in whatever way.
///
/// All calls block until they are done.
#[derive(Debug)]
pub struct Cluster {
    server: Server,
    folder: PathBuf,
    lifeline: Child,
}

impl Cluster {
    /// Starts an empty server; `None` where PostgreSQL is not installed, after saying so.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts an empty server with settings of `postgresql.conf` that differ from those for speed
    /// (`fsync` and `full_page_writes` are off unless turned on here).
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

    /// Starts a copy of this server, which was stopped, as a server of its own.
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

    /// Starts the server after a stop as a standby, which can only be read, at the same address.
    pub fn start_again_read_only(&self) {
        self.server.make_standby();
        self.server.start();
    }

    /// The address of a database; `postgres` is there from the start.
    pub fn url(&self, database: &str) -> String {
        self.server.url(database)
    }

    /// Makes an empty database and returns its address.
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

    /// Stops the server; its data stay.
    pub fn stop(&self, mode: Stop) {
        self.server.stop(mode.name());
    }

    /// Kills the server without warning; its data stay.
    pub fn kill(&self) {
        self.server.kill();
    }

    /// Starts the server after a stop or a kill, at the same address.
    pub fn start_again(&self) {
        self.server.start();
    }

    /// The folder that holds the server's data and its log.
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
