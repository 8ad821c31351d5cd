//! Settings from the environment.

use std::env;
use std::net::SocketAddr;

use anyhow::{Context, bail};
use scheduler_axum::Access;
use scheduler_core::Zone;

/// The settings, each with a default that is suitable for trying it out.
pub(crate) struct Settings {
    /// `DATABASE_URL`: a SQLite or PostgreSQL database; by default a SQLite file in the current folder.
    pub(crate) database_url: String,
    /// `LISTEN`: by default only reachable from this machine.
    pub(crate) listen: SocketAddr,
    /// `TIME_ZONE`: for schedules that name none; UTC by default.
    pub(crate) time_zone: Zone,
    /// `SCHEDULER_TOKEN`: the token that the page asks for.
    token: Option<String>,
    /// `SCHEDULER_READ_TOKEN`: a token for read-only access.
    read_token: Option<String>,
}

impl Settings {
    pub(crate) fn from_env() -> anyhow::Result<Self> {
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let listen = set("LISTEN").unwrap_or_else(|| "127.0.0.1:8080".to_owned());
        let listen: SocketAddr = listen
            .parse()
            .with_context(|| format!("LISTEN is `{listen}`: write an address and a port"))?;
        let time_zone = set("TIME_ZONE").unwrap_or_else(|| "UTC".to_owned());
        let settings = Self {
            database_url: set("DATABASE_URL").unwrap_or_else(|| "sqlite://web_app.db".to_owned()),
            listen,
            time_zone: time_zone.parse().context("TIME_ZONE")?,
            token: set("SCHEDULER_TOKEN"),
            read_token: set("SCHEDULER_READ_TOKEN"),
        };
        if settings.token.is_none() && !listen.ip().is_loopback() {
            bail!(
                "{listen} can be reached by others: set SCHEDULER_TOKEN to a secret of 16 bytes or more"
            );
        }
        Ok(settings)
    }

    /// Returns who has access: the holders of a token, or every process on this machine if there is none.
    pub(crate) fn access(&self) -> anyhow::Result<Access> {
        let Some(token) = &self.token else {
            return Ok(Access::open());
        };
        let access = Access::bearer(token).context("SCHEDULER_TOKEN")?;
        match &self.read_token {
            Some(token) => access.and_read_only(token).context("SCHEDULER_READ_TOKEN"),
            None => Ok(access),
        }
    }
}
