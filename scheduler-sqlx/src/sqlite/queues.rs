//! What a claim reads of long queues: counted in steps of SQLite's virtual machine, not timed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Sqlite;
use crate::backend::{Backend, Wanted};
use crate::engine::Engine;
use crate::options::Options;
use crate::run_row::{HeadRow, OpenFrom};
use crate::sqlx::AssertSqlSafe;
use crate::tables::Tables;

const WANTED: Wanted<'static> = Wanted {
    tasks: &["task"],
    executors: &["default"],
    skipped: &[],
};

/// Returns the steps of one look at the queues of two jobs, one with free slots and one without, and the number of runs
/// found.
// One function, since its statements share one counter of steps.
async fn look(name: &str, queued: u32) -> (u64, usize) {
    let path = std::env::temp_dir().join(format!("scheduler-{name}-{}.db", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let options = super::options(&format!("sqlite://{}", path.display())).unwrap();
    let tables = Tables::new("t_", None).unwrap();
    let engine = Engine::new(
        Sqlite::new(tables),
        super::pool(options, 2),
        Options::default(),
    );
    engine.migrate().await.unwrap();
    let db = &engine.backend;
    let mut session = engine.write().await.unwrap();
    let fill = format!(
        r#"INSERT INTO t_jobs (id, task, arguments, trigger, policies, executor, is_static, edited, watermark, created_at, zone_data)
            VALUES ('free', 'task', '', '', '{{"max_instances":3}}', 'default', 0, 0, 0, 0, ''),
                ('full', 'task', '', '', '{{}}', 'default', 0, 0, 0, 0, '');
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {queued} + 1)
        INSERT INTO t_runs (id, job_id, task, kind, scheduled_for, state, slot, attempt, failures, lost, cancel_requested)
            SELECT unhex(printf('%028x%04x', i, j.rowid)), j.id, 'task', 0, i, i = 1, 1 + (i = 1), 0, 0, 0, 0
            FROM n, t_jobs AS j"#
    );
    crate::sqlx::raw_sql(AssertSqlSafe(fill))
        .execute(&mut *session)
        .await
        .unwrap();
    let steps = Arc::new(AtomicU64::new(0));
    let counter = steps.clone();
    session
        .lock_handle()
        .await
        .unwrap()
        .set_progress_handler(1, move || {
            counter.fetch_add(1, Ordering::Relaxed);
            true
        });
    let jobs = db.lock_queued(&mut session, &WANTED, 100).await.unwrap();
    let ids: Vec<&str> = jobs.iter().map(|job| &*job.id).collect();
    assert_eq!(ids, ["free"], "one that has a free slot");
    let free = OpenFrom {
        job_id: "free",
        open_from: None,
    };
    let live = db.live_runs(&mut session, &[free]).await.unwrap();
    assert_eq!((live[0].live, live[0].queued), (1, 0));
    let head = HeadRow {
        job_id: "free",
        limit: 2,
        skips_held: false,
    };
    let runs = db.queue_heads(&mut session, &[head]).await.unwrap();
    let at: Vec<i64> = runs.iter().map(|run| run.scheduled_for).collect();
    assert_eq!(at, [2, 3], "the oldest");
    let held = HeadRow {
        job_id: "free",
        limit: 2,
        skips_held: true,
    };
    assert!(
        db.queue_heads(&mut session, &[held])
            .await
            .unwrap()
            .is_empty()
    );
    let found = runs.len();
    session.end(db).await.unwrap();
    let _ = std::fs::remove_file(&path);
    (steps.load(Ordering::Relaxed), found)
}

#[tokio::test]
async fn a_claim_reads_no_more_of_a_long_queue_than_of_a_short_one() {
    let (of_short, _) = look("short", 5).await;
    let (of_long, _) = look("long", 500).await;
    assert!(
        of_short > 0 && of_long <= of_short + of_short / 10,
        "{of_short} {of_long}"
    );
}
