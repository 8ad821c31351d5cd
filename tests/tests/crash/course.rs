//! One course of events, from the first job to the final check.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::LocalExecutor;
use scheduler_core::prelude::*;
use scheduler_sqlx::SqlStore;
use scheduler_test_servers::postgres::Cluster;
use scheduler_tests::checker::{FireTimes, Job, Report, Rows, Source, State, Window, check};

use crate::dice::Dice;
use crate::faults::Faults;
use crate::fleet::Fleet;
use crate::steering::{Steered, Tally, steer};
use crate::workload::Span;

/// How long the remaining runs may take once nothing goes wrong. Far more than they need: a run that is left after
/// that never ends.
const PATIENCE: Duration = Duration::from_secs(120);

/// The configuration of one course.
pub(crate) struct Course {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    pub(crate) nodes: usize,
    pub(crate) jobs: usize,
    pub(crate) lease: Duration,
    pub(crate) time: Duration,
    pub(crate) seed: u64,
    /// The folder of the nodes' journals and logs; removed if all is well.
    pub(crate) folder: PathBuf,
}

/// The results of a course.
pub(crate) struct Outcome {
    pub(crate) report: Report,
    pub(crate) tally: Tally,
    pub(crate) rows: Rows,
    pub(crate) nodes: (usize, usize),
}

impl Course {
    /// Lets everything happen, then checks it.
    pub(crate) async fn run(self, cluster: Option<Arc<Cluster>>) -> Outcome {
        println!("crash test on {}: CRASH_SEED={}", self.name, self.seed);
        std::fs::create_dir_all(&self.folder).unwrap();
        let mut dice = Dice::new(self.seed);
        let from = now();
        let time = TimeDelta::from_std(self.time).unwrap();
        let until = from + time + TimeDelta::seconds(3);
        let client = self.client().await;
        let stop = Arc::new(AtomicBool::new(false));
        let steering = tokio::spawn(steer(
            client.clone(),
            self.jobs,
            Span { from, until },
            dice.split(),
            stop.clone(),
        ));

        let mut fleet = Fleet::new(&self.url, &self.folder, self.lease);
        for _ in 0..self.nodes {
            fleet.start();
        }
        let (nodes, lease, time) = (self.nodes, self.lease, self.time);
        let (mut fleet, tally) = tokio::task::spawn_blocking(move || {
            let faults = Faults {
                fleet: &mut fleet,
                cluster: cluster.as_deref(),
                nodes,
                lease,
                dice,
                tally: Tally::default(),
            };
            let tally = faults.go_on_for(time);
            (fleet, tally)
        })
        .await
        .unwrap();
        stop.store(true, Ordering::Relaxed);
        let mut steered = steering.await.unwrap();
        steered.tally.add(&tally);

        let decided = now().max(until).timestamp_micros();
        self.settle(decided).await;
        client.shutdown(Shutdown::abort()).await;
        let fleet = tokio::task::spawn_blocking(move || {
            fleet.end_all();
            fleet
        });
        let fleet = fleet.await.unwrap();
        self.judge(&fleet, from, decided, steered).await
    }

    async fn client(&self) -> Scheduler {
        let store = SqlStore::builder()
            .lease(self.lease)
            .keep_all_runs()
            .connect(&self.url)
            .await
            .unwrap();
        Scheduler::builder()
            .client()
            .without_static_jobs()
            .executor("narrow", LocalExecutor::with_limit(1))
            .store(store)
            .start()
            .await
            .unwrap()
    }

    /// Waits until every job's fire times were decided and the runs that they started have ended.
    async fn settle(&self, decided: i64) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if now().timestamp_micros() < decided {
                continue;
            }
            // If the rows remain unreadable, the final check reports why.
            let Ok(rows) = Source::of(&self.url).read().await else {
                continue;
            };
            if rows.jobs.iter().all(|job| is_decided(job, decided)) && left_open(&rows).is_empty() {
                return;
            }
        }
    }

    async fn judge(
        &self,
        fleet: &Fleet,
        from: DateTime<Utc>,
        decided: i64,
        Steered {
            tally,
            queued_manual_run,
        }: Steered,
    ) -> Outcome {
        let mut rows = Source::of(&self.url).read().await.unwrap();
        rows.queued_manual_run = queued_manual_run;
        let window = Window {
            from: from.timestamp_micros(),
            until: decided,
        };
        let mut report = check(&rows, &fleet.journal(), window);
        report.violations.extend(left_open(&rows));
        report.violations.extend(fleet.problems());
        let nodes = fleet.counts();
        println!("{}: {}", self.name, report.summary);
        println!(
            "{}: skipped: {}; {tally}; {} nodes, {} of them came to run",
            self.name,
            reasons(&rows),
            nodes.0,
            nodes.1
        );
        if report.violations.is_empty() {
            let _ = std::fs::remove_dir_all(&self.folder);
        } else {
            let lines: Vec<_> = rows.runs.iter().map(|run| format!("{run:?}")).collect();
            std::fs::write(self.folder.join("runs"), lines.join("\n")).unwrap();
            println!("what the nodes wrote is kept in {}", self.folder.display());
        }
        Outcome {
            report,
            tally,
            rows,
            nodes,
        }
    }
}

fn is_decided(job: &Job, until: i64) -> bool {
    let left =
        FireTimes::parse(&job.trigger).and_then(|trigger| trigger.between(job.watermark, until));
    job.paused || left.is_ok_and(|times| times.is_empty())
}

/// Returns runs that should have ended: those of jobs whose triggers have ended, unless the jobs are paused.
fn left_open(rows: &Rows) -> Vec<String> {
    let open = rows
        .runs
        .iter()
        .filter(|run| !run.state.is_final() || run.holds_slot);
    let told = open.filter_map(|run| {
        let job = rows.job(&run.job)?;
        let waits = job.paused && run.state == State::Queued;
        (job.trigger.contains("end") && !waits).then(|| {
            format!(
                "run {} of `{}` never ended: {:?}, attempt {}, on node {:?}",
                run.id, run.job, run.state, run.attempt, run.node
            )
        })
    });
    told.collect()
}

fn reasons(rows: &Rows) -> String {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for record in &rows.skipped {
        *counts.entry(&record.reason).or_default() += record.count;
    }
    let lost = rows
        .runs
        .iter()
        .filter(|run| run.state == State::Lost)
        .count();
    let words: Vec<_> = counts
        .iter()
        .map(|(reason, n)| format!("{n} {reason}"))
        .collect();
    format!("{}; {lost} runs ended as lost", words.join(", "))
}

fn now() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}
