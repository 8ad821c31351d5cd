//! What jobs would do, without running anything.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::Effort;

use crate::dropped::DroppedTimes;
use crate::effort::FIRE_TIME;
use crate::id::JobId;
use crate::job_record::JobRecord;
use crate::plan::{DueJob, Occupancy, Plan, Promotion, WaitingRun, promote};
use crate::run::RunKind;

/// Something that would happen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Simulated {
    /// When.
    pub at: DateTime<Utc>,
    /// To which job.
    pub job_id: JobId,
    /// What.
    pub kind: SimulatedKind,
}

/// What would happen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SimulatedKind {
    /// The fire time would be run.
    Run(DateTime<Utc>),
    /// Fire times would not be run.
    Dropped(DroppedTimes),
    /// The job would be paused, because its trigger takes too much work to search.
    TooCostly,
}

/// Lists what jobs would do from `from` to `to` (inclusive), without running anything.
///
/// Each of their runs takes `run_time(job)`. The decisions are those of the live scheduler.
///
/// All is done before it returns: call it on a thread of its own
/// (`tokio::task::spawn_blocking`) where a long span, or thousands of jobs, would hold up others.
///
/// Jobs come from [`Scheduler::get_jobs`](crate::Scheduler::get_jobs); paused ones do nothing.
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
/// // An import of 25 minutes, every ten minutes: two of three are dropped.
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
        job.mark = from - TimeDelta::microseconds(1);
        let first = job.find_next(&mut Effort::steps(FIRE_TIME));
        let run_time = TimeDelta::from_std(run_time(&job)).unwrap_or(TimeDelta::MAX);
        let mut model = Model {
            job,
            run_time,
            ends: BinaryHeap::new(),
            waiting: Vec::new(),
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
    /// When live runs end.
    ends: BinaryHeap<Reverse<DateTime<Utc>>>,
    waiting: Vec<DateTime<Utc>>,
    events: &'a mut Vec<Simulated>,
}

impl Model<'_> {
    fn run(&mut self, to: DateTime<Utc>) {
        let mut plan = Plan::default();
        loop {
            let due = self.job.next.map(|next| next.at);
            let end = self.ends.peek().map(|Reverse(end)| *end);
            let Some(now) = due.into_iter().chain(end).min().filter(|now| *now <= to) else {
                return;
            };
            while self.ends.peek().is_some_and(|Reverse(end)| *end <= now) {
                self.ends.pop();
            }
            self.promote(now);
            if let Some(next) = self.job.next.filter(|next| next.at <= now) {
                let job = DueJob {
                    id: &self.job.id,
                    trigger: &self.job.trigger,
                    policies: &self.job.policies,
                    mark: self.job.mark,
                    next,
                };
                if plan.decide(job, self.occupancy(), now).is_err() {
                    self.tell(now, SimulatedKind::TooCostly);
                    return;
                }
                self.apply(&plan, now);
            }
        }
    }

    fn occupancy(&self) -> Occupancy {
        Occupancy {
            live: u32::try_from(self.ends.len()).unwrap_or(u32::MAX),
            queued: u32::try_from(self.waiting.len()).unwrap_or(u32::MAX),
        }
    }

    fn apply(&mut self, plan: &Plan, now: DateTime<Utc>) {
        self.job.mark = plan.mark;
        self.job.next = plan.next;
        for times in &plan.dropped {
            self.tell(now, SimulatedKind::Dropped(*times));
        }
        for fire in &plan.start {
            self.start(*fire, now);
        }
        if plan.replace_queued {
            for fire in std::mem::take(&mut self.waiting) {
                let reason = crate::dropped::DropReason::Superseded;
                self.tell(now, SimulatedKind::Dropped(DroppedTimes::one(reason, fire)));
            }
        }
        self.waiting.extend(&plan.queue);
        if plan.cancel_oldest {
            // A run that is asked to stop is taken to stop at once.
            self.ends.pop();
            self.promote(now);
        }
    }

    fn promote(&mut self, now: DateTime<Utc>) {
        while let Some(fire) = self.waiting.first().copied() {
            let waits = WaitingRun {
                kind: RunKind::Scheduled,
                scheduled_for: fire,
                attempts: 0,
            };
            match promote(&self.job, self.occupancy().live, waits, now) {
                Promotion::Wait | Promotion::Held => return,
                Promotion::Start => self.start(fire, now),
                Promotion::Missed => {
                    let reason = crate::dropped::DropReason::Missed;
                    self.tell(now, SimulatedKind::Dropped(DroppedTimes::one(reason, fire)));
                }
            }
            self.waiting.remove(0);
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
