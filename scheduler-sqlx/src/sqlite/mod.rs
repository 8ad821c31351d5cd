//! SQLite: one writer at a time, so nothing has to be locked row by row. Batches are one JSON text.

mod connect;
mod history;
mod jobs;
mod json;
mod migrate;
mod nodes;
mod runs;
mod watch;

use scheduler_core::RunFilter;
use scheduler_core::store::NewNode;
use sqlx::SqliteConnection;

use crate::backend::{Backend, Sql, Wanted};
use crate::dropped_row::DroppedRow;
use crate::job_row::{Advance, JobRow};
use crate::node_row::{BeatRow, NodeRow};
use crate::run_row::{EndRow, NewRun, OpenRuns, RequeueRow, RetryRow, RunRow};
use crate::tables::Tables;

pub(crate) use connect::{options, pool};
pub(crate) use watch::watch;

/// See the module.
pub(crate) struct Sqlite {
    pub(crate) tables: Tables,
}

/// The clock of the database, which is that of the machine, in microseconds.
const NOW: &str = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

impl Sqlite {
    /// A statement with the names of the tables, and the clock, filled in.
    fn sql(&self, template: &str) -> sqlx::AssertSqlSafe<String> {
        self.tables.fill(&template.replace("{now}", NOW))
    }
}

impl Backend for Sqlite {
    type Db = sqlx::Sqlite;

    const NAME: &'static str = "SQLite";
    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    const ONE_WRITER: bool = true;

    async fn execute(&self, connection: &mut SqliteConnection, statement: &'static str) -> Sql<()> {
        sqlx::query(statement).execute(connection).await?;
        Ok(())
    }

    async fn lock_due(
        &self,
        connection: &mut SqliteConnection,
        wanted: &Wanted<'_>,
        now: i64,
        limit: i64,
    ) -> Sql<Vec<JobRow>> {
        jobs::due(self, connection, wanted, now, limit).await
    }

    async fn lock_waiting(
        &self,
        connection: &mut SqliteConnection,
        wanted: &Wanted<'_>,
        limit: i64,
    ) -> Sql<Vec<JobRow>> {
        jobs::waiting(self, connection, wanted, limit).await
    }

    async fn lock_jobs(&self, connection: &mut SqliteConnection, ids: &[&str]) -> Sql<Vec<JobRow>> {
        jobs::by_ids(self, connection, ids).await
    }

    async fn job(&self, connection: &mut SqliteConnection, id: &str) -> Sql<Option<JobRow>> {
        Ok(jobs::by_ids(self, connection, &[id]).await?.pop())
    }

    async fn list_by_id(
        &self,
        connection: &mut SqliteConnection,
        after: Option<&str>,
        limit: i64,
    ) -> Sql<Vec<JobRow>> {
        jobs::list_by_id(self, connection, after, limit).await
    }

    async fn list_by_next(
        &self,
        connection: &mut SqliteConnection,
        limit: i64,
    ) -> Sql<Vec<JobRow>> {
        jobs::list_by_next(self, connection, limit).await
    }

    async fn next_due(
        &self,
        connection: &mut SqliteConnection,
        wanted: &Wanted<'_>,
    ) -> Sql<Option<i64>> {
        jobs::next_due(self, connection, wanted).await
    }

    async fn insert_jobs(
        &self,
        connection: &mut SqliteConnection,
        rows: &[JobRow],
    ) -> Sql<Vec<String>> {
        jobs::insert(self, connection, rows).await
    }

    async fn update_jobs(&self, connection: &mut SqliteConnection, rows: &[JobRow]) -> Sql<()> {
        jobs::update(self, connection, rows).await
    }

    async fn advance_jobs(
        &self,
        connection: &mut SqliteConnection,
        rows: &[Advance<'_>],
    ) -> Sql<()> {
        jobs::advance(self, connection, rows).await
    }

    async fn delete_job(&self, connection: &mut SqliteConnection, id: &str) -> Sql<()> {
        jobs::delete(self, connection, id).await
    }

    async fn lock_to_mend(
        &self,
        connection: &mut SqliteConnection,
        mark_over: i64,
        zone_data: &str,
        limit: i64,
    ) -> Sql<Vec<JobRow>> {
        jobs::to_mend(self, connection, mark_over, zone_data, limit).await
    }

    async fn open_runs(
        &self,
        connection: &mut SqliteConnection,
        job_ids: &[&str],
    ) -> Sql<Vec<OpenRuns>> {
        runs::open(self, connection, job_ids).await
    }

    async fn waiting_runs(
        &self,
        connection: &mut SqliteConnection,
        job_ids: &[&str],
    ) -> Sql<Vec<RunRow>> {
        runs::waiting(self, connection, job_ids).await
    }

    async fn insert_runs(
        &self,
        connection: &mut SqliteConnection,
        rows: &[NewRun<'_>],
    ) -> Sql<Vec<u128>> {
        runs::insert(self, connection, rows).await
    }

    async fn start_runs(
        &self,
        connection: &mut SqliteConnection,
        ids: &[u128],
        node: i64,
        now: i64,
    ) -> Sql<()> {
        runs::start(self, connection, ids, node, now).await
    }

    async fn delete_runs(&self, connection: &mut SqliteConnection, ids: &[u128]) -> Sql<()> {
        runs::delete(self, connection, ids).await
    }

    async fn cancel_waiting(
        &self,
        connection: &mut SqliteConnection,
        ids: &[u128],
        error: &str,
        now: i64,
    ) -> Sql<u64> {
        runs::cancel_waiting(self, connection, ids, error, now).await
    }

    async fn ask_oldest(&self, connection: &mut SqliteConnection, job_ids: &[&str]) -> Sql<()> {
        runs::ask_oldest(self, connection, job_ids).await
    }

    async fn ask_run(&self, connection: &mut SqliteConnection, id: u128) -> Sql<bool> {
        runs::ask(self, connection, id).await
    }

    async fn asked_to_stop(&self, connection: &mut SqliteConnection, node: i64) -> Sql<Vec<u128>> {
        runs::asked_to_stop(self, connection, node).await
    }

    async fn held(&self, connection: &mut SqliteConnection, node: i64) -> Sql<Vec<u128>> {
        runs::held(self, connection, node).await
    }

    async fn end_runs(
        &self,
        connection: &mut SqliteConnection,
        node: i64,
        ends: &[EndRow<'_>],
    ) -> Sql<Vec<u128>> {
        runs::end(self, connection, node, ends).await
    }

    async fn retry_runs(
        &self,
        connection: &mut SqliteConnection,
        node: i64,
        retries: &[RetryRow<'_>],
    ) -> Sql<Vec<u128>> {
        runs::retry(self, connection, node, retries).await
    }

    async fn end_bodies(
        &self,
        connection: &mut SqliteConnection,
        node: i64,
        bodies: &[(u128, i32)],
    ) -> Sql<Vec<u128>> {
        runs::end_bodies(self, connection, node, bodies).await
    }

    async fn runs(&self, connection: &mut SqliteConnection, ids: &[u128]) -> Sql<Vec<RunRow>> {
        runs::by_ids(self, connection, ids).await
    }

    async fn release_runs(
        &self,
        connection: &mut SqliteConnection,
        node: i64,
        ids: &[u128],
    ) -> Sql<()> {
        runs::release(self, connection, node, ids).await
    }

    async fn list_runs(
        &self,
        connection: &mut SqliteConnection,
        filter: &RunFilter,
    ) -> Sql<Vec<RunRow>> {
        history::list_runs(self, connection, filter).await
    }

    async fn insert_dropped(
        &self,
        connection: &mut SqliteConnection,
        rows: &[DroppedRow],
    ) -> Sql<()> {
        history::insert_dropped(self, connection, rows).await
    }

    async fn list_dropped(
        &self,
        connection: &mut SqliteConnection,
        job: Option<&str>,
        limit: i64,
    ) -> Sql<Vec<DroppedRow>> {
        history::list_dropped(self, connection, job, limit).await
    }

    async fn nth_newest_run(&self, connection: &mut SqliteConnection, n: i64) -> Sql<Option<u128>> {
        history::nth_newest_run(self, connection, n).await
    }

    async fn prune_runs(
        &self,
        connection: &mut SqliteConnection,
        below: u128,
        limit: i64,
    ) -> Sql<u64> {
        history::prune_runs(self, connection, below, limit).await
    }

    async fn nth_newest_dropped(
        &self,
        connection: &mut SqliteConnection,
        n: i64,
    ) -> Sql<Option<i64>> {
        history::nth_newest_dropped(self, connection, n).await
    }

    async fn prune_dropped(
        &self,
        connection: &mut SqliteConnection,
        decided_before: i64,
        seq: i64,
        limit: i64,
    ) -> Sql<u64> {
        history::prune_dropped(self, connection, decided_before, seq, limit).await
    }

    async fn prune_ended_jobs(
        &self,
        connection: &mut SqliteConnection,
        before: i64,
        limit: i64,
    ) -> Sql<u64> {
        history::prune_ended_jobs(self, connection, before, limit).await
    }

    async fn prune_nodes(&self, connection: &mut SqliteConnection, before: i64) -> Sql<u64> {
        history::prune_nodes(self, connection, before).await
    }

    async fn join_node(
        &self,
        connection: &mut SqliteConnection,
        node: &NewNode,
        lease: i64,
    ) -> Sql<()> {
        nodes::join(self, connection, node, lease).await
    }

    async fn beat(
        &self,
        connection: &mut SqliteConnection,
        node: i64,
        lease: i64,
    ) -> Sql<Option<BeatRow>> {
        nodes::beat(self, connection, node, lease).await
    }

    async fn leave_node(&self, connection: &mut SqliteConnection, node: i64) -> Sql<()> {
        nodes::leave(self, connection, node).await
    }

    async fn hold_lease(&self, connection: &mut SqliteConnection, node: i64) -> Sql<bool> {
        nodes::has_lease(self, connection, node).await
    }

    async fn lock_lost_nodes(&self, connection: &mut SqliteConnection) -> Sql<Vec<i64>> {
        nodes::lost(self, connection).await
    }

    async fn runs_of(
        &self,
        connection: &mut SqliteConnection,
        nodes: &[i64],
        limit: i64,
    ) -> Sql<Vec<RunRow>> {
        runs::of_nodes(self, connection, nodes, limit).await
    }

    async fn requeue(&self, connection: &mut SqliteConnection, rows: &[RequeueRow]) -> Sql<()> {
        runs::requeue(self, connection, rows).await
    }

    async fn bury(&self, connection: &mut SqliteConnection, nodes: &[i64]) -> Sql<()> {
        nodes::bury(self, connection, nodes).await
    }

    async fn list_nodes(&self, connection: &mut SqliteConnection) -> Sql<Vec<NodeRow>> {
        nodes::list(self, connection).await
    }

    /// Others see a commit by its version; there is nothing to tell.
    async fn notify(&self, _connection: &mut SqliteConnection, _due: i64) -> Sql<()> {
        Ok(())
    }
}
