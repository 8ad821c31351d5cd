//! Statements about skipped fire times and retention.

use crate::sqlx::postgres::PgRow;
use crate::sqlx::types::Uuid;
use crate::sqlx::{PgConnection, Row};

use super::query;
use super::runs::id;
use super::text::{column, text};
use crate::backend::Sql;
use crate::counted::Tally;
use crate::skipped_row::SkippedRow;
use crate::statements::statements;
use crate::tables::Tables;

macro_rules! select_skipped {
    ($rest:literal) => {
        concat!(
            "SELECT seq, job_id, reason, first_at, last_at, count, is_exact, decided_at FROM {skipped} ",
            $rest
        )
    };
}

statements! {
    INSERT_SKIPPED = "INSERT INTO {skipped} (job_id, reason, first_at, last_at, count, is_exact, decided_at)
         SELECT * FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[],
             $6::boolean[], $7::bigint[])";
    LIST_SKIPPED_OF = select_skipped!("WHERE job_id = $3 AND seq < $2 ORDER BY seq DESC LIMIT $1");
    LIST_SKIPPED = select_skipped!("WHERE seq < $2 ORDER BY seq DESC LIMIT $1");
    TALLY_RUNS = "SELECT id, count(*) OVER () AS rows, count(*) FILTER (WHERE slot = {none}) OVER () AS ended
         FROM (SELECT id, slot FROM {runs} WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3) part
         ORDER BY id DESC LIMIT 1";
    NTH_NEWEST_RUN = "SELECT id FROM {runs} WHERE id > $1 AND id <= $2 AND slot + 0 = {none}
         ORDER BY id DESC OFFSET $3 LIMIT 1";
    PRUNE_RUNS = "DELETE FROM {runs} WHERE id = ANY(ARRAY(SELECT id FROM {runs}
         WHERE id < $1 AND slot = {none} AND scheduled_for <= $2 ORDER BY id LIMIT $3
         FOR UPDATE SKIP LOCKED))";
    TALLY_SKIPPED = "SELECT max(seq) AS last, count(*) AS rows FROM (SELECT seq FROM {skipped}
         WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3) part";
    NTH_NEWEST_SKIPPED = "SELECT seq FROM {skipped} WHERE seq > $1 AND seq <= $2
         ORDER BY seq DESC OFFSET $3 LIMIT 1";
    PRUNE_SKIPPED = "DELETE FROM {skipped} WHERE seq = ANY(ARRAY(SELECT seq FROM {skipped}
         WHERE decided_at < $1 OR seq <= $2 ORDER BY seq LIMIT $3 FOR UPDATE SKIP LOCKED))";
    LOCK_ENDED_JOBS = "SELECT id FROM {jobs} j
         WHERE ended_at < $1 AND NOT is_static
           AND NOT EXISTS (SELECT 1 FROM {runs} r WHERE r.job_id = j.id AND r.slot > {none})
         ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED";
    PRUNE_ENDED_JOBS = "WITH gone AS (DELETE FROM {jobs} j WHERE id = ANY($1)
           AND NOT EXISTS (SELECT 1 FROM {runs} r WHERE r.job_id = j.id AND r.slot > {none})
           RETURNING id) DELETE FROM {ids} WHERE id IN (SELECT id FROM gone)";
}

pub(super) async fn insert_skipped(
    tables: &Tables,
    connection: &mut PgConnection,
    skipped: &[SkippedRow],
) -> Sql<()> {
    let skipped: Vec<&SkippedRow> = skipped.iter().collect();
    query(tables, INSERT_SKIPPED)
        .bind(column(&skipped, |record| &*record.job_id))
        .bind(column(&skipped, |record| &*record.reason))
        .bind(column(&skipped, |record| record.first_at))
        .bind(column(&skipped, |record| record.last_at))
        .bind(column(&skipped, |record| record.count))
        .bind(column(&skipped, |record| record.is_exact))
        .bind(column(&skipped, |record| record.decided_at))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn list_skipped(
    tables: &Tables,
    connection: &mut PgConnection,
    job: Option<&str>,
    below: i64,
    limit: i64,
) -> Sql<Vec<(i64, SkippedRow)>> {
    let query = match job {
        Some(job) => query(tables, LIST_SKIPPED_OF)
            .bind(limit)
            .bind(below)
            .bind(text(job)),
        None => query(tables, LIST_SKIPPED).bind(limit).bind(below),
    };
    let read = |row: &PgRow| {
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
    query
        .fetch_all(connection)
        .await?
        .iter()
        .map(read)
        .collect()
}

pub(super) async fn tally_runs(
    tables: &Tables,
    connection: &mut PgConnection,
    after: u128,
    upto: u128,
    limit: i64,
) -> Sql<Tally> {
    let row = query(tables, TALLY_RUNS)
        .bind(Uuid::from_u128(after))
        .bind(Uuid::from_u128(upto))
        .bind(limit)
        .fetch_optional(connection)
        .await?;
    let none = Tally {
        rows: 0,
        ended: 0,
        last: None,
    };
    row.map_or(Ok(none), |row| {
        Ok(Tally {
            rows: row.try_get("rows")?,
            ended: row.try_get("ended")?,
            last: Some(id(&row)?),
        })
    })
}

pub(super) async fn nth_newest_run(
    tables: &Tables,
    connection: &mut PgConnection,
    after: u128,
    upto: u128,
    n: i64,
) -> Sql<Option<u128>> {
    let row = query(tables, NTH_NEWEST_RUN)
        .bind(Uuid::from_u128(after))
        .bind(Uuid::from_u128(upto))
        .bind(n)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(id).transpose()
}

/// Skips rows that another node is about to delete.
pub(super) async fn prune_runs(
    tables: &Tables,
    connection: &mut PgConnection,
    below: u128,
    now: i64,
    limit: i64,
) -> Sql<u64> {
    let query = query(tables, PRUNE_RUNS)
        .bind(Uuid::from_u128(below))
        .bind(now)
        .bind(limit);
    Ok(query.execute(connection).await?.rows_affected())
}

pub(super) async fn tally_skipped(
    tables: &Tables,
    connection: &mut PgConnection,
    after: i64,
    upto: i64,
    limit: i64,
) -> Sql<Tally> {
    let query = query(tables, TALLY_SKIPPED)
        .bind(after)
        .bind(upto)
        .bind(limit);
    let row = query.fetch_one(connection).await?;
    Ok(Tally::of_all(row.try_get("last")?, row.try_get("rows")?))
}

pub(super) async fn nth_newest_skipped(
    tables: &Tables,
    connection: &mut PgConnection,
    after: i64,
    upto: i64,
    n: i64,
) -> Sql<Option<i64>> {
    let query = query(tables, NTH_NEWEST_SKIPPED)
        .bind(after)
        .bind(upto)
        .bind(n);
    let row = query.fetch_optional(connection).await?;
    row.map(|row| row.try_get("seq")).transpose()
}

pub(super) async fn prune_skipped(
    tables: &Tables,
    connection: &mut PgConnection,
    decided_before: i64,
    seq: i64,
    limit: i64,
) -> Sql<u64> {
    let query = query(tables, PRUNE_SKIPPED)
        .bind(decided_before)
        .bind(seq)
        .bind(limit);
    Ok(query.execute(connection).await?.rows_affected())
}

/// Locks the jobs first, and looks for open runs in a later statement: a job that got a manual run meanwhile is kept.
pub(super) async fn prune_ended_jobs(
    tables: &Tables,
    connection: &mut PgConnection,
    before: i64,
    limit: i64,
) -> Sql<u64> {
    let lock = query(tables, LOCK_ENDED_JOBS).bind(before).bind(limit);
    let rows = lock.fetch_all(&mut *connection).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let ids: Vec<String> = rows
        .iter()
        .map(|row| row.try_get("id"))
        .collect::<Sql<_>>()?;
    let query = query(tables, PRUNE_ENDED_JOBS).bind(ids);
    Ok(query.execute(connection).await?.rows_affected())
}
