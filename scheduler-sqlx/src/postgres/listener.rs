//! Hearing of changes as soon as they are committed.
//!
//! A connection that listens may still receive nothing: a pooler in transaction mode accepts `LISTEN` and
//! forwards no notification to the connection that sent it. So the listener notifies itself through the
//! store's pool, and counts as listening once that notification has arrived. This also proves that
//! `listen_url` is an address of the same database.

use std::time::Duration;

use scheduler_core::NodeId;

use super::connect::ACQUIRE;
use super::sessions::{Sessions, are_shared};
use crate::instant::from_micros;
use crate::own_connection::{one, pool_of_one};
use crate::sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use crate::sqlx::{self, AssertSqlSafe, PgPool};
use crate::wakes::Listener;

/// How long it may be quiet before the connection is tried.
const QUIET: Duration = Duration::from_secs(15);
/// How long the answer to that may take.
const ANSWER: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long a connection without notifications is left alone: poolers seldom change.
const DEAF_PAUSE: Duration = Duration::from_secs(60);

/// Why no changes are received.
enum Trouble {
    /// The connection failed.
    Lost(sqlx::Error),
    /// It works, and notifications do not arrive.
    Deaf,
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Lost(error)
    }
}

/// Where to listen, and for what.
pub(crate) struct Listening {
    /// The store's connections.
    pub(crate) pool: PgPool,
    /// An address of its own, past a pooler.
    pub(crate) at: Option<PgConnectOptions>,
    pub(crate) sessions: Sessions,
    pub(crate) channel: String,
}

/// Listens on a connection of its own, in a task that ends when there is no driver to be woken.
pub(crate) fn listen(listening: Listening, mut listener: Listener) {
    tokio::spawn(async move {
        let mut pause = FIRST_PAUSE;
        let mut is_known_deaf = false;
        while listener.is_wanted() {
            let mut heard = false;
            let Err(trouble) = listening.hear(&mut listener, &mut heard).await else {
                return;
            };
            if heard {
                pause = FIRST_PAUSE;
                is_known_deaf = false;
            }
            match trouble {
                Trouble::Lost(error) => {
                    listener.hears_nothing(format!(
                        "the connection that listens for changes by other nodes failed ({error}), so they \
                         are looked for once a second"
                    ));
                    tracing::warn!(
                        %error,
                        ?pause,
                        "changes by other nodes are not heard of at present; jobs are looked for once a second"
                    );
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Trouble::Deaf => {
                    let why = deaf(listening.at.is_some());
                    if !std::mem::replace(&mut is_known_deaf, true) {
                        tracing::warn!("{why}");
                    }
                    listener.hears_nothing(why);
                    sleep(DEAF_PAUSE).await;
                }
            }
        }
    });
}

/// What to do where notifications do not arrive.
fn deaf(at_own_address: bool) -> &'static str {
    if at_own_address {
        "notifications do not arrive at `listen_url`, so changes by other nodes are looked for once a second: \
         it has to be the address of the same database, without a pooler in transaction mode"
    } else {
        "notifications do not arrive, so changes by other nodes are looked for once a second: a pooler in \
         transaction mode passes none on; give `SqlStore::builder().listen_url(…)` the address of the server \
         itself"
    }
}

impl Listening {
    /// Listens until there is no driver left to wake, or there is trouble. Sets `heard` once a notification
    /// has arrived.
    async fn hear(&self, wakes: &mut Listener, heard: &mut bool) -> Result<(), Trouble> {
        let own = match &self.at {
            Some(at) => {
                one(PgPoolOptions::new().acquire_timeout(ACQUIRE)).connect_lazy_with(at.clone())
            }
            None if self.sessions.have_pooler()
                && within(ANSWER, are_shared(&self.pool)).await? =>
            {
                return Err(Trouble::Deaf);
            }
            None => pool_of_one(&self.pool),
        };
        let mut listener = PgListener::connect_with(&own).await?;
        listener.eager_reconnect(false);
        let echo = format!("scheduler_echo_{}", NodeId::random());
        within(ANSWER, listener.listen_all([&*self.channel, &*echo])).await?;
        self.hear_echo(&mut listener, wakes, &echo).await?;
        *heard = true;
        wakes.hears();
        tracing::debug!(self.channel, "listening for changes by other nodes");
        // Something may have changed before.
        wakes.wake_all();
        while wakes.is_wanted() {
            match tokio::time::timeout(QUIET, listener.try_recv()).await {
                Ok(received) => match received? {
                    Some(notification) if notification.channel() == echo => {}
                    Some(notification) => wake(wakes, notification.payload()),
                    None => return Err(lost("the connection was closed").into()),
                },
                Err(_) => self.hear_echo(&mut listener, wakes, &echo).await?,
            }
        }
        Ok(())
    }

    /// Notifies itself through the pool, and waits for that.
    async fn hear_echo(
        &self,
        listener: &mut PgListener,
        wakes: &Listener,
        echo: &str,
    ) -> Result<(), Trouble> {
        // In one message, which needs neither a transaction nor a prepared statement.
        let notify = AssertSqlSafe(format!("NOTIFY \"{echo}\""));
        within(ANSWER, sqlx::raw_sql(notify).execute(&self.pool)).await?;
        let arrives = async {
            loop {
                match listener.try_recv().await? {
                    Some(notification) if notification.channel() == echo => return Ok(()),
                    Some(notification) => wake(wakes, notification.payload()),
                    None => return Err(lost("the connection was closed").into()),
                }
            }
        };
        let arrived = tokio::time::timeout(ANSWER, arrives).await;
        arrived.unwrap_or(Err(Trouble::Deaf))
    }
}

async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(limit, call)
        .await
        .unwrap_or_else(|_| Err(lost("the database did not answer")))
}

fn lost(what: &'static str) -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, what))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a pause of the network, in no scheduler's time"
)]
async fn sleep(pause: Duration) {
    tokio::time::sleep(pause).await;
}

/// Wakes those who mean to sleep beyond the instant of a notification.
fn wake(listener: &Listener, payload: &str) {
    let due = payload.parse().ok().and_then(|due| from_micros(due).ok());
    match due {
        Some(due) => listener.wake_for(due),
        None => listener.wake_all(),
    }
}
