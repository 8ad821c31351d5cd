//! SQLite: only one writer at a time, so no row locks are needed. Batches are one JSON text.

mod connect;
mod glob;
mod history;
mod jobs;
mod json;
mod migrate;
mod nodes;
#[cfg(test)]
mod queues;
mod runs;
mod settings;
mod wal;
mod watch;

use crate::sqlx::SqliteConnection;
use scheduler_core::RunFilter;
use scheduler_core::store::NewNode;

use std::sync::Arc;

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
use crate::sqlx;
use crate::tables::Tables;

pub(crate) use connect::{check_file, options, pool};
pub(crate) use settings::check_settings;
pub(crate) use watch::watch;

/// The tables of a store in a SQLite database.
pub(crate) struct Sqlite {
    pub(crate) tables: Tables,
}

/// The database's clock, which is the machine's, in microseconds.
const NOW: &str = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

/// Returns the text of a statement.
fn statement(tables: &Tables, template: &str) -> sqlx::AssertSqlSafe<Arc<str>> {
    tables.text(template)
}

/// Parts that statements share.
const PARTS: &[(&str, &str)] = &[
    ("now", NOW),
    ("job_columns", jobs::COLUMNS),
    ("wanted", jobs::WANTED),
    ("listed", jobs::LISTED),
    ("state", STATE),
    ("run_columns", runs::COLUMNS),
    ("held_runs", runs::HELD_RUNS),
    ("lease", runs::LEASE),
];

impl Sqlite {
    /// Builds the texts of all statements about these tables.
    pub(crate) fn new(tables: Tables) -> Self {
        let modules = [
            history::STATEMENTS,
            jobs::STATEMENTS,
            nodes::STATEMENTS,
            runs::STATEMENTS,
        ];
        Self {
            tables: tables.with_statements(PARTS, &modules),
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
}

macro_rules! speak {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        impl Backend for Sqlite {
            type Db = sqlx::Sqlite;

            const NAME: &'static str = "SQLite";
            const BEGIN: &'static str = "BEGIN IMMEDIATE";

            const BEGIN_READ: &'static str = "BEGIN";
            const ONE_WRITER: bool = true;

            $(async fn $name(
                &self,
                connection: &mut SqliteConnection,
                $($argument: $type),*
            ) -> Sql<$result> {
                statements::$name(&self.tables, connection, $($argument),*).await
            })*
        }
    };
}

for_each_statement!(speak);

async fn execute(
    _tables: &Tables,
    connection: &mut SqliteConnection,
    statement: &'static str,
) -> Sql<()> {
    sqlx::query(statement).execute(connection).await?;
    Ok(())
}
