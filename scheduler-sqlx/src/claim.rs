//! Taking due fire times and runs that wait.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use scheduler_core::plan::{
    CLAIM_STEPS, DueJob, Occupancy, Plan, Promotion, QueueHead, WaitingRun, promote, too_costly,
};
use scheduler_core::store::{
    Claim, ClaimRequest, ClaimedRun, Unreadable, record_drop, record_drops,
};
use scheduler_core::{DropReason, JobId, JobRecord, RunId, RunKind};

use crate::backend::Backend;
use crate::due_floor::Look;
use crate::engine::{Engine, Failure, Names};
use crate::instant::{from_micros, micros};
use crate::job_row::{Advance, JobRow};
use crate::node_row::node_code;
use crate::queue::{Cleared, clear};
use crate::record_problem::RecordProblem;
use crate::run_row::{HeadRow, NewRun, OpenRuns, RunRow};
use crate::session::Session;

impl<B: Backend> Engine<B> {
    pub(crate) async fn claim(&self, request: &ClaimRequest<'_>) -> Result<Claim, Failure> {
        let node = node_code(request.node);
        let names = Names::of(request, self.skipped.ids(request.claimable));
        let limit = names.capacity(request).min(request.limit);
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
        let (now, look) = (micros(request.now), self.look(&names, micros(request.now)));
        let due = backend
            .lock_due(&mut session, &names.wanted(), look.from, now, rows)
            .await?;
        // It leaves out jobs that another node has locked, so the bound stays where it is: `next_due` moves it.
        if waiting.is_empty() && due.is_empty() {
            session.end_in_order(backend).await?;
            return Ok(Claim::default());
        }
        let mut decisions = Decisions::new(request, &due, self);
        decisions.claim.more = due.len() >= limit;
        let is_cut = waiting.len() >= limit;
        let waiting = decisions.readable(waiting);
        self.read_open(&mut session, &mut decisions, &waiting, &due)
            .await?;
        self.promote_waiting(&mut session, &mut decisions, &waiting)
            .await?;
        // Others wait, too. Where nothing was moved, the same ones may be all that there are.
        decisions.claim.more |= is_cut && decisions.has_moved() && decisions.has_room();
        decisions.plan_due(&due);
        self.supersede_queued(&mut session, &mut decisions).await?;
        self.write_decisions(session, decisions).await
    }

    /// Counts open runs, in a statement after that which locked the jobs. Queues are counted only for jobs that
    /// are due, whose plan depends on how many wait.
    async fn read_open(
        &self,
        session: &mut Session<'_, B>,
        decisions: &mut Decisions<'_, B>,
        waiting: &[JobRecord],
        due: &[JobRow],
    ) -> Result<(), Failure> {
        let due: Vec<&str> = due.iter().map(|job| &*job.id).collect();
        let mut open = self.backend.open_runs(session, &due).await?;
        let is_due: HashSet<&str> = due.into_iter().collect();
        let ids = waiting.iter().map(|job| job.id.as_str());
        let only_waiting: Vec<&str> = ids.filter(|id| !is_due.contains(id)).collect();
        if !only_waiting.is_empty() {
            open.extend(self.backend.live_runs(session, &only_waiting).await?);
        }
        for open in open {
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
        Ok(())
    }

    /// Starts queued runs that find a slot; reads no more of each queue than may be started.
    async fn promote_waiting(
        &self,
        session: &mut Session<'_, B>,
        decisions: &mut Decisions<'_, B>,
        jobs: &[JobRecord],
    ) -> Result<(), Failure> {
        let head = |job: &JobRecord| {
            let live = decisions
                .occupancy
                .get(job.id.as_str())
                .map(|open| open.live);
            let (live, capacity) = (live.unwrap_or_default(), decisions.capacity(job));
            QueueHead::of(&job.policies, job.paused.is_some(), live, capacity)
        };
        let with_heads: Vec<(&JobRecord, QueueHead)> = jobs
            .iter()
            .filter_map(|job| head(job).map(|head| (job, head)))
            .collect();
        if with_heads.is_empty() {
            return Ok(());
        }
        let heads: Vec<HeadRow<'_>> = with_heads
            .iter()
            .map(|(job, head)| HeadRow {
                job_id: job.id.as_str(),
                limit: head.limit.into(),
                skips_held: head.skips_held,
            })
            .collect();
        let mut queues: HashMap<String, Vec<RunRow>> = HashMap::new();
        for run in self.backend.queue_heads(session, &heads).await? {
            queues.entry(run.job_id.clone()).or_default().push(run);
        }
        for (job, head) in with_heads {
            if let Some(queue) = queues.remove(job.id.as_str()) {
                decisions.promote_head(job, queue, head.limit);
            }
        }
        Ok(())
    }

    /// Takes what is queued out of the queues of jobs whose plan has put a newer fire time in its place.
    async fn supersede_queued(
        &self,
        session: &mut Session<'_, B>,
        decisions: &mut Decisions<'_, B>,
    ) -> Result<(), Failure> {
        if decisions.superseded.is_empty() {
            return Ok(());
        }
        let jobs = std::mem::take(&mut decisions.superseded);
        let ids: Vec<&str> = jobs.iter().map(JobId::as_str).collect();
        let mut queues: HashMap<String, Vec<RunRow>> = HashMap::new();
        for run in self.backend.waiting_runs(session, &ids).await? {
            let is_settled = |ids: &[u128]| ids.contains(&run.id);
            if !is_settled(&decisions.started) && !is_settled(&decisions.cleared.deleted) {
                queues.entry(run.job_id.clone()).or_default().push(run);
            }
        }
        for job in &jobs {
            let queue = queues.remove(job.as_str()).unwrap_or_default();
            let (cleared, now) = (&mut decisions.cleared, decisions.request.now);
            clear(cleared, job, queue, DropReason::Superseded, now);
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
            paused,
            ..
        } = decisions;
        let backend = &self.backend;
        let node = node_code(request.node);
        let now = micros(request.now);
        if !advances.is_empty() {
            backend.advance_jobs(&mut session, &advances).await?;
        }
        if !paused.is_empty() {
            backend.update_jobs(&mut session, &paused).await?;
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

    /// Where the search for due jobs begins. A database with one writer at a time has no old entries to walk through.
    fn look(&self, names: &Names<'_>, now: i64) -> Look {
        if B::ONE_WRITER {
            self.wakes.due_floor.clear();
        }
        self.wakes.due_floor.look(&names.wanted(), now)
    }

    pub(crate) async fn next_due(
        &self,
        request: &ClaimRequest<'_>,
    ) -> Result<Option<DateTime<Utc>>, Failure> {
        let names = Names::of(request, self.skipped.ids(request.claimable));
        let mut session = self.read().await?;
        let (now, look) = (micros(request.now), self.look(&names, micros(request.now)));
        let due = self
            .backend
            .next_due(&mut session, &names.wanted(), look.from)
            .await?;
        session.end_in_order(&self.backend).await?;
        self.wakes.due_floor.saw(look, &names.wanted(), now, due);
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
    capacity: HashMap<&'a str, usize>,
    occupancy: HashMap<String, Occupancy>,
    /// Jobs whose queued runs give way to a newer fire time.
    superseded: Vec<JobId>,
    advances: Vec<Advance<'a>>,
    started: Vec<u128>,
    inserted: Vec<NewRun<'a>>,
    ask_oldest: Vec<&'a str>,
    cleared: Cleared,
    /// Jobs whose trigger costs too much to search.
    paused: Vec<JobRow>,
    plan: Plan,
}

impl<'a, B: Backend> Decisions<'a, B> {
    fn new(request: &'a ClaimRequest<'a>, due: &[JobRow], engine: &'a Engine<B>) -> Self {
        let capacity = request.capacity.iter();
        Self {
            engine,
            request,
            claim: Claim::default(),
            capacity: capacity
                .map(|(name, capacity)| (&**name, *capacity))
                .collect(),
            occupancy: HashMap::new(),
            superseded: Vec::new(),
            advances: Vec::with_capacity(due.len()),
            started: Vec::new(),
            inserted: Vec::with_capacity(due.len()),
            ask_oldest: Vec::new(),
            cleared: Cleared::default(),
            paused: Vec::new(),
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
                self.unreadable(row.id.clone(), &problem);
                None
            }
        }
    }

    fn capacity(&self, job: &JobRecord) -> usize {
        let executor = &*job.policies.executor;
        self.capacity.get(executor).copied().unwrap_or(0)
    }

    fn has_room(&self) -> bool {
        self.capacity.values().any(|capacity| *capacity > 0)
    }

    /// Whether any run has left its queue.
    fn has_moved(&self) -> bool {
        !self.started.is_empty() || !self.cleared.deleted.is_empty()
    }

    fn take_room(&mut self, job: &JobRecord, count: usize) {
        if let Some(capacity) = self.capacity.get_mut(&*job.policies.executor) {
            *capacity = capacity.saturating_sub(count);
        }
    }

    /// The jobs of rows that this node can read and run.
    fn readable(&mut self, rows: Vec<JobRow>) -> Vec<JobRecord> {
        rows.iter().filter_map(|row| self.job(row)).collect()
    }

    /// Starts queued runs of a job that find a slot, among the first, of which at most that many were read.
    fn promote_head(&mut self, job: &JobRecord, queue: Vec<RunRow>, limit: u32) {
        let now = self.request.now;
        let is_full = u32::try_from(queue.len()).is_ok_and(|count| count >= limit);
        let mut open = self
            .occupancy
            .get(job.id.as_str())
            .copied()
            .unwrap_or_default();
        let mut missed = false;
        let mut waits_for_slot = false;
        for run in queue {
            if self.capacity(job) == 0 {
                waits_for_slot = true;
                break;
            }
            let (kind, at) = match (run.kind(), from_micros(run.scheduled_for)) {
                (Ok(kind), Ok(at)) => (kind, at),
                (Err(problem), _) | (_, Err(problem)) => {
                    self.unreadable(RunId::from_u128(run.id).to_string(), &problem);
                    continue;
                }
            };
            let waits = WaitingRun {
                kind,
                scheduled_for: at,
                attempts: u32::try_from(run.attempt).unwrap_or(0),
            };
            match promote(job, open.live, waits, now) {
                Promotion::Wait => {
                    waits_for_slot = true;
                    break;
                }
                Promotion::Held => {}
                Promotion::Missed => {
                    let drop = record_drop(&job.id, DropReason::Missed, at, now);
                    self.claim.dropped.push(drop);
                    self.cleared.deleted.push(run.id);
                    open.queued = open.queued.saturating_sub(1);
                    missed = true;
                }
                Promotion::Start => {
                    let id = RunId::from_u128(run.id);
                    let mut claimed = ClaimedRun::first(job, id, kind, at);
                    claimed.attempt = waits.attempts + 1;
                    claimed.failures = u32::try_from(run.failures).unwrap_or(0);
                    self.claim.runs.push(claimed);
                    self.started.push(run.id);
                    self.take_room(job, 1);
                    open.live += 1;
                    open.queued = open.queued.saturating_sub(1);
                }
            }
        }
        // So many were too late that those which are not lie behind what was read.
        self.claim.more |= is_full && missed && !waits_for_slot;
        self.occupancy.insert(job.id.as_str().to_owned(), open);
    }

    /// Reports a record that cannot be read, unless it was reported before.
    fn unreadable(&mut self, id: String, problem: &RecordProblem) {
        let problem = problem.to_string();
        if self.engine.skipped.add(&id, Some(&problem)) {
            self.claim.unreadable.push(Unreadable { id, problem });
        }
    }

    fn plan_due(&mut self, rows: &'a [JobRow]) {
        let mut plan = std::mem::take(&mut self.plan);
        let mut steps = 0;
        for row in rows {
            if steps >= CLAIM_STEPS {
                // The others stay due: their jobs are locked as long as this takes.
                self.claim.more = true;
                break;
            }
            plan.steps = 0;
            if let Some(job) = self.job(row) {
                self.plan_one(row, &job, &mut plan);
            }
            steps += plan.steps;
        }
        self.plan = plan;
    }

    fn plan_one(&mut self, row: &'a JobRow, job: &JobRecord, plan: &mut Plan) {
        let now = self.request.now;
        let Some(next) = job.next else {
            return;
        };
        if self.capacity(job) == 0 {
            // It stays due; whoever frees some wakes the driver.
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
        if let Err(cut_off) = plan.decide(due, occupancy, now) {
            self.pause(row, job, too_costly(cut_off));
            return;
        }
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
            self.superseded.push(job.id.clone());
        }
        for fire in &plan.queue {
            let run_id = self.request.run_ids.next(now);
            self.insert(row, run_id, *fire, false);
            self.claim.queued.push((job.id.clone(), run_id));
        }
    }

    /// Pauses a job about which there is no decision; it stays due until somebody resumes it.
    fn pause(&mut self, row: &JobRow, job: &JobRecord, problem: String) {
        let paused = Some(problem.clone());
        self.paused.push(JobRow {
            paused,
            ..row.clone()
        });
        self.claim.broken.push((job.id.clone(), problem));
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
