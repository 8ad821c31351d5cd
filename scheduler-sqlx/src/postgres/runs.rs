//! Statements about runs: created, started, stopped and listed.

use crate::sqlx::postgres::PgRow;
use crate::sqlx::types::Uuid;
use crate::sqlx::{PgConnection, Row};
use scheduler_core::{RunFilter, RunState};

use super::query;
use super::text::{column, sorted, text, texts, uuids};
use crate::backend::Sql;
use crate::instant::micros;
use crate::run_row::{ClaimedAfter, HeadRow, NewRun, OpenFrom, OpenRuns, RunRow, StartRow};
use crate::statements::statements;
use crate::tables::Tables;

macro_rules! run_columns {
    () => {
        "r.id, r.job_id, r.task, r.kind, r.scheduled_for, r.state, r.slot, r.node, r.attempt, \
         r.failures, r.lost, r.cancel_requested, r.started_at, r.finished_at, r.lateness, r.error, \
         r.value, r.earlier_attempts"
    };
}

macro_rules! select_runs {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            run_columns!(),
            ", NULL::text AS node_name FROM {runs} r ",
            $rest
        )
    };
}
pub(super) use {run_columns, select_runs};

/// Runs that hold a slot, and queued runs, are each found by an index of their own, in the order of their ids: nothing
/// is read of runs that ended before the oldest open one.
macro_rules! runs_from {
    ($slot:literal) => {
        concat!(
            "CROSS JOIN LATERAL (SELECT count(*) AS count, (array_agg(r.id ORDER BY r.id))[1] AS oldest \
             FROM {runs} r WHERE r.job_id = j.id AND r.slot = ",
            $slot,
            " AND r.id >= j.open_from) "
        )
    };
}

statements! {
    OPEN_RUNS = concat!(
        "SELECT j.id AS job_id, live.count AS live, queued.count AS queued, \
             LEAST(live.oldest, queued.oldest) AS oldest \
         FROM UNNEST($1::text[], $2::uuid[]) AS j (id, open_from) ",
        runs_from!("{holds}"),
        "live ",
        runs_from!("{waits}"),
        "queued WHERE live.count + queued.count > 0"
    );
    LIVE_RUNS = concat!(
        "SELECT j.id AS job_id, live.count AS live, 0::bigint AS queued, live.oldest AS oldest \
         FROM UNNEST($1::text[], $2::uuid[]) AS j (id, open_from) ",
        runs_from!("{holds}"),
        "live WHERE live.count > 0"
    );
    // By the ids of the job's runs, also under a generic plan: the planner estimates few rows for two bounds, and a
    // third of the table for one. The sums keep it from using the index of fire times, which covers all jobs.
    CLAIMED_TIMES = "SELECT j.id AS job_id, r.scheduled_for
         FROM UNNEST($1::text[], $2::bigint[], $3::uuid[]) AS j (id, watermark, first_run)
         CROSS JOIN LATERAL (SELECT r.scheduled_for FROM {runs} r WHERE r.job_id = j.id
             AND r.id BETWEEN j.first_run AND 'ffffffff-ffff-ffff-ffff-ffffffffffff'
             AND r.kind + 0 = {scheduled} AND r.scheduled_for + 0 > j.watermark OFFSET 0) r";
    QUEUE_HEADS = concat!(
        "SELECT ",
        run_columns!(),
        ", NULL::text AS node_name FROM UNNEST($1::text[], $2::bigint[]) AS h (job_id, take)
         CROSS JOIN LATERAL (SELECT * FROM {runs} WHERE job_id = h.job_id AND slot = {waits}
             AND {readable} ORDER BY id LIMIT h.take) r
         UNION ALL SELECT ",
        run_columns!(),
        ", NULL::text AS node_name FROM UNNEST($3::text[], $4::bigint[]) AS h (job_id, take)
         CROSS JOIN LATERAL (SELECT * FROM {runs} WHERE job_id = h.job_id AND slot = {waits}
             AND {exempt} AND {readable} ORDER BY id LIMIT h.take) r"
    );
    QUEUED_RUNS = select_runs!("WHERE job_id = ANY($1) AND slot = {waits} ORDER BY id");
    INSERT_RUNS = "INSERT INTO {runs} (id, job_id, task, kind, scheduled_for, node, started_at,
             state, slot, attempt, failures, lost, cancel_requested)
         SELECT u.id, u.job_id, u.task, u.kind, u.scheduled_for, u.node, u.started_at,
             CASE WHEN u.node IS NULL THEN {queued} ELSE {running} END, CASE WHEN u.node IS NULL THEN {waits} ELSE {holds} END,
             CASE WHEN u.node IS NULL THEN 0 ELSE 1 END, 0, 0, FALSE
         FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::bigint[],
             $6::bigint[], $7::bigint[])
             AS u (id, job_id, task, kind, scheduled_for, node, started_at)
         ON CONFLICT (job_id, scheduled_for) WHERE kind = {scheduled} DO NOTHING RETURNING id";
    START_RUNS = "UPDATE {runs} AS r SET state = {running}, slot = {holds}, node = $3, attempt = x.attempt,
             started_at = $4
         FROM unnest($1::uuid[], $2::int4[]) AS x(id, attempt)
         WHERE r.id = x.id AND r.slot + 0 = {waits}";
    DELETE_RUNS = "DELETE FROM {runs} WHERE id = ANY($1)";
    CANCEL_QUEUED = "UPDATE {runs} SET state = {cancelled}, slot = {none}, error = $2, started_at = NULL,
             finished_at = $3
         WHERE id = ANY($1) AND slot + 0 = {waits}";
    CANCEL_OLDEST = "UPDATE {runs} SET cancel_requested = TRUE
         WHERE id = ANY(ARRAY(SELECT DISTINCT ON (job_id) id FROM {runs}
                 WHERE job_id = ANY($1) AND slot = {holds} ORDER BY job_id, id))
           AND slot + 0 = {holds} AND NOT cancel_requested";
    ASK_RUN = "UPDATE {runs} SET cancel_requested = TRUE
         WHERE id = $1 AND slot + 0 = {holds} AND state = {running}";
    CANCELLATIONS = "SELECT id FROM {runs} WHERE node = $1 AND slot = {holds} AND cancel_requested AND state = {running}";
    HELD = "SELECT id FROM {runs} WHERE node = $1 AND slot = {holds}";
    RUNS = concat!(
        "SELECT ",
        run_columns!(),
        ", n.name AS node_name FROM {runs} r LEFT JOIN {nodes} n ON n.id = r.node WHERE r.id = ANY($1)"
    );
}

fn read(row: &PgRow) -> Sql<RunRow> {
    Ok(RunRow {
        id: id(row)?,
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

pub(super) fn read_all(rows: Vec<PgRow>) -> Sql<Vec<RunRow>> {
    rows.iter().map(read).collect()
}

/// Returns the id of a run.
pub(super) fn id(row: &PgRow) -> Sql<u128> {
    row.try_get::<Uuid, _>("id").map(|id| id.as_u128())
}

pub(super) fn ids(rows: Vec<PgRow>) -> Sql<Vec<u128>> {
    rows.iter().map(id).collect()
}

pub(super) async fn open_runs(
    tables: &Tables,
    connection: &mut PgConnection,
    jobs: &[OpenFrom<'_>],
) -> Sql<Vec<OpenRuns>> {
    count_runs(tables, connection, OPEN_RUNS, jobs).await
}

pub(super) async fn live_runs(
    tables: &Tables,
    connection: &mut PgConnection,
    jobs: &[OpenFrom<'_>],
) -> Sql<Vec<OpenRuns>> {
    count_runs(tables, connection, LIVE_RUNS, jobs).await
}

async fn count_runs(
    tables: &Tables,
    connection: &mut PgConnection,
    sql: &str,
    jobs: &[OpenFrom<'_>],
) -> Sql<Vec<OpenRuns>> {
    let jobs: Vec<&OpenFrom<'_>> = jobs.iter().collect();
    let rows = query(tables, sql)
        .bind(column(&jobs, |job| text(job.job_id)))
        .bind(column(&jobs, |job| {
            Uuid::from_u128(job.open_from.unwrap_or(0))
        }))
        .fetch_all(connection)
        .await?;
    let read = |row: &PgRow| {
        Ok(OpenRuns {
            job_id: row.try_get("job_id")?,
            live: row.try_get("live")?,
            queued: row.try_get("queued")?,
            oldest: row
                .try_get::<Option<Uuid>, _>("oldest")?
                .map(|id| id.as_u128()),
        })
    };
    rows.iter().map(read).collect()
}

pub(super) async fn claimed_times(
    tables: &Tables,
    connection: &mut PgConnection,
    jobs: &[ClaimedAfter<'_>],
) -> Sql<Vec<(String, i64)>> {
    let jobs: Vec<&ClaimedAfter<'_>> = jobs.iter().collect();
    let rows = query(tables, CLAIMED_TIMES)
        .bind(column(&jobs, |job| text(job.job_id)))
        .bind(column(&jobs, |job| job.watermark))
        .bind(column(&jobs, |job| Uuid::from_u128(job.first_run)))
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("job_id")?, row.try_get("scheduled_for")?)))
        .collect()
}

pub(super) async fn queue_heads(
    tables: &Tables,
    connection: &mut PgConnection,
    heads: &[HeadRow<'_>],
) -> Sql<Vec<RunRow>> {
    let (held, others): (Vec<_>, Vec<_>) = heads.iter().partition(|head| head.skips_held);
    let rows = query(tables, QUEUE_HEADS)
        .bind(column(&others, |head| head.job_id))
        .bind(column(&others, |head| head.limit))
        .bind(column(&held, |head| head.job_id))
        .bind(column(&held, |head| head.limit))
        .fetch_all(connection)
        .await?;
    let mut runs = read_all(rows)?;
    runs.sort_unstable_by_key(|run| run.id);
    Ok(runs)
}

pub(super) async fn queued_runs(
    tables: &Tables,
    connection: &mut PgConnection,
    job_ids: &[&str],
) -> Sql<Vec<RunRow>> {
    read_all(
        query(tables, QUEUED_RUNS)
            .bind(texts(job_ids))
            .fetch_all(connection)
            .await?,
    )
}

pub(super) async fn insert_runs(
    tables: &Tables,
    connection: &mut PgConnection,
    runs: &[NewRun<'_>],
) -> Sql<Vec<u128>> {
    let runs = sorted(runs, |run| run.id);
    let rows = query(tables, INSERT_RUNS)
        .bind(column(&runs, |run| Uuid::from_u128(run.id)))
        .bind(column(&runs, |run| run.job_id))
        .bind(column(&runs, |run| run.task))
        .bind(column(&runs, |run| run.kind))
        .bind(column(&runs, |run| run.scheduled_for))
        .bind(column(&runs, |run| run.node))
        .bind(column(&runs, |run| run.started_at))
        .fetch_all(connection)
        .await?;
    ids(rows)
}

pub(super) async fn start_runs(
    tables: &Tables,
    connection: &mut PgConnection,
    runs: &[StartRow],
    node: i64,
    now: i64,
) -> Sql<()> {
    let runs = sorted(runs, |run| run.id);
    let query = query(tables, START_RUNS)
        .bind(column(&runs, |run| Uuid::from_u128(run.id)))
        .bind(column(&runs, |run| run.attempt))
        .bind(node)
        .bind(now);
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn delete_runs(
    tables: &Tables,
    connection: &mut PgConnection,
    ids: &[u128],
) -> Sql<()> {
    query(tables, DELETE_RUNS)
        .bind(uuids(ids))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn cancel_queued(
    tables: &Tables,
    connection: &mut PgConnection,
    ids: &[u128],
    error: &str,
    now: i64,
) -> Sql<u64> {
    let query = query(tables, CANCEL_QUEUED)
        .bind(uuids(ids))
        .bind(text(error))
        .bind(now);
    Ok(query.execute(connection).await?.rows_affected())
}

pub(super) async fn cancel_oldest(
    tables: &Tables,
    connection: &mut PgConnection,
    job_ids: &[&str],
) -> Sql<()> {
    query(tables, CANCEL_OLDEST)
        .bind(texts(job_ids))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn ask_run(tables: &Tables, connection: &mut PgConnection, id: u128) -> Sql<bool> {
    let query = query(tables, ASK_RUN).bind(Uuid::from_u128(id));
    Ok(query.execute(connection).await?.rows_affected() > 0)
}

pub(super) async fn cancellations(
    tables: &Tables,
    connection: &mut PgConnection,
    node: i64,
) -> Sql<Vec<u128>> {
    ids(query(tables, CANCELLATIONS)
        .bind(node)
        .fetch_all(connection)
        .await?)
}

pub(super) async fn held(
    tables: &Tables,
    connection: &mut PgConnection,
    node: i64,
) -> Sql<Vec<u128>> {
    ids(query(tables, HELD).bind(node).fetch_all(connection).await?)
}

pub(super) async fn runs(
    tables: &Tables,
    connection: &mut PgConnection,
    ids: &[u128],
) -> Sql<Vec<RunRow>> {
    read_all(
        query(tables, RUNS)
            .bind(uuids(ids))
            .fetch_all(connection)
            .await?,
    )
}

pub(super) async fn list_runs(
    tables: &Tables,
    connection: &mut PgConnection,
    filter: &RunFilter,
) -> Sql<Vec<RunRow>> {
    let mut sql = concat!(
        "SELECT ",
        run_columns!(),
        ", n.name AS node_name FROM {runs} r LEFT JOIN {nodes} n ON n.id = r.node WHERE TRUE"
    )
    .to_owned();
    let states: Vec<i16> = filter.states.iter().map(|state| state.code()).collect();
    let has_states = !states.is_empty();
    // The conditions of partial indexes follow from the states, but have to be written out.
    let is_troubled = has_states && states.iter().all(|state| *state >= RunState::Failed.code());
    let is_open = has_states
        && states
            .iter()
            .all(|state| *state <= RunState::Running.code());
    let conditions = [
        (filter.job.is_some(), " AND r.job_id = $1"),
        (has_states, " AND r.state = ANY($2)"),
        (is_troubled, " AND r.state >= {failed}"),
        (is_open, " AND r.slot > {none}"),
        (filter.since.is_some(), " AND r.scheduled_for >= $3"),
        (filter.until.is_some(), " AND r.scheduled_for < $4"),
        (filter.before.is_some(), " AND r.id < $5"),
    ];
    for (is_wanted, condition) in conditions {
        if is_wanted {
            sql.push_str(condition);
        }
    }
    sql.push_str(" ORDER BY r.id DESC LIMIT $6");
    // Planned each time: the right index depends on the filter.
    let rows = query(tables, &sql)
        .bind(filter.job.as_deref().map(text))
        .bind(states)
        .bind(filter.since.map(micros))
        .bind(filter.until.map(micros))
        .bind(filter.before.map(|id| Uuid::from_u128(id.as_u128())))
        .bind(i64::try_from(filter.page_size()).unwrap_or(i64::MAX))
        .persistent(false)
        .fetch_all(connection)
        .await?;
    read_all(rows)
}
