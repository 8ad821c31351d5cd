//! What a metrics recorder receives.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helpers are tests too"
)]
#![allow(clippy::disallowed_methods)] // what sleeps here sleeps in virtual time

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use scheduler_core::prelude::*;
use scheduler_core::store::Call;
use scheduler_core::testing::VirtualClock;
use scheduler_core::{Builder, MemoryStore, Overlap, metrics as scheduler_metrics};
use scheduler_sqlx::SqlStore;
use scheduler_store_tests::{Fault, faulty};

#[task]
async fn measured_work(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[task]
async fn measured_failure() -> Result<(), String> {
    Err("no luck".to_owned())
}

#[task]
fn measured_thread() {}

const START: &str = "2026-03-02T00:00:00Z";

/// The recorded metrics, by `name{label=value,…}`.
struct Seen {
    counters: BTreeMap<String, u64>,
    gauges: BTreeMap<String, f64>,
    histograms: BTreeMap<String, Vec<f64>>,
}

impl Seen {
    fn of(snapshotter: &Snapshotter) -> Self {
        let mut seen = Self {
            counters: BTreeMap::new(),
            gauges: BTreeMap::new(),
            histograms: BTreeMap::new(),
        };
        for (key, _, _, value) in snapshotter.snapshot().into_vec() {
            let labels: Vec<_> = key
                .key()
                .labels()
                .map(|label| format!("{}={}", label.key(), label.value()))
                .collect();
            let name = format!("{}{{{}}}", key.key().name(), labels.join(","));
            match value {
                DebugValue::Counter(value) => drop(seen.counters.insert(name, value)),
                DebugValue::Gauge(value) => drop(seen.gauges.insert(name, value.into_inner())),
                DebugValue::Histogram(values) => {
                    let values = values.into_iter().map(f64::from).collect();
                    seen.histograms.insert(name, values);
                }
            }
        }
        seen
    }

    fn counter(&self, name: &str) -> u64 {
        self.counters.get(name).copied().unwrap_or_default()
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        let gauges = self.gauges.keys().chain(self.histograms.keys());
        self.counters.keys().chain(gauges)
    }
}

/// Runs a scenario in virtual time with a separate recorder.
fn record<F, Fut>(scenario: F)
where
    F: FnOnce(VirtualClock, Snapshotter) -> Fut,
    Fut: Future<Output = ()>,
{
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let clock = VirtualClock::at(START).unwrap();
            scenario(clock, snapshotter).await;
        });
    });
}

async fn start(clock: &VirtualClock, set_up: impl FnOnce(Builder) -> Builder) -> Scheduler {
    let builder = Scheduler::builder()
        .clock(clock.clone())
        .without_static_jobs();
    set_up(builder).start().await.unwrap()
}

#[test]
fn runs_are_counted_by_task_once_they_have_ended_for_good() {
    record(|clock, snapshotter| async move {
        let scheduler = start(&clock, |builder| builder).await;
        for id in ["a", "b"] {
            let job = measured_work::job(30).id(id).cron("*/10 * * * *");
            scheduler.add_job(job).await.unwrap();
        }
        let failing = measured_failure::job()
            .cron("0 * * * *")
            .retries(2)
            .end("2026-03-02T00:30:00Z");
        scheduler.add_job(failing).await.unwrap();
        clock.advance(TimeDelta::minutes(65)).await;

        let seen = Seen::of(&snapshotter);
        let succeeded = "scheduler_runs_total{task=measured_work,outcome=succeeded}";
        assert_eq!(seen.counter(succeeded), 14, "two jobs of one task");
        let failed = "scheduler_runs_total{task=measured_failure,outcome=failed}";
        assert_eq!(seen.counter(failed), 1, "three attempts are one run");
        let durations = &seen.histograms["scheduler_run_duration_seconds{task=measured_work}"];
        assert_eq!(durations, &[30.0; 14]);
        let lateness = &seen.histograms["scheduler_run_lateness_seconds{task=measured_failure}"];
        assert_eq!(lateness, &[0.0], "of the first attempt only");
        assert!(
            seen.names().all(|name| !name.contains("job")),
            "jobs may be made by the million"
        );
    });
}

#[test]
fn what_runs_and_what_waits_is_known() {
    record(|clock, snapshotter| async move {
        let scheduler = start(&clock, |builder| builder).await;
        let job = measured_work::job(25 * 60)
            .id("job")
            .cron("*/10 * * * *")
            .overlap(Overlap::Queue(2));
        scheduler.add_job(job).await.unwrap();
        clock.advance(TimeDelta::minutes(33)).await;
        let seen = Seen::of(&snapshotter);
        let live = |seen: &Seen| seen.gauges["scheduler_runs_live{executor=default}"];
        let waiting = |seen: &Seen| seen.gauges["scheduler_queue_depth{store=default}"];
        assert!((live(&seen) - 1.0).abs() < f64::EPSILON);
        assert!(
            (waiting(&seen) - 2.0).abs() < f64::EPSILON,
            "{}",
            waiting(&seen)
        );

        scheduler.remove_job("job").await.unwrap();
        clock.advance(TimeDelta::minutes(30)).await;
        let seen = Seen::of(&snapshotter);
        assert!(live(&seen).abs() < f64::EPSILON);
        assert!(waiting(&seen).abs() < f64::EPSILON);
        assert_eq!(seen.counter("scheduler_skipped_total{reason=removed}"), 2);
        let names: Vec<_> = seen
            .gauges
            .keys()
            .filter(|name| name.starts_with("scheduler_runs_live"))
            .collect();
        assert_eq!(names.len(), 2, "{names:?}");
    });
}

#[test]
fn lateness_is_that_of_the_first_attempt_and_drops_have_a_reason() {
    record(|clock, snapshotter| async move {
        let scheduler = start(&clock, |builder| builder).await;
        let job = measured_work::job(25 * 60)
            .id("job")
            .cron("*/10 * * * *")
            .end("2026-03-02T00:20:00Z");
        scheduler.add_job(job).await.unwrap();
        clock.advance(TimeDelta::hours(1)).await;
        let queued = measured_work::job(20 * 60)
            .id("queued")
            .cron("*/15 * * * *")
            .start("2026-03-02T02:00:00Z")
            .end("2026-03-02T02:15:00Z")
            .overlap(Overlap::Queue(1));
        scheduler.add_job(queued).await.unwrap();
        clock.advance(TimeDelta::hours(2)).await;

        let seen = Seen::of(&snapshotter);
        assert_eq!(seen.counter("scheduler_skipped_total{reason=overlap}"), 2);
        let lateness = &seen.histograms["scheduler_run_lateness_seconds{task=measured_work}"];
        assert_eq!(lateness, &[0.0, 0.0, 300.0], "the last waited for its slot");
    });
}

#[test]
fn calls_of_the_store_are_timed_and_those_that_fail_are_counted() {
    record(|clock, snapshotter| async move {
        let store = faulty(MemoryStore::new());
        let faults = store.by().clone();
        let scheduler = start(&clock, |builder| builder.named_store("other", store)).await;
        let job = measured_thread::job().store("other").cron("* * * * *");
        scheduler.add_job(job).await.unwrap();
        clock.advance(TimeDelta::minutes(3)).await;
        faults.next(Call::ListJobs, Fault::Before);
        assert!(scheduler.get_jobs().await.is_err());
        faults.next(Call::Finish, Fault::Slow(Duration::from_secs(2)));
        clock.advance(TimeDelta::seconds(65)).await;

        let seen = Seen::of(&snapshotter);
        let took = |operation: &str| {
            let name = format!("scheduler_store_seconds{{store=other,operation={operation}}}");
            seen.histograms.get(&name).cloned().unwrap_or_default()
        };
        for operation in [
            "insert",
            "claim",
            "next_due",
            "finish",
            "list_jobs",
            "repair",
            "prune",
        ] {
            assert!(!took(operation).is_empty(), "{operation}");
        }
        assert!(took("finish").contains(&2.0), "{:?}", took("finish"));
        let failed: Vec<_> = seen
            .counters
            .iter()
            .filter(|(name, _)| name.starts_with("scheduler_store_errors_total"))
            .collect();
        assert_eq!(failed.len(), 1, "{failed:?}");
        let lists = "scheduler_store_errors_total{store=other,operation=list_jobs}";
        assert_eq!(seen.counter(lists), 1);
        assert_eq!(
            seen.counter("scheduler_runs_total{task=measured_thread,outcome=succeeded}"),
            5
        );
    });
}

/// A database that is removed at the end, together with the files next to it.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        for beside in ["", "-wal", "-shm"] {
            let mut path = self.0.clone().into_os_string();
            path.push(beside);
            let _ = std::fs::remove_file(path);
        }
    }
}

/// In real time, since the lease is that of a database.
#[test]
fn the_age_of_the_lease_is_known() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let file = format!("scheduler-metrics-{}.db", std::process::id());
            let file = Removed(std::env::temp_dir().join(file));
            let url = format!("sqlite://{}", file.0.display());
            let store = SqlStore::connect(&url).await.unwrap();
            let scheduler = Scheduler::builder()
                .without_static_jobs()
                .store(store)
                .start()
                .await
                .unwrap();
            for _ in 0..500 {
                let age = Seen::of(&snapshotter)
                    .gauges
                    .get("scheduler_lease_age_seconds{store=default}")
                    .copied();
                if let Some(age) = age {
                    assert!((0.0..15.0).contains(&age), "{age}");
                    return;
                }
                assert!(scheduler.health().is_ok());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            panic!("no age was recorded");
        });
    });
}

#[test]
fn what_is_recorded_is_described() {
    record(|clock, snapshotter| async move {
        scheduler_metrics::describe_metrics();
        let scheduler = start(&clock, |builder| builder).await;
        let job = measured_work::job(1).cron("* * * * *");
        scheduler.add_job(job).await.unwrap();
        clock.advance(TimeDelta::minutes(3)).await;
        let recorded = snapshotter.snapshot().into_vec();
        assert!(recorded.len() > 8);
        for (key, unit, description, _) in recorded {
            let name = key.key().name();
            assert!(unit.is_some() && description.is_some(), "{name}");
            let seconds = unit == Some(metrics::Unit::Seconds);
            assert_eq!(seconds, name.ends_with("_seconds"), "{name}");
            let total = key.kind() == MetricKind::Counter;
            assert_eq!(total, name.ends_with("_total"), "{name}");
        }
    });
}
