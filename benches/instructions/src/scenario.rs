//! The scenarios: each does its set-up once, and repeats the counted operation.

use std::collections::{HashMap, HashSet};
use std::hint::black_box;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::prelude::*;
use scheduler_core::store::{ClaimRequest, Claimable, Store};
use scheduler_core::testing::VirtualClock;
use scheduler_core::{MemoryStore, NodeId, RunIds, Trigger};

/// Jobs that are added or claimed together.
const JOBS: usize = 1_000;

/// Jobs that fire together: so many that the work of the test clock in between hardly counts.
const FIRING: usize = 5_000;

/// A scenario.
pub struct Scenario {
    pub name: &'static str,
    /// The number of repetitions in one run; the other run makes twice as many.
    pub times: usize,
    /// The number of operations in each repetition.
    pub each: usize,
    run: fn(usize),
}

pub const SCENARIOS: [Scenario; 7] = [
    Scenario {
        name: "next_after_utc",
        times: 100,
        each: 12,
        run: |times| next_after("UTC", times),
    },
    Scenario {
        name: "next_after_new_york",
        times: 100,
        each: 12,
        run: |times| next_after("America/New_York", times),
    },
    Scenario {
        name: "parse",
        times: 100,
        each: 12,
        run: parse,
    },
    Scenario {
        name: "fire",
        times: 4,
        each: FIRING,
        run: |times| fires(times, 10_000),
    },
    Scenario {
        name: "fire_without_history",
        times: 4,
        each: FIRING,
        run: |times| fires(times, 0),
    },
    Scenario {
        name: "claim_of_1000",
        times: 10,
        each: 1,
        run: claims,
    },
    Scenario {
        name: "add",
        times: 10,
        each: JOBS,
        run: adds,
    },
];

/// Runs a scenario. Returns `true` if it exists.
pub fn run(name: &str, times: usize) -> bool {
    let found = SCENARIOS.iter().find(|scenario| scenario.name == name);
    found.inspect(|scenario| (scenario.run)(times)).is_some()
}

pub fn names() -> String {
    SCENARIOS.map(|scenario| scenario.name).join(", ")
}

const EXPRESSIONS: [&str; 12] = [
    "* * * * *",
    "*/5 * * * *",
    "0 * * * *",
    "0 6 * * *",
    "0 9 * * MON-FRI",
    "*/15 9-17 * * MON-FRI",
    "0 0 * * SUN",
    "0 0 1 * *",
    "30 2 1 1,4,7,10 *",
    "59 23 31 12 *",
    "0 0 31 * *",
    "0 0 29 2 *",
];

fn next_after(zone: &str, times: usize) {
    let triggers =
        EXPRESSIONS.map(|expr| Trigger::cron(expr).unwrap().timezone_name(zone).unwrap());
    for turn in 0..times {
        let after = DateTime::from_timestamp(1_767_225_600 + turn as i64 * 487_651, 0).unwrap();
        for trigger in &triggers {
            black_box(trigger.next_after(black_box(after)));
        }
    }
}

fn parse(times: usize) {
    for _ in 0..times {
        for expr in EXPRESSIONS {
            black_box(Trigger::cron(black_box(expr)).unwrap());
        }
    }
}

#[task]
async fn nothing() {}

/// Every ten seconds: the driver wakes at least twice a minute, which should not count.
fn job(index: usize) -> Job {
    nothing::job().id(format!("job-{index}")).interval("10s")
}

fn block_on(work: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(work);
}

const START: &str = "2026-01-01T00:00:00Z";

/// All jobs fire at once, repeatedly, with the default policies.
fn fires(times: usize, history: usize) {
    block_on(async {
        let clock = VirtualClock::at(START).unwrap();
        let store = MemoryStore::new().keep_runs(history);
        let builder = Scheduler::builder().clock(clock.clone()).store(store);
        let scheduler = builder.start().await.unwrap();
        scheduler.add_jobs((0..FIRING).map(job)).await.unwrap();
        for _ in 0..times {
            clock.advance(TimeDelta::seconds(10)).await;
        }
        assert_eq!(scheduler.health().skipped.len(), 0);
        scheduler.shutdown(Shutdown::abort()).await;
    });
}

/// The store's part of firing.
fn claims(times: usize) {
    block_on(async {
        let store = MemoryStore::new();
        let builder = Scheduler::builder()
            .client()
            .clock(VirtualClock::at(START).unwrap());
        let client = builder.store(store.clone()).start().await.unwrap();
        let unbounded = |index| job(index).max_instances(u32::MAX);
        client.add_jobs((0..JOBS).map(unbounded)).await.unwrap();
        let claimable = Claimable::new(HashSet::new(), HashSet::from(["nothing".into()]));
        let capacity = HashMap::from([("default".into(), usize::MAX)]);
        let (start, run_ids) = (START.parse::<DateTime<Utc>>().unwrap(), RunIds::new(1));
        for turn in 1..=times {
            let (node, now) = (NodeId::new(1), start + TimeDelta::seconds(10 * turn as i64));
            let request = ClaimRequest::new(node, now, &claimable, &capacity, &run_ids).limit(JOBS);
            assert_eq!(store.claim(&request).await.unwrap().runs.len(), JOBS);
        }
    });
}

/// Through the public call, a thousand at a time.
fn adds(times: usize) {
    block_on(async {
        let clock = VirtualClock::at(START).unwrap();
        let scheduler = Scheduler::builder().clock(clock).start().await.unwrap();
        for turn in 0..times {
            let jobs = (turn * JOBS..(turn + 1) * JOBS).map(job);
            black_box(scheduler.add_jobs(jobs).await.unwrap());
        }
        scheduler.shutdown(Shutdown::abort()).await;
    });
}
