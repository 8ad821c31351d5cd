//! Moving jobs from one store to another.

use std::sync::Arc;

use scheduler_triggers::Effort;
use serde::{Deserialize, Serialize};

use super::Scheduler;
use super::add::find_next;
use super::find::store_error;
use crate::effort::FIRE_TIME;
use crate::engine::port::StorePort;
use crate::error::Error;
use crate::job_record::{JobRecord, Origin};
use crate::store::{Inserted, JobQuery, NewJob};

/// The version of the format. An unknown version is refused.
const VERSION: u32 = 1;

/// Jobs to be moved from one store to another, as JSON; created by [`export_jobs`](Scheduler::export_jobs).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportedJobs {
    version: u32,
    jobs: Vec<JobRecord>,
}

impl ExportedJobs {
    /// Returns the jobs, ordered by id.
    pub fn jobs(&self) -> &[JobRecord] {
        &self.jobs
    }
}

/// What [`import_jobs`](Scheduler::import_jobs) does with a job whose id is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportConflict {
    /// Nothing is imported, and the error names the job. A job that has finished is replaced.
    Refuse,
    /// The existing job is kept.
    Keep,
    /// The existing job is replaced if it was added at run time. With the same trigger, the later of the two
    /// watermarks applies, so that no fire time is decided twice.
    Replace,
}

impl Scheduler {
    /// Exports the jobs that were added at run time to the store with this name (`"default"`) as JSON, to move them
    /// to another store or as a backup.
    ///
    /// Jobs defined in code are not included, because the code brings them, and neither is the history. The export is
    /// read page by page: first stop or [pause](Self::pause) everything that changes jobs.
    ///
    /// # Errors
    /// Returns [`Error::NoStore`] if there is no such store, or [`Error::Store`] if it fails.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::{ExportedJobs, ImportConflict};
    ///
    /// #[task]
    /// async fn poll_mailbox(user: String) {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let start = || Scheduler::builder().client().start();
    /// let (old, new) = (start().await?, start().await?);
    /// let job = poll_mailbox::job("kim".into()).id("mailbox-kim").cron("*/5 * * * *");
    /// let added = old.add_job(job).await?;
    ///
    /// let json = serde_json::to_string_pretty(&old.export_jobs("default").await?)?;
    /// let jobs: ExportedJobs = serde_json::from_str(&json)?;
    /// assert_eq!(new.import_jobs("default", jobs, ImportConflict::Refuse).await?, 1);
    ///
    /// let moved = new.get_job("mailbox-kim").await?;
    /// assert_eq!(moved.map(|job| job.next), Some(added.next)); // nothing missed, nothing twice
    /// # Ok(())
    /// # }
    /// ```
    pub async fn export_jobs(&self, store: &str) -> Result<ExportedJobs, Error> {
        const PAGE: usize = 1_000;
        let port = self.store_named(store)?;
        let mut jobs: Vec<JobRecord> = Vec::new();
        let mut after = None;
        loop {
            let query = JobQuery::by_id(after.take(), PAGE);
            let page = port.reach()?.list_jobs(&query).await;
            let page = page.map_err(|error| store_error(port, error))?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|job| job.id.clone());
            jobs.extend(page.into_iter().filter(|job| !job.is_static()));
            if is_last {
                return Ok(ExportedJobs {
                    version: VERSION,
                    jobs,
                });
            }
        }
    }

    /// Imports exported jobs into the store with this name (`"default"`), all or none. Returns how many.
    ///
    /// They keep their watermarks: a job continues where the other store left off, and fire times that came due in
    /// between are handled by its policies. The tasks need not be known here; a node that has them runs them.
    /// [`export_jobs`](Self::export_jobs) has an example.
    ///
    /// # Errors
    /// Returns [`Error::JobExists`] under [`ImportConflict::Refuse`], and for an id of a job in another store unless
    /// those are kept, [`Error::StaticJob`] for an id of a job defined in code, [`Error::CustomTrigger`],
    /// [`Error::CostlyTrigger`], [`Error::Import`] for a format of another version, [`Error::NoStore`], or
    /// [`Error::Store`].
    pub async fn import_jobs(
        &self,
        store: &str,
        exported: ExportedJobs,
        conflict: ImportConflict,
    ) -> Result<usize, Error> {
        if exported.version != VERSION {
            return Err(Error::Import {
                problem: format!(
                    "it is of version {}, and this program knows version {VERSION}",
                    exported.version
                ),
            });
        }
        let port = self.store_named(store)?;
        let mut jobs = Vec::with_capacity(exported.jobs.len());
        for record in exported.jobs {
            let id = record.id.as_str();
            if conflict == ImportConflict::Keep && self.is_taken(id).await? {
                continue;
            }
            if record.trigger.is_custom() && port.store().is_persistent() {
                return Err(Error::CustomTrigger {
                    job: id.to_owned(),
                    store: store.to_owned(),
                });
            }
            let replace = conflict == ImportConflict::Replace;
            jobs.push(NewJob::new(at_home(record, store)).replace_existing(replace));
        }
        let jobs = self.search_elsewhere(u64::MAX, move |effort| find_all(&mut jobs, effort));
        let jobs = jobs.await?;
        let records: Vec<JobRecord> = jobs.iter().map(|new| new.record.clone()).collect();
        let finished = self.check_other_stores(&records).await?;
        let count = jobs.len();
        self.0.measure_clock(port).await;
        let inserted = port.reach()?.insert(jobs, port.now()).await;
        match inserted.map_err(|error| store_error(port, error))? {
            Inserted::All(inserted) => {
                self.0.report_skipped(&inserted.skipped);
                self.0.report_cancelled(&inserted.cancelled);
            }
            Inserted::Exists(id) => {
                return Err(Error::JobExists {
                    job: id.to_string(),
                });
            }
            Inserted::IsStatic(id) => return Err(self.is_static(&id, "leave it out of the import")),
        }
        finished.make_way(store).await;
        tracing::info!(store, jobs = count, "jobs imported");
        port.wake();
        Ok(count)
    }

    /// Returns `true` if any store has a job with this id.
    async fn is_taken(&self, id: &str) -> Result<bool, Error> {
        for port in self.0.stores.values() {
            let job = port.reach()?.get_job(id).await;
            if job.map_err(|error| store_error(port, error))?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn store_named(&self, name: &str) -> Result<&Arc<StorePort>, Error> {
        self.0.stores.get(name).ok_or_else(|| Error::NoStore {
            store: name.to_owned(),
        })
    }
}

/// Finds the next fire times, using the time zone data of this program.
fn find_all(jobs: &mut Vec<NewJob>, effort: &mut Effort) -> Result<Vec<NewJob>, Error> {
    for new in &mut *jobs {
        effort.at_most(FIRE_TIME, |effort| find_next(&mut new.record, effort))?;
    }
    Ok(std::mem::take(jobs))
}

/// Adapts the job to this store: with its name, and as a job added at run time.
fn at_home(mut record: JobRecord, store: &str) -> JobRecord {
    if record.policies.store != store {
        let mut policies = (*record.policies).clone();
        policies.store = store.to_owned().into();
        record.policies = Arc::new(policies);
    }
    record.origin = Origin::Dynamic;
    record.edited = false;
    record.replaced = None;
    record
}
