//! Statements about runs: queued, live and ended.

use crate::sqlx::sqlite::SqliteRow;
use crate::sqlx::{Row, SqliteConnection};

use scheduler_core::Attempt;

use super::{json, statement};
use crate::backend::Sql;
use crate::run_row::{
    BodyRow, ClaimedAfter, EndRow, HeadRow, NewRun, OpenFrom, OpenRuns, RequeueRow, RetryRow,
    RunRow, StartRow,
};
use crate::sqlx;
use crate::statements::statements;
use crate::tables::Tables;

/// `{run_columns}`: the columns of a [`RunRow`].
pub(super) const COLUMNS: &str = "r.id, r.job_id, r.task, r.kind, r.scheduled_for, r.state, \
    r.slot, r.node, r.attempt, r.failures, r.lost, r.cancel_requested, r.started_at, r.finished_at, \
    r.lateness, r.error, r.value, r.earlier_attempts, n.name AS node_name";

/// `{held_runs}`: runs, and the nodes that hold them.
pub(super) const HELD_RUNS: &str = "{runs} AS r LEFT JOIN {nodes} AS n ON n.id = r.node";

/// `{lease}`: the lease of the node that is bound first is valid.
pub(super) const LEASE: &str =
    "EXISTS (SELECT 1 FROM {nodes} WHERE id = ?1 AND is_alive = 1 AND lease_until > {now})";

/// How a run is held. The number of its attempt is searched for in the text of the earlier ones, where quotes within
/// texts are escaped by a backslash.
macro_rules! held {
    () => {
        "CASE WHEN r.state <> {running} THEN {body_after_end} \
            WHEN instr(r.earlier_attempts, '\"attempt\":' || r.attempt || ',') > 0 THEN {body_before_retry} \
            ELSE {attempt_goes_on} END"
    };
}

/// An update of the runs that node `?1` holds under the attempts, and in the ways, given by `?2`: the first three
/// columns of each row there.
macro_rules! update_held {
    ($update:literal, $set:literal, $returning:literal) => {
        concat!(
            $update,
            " {runs} AS r SET ",
            $set,
            " FROM jsonb_each(?2) AS x \
             WHERE r.id = unhex(x.value ->> '$[0]') AND r.attempt = x.value ->> '$[1]' \
                AND r.slot = {holds} AND r.node = ?1 AND (x.value ->> '$[2]') & ",
            held!(),
            " AND {lease}",
            $returning
        )
    };
}

/// The next queued run of a job, either among those that a pause of the job does not hold or among all.
macro_rules! next_queued {
    ($held:literal, $after:literal) => {
        concat!(
            "(SELECT r.id FROM {runs} AS r WHERE r.job_id = head.job_id AND r.slot = {waits} ",
            $held,
            $after,
            " AND r.{readable} ORDER BY r.id LIMIT 1)"
        )
    };
}

/// The next queued run of either kind, depending on the row.
macro_rules! queue_step {
    ($after:literal) => {
        concat!(
            "CASE WHEN head.skips_held THEN ",
            next_queued!("AND {exempt}", $after),
            " ELSE ",
            next_queued!("", $after),
            " END"
        )
    };
}

statements! {
    // One run after another: the limit of a subquery cannot differ per job.
    QUEUE_HEADS = concat!(
        "WITH RECURSIVE head (job_id, remaining, skips_held) AS ( \
                SELECT value ->> '$[0]', value ->> '$[1]', value ->> '$[2]' FROM json_each(?1)), \
            found (job_id, remaining, skips_held, id) AS ( \
                SELECT head.*, ",
        queue_step!(""),
        " FROM head \
                UNION ALL \
                SELECT head.job_id, head.remaining - 1, head.skips_held, ",
        queue_step!(" AND r.id > head.id"),
        " FROM found AS head \
                    WHERE head.remaining > 1 AND head.id IS NOT NULL) \
         SELECT {run_columns} FROM {held_runs} WHERE r.id IN (SELECT id FROM found) ORDER BY r.id"
    );
    OPEN_RUNS = "SELECT job_id, sum(slot = {holds}) AS live, sum(slot = {waits}) AS queued FROM {runs} \
        WHERE slot > {none} AND job_id IN (SELECT value FROM json_each(?1)) GROUP BY job_id";
    LIVE_RUNS = "SELECT job_id, count(*) AS live FROM {runs} WHERE slot > {none} AND slot = {holds} \
        AND job_id IN (SELECT value FROM json_each(?1)) GROUP BY job_id";
    // A plain condition on `scheduled_for` would let SQLite search by it, among the runs of all jobs.
    CLAIMED_TIMES = "SELECT r.job_id, r.scheduled_for FROM json_each(?1) AS j JOIN {runs} AS r \
        ON r.job_id = j.value ->> '$[0]' AND r.id >= unhex(j.value ->> '$[2]') AND r.kind = {scheduled} \
            AND +r.scheduled_for > j.value ->> '$[1]'";
    QUEUED_RUNS = "SELECT {run_columns} FROM {held_runs} \
         WHERE r.slot = {waits} AND r.job_id IN (SELECT value FROM json_each(?1)) ORDER BY r.id";
    INSERT_RUNS = "INSERT OR FAIL INTO {runs} (id, job_id, task, kind, scheduled_for, node, started_at, state, \
            slot, attempt, failures, lost, cancel_requested) \
        SELECT unhex(value ->> '$[0]'), value ->> '$[1]', value ->> '$[2]', value ->> '$[3]', value ->> '$[4]', \
            value ->> '$[5]', value ->> '$[6]', iif(value ->> '$[5]' IS NULL, {queued}, {running}), iif(value ->> '$[5]' IS NULL, {waits}, {holds}), \
            (value ->> '$[5]') IS NOT NULL, 0, 0, 0 \
        FROM jsonb_each(?1) WHERE true ON CONFLICT DO NOTHING";
    INSERTED_RUNS = "SELECT id FROM {runs} WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
    START_RUNS = "UPDATE {runs} AS r SET state = {running}, slot = {holds}, node = ?2, \
            attempt = x.value ->> '$[1]', started_at = ?3 \
        FROM jsonb_each(?1) AS x WHERE r.id = unhex(x.value ->> '$[0]') AND r.slot = {waits}";
    DELETE_RUNS = "DELETE FROM {runs} WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
    CANCEL_QUEUED = "UPDATE {runs} SET state = {cancelled}, slot = {none}, error = ?2, started_at = NULL, finished_at = ?3 \
        WHERE slot = {waits} AND id IN (SELECT unhex(value) FROM json_each(?1))";
    CANCEL_OLDEST = "UPDATE {runs} SET cancel_requested = 1 WHERE cancel_requested = 0 AND id IN ( \
            SELECT min(id) FROM {runs} WHERE slot > {none} AND slot = {holds} \
                AND job_id IN (SELECT value FROM json_each(?1)) GROUP BY job_id)";
    ASK_RUN = "UPDATE {runs} SET cancel_requested = 1 WHERE id = ?1 AND slot = {holds} AND state = {running}";
    CANCELLATIONS = "SELECT id FROM {runs} WHERE slot = {holds} AND cancel_requested = 1 AND node = ?1 AND state = {running}";
    HELD = "SELECT id FROM {runs} WHERE slot > {none} AND slot = {holds} AND node = ?1";
    END_RUNS = update_held!(
        "UPDATE OR FAIL",
        "state = x.value ->> '$[3]', slot = {holds} * (x.value ->> '$[4]'), \
            started_at = x.value ->> '$[5]', finished_at = x.value ->> '$[6]', \
            lateness = coalesce(r.lateness, x.value ->> '$[7]'), error = x.value ->> '$[8]', \
            value = x.value ->> '$[9]'",
        ""
    );
    RETRY_RUNS = update_held!(
        "UPDATE",
        "attempt = x.value ->> '$[3]', failures = r.failures + (x.value ->> '$[4]'), \
            started_at = x.value ->> '$[5]', lateness = coalesce(r.lateness, x.value ->> '$[6]'), \
            earlier_attempts = json_insert( \
                CASE WHEN json_array_length(coalesce(r.earlier_attempts, '[]')) >= ?3 \
                    THEN json_remove(r.earlier_attempts, '$[0]') \
                    ELSE coalesce(r.earlier_attempts, '[]') END, \
                '$[#]', json(x.value ->> '$[7]'))",
        " RETURNING id"
    );
    END_BODIES = update_held!(
        "UPDATE",
        "attempt = x.value ->> '$[3]', slot = {holds} * (x.value ->> '$[4]')",
        " RETURNING id"
    );
    RUNS = "SELECT {run_columns} FROM {held_runs} WHERE r.id IN (SELECT unhex(value) FROM json_each(?1))";
    RUNS_OF = "SELECT {run_columns} FROM {held_runs} WHERE r.slot > {none} AND r.slot = {holds} \
            AND r.node IN (SELECT value FROM json_each(?1)) AND r.id > ?2 ORDER BY r.id LIMIT ?3";
    REQUEUE = "UPDATE {runs} AS r SET state = x.value ->> '$[1]', slot = x.value ->> '$[2]', \
            lost = x.value ->> '$[3]', finished_at = x.value ->> '$[4]', error = x.value ->> '$[5]', \
            earlier_attempts = x.value ->> '$[6]', attempt = x.value ->> '$[7]', \
            node = CASE WHEN x.value ->> '$[2]' = {waits} THEN NULL ELSE r.node END \
        FROM jsonb_each(?1) AS x WHERE r.id = unhex(x.value ->> '$[0]') AND r.slot = {holds} \
            AND r.node = x.value ->> '$[8]' AND r.attempt = x.value ->> '$[9]' \
            AND r.state = x.value ->> '$[10]'";
}

pub(super) fn read(row: &SqliteRow) -> Sql<RunRow> {
    Ok(RunRow {
        id: json::id(row.try_get("id")?)?,
        job_id: row.try_get("job_id")?,
        task: row.try_get("task")?,
        kind: row.try_get("kind")?,
        scheduled_for: row.try_get("scheduled_for")?,
        state: row.try_get("state")?,
        slot: row.try_get("slot")?,
        node: row.try_get("node")?,
        attempt: row.try_get("attempt")?,
        failures: row.try_get("failures")?,
        lost: row.try_get("lost")?,
        cancel_requested: row.try_get("cancel_requested")?,
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
        lateness: row.try_get("lateness")?,
        error: row.try_get("error")?,
        value: row.try_get("value")?,
        earlier_attempts: row.try_get("earlier_attempts")?,
        node_name: row.try_get("node_name")?,
    })
}

pub(super) fn read_all(rows: &[SqliteRow]) -> Sql<Vec<RunRow>> {
    rows.iter().map(read).collect()
}

pub(super) fn read_ids(rows: &[SqliteRow]) -> Sql<Vec<u128>> {
    rows.iter()
        .map(|row| json::id(row.try_get("id")?))
        .collect()
}

pub(super) async fn open_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    jobs: &[OpenFrom<'_>],
) -> Sql<Vec<OpenRuns>> {
    let query = sqlx::query(statement(tables, OPEN_RUNS))
        .bind(json::rows(jobs.iter().map(|job| job.job_id)));
    let rows = query.fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(OpenRuns {
                job_id: row.try_get("job_id")?,
                live: row.try_get("live")?,
                queued: row.try_get("queued")?,
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
    let query = sqlx::query(statement(tables, LIVE_RUNS))
        .bind(json::rows(jobs.iter().map(|job| job.job_id)));
    let rows = query.fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(OpenRuns {
                job_id: row.try_get("job_id")?,
                live: row.try_get("live")?,
                queued: 0,
                oldest: None,
            })
        })
        .collect()
}

pub(super) async fn claimed_times(
    tables: &Tables,
    connection: &mut SqliteConnection,
    jobs: &[ClaimedAfter<'_>],
) -> Sql<Vec<(String, i64)>> {
    let jobs = jobs
        .iter()
        .map(|job| (job.job_id, job.watermark, json::hex(job.first_run)));
    let query = sqlx::query(statement(tables, CLAIMED_TIMES)).bind(json::rows(jobs));
    let rows = query.fetch_all(connection).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("job_id")?, row.try_get("scheduled_for")?)))
        .collect()
}

pub(super) async fn queue_heads(
    tables: &Tables,
    connection: &mut SqliteConnection,
    heads: &[HeadRow<'_>],
) -> Sql<Vec<RunRow>> {
    let rows = heads
        .iter()
        .map(|head| (head.job_id, head.limit, i64::from(head.skips_held)));
    let query = sqlx::query(statement(tables, QUEUE_HEADS)).bind(json::rows(rows));
    read_all(&query.fetch_all(connection).await?)
}

pub(super) async fn queued_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    job_ids: &[&str],
) -> Sql<Vec<RunRow>> {
    let query = sqlx::query(statement(tables, QUEUED_RUNS)).bind(json::rows(job_ids));
    read_all(&query.fetch_all(connection).await?)
}

pub(super) async fn insert_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    rows: &[NewRun<'_>],
) -> Sql<Vec<u128>> {
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
    let query = sqlx::query(statement(tables, INSERT_RUNS)).bind(json::rows(json));
    let inserted = query.execute(&mut *connection).await?.rows_affected();
    let ids: Vec<u128> = rows.iter().map(|run| run.id).collect();
    if inserted == rows.len() as u64 {
        return Ok(ids);
    }
    let query = sqlx::query(statement(tables, INSERTED_RUNS)).bind(json::ids(&ids));
    read_ids(&query.fetch_all(connection).await?)
}

pub(super) async fn start_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    runs: &[StartRow],
    node: i64,
    now: i64,
) -> Sql<()> {
    let rows = runs.iter().map(|run| (json::hex(run.id), run.attempt));
    let query = sqlx::query(statement(tables, START_RUNS)).bind(json::rows(rows));
    query.bind(node).bind(now).execute(connection).await?;
    Ok(())
}

pub(super) async fn delete_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    ids: &[u128],
) -> Sql<()> {
    let query = sqlx::query(statement(tables, DELETE_RUNS)).bind(json::ids(ids));
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
    let query = sqlx::query(statement(tables, CANCEL_QUEUED)).bind(json::ids(ids));
    let done = query.bind(error).bind(now).execute(connection).await?;
    Ok(done.rows_affected())
}

pub(super) async fn cancel_oldest(
    tables: &Tables,
    connection: &mut SqliteConnection,
    job_ids: &[&str],
) -> Sql<()> {
    let query = sqlx::query(statement(tables, CANCEL_OLDEST)).bind(json::rows(job_ids));
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn ask_run(
    tables: &Tables,
    connection: &mut SqliteConnection,
    id: u128,
) -> Sql<bool> {
    let query = sqlx::query(statement(tables, ASK_RUN)).bind(id.to_be_bytes().to_vec());
    Ok(query.execute(connection).await?.rows_affected() > 0)
}

pub(super) async fn cancellations(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: i64,
) -> Sql<Vec<u128>> {
    let query = sqlx::query(statement(tables, CANCELLATIONS)).bind(node);
    read_ids(&query.fetch_all(connection).await?)
}

pub(super) async fn held(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: i64,
) -> Sql<Vec<u128>> {
    let query = sqlx::query(statement(tables, HELD)).bind(node);
    read_ids(&query.fetch_all(connection).await?)
}

pub(super) async fn end_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: i64,
    ends: &[EndRow<'_>],
) -> Sql<Vec<u128>> {
    let rows = ends.iter().map(|end| {
        (
            json::hex(end.id),
            end.attempt,
            end.held,
            end.state,
            i64::from(end.holds_slot),
            end.started_at,
            end.finished_at,
            end.lateness,
            end.error,
            end.value,
        )
    });
    let query = sqlx::query(statement(tables, END_RUNS))
        .bind(node)
        .bind(json::rows(rows));
    let ended = query.execute(connection).await?.rows_affected();
    // If some were not held, the rows themselves show which.
    let all = ended == ends.len() as u64;
    Ok(ends.iter().filter(|_| all).map(|end| end.id).collect())
}

pub(super) async fn retry_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: i64,
    retries: &[RetryRow],
) -> Sql<Vec<u128>> {
    let rows = retries.iter().map(|retry| {
        (
            json::hex(retry.id),
            retry.attempt,
            retry.held,
            retry.next_attempt,
            retry.failures,
            retry.started_at,
            retry.lateness,
            &retry.earlier,
        )
    });
    let query = sqlx::query(statement(tables, RETRY_RUNS))
        .bind(node)
        .bind(json::rows(rows))
        .bind(i64::try_from(Attempt::KEPT).unwrap_or(i64::MAX));
    read_ids(&query.fetch_all(connection).await?)
}

pub(super) async fn end_bodies(
    tables: &Tables,
    connection: &mut SqliteConnection,
    node: i64,
    bodies: &[BodyRow],
) -> Sql<Vec<u128>> {
    let rows = bodies.iter().map(|body| {
        (
            json::hex(body.id),
            body.attempt,
            body.held,
            body.next_attempt,
            i64::from(body.holds_slot),
        )
    });
    let query = sqlx::query(statement(tables, END_BODIES))
        .bind(node)
        .bind(json::rows(rows));
    read_ids(&query.fetch_all(connection).await?)
}

pub(super) async fn runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    ids: &[u128],
) -> Sql<Vec<RunRow>> {
    let query = sqlx::query(statement(tables, RUNS)).bind(json::ids(ids));
    read_all(&query.fetch_all(connection).await?)
}

pub(super) async fn runs_of(
    tables: &Tables,
    connection: &mut SqliteConnection,
    nodes: &[i64],
    after: u128,
    limit: i64,
) -> Sql<Vec<RunRow>> {
    let query = sqlx::query(statement(tables, RUNS_OF))
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
    let rows = rows.iter().map(|row| {
        (
            json::hex(row.id),
            row.state,
            row.slot,
            row.lost,
            row.finished_at,
            &row.error,
            &row.earlier_attempts,
            row.attempt,
            row.held_by,
            row.held_attempt,
            row.held_state,
        )
    });
    let query = sqlx::query(statement(tables, REQUEUE)).bind(json::rows(rows));
    query.execute(connection).await?;
    Ok(())
}
