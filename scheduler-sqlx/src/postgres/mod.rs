//! PostgreSQL, 13 or later.
//!
//! Many nodes write at once: rows are locked as [`Backend`] says, and every transaction is READ COMMITTED, so a
//! statement sees what was committed before it began.

mod connect;
mod history;
mod jobs;
mod listener;
mod migrate;
mod nodes;
mod runs;
mod sessions;
mod settle;
#[cfg(test)]
mod tests;
mod text;

use crate::sqlx::PgConnection;
use crate::sqlx::postgres::PgConnectOptions;
use scheduler_core::RunFilter;
use scheduler_core::store::NewNode;

use crate::backend::{Backend, Sql, Wanted, for_each_statement};
use crate::counted::Tally;
use crate::job_row::{Advance, JobRow};
use crate::listed_jobs::{ListedJobs, STATE};
use crate::node_row::{HeartbeatRow, NodeRow};
use crate::run_row::{
    BodyRow, ClaimedAfter, EndRow, HeadRow, NewRun, OpenFrom, OpenRuns, RequeueRow, RetryRow,
    RunRow, StartRow,
};
use crate::skipped_row::SkippedRow;
use crate::tables::Tables;

pub(crate) use connect::{has_no_statement_cache, options, pool};
pub(crate) use listener::{Listening, listen};
pub(crate) use migrate::{check, migrate};
pub(crate) use sessions::{Sessions, is_in_transaction};

/// The tables of a store in a PostgreSQL database.
#[derive(Debug)]
pub(crate) struct Postgres {
    pub(crate) tables: Tables,
    /// How to reach the server itself for listening: past a pooler that does not forward notifications.
    pub(crate) listens_at: Option<PgConnectOptions>,
}

/// Parts that statements share.
const PARTS: &[(&str, &str)] = &[("listed", jobs::LISTED), ("state", STATE)];

impl Postgres {
    /// Builds the texts of all statements about these tables.
    pub(crate) fn new(tables: Tables, listens_at: Option<PgConnectOptions>) -> Self {
        let modules = [
            history::STATEMENTS,
            jobs::STATEMENTS,
            nodes::STATEMENTS,
            runs::STATEMENTS,
            settle::STATEMENTS,
        ];
        Self {
            tables: tables.with_statements(PARTS, &modules),
            listens_at,
        }
    }
}

/// The functions that implement the statements.
mod statements {
    pub(super) use super::execute;
    pub(super) use super::history::*;
    pub(super) use super::jobs::*;
    pub(super) use super::nodes::*;
    pub(super) use super::runs::*;
    pub(super) use super::settle::*;
}

macro_rules! speak {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        impl Backend for Postgres {
            type Db = sqlx::Postgres;

            const NAME: &'static str = "PostgreSQL";

            /// Every statement reads few rows, through an index, by the ids that it is given. A planner that has not
            /// yet seen the tables grow considers them small, scans them whole or once per id, and keeps to that plan.
            ///
            /// There are no pauses between the statements of a transaction. If the next one does not arrive, the node
            /// is gone without closing its connection, and the server would keep its jobs locked for hours.
            const BEGIN: &'static str = "BEGIN ISOLATION LEVEL READ COMMITTED; \
                SET LOCAL enable_seqscan = off; \
                SET LOCAL enable_bitmapscan = off; \
                SET LOCAL enable_nestloop = off; \
                SET LOCAL enable_mergejoin = off; \
                SET LOCAL jit = off; \
                SET LOCAL idle_in_transaction_session_timeout = '5s'";

            const BEGIN_READ: &'static str = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; \
                SET LOCAL idle_in_transaction_session_timeout = '5s'";

            const ONE_WRITER: bool = false;

            fn keeps_sessions(&self) -> bool {
                !self.tables.sessions.have_pooler()
            }

            fn lose_sessions(&self) -> bool {
                self.tables.sessions.lose()
            }

            $(async fn $name(
                &self,
                connection: &mut PgConnection,
                $($argument: $type),*
            ) -> Sql<$result> {
                statements::$name(&self.tables, connection, $($argument),*).await
            })*
        }
    };
}

for_each_statement!(speak);

/// Several statements in one text are sent at once.
async fn execute(
    _tables: &Tables,
    connection: &mut PgConnection,
    statement: &'static str,
) -> Sql<()> {
    sqlx::raw_sql(statement).execute(connection).await?;
    Ok(())
}

/// Returns the query of a statement, to which values are bound. It is prepared under a name, once per connection, if
/// that name can be used later.
fn query(
    tables: &Tables,
    template: &str,
) -> sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments> {
    sqlx::query(tables.text(template)).persistent(tables.sessions.know_names())
}

/// The clock of leases: the database's, in microseconds, at the time of the statement rather than of the transaction.
macro_rules! clock {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    };
}
use crate::sqlx;
use clock;
