//! All records of a store, in memory and indexed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer};

use super::record::{Record, RecordChange, RecordKey};
use super::stored_run::StoredRun;
use crate::id::{JobId, RunId};
use crate::job_record::JobRecord;
use crate::plan::{Occupancy, QueuedView};
use crate::skipped::Skipped;

/// All records of a store, as loaded by a [`Storage`](super::Storage). Serialized as a list of [`Record`]s.
///
/// ```
/// use scheduler_core::store::records::{RecordChange, RecordKey, Records};
///
/// let mut records = Records::default();
/// records.apply(RecordChange::Remove(RecordKey::Skipped(1))); // there is none: nothing changes
/// assert!(records.is_empty());
/// assert_eq!(serde_json::to_string(&records)?, "[]");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(from = "Vec<Record>")]
pub struct Records {
    pub(super) jobs: BTreeMap<JobId, JobRecord>,
    pub(super) runs: BTreeMap<RunId, StoredRun>,
    pub(super) skipped: BTreeMap<u64, Skipped>,
    // The following fields are computed from those above.
    /// Jobs by next run time.
    pub(super) due: BTreeSet<(DateTime<Utc>, JobId)>,
    /// Queued and live runs.
    pub(super) open: BTreeMap<JobId, BTreeSet<RunId>>,
    /// Fire times that have a run.
    fire_times: BTreeSet<(JobId, DateTime<Utc>)>,
}

impl Records {
    /// Returns how many records there are.
    pub fn len(&self) -> usize {
        self.jobs.len() + self.runs.len() + self.skipped.len()
    }

    /// Returns `true` if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all records: jobs, runs, skipped fire times, each in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = Record> {
        let jobs = self.jobs.values().cloned().map(Record::Job);
        let runs = self.runs.values().cloned().map(Record::Run);
        let skipped = self.skipped.iter().map(|(number, skipped)| {
            let (number, skipped) = (*number, skipped.clone());
            Record::Skipped { number, skipped }
        });
        jobs.chain(runs).chain(skipped)
    }

    /// Applies a change. Removing a record that does not exist changes nothing.
    pub fn apply(&mut self, change: RecordChange) {
        match change {
            RecordChange::Put(Record::Job(job)) => {
                self.remove_job(&job.id);
                self.due
                    .extend(job.next_run_time().map(|at| (at, job.id.clone())));
                self.jobs.insert(job.id.clone(), job);
            }
            RecordChange::Put(Record::Run(stored)) => {
                let (id, job) = (stored.run.id, &stored.run.job_id);
                self.remove_run(id);
                if stored.is_open() {
                    self.open.entry(job.clone()).or_default().insert(id);
                }
                self.fire_times
                    .extend(stored.fire_time().map(|at| (job.clone(), at)));
                self.runs.insert(id, stored);
            }
            RecordChange::Put(Record::Skipped { number, skipped }) => {
                self.skipped.insert(number, skipped);
            }
            RecordChange::Remove(RecordKey::Job(id)) => self.remove_job(&id),
            RecordChange::Remove(RecordKey::Run(id)) => self.remove_run(id),
            RecordChange::Remove(RecordKey::Skipped(number)) => {
                self.skipped.remove(&number);
            }
        }
    }

    fn remove_job(&mut self, id: &JobId) {
        if let Some((id, job)) = self.jobs.remove_entry(id)
            && let Some(at) = job.next_run_time()
        {
            self.due.remove(&(at, id));
        }
    }

    fn remove_run(&mut self, id: RunId) {
        let Some(stored) = self.runs.remove(&id) else {
            return;
        };
        let job = &stored.run.job_id;
        if let Some(open) = self.open.get_mut(job)
            && open.remove(&id)
            && open.is_empty()
        {
            self.open.remove(job);
        }
        if let Some(at) = stored.fire_time() {
            self.fire_times.remove(&(stored.run.job_id, at));
        }
    }

    /// Returns the queued and live runs of a job, in the order of creation.
    pub(super) fn open_runs(&self, job: &JobId) -> impl Iterator<Item = &StoredRun> {
        let open = self.open.get(job).into_iter().flatten();
        open.filter_map(|id| self.runs.get(id))
    }

    /// Returns the queued runs of a job, in the order of creation.
    pub(super) fn queue(&self, job: &JobId) -> Vec<QueuedView> {
        let queued = self.open_runs(job).filter(|stored| stored.is_queued());
        queued.map(StoredRun::queued_view).collect()
    }

    /// Returns the runs that nodes hold.
    pub(super) fn live_runs(&self) -> impl Iterator<Item = &StoredRun> {
        let open = self.open.values().flatten();
        open.filter_map(|id| self.runs.get(id))
            .filter(|stored| stored.holder.is_some())
    }

    /// Counts the open runs of a job. Runs outlive their job, and count for a job added under the same id.
    pub(super) fn occupancy(&self, job: &JobId) -> Occupancy {
        let mut occupancy = Occupancy::default();
        for stored in self.open_runs(job) {
            if stored.holder.is_some() {
                occupancy.live += 1;
            } else {
                occupancy.queued += 1;
            }
        }
        occupancy
    }

    /// Returns `true` if a run of this fire time is known.
    pub(super) fn was_claimed(&self, job: &JobId, at: DateTime<Utc>) -> bool {
        self.fire_times.contains(&(job.clone(), at))
    }
}

impl Extend<Record> for Records {
    fn extend<I: IntoIterator<Item = Record>>(&mut self, records: I) {
        for record in records {
            self.apply(RecordChange::Put(record));
        }
    }
}

impl FromIterator<Record> for Records {
    fn from_iter<I: IntoIterator<Item = Record>>(records: I) -> Self {
        let mut all = Self::default();
        all.extend(records);
        all
    }
}

impl From<Vec<Record>> for Records {
    fn from(records: Vec<Record>) -> Self {
        records.into_iter().collect()
    }
}

impl Serialize for Records {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::node::NodeId;
    use crate::run::{Run, RunKind, RunState};

    fn run(number: u128, state: RunState, holder: Option<u64>) -> StoredRun {
        let (id, job) = (RunId::from_u128(number), JobId::new("job").unwrap());
        let seconds = i64::try_from(number).unwrap();
        let at = DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let mut stored =
            StoredRun::new(Run::queued(id, job, "task".into(), RunKind::Scheduled, at));
        stored.run.state = state;
        stored.holder = holder.map(NodeId::new);
        stored
    }

    #[test]
    fn slot_is_held_by_the_holder_whatever_the_state() {
        let runs = [
            run(1, RunState::Running, Some(1)),
            run(2, RunState::TimedOut, Some(1)),
            run(3, RunState::Succeeded, None),
            run(4, RunState::Queued, None),
        ];
        let mut records: Records = runs.into_iter().map(Record::Run).collect();
        let job = JobId::new("job").unwrap();
        assert_eq!(records.occupancy(&job), Occupancy::new(2, 1));
        assert!(records.was_claimed(&job, DateTime::UNIX_EPOCH + TimeDelta::seconds(3)));
        assert!(!records.was_claimed(&job, DateTime::UNIX_EPOCH));
        records.extend([Record::Run(run(2, RunState::TimedOut, None))]);
        assert_eq!(records.occupancy(&job), Occupancy::new(1, 1));
    }

    #[test]
    fn indexes_are_empty_again_when_all_records_are_removed() {
        let runs = [
            run(1, RunState::Running, Some(1)),
            run(2, RunState::Failed, None),
        ];
        let mut records: Records = runs.into_iter().map(Record::Run).collect();
        for record in records.iter().collect::<Vec<_>>() {
            records.apply(RecordChange::Remove(record.key()));
        }
        assert_eq!(records, Records::default());
    }

    #[test]
    fn records_are_the_same_when_they_are_read_from_json() {
        let runs = [
            run(1, RunState::Running, Some(1)),
            run(2, RunState::Lost, None),
        ];
        let records: Records = runs.into_iter().map(Record::Run).collect();
        let json = serde_json::to_string(&records).unwrap();
        assert_eq!(serde_json::from_str::<Records>(&json).unwrap(), records);
    }
}
