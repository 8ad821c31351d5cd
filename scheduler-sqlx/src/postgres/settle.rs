//! Statements that retry or end the runs that a node holds.
//!
//! Each takes effect only while the node's lease is valid. It locks the node's row before it looks at a run, and a node
//! that takes runs over has locked that row first: either the end is recorded before, and the run is not taken over, or
//! the run is taken over, and the end changes nothing.
//!
//! The changes were decided before, for the ways in which a run may be held: each row lists those for which it is
//! valid.
//!
//! `slot + 0`: the rows are found by their ids, never by scanning all open runs.

use crate::sqlx::PgConnection;
use crate::sqlx::types::Uuid;
use scheduler_core::Attempt;

use super::runs::{ids, read_all, run_columns, select_runs};
use super::text::{column, sorted, text};
use super::{clock, query};
use crate::backend::Sql;
use crate::run_row::{BodyRow, EndRow, RequeueRow, RetryRow, RunRow};
use crate::statements::statements;
use crate::tables::Tables;

/// How a run is held. The number of its attempt is searched for in the text of the earlier ones, where quotes within
/// texts are escaped by a backslash; the `json` functions reject objects with a `\u0000`.
macro_rules! held {
    () => {
        "CASE WHEN r.state <> {running} THEN {body_after_end}
             WHEN strpos(r.earlier_attempts, '\"attempt\":' || r.attempt || ',') > 0 THEN {body_before_retry}
             ELSE {attempt_goes_on} END"
    };
}

/// An update of the runs that node `$1` holds under the attempts, and in the ways, given by `u`.
macro_rules! update_held {
    ($set:literal, $rows:literal) => {
        concat!(
            "WITH me AS MATERIALIZED (SELECT 1 FROM {nodes} WHERE id = $1 AND is_alive ",
            "AND lease_until > ",
            clock!(),
            " FOR KEY SHARE) UPDATE {runs} r SET ",
            $set,
            " FROM UNNEST(",
            $rows,
            ") WHERE r.id = ANY($2) AND r.id = u.id AND r.attempt = u.attempt AND r.node = $1 ",
            "AND r.slot + 0 = {holds} AND u.held & ",
            held!(),
            " <> 0 AND EXISTS (SELECT 1 FROM me) RETURNING r.id"
        )
    };
}

statements! {
    END_RUNS = update_held!(
        "state = u.state, slot = CASE WHEN u.holds_slot THEN {holds} ELSE {none} END,
         started_at = u.started_at, finished_at = u.finished_at,
         lateness = COALESCE(r.lateness, u.lateness), error = u.error, value = u.value",
        "$2::uuid[], $3::integer[], $4::smallint[], $5::smallint[], $6::boolean[], $7::bigint[],
         $8::bigint[], $9::bigint[], $10::text[], $11::text[])
         AS u (id, attempt, held, state, holds_slot, started_at, finished_at, lateness, error, value"
    );
    RETRY_RUNS = update_held!(
        "failures = r.failures + u.failures, attempt = u.next_attempt,
         started_at = u.started_at, lateness = COALESCE(r.lateness, u.lateness),
         earlier_attempts = CASE WHEN r.earlier_attempts IS NULL THEN '[' || u.earlier || ']'
             ELSE '[' || COALESCE((SELECT string_agg(e.attempt, ',' ORDER BY e.n) || ','
                 FROM (SELECT a.value::text AS attempt, a.n
                     FROM json_array_elements(r.earlier_attempts::json)
                         WITH ORDINALITY AS a (value, n)
                     ORDER BY a.n DESC LIMIT $9) e), '') || u.earlier || ']' END",
        "$2::uuid[], $3::integer[], $4::smallint[], $5::integer[], $6::integer[], $7::bigint[],
         $8::bigint[], $10::text[])
         AS u (id, attempt, held, next_attempt, failures, started_at, lateness, earlier"
    );
    END_BODIES = update_held!(
        "slot = CASE WHEN u.holds_slot THEN {holds} ELSE {none} END, attempt = u.next_attempt",
        "$2::uuid[], $3::integer[], $4::smallint[], $5::integer[], $6::boolean[])
         AS u (id, attempt, held, next_attempt, holds_slot"
    );
    RUNS_OF = select_runs!(
        "WHERE id = ANY(ARRAY(
             SELECT id FROM {runs} WHERE node = ANY($1) AND slot = {holds} AND id > $2))
         ORDER BY id LIMIT $3"
    );
    REQUEUE = "UPDATE {runs} r SET state = u.state, slot = u.slot, lost = u.lost, attempt = u.attempt,
             node = CASE WHEN u.slot = {waits} THEN NULL ELSE r.node END,
             finished_at = COALESCE(u.finished_at, r.finished_at),
             error = COALESCE(u.error, r.error),
             earlier_attempts = COALESCE(u.earlier_attempts, r.earlier_attempts)
         FROM UNNEST($1::uuid[], $2::smallint[], $3::smallint[], $4::integer[], $5::bigint[],
             $6::text[], $7::text[], $8::integer[], $9::bigint[], $10::integer[], $11::smallint[])
             AS u (id, state, slot, lost, finished_at, error, earlier_attempts, attempt,
                 held_by, held_attempt, held_state)
         WHERE r.id = ANY($1) AND r.id = u.id AND r.slot + 0 = {holds} AND r.node = u.held_by
             AND r.attempt = u.held_attempt AND r.state = u.held_state";
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
        .bind(column(&ends, |end| end.held))
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
    retries: &[RetryRow],
) -> Sql<Vec<u128>> {
    // `json` keeps texts as they are; `jsonb` rejects `\u0000`.
    let retries = sorted(retries, |retry| retry.id);
    let kept_before = i64::try_from(Attempt::KEPT).unwrap_or(i64::MAX) - 1;
    let rows = query(tables, RETRY_RUNS)
        .bind(node)
        .bind(column(&retries, |retry| Uuid::from_u128(retry.id)))
        .bind(column(&retries, |retry| retry.attempt))
        .bind(column(&retries, |retry| retry.held))
        .bind(column(&retries, |retry| retry.next_attempt))
        .bind(column(&retries, |retry| retry.failures))
        .bind(column(&retries, |retry| retry.started_at))
        .bind(column(&retries, |retry| retry.lateness))
        .bind(kept_before)
        .bind(column(&retries, |retry| text(&retry.earlier)))
        .fetch_all(connection)
        .await?;
    ids(rows)
}

pub(super) async fn end_bodies(
    tables: &Tables,
    connection: &mut PgConnection,
    node: i64,
    bodies: &[BodyRow],
) -> Sql<Vec<u128>> {
    let bodies = sorted(bodies, |body| body.id);
    let rows = query(tables, END_BODIES)
        .bind(node)
        .bind(column(&bodies, |body| Uuid::from_u128(body.id)))
        .bind(column(&bodies, |body| body.attempt))
        .bind(column(&bodies, |body| body.held))
        .bind(column(&bodies, |body| body.next_attempt))
        .bind(column(&bodies, |body| body.holds_slot))
        .fetch_all(connection)
        .await?;
    ids(rows)
}

pub(super) async fn runs_of(
    tables: &Tables,
    connection: &mut PgConnection,
    nodes: &[i64],
    after: u128,
    limit: i64,
) -> Sql<Vec<RunRow>> {
    // Found by their slots first: in the order of ids, the whole history would be searched.
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
        .bind(column(&runs, |run| run.attempt))
        .bind(column(&runs, |run| run.held_by))
        .bind(column(&runs, |run| run.held_attempt))
        .bind(column(&runs, |run| run.held_state))
        .execute(connection)
        .await?;
    Ok(())
}
