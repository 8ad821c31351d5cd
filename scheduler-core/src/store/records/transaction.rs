//! One transaction: the records being changed, and the changes.

use chrono::{DateTime, Utc};

use super::contents::Records;
use super::record::{Record, RecordChange, RecordKey};
use super::stored_run::StoredRun;
use crate::id::{JobId, RunId};
use crate::job_record::JobRecord;
use crate::node::NodeId;
use crate::plan::{CancelledRun, ClaimedRun, EndedQueued, end_queued};
use crate::run::{Run, RunKind, RunState};
use crate::skipped::{SkipReason, Skipped};
use crate::store::StoreError;

/// Records being changed. They take effect once the storage has written all changes.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) records: Records,
    changes: Vec<RecordChange>,
    /// The reason why the first unreadable record could not be read back.
    unreadable: Option<StoreError>,
}

/// What happened to the queued runs of a job that were taken out of its queue.
#[derive(Debug, Default)]
pub(super) struct EndedQueue {
    /// Fire times that were never started, still to be recorded as skipped.
    pub(super) skipped: Vec<Skipped>,
    /// Runs with earlier attempts.
    pub(super) cancelled: Vec<CancelledRun>,
}

/// Reads a job back from its JSON, at the depth that it has in a list of changes, because parsers limit how deeply
/// values are nested.
fn try_reading(job: &JobRecord) -> Result<(), StoreError> {
    let change = [RecordChange::Put(Record::Job(job.clone()))];
    let json = serde_json::to_vec(&change);
    let read = json.and_then(|json| serde_json::from_slice::<Vec<RecordChange>>(&json));
    read.map(drop).map_err(|error| {
        let key = RecordKey::Job(job.id.clone());
        StoreError::new(format!(
            "{key} is not stored, since it could not be read again: {error}"
        ))
    })
}

impl Transaction {
    pub(super) fn new(records: Records) -> Self {
        Self {
            records,
            changes: Vec::new(),
            unreadable: None,
        }
    }

    /// Returns the current records and the changes that led to them. Fails if a record could not be read back.
    pub(super) fn into_parts(self) -> Result<(Records, Vec<RecordChange>), StoreError> {
        match self.unreadable {
            Some(error) => Err(error),
            None => Ok((self.records, self.changes)),
        }
    }

    fn change(&mut self, change: RecordChange) {
        self.changes.push(change.clone());
        self.records.apply(change);
    }

    /// Inserts a job or changes its definition. Arguments and policies come from callers, and a single record that
    /// cannot be read back would make all of them unreadable. So it is read back here before it is written.
    pub(super) fn put_job(&mut self, job: JobRecord) {
        if self.unreadable.is_none() {
            self.unreadable = try_reading(&job).err();
        }
        self.advance_job(job);
    }

    /// Changes when a job fires, but not its definition, so it need not be read back with each claim.
    pub(super) fn advance_job(&mut self, job: JobRecord) {
        self.change(RecordChange::Put(Record::Job(job)));
    }

    pub(super) fn put_run(&mut self, run: StoredRun) {
        self.change(RecordChange::Put(Record::Run(run)));
    }

    pub(super) fn remove(&mut self, key: RecordKey) {
        self.change(RecordChange::Remove(key));
    }

    /// Changes a run, if it exists.
    pub(super) fn change_run(&mut self, id: RunId, change: impl FnOnce(&mut StoredRun)) {
        if let Some(mut run) = self.records.runs.get(&id).cloned() {
            change(&mut run);
            self.put_run(run);
        }
    }

    /// Records skipped fire times.
    pub(super) fn record_skipped(&mut self, skipped: &[Skipped]) {
        let last = self.records.skipped.last_key_value();
        let next = last.map_or(1, |(number, _)| number + 1);
        for (number, skipped) in (next..).zip(skipped) {
            let skipped = skipped.clone();
            self.change(RecordChange::Put(Record::Skipped { number, skipped }));
        }
    }

    /// Inserts a run that is live on a node.
    pub(super) fn start(
        &mut self,
        run: &ClaimedRun,
        job: &JobRecord,
        node: NodeId,
        now: DateTime<Utc>,
    ) {
        let mut stored = StoredRun::queued(run, job);
        stored.start(run, node, now);
        self.put_run(stored);
    }

    /// Inserts a queued run.
    pub(super) fn enqueue(
        &mut self,
        id: RunId,
        job: &JobRecord,
        kind: RunKind,
        scheduled_for: DateTime<Utc>,
    ) {
        let (job, task) = (job.id.clone(), job.task.clone());
        self.put_run(StoredRun::new(Run::queued(
            id,
            job,
            task,
            kind,
            scheduled_for,
        )));
    }

    /// Requests the cancellation of the oldest live run of a job.
    pub(super) fn cancel_oldest(&mut self, job: &JobId) {
        let live = |run: &&StoredRun| run.holder.is_some();
        let oldest = self.records.open_runs(job).find(live);
        if let Some(id) = oldest.map(|oldest| oldest.run.id) {
            self.change_run(id, |run| run.is_cancellation_requested = true);
        }
    }

    /// Removes all queued runs of a job from its queue.
    pub(super) fn end_queue(
        &mut self,
        job: &JobId,
        reason: SkipReason,
        now: DateTime<Utc>,
    ) -> EndedQueue {
        let mut ended = EndedQueue::default();
        for run in self.records.queue(job) {
            match end_queued(job, run.attempts, Some(run.scheduled_for), reason, now) {
                EndedQueued::Skipped(record) => {
                    self.remove(RecordKey::Run(run.run_id));
                    ended.skipped.push(record);
                }
                EndedQueued::Cancelled => {
                    let error = Some(reason.as_str().into());
                    self.change_run(run.run_id, |run| {
                        run.end(RunState::Cancelled, now, error);
                        ended.cancelled.push(CancelledRun::of(&run.run));
                    });
                }
            }
        }
        ended
    }
}
