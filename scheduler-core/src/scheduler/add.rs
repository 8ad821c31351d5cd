//! Adding jobs.

use std::borrow::Cow;
use std::sync::Arc;

use scheduler_triggers::Effort;

use super::Scheduler;
use super::find::store_error;
use super::prepare::Rules;
use super::search::Found;
use crate::effort::{FIRE_TIME, ON_RUNTIME};
use crate::engine::port::StorePort;
use crate::error::Error;
use crate::id::{JobId, MAX_NAME_BYTES, RunId};
use crate::job::{ArgumentError, Job};
use crate::job_record::{JobRecord, Origin};
use crate::named::Named;
use crate::policy::{Policies, PolicyPatch};
use crate::run::{RunFilter, RunState};
use crate::store::{Inserted, NewJob};
use crate::task::definition::TaskDefinition;

/// The maximum capacity reserved for jobs in advance.
const MOST_AT_ONCE: usize = 65_536;

/// The search steps that each of many jobs may take before the search leaves the runtime: more than a simple trigger
/// takes, unless it hardly ever fires.
const OF_EACH: u64 = 16;

/// The common part of jobs with the same task and policies. When many are added at once, most are of one kind.
struct JobKind {
    task: &'static TaskDefinition,
    name: Arc<str>,
    patch: Option<Box<PolicyPatch>>,
    policies: Arc<Policies>,
}

impl JobKind {
    fn is_of(&self, job: &Job) -> bool {
        *self.task.name == *job.task && self.patch == job.policies
    }
}

/// Jobs that are checked, and ready to be stored once all their next fire times are found.
struct PreparedJobs {
    jobs: Vec<NewJob>,
    /// The jobs whose search takes too long for the runtime, by index.
    unsearched: Vec<(usize, JobRecord)>,
}

impl Scheduler {
    /// Adds a job and returns it as it is stored: with its trigger resolved and its policies complete.
    ///
    /// # Errors
    /// Returns an error for everything that is wrong with it: an unknown task, arguments that do not match, a trigger
    /// that cannot be parsed, never fires or takes too much work to search ([`Error::CostlyTrigger`]), policies that
    /// contradict each other, an unknown executor or store, or an id that is taken ([`Error::JobExists`], unless
    /// [`replace_existing`](Job::replace_existing)). Returns [`Error::Stopped`] once the scheduler is stopping.
    ///
    /// An id is free again once its job has [finished](JobRecord::is_finished) and has no queued or running runs. The
    /// history is kept under the id.
    ///
    /// ```
    /// use scheduler_core::Error;
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn remind(user_id: i64) {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let reminder = remind::job(42).id("reminder-42").cron("45 8 * * mon-fri");
    /// let job = scheduler.add_job(reminder.clone()).await?;
    /// assert_eq!(job.id, "reminder-42");
    ///
    /// let again = scheduler.add_job(reminder.clone()).await;
    /// assert!(matches!(again, Err(Error::JobExists { .. })));
    /// scheduler.add_job(reminder.replace_existing(true)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn add_job(&self, job: Job) -> Result<JobRecord, Error> {
        let mut added = self.add_jobs([job]).await?;
        added.pop().ok_or(Error::Stopped)
    }

    /// Adds jobs, all or none, in one transaction: much faster than one by one.
    ///
    /// # Errors
    /// Returns the error of [`add_job`](Self::add_job) for the first job that cannot be added; none is added then.
    /// Jobs of different stores are added store by store.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn probe_host(host: String) {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let hosts = ["db-1", "db-2"];
    /// let jobs = hosts.map(|host| probe_host::job(host.into()).id(host).interval("10s"));
    /// assert_eq!(scheduler.add_jobs(jobs).await?.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn add_jobs(
        &self,
        jobs: impl IntoIterator<Item = Job>,
    ) -> Result<Vec<JobRecord>, Error> {
        self.check_running()?;
        self.0.measure_clocks().await;
        let PreparedJobs {
            mut jobs,
            unsearched,
        } = self.prepare_each(jobs)?;
        if !unsearched.is_empty() {
            for (index, record) in self.search_each(unsearched).await? {
                if let Some(new) = jobs.get_mut(index) {
                    new.record = record;
                }
            }
        }
        let mut records: Vec<JobRecord> = jobs.iter().map(|new| new.record.clone()).collect();
        let finished = self.check_other_stores(&records).await?;
        let by_store = self.by_store(jobs);
        let announcement = self.0.announce(&records);
        for (name, jobs) in by_store.into_iter() {
            for job in self.insert_in(&name, jobs, &finished).await? {
                for record in records.iter_mut().filter(|record| record.id == job.id) {
                    *record = job.clone();
                }
            }
        }
        for record in &records {
            tracing::debug!(job_id = %record.id, trigger = %record.trigger, "job added");
        }
        announcement.done();
        self.0.wake_all();
        for record in &records {
            if record.policies.run_on_start {
                self.run_at_start(record.id.as_str()).await?;
            }
        }
        Ok(records)
    }

    /// Checks a job like [`add_job`](Self::add_job), and converts it into the form that a store takes: with its
    /// trigger resolved and its policies complete. For stores that add a job in the caller's transaction.
    ///
    /// Does not access a store: the current time is the store's time as last measured.
    ///
    /// # Errors
    /// Returns the errors of `add_job`, except that a taken id is detected only when the job is stored. The search
    /// for the next fire time happens immediately and takes at most 10 ms.
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn welcome(user_id: i64) {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// let job = welcome::job(42).id("welcome-42").interval("1h");
    /// let prepared = scheduler.prepare_job(job)?;
    /// assert!(prepared.record.next_run_time().is_some());
    /// assert!(scheduler.get_job("welcome-42").await?.is_none()); // not yet
    /// # Ok(())
    /// # }
    /// ```
    pub fn prepare_job(&self, job: Job) -> Result<NewJob, Error> {
        self.check_running()?;
        self.with_rules(|rules| {
            let mut new = self.prepare(&rules, &mut None, job)?;
            find_next(&mut new.record, &mut Effort::steps(FIRE_TIME))?;
            fires(&new.record)?;
            Ok(new)
        })
    }

    /// Checks jobs and creates their records, with the next fire times that are found quickly.
    fn prepare_each(&self, jobs: impl IntoIterator<Item = Job>) -> Result<PreparedJobs, Error> {
        self.with_rules(|rules| {
            let (mut kind, jobs) = (None, jobs.into_iter());
            // The size hint of an iterator cannot be trusted.
            let mut prepared = Vec::with_capacity(jobs.size_hint().0.min(MOST_AT_ONCE));
            let mut unsearched = Vec::new();
            let (mut effort, mut allowed) = (Effort::steps(u64::MAX), ON_RUNTIME);
            for job in jobs {
                let mut new = self.prepare(&rules, &mut kind, job)?;
                allowed += OF_EACH;
                let left = allowed.saturating_sub(effort.used());
                let record = &mut new.record;
                if effort
                    .at_most(left, |effort| record.find_next(effort))
                    .is_ok()
                {
                    fires(record)?;
                } else {
                    unsearched.push((prepared.len(), record.clone()));
                }
                prepared.push(new);
            }
            Ok(PreparedJobs {
                jobs: prepared,
                unsearched,
            })
        })
    }

    /// Inserts jobs into a store. Returns those that carry on with the schedule of a job they replaced.
    async fn insert_in(
        &self,
        store: &str,
        jobs: Vec<NewJob>,
        finished: &FinishedElsewhere<'_>,
    ) -> Result<Vec<JobRecord>, Error> {
        let port = self.0.stores.get(store).ok_or(Error::Stopped)?;
        let inserted = port.reach()?.insert(jobs, port.now()).await;
        match inserted.map_err(|error| store_error(port, error))? {
            Inserted::All(inserted) => {
                finished.make_way(store).await;
                self.0.report_skipped(&inserted.skipped);
                self.0.report_cancelled(&inserted.cancelled);
                Ok(inserted.carried_on)
            }
            Inserted::Exists(id) => Err(Error::JobExists {
                job: id.to_string(),
            }),
            Inserted::IsStatic(id) => Err(self.is_static(&id, "choose another id")),
        }
    }

    /// Finds the next fire times of jobs where that takes long.
    #[inline(never)]
    fn search_each(&self, jobs: Vec<(usize, JobRecord)>) -> Found<'_, Vec<(usize, JobRecord)>> {
        self.search_elsewhere(u64::MAX, move |effort| {
            let mut found = jobs.clone();
            for (_, record) in &mut found {
                effort.at_most(FIRE_TIME, |effort| find_next(record, effort))?;
                fires(record)?;
            }
            Ok(found)
        })
    }

    /// Checks a job and creates its record, whose next fire time is still to be found. `kind` is the kind of the
    /// previous job.
    fn prepare(
        &self,
        rules: &Rules<'_>,
        kind: &mut Option<JobKind>,
        mut job: Job,
    ) -> Result<NewJob, Error> {
        let id = job
            .id
            .take()
            .unwrap_or_else(|| own_id(&job.task, self.0.run_ids().next(rules.now(""))).into());
        if let Some(error) = job.argument_error {
            let ArgumentError { argument, problem } = *error;
            return Err(Error::Arguments {
                job: id.to_string(),
                argument: Some(argument),
                problem,
            });
        }
        let trigger = job.finished_trigger(&id)?;
        let job_id = JobId::new(id)?;
        let id = job_id.as_str();
        let kind = match kind {
            Some(kind) if kind.is_of(&job) => {
                rules.check_arguments(id, kind.task, &job.arguments)?;
                kind
            }
            kind => kind.insert(self.kind_of(rules, id, &job)?),
        };
        // Kept only where it is needed, because a second reference costs each job a copy of its trigger.
        let written = job.replace_existing.then(|| (trigger.clone(), rules.zone));
        let now = rules.now(&kind.policies.store);
        let trigger = rules.resolved(id, trigger, (&kind.policies.store, now))?;
        let record = JobRecord::new(
            job_id,
            kind.name.clone(),
            job.arguments,
            trigger,
            kind.policies.clone(),
            Origin::Dynamic,
            now,
        );
        Ok(NewJob {
            record: JobRecord {
                paused: job.paused,
                ..record
            },
            replace_existing: job.replace_existing,
            written,
        })
    }

    /// Checks the properties that determine a job's kind, and its arguments, whose errors are reported before those
    /// of its policies.
    fn kind_of(&self, rules: &Rules<'_>, id: &str, job: &Job) -> Result<JobKind, Error> {
        let task = rules.task(id, &job.task)?;
        rules.check_arguments(id, task, &job.arguments)?;
        let patch = job.policies.as_deref();
        let policies = rules.policies(id, task, rules.defaults, patch.as_slice())?;
        if !self.0.is_client {
            self.check_data(id, task)?;
        }
        Ok(JobKind {
            task,
            name: self.task_name(task.name),
            patch: job.policies.clone(),
            policies: self.0.policies.share(policies),
        })
    }

    /// Refuses a task that needs a value that this scheduler was not given.
    pub(super) fn check_data(&self, id: &str, task: &TaskDefinition) -> Result<(), Error> {
        let missing = crate::engine::registry::missing_data(task, self.0.data());
        match missing.into_iter().next() {
            None => Ok(()),
            Some(missing) => Err(Error::MissingData {
                job: id.to_owned(),
                missing: Box::new(missing),
            }),
        }
    }

    /// Returns the name of a task, in one allocation for all its jobs.
    pub(super) fn task_name(&self, name: &'static str) -> Arc<str> {
        let shared = self.0.claimable().tasks.get(name);
        shared.cloned().unwrap_or_else(|| name.into())
    }

    /// An id belongs to one job across all stores: refuses one that is taken in another store. Returns the finished
    /// jobs there, to be removed once the jobs that take over their ids are stored.
    pub(super) async fn check_other_stores(
        &self,
        records: &[JobRecord],
    ) -> Result<FinishedElsewhere<'_>, Error> {
        let mut finished = FinishedElsewhere(Vec::new());
        if self.0.stores.len() < 2 {
            return Ok(finished);
        }
        for record in records {
            for (name, port) in self.0.stores.iter() {
                if **name == *record.policies.store {
                    continue;
                }
                let other = port.reach()?.get_job(record.id.as_str()).await;
                match other.map_err(|error| store_error(port, error))? {
                    None => {}
                    Some(job) if makes_room(port, &job).await? => {
                        let home = record.policies.store.clone();
                        finished.0.push((home, port, job.id));
                    }
                    Some(job) => {
                        return Err(Error::JobExists {
                            job: job.id.to_string(),
                        });
                    }
                }
            }
        }
        Ok(finished)
    }

    /// Groups jobs by the store that each belongs to.
    fn by_store(&self, jobs: Vec<NewJob>) -> Named<Vec<NewJob>> {
        let mut stores = self.0.stores.names();
        let mut by_store = Named::default();
        if let (Some(only), None) = (stores.next(), stores.next()) {
            by_store.insert(only.clone(), jobs);
            return by_store;
        }
        for job in jobs {
            let policies = job.record.policies.clone();
            let jobs = by_store.get_or_insert_with(&policies.store, Vec::new);
            jobs.push(job);
        }
        by_store
    }
}

/// Finished jobs in other stores, each with the store to which a job with the same id is added.
pub(super) struct FinishedElsewhere<'a>(Vec<(Cow<'static, str>, &'a StorePort, JobId)>);

impl FinishedElsewhere<'_> {
    /// Removes the jobs whose ids were taken by jobs of a store.
    ///
    /// A job that cannot be removed now never fires again, and retention removes it, so the new job takes effect
    /// anyway.
    pub(super) async fn make_way(&self, store: &str) {
        for (_, port, id) in self.0.iter().filter(|(home, ..)| home == store) {
            let removed = match port.reach() {
                Ok(other) => {
                    let removed = other.remove(id.as_str(), None, port.now()).await;
                    removed.map_err(|error| store_error(port, error))
                }
                Err(error) => Err(error),
            };
            if let Err(error) = removed {
                tracing::warn!(job_id = %id, %error, "the finished job of this id in another store was not removed");
            }
        }
    }
}

/// Returns `true` if a job in another store gives up its id to a new one, as one in the same store would: it has
/// finished, and has no queued or running runs.
async fn makes_room(port: &StorePort, job: &JobRecord) -> Result<bool, Error> {
    if job.is_static() || !job.is_finished() {
        return Ok(false);
    }
    for state in [RunState::Queued, RunState::Running] {
        let open = RunFilter::new().job(job.id.as_str()).state(state).limit(1);
        let runs = port.reach()?.list_runs(&open).await;
        if !runs.map_err(|error| store_error(port, error))?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Finds the next fire time of a job that is added, or returns an error if that takes too much work.
pub(super) fn find_next(record: &mut JobRecord, effort: &mut Effort) -> Result<(), Error> {
    let found = record.find_next(effort);
    found.map_err(|cut_off| Error::costly(record.id.as_str(), &record.trigger, cut_off))
}

/// Refuses a job that never fires after it is added.
#[inline]
fn fires(record: &JobRecord) -> Result<(), Error> {
    match record.next {
        Some(_) => Ok(()),
        None => Err(Error::NeverFires {
            job: record.id.to_string(),
            trigger: record.trigger.to_string(),
            after: record.created_at,
        }),
    }
}

/// Returns the id of a job that was given none. A long task name is truncated so that both parts fit.
fn own_id(task: &str, unique: RunId) -> String {
    let unique = format!("-{unique}");
    let mut end = task.len().min(MAX_NAME_BYTES - unique.len());
    while !task.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{unique}", &task[..end])
}
