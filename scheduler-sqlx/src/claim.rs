//! Claiming due fire times and queued runs.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use scheduler_core::plan::{Claim, Claimed, Due, JobChanges, Occupancy, QueueHead};
use scheduler_core::store::{ClaimRequest, Unreadable};
use scheduler_core::{JobId, JobRecord, RunId, RunKind, SkipReason};

use crate::backend::Backend;
use crate::due_floor::DueFloor;
use crate::ended_queued::{Cleared, clear};
use crate::engine::{Engine, Failure, Names};
use crate::instant::{from_micros, micros};
use crate::job_row::{Advance, JobRow};
use crate::node_row::node_code;
use crate::record_problem::RecordProblem;
use crate::run_row::{
    ClaimedAfter, HeadRow, NewRun, OpenFrom, RunRow, StartRow, attempt_code, first_run_id,
};
use crate::session::Session;

impl<B: Backend> Engine<B> {
    pub(crate) async fn claim(&self, request: &ClaimRequest<'_>) -> Result<Claimed, Failure> {
        let node = node_code(request.node);
        let names = Names::of(request, self.quarantine.ids(request.claimable));
        let claim = Claim::new(
            request.now,
            request.claimable,
            request.capacity,
            request.limit,
            request.run_ids,
        );
        let limit = claim.limit();
        let rows = i64::try_from(limit).unwrap_or(i64::MAX);
        if limit == 0 {
            return Ok(Claimed::default());
        }
        let mut session = self.write().await?;
        if !self.backend.hold_lease(&mut session, node).await? {
            session.end(&self.backend).await?;
            return Err(Failure::Fenced);
        }
        let backend = &self.backend;
        let waiting = backend
            .lock_queued(&mut session, &names.wanted(), rows)
            .await?;
        let now = micros(request.now);
        let look = self.due_floor().look(&names.wanted(), now);
        let due = backend
            .lock_due(&mut session, &names.wanted(), look.from, now, rows)
            .await?;
        // Jobs that another node has locked were skipped, so the bound is not moved here; `next_due` moves it.
        if waiting.is_empty() && due.is_empty() {
            session.end_in_order(backend).await?;
            return Ok(Claimed::default());
        }
        let mut decisions = Decisions::new(request, claim, &due, self);
        if due.len() >= limit {
            decisions.claim.leave_due_jobs();
        }
        let is_cut = waiting.len() >= limit;
        let waiting = decisions.readable(waiting);
        self.read_open(&mut session, &mut decisions, &waiting, &due)
            .await?;
        self.promote_waiting(&mut session, &mut decisions, &waiting)
            .await?;
        if is_cut {
            decisions.claim.leave_queued_jobs();
        }
        self.read_claimed(&mut session, &mut decisions, &due)
            .await?;
        decisions.plan_due(&due);
        self.supersede_queued(&mut session, &mut decisions).await?;
        self.write_decisions(session, decisions).await
    }

    /// Counts open runs, in a statement after the one that locked the jobs. Queues are counted only for due jobs,
    /// whose plan depends on the number of queued runs.
    async fn read_open(
        &self,
        session: &mut Session<'_, B>,
        decisions: &mut Decisions<'_, B>,
        waiting: &[(JobRecord, Option<u128>)],
        due: &[JobRow],
    ) -> Result<(), Failure> {
        let is_due: HashSet<&str> = due.iter().map(|job| &*job.id).collect();
        let due: Vec<OpenFrom<'_>> = due.iter().map(JobRow::open_from).collect();
        let mut open = self.backend.open_runs(session, &due).await?;
        let only_waiting: Vec<OpenFrom<'_>> = waiting
            .iter()
            .filter(|(job, _)| !is_due.contains(job.id.as_str()))
            .map(|(job, open_from)| OpenFrom {
                job_id: job.id.as_str(),
                open_from: *open_from,
            })
            .collect();
        if !only_waiting.is_empty() {
            open.extend(self.backend.live_runs(session, &only_waiting).await?);
        }
        for open in open {
            let occupancy = open.occupancy();
            if let Some(oldest) = open.oldest {
                decisions.oldest.insert(open.job_id.clone(), oldest);
            }
            decisions.occupancy.insert(open.job_id, occupancy);
        }
        Ok(())
    }

    /// Starts queued runs for which there is a slot; reads no more of each queue than may be started.
    async fn promote_waiting(
        &self,
        session: &mut Session<'_, B>,
        decisions: &mut Decisions<'_, B>,
        jobs: &[(JobRecord, Option<u128>)],
    ) -> Result<(), Failure> {
        let head = |job: &JobRecord| {
            let view = job.view(decisions.occupancy(job));
            decisions.claim.queue_head(&view)
        };
        let with_heads: Vec<(&JobRecord, QueueHead)> = jobs
            .iter()
            .filter_map(|(job, _)| head(job).map(|head| (job, head)))
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
                decisions.promote_head(job, &queue, head);
            }
        }
        Ok(())
    }

    /// Reads which fire times after a watermark already have a run because the watermark was set back. Read only for
    /// jobs that may run out of slots: with a free slot, a duplicate is detected when its run is inserted.
    async fn read_claimed(
        &self,
        session: &mut Session<'_, B>,
        decisions: &mut Decisions<'_, B>,
        due: &[JobRow],
    ) -> Result<(), Failure> {
        let mut jobs = Vec::new();
        for row in due {
            if decisions.may_overlap(row) {
                jobs.push(ClaimedAfter {
                    job_id: &row.id,
                    watermark: row.watermark,
                    first_run: from_micros(row.watermark).map_or(0, first_run_id),
                });
            }
        }
        if jobs.is_empty() {
            return Ok(());
        }
        for (job, at) in self.backend.claimed_times(session, &jobs).await? {
            decisions.claimed_times.entry(job).or_default().push(at);
        }
        Ok(())
    }

    /// Removes the queued runs of jobs whose plan has replaced them by a newer fire time.
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
        for run in self.backend.queued_runs(session, &ids).await? {
            let has_started = decisions.started.iter().any(|started| started.id == run.id);
            if !has_started && !decisions.cleared.deleted.contains(&run.id) {
                queues.entry(run.job_id.clone()).or_default().push(run);
            }
        }
        for job in &jobs {
            let queue = queues.remove(job.as_str()).unwrap_or_default();
            let (cleared, now) = (&mut decisions.cleared, decisions.request.now);
            clear(cleared, job, queue, SkipReason::Superseded, now);
        }
        Ok(())
    }

    async fn write_decisions(
        &self,
        mut session: Session<'_, B>,
        decisions: Decisions<'_, B>,
    ) -> Result<Claimed, Failure> {
        let Decisions {
            request,
            claim,
            advances,
            started,
            inserted,
            cancel_oldest,
            cleared,
            paused,
            ..
        } = decisions;
        let mut claimed = claim.claimed;
        let backend = &self.backend;
        let node = node_code(request.node);
        let now = micros(request.now);
        if !advances.is_empty() {
            backend.advance_jobs(&mut session, &advances).await?;
        }
        if !paused.is_empty() {
            backend.update_jobs(&mut session, &paused).await?;
        }
        // Runs that replace others are written after them.
        self.write_cleared(&mut session, &cleared, now).await?;
        if !started.is_empty() {
            backend
                .start_runs(&mut session, &started, node, now)
                .await?;
        }
        if !cancel_oldest.is_empty() {
            backend.cancel_oldest(&mut session, &cancel_oldest).await?;
        }
        if !inserted.is_empty() {
            let ids = backend.insert_runs(&mut session, &inserted).await?;
            if ids.len() < inserted.len() {
                leave_out_claimed(&mut claimed, &inserted, &ids);
            }
        }
        claimed.skipped.extend(cleared.skipped);
        claimed.cancelled.extend(cleared.cancelled);
        self.write_skipped(&mut session, &claimed.skipped).await?;
        session.commit(backend).await?;
        Ok(claimed)
    }

    /// Where searches for due jobs begin. A database with one writer at a time has no dead entries to walk through.
    fn due_floor(&self) -> &DueFloor {
        let floor = &self.wakes.due_floor;
        if B::ONE_WRITER {
            floor.clear();
        }
        floor
    }

    pub(crate) async fn next_due(
        &self,
        request: &ClaimRequest<'_>,
    ) -> Result<Option<DateTime<Utc>>, Failure> {
        let names = Names::of(request, self.quarantine.ids(request.claimable));
        let mut session = self.read().await?;
        let now = micros(request.now);
        let look = self.due_floor().look_ahead(&names.wanted(), now);
        let due = self
            .backend
            .next_due(&mut session, &names.wanted(), look.from)
            .await?;
        session.end_in_order(&self.backend).await?;
        self.wakes.due_floor.saw(look, &names.wanted(), now, due);
        Ok(due.and_then(|due| from_micros(due).ok()))
    }
}

/// Leaves out fire times that are already claimed: they come up twice if a watermark was set back.
fn leave_out_claimed(claimed: &mut Claimed, wanted: &[NewRun<'_>], inserted: &[u128]) {
    let inserted: std::collections::HashSet<u128> = inserted.iter().copied().collect();
    for run in wanted.iter().filter(|run| !inserted.contains(&run.id)) {
        tracing::warn!(job_id = %run.job_id, scheduled_for = run.scheduled_for, "the fire time was claimed before");
    }
    let is_new = |id: RunId| inserted.contains(&id.as_u128());
    let wanted: std::collections::HashSet<u128> = wanted.iter().map(|run| run.id).collect();
    claimed
        .runs
        .retain(|run| !wanted.contains(&run.run_id.as_u128()) || is_new(run.run_id));
    claimed.queued.retain(|run| is_new(run.run_id));
}

/// The decisions of a claim, to be written in a few statements.
struct Decisions<'a, B: Backend> {
    engine: &'a Engine<B>,
    request: &'a ClaimRequest<'a>,
    claim: Claim<'a>,
    occupancy: HashMap<String, Occupancy>,
    /// Fire times after the watermarks of jobs that already have a run.
    claimed_times: HashMap<String, Vec<i64>>,
    /// The lowest ids of open runs, by job, in databases that find open runs from a bound on.
    oldest: HashMap<String, u128>,
    /// Jobs whose queued runs are replaced by a newer fire time.
    superseded: Vec<JobId>,
    advances: Vec<Advance<'a>>,
    started: Vec<StartRow>,
    inserted: Vec<NewRun<'a>>,
    cancel_oldest: Vec<&'a str>,
    cleared: Cleared,
    /// Jobs for which nothing was decided; they stay due until they are resumed.
    paused: Vec<JobRow>,
}

impl<'a, B: Backend> Decisions<'a, B> {
    fn new(
        request: &'a ClaimRequest<'a>,
        claim: Claim<'a>,
        due: &[JobRow],
        engine: &'a Engine<B>,
    ) -> Self {
        Self {
            engine,
            request,
            claim,
            occupancy: HashMap::new(),
            claimed_times: HashMap::new(),
            oldest: HashMap::new(),
            superseded: Vec::new(),
            advances: Vec::with_capacity(due.len()),
            started: Vec::new(),
            inserted: Vec::with_capacity(due.len()),
            cancel_oldest: Vec::new(),
            cleared: Cleared::default(),
            paused: Vec::new(),
        }
    }

    /// Returns the job of a row, if this node can read it and run it.
    fn job(&mut self, row: &JobRow) -> Option<JobRecord> {
        match row.read(&self.engine.cache) {
            Ok(job) if self.claim.allows(&job.view(Occupancy::default())) => Some(job),
            Ok(job) => {
                self.engine.quarantine.add(job.id.as_str(), None);
                None
            }
            Err(problem) => {
                self.unreadable(row.id.clone(), &problem);
                None
            }
        }
    }

    fn occupancy(&self, job: &JobRecord) -> Occupancy {
        let counted = self.occupancy.get(job.id.as_str());
        counted.copied().unwrap_or_default()
    }

    /// Returns the jobs of rows that this node can read and run, with the bound of their open runs.
    fn readable(&mut self, rows: Vec<JobRow>) -> Vec<(JobRecord, Option<u128>)> {
        rows.iter()
            .filter_map(|row| Some((self.job(row)?, row.open_from)))
            .collect()
    }

    /// Returns `true` if a due job may have fire times for which there is no slot; always `false` for jobs without open
    /// runs, for which nothing more has to be read.
    fn may_overlap(&mut self, row: &JobRow) -> bool {
        self.occupancy.contains_key(&row.id)
            && self
                .job(row)
                .is_some_and(|job| job.view(self.occupancy(&job)).may_overlap())
    }

    /// Decides on the first queued runs of a job.
    fn promote_head(&mut self, job: &JobRecord, queue: &[RunRow], head: QueueHead) {
        let mut views = Vec::with_capacity(queue.len());
        for run in queue {
            match run.queued() {
                Ok(view) => views.push(view),
                Err(problem) => self.unreadable(RunId::from_u128(run.id).to_string(), &problem),
            }
        }
        let view = job.view(self.occupancy(job));
        let changes = self.claim.queued(&view, views, head.is_cut(queue.len()));
        let started = changes.start.iter().map(|run| StartRow {
            id: run.run_id.as_u128(),
            attempt: attempt_code(run.attempt),
        });
        self.started.extend(started);
        let missed = changes.missed.iter().map(|run| run.as_u128());
        self.cleared.deleted.extend(missed);
        let occupancy = changes.occupancy;
        self.occupancy.insert(job.id.as_str().to_owned(), occupancy);
    }

    /// Reports a record that cannot be read, unless it was reported before.
    fn unreadable(&mut self, id: String, problem: &RecordProblem) {
        let problem = problem.to_string();
        if self.engine.quarantine.add(&id, Some(&problem)) {
            let unreadable = &mut self.claim.claimed.unreadable;
            unreadable.push(Unreadable::new(id, problem));
        }
    }

    fn plan_due(&mut self, rows: &'a [JobRow]) {
        for row in rows {
            if self.claim.is_spent() {
                // The others stay due: their jobs are locked for as long as this takes.
                self.claim.leave_due_jobs();
                break;
            }
            if let Some(job) = self.job(row) {
                self.plan_one(row, &job);
            }
        }
    }

    fn plan_one(&mut self, row: &'a JobRow, job: &JobRecord) {
        let claimed = self.claimed_times.get(&row.id);
        let was_claimed =
            |at: DateTime<Utc>| claimed.is_some_and(|times| times.contains(&micros(at)));
        let mut view = job.view(self.occupancy(job));
        if claimed.is_some() {
            view.was_claimed = Some(&was_claimed);
        }
        match self.claim.due(&view) {
            Due::Not | Due::NotClaimable | Due::NoCapacity => {}
            Due::Pause(note) => self.paused.push(JobRow {
                paused: Some(note.to_owned()),
                ..row.clone()
            }),
            Due::Advance(changes) => {
                let JobChanges {
                    watermark,
                    next,
                    cancel_oldest,
                    start,
                    replace_queued,
                    queue,
                    ..
                } = changes;
                let (node, now) = (node_code(self.request.node), micros(self.request.now));
                let oldest = self.oldest.get(&row.id).copied();
                let new = start.iter().map(|run| run.run_id);
                let new = new.chain(queue.iter().map(|(run_id, _)| *run_id));
                let open = oldest.into_iter().chain(new.map(RunId::as_u128));
                self.advances.push(Advance {
                    id: &row.id,
                    ctid: row.ctid.as_deref(),
                    open_from: open.min(),
                    watermark: micros(watermark),
                    next: next.map(|next| (micros(next.nominal), micros(next.at))),
                    ended_at: next.is_none().then_some(now),
                });
                let new_run = |id: RunId, at: DateTime<Utc>, is_live: bool| NewRun {
                    id: id.as_u128(),
                    job_id: &row.id,
                    task: &row.task,
                    kind: RunKind::Scheduled.code(),
                    scheduled_for: micros(at),
                    node: is_live.then_some(node),
                    started_at: is_live.then_some(now),
                };
                let start = start.iter();
                self.inserted
                    .extend(start.map(|run| new_run(run.run_id, run.scheduled_for, true)));
                let queue = queue.iter();
                self.inserted
                    .extend(queue.map(|(run_id, at)| new_run(*run_id, *at, false)));
                if cancel_oldest {
                    self.cancel_oldest.push(&row.id);
                }
                if replace_queued {
                    self.superseded.push(job.id.clone());
                }
            }
        }
    }
}
