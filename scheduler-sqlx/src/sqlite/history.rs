//! Statements about runs, skipped fire times, and their retention.

use crate::sqlx::sqlite::SqliteRow;
use crate::sqlx::{Row, SqliteConnection};
use scheduler_core::{RunFilter, RunState};

use super::runs::{read_all, read_ids};
use super::{json, statement};
use crate::backend::Sql;
use crate::counted::Tally;
use crate::instant::micros;
use crate::run_row::RunRow;
use crate::skipped_row::SkippedRow;
use crate::sqlx;
use crate::statements::statements;
use crate::tables::Tables;

statements! {
    INSERT_SKIPPED = "INSERT INTO {skipped} (job_id, reason, first_at, last_at, count, is_exact, decided_at) \
        SELECT value ->> '$[0]', value ->> '$[1]', value ->> '$[2]', value ->> '$[3]', value ->> '$[4]', value ->> '$[5]', value ->> '$[6]' \
        FROM jsonb_each(?1)";
    LIST_SKIPPED_OF = "SELECT seq, job_id, reason, first_at, last_at, count, is_exact, decided_at FROM {skipped} \
        WHERE job_id = ?3 AND seq < ?2 ORDER BY seq DESC LIMIT ?1";
    LIST_SKIPPED = "SELECT seq, job_id, reason, first_at, last_at, count, is_exact, decided_at FROM {skipped} \
        WHERE seq < ?2 ORDER BY seq DESC LIMIT ?1";
    TALLY_RUNS = "SELECT max(id) AS last, count(*) AS rows, coalesce(sum(slot = {none}), 0) AS ended FROM ( \
        SELECT id, slot FROM {runs} WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3)";
    NTH_NEWEST_RUN = "SELECT id FROM {runs} WHERE id > ?1 AND id <= ?2 AND slot = {none} \
        ORDER BY id DESC LIMIT 1 OFFSET ?3";
    PRUNE_RUNS = "DELETE FROM {runs} WHERE id IN ( \
        SELECT id FROM {runs} WHERE id < ?1 AND slot = {none} AND scheduled_for <= ?2 ORDER BY id LIMIT ?3)";
    TALLY_SKIPPED = "SELECT max(seq) AS last, count(*) AS rows FROM ( \
        SELECT seq FROM {skipped} WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3)";
    NTH_NEWEST_SKIPPED = "SELECT seq FROM {skipped} WHERE seq > ?1 AND seq <= ?2 \
        ORDER BY seq DESC LIMIT 1 OFFSET ?3";
    PRUNE_SKIPPED = "DELETE FROM {skipped} WHERE seq IN ( \
        SELECT seq FROM (SELECT seq, decided_at FROM {skipped} ORDER BY seq LIMIT ?3) \
        WHERE seq <= ?2 OR decided_at < ?1)";
    PRUNE_ENDED_JOBS = "DELETE FROM {jobs} WHERE id IN ( \
        SELECT id FROM {jobs} AS j WHERE ended_at < ?1 AND is_static = 0 AND NOT EXISTS ( \
            SELECT 1 FROM {runs} AS r WHERE r.job_id = j.id AND r.slot > {none}) LIMIT ?2)";
    PRUNE_NODES = "DELETE FROM {nodes} WHERE id IN (SELECT id FROM {nodes} WHERE is_alive = 0 \
        AND (heartbeat_at < ?1 OR started_at <= (SELECT started_at FROM {nodes} WHERE is_alive = 0 \
            ORDER BY started_at DESC LIMIT 1 OFFSET ?2)) \
        AND id NOT IN (SELECT node FROM {runs} WHERE slot > {none} AND node IS NOT NULL) \
        ORDER BY started_at LIMIT ?3)";
}

pub(super) async fn list_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    filter: &RunFilter,
) -> Sql<Vec<RunRow>> {
    let states: Vec<i16> = filter.states.iter().map(|state| state.code()).collect();
    let mut sql = "SELECT {run_columns} FROM {held_runs} WHERE r.id < ?1".to_owned();
    if filter.job.is_some() {
        sql.push_str(" AND r.job_id = ?3");
    }
    if !states.is_empty() {
        sql.push_str(" AND r.state IN (SELECT value FROM json_each(?4))");
        // The conditions of the partial indexes.
        if states.iter().all(|state| *state >= RunState::Failed.code()) {
            sql.push_str(" AND r.state >= {failed}");
        }
        if states
            .iter()
            .all(|state| *state <= RunState::Running.code())
        {
            sql.push_str(" AND r.slot > {none}");
        }
    }
    if filter.since.is_some() {
        sql.push_str(" AND r.scheduled_for >= ?5");
    }
    if filter.until.is_some() {
        sql.push_str(" AND r.scheduled_for < ?6");
    }
    sql.push_str(" ORDER BY r.id DESC LIMIT ?2");
    let before = filter
        .before
        .map_or(u128::MAX, scheduler_core::RunId::as_u128);
    let query = sqlx::query(statement(tables, &sql))
        .bind(before.to_be_bytes().to_vec())
        .bind(i64::try_from(filter.page_size()).unwrap_or(i64::MAX))
        .bind(filter.job.as_deref())
        .bind(json::rows(states))
        .bind(filter.since.map(micros))
        .bind(filter.until.map(micros));
    read_all(&query.fetch_all(connection).await?)
}

pub(super) async fn insert_skipped(
    tables: &Tables,
    connection: &mut SqliteConnection,
    rows: &[SkippedRow],
) -> Sql<()> {
    let rows = rows.iter().map(|row| {
        (
            &row.job_id,
            &row.reason,
            row.first_at,
            row.last_at,
            row.count,
            i64::from(row.is_exact),
            row.decided_at,
        )
    });
    let query = sqlx::query(statement(tables, INSERT_SKIPPED)).bind(json::rows(rows));
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn list_skipped(
    tables: &Tables,
    connection: &mut SqliteConnection,
    job: Option<&str>,
    below: i64,
    limit: i64,
) -> Sql<Vec<(i64, SkippedRow)>> {
    let list = if job.is_some() {
        LIST_SKIPPED_OF
    } else {
        LIST_SKIPPED
    };
    let query = sqlx::query(statement(tables, list))
        .bind(limit)
        .bind(below)
        .bind(job);
    let rows = query.fetch_all(connection).await?;
    let read = |row: &SqliteRow| {
        let record = SkippedRow {
            job_id: row.try_get("job_id")?,
            reason: row.try_get("reason")?,
            first_at: row.try_get("first_at")?,
            last_at: row.try_get("last_at")?,
            count: row.try_get("count")?,
            is_exact: row.try_get("is_exact")?,
            decided_at: row.try_get("decided_at")?,
        };
        Ok((row.try_get("seq")?, record))
    };
    rows.iter().map(read).collect()
}

pub(super) async fn tally_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    after: u128,
    upto: u128,
    limit: i64,
) -> Sql<Tally> {
    let row = sqlx::query(statement(tables, TALLY_RUNS))
        .bind(after.to_be_bytes().to_vec())
        .bind(upto.to_be_bytes().to_vec())
        .bind(limit)
        .fetch_one(connection)
        .await?;
    let last: Option<&[u8]> = row.try_get("last")?;
    Ok(Tally {
        rows: row.try_get("rows")?,
        ended: row.try_get("ended")?,
        last: last.map(json::id).transpose()?,
    })
}

pub(super) async fn nth_newest_run(
    tables: &Tables,
    connection: &mut SqliteConnection,
    after: u128,
    upto: u128,
    n: i64,
) -> Sql<Option<u128>> {
    let query = sqlx::query(statement(tables, NTH_NEWEST_RUN))
        .bind(after.to_be_bytes().to_vec())
        .bind(upto.to_be_bytes().to_vec())
        .bind(n);
    Ok(read_ids(&query.fetch_all(connection).await?)?.pop())
}

pub(super) async fn prune_runs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    below: u128,
    now: i64,
    limit: i64,
) -> Sql<u64> {
    let query = sqlx::query(statement(tables, PRUNE_RUNS)).bind(below.to_be_bytes().to_vec());
    Ok(query
        .bind(now)
        .bind(limit)
        .execute(connection)
        .await?
        .rows_affected())
}

pub(super) async fn tally_skipped(
    tables: &Tables,
    connection: &mut SqliteConnection,
    after: i64,
    upto: i64,
    limit: i64,
) -> Sql<Tally> {
    let query = sqlx::query(statement(tables, TALLY_SKIPPED))
        .bind(after)
        .bind(upto);
    let row = query.bind(limit).fetch_one(connection).await?;
    Ok(Tally::of_all(row.try_get("last")?, row.try_get("rows")?))
}

pub(super) async fn nth_newest_skipped(
    tables: &Tables,
    connection: &mut SqliteConnection,
    after: i64,
    upto: i64,
    n: i64,
) -> Sql<Option<i64>> {
    let query = sqlx::query(statement(tables, NTH_NEWEST_SKIPPED))
        .bind(after)
        .bind(upto);
    let row = query.bind(n).fetch_optional(connection).await?;
    row.map(|row| row.try_get("seq")).transpose()
}

pub(super) async fn prune_skipped(
    tables: &Tables,
    connection: &mut SqliteConnection,
    decided_before: i64,
    seq: i64,
    limit: i64,
) -> Sql<u64> {
    // They are decided in the order of `seq`, so the oldest are found without a separate index.
    let query = sqlx::query(statement(tables, PRUNE_SKIPPED))
        .bind(decided_before)
        .bind(seq)
        .bind(limit);
    Ok(query.execute(connection).await?.rows_affected())
}

pub(super) async fn prune_ended_jobs(
    tables: &Tables,
    connection: &mut SqliteConnection,
    before: i64,
    limit: i64,
) -> Sql<u64> {
    let query = sqlx::query(statement(tables, PRUNE_ENDED_JOBS))
        .bind(before)
        .bind(limit);
    Ok(query.execute(connection).await?.rows_affected())
}

pub(super) async fn prune_nodes(
    tables: &Tables,
    connection: &mut SqliteConnection,
    before: i64,
    keep: i64,
    limit: i64,
) -> Sql<u64> {
    let query = sqlx::query(statement(tables, PRUNE_NODES))
        .bind(before)
        .bind(keep);
    Ok(query.bind(limit).execute(connection).await?.rows_affected())
}
