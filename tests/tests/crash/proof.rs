//! Proof that the checker bites: a course without faults has no violation, and every later manipulation of the tables
//! or of the journal is reported.

use std::path::Path;
use std::time::Duration;

use scheduler_core::prelude::*;
use scheduler_sqlx::SqlStore;
use scheduler_tests::checker::{Journal, LineKind, Source, State, Window, check};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use crate::notes::Notes;
use crate::tasks;

/// Runs a scheduler for a few fire times.
async fn run_for_a_while(url: &str, journal: &Path) {
    let store = SqlStore::builder()
        .keep_all_runs()
        .connect(url)
        .await
        .unwrap();
    let scheduler = Scheduler::builder()
        .store(store)
        .data(Notes::open(journal, "node-1").unwrap())
        .without_static_jobs()
        .start()
        .await
        .unwrap();
    let every = Duration::from_millis(100);
    let jobs = [
        tasks::quick::job().id("quick").interval(every),
        tasks::slow::job(300).id("slow").interval(every),
    ];
    scheduler.add_jobs(jobs).await.unwrap();
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let rows = Source::of(url).read().await.unwrap();
        let ended = |job: &str| {
            let runs = rows.runs.iter();
            runs.filter(|run| run.job == job && run.state == State::Succeeded)
                .count()
        };
        if ended("quick") > 5 && ended("slow") > 2 && rows.skipped.len() > 2 {
            break;
        }
    }
    scheduler.shutdown(Shutdown::wait()).await;
}

async fn violations(url: &str, journal: &Journal) -> Vec<String> {
    let rows = Source::of(url).read().await.unwrap();
    let window = Window { from: 0, until: 0 };
    check(&rows, journal, window).violations
}

fn assert_reported(what: &str, violations: &[String], expected: &str) {
    let is_reported = violations.iter().any(|told| told.contains(expected));
    assert!(is_reported, "{what}: not told: {expected}\n{violations:#?}");
}

/// One of the runs that succeeded.
const ONE: &str =
    "(SELECT id FROM scheduler_runs WHERE job_id = 'quick' AND state = 2 LIMIT 1 OFFSET 2)";

/// Manipulations of the tables, and the violations reported for them.
const IN_TABLES: [(&str, &str); 10] = [
    (
        "DELETE FROM scheduler_runs WHERE id = ONE",
        "have neither run nor reason",
    ),
    (
        "DELETE FROM scheduler_skipped WHERE seq = (SELECT min(seq) FROM scheduler_skipped)",
        "have neither run nor reason",
    ),
    (
        "UPDATE scheduler_skipped SET count = count + 1",
        "contradicts itself",
    ),
    (
        "UPDATE scheduler_runs SET scheduled_for = scheduled_for + 1 WHERE id = ONE",
        "which its trigger does not name",
    ),
    (
        "INSERT INTO scheduler_skipped (job_id, reason, first_at, last_at, count, is_exact, \
             decided_at) SELECT job_id, 'missed', scheduled_for, scheduled_for, 1, 1, 0 \
             FROM scheduler_runs WHERE id = ONE",
        "is claimed twice",
    ),
    (
        "UPDATE scheduler_runs SET attempt = 2 WHERE id = ONE",
        "has attempt 2 after only 0 failures and 0 losses",
    ),
    (
        "UPDATE scheduler_runs SET state = 1 WHERE id = ONE",
        "is Running, and its end is Some",
    ),
    (
        "UPDATE scheduler_runs SET slot = 2 WHERE job_id = 'quick'",
        "places, and has 1",
    ),
    (
        "UPDATE scheduler_runs SET lost = 4 WHERE id = ONE",
        "was lost 4 times",
    ),
    (
        "UPDATE scheduler_jobs SET watermark = watermark + 1000000",
        "have neither run nor reason",
    ),
];

/// Manipulations of the journal, and the violations reported for them.
fn in_journal(journal: &Journal) -> [(&'static str, Journal, &'static str); 4] {
    let begin = journal
        .lines
        .iter()
        .position(|line| line.kind == LineKind::Begin)
        .unwrap();
    let end = journal
        .lines
        .iter()
        .position(|line| line.kind == LineKind::End)
        .unwrap();
    let spoilt = |spoil: &dyn Fn(&mut Journal)| {
        let mut journal = journal.clone();
        spoil(&mut journal);
        journal
    };
    [
        (
            "a begin twice",
            spoilt(&|journal| journal.lines.push(journal.lines[begin].clone())),
            "began 2 times",
        ),
        (
            "no end",
            spoilt(&|journal| drop(journal.lines.remove(end))),
            "did not begin and end",
        ),
        (
            "a body that nothing caused",
            spoilt(&|journal| {
                let mut stray = journal.lines[begin].clone();
                stray.run.0 += 1 << 64;
                journal.lines.push(stray);
            }),
            "belongs to a run that is not there",
        ),
        (
            "bodies side by side",
            spoilt(&|journal| {
                for line in &mut journal.lines {
                    if line.kind == LineKind::End {
                        line.at += 250_000;
                    }
                }
            }),
            "may have 1 bodies at once",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_spoilt_is_reported() {
    let folder = crate::folder("proof");
    let url = |name: &str| format!("sqlite://{}/{name}.db", folder.display());
    let written = folder.join("journal");
    run_for_a_while(&url("good"), &written).await;
    let mut journal = Journal::default();
    journal.read(&written).unwrap();
    assert_eq!(violations(&url("good"), &journal).await, [""; 0]);

    for (number, (statement, expected)) in IN_TABLES.into_iter().enumerate() {
        let name = format!("spoilt-{number}");
        copy(&url("good"), &folder.join(format!("{name}.db"))).await;
        let mut connection = SqliteConnection::connect(&url(&name)).await.unwrap();
        let spoilt = sqlx::query(AssertSqlSafe(statement.replace("ONE", ONE)))
            .execute(&mut connection)
            .await
            .unwrap();
        assert!(spoilt.rows_affected() > 0, "{statement}");
        connection.close().await.unwrap();
        assert_reported(
            statement,
            &violations(&url(&name), &journal).await,
            expected,
        );
    }

    for (what, journal, expected) in in_journal(&journal) {
        assert_reported(what, &violations(&url("good"), &journal).await, expected);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Copies a database, including what is not yet in the file itself.
async fn copy(url: &str, to: &Path) {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    let statement = format!("VACUUM INTO '{}'", to.display());
    sqlx::query(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}
