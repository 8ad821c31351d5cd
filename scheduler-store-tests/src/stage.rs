//! What the cases work with: a store, the nodes that use it, and the jobs that are added to it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_core::store::{
    CancelledRun, ClaimedRun, Cluster, Edit, Edited, Inserted, NewJob, NewNode, SkippedQuery,
    Store, StoreError,
};
use scheduler_core::{JobRecord, NodeId, Run, RunFilter, RunId, RunIds, SkipReason, Skipped};
use tokio::time::sleep;

pub(crate) use crate::draft::{Draft, job};
use crate::failure::{Done, Stop, ensure_eq};
use crate::subject::Subject;
pub(crate) use crate::worker::{Ask, Worker, body_ended, body_goes_on, ended, succeeded, to_retry};

/// The first instant of every case, in seconds since 1970: 2026-01-05, a Monday.
const START: i64 = 1_767_571_200;

/// Returns the instant `minutes` after the start.
pub(crate) fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(START + 60 * minutes, 0).unwrap_or_default()
}

/// Returns a duration of `count` seconds.
pub(crate) fn seconds(count: i64) -> TimeDelta {
    TimeDelta::seconds(count)
}

/// The store under test.
pub(crate) struct Stage {
    subject: Subject,
}

impl Stage {
    pub(crate) fn new(subject: Subject) -> Self {
        Self { subject }
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.subject.store
    }

    /// Returns `true` if calls are carried out more than once before they are answered.
    pub(crate) fn loses_answers(&self) -> bool {
        self.subject.loses_answers
    }

    /// Fails unless the answer names exactly these runs as cancelled, each with its number of attempts.
    pub(crate) fn ensure_cancelled(
        &self,
        answer: &[CancelledRun],
        expected: &[(&ClaimedRun, u32)],
    ) -> Done {
        if self.loses_answers() {
            return Ok(());
        }
        let expected = expected.iter().map(|(run, attempts)| {
            let (job, id) = (run.job_id.clone(), run.run_id);
            CancelledRun::new(job, id, run.kind, run.scheduled_for, *attempts)
        });
        let expected: Vec<CancelledRun> = expected.collect();
        ensure_eq!(answer, expected, "the runs that the answer names as ended");
        Ok(())
    }

    /// Returns the handle that another process opened on the same data.
    pub(crate) fn second(&self) -> Done<Arc<dyn Store>> {
        let second = self.subject.second.clone();
        second.ok_or(Stop::LeftOut("second handle"))
    }

    pub(crate) fn forgets_after(&self) -> Done<Duration> {
        let age = self.subject.forgets_after;
        age.ok_or(Stop::LeftOut("retention by age"))
    }

    pub(crate) fn keeps_runs(&self) -> Done<usize> {
        let count = self.subject.keeps_runs;
        count.ok_or(Stop::LeftOut("retention by count"))
    }

    /// Leaves the case out unless the store supports nodes.
    pub(crate) fn needs_leases(&self) -> Done {
        match self.subject.lease {
            Some(_) => Ok(()),
            None => Err(Stop::LeftOut("leases")),
        }
    }

    /// Returns the nodes of the store, or leaves the case out if there are none.
    pub(crate) fn cluster(&self) -> Done<&dyn Cluster> {
        self.store().cluster().ok_or(Stop::LeftOut("leases"))
    }

    /// Returns a node that has joined.
    pub(crate) async fn node(&self, number: u64) -> Done<Worker> {
        self.node_on(self.subject.store.clone(), number).await
    }

    /// Returns a joined node of another process.
    pub(crate) async fn second_node(&self, number: u64) -> Done<Worker> {
        self.node_on(self.second()?, number).await
    }

    async fn node_on(&self, store: Arc<dyn Store>, number: u64) -> Done<Worker> {
        let node = NewNode {
            id: NodeId::new(number),
            name: format!("node {number}").into(),
            version: "1.0".into(),
        };
        let has_lease = match store.cluster() {
            Some(cluster) => {
                cluster.join(&node).await?;
                true
            }
            None => false,
        };
        if has_lease != self.subject.lease.is_some() {
            return Err(Stop::failed(format_args!(
                "the subject says that its lease is {:?}, and a node that joins is {}given one",
                self.subject.lease,
                if has_lease { "" } else { "not " }
            )));
        }
        Ok(Worker {
            store,
            node: node.id,
            run_ids: Arc::new(RunIds::new(number)),
            has_lease,
        })
    }

    /// Lets the lease of a node expire while those of others are renewed.
    pub(crate) async fn expire(&self, node: &Worker, others: &[&Worker]) -> Done {
        self.needs_leases()?;
        if let Some(expire) = &self.subject.expire {
            expire(node.node).await;
        } else if let Some(length) = self.subject.lease {
            // Slightly longer than the lease, in steps that let the others heartbeat in time.
            for _ in 0..5 {
                sleep(length / 4).await;
                for other in others {
                    other.heartbeat().await?;
                }
            }
        }
        Ok(())
    }

    /// Adds a job.
    pub(crate) async fn add(&self, draft: Draft) -> Done<JobRecord> {
        let record = draft.record()?;
        let now = record.created_at;
        match insert(self.store(), vec![record.clone()], now).await? {
            Inserted::All(all) if all.skipped.is_empty() => Ok(record),
            other => Err(Stop::failed(format_args!("an insert answered {other:?}"))),
        }
    }

    /// Returns a job, or fails if it does not exist.
    pub(crate) async fn job(&self, id: &str) -> Done<JobRecord> {
        let job = self.store().get_job(id).await?;
        job.ok_or_else(|| Stop::failed(format_args!("job {id:?} is not there")))
    }

    /// Edits a job, or fails if it does not exist.
    pub(crate) async fn edit(
        &self,
        id: &str,
        now: DateTime<Utc>,
        mut change: impl FnMut(&mut JobRecord) + Send,
    ) -> Done<Edited> {
        let edit: Edit<'_> = Box::new(|job| {
            change(job);
            Vec::new()
        });
        let edited = self.store().edit(id, edit, now).await?;
        edited.ok_or_else(|| Stop::failed(format_args!("job {id:?} is not there")))
    }

    /// Returns a run, or fails if it does not exist.
    pub(crate) async fn run(&self, id: RunId) -> Done<Run> {
        let run = self.store().get_run(id).await?;
        run.ok_or_else(|| Stop::failed(format_args!("run {id} is not there")))
    }

    /// Returns the runs of a job, oldest first.
    pub(crate) async fn runs_of(&self, job: &str) -> Done<Vec<Run>> {
        let filter = RunFilter::new().job(job).limit(10_000);
        let mut runs = self.store().list_runs(&filter).await?;
        runs.reverse();
        Ok(runs)
    }

    /// Returns the skipped fire times of a job, oldest first: reason, first, last and count.
    pub(crate) async fn skipped_of(&self, job: &str) -> Done<Vec<SkippedRecord>> {
        let mut skipped = self.records_of(job).await?;
        skipped.reverse();
        Ok(skipped.iter().map(as_skipped).collect())
    }

    /// Returns the records of skipped fire times of a job, newest first.
    pub(crate) async fn records_of(&self, job: &str) -> Done<Vec<Skipped>> {
        let query = SkippedQuery::new(10_000).job(job);
        let records = self.store().list_skipped(&query).await?;
        Ok(records.into_iter().map(|(_, skipped)| skipped).collect())
    }
}

/// Reason, first, last and count.
pub(crate) type SkippedRecord = (SkipReason, DateTime<Utc>, DateTime<Utc>, u64);

pub(crate) fn as_skipped(skipped: &Skipped) -> SkippedRecord {
    (skipped.reason, skipped.first, skipped.last, skipped.count)
}

pub(crate) async fn insert(
    store: &dyn Store,
    records: Vec<JobRecord>,
    now: DateTime<Utc>,
) -> Result<Inserted, StoreError> {
    let jobs = records.into_iter().map(NewJob::new);
    store.insert(jobs.collect(), now).await
}

pub(crate) async fn replace(
    store: &dyn Store,
    record: JobRecord,
    now: DateTime<Utc>,
) -> Result<Inserted, StoreError> {
    store
        .insert(vec![NewJob::new(record).replace_existing(true)], now)
        .await
}
