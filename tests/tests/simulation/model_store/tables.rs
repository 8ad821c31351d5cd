//! Committed rows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use scheduler_core::plan::{EndedQueued, QueuedView, end_queued};
use scheduler_core::store::{ClaimRequest, Wake};
use scheduler_core::{
    JobId, JobRecord, NodeId, Run, RunId, RunKind, RunState, SkipReason, Skipped,
};

use super::locks::Locks;
use super::without::Without;
use crate::process::Millis;
use crate::trace::What;

#[derive(Debug, Clone)]
pub(crate) struct JobRow {
    pub(crate) record: JobRecord,
    /// Distinguishes successive jobs with the same id.
    pub(crate) generation: u32,
    pub(crate) first_watermark: DateTime<Utc>,
    /// `true` if its fire times are hard to predict, because of another trigger or a watermark that was set back.
    pub(crate) is_disturbed: bool,
    /// `true` if it was added again with other policies than those under which its earlier runs ran.
    pub(crate) has_other_policies: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct RunRow {
    pub(crate) id: RunId,
    pub(crate) job: JobId,
    pub(crate) generation: u32,
    pub(crate) task: std::sync::Arc<str>,
    pub(crate) kind: RunKind,
    pub(crate) scheduled_for: DateTime<Utc>,
    pub(crate) state: RunState,
    pub(crate) holder: Option<NodeId>,
    /// The number of attempts that were started, including the current one.
    pub(crate) attempt: u32,
    pub(crate) failures: u32,
    pub(crate) lost: u32,
    pub(crate) is_cancellation_requested: bool,
    /// When the run last changed.
    pub(crate) since: Millis,
}

impl RunRow {
    pub(super) fn queued(&self) -> QueuedView {
        QueuedView::new(self.id, self.kind, self.scheduled_for).tried(self.attempt, self.failures)
    }

    pub(crate) fn record(&self) -> Run {
        let mut run = Run::queued(
            self.id,
            self.job.clone(),
            self.task.clone(),
            self.kind,
            self.scheduled_for,
        );
        run.state = self.state;
        run.attempt = self.attempt;
        run
    }
}

#[derive(Debug, Clone)]
pub(crate) struct NodeRow {
    pub(crate) expires_at: Millis,
}

/// How a node held an attempt, for the checks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hold {
    pub(crate) node: NodeId,
    /// The end of the time in which the node certainly held it: when it was taken over, the lease must have expired.
    pub(crate) until: Option<Millis>,
}

/// Everything that committed transactions left behind, for the checks.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// How many times each fire time was claimed, by job.
    pub(crate) fire_times: BTreeMap<(JobId, DateTime<Utc>), u32>,
    pub(crate) holds: BTreeMap<(RunId, u32), Hold>,
    /// How many times each run reached a final state.
    pub(crate) finals: BTreeMap<RunId, u32>,
    pub(crate) skipped: Vec<(u32, Skipped)>,
    /// Jobs that were removed or replaced.
    pub(crate) past: Vec<JobRow>,
}

#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) without: Without,
    pub(crate) jobs: BTreeMap<JobId, JobRow>,
    /// Queued and running runs.
    pub(crate) open: BTreeMap<RunId, RunRow>,
    pub(crate) ended: BTreeMap<RunId, RunRow>,
    /// The end of each attempt: the node that wrote it, and its instant.
    pub(crate) recorded: BTreeMap<(RunId, u32), (NodeId, DateTime<Utc>)>,
    pub(crate) nodes: BTreeMap<NodeId, NodeRow>,
    pub(crate) locks: Locks,
    pub(crate) ledger: Ledger,
    pub(crate) wakes: BTreeMap<u32, Wake>,
    /// Notifications to other processes: the sender, and the instant at which something becomes due, if that is all.
    pub(crate) notices: Vec<(u32, Option<DateTime<Utc>>)>,
    pub(crate) trace: Vec<What>,
    count: u64,
}

impl Tables {
    pub(crate) fn new(without: Without) -> Self {
        Self {
            without,
            jobs: BTreeMap::new(),
            open: BTreeMap::new(),
            ended: BTreeMap::new(),
            recorded: BTreeMap::new(),
            nodes: BTreeMap::new(),
            locks: Locks::default(),
            ledger: Ledger::default(),
            wakes: BTreeMap::new(),
            notices: Vec::new(),
            trace: Vec::new(),
            count: 0,
        }
    }

    pub(super) fn next_count(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    pub(super) fn note(&mut self, what: What) {
        self.trace.push(what);
    }

    pub(super) fn live(&self, job: &JobId) -> u32 {
        let runs = self.open.values();
        let live = runs.filter(|run| run.state == RunState::Running && run.job == *job);
        u32::try_from(live.count()).unwrap_or(u32::MAX)
    }

    /// Returns the queued runs of a job, in the order of their ids.
    pub(super) fn waiting(&self, job: &JobId) -> Vec<RunRow> {
        let runs = self.open.values();
        let waiting = runs.filter(|run| run.state == RunState::Queued && run.job == *job);
        waiting.cloned().collect()
    }

    pub(super) fn skipped_times(&mut self, generation: u32, skipped: Skipped) -> Skipped {
        self.note(What::Skipped {
            job: skipped.job_id.clone(),
            reason: skipped.reason,
            first: skipped.first,
            last: skipped.last,
            count: skipped.count,
        });
        self.ledger.skipped.push((generation, skipped.clone()));
        skipped
    }

    /// Removes a queued run from the queue. Returns the skipped record that replaces it, unless the run ends instead.
    pub(super) fn end_queued(
        &mut self,
        run: RunId,
        reason: SkipReason,
        at: DateTime<Utc>,
        now: Millis,
    ) -> Option<Skipped> {
        let row = self.open.get(&run)?;
        if row.state != RunState::Queued {
            return None;
        }
        match end_queued(&row.job, row.attempt, Some(row.scheduled_for), reason, at) {
            EndedQueued::Skipped(skipped) => {
                let row = self.open.remove(&run)?;
                if row.kind == RunKind::Scheduled {
                    Some(self.skipped_times(row.generation, skipped))
                } else {
                    Some(skipped)
                }
            }
            EndedQueued::Cancelled => {
                self.end(run, RunState::Cancelled, now);
                None
            }
        }
    }

    pub(super) fn clear_queue(
        &mut self,
        job: &JobId,
        reason: SkipReason,
        at: DateTime<Utc>,
        now: Millis,
    ) -> Vec<Skipped> {
        let waiting = self.waiting(job);
        let waiting = waiting.iter().map(|run| run.id);
        waiting
            .filter_map(|run| self.end_queued(run, reason, at, now))
            .collect()
    }

    /// Notes a fire time that already has a run: an earlier job under this id had claimed it.
    pub(super) fn note_conflict(&mut self, job: &JobId, fire: DateTime<Utc>) {
        if let Some(row) = self.jobs.get_mut(job) {
            row.is_disturbed = true;
        }
        let job = job.clone();
        self.note(What::Conflict { job, fire });
    }

    /// Returns the fire times after the watermark that have a run.
    pub(super) fn claimed_times(&self, job: &JobRecord) -> BTreeSet<DateTime<Utc>> {
        if self.without == Without::UniqueKey {
            return BTreeSet::new();
        }
        let from = (job.id.clone(), job.watermark);
        let times = self.ledger.fire_times.range(from..);
        let times = times.take_while(|((id, _), _)| *id == job.id);
        times
            .filter(|((_, at), count)| *at > job.watermark && **count > 0)
            .map(|((_, at), _)| *at)
            .collect()
    }

    /// Inserts the row of a new run, held by a node or queued. Returns `false` if its fire time was already claimed.
    pub(super) fn insert_run(
        &mut self,
        job: &JobRow,
        (id, kind, fire): (RunId, RunKind, DateTime<Utc>),
        holder: Option<NodeId>,
        now: Millis,
    ) -> bool {
        let name = job.record.id.clone();
        if kind == RunKind::Scheduled {
            let claimed = self
                .ledger
                .fire_times
                .entry((name.clone(), fire))
                .or_default();
            if *claimed > 0 && self.without != Without::UniqueKey {
                self.note_conflict(&name, fire);
                return false;
            }
            *claimed += 1;
        }
        let attempt = u32::from(holder.is_some());
        let state = match holder {
            Some(_) => RunState::Running,
            None => RunState::Queued,
        };
        self.open.insert(
            id,
            RunRow {
                id,
                job: name.clone(),
                generation: job.generation,
                task: job.record.task.clone(),
                kind,
                scheduled_for: fire,
                state,
                holder,
                attempt,
                failures: 0,
                lost: 0,
                is_cancellation_requested: false,
                since: now,
            },
        );
        if let Some(node) = holder {
            self.hold(id, 1, node);
            self.note(What::Claimed {
                job: name,
                run: id,
                fire,
                attempt: 1,
            });
        } else {
            self.note(What::Queued {
                job: name,
                run: id,
                fire,
            });
        }
        true
    }

    pub(super) fn hold(&mut self, run: RunId, attempt: u32, node: NodeId) {
        let hold = Hold { node, until: None };
        self.ledger.holds.insert((run, attempt), hold);
    }

    /// Makes a queued run live. Returns `false` if it is no longer queued.
    pub(super) fn promote(&mut self, id: RunId, node: NodeId, now: Millis) -> bool {
        let row = self.open.get_mut(&id);
        let Some(row) = row.filter(|row| row.state == RunState::Queued) else {
            return false;
        };
        row.state = RunState::Running;
        row.holder = Some(node);
        row.attempt += 1;
        row.is_cancellation_requested = false;
        row.since = now;
        let row = row.clone();
        self.hold(id, row.attempt, node);
        self.note(What::Claimed {
            job: row.job.clone(),
            run: id,
            fire: row.scheduled_for,
            attempt: row.attempt,
        });
        true
    }

    pub(super) fn cancel_oldest(&mut self, job: &JobId) {
        let runs = self.open.values_mut();
        let mut live = runs.filter(|run| run.state == RunState::Running && run.job == *job);
        if let Some(oldest) = live.next() {
            oldest.is_cancellation_requested = true;
            let id = oldest.id;
            self.note(What::Asked(id));
        }
    }

    /// Ends a run.
    pub(super) fn end(&mut self, id: RunId, state: RunState, now: Millis) {
        let Some(mut row) = self.open.remove(&id) else {
            return;
        };
        row.state = state;
        row.holder = None;
        row.since = now;
        *self.ledger.finals.entry(id).or_default() += 1;
        self.note(What::Ended {
            run: id,
            attempt: row.attempt,
            state,
        });
        self.ended.insert(id, row);
    }

    pub(super) fn next_due(&self, request: &ClaimRequest<'_>) -> Option<DateTime<Utc>> {
        let jobs = self.jobs.values().map(|row| &row.record);
        jobs.filter(|job| request.claimable.allows(job))
            .filter(|job| {
                request
                    .capacity
                    .get(&*job.policies.executor)
                    .is_some_and(|capacity| *capacity > 0)
            })
            .filter_map(JobRecord::next_run_time)
            .min()
    }

    /// Removes a job with all of its queued runs.
    pub(super) fn remove_job(
        &mut self,
        id: &JobId,
        reason: SkipReason,
        at: DateTime<Utc>,
        now: Millis,
    ) -> Option<(JobRecord, Vec<Skipped>)> {
        let mut skipped = self.clear_queue(id, reason, at, now);
        let mut row = self.jobs.remove(id)?;
        let record = row.record.clone();
        if let Some(times) = record.pending(at, reason) {
            let times = Skipped::new(id.clone(), times, at);
            skipped.push(self.skipped_times(row.generation, times));
            row.record.watermark = at;
        }
        self.ledger.past.push(row);
        Some((record, skipped))
    }

    pub(super) fn insert_job(&mut self, record: JobRecord) {
        let generation = u32::try_from(self.next_count()).unwrap_or(u32::MAX);
        let row = JobRow {
            first_watermark: record.watermark,
            generation,
            is_disturbed: false,
            has_other_policies: false,
            record,
        };
        self.jobs.insert(row.record.id.clone(), row);
    }
}
