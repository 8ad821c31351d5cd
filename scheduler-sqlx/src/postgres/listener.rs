//! Receiving changes as soon as they are committed.
//!
//! A connection that listens may still receive nothing: a pooler in transaction mode accepts `LISTEN` and forwards no
//! notification to the connection that sent it. Worse, it leaves `LISTEN` behind in a session that serves other
//! programs next. So sessions are compared before every `LISTEN`, since a pooler may have been added in the meantime.
//!
//! Then the listener notifies itself over a connection to the store's address, and counts as listening once the
//! notification has arrived, which proves that `listen_url` is an address of the same database.

use std::collections::BTreeSet;
use std::time::Duration;

use scheduler_core::NodeId;
use tokio::time::Instant;

use super::connect::ACQUIRE;
use super::sessions::{Sessions, are_shared, has_pooler};
use crate::error::SqlError;
use crate::instant::from_micros;
use crate::own_connection::{one, own_connection, pool_of_one, with_cause};
use crate::sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use crate::sqlx::{self, AssertSqlSafe, Connection, Executor, PgPool, Postgres};
use crate::wakes::Listener;

/// How long the connection may be quiet before it is tested.
const QUIET: Duration = Duration::from_secs(15);
/// How long the answer to a test may take.
const ANSWER: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long the comparison of sessions may take, which is some dozens of round trips behind a pooler.
const COMPARISON: Duration = Duration::from_secs(15);
/// The retry interval while notifications do not arrive: poolers seldom change.
const DEAF_PAUSE: Duration = Duration::from_secs(60);

/// How many distinct causes are remembered.
const CAUSES: usize = 16;

/// The state of retries.
#[derive(Debug)]
struct Tries {
    pause: Duration,
    /// The causes that were logged.
    known: BTreeSet<String>,
}

impl Tries {
    fn new() -> Self {
        Self {
            pause: FIRST_PAUSE,
            known: BTreeSet::new(),
        }
    }

    /// Forgets earlier failures if a connection received notifications for this long. A server that closes each one
    /// after a moment, as with an `idle_session_timeout`, would otherwise be tried several times a second for good.
    fn connection_lasted(&mut self, lasted: Duration) {
        if lasted > LONGEST_PAUSE {
            *self = Self::new();
        }
    }

    /// Returns the pause before the next try; the one after it will be longer.
    fn next_pause(&mut self) -> Duration {
        let next = (self.pause * 2).min(LONGEST_PAUSE);
        std::mem::replace(&mut self.pause, next)
    }

    /// Returns `true` if this cause has not been logged yet.
    fn is_news(&mut self, cause: &str) -> bool {
        if self.known.len() >= CAUSES {
            self.known.clear();
        }
        self.known.insert(cause.to_owned())
    }
}

/// Why no changes are received.
enum Trouble {
    /// The connection failed.
    Lost(SqlError),
    /// The connection works, but notifications do not arrive.
    Deaf,
}

impl From<SqlError> for Trouble {
    fn from(error: SqlError) -> Self {
        Self::Lost(error)
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Lost(error.into())
    }
}

/// Where to listen, and for what.
pub(crate) struct Listening {
    /// The store's connections.
    pub(crate) pool: PgPool,
    /// A separate address, past a pooler.
    pub(crate) at: Option<PgConnectOptions>,
    pub(crate) sessions: Sessions,
    pub(crate) channel: String,
}

/// Listens on a dedicated connection, in a task that ends when there is no driver left to wake.
pub(crate) fn listen(listening: Listening, mut listener: Listener) {
    tokio::spawn(async move {
        let mut tries = Tries::new();
        while listener.is_wanted() {
            let mut heard_from = None;
            let Err(trouble) = listening.hear(&mut listener, &mut heard_from).await else {
                return;
            };
            if let Some(heard_from) = heard_from {
                tries.connection_lasted(heard_from.elapsed());
            }
            match trouble {
                Trouble::Lost(error) => {
                    listener.hears_nothing(format!(
                        "the connection that listens for changes by other nodes failed ({error}), so they \
                         are looked for once a second"
                    ));
                    if tries.is_news(&error.to_string()) {
                        tracing::warn!(
                            %error,
                            "changes by other nodes are not heard of at present; jobs are looked for once a second"
                        );
                    }
                    let pause = tries.next_pause();
                    tracing::debug!(%error, ?pause, "listening again after a pause");
                    sleep(pause).await;
                }
                Trouble::Deaf => {
                    let why = deaf(listening.at.is_some());
                    if tries.is_news(why) {
                        tracing::warn!("{why}");
                    }
                    listener.hears_nothing(why);
                    sleep(DEAF_PAUSE).await;
                }
            }
        }
    });
}

/// Returns the remedy for notifications that do not arrive.
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
    /// Listens until there is no driver left to wake, or there is trouble. Sets `heard_from` to the instant from which
    /// notifications arrive.
    async fn hear(
        &self,
        wakes: &mut Listener,
        heard_from: &mut Option<Instant>,
    ) -> Result<(), Trouble> {
        let own = match &self.at {
            Some(at) => {
                one(PgPoolOptions::new().acquire_timeout(ACQUIRE)).connect_lazy_with(at.clone())
            }
            None => pool_of_one(&self.pool, ACQUIRE),
        };
        if within(COMPARISON, self.shares_sessions(&own)).await? {
            return Err(Trouble::Deaf);
        }
        let mut listener = PgListener::connect_with(&own).await?;
        listener.eager_reconnect(false);
        let echo = format!("scheduler_echo_{}", NodeId::random());
        within(ANSWER, listener.listen_all([&*self.channel, &*echo])).await?;
        // In one message, which needs neither a transaction nor a prepared statement.
        let notify = format!("NOTIFY \"{echo}\"");
        if !self.notify_through_pool(&notify).await {
            let mut connection = within(ANSWER, own_connection(&self.pool, ANSWER)).await?;
            within(ANSWER, execute(&mut connection, &notify)).await?;
            // The notification is sent: a failure to close the connection changes nothing.
            let _ = connection.close().await;
        }
        hear_echo(&mut listener, wakes, &echo).await?;
        *heard_from = Some(Instant::now());
        wakes.hears();
        tracing::debug!(self.channel, "listening for changes by other nodes");
        // There may have been changes before.
        wakes.wake_all();
        while wakes.is_wanted() {
            match tokio::time::timeout(QUIET, listener.try_recv()).await {
                Ok(received) => match received? {
                    Some(notification) if notification.channel() == echo => {}
                    Some(notification) => wake(wakes, notification.payload()),
                    None => return Err(lost("the connection was closed").into()),
                },
                Err(_) => {
                    self.hear_again(&mut listener, wakes, &echo, &notify)
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// Returns `true` if a pooler shares sessions of the server among the connections that would listen.
    async fn shares_sessions(&self, own: &PgPool) -> Result<bool, SqlError> {
        let is_stores_address = self.at.is_none();
        let is_known = is_stores_address && self.sessions.have_pooler();
        if !is_known && !has_pooler(own).await? {
            return Ok(false);
        }
        if is_stores_address && !is_known && self.sessions.lose() {
            tracing::warn!(
                "a pooler has come between this program and the database: from now on, statements stand \
                 inside of transactions"
            );
        }
        with_cause(are_shared(own).await, own).await
    }

    /// Tests a connection that was quiet for a while.
    ///
    /// Uses the store's pool if it has an idle connection: this shows that both are still connected to the same server.
    /// An application's pool may be busy for long while the listener is healthy, so the fallback is the listening
    /// connection itself.
    async fn hear_again(
        &self,
        listener: &mut PgListener,
        wakes: &Listener,
        echo: &str,
        notify: &str,
    ) -> Result<(), Trouble> {
        if !self.notify_through_pool(notify).await {
            within(ANSWER, execute(&mut *listener, notify)).await?;
        }
        hear_echo(listener, wakes, echo).await
    }

    /// Returns `true` if the notification was sent. Does not wait for a connection.
    async fn notify_through_pool(&self, notify: &str) -> bool {
        let Some(mut idle) = self.pool.try_acquire() else {
            return false;
        };
        let is_sent = within(ANSWER, execute(&mut *idle, notify)).await.is_ok();
        if !is_sent {
            drop(idle.detach());
        }
        is_sent
    }
}

async fn execute<'c>(
    connection: impl Executor<'c, Database = Postgres>,
    statement: &str,
) -> Result<(), sqlx::Error> {
    let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
    statement.execute(connection).await.map(drop)
}

/// Waits for the listener's own notification.
async fn hear_echo(listener: &mut PgListener, wakes: &Listener, echo: &str) -> Result<(), Trouble> {
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

async fn within<T, E: From<sqlx::Error>>(
    limit: Duration,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    tokio::time::timeout(limit, call)
        .await
        .unwrap_or_else(|_| Err(lost("the database did not answer").into()))
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

/// Wakes the drivers that would sleep beyond the instant of a notification.
fn wake(listener: &Listener, payload: &str) {
    let due = payload.parse().ok().and_then(|due| from_micros(due).ok());
    match due {
        Some(due) => listener.wake_for(due),
        None => listener.wake_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::{options, pool};

    #[test]
    fn pauses_grow_until_a_connection_has_lasted_for_longer_than_any_of_them() {
        let mut tries = Tries::new();
        for pause in [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000] {
            assert_eq!(tries.next_pause(), Duration::from_millis(pause));
            // As with an `idle_session_timeout` that is shorter than any use of the connection.
            tries.connection_lasted(Duration::from_millis(100));
        }
        tries.connection_lasted(LONGEST_PAUSE);
        assert_eq!(tries.next_pause(), LONGEST_PAUSE);
        tries.connection_lasted(LONGEST_PAUSE + Duration::from_millis(1));
        assert_eq!(tries.next_pause(), FIRST_PAUSE);
    }

    #[test]
    fn each_cause_is_news_once_until_a_connection_has_lasted() {
        let mut tries = Tries::new();
        assert!(tries.is_news("closed") && tries.is_news("refused"));
        assert!(!tries.is_news("closed") && !tries.is_news("refused"));
        tries.connection_lasted(Duration::from_millis(100));
        assert!(!tries.is_news("closed"));
        tries.connection_lasted(Duration::from_secs(60));
        assert!(tries.is_news("closed"));
        // Causes that differ each time take a bounded amount of memory.
        for number in 0..1_000 {
            assert!(tries.is_news(&number.to_string()), "{number}");
        }
        assert!(tries.known.len() <= CAUSES);
    }

    #[tokio::test]
    async fn listener_hears_itself_while_all_connections_of_the_pool_are_in_use() {
        let Some(database) = scheduler_test_servers::postgres::database() else {
            return;
        };
        let pool = pool(options(&database.url()).unwrap(), 1);
        let listening = Listening {
            pool: pool.clone(),
            at: None,
            sessions: Sessions::default(),
            channel: "changes".to_owned(),
        };
        let mut listener = PgListener::connect(&database.url()).await.unwrap();
        listener.listen("echo").await.unwrap();
        let wakes = Listener::of_nobody();
        for is_busy in [true, false] {
            let taken = pool.acquire().await.unwrap();
            let _taken = is_busy.then_some(taken);
            let heard = listening.hear_again(&mut listener, &wakes, "echo", "NOTIFY \"echo\"");
            assert!(heard.await.is_ok(), "busy: {is_busy}");
        }
    }
}
