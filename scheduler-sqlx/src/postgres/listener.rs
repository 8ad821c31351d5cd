//! Hearing of changes as soon as they are committed.

use std::time::Duration;

use crate::sqlx::PgPool;
use crate::sqlx::postgres::PgListener;

use crate::instant::from_micros;
use crate::own_connection::pool_of_one;
use crate::sqlx;
use crate::wakes::Listener;

/// How long it may be quiet before the connection is tried.
const QUIET: Duration = Duration::from_secs(15);
/// How long the answer to that may take.
const ANSWER: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Listens on a connection of its own, in a task that ends when there is no driver to be woken.
pub(crate) fn listen(pool: PgPool, channel: String, mut listening: Listener) {
    tokio::spawn(async move {
        let mut pause = FIRST_PAUSE;
        while listening.is_wanted() {
            let mut heard = false;
            let Err(error) = hear(&pool, &channel, &mut listening, &mut heard).await else {
                return;
            };
            listening.set_listening(false);
            // Until it is heard again, drivers look by themselves; they begin now.
            listening.wake_all();
            if heard {
                pause = FIRST_PAUSE;
            }
            tracing::warn!(
                %error,
                ?pause,
                "changes by other nodes are not heard of at present; jobs are looked for once a second"
            );
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    });
}

/// Listens until nobody is to be woken any more, or the connection fails; `heard` is whether it came
/// to listening at all.
async fn hear(
    pool: &PgPool,
    channel: &str,
    listening: &mut Listener,
    heard: &mut bool,
) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(&pool_of_one(pool)).await?;
    listener.eager_reconnect(false);
    within(ANSWER, listener.listen(channel)).await?;
    *heard = true;
    listening.set_listening(true);
    tracing::debug!(channel, "listening for changes by other nodes");
    // Something may have changed before.
    listening.wake_all();
    while listening.is_wanted() {
        match tokio::time::timeout(QUIET, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => wake(listening, notification.payload()),
            Ok(Ok(None)) => return Err(lost("the connection was closed")),
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                let ping = sqlx::raw_sql("SELECT 1").execute(&mut listener);
                within(ANSWER, ping).await?;
            }
        }
    }
    Ok(())
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
