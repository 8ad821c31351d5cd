//! Statements about how runs that a node holds go on, and how they end.
//!
//! Each takes effect only while the lease of the node goes on. It locks the node's row before it looks
//! at a run, and whoever takes runs over has locked that row first: either the end is recorded before,
//! and the run is not taken over, or the run is taken over, and the end changes nothing.
//!
//! `slot + 0`: the rows are found by their ids, never by walking through all open runs.

use crate::sqlx::PgConnection;
use crate::sqlx::types::Uuid;
use scheduler_core::Attempt;

use super::runs::{ids, read_all, run_columns, select_runs};
use super::text::{column, sorted, text, uuids};
use super::{clock, query};
use crate::backend::Sql;
use crate::run_row::{EndRow, RequeueRow, RetryRow, RunRow};
use crate::statements::statements;
use crate::tables::Tables;

/// An update of runs that the node `$1` holds under the attempts in `u`.
macro_rules! update_held {
    ($set:literal, $rows:literal, $state:literal) => {
        concat!(
            "WITH me AS MATERIALIZED (SELECT 1 FROM {nodes} WHERE id = $1 AND is_alive ",
            "AND lease_until > ",
            clock!(),
            " FOR KEY SHARE) UPDATE {runs} r SET ",
            $set,
            " FROM UNNEST(",
            $rows,
            ") WHERE r.id = ANY($2) AND r.id = u.id AND r.attempt = u.attempt AND r.node = $1 ",
            "AND r.slot + 0 = {holds}",
            $state,
            " AND EXISTS (SELECT 1 FROM me) RETURNING r.id"
        )
    };
}

statements! {
    END_RUNS = update_held!(
        "state = u.state, slot = CASE WHEN u.holds_slot THEN {holds} ELSE {none} END,
         started_at = u.started_at, finished_at = u.finished_at,
         lateness = COALESCE(r.lateness, u.lateness), error = u.error, value = u.value",
        "$2::uuid[], $3::integer[], $4::smallint[], $5::boolean[], $6::bigint[], $7::bigint[],
         $8::bigint[], $9::text[], $10::text[])
         AS u (id, attempt, state, holds_slot, started_at, finished_at, lateness, error, value",
        " AND r.state = {running}"
    );
    RETRY_RUNS = update_held!(
        "failures = r.failures + 1,
         attempt = r.attempt + CASE WHEN u.holds_slot THEN 0 ELSE 1 END,
         started_at = u.started_at, lateness = COALESCE(r.lateness, u.lateness),
         earlier_attempts = CASE WHEN r.earlier_attempts IS NULL THEN '[' || u.earlier || ']'
             ELSE '[' || COALESCE((SELECT string_agg(e.attempt, ',' ORDER BY e.n) || ','
                 FROM (SELECT a.value::text AS attempt, a.n
                     FROM json_array_elements(r.earlier_attempts::json)
                         WITH ORDINALITY AS a (value, n)
                     ORDER BY a.n DESC LIMIT $8) e), '') || u.earlier || ']' END",
        "$2::uuid[], $3::integer[], $4::boolean[], $5::bigint[], $6::bigint[], $7::text[])
         AS u (id, attempt, holds_slot, started_at, lateness, earlier",
        " AND r.state = {running}
         AND right(COALESCE(r.earlier_attempts, ''), length(u.earlier) + 1) <> u.earlier || ']'"
    );
    END_BODIES = update_held!(
        "slot = CASE WHEN r.state = {running} THEN {holds} ELSE {none} END,
         attempt = r.attempt + CASE WHEN r.state = {running} THEN 1 ELSE 0 END",
        "$2::uuid[], $3::integer[]) AS u (id, attempt",
        ""
    );
    LOCK_JOBS_OF_RUNS = "SELECT 1 FROM {jobs}
         WHERE id = ANY(ARRAY(SELECT DISTINCT job_id FROM {runs}
                 WHERE id = ANY($2) AND node = $1 AND slot + 0 = {holds}))
         ORDER BY id FOR KEY SHARE";
    RELEASE_RUNS = concat!(
        "UPDATE {runs} r SET state = CASE WHEN o.has_job THEN {queued} ELSE {cancelled} END,
             slot = CASE WHEN o.has_job THEN {waits} ELSE {none} END,
             node = CASE WHEN o.has_job THEN NULL ELSE r.node END,
             error = CASE WHEN o.has_job THEN r.error
                 ELSE 'released after its job was removed' END,
             finished_at = CASE WHEN o.has_job THEN r.finished_at ELSE ",
        clock!(),
        " END, started_at = NULL, attempt = r.attempt - 1
         FROM (SELECT id, EXISTS (SELECT 1 FROM {jobs} j WHERE j.id = job_id) AS has_job
             FROM {runs} WHERE id = ANY($2)) o
         WHERE r.id = ANY($2) AND r.id = o.id AND r.node = $1 AND r.slot + 0 = {holds} AND r.state = {running}"
    );
    RUNS_OF = select_runs!(
        "WHERE id = ANY(ARRAY(
             SELECT id FROM {runs} WHERE node = ANY($1) AND slot = {holds} AND id > $2))
         ORDER BY id LIMIT $3"
    );
    REQUEUE = "UPDATE {runs} r SET state = u.state, slot = u.slot, lost = u.lost,
             node = CASE WHEN u.slot = {waits} THEN NULL ELSE r.node END,
             finished_at = COALESCE(u.finished_at, r.finished_at),
             error = COALESCE(u.error, r.error),
             earlier_attempts = COALESCE(u.earlier_attempts, r.earlier_attempts)
         FROM UNNEST($1::uuid[], $2::smallint[], $3::smallint[], $4::integer[], $5::bigint[],
             $6::text[], $7::text[])
             AS u (id, state, slot, lost, finished_at, error, earlier_attempts)
         WHERE r.id = ANY($1) AND r.id = u.id AND r.slot + 0 = {holds}";
}

pub(super) async fn end_runs(
    tables: &Tables,
    connection: &mut PgConnection,
    node: i64,
    ends: &[EndRow<'_>],
) -> Sql<Vec<u128>> {
    let ends = sorted(ends, |end| end.id);
    let rows = query(tables, END_RUNS)
        .bind(node)
        .bind(column(&ends, |end| Uuid::from_u128(end.id)))
        .bind(column(&ends, |end| end.attempt))
        .bind(column(&ends, |end| end.state))
        .bind(column(&ends, |end| end.holds_slot))
        .bind(column(&ends, |end| end.started_at))
        .bind(column(&ends, |end| end.finished_at))
        .bind(column(&ends, |end| end.lateness))
        .bind(column(&ends, |end| end.error.map(text)))
        .bind(column(&ends, |end| end.value.map(text)))
        .fetch_all(connection)
        .await?;
    ids(rows)
}

pub(super) async fn retry_runs(
    tables: &Tables,
    connection: &mut PgConnection,
    node: i64,
    retries: &[RetryRow<'_>],
) -> Sql<Vec<u128>> {
    // `json` keeps texts as they are; `jsonb` refuses `\u0000`, and so does looking into an object: that
    // this very attempt was appended before is seen by its text.
    let retries = sorted(retries, |retry| retry.id);
    let kept_before = i64::try_from(Attempt::KEPT).unwrap_or(i64::MAX) - 1;
    let rows = query(tables, RETRY_RUNS)
        .bind(node)
        .bind(column(&retries, |retry| Uuid::from_u128(retry.id)))
        .bind(column(&retries, |retry| retry.attempt))
        .bind(column(&retries, |retry| retry.holds_slot))
        .bind(column(&retries, |retry| retry.started_at))
        .bind(column(&retries, |retry| retry.lateness))
        .bind(column(&retries, |retry| text(retry.earlier)))
        .bind(kept_before)
        .fetch_all(connection)
        .await?;
    ids(rows)
}

pub(super) async fn end_bodies(
    tables: &Tables,
    connection: &mut PgConnection,
    node: i64,
    bodies: &[(u128, i32)],
) -> Sql<Vec<u128>> {
    let bodies = sorted(bodies, |body| body.0);
    let rows = query(tables, END_BODIES)
        .bind(node)
        .bind(column(&bodies, |body| Uuid::from_u128(body.0)))
        .bind(column(&bodies, |body| body.1))
        .fetch_all(connection)
        .await?;
    ids(rows)
}

/// Locks the jobs first, so that none of them is removed between the look and the update.
pub(super) async fn release_runs(
    tables: &Tables,
    connection: &mut PgConnection,
    node: i64,
    ids: &[u128],
) -> Sql<()> {
    let ids = uuids(ids);
    let lock = query(tables, LOCK_JOBS_OF_RUNS).bind(node).bind(&ids);
    lock.execute(&mut *connection).await?;
    // Without a job nobody would ever take a run up again.
    let update = query(tables, RELEASE_RUNS).bind(node).bind(&ids);
    update.execute(connection).await?;
    Ok(())
}

pub(super) async fn runs_of(
    tables: &Tables,
    connection: &mut PgConnection,
    nodes: &[i64],
    after: u128,
    limit: i64,
) -> Sql<Vec<RunRow>> {
    // Found by their places first: in the order of ids all of the history would be looked through.
    let query = query(tables, RUNS_OF)
        .bind(nodes)
        .bind(Uuid::from_u128(after))
        .bind(limit);
    read_all(query.fetch_all(connection).await?)
}

pub(super) async fn requeue(
    tables: &Tables,
    connection: &mut PgConnection,
    runs: &[RequeueRow],
) -> Sql<()> {
    let runs = sorted(runs, |run| run.id);
    query(tables, REQUEUE)
        .bind(column(&runs, |run| Uuid::from_u128(run.id)))
        .bind(column(&runs, |run| run.state))
        .bind(column(&runs, |run| run.slot))
        .bind(column(&runs, |run| run.lost))
        .bind(column(&runs, |run| run.finished_at))
        .bind(column(&runs, |run| run.error.as_deref().map(text)))
        .bind(column(&runs, |run| {
            run.earlier_attempts.as_deref().map(text)
        }))
        .execute(connection)
        .await?;
    Ok(())
}
