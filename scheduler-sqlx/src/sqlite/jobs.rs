//! Statements about jobs.

use crate::sqlx::sqlite::SqliteRow;
use crate::sqlx::{Row, SqliteConnection};
use scheduler_core::JobState;

use super::glob::glob;
use super::{json, statement};
use crate::backend::{Sql, Wanted};
use crate::job_row::{Advance, JobRow};
use crate::listed_jobs::ListedJobs;
use crate::sqlx;
use crate::statements::statements;
use crate::tables::Tables;

/// `{job_columns}`: the columns of a [`JobRow`].
pub(super) const COLUMNS: &str = "j.id, j.task, j.arguments, j.trigger, j.policies, j.executor, j.is_static, \
    j.hash_trigger, j.hash_rest, j.replaced_trigger, j.replaced_rest, j.edited, j.paused, j.watermark, \
    j.next_nominal, j.next_at, j.created_at, j.ended_at, j.zone_data, j.hash_written";

/// `{wanted}`: jobs of these tasks and executors, except these jobs.
pub(super) const WANTED: &str = "j.task IN (SELECT value FROM json_each(?1)) \
    AND j.executor IN (SELECT value FROM json_each(?2)) \
    AND j.id NOT IN (SELECT value FROM json_each(?3))";

/// `{listed}`: the conditions of a list, each of which may be omitted. The same as [`JobQuery::matches`].
///
/// [`JobQuery::matches`]: scheduler_core::store::JobQuery::matches
pub(super) const LISTED: &str = "(?5 IS NULL OR j.task = ?5) AND (?6 IS NULL OR {state} = ?6) \
    AND (?7 IS NULL OR j.is_static = ?7) AND (?4 IS NULL OR j.id GLOB ?4 OR j.task GLOB ?4)";

statements! {
    LOCK_DUE = "SELECT json_group_array(json_array( \
            json_array(id, task, arguments, trigger, policies, executor, is_static, \
                hash_trigger, hash_rest, replaced_trigger, replaced_rest, hash_written), \
            json_array(edited, paused, watermark, next_nominal, next_at, created_at, ended_at, zone_data))) \
         FROM (SELECT {job_columns} FROM {jobs} AS j WHERE j.due_at <= ?4 AND j.due_at >= ?6 AND {wanted} \
            ORDER BY j.due_at LIMIT ?5)";
    LOCK_QUEUED = "SELECT {job_columns} FROM {jobs} AS j \
         WHERE j.id IN (WITH RECURSIVE queues (job_id) AS ( \
                SELECT (SELECT job_id FROM {runs} WHERE slot = {waits} ORDER BY job_id LIMIT 1) \
                UNION ALL \
                SELECT (SELECT r.job_id FROM {runs} AS r WHERE r.slot = {waits} AND r.job_id > q.job_id \
                    ORDER BY r.job_id LIMIT 1) FROM queues AS q WHERE q.job_id IS NOT NULL) \
            SELECT job_id FROM queues WHERE job_id IS NOT NULL) AND {wanted} \
            AND (SELECT count(*) FROM {runs} AS r WHERE r.job_id = j.id AND r.slot > {none} AND r.slot = {holds}) \
                < CASE WHEN json_valid(j.policies) \
                    THEN coalesce(j.policies ->> '$.max_instances', {default_max_instances}) ELSE {default_max_instances} END \
            AND (j.paused IS NULL OR EXISTS (SELECT 1 FROM {runs} AS r WHERE r.job_id = j.id \
                AND r.slot = {waits} AND {exempt})) \
         ORDER BY random() LIMIT ?4";
    LOCK_JOBS = "SELECT {job_columns} FROM {jobs} AS j WHERE j.id IN (SELECT value FROM json_each(?1)) ORDER BY j.id";
    LIST_BELOW = "SELECT {job_columns} FROM {jobs} AS j WHERE j.id >= ?1 AND j.id < ?3 ORDER BY j.id LIMIT ?2";
    LIST_BY_ID = "SELECT {job_columns} FROM {jobs} AS j WHERE j.id >= ?1 ORDER BY j.id LIMIT ?2";
    LIST_SOME_BELOW = "SELECT {job_columns} FROM {jobs} AS j WHERE j.id >= ?1 AND j.id < ?3 AND {listed} \
         ORDER BY j.id LIMIT ?2";
    LIST_SOME = "SELECT {job_columns} FROM {jobs} AS j WHERE j.id >= ?1 AND {listed} ORDER BY j.id LIMIT ?2";
    LIST_BY_NEXT = "SELECT {job_columns} FROM {jobs} AS j WHERE j.due_at IS NOT NULL ORDER BY j.due_at, j.id LIMIT ?1";
    NEXT_DUE = "SELECT j.due_at FROM {jobs} AS j WHERE j.due_at >= ?4 AND {wanted} \
         ORDER BY j.due_at LIMIT 1";
    INSERT_JOBS = "INSERT INTO {jobs} (id, task, arguments, trigger, policies, executor, is_static, \
            hash_trigger, hash_rest, replaced_trigger, replaced_rest, edited, paused, watermark, \
            next_nominal, next_at, due_at, created_at, ended_at, zone_data, hash_written) \
        SELECT value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][2]', \
            value ->> '$[0][3]', value ->> '$[0][4]', value ->> '$[0][5]', value ->> '$[0][6]', \
            value ->> '$[0][7][0]', value ->> '$[0][7][1]', value ->> '$[0][8][0]', \
            value ->> '$[0][8][1]', value ->> '$[0][9]', value ->> '$[1][0]', \
            value ->> '$[1][1]', value ->> '$[1][2][0]', value ->> '$[1][2][1]', \
            value ->> '$[1][3]', value ->> '$[1][4]', value ->> '$[1][5]', value ->> '$[1][6]', \
            value ->> '$[0][10]' \
        FROM jsonb_each(?1) WHERE true ON CONFLICT DO NOTHING RETURNING id";
    UPDATE_JOBS = "UPDATE {jobs} AS j SET task = value ->> '$[0][1]', arguments = value ->> '$[0][2]', \
            trigger = value ->> '$[0][3]', policies = value ->> '$[0][4]', \
            executor = value ->> '$[0][5]', is_static = value ->> '$[0][6]', \
            hash_trigger = value ->> '$[0][7][0]', hash_rest = value ->> '$[0][7][1]', \
            replaced_trigger = value ->> '$[0][8][0]', replaced_rest = value ->> '$[0][8][1]', \
            edited = value ->> '$[0][9]', paused = value ->> '$[1][0]', watermark = value ->> '$[1][1]', \
            next_nominal = value ->> '$[1][2][0]', next_at = value ->> '$[1][2][1]', \
            due_at = value ->> '$[1][3]', created_at = value ->> '$[1][4]', \
            ended_at = value ->> '$[1][5]', zone_data = value ->> '$[1][6]', \
            hash_written = value ->> '$[0][10]' \
        FROM jsonb_each(?1) AS x WHERE j.id = value ->> '$[0][0]'";
    ADVANCE_JOBS = "UPDATE OR FAIL {jobs} AS j SET watermark = value ->> '$[1]', next_nominal = value ->> '$[2]', \
            next_at = value ->> '$[3]', due_at = value ->> '$[3]', ended_at = value ->> '$[4]' \
        FROM jsonb_each(?1) AS x WHERE j.id = value ->> '$[0]'";
    LIST_TO_REPAIR = "SELECT id FROM {jobs} \
        WHERE id > ?1 AND (watermark > ?2 OR (next_at IS NOT NULL AND zone_data <> ?3)) \
        ORDER BY id LIMIT ?4";
}

fn read(row: &SqliteRow) -> Sql<JobRow> {
    let pair = |first: &str, second: &str| -> Sql<Option<(i64, i64)>> {
        let first: Option<i64> = row.try_get(first)?;
        let second: Option<i64> = row.try_get(second)?;
        Ok(first.zip(second))
    };
    Ok(JobRow {
        id: row.try_get("id")?,
        task: row.try_get("task")?,
        arguments: row.try_get("arguments")?,
        trigger: row.try_get("trigger")?,
        policies: row.try_get("policies")?,
        executor: row.try_get("executor")?,
        is_static: row.try_get("is_static")?,
        hash: pair("hash_trigger", "hash_rest")?,
        replaced: pair("replaced_trigger", "replaced_rest")?,
        edited: row.try_get("edited")?,
        paused: row.try_get("paused")?,
        watermark: row.try_get("watermark")?,
        next: pair("next_nominal", "next_at")?,
        created_at: row.try_get("created_at")?,
        ended_at: row.try_get("ended_at")?,
        zone_data: row.try_get("zone_data")?,
        open_from: None,
        ctid: None,
        written: row.try_get("hash_written")?,
    })
}

fn read_all(rows: &[SqliteRow]) -> Sql<Vec<JobRow>> {
    rows.iter().map(read).collect()
}

fn names(wanted: &Wanted<'_>) -> [String; 3] {
    [
        json::rows(wanted.tasks),
        json::rows(wanted.executors),
        json::rows(wanted.skipped),
    ]
}

/// Reads due jobs as one JSON text: a claim reads thousands, and fetching them as rows would cost more than all other
/// work on them.
pub(super) async fn lock_due(
    tables: &Tables,
    connection: &mut SqliteConnection,
    wanted: &Wanted<'_>,
    from: i64,
    now: i64,
    limit: i64,
) -> Sql<Vec<JobRow>> {
    let [tasks, executors, skipped] = names(wanted);
    let query = sqlx::query_scalar(statement(tables, LOCK_DUE))
        .bind(tasks)
        .bind(executors);
    let query = query.bind(skipped).bind(now).bind(limit).bind(from);
    let json: String = query.fetch_one(connection).await?;
    let rows: Vec<JsonRow> =
        serde_json::from_str(&json).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(rows.into_iter().map(from_json).collect())
}

/// The fields of a job that `due` reads, in its order.
type JsonRow = (
    (
        String,
        String,
        String,
        String,
        String,
        String,
        i64,
        Option<i64>,
        Option<i64>,
        Option<i64>,
        Option<i64>,
        Option<i64>,
    ),
    (
        i64,
        Option<String>,
        i64,
        Option<i64>,
        Option<i64>,
        i64,
        Option<i64>,
        String,
    ),
);

fn from_json((definition, state): JsonRow) -> JobRow {
    let (id, task, arguments, trigger, policies, executor, is_static, h0, h1, r0, r1, written) =
        definition;
    let (edited, paused, watermark, nominal, at, created_at, ended_at, zone_data) = state;
    JobRow {
        id,
        task,
        arguments,
        trigger,
        policies,
        executor,
        is_static: is_static != 0,
        hash: h0.zip(h1),
        written,
        replaced: r0.zip(r1),
        edited: edited != 0,
        paused,
        watermark,
        next: nominal.zip(at),
        created_at,
        ended_at,
        zone_data,
        open_from: None,
        ctid: None,
    }
}

/// In random order: if there is not enough capacity for all jobs that can be promoted, each gets its turn.
pub(super) async fn lock_queued(
    tables: &Tables,
    connection: &mut SqliteConnection,
    wanted: &Wanted<'_>,
    limit: i64,
) -> Sql<Vec<JobRow>> {
    let [tasks, executors, skipped] = names(wanted);
    let query = sqlx::query(statement(tables, LOCK_QUEUED))
        .bind(tasks)
        .bind(executors);
    let query = query.bind(skipped).bind(limit);
    read_all(&query.fetch_all(connection).await?)
}

pub(super) async fn lock_jobs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    ids: &[&str],
) -> Sql<Vec<JobRow>> {
    let query = sqlx::query(statement(tables, LOCK_JOBS)).bind(json::rows(ids));
    read_all(&query.fetch_all(connection).await?)
}

pub(super) async fn job(
    tables: &Tables,
    connection: &mut SqliteConnection,
    id: &str,
) -> Sql<Option<JobRow>> {
    Ok(lock_jobs(tables, connection, &[id]).await?.pop())
}

pub(super) async fn list_by_id(
    tables: &Tables,
    connection: &mut SqliteConnection,
    listed: &ListedJobs<'_>,
    limit: i64,
) -> Sql<Vec<JobRow>> {
    let list = match (listed.is_range(), listed.below.is_some()) {
        (true, true) => LIST_BELOW,
        (true, false) => LIST_BY_ID,
        (false, true) => LIST_SOME_BELOW,
        (false, false) => LIST_SOME,
    };
    let query = sqlx::query(statement(tables, list))
        .bind(&listed.from)
        .bind(limit)
        .bind(listed.below.as_deref());
    let query = if listed.is_range() {
        query
    } else {
        let asked = listed.query;
        query
            .bind(asked.text.as_ref().map(glob))
            .bind(asked.task.as_deref())
            .bind(asked.state.map(JobState::as_str))
            .bind(asked.is_static)
    };
    read_all(&query.fetch_all(connection).await?)
}

pub(super) async fn list_by_next(
    tables: &Tables,
    connection: &mut SqliteConnection,
    limit: i64,
) -> Sql<Vec<JobRow>> {
    let query = sqlx::query(statement(tables, LIST_BY_NEXT)).bind(limit);
    read_all(&query.fetch_all(connection).await?)
}

pub(super) async fn next_due(
    tables: &Tables,
    connection: &mut SqliteConnection,
    wanted: &Wanted<'_>,
    from: i64,
) -> Sql<Option<i64>> {
    let [tasks, executors, skipped] = names(wanted);
    let query = sqlx::query(statement(tables, NEXT_DUE))
        .bind(tasks)
        .bind(executors)
        .bind(skipped)
        .bind(from);
    let row = query.fetch_optional(connection).await?;
    row.map(|row| row.try_get("due_at")).transpose()
}

/// The columns of a row to write, by position in its array.
fn json_rows(rows: &[JobRow]) -> String {
    json::rows(rows.iter().map(|row| {
        (
            (
                &row.id,
                &row.task,
                &row.arguments,
                &row.trigger,
                &row.policies,
                &row.executor,
                i64::from(row.is_static),
                row.hash,
                row.replaced,
                i64::from(row.edited),
                row.written,
            ),
            (
                &row.paused,
                row.watermark,
                row.next,
                row.due_at(),
                row.created_at,
                row.ended_at,
                &row.zone_data,
            ),
        )
    }))
}

pub(super) async fn insert_jobs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    rows: &[JobRow],
) -> Sql<Vec<String>> {
    let query = sqlx::query(statement(tables, INSERT_JOBS)).bind(json_rows(rows));
    let inserted = query.fetch_all(connection).await?;
    inserted.iter().map(|row| row.try_get("id")).collect()
}

pub(super) async fn update_jobs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    rows: &[JobRow],
) -> Sql<()> {
    let query = sqlx::query(statement(tables, UPDATE_JOBS)).bind(json_rows(rows));
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn advance_jobs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    rows: &[Advance<'_>],
) -> Sql<()> {
    let rows = rows.iter().map(|row| {
        let (nominal, at) = row.next.unzip();
        (row.id, row.watermark, nominal, at, row.ended_at)
    });
    let query = sqlx::query(statement(tables, ADVANCE_JOBS)).bind(json::rows(rows));
    query.execute(connection).await?;
    Ok(())
}

/// Does nothing, since there is no bound: index entries of ended runs are gone at once.
pub(super) async fn lower_open_from(
    _tables: &Tables,
    _connection: &mut SqliteConnection,
    _job: &str,
    _run: u128,
) -> Sql<()> {
    Ok(())
}

pub(super) async fn delete_job(
    tables: &Tables,
    connection: &mut SqliteConnection,
    id: &str,
) -> Sql<()> {
    let query = sqlx::query(statement(tables, "DELETE FROM {jobs} WHERE id = ?1")).bind(id);
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn list_to_repair(
    tables: &Tables,
    connection: &mut SqliteConnection,
    after: &str,
    watermark_over: i64,
    zone_data: &str,
    limit: i64,
) -> Sql<Vec<String>> {
    let query = sqlx::query(statement(tables, LIST_TO_REPAIR)).bind(after);
    let query = query.bind(watermark_over).bind(zone_data).bind(limit);
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(|row| row.try_get("id")).collect()
}
