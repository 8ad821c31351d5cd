//! Simulating jobs without running anything.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::Effort;

use crate::effort::FIRE_TIME;
use crate::id::{JobId, RunIds};
use crate::job_record::JobRecord;
use crate::plan::{Buffers, Claim, Claimable, Due, Occupancy, QueuedView};
use crate::run::RunKind;
use crate::skipped::{SkipReason, SkippedTimes};

/// A simulated event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Simulated {
    /// The instant of the event.
    pub at: DateTime<Utc>,
    /// The job of the event.
    pub job_id: JobId,
    /// The kind of event.
    pub kind: SimulatedKind,
}

/// The kind of a simulated event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SimulatedKind {
    /// The fire time would be run.
    Run(DateTime<Utc>),
    /// The fire times would be skipped.
    Skipped(SkippedTimes),
    /// The job would be paused, because its trigger takes too much work to search.
    TooCostly,
}

/// Lists what jobs would do from `from` to `to` (inclusive), without running anything.
///
/// Each of their runs takes `run_time(job)`. The decisions are those of the live scheduler.
///
/// The whole simulation happens before it returns. Call it on a separate thread (`tokio::task::spawn_blocking`) where
/// a long span, or thousands of jobs, would delay other work.
///
/// Jobs come from [`Scheduler::get_jobs`](crate::Scheduler::get_jobs). Paused jobs do nothing.
///
/// ```
/// use scheduler_core::prelude::*;
/// use scheduler_core::testing::{SimulatedKind, VirtualClock, simulate};
/// use std::time::Duration;
///
/// #[task]
/// async fn import() {}
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
/// let scheduler = Scheduler::builder().clock(clock).without_static_jobs().start().await?;
/// scheduler.add_job(import::job().id("import").cron("*/10 * * * *")).await?;
///
/// // An import of 25 minutes, every ten minutes: two of three are skipped.
/// let jobs = scheduler.get_jobs().await?;
/// let from = "2026-01-01T00:00:00Z".parse()?;
/// let to = "2026-01-01T01:00:00Z".parse()?;
/// let what = simulate(&jobs, from, to, |_| Duration::from_secs(25 * 60));
/// assert_eq!(what.len(), 7); // 00:00, 00:10 … 01:00, each with its decision
/// let runs = what.iter().filter(|one| matches!(one.kind, SimulatedKind::Run(_)));
/// assert_eq!(runs.count(), 3); // 00:00, 00:30 and 01:00
/// # Ok(())
/// # }
/// ```
pub fn simulate(
    jobs: &[JobRecord],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    run_time: impl Fn(&JobRecord) -> Duration,
) -> Vec<Simulated> {
    let mut events = Vec::new();
    for job in jobs.iter().filter(|job| job.paused.is_none()) {
        let mut job = job.clone();
        job.watermark = from - TimeDelta::microseconds(1);
        let first = job.find_next(&mut Effort::steps(FIRE_TIME));
        let run_time = TimeDelta::from_std(run_time(&job)).unwrap_or(TimeDelta::MAX);
        let mut model = Model {
            job,
            run_time,
            ends: BinaryHeap::new(),
            queued: Vec::new(),
            events: &mut events,
        };
        match first {
            Ok(()) => model.run(to),
            Err(_) => model.tell(from, SimulatedKind::TooCostly),
        }
    }
    events.sort_by(|a, b| (a.at, &a.job_id).cmp(&(b.at, &b.job_id)));
    events
}

struct Model<'a> {
    job: JobRecord,
    run_time: TimeDelta,
    /// The ends of live runs.
    ends: BinaryHeap<Reverse<DateTime<Utc>>>,
    queued: Vec<QueuedView>,
    events: &'a mut Vec<Simulated>,
}

impl Model<'_> {
    fn run(&mut self, to: DateTime<Utc>) {
        let claimable = Claimable {
            static_jobs: HashSet::from([self.job.id.clone()]),
            tasks: HashSet::from([self.job.task.clone()]),
        };
        let capacity = HashMap::from([(Arc::from(&*self.job.policies.executor), usize::MAX)]);
        let run_ids = RunIds::new(0);
        let mut buffers = Buffers::default();
        loop {
            let due = self.job.next.map(|next| next.at);
            let end = self.ends.peek().map(|Reverse(end)| *end);
            let Some(now) = due.into_iter().chain(end).min().filter(|now| *now <= to) else {
                return;
            };
            while self.ends.peek().is_some_and(|Reverse(end)| *end <= now) {
                self.ends.pop();
            }
            let mut claim =
                Claim::reusing(buffers, now, &claimable, &capacity, usize::MAX, &run_ids);
            self.promote(now, &mut claim);
            if !self.claim_due(now, &mut claim) {
                return;
            }
            (_, buffers) = claim.into_parts();
        }
    }

    fn occupancy(&self) -> Occupancy {
        Occupancy {
            live: u32::try_from(self.ends.len()).unwrap_or(u32::MAX),
            queued: u32::try_from(self.queued.len()).unwrap_or(u32::MAX),
            held: 0,
        }
    }

    /// Decides about a due job. Returns `false` if the job is paused instead.
    fn claim_due(&mut self, now: DateTime<Utc>, claim: &mut Claim<'_>) -> bool {
        claim.claimed.skipped.clear();
        let changes = match claim.due(&self.job.view(self.occupancy())) {
            Due::Advance(changes) => changes,
            Due::Pause(_) => {
                self.tell(now, SimulatedKind::TooCostly);
                return false;
            }
            Due::Not | Due::NotClaimable | Due::NoCapacity => return true,
        };
        (self.job.watermark, self.job.next) = (changes.watermark, changes.next);
        let started: Vec<_> = changes.start.iter().map(|run| run.scheduled_for).collect();
        let (cancel_oldest, replace_queued) = (changes.cancel_oldest, changes.replace_queued);
        let queue = changes.queue.iter().map(|(run_id, fire)| QueuedView {
            run_id: *run_id,
            kind: RunKind::Scheduled,
            scheduled_for: *fire,
            attempts: 0,
            failures: 0,
        });
        let queue: Vec<QueuedView> = queue.collect();
        for skipped in &claim.claimed.skipped {
            self.tell(now, SimulatedKind::Skipped(skipped.times()));
        }
        for fire in started {
            self.start(fire, now);
        }
        if replace_queued {
            for run in std::mem::take(&mut self.queued) {
                let times = SkippedTimes::one(SkipReason::Superseded, run.scheduled_for);
                self.tell(now, SimulatedKind::Skipped(times));
            }
        }
        self.queued.extend(queue);
        if cancel_oldest {
            // A run whose cancellation is requested is assumed to stop at once.
            self.ends.pop();
            self.promote(now, claim);
        }
        true
    }

    fn promote(&mut self, now: DateTime<Utc>, claim: &mut Claim<'_>) {
        if self.queued.is_empty() {
            return;
        }
        claim.claimed.skipped.clear();
        let queue = self.queued.iter().copied();
        let changes = claim.queued(&self.job.view(self.occupancy()), queue, false);
        let started: Vec<_> = changes.start.iter().map(|run| run.scheduled_for).collect();
        let is_started =
            |run: &QueuedView| changes.start.iter().any(|one| one.run_id == run.run_id);
        let has_left = |run: &QueuedView| changes.missed.contains(&run.run_id) || is_started(run);
        self.queued.retain(|run| !has_left(run));
        for skipped in &claim.claimed.skipped {
            self.tell(now, SimulatedKind::Skipped(skipped.times()));
        }
        for fire in started {
            self.start(fire, now);
        }
    }

    fn start(&mut self, fire: DateTime<Utc>, now: DateTime<Utc>) {
        self.tell(now, SimulatedKind::Run(fire));
        if let Some(end) = now.checked_add_signed(self.run_time)
            && self.run_time > TimeDelta::zero()
        {
            self.ends.push(Reverse(end));
        }
    }

    fn tell(&mut self, at: DateTime<Utc>, kind: SimulatedKind) {
        self.events.push(Simulated {
            at,
            job_id: self.job.id.clone(),
            kind,
        });
    }
}
