//! Taking due fire times and runs that wait.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use scheduler_core::plan::{DueJob, Occupancy, Plan, Promotion, WaitingRun, promote};
use scheduler_core::store::{
    Claim, ClaimRequest, ClaimedRun, Unreadable, record_drop, record_drops,
};
use scheduler_core::{DropReason, JobRecord, RunId, RunKind};

use crate::backend::Backend;
use crate::engine::{Engine, Failure, Names};
use crate::instant::{from_micros, micros};
use crate::job_row::{Advance, JobRow};
use crate::node_row::node_code;
use crate::queue::{Cleared, clear};
use crate::run_row::{NewRun, OpenRuns, RunRow};
use crate::session::Session;

impl<B: Backend> Engine<B> {
    pub(crate) async fn claim(&self, request: &ClaimRequest<'_>) -> Result<Claim, Failure> {
        let node = node_code(request.node);
        let names = Names::of(request, self.skipped.ids(request.claimable));
        let limit = names.room(request).min(request.limit);
        let rows = i64::try_from(limit).unwrap_or(i64::MAX);
        if limit == 0 {
            return Ok(Claim::default());
        }
        let mut session = self.write().await?;
        if !self.backend.hold_lease(&mut session, node).await? {
            session.end(&self.backend).await?;
            return Err(Failure::Fenced);
        }
        let backend = &self.backend;
        let waiting = backend
            .lock_waiting(&mut session, &names.wanted(), rows)
            .await?;
        let due = backend
            .lock_due(&mut session, &names.wanted(), micros(request.now), rows)
            .await?;
        if waiting.is_empty() && due.is_empty() {
            session.end(backend).await?;
            return Ok(Claim::default());
        }
        let mut decisions = Decisions::new(request, &due, self);
        decisions.claim.more = due.len() >= limit;
        self.read_open(&mut session, &mut decisions, &waiting, &due)
            .await?;
        decisions.promote_waiting(waiting);
        decisions.plan_due(&due);
        self.write_decisions(session, decisions).await
    }

    /// Counts live and waiting runs, in a statement after that which locked the jobs.
    async fn read_open(
        &self,
        session: &mut Session<'_, B>,
        decisions: &mut Decisions<'_, B>,
        waiting: &[JobRow],
        due: &[JobRow],
    ) -> Result<(), Failure> {
        let ids =
            |jobs: &[JobRow]| -> Vec<String> { jobs.iter().map(|job| job.id.clone()).collect() };
        let with_queue = ids(waiting);
        let mut all: Vec<&str> = with_queue.iter().map(String::as_str).collect();
        all.extend(due.iter().map(|job| &*job.id));
        for open in self.backend.open_runs(session, &all).await? {
            let OpenRuns {
                job_id,
                live,
                queued,
            } = open;
            let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
            let occupancy = Occupancy {
                live: count(live),
                queued: count(queued),
            };
            decisions.occupancy.insert(job_id, occupancy);
        }
        // Of due jobs only those with a queue are read.
        let mut queued: Vec<&str> = Vec::new();
        for id in all {
            if decisions
                .occupancy
                .get(id)
                .is_some_and(|open| open.queued > 0)
            {
                queued.push(id);
            }
        }
        if !queued.is_empty() {
            for run in self.backend.waiting_runs(session, &queued).await? {
                let job = decisions.queues.entry(run.job_id.clone()).or_default();
                job.push(run);
            }
        }
        Ok(())
    }

    async fn write_decisions(
        &self,
        mut session: Session<'_, B>,
        decisions: Decisions<'_, B>,
    ) -> Result<Claim, Failure> {
        let Decisions {
            request,
            mut claim,
            advances,
            started,
            inserted,
            ask_oldest,
            cleared,
            ..
        } = decisions;
        let backend = &self.backend;
        let node = node_code(request.node);
        let now = micros(request.now);
        if !advances.is_empty() {
            backend.advance_jobs(&mut session, &advances).await?;
        }
        // What takes the place of others comes after them.
        self.write_cleared(&mut session, &cleared, now).await?;
        if !started.is_empty() {
            backend
                .start_runs(&mut session, &started, node, now)
                .await?;
        }
        if !ask_oldest.is_empty() {
            backend.ask_oldest(&mut session, &ask_oldest).await?;
        }
        if !inserted.is_empty() {
            let ids = backend.insert_runs(&mut session, &inserted).await?;
            if ids.len() < inserted.len() {
                leave_out_claimed(&mut claim, &inserted, &ids);
            }
        }
        claim.dropped.extend(cleared.dropped);
        self.write_drops(&mut session, &claim.dropped).await?;
        session.commit(backend).await?;
        Ok(claim)
    }

    pub(crate) async fn next_due(
        &self,
        request: &ClaimRequest<'_>,
    ) -> Result<Option<DateTime<Utc>>, Failure> {
        let names = Names::of(request, self.skipped.ids(request.claimable));
        let mut session = self.read().await?;
        let due = self.backend.next_due(&mut session, &names.wanted()).await?;
        session.end(&self.backend).await?;
        Ok(due.and_then(|due| from_micros(due).ok()))
    }
}

/// A fire time that is claimed already is not claimed again: it comes twice when a mark was set back.
fn leave_out_claimed(claim: &mut Claim, wanted: &[NewRun<'_>], inserted: &[u128]) {
    let inserted: std::collections::HashSet<u128> = inserted.iter().copied().collect();
    for run in wanted.iter().filter(|run| !inserted.contains(&run.id)) {
        tracing::warn!(job_id = %run.job_id, scheduled_for = run.scheduled_for, "the fire time was claimed before");
    }
    let is_new = |id: RunId| inserted.contains(&id.as_u128());
    let wanted: std::collections::HashSet<u128> = wanted.iter().map(|run| run.id).collect();
    claim
        .runs
        .retain(|run| !wanted.contains(&run.run_id.as_u128()) || is_new(run.run_id));
    claim.queued.retain(|(_, run)| is_new(*run));
}

/// What a claim has decided, to be written in a few statements.
struct Decisions<'a, B: Backend> {
    engine: &'a Engine<B>,
    request: &'a ClaimRequest<'a>,
    claim: Claim,
    /// Left in each executor.
    room: HashMap<&'a str, usize>,
    occupancy: HashMap<String, Occupancy>,
    queues: BTreeMap<String, Vec<RunRow>>,
    advances: Vec<Advance<'a>>,
    started: Vec<u128>,
    inserted: Vec<NewRun<'a>>,
    ask_oldest: Vec<&'a str>,
    cleared: Cleared,
    plan: Plan,
}

impl<'a, B: Backend> Decisions<'a, B> {
    fn new(request: &'a ClaimRequest<'a>, due: &[JobRow], engine: &'a Engine<B>) -> Self {
        let room = request.room.iter();
        Self {
            engine,
            request,
            claim: Claim::default(),
            room: room.map(|(name, room)| (&**name, *room)).collect(),
            occupancy: HashMap::new(),
            queues: BTreeMap::new(),
            advances: Vec::with_capacity(due.len()),
            started: Vec::new(),
            inserted: Vec::with_capacity(due.len()),
            ask_oldest: Vec::new(),
            cleared: Cleared::default(),
            plan: Plan::default(),
        }
    }

    /// The job of a row, if this node can read it and run it.
    fn job(&mut self, row: &JobRow) -> Option<JobRecord> {
        match row.read(&self.engine.cache) {
            Ok(job) if self.request.claimable.allows(&job) => Some(job),
            Ok(job) => {
                self.engine.skipped.add(job.id.as_str(), None);
                None
            }
            Err(problem) => {
                let problem = problem.to_string();
                if self.engine.skipped.add(&row.id, Some(&problem)) {
                    let id = row.id.clone();
                    self.claim.unreadable.push(Unreadable { id, problem });
                }
                None
            }
        }
    }

    fn room(&self, job: &JobRecord) -> usize {
        let executor = &*job.policies.executor;
        self.room.get(executor).copied().unwrap_or(0)
    }

    fn take_room(&mut self, job: &JobRecord, count: usize) {
        if let Some(room) = self.room.get_mut(&*job.policies.executor) {
            *room = room.saturating_sub(count);
        }
    }

    /// Starts runs that wait and find a place.
    fn promote_waiting(&mut self, rows: Vec<JobRow>) {
        let now = self.request.now;
        for row in rows {
            let Some(job) = self.job(&row) else {
                continue;
            };
            let Some(queue) = self.queues.remove(&row.id) else {
                continue;
            };
            let mut open = self.occupancy.get(&row.id).copied().unwrap_or_default();
            let mut still_waits = Vec::new();
            let mut queue = queue.into_iter();
            for run in queue.by_ref() {
                if self.room(&job) == 0 {
                    still_waits.push(run);
                    break;
                }
                let (Ok(kind), Ok(at)) = (run.kind(), from_micros(run.scheduled_for)) else {
                    still_waits.push(run);
                    continue;
                };
                let waits = WaitingRun {
                    kind,
                    scheduled_for: at,
                    attempts: u32::try_from(run.attempt).unwrap_or(0),
                };
                match promote(&job, open.live, waits, now) {
                    Promotion::Wait => {
                        still_waits.push(run);
                        break;
                    }
                    Promotion::Held => still_waits.push(run),
                    Promotion::Missed => {
                        let drop = record_drop(&job.id, DropReason::Missed, at, now);
                        self.claim.dropped.push(drop);
                        self.cleared.deleted.push(run.id);
                        open.queued = open.queued.saturating_sub(1);
                    }
                    Promotion::Start => {
                        let id = RunId::from_u128(run.id);
                        let mut claimed = ClaimedRun::first(&job, id, kind, at);
                        claimed.attempt = waits.attempts + 1;
                        claimed.failures = u32::try_from(run.failures).unwrap_or(0);
                        self.claim.runs.push(claimed);
                        self.started.push(run.id);
                        self.take_room(&job, 1);
                        open.live += 1;
                        open.queued = open.queued.saturating_sub(1);
                    }
                }
            }
            still_waits.extend(queue);
            self.occupancy.insert(row.id.clone(), open);
            if !still_waits.is_empty() {
                self.queues.insert(row.id, still_waits);
            }
        }
    }

    fn plan_due(&mut self, rows: &'a [JobRow]) {
        let mut plan = std::mem::take(&mut self.plan);
        for row in rows {
            if let Some(job) = self.job(row) {
                self.plan_one(row, &job, &mut plan);
            }
        }
        self.plan = plan;
    }

    fn plan_one(&mut self, row: &'a JobRow, job: &JobRecord, plan: &mut Plan) {
        let now = self.request.now;
        let Some(next) = job.next else {
            return;
        };
        if self.room(job) == 0 {
            // It stays due; whoever makes room wakes the driver.
            return;
        }
        let occupancy = self.occupancy.get(&row.id).copied().unwrap_or_default();
        let due = DueJob {
            id: &job.id,
            trigger: &job.trigger,
            policies: &job.policies,
            mark: job.mark,
            next,
        };
        plan.decide(due, occupancy, now);
        let ended_at = plan.next.is_none().then_some(micros(now));
        self.advances.push(Advance {
            id: &row.id,
            mark: micros(plan.mark),
            next: plan
                .next
                .map(|next| (micros(next.nominal), micros(next.at))),
            ended_at,
        });
        if plan.next.is_none() {
            self.claim.ended.push(job.id.clone());
        }
        let drops = record_drops(&job.id, plan.dropped.iter().copied(), now);
        self.claim.dropped.extend(drops);
        for fire in &plan.start {
            let run_id = self.request.run_ids.next(now);
            let run = ClaimedRun::first(job, run_id, RunKind::Scheduled, *fire);
            self.insert(row, run_id, *fire, true);
            self.claim.runs.push(run);
        }
        self.take_room(job, plan.start.len());
        if plan.cancel_oldest {
            self.ask_oldest.push(&row.id);
        }
        if plan.replace_queued {
            let queue = self.queues.remove(&row.id).unwrap_or_default();
            clear(
                &mut self.cleared,
                &job.id,
                queue,
                DropReason::Superseded,
                now,
            );
        }
        for fire in &plan.queue {
            let run_id = self.request.run_ids.next(now);
            self.insert(row, run_id, *fire, false);
            self.claim.queued.push((job.id.clone(), run_id));
        }
    }

    fn insert(&mut self, row: &'a JobRow, run: RunId, at: DateTime<Utc>, is_live: bool) {
        self.inserted.push(NewRun {
            id: run.as_u128(),
            job_id: &row.id,
            task: &row.task,
            kind: RunKind::Scheduled.code(),
            scheduled_for: micros(at),
            node: is_live.then(|| node_code(self.request.node)),
            started_at: is_live.then(|| micros(self.request.now)),
        });
    }
}
