//! Statements on runs that wait, go on and end.

use crate::sqlx::sqlite::SqliteRow;
use crate::sqlx::{Row, SqliteConnection};

use super::{json, statement};
use crate::backend::Sql;
use crate::run_row::{
    EndRow, HeadRow, NewRun, OpenFrom, OpenRuns, RequeueRow, RetryRow, RunRow, readable_queued,
};
use crate::sqlx;
use crate::tables::Tables;

/// The columns of a [`RunRow`], in the order in which they are read; the name of the node comes last.
pub(super) const COLUMNS: &str = "r.id, r.job_id, r.task, r.kind, r.scheduled_for, r.state, \
    r.slot, r.node, r.attempt, r.failures, r.lost, r.cancel_requested, r.started_at, r.finished_at, \
    r.lateness, r.error, r.value, r.earlier_attempts, n.name";

/// Runs, and the nodes that hold them.
pub(super) const RUNS: &str = "{runs} AS r LEFT JOIN {nodes} AS n ON n.id = r.node";

/// Whether the lease of the node that is bound first goes on.
const LEASE: &str =
    "EXISTS (SELECT 1 FROM {nodes} WHERE id = ?1 AND is_alive = 1 AND lease_until > {now})";

pub(super) fn read(row: &SqliteRow) -> Sql<RunRow> {
    Ok(RunRow {
        id: json::id(row.try_get(0)?)?,
        job_id: row.try_get(1)?,
        task: row.try_get(2)?,
        kind: row.try_get(3)?,
        scheduled_for: row.try_get(4)?,
        state: row.try_get(5)?,
        slot: row.try_get(6)?,
        node: row.try_get(7)?,
        attempt: row.try_get(8)?,
        failures: row.try_get(9)?,
        lost: row.try_get(10)?,
        cancel_requested: row.try_get(11)?,
        started_at: row.try_get(12)?,
        finished_at: row.try_get(13)?,
        lateness: row.try_get(14)?,
        error: row.try_get(15)?,
        value: row.try_get(16)?,
        earlier_attempts: row.try_get(17)?,
        node_name: row.try_get(18)?,
    })
}

pub(super) fn read_all(rows: &[SqliteRow]) -> Sql<Vec<RunRow>> {
    rows.iter().map(read).collect()
}

pub(super) fn read_ids(rows: &[SqliteRow]) -> Sql<Vec<u128>> {
    rows.iter().map(|row| json::id(row.try_get(0)?)).collect()
}

pub(super) async fn open_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    jobs: &[OpenFrom<'_>],
) -> Sql<Vec<OpenRuns>> {
    let sql = "SELECT job_id, sum(slot = 2), sum(slot = 1) FROM {runs} \
        WHERE slot > 0 AND job_id IN (SELECT value FROM json_each(?1)) GROUP BY job_id";
    let query =
        sqlx::query(statement(tables, sql)).bind(json::rows(jobs.iter().map(|job| job.job_id)));
    let rows = query.fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(OpenRuns {
                job_id: row.try_get(0)?,
                live: row.try_get(1)?,
                queued: row.try_get(2)?,
                oldest: None,
            })
        })
        .collect()
}

pub(super) async fn live_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    jobs: &[OpenFrom<'_>],
) -> Sql<Vec<OpenRuns>> {
    let sql = "SELECT job_id, count(*) FROM {runs} WHERE slot > 0 AND slot = 2 \
        AND job_id IN (SELECT value FROM json_each(?1)) GROUP BY job_id";
    let query =
        sqlx::query(statement(tables, sql)).bind(json::rows(jobs.iter().map(|job| job.job_id)));
    let rows = query.fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(OpenRuns {
                job_id: row.try_get(0)?,
                live: row.try_get(1)?,
                queued: 0,
                oldest: None,
            })
        })
        .collect()
}

const READABLE: &str = readable_queued!();

/// Of queued runs those that a pause of their job does not hold.
const UNHELD: &str = "AND (r.kind <> 0 OR r.attempt > 0)";

pub(super) async fn queue_heads(
    tables: &Tables,
    connection: &mut SqliteConnection,
    heads: &[HeadRow<'_>],
) -> Sql<Vec<RunRow>> {
    // One run after the other: a limit of a subquery cannot be another one for each job.
    let next = |held: &str, after: &str| {
        format!(
            "(SELECT r.id FROM {{runs}} AS r WHERE r.job_id = head.job_id AND r.slot = 1 {held} \
                {after} AND r.{READABLE} ORDER BY r.id LIMIT 1)"
        )
    };
    let step = |after: &str| {
        let (unheld, any) = (next(UNHELD, after), next("", after));
        format!("CASE WHEN head.skips_held THEN {unheld} ELSE {any} END")
    };
    let sql = format!(
        "WITH RECURSIVE head (job_id, remaining, skips_held) AS ( \
                SELECT value ->> '$[0]', value ->> '$[1]', value ->> '$[2]' FROM json_each(?1)), \
            found (job_id, remaining, skips_held, id) AS ( \
                SELECT head.*, {} FROM head \
                UNION ALL \
                SELECT head.job_id, head.remaining - 1, head.skips_held, {} FROM found AS head \
                    WHERE head.remaining > 1 AND head.id IS NOT NULL) \
         SELECT {COLUMNS} FROM {RUNS} WHERE r.id IN (SELECT id FROM found) ORDER BY r.id",
        step(""),
        step("AND r.id > head.id")
    );
    let rows = heads
        .iter()
        .map(|head| (head.job_id, head.limit, i64::from(head.skips_held)));
    let query = sqlx::query(statement(tables, &sql)).bind(json::rows(rows));
    read_all(&query.fetch_all(connection).await?)
}

pub(super) async fn queued_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    job_ids: &[&str],
) -> Sql<Vec<RunRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {RUNS} \
         WHERE r.slot = 1 AND r.job_id IN (SELECT value FROM json_each(?1)) ORDER BY r.id"
    );
    let query = sqlx::query(statement(tables, &sql)).bind(json::rows(job_ids));
    read_all(&query.fetch_all(connection).await?)
}

pub(super) async fn insert_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    rows: &[NewRun<'_>],
) -> Sql<Vec<u128>> {
    let sql = "INSERT OR FAIL INTO {runs} (id, job_id, task, kind, scheduled_for, node, started_at, state, \
            slot, attempt, failures, lost, cancel_requested) \
        SELECT unhex(value ->> '$[0]'), value ->> '$[1]', value ->> '$[2]', value ->> '$[3]', value ->> '$[4]', \
            value ->> '$[5]', value ->> '$[6]', (value ->> '$[5]') IS NOT NULL, 1 + ((value ->> '$[5]') IS NOT NULL), \
            (value ->> '$[5]') IS NOT NULL, 0, 0, 0 \
        FROM jsonb_each(?1) WHERE true ON CONFLICT DO NOTHING";
    let json = rows.iter().map(|run| {
        (
            json::hex(run.id),
            run.job_id,
            run.task,
            run.kind,
            run.scheduled_for,
            run.node,
            run.started_at,
        )
    });
    let query = sqlx::query(statement(tables, sql)).bind(json::rows(json));
    let inserted = query.execute(&mut *connection).await?.rows_affected();
    let ids: Vec<u128> = rows.iter().map(|run| run.id).collect();
    if inserted == rows.len() as u64 {
        return Ok(ids);
    }
    let sql = "SELECT id FROM {runs} WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
    let query = sqlx::query(statement(tables, sql)).bind(json::ids(&ids));
    read_ids(&query.fetch_all(connection).await?)
}

pub(super) async fn start_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    ids: &[u128],
    node: i64,
    now: i64,
) -> Sql<()> {
    let sql = "UPDATE {runs} SET state = 1, slot = 2, node = ?2, attempt = attempt + 1, \
            started_at = ?3 \
        WHERE slot = 1 AND id IN (SELECT unhex(value) FROM json_each(?1))";
    let query = sqlx::query(statement(tables, sql)).bind(json::ids(ids));
    query.bind(node).bind(now).execute(connection).await?;
    Ok(())
}

pub(super) async fn delete_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    ids: &[u128],
) -> Sql<()> {
    let sql = "DELETE FROM {runs} WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
    let query = sqlx::query(statement(tables, sql)).bind(json::ids(ids));
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn cancel_queued(
    tables: &Tables,
    connection: &mut SqliteConnection,
    ids: &[u128],
    error: &str,
    now: i64,
) -> Sql<u64> {
    let sql = "UPDATE {runs} SET state = 5, slot = 0, error = ?2, started_at = NULL, finished_at = ?3 \
        WHERE slot = 1 AND id IN (SELECT unhex(value) FROM json_each(?1))";
    let query = sqlx::query(statement(tables, sql)).bind(json::ids(ids));
    let done = query.bind(error).bind(now).execute(connection).await?;
    Ok(done.rows_affected())
}

pub(super) async fn cancel_oldest(
    tables: &Tables,
    connection: &mut SqliteConnection,
    job_ids: &[&str],
) -> Sql<()> {
    let sql = "UPDATE {runs} SET cancel_requested = 1 WHERE id IN ( \
            SELECT min(id) FROM {runs} WHERE slot = 2 \
                AND job_id IN (SELECT value FROM json_each(?1)) GROUP BY job_id)";
    let query = sqlx::query(statement(tables, sql)).bind(json::rows(job_ids));
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn ask_run(
    tables: &Tables,
    connection: &mut SqliteConnection,
    id: u128,
) -> Sql<bool> {
    let sql = "UPDATE {runs} SET cancel_requested = 1 WHERE id = ?1 AND slot = 2 AND state = 1";
    let query = sqlx::query(statement(tables, sql)).bind(id.to_be_bytes().to_vec());
    Ok(query.execute(connection).await?.rows_affected() > 0)
}

pub(super) async fn cancellations(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: i64,
) -> Sql<Vec<u128>> {
    let sql =
        "SELECT id FROM {runs} WHERE slot = 2 AND cancel_requested = 1 AND node = ?1 AND state = 1";
    let query = sqlx::query(statement(tables, sql)).bind(node);
    read_ids(&query.fetch_all(connection).await?)
}

pub(super) async fn held(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: i64,
) -> Sql<Vec<u128>> {
    let sql = "SELECT id FROM {runs} WHERE slot > 0 AND slot = 2 AND node = ?1";
    let query = sqlx::query(statement(tables, sql)).bind(node);
    read_ids(&query.fetch_all(connection).await?)
}

pub(super) async fn end_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: i64,
    ends: &[EndRow<'_>],
) -> Sql<Vec<u128>> {
    let sql = format!(
        "UPDATE OR FAIL {{runs}} AS r SET state = x.value ->> '$[2]', slot = 2 * (x.value ->> '$[3]'), \
            started_at = x.value ->> '$[4]', finished_at = x.value ->> '$[5]', \
            lateness = coalesce(r.lateness, x.value ->> '$[6]'), error = x.value ->> '$[7]', \
            value = x.value ->> '$[8]' \
         FROM jsonb_each(?2) AS x \
         WHERE r.id = unhex(x.value ->> '$[0]') AND r.attempt = x.value ->> '$[1]' \
            AND r.slot = 2 AND r.state = 1 AND r.node = ?1 AND {LEASE}"
    );
    let rows = ends.iter().map(|end| {
        (
            json::hex(end.id),
            end.attempt,
            end.state,
            i64::from(end.holds_slot),
            end.started_at,
            end.finished_at,
            end.lateness,
            end.error,
            end.value,
        )
    });
    let query = sqlx::query(statement(tables, &sql))
        .bind(node)
        .bind(json::rows(rows));
    let ended = query.execute(connection).await?.rows_affected();
    // Where some were not held, the rows themselves tell which.
    let all = ended == ends.len() as u64;
    Ok(ends.iter().filter(|_| all).map(|end| end.id).collect())
}

pub(super) async fn retry_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: i64,
    retries: &[RetryRow<'_>],
) -> Sql<Vec<u128>> {
    let sql = format!(
        "UPDATE {{runs}} AS r SET attempt = r.attempt + 1 - (x.value ->> '$[2]'), \
            failures = r.failures + 1, started_at = x.value ->> '$[3]', \
            lateness = coalesce(r.lateness, x.value ->> '$[4]'), \
            earlier_attempts = json_insert( \
                CASE WHEN json_array_length(coalesce(r.earlier_attempts, '[]')) >= 10 \
                    THEN json_remove(r.earlier_attempts, '$[0]') \
                    ELSE coalesce(r.earlier_attempts, '[]') END, \
                '$[#]', json(x.value ->> '$[5]')) \
         FROM jsonb_each(?2) AS x \
         WHERE r.id = unhex(x.value ->> '$[0]') AND r.attempt = x.value ->> '$[1]' \
            AND r.slot = 2 AND r.state = 1 AND r.node = ?1 \
            AND (r.earlier_attempts ->> '$[#-1].attempt') IS NOT r.attempt \
            AND {LEASE} RETURNING id"
    );
    let rows = retries.iter().map(|retry| {
        (
            json::hex(retry.id),
            retry.attempt,
            i64::from(retry.holds_slot),
            retry.started_at,
            retry.lateness,
            retry.earlier,
        )
    });
    let query = sqlx::query(statement(tables, &sql))
        .bind(node)
        .bind(json::rows(rows));
    read_ids(&query.fetch_all(connection).await?)
}

pub(super) async fn end_bodies(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: i64,
    bodies: &[(u128, i32)],
) -> Sql<Vec<u128>> {
    let sql = format!(
        "UPDATE {{runs}} AS r SET attempt = r.attempt + (r.state = 1), slot = 2 * (r.state = 1) \
         FROM jsonb_each(?2) AS x \
         WHERE r.id = unhex(x.value ->> '$[0]') AND r.attempt = x.value ->> '$[1]' \
            AND r.slot = 2 AND r.node = ?1 AND {LEASE} RETURNING id"
    );
    let rows = bodies.iter().map(|(id, attempt)| (json::hex(*id), attempt));
    let query = sqlx::query(statement(tables, &sql))
        .bind(node)
        .bind(json::rows(rows));
    read_ids(&query.fetch_all(connection).await?)
}

pub(super) async fn runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    ids: &[u128],
) -> Sql<Vec<RunRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {RUNS} WHERE r.id IN (SELECT unhex(value) FROM json_each(?1))"
    );
    let query = sqlx::query(statement(tables, &sql)).bind(json::ids(ids));
    read_all(&query.fetch_all(connection).await?)
}

pub(super) async fn release_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: i64,
    ids: &[u128],
) -> Sql<()> {
    let ids = json::ids(ids);
    // Without a job nobody would ever take it up again.
    let sql = "UPDATE {runs} SET state = 5, slot = 0, attempt = attempt - 1, \
            error = 'released after its job was removed', finished_at = {now} \
        WHERE slot = 2 AND state = 1 AND node = ?1 \
            AND id IN (SELECT unhex(value) FROM json_each(?2)) \
            AND job_id NOT IN (SELECT id FROM {jobs})";
    let query = sqlx::query(statement(tables, sql)).bind(node).bind(&ids);
    query.execute(&mut *connection).await?;
    let sql = "UPDATE {runs} SET state = 0, slot = 1, attempt = attempt - 1, node = NULL \
        WHERE slot = 2 AND state = 1 AND node = ?1 \
            AND id IN (SELECT unhex(value) FROM json_each(?2))";
    let query = sqlx::query(statement(tables, sql)).bind(node).bind(&ids);
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn runs_of(
    tables: &Tables,
    connection: &mut SqliteConnection,
    nodes: &[i64],
    after: u128,
    limit: i64,
) -> Sql<Vec<RunRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {RUNS} WHERE r.slot > 0 AND r.slot = 2 \
            AND r.node IN (SELECT value FROM json_each(?1)) AND r.id > ?2 ORDER BY r.id LIMIT ?3"
    );
    let query = sqlx::query(statement(tables, &sql))
        .bind(json::rows(nodes))
        .bind(after.to_be_bytes().to_vec())
        .bind(limit);
    read_all(&query.fetch_all(connection).await?)
}

pub(super) async fn requeue(
    tables: &Tables,
    connection: &mut SqliteConnection,
    rows: &[RequeueRow],
) -> Sql<()> {
    let sql = "UPDATE {runs} AS r SET state = x.value ->> '$[1]', slot = x.value ->> '$[2]', \
            lost = x.value ->> '$[3]', finished_at = x.value ->> '$[4]', error = x.value ->> '$[5]', \
            earlier_attempts = x.value ->> '$[6]', \
            node = CASE WHEN x.value ->> '$[2]' = 1 THEN NULL ELSE r.node END \
        FROM jsonb_each(?1) AS x WHERE r.id = unhex(x.value ->> '$[0]') AND r.slot = 2";
    let rows = rows.iter().map(|row| {
        (
            json::hex(row.id),
            row.state,
            row.slot,
            row.lost,
            row.finished_at,
            &row.error,
            &row.earlier_attempts,
        )
    });
    let query = sqlx::query(statement(tables, sql)).bind(json::rows(rows));
    query.execute(connection).await?;
    Ok(())
}
