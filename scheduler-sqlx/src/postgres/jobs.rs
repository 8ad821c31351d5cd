//! Statements about jobs.

use crate::sqlx::postgres::PgRow;
use crate::sqlx::types::Uuid;
use crate::sqlx::{PgConnection, Row};
use scheduler_core::JobState;
use scheduler_core::store::SearchText;

use super::query;
use super::text::{column, sorted, text};
use crate::backend::{Sql, Wanted};
use crate::job_row::{Advance, JobRow};
use crate::listed_jobs::ListedJobs;
use crate::statements::statements;
use crate::tables::Tables;

macro_rules! select_jobs {
    ($rest:literal) => {
        concat!(
            "SELECT id, task, arguments, trigger, policies, executor, is_static, hash_trigger, ",
            "hash_rest, replaced_trigger, replaced_rest, edited, paused, watermark, next_nominal, ",
            "next_at, created_at, ended_at, zone_data, hash_written, open_from, ctid::text AS ctid FROM {jobs} ",
            $rest
        )
    };
}

/// `{listed}`: the conditions of a list, each of which may be omitted. The same as [`JobQuery::matches`].
///
/// `lower()` and ILIKE only know the cases of the database's locale, which in some is ASCII alone. So characters that
/// count as the same as one of the text are replaced by it ([`Folding`]), and no character has a special meaning.
///
/// [`JobQuery::matches`]: scheduler_core::store::JobQuery::matches
pub(super) const LISTED: &str = r#"($3::text IS NULL OR strpos(translate(id, $4, $5), $3) > 0
        OR strpos(translate(task, $4, $5) COLLATE "C", $3) > 0)
    AND ($6::text IS NULL OR task = $6) AND ($7::text IS NULL OR {state} = $7)
    AND ($8::boolean IS NULL OR is_static = $8)"#;

statements! {
    LOCK_DUE = select_jobs!(
        "WHERE due_at <= $1 AND due_at >= $6 AND task = ANY($2) AND executor = ANY($3) AND id <> ALL($4)
         ORDER BY due_at LIMIT $5 FOR UPDATE SKIP LOCKED"
    );
    LOCK_QUEUED = select_jobs!(
        r#"WHERE id = ANY(ARRAY(WITH RECURSIVE queues (job_id) AS (
                 (SELECT job_id FROM {runs} WHERE slot = {waits} ORDER BY job_id LIMIT 1)
                 UNION ALL
                 SELECT (SELECT r.job_id FROM {runs} r WHERE r.slot = {waits} AND r.job_id > q.job_id
                     ORDER BY r.job_id LIMIT 1) FROM queues q WHERE q.job_id IS NOT NULL)
             SELECT job_id FROM queues WHERE job_id IS NOT NULL))
           AND task = ANY($1) AND executor = ANY($2) AND id <> ALL($3)
           AND (SELECT count(*) FROM {runs} r WHERE r.job_id = {jobs}.id AND r.slot = {holds}
                 AND r.id >= COALESCE(open_from, '00000000-0000-0000-0000-000000000000'))
             < COALESCE(substring(policies FROM '"max_instances"\s*:\s*(\d+)')::numeric, {default_max_instances})
           AND (paused IS NULL OR (SELECT r.id FROM {runs} r WHERE r.job_id = {jobs}.id
                 AND r.slot = {waits} AND {exempt}
                 ORDER BY r.job_id, r.id LIMIT 1) IS NOT NULL)
         ORDER BY random() LIMIT $4 FOR UPDATE SKIP LOCKED"#
    );
    LOCK_JOBS = concat!(
        "SELECT j.* FROM UNNEST($1::text[]) AS w (id) CROSS JOIN LATERAL (",
        select_jobs!("WHERE id = w.id ORDER BY watermark DESC LIMIT 1 FOR UPDATE"),
        ") j"
    );
    JOB = select_jobs!("WHERE id = $1 ORDER BY watermark DESC LIMIT 1");
    LIST_BELOW = select_jobs!("WHERE id >= $1 AND id < $3 ORDER BY id LIMIT $2");
    LIST_BY_ID = select_jobs!("WHERE id >= $1 ORDER BY id LIMIT $2");
    LIST_SOME_BELOW = select_jobs!("WHERE id >= $1 AND id < $9 AND {listed} ORDER BY id LIMIT $2");
    LIST_SOME = select_jobs!("WHERE id >= $1 AND {listed} ORDER BY id LIMIT $2");
    LIST_BY_NEXT = select_jobs!("WHERE due_at IS NOT NULL ORDER BY due_at, id LIMIT $1");
    NEXT_DUE = "SELECT due_at FROM {jobs}
         WHERE due_at >= $4
           AND task = ANY($1) AND executor = ANY($2) AND id <> ALL($3)
         ORDER BY due_at LIMIT 1";
    DELETE_ORPHANED_IDS = "DELETE FROM {ids} i WHERE id = ANY($1)
             AND NOT EXISTS (SELECT 1 FROM {jobs} j WHERE j.id = i.id)";
    INSERT_JOBS = "WITH free AS (INSERT INTO {ids} (id) SELECT * FROM UNNEST($1::text[])
             ON CONFLICT (id) DO NOTHING RETURNING id)
         INSERT INTO {jobs} (id, task, arguments, trigger, policies, executor, is_static,
             hash_trigger, hash_rest, replaced_trigger, replaced_rest, edited, paused, watermark,
             next_nominal, next_at, due_at, created_at, ended_at, zone_data, hash_written)
         SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
             $7::boolean[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[],
             $12::boolean[], $13::text[], $14::bigint[], $15::bigint[], $16::bigint[],
             $17::bigint[], $18::bigint[], $19::bigint[], $20::text[], $21::bigint[]) AS u (id)
         WHERE u.id IN (SELECT id FROM free) RETURNING id";
    UPDATE_JOBS = "UPDATE {jobs} j SET task = u.task, arguments = u.arguments, trigger = u.trigger,
             policies = u.policies, executor = u.executor, is_static = u.is_static,
             hash_trigger = u.hash_trigger, hash_rest = u.hash_rest,
             replaced_trigger = u.replaced_trigger, replaced_rest = u.replaced_rest,
             edited = u.edited, paused = u.paused, watermark = u.watermark, next_nominal = u.next_nominal,
             next_at = u.next_at, due_at = u.due_at, created_at = u.created_at,
             ended_at = u.ended_at, zone_data = u.zone_data, hash_written = u.hash_written
         FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
             $7::boolean[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[],
             $12::boolean[], $13::text[], $14::bigint[], $15::bigint[], $16::bigint[],
             $17::bigint[], $18::bigint[], $19::bigint[], $20::text[], $21::bigint[])
             AS u (id, task, arguments, trigger, policies, executor, is_static, hash_trigger,
                 hash_rest, replaced_trigger, replaced_rest, edited, paused, watermark, next_nominal,
                 next_at, due_at, created_at, ended_at, zone_data, hash_written)
         WHERE j.id = ANY($1) AND j.id = u.id";
    ADVANCE_JOBS = "UPDATE {jobs} j SET watermark = u.watermark, next_nominal = u.next_nominal,
             next_at = u.next_at, due_at = u.next_at, ended_at = u.ended_at,
             open_from = COALESCE(u.open_from, j.open_from)
         FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::uuid[])
             AS u (id, watermark, next_nominal, next_at, ended_at, open_from)
         WHERE j.ctid = ANY($7::text[]::tid[]) AND j.id = u.id";
    LOWER_OPEN_FROM = "UPDATE {jobs} SET open_from = $2 WHERE id = $1 AND open_from > $2";
    DELETE_JOB = "WITH free AS (DELETE FROM {ids} WHERE id = $1) DELETE FROM {jobs} WHERE id = $1";
    LIST_TO_REPAIR = "SELECT id FROM {jobs}
         WHERE id > $1 AND (watermark > $2 OR (next_at IS NOT NULL AND zone_data <> $3))
         ORDER BY id LIMIT $4";
}

fn read(row: &PgRow) -> Sql<JobRow> {
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
        written: row.try_get("hash_written")?,
        open_from: row
            .try_get::<Option<Uuid>, _>("open_from")?
            .map(|id| id.as_u128()),
        ctid: row.try_get("ctid")?,
    })
}

fn read_all(rows: Vec<PgRow>) -> Sql<Vec<JobRow>> {
    rows.iter().map(read).collect()
}

pub(super) async fn lock_due(
    tables: &Tables,
    connection: &mut PgConnection,
    wanted: &Wanted<'_>,
    from: i64,
    now: i64,
    limit: i64,
) -> Sql<Vec<JobRow>> {
    let rows = query(tables, LOCK_DUE)
        .bind(now)
        .bind(wanted.tasks)
        .bind(wanted.executors)
        .bind(wanted.skipped)
        .bind(limit)
        .bind(from)
        .fetch_all(connection)
        .await?;
    read_all(rows)
}

/// In random order: if there is not enough capacity for all jobs that can be promoted, each gets its turn.
pub(super) async fn lock_queued(
    tables: &Tables,
    connection: &mut PgConnection,
    wanted: &Wanted<'_>,
    limit: i64,
) -> Sql<Vec<JobRow>> {
    let rows = query(tables, LOCK_QUEUED)
        .bind(wanted.tasks)
        .bind(wanted.executors)
        .bind(wanted.skipped)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    read_all(rows)
}

pub(super) async fn lock_jobs(
    tables: &Tables,
    connection: &mut PgConnection,
    ids: &[&str],
) -> Sql<Vec<JobRow>> {
    // One after another, in their order; of the versions of each, the newest comes first.
    let ids = sorted(ids, |id| *id);
    read_all(
        query(tables, LOCK_JOBS)
            .bind(column(&ids, |id| text(id)))
            .fetch_all(connection)
            .await?,
    )
}

pub(super) async fn job(
    tables: &Tables,
    connection: &mut PgConnection,
    id: &str,
) -> Sql<Option<JobRow>> {
    let row = query(tables, JOB)
        .bind(text(id))
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn list_by_id(
    tables: &Tables,
    connection: &mut PgConnection,
    listed: &ListedJobs<'_>,
    limit: i64,
) -> Sql<Vec<JobRow>> {
    let list = match (listed.is_range(), listed.below.is_some()) {
        (true, true) => LIST_BELOW,
        (true, false) => LIST_BY_ID,
        (false, true) => LIST_SOME_BELOW,
        (false, false) => LIST_SOME,
    };
    let mut query = query(tables, list).bind(text(&listed.from)).bind(limit);
    if !listed.is_range() {
        let asked = listed.query;
        let Folding { from, to } = asked.text.as_ref().map(Folding::of).unwrap_or_default();
        query = query
            .bind(asked.text.as_ref().map(|found| text(found.as_str())))
            .bind(from)
            .bind(to)
            .bind(asked.task.as_deref().map(text))
            .bind(asked.state.map(JobState::as_str))
            .bind(asked.is_static);
    }
    if let Some(below) = &listed.below {
        query = query.bind(text(below));
    }
    read_all(query.fetch_all(connection).await?)
}

/// Characters that count as the same as one of a text, and at the same positions the characters that replace them.
#[derive(Debug, Default, PartialEq)]
struct Folding {
    from: String,
    to: String,
}

impl Folding {
    fn of(text: &SearchText) -> Self {
        let mut folding = Self::default();
        let mut characters: Vec<_> = text.characters().collect();
        characters.sort_unstable();
        characters.dedup();
        for (character, others) in characters {
            folding.from.extend(others);
            folding.to.extend(others.iter().map(|_| character));
        }
        folding
    }
}

pub(super) async fn list_by_next(
    tables: &Tables,
    connection: &mut PgConnection,
    limit: i64,
) -> Sql<Vec<JobRow>> {
    read_all(
        query(tables, LIST_BY_NEXT)
            .bind(limit)
            .fetch_all(connection)
            .await?,
    )
}

pub(super) async fn next_due(
    tables: &Tables,
    connection: &mut PgConnection,
    wanted: &Wanted<'_>,
    from: i64,
) -> Sql<Option<i64>> {
    let row = query(tables, NEXT_DUE)
        .bind(wanted.tasks)
        .bind(wanted.executors)
        .bind(wanted.skipped)
        .bind(from)
        .fetch_optional(connection)
        .await?;
    row.map(|row| row.try_get("due_at")).transpose()
}

/// Binds the columns of jobs, as `$1` to `$21`.
macro_rules! bind_jobs {
    ($query:expr, $jobs:expr) => {{
        let jobs = $jobs;
        $query
            .bind(column(jobs, |job| &*job.id))
            .bind(column(jobs, |job| &*job.task))
            .bind(column(jobs, |job| &*job.arguments))
            .bind(column(jobs, |job| text(&job.trigger)))
            .bind(column(jobs, |job| &*job.policies))
            .bind(column(jobs, |job| &*job.executor))
            .bind(column(jobs, |job| job.is_static))
            .bind(column(jobs, |job| job.hash.map(|hash| hash.0)))
            .bind(column(jobs, |job| job.hash.map(|hash| hash.1)))
            .bind(column(jobs, |job| job.replaced.map(|hash| hash.0)))
            .bind(column(jobs, |job| job.replaced.map(|hash| hash.1)))
            .bind(column(jobs, |job| job.edited))
            .bind(column(jobs, |job| job.paused.as_deref().map(text)))
            .bind(column(jobs, |job| job.watermark))
            .bind(column(jobs, |job| job.next.map(|next| next.0)))
            .bind(column(jobs, |job| job.next.map(|next| next.1)))
            .bind(column(jobs, JobRow::due_at))
            .bind(column(jobs, |job| job.created_at))
            .bind(column(jobs, |job| job.ended_at))
            .bind(column(jobs, |job| &*job.zone_data))
            .bind(column(jobs, |job| job.written))
    }};
}

/// In the order of their ids, so that two inserts of the same ids do not deadlock.
pub(super) async fn insert_jobs(
    tables: &Tables,
    connection: &mut PgConnection,
    jobs: &[JobRow],
) -> Sql<Vec<String>> {
    let mut inserted = insert_free(tables, connection, jobs).await?;
    if inserted.len() < jobs.len() {
        // Some ids are taken: by existing jobs, unless rows of jobs were deleted manually.
        let ids = sorted(jobs, |job| &*job.id);
        let query = query(tables, DELETE_ORPHANED_IDS).bind(column(&ids, |job| &*job.id));
        if query.execute(&mut *connection).await?.rows_affected() > 0 {
            inserted.extend(insert_free(tables, connection, jobs).await?);
        }
    }
    Ok(inserted)
}

async fn insert_free(
    tables: &Tables,
    connection: &mut PgConnection,
    jobs: &[JobRow],
) -> Sql<Vec<String>> {
    let jobs = sorted(jobs, |job| &*job.id);
    let rows = bind_jobs!(query(tables, INSERT_JOBS), &jobs)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| row.try_get("id")).collect()
}

pub(super) async fn update_jobs(
    tables: &Tables,
    connection: &mut PgConnection,
    jobs: &[JobRow],
) -> Sql<()> {
    let jobs = sorted(jobs, |job| &*job.id);
    bind_jobs!(query(tables, UPDATE_JOBS), &jobs)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn advance_jobs(
    tables: &Tables,
    connection: &mut PgConnection,
    jobs: &[Advance<'_>],
) -> Sql<()> {
    let jobs = sorted(jobs, |job| job.id);
    let moved = query(tables, ADVANCE_JOBS)
        .bind(column(&jobs, |job| job.id))
        .bind(column(&jobs, |job| job.watermark))
        .bind(column(&jobs, |job| job.next.map(|next| next.0)))
        .bind(column(&jobs, |job| job.next.map(|next| next.1)))
        .bind(column(&jobs, |job| job.ended_at))
        .bind(column(&jobs, |job| job.open_from.map(Uuid::from_u128)))
        .bind(column(&jobs, |job| job.ctid))
        .execute(connection)
        .await?
        .rows_affected();
    // The jobs are locked, so each row is still where it was found; a run is never inserted for a job that was not
    // advanced.
    if moved != jobs.len() as u64 {
        return Err(crate::sqlx::Error::RowNotFound);
    }
    Ok(())
}

pub(super) async fn lower_open_from(
    tables: &Tables,
    connection: &mut PgConnection,
    job: &str,
    run: u128,
) -> Sql<()> {
    let query = query(tables, LOWER_OPEN_FROM)
        .bind(text(job))
        .bind(Uuid::from_u128(run));
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn delete_job(
    tables: &Tables,
    connection: &mut PgConnection,
    id: &str,
) -> Sql<()> {
    query(tables, DELETE_JOB)
        .bind(text(id))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn list_to_repair(
    tables: &Tables,
    connection: &mut PgConnection,
    after: &str,
    watermark_over: i64,
    zone_data: &str,
    limit: i64,
) -> Sql<Vec<String>> {
    let rows = query(tables, LIST_TO_REPAIR)
        .bind(text(after))
        .bind(watermark_over)
        .bind(zone_data)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| row.try_get("id")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_has_each_character_once() {
        let folding = Folding::of(&SearchText::new("Aσaς1"));
        let expected = Folding {
            from: "AΣς".to_owned(),
            to: "aσσ".to_owned(),
        };
        assert_eq!(folding, expected);
    }
}
