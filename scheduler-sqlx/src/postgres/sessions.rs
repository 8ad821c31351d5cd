//! Detects a pooler between this program and PostgreSQL.
//!
//! A pooler in transaction mode, such as pgbouncer's, runs each transaction in any of the server's sessions.
//! State that outlives a transaction is then lost or belongs to another program, prepared statements above
//! all: sqlx numbers their names, so two programs give one name to different statements, and one may run
//! the other's. Behind a pooler, statements are therefore unnamed and inside transactions, at the cost of a
//! round trip each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use scheduler_core::NodeId;

use super::connect::{ACQUIRE, answers};
use crate::error::SqlError;
use crate::own_connection::{own_connection, with_cause};
use crate::sqlx::postgres::PgConnectOptions;
use crate::sqlx::{self, AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool, Row};

/// What is known about the sessions of a store's connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sessions(Arc<Known>);

#[derive(Debug)]
struct Known {
    has_pooler: AtomicBool,
    /// A statement can be reused under its name.
    knows_names: AtomicBool,
    /// The application has set whether names can be used.
    is_given: bool,
}

impl Default for Known {
    /// Returns the values for a direct connection.
    fn default() -> Self {
        Self {
            has_pooler: AtomicBool::new(false),
            knows_names: AtomicBool::new(true),
            is_given: false,
        }
    }
}

impl Sessions {
    /// Looks for a pooler. `given` overrides whether statements can have names.
    pub(crate) async fn of(pool: &PgPool, given: Option<bool>) -> Result<Self, SqlError> {
        let has_pooler = has_pooler(pool).await?;
        let knows_names = given.unwrap_or(!has_pooler);
        if has_pooler {
            tracing::info!(
                named_statements = knows_names,
                "a pooler lies between this program and PostgreSQL"
            );
        }
        Ok(Self(Arc::new(Known {
            has_pooler: AtomicBool::new(has_pooler),
            knows_names: AtomicBool::new(knows_names),
            is_given: given.is_some(),
        })))
    }

    /// Returns `true` behind a pooler of any mode, where every statement has to be inside a transaction.
    pub(crate) fn have_pooler(&self) -> bool {
        self.0.has_pooler.load(Ordering::Relaxed)
    }

    /// Returns `true` if a statement that was prepared under a name can be executed under it later.
    pub(crate) fn know_names(&self) -> bool {
        self.0.knows_names.load(Ordering::Relaxed)
    }

    /// Records that a prepared statement was lost. Returns `true` if the next try will be different.
    pub(crate) fn lose(&self) -> bool {
        let had_pooler = self.0.has_pooler.swap(true, Ordering::Relaxed);
        let knew_names = !self.0.is_given && self.0.knows_names.swap(false, Ordering::Relaxed);
        knew_names || !had_pooler
    }
}

/// Returns `true` if the connection is in a transaction, however it was begun.
pub(crate) async fn is_in_transaction(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let savepoint = sqlx::raw_sql("SAVEPOINT scheduler");
    match savepoint.execute(&mut *connection).await {
        Ok(_) => {
            let release = sqlx::raw_sql("RELEASE SAVEPOINT scheduler");
            release.execute(connection).await?;
            Ok(true)
        }
        // no_active_sql_transaction
        Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code == "25P01") => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// A setting whose value is unique to one connection. A server accepts it at the start of a session. Poolers reject or
/// ignore settings that they do not know, or return a session that was started with another value.
const MARK: &str = "scheduler_sqlx.connection";

/// Returns `true` if there is a pooler, of any mode, between this program and the server.
pub(super) async fn has_pooler(pool: &PgPool) -> Result<bool, SqlError> {
    // The pool waits for a server that is starting. After that, the server is known to accept this connection.
    drop(with_cause(pool.acquire().await, pool).await?);
    answers(loses_watermark(pool)).await
}

/// Returns `true` if a setting of a new connection is rejected, or is not that of its session.
async fn loses_watermark(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let mark = NodeId::random().to_string();
    let unmarked = pool.connect_options();
    let options = PgConnectOptions::clone(&unmarked).options([(MARK, &mark)]);
    let mut connection = match options.connect().await {
        Ok(connection) => connection,
        Err(sqlx::Error::Database(refusal))
            if may_be_about_a_setting(refusal.code().as_deref()) =>
        {
            // Every server accepts the setting. A peer that rejects it, but accepts the same connection without it, is
            // a pooler.
            let _ = unmarked.connect().await?.close().await;
            return Ok(true);
        }
        Err(error) => return Err(error),
    };
    // In one message, which needs no prepared statement.
    let sql = AssertSqlSafe(format!("SELECT current_setting('{MARK}', true)"));
    let row = sqlx::raw_sql(sql).fetch_one(&mut connection).await?;
    let found: Option<String> = row.try_get(0)?;
    // The answer has arrived: a failure to close the connection changes nothing.
    let _ = connection.close().await;
    Ok(found != Some(mark))
}

/// Returns `false` if the peer rejects the connection for a reason that has nothing to do with settings and may be gone
/// at the next try: the user, the database, or a temporary lack of resources.
fn may_be_about_a_setting(code: Option<&str>) -> bool {
    // invalid_authorization_specification, invalid_catalog_name, insufficient_resources, operator_intervention
    let others = ["28", "3D", "53", "57"];
    !code.is_some_and(|code| others.iter().any(|class| code.starts_with(class)))
}

/// How often two connections are compared.
const ROUNDS: usize = 20;

/// Returns `true` if a pooler shares server sessions among connections: either another connection gets the session that
/// the first one had, or the first one gets another session.
///
/// Leaves no state behind in a session that may serve another program next. `LISTEN` would: that program would receive
/// the notifications, which sqlx treats as a protocol error.
pub(crate) async fn are_shared(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let (mut one, mut other) = (
        own_connection(pool, ACQUIRE).await?,
        own_connection(pool, ACQUIRE).await?,
    );
    let first = session(&mut one).await?;
    let mut are_shared = false;
    for _ in 0..ROUNDS {
        sqlx::raw_sql("BEGIN").execute(&mut other).await?;
        are_shared = session(&mut other).await? == first || session(&mut one).await? != first;
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await?;
        if are_shared {
            break;
        }
    }
    for connection in [one, other] {
        // The answer has arrived: a failure to close them changes nothing.
        let _ = connection.close().await;
    }
    Ok(are_shared)
}

async fn session(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    let sql = sqlx::raw_sql("SELECT pg_backend_pid()");
    sql.fetch_one(connection).await?.try_get(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_about_users_databases_and_room_show_no_pooler() {
        for code in ["28000", "28P01", "3D000", "53300", "57P03"] {
            assert!(!may_be_about_a_setting(Some(code)), "{code}");
        }
        // pgbouncer; Amazon's RDS Proxy; pgcat.
        for code in ["08P01", "0A000", "58000"] {
            assert!(may_be_about_a_setting(Some(code)), "{code}");
        }
        assert!(may_be_about_a_setting(None));
    }

    #[test]
    fn lost_statement_shows_a_pooler_and_ends_names_unless_the_application_gave_them() {
        let found = Sessions::default();
        assert!(found.know_names() && !found.have_pooler());
        assert!(found.lose());
        assert!(!found.know_names() && found.have_pooler());
        assert!(!found.lose(), "no news");
        let given = Sessions(Arc::new(Known {
            is_given: true,
            ..Known::default()
        }));
        assert!(given.lose());
        assert!(given.know_names() && given.have_pooler());
    }
}
