//! PostgreSQL, 13 or later.
//!
//! Many nodes write at once: rows are locked as [`Backend`] says, and every transaction is READ
//! COMMITTED, so that a statement sees what was committed before it began.

mod connect;
mod history;
mod jobs;
mod listener;
mod migrate;
mod nodes;
mod runs;
mod settle;
#[cfg(test)]
mod tests;
mod text;

use scheduler_core::RunFilter;
use scheduler_core::store::NewNode;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::backend::{Backend, Sql, Wanted};
use crate::dropped_row::DroppedRow;
use crate::job_row::{Advance, JobRow};
use crate::node_row::{BeatRow, NodeRow};
use crate::run_row::{EndRow, NewRun, OpenRuns, RequeueRow, RetryRow, RunRow};
use crate::tables::Tables;

pub(crate) use connect::{options, pool, why_unreachable};
pub(crate) use listener::listen;
pub(crate) use migrate::{check, migrate};

/// The tables of a store in a PostgreSQL database.
#[derive(Debug)]
pub(crate) struct Postgres {
    pub(crate) tables: Tables,
}

/// Hands each statement to the module that has its text.
macro_rules! statements {
    ($($module:ident { $($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)* })*) => {
        impl Backend for Postgres {
            type Db = sqlx::Postgres;

            const NAME: &'static str = "PostgreSQL";

            /// Every statement reaches few rows, through an index, by the ids that it is given. A planner
            /// that has not seen the tables grow yet takes them for small, reads them whole or once per
            /// id, and keeps to that plan.
            ///
            /// Nothing is done between the statements of a transaction. When no more of them comes, its
            /// node has gone without a word, and the server would keep its jobs locked for hours.
            const BEGIN: &'static str = "BEGIN ISOLATION LEVEL READ COMMITTED; \
                SET LOCAL enable_seqscan = off; \
                SET LOCAL enable_bitmapscan = off; \
                SET LOCAL enable_nestloop = off; \
                SET LOCAL enable_mergejoin = off; \
                SET LOCAL jit = off; \
                SET LOCAL idle_in_transaction_session_timeout = '5s'";

            const ONE_WRITER: bool = false;

            async fn execute(
                &self,
                connection: &mut PgConnection,
                statement: &'static str,
            ) -> Sql<()> {
                sqlx::raw_sql(statement).execute(connection).await?;
                Ok(())
            }

            $($(async fn $name(
                &self,
                connection: &mut PgConnection,
                $($argument: $type),*
            ) -> Sql<$result> {
                $module::$name(&self.tables, connection, $($argument),*).await
            })*)*
        }
    };
}

statements! {
    jobs {
        lock_due(wanted: &Wanted<'_>, now: i64, limit: i64) -> Vec<JobRow>;
        lock_waiting(wanted: &Wanted<'_>, limit: i64) -> Vec<JobRow>;
        lock_jobs(ids: &[&str]) -> Vec<JobRow>;
        job(id: &str) -> Option<JobRow>;
        list_by_id(after: Option<&str>, limit: i64) -> Vec<JobRow>;
        list_by_next(limit: i64) -> Vec<JobRow>;
        next_due(wanted: &Wanted<'_>) -> Option<i64>;
        insert_jobs(jobs: &[JobRow]) -> Vec<String>;
        update_jobs(jobs: &[JobRow]) -> ();
        advance_jobs(jobs: &[Advance<'_>]) -> ();
        delete_job(id: &str) -> ();
        lock_to_mend(mark_over: i64, zone_data: &str, limit: i64) -> Vec<JobRow>;
    }
    runs {
        open_runs(job_ids: &[&str]) -> Vec<OpenRuns>;
        waiting_runs(job_ids: &[&str]) -> Vec<RunRow>;
        insert_runs(runs: &[NewRun<'_>]) -> Vec<u128>;
        start_runs(ids: &[u128], node: i64, now: i64) -> ();
        delete_runs(ids: &[u128]) -> ();
        cancel_waiting(ids: &[u128], error: &str, now: i64) -> u64;
        ask_oldest(job_ids: &[&str]) -> ();
        ask_run(id: u128) -> bool;
        asked_to_stop(node: i64) -> Vec<u128>;
        held(node: i64) -> Vec<u128>;
        runs(ids: &[u128]) -> Vec<RunRow>;
        list_runs(filter: &RunFilter) -> Vec<RunRow>;
    }
    settle {
        end_runs(node: i64, ends: &[EndRow<'_>]) -> Vec<u128>;
        retry_runs(node: i64, retries: &[RetryRow<'_>]) -> Vec<u128>;
        end_bodies(node: i64, bodies: &[(u128, i32)]) -> Vec<u128>;
        release_runs(node: i64, ids: &[u128]) -> ();
        runs_of(nodes: &[i64], limit: i64) -> Vec<RunRow>;
        requeue(runs: &[RequeueRow]) -> ();
    }
    history {
        insert_dropped(dropped: &[DroppedRow]) -> ();
        list_dropped(job: Option<&str>, limit: i64) -> Vec<DroppedRow>;
        nth_newest_run(n: i64) -> Option<u128>;
        prune_runs(below: u128, limit: i64) -> u64;
        nth_newest_dropped(n: i64) -> Option<i64>;
        prune_dropped(decided_before: i64, seq: i64, limit: i64) -> u64;
        prune_ended_jobs(before: i64, limit: i64) -> u64;
    }
    nodes {
        prune_nodes(before: i64) -> u64;
        join_node(node: &NewNode, lease: i64) -> ();
        beat(node: i64, lease: i64) -> Option<BeatRow>;
        leave_node(node: i64) -> ();
        hold_lease(node: i64) -> bool;
        lock_lost_nodes() -> Vec<i64>;
        bury(nodes: &[i64]) -> ();
        list_nodes() -> Vec<NodeRow>;
        notify(due: i64) -> ();
    }
}

/// Makes the query of a statement; values are bound to it.
fn query(
    tables: &Tables,
    template: &str,
) -> sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments> {
    let AssertSqlSafe(sql) = tables.fill(template);
    sqlx::query(AssertSqlSafe(sql))
}

/// The clock of leases: microseconds of the database, not of the transaction's beginning.
macro_rules! clock {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    };
}
use clock;
