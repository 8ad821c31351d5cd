//! What a handle can ask and change.

use std::sync::Arc;

use scheduler_triggers::Trigger;
use serde::{Deserialize, Serialize};

use super::Scheduler;
use super::prepare::{Rules, check_arguments};
use crate::driver::StorePort;
use crate::dropped::Dropped;
use crate::error::Error;
use crate::event::EventKind;
use crate::id::{JobId, RunId};
use crate::job::Job;
use crate::job_record::{JobRecord, Origin};
use crate::plan::{ManualDecision, RefusedReason};
use crate::policy::PolicyPatch;
use crate::run::{Run, RunFilter, RunKind};
use crate::store::{Edit, Edited, Inserted, JobOrder, JobQuery, NewJob, StoreError};
use crate::task::arguments::Arguments;

/// What [`run_job_now`](Scheduler::run_job_now) answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunNow {
    /// The run starts.
    Started(RunId),
    /// It waits for a free place.
    Queued(RunId),
    /// There is no place.
    Refused(RefusedReason),
}

/// Changes of a job, for [`modify_job`](Scheduler::modify_job).
///
/// ```
/// use scheduler_core::{JobPatch, PolicyPatch};
///
/// let patch = JobPatch::new().policies(PolicyPatch::new().max_instances(2));
/// # let _ = patch;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger: Option<Trigger>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<Arguments>,
    policies: PolicyPatch,
}

impl JobPatch {
    /// Changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the trigger; it counts from now.
    #[must_use]
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        self.trigger = Some(trigger);
        self
    }

    /// Replaces all arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: impl Into<Arguments>) -> Self {
        self.arguments = Some(arguments.into());
        self
    }

    /// Lays policies over those of the job.
    #[must_use]
    pub fn policies(mut self, policies: PolicyPatch) -> Self {
        self.policies = policies;
        self
    }
}

impl Scheduler {
    /// Adds a job. Returns it as it is stored.
    ///
    /// # Errors
    /// Everything that is wrong with it: an unknown task, arguments that do not fit, a trigger that
    /// cannot be read or never fires, policies that contradict each other, an unknown executor or
    /// store, or an id that is taken ([`Error::JobExists`], unless `replace_existing`).
    pub async fn add_job(&self, job: Job) -> Result<JobRecord, Error> {
        let mut added = self.add_jobs([job]).await?;
        added.pop().ok_or(Error::Stopped)
    }

    /// Adds jobs, all or none: far faster than one by one.
    ///
    /// # Errors
    /// As [`add_job`](Self::add_job), for the first job that cannot be added; then none is. Jobs of
    /// different stores are added store by store.
    pub async fn add_jobs(
        &self,
        jobs: impl IntoIterator<Item = Job>,
    ) -> Result<Vec<JobRecord>, Error> {
        self.check_running()?;
        let prepared = self.with_rules(|rules| {
            jobs.into_iter()
                .map(|job| self.prepare(&rules, job))
                .collect::<Result<Vec<_>, Error>>()
        })?;
        let records: Vec<JobRecord> = prepared.iter().map(|new| new.record.clone()).collect();
        self.check_other_stores(&records).await?;
        let mut by_store: Vec<(Arc<StorePort>, Vec<NewJob>)> = Vec::new();
        for new in prepared {
            let port = self.port(&new.record)?;
            match by_store
                .iter_mut()
                .find(|(other, _)| Arc::ptr_eq(other, port))
            {
                Some((_, jobs)) => jobs.push(new),
                None => by_store.push((port.clone(), vec![new])),
            }
        }
        for (port, jobs) in by_store {
            let inserted = port.store().insert(jobs, self.now()).await;
            match inserted.map_err(|error| store_error(&port, error))? {
                Inserted::All { dropped } => self.report_drops(&dropped),
                Inserted::Exists(id) => {
                    return Err(Error::JobExists {
                        job: id.to_string(),
                    });
                }
                Inserted::IsStatic(id) => return Err(self.is_static(&id, "choose another id")),
            }
        }
        for record in &records {
            tracing::debug!(job_id = %record.id, trigger = %record.trigger, "job added");
            self.publish(|| EventKind::JobAdded(record.id.clone()));
        }
        // After the events, so that a job is told as added before it is told as started.
        self.wake_all();
        for record in &records {
            if record.policies.run_on_start {
                self.run_as(record.id.as_str(), RunKind::Startup).await?;
            }
        }
        Ok(records)
    }

    /// Removes a job: what waits is dropped, runs that have started go on.
    ///
    /// # Errors
    /// [`Error::JobNotFound`]; [`Error::StaticJob`] for a job that is written in the code, because it
    /// would be back at the next start: pause it instead.
    pub async fn remove_job(&self, id: &str) -> Result<JobRecord, Error> {
        let (port, job) = self.find(id).await?;
        if job.is_static() && self.claimable().static_jobs.contains(id) {
            return Err(self.is_static(
                &job.id,
                "it would be back at the next start: pause it instead",
            ));
        }
        let removed = port.store().remove(id, self.now()).await;
        let Edited { job, dropped } = removed
            .map_err(|error| store_error(&port, error))?
            .ok_or_else(|| self.not_found(id))?;
        self.report_drops(&dropped);
        tracing::debug!(job_id = %job.id, "job removed");
        self.publish(|| EventKind::JobRemoved(job.id.clone()));
        Ok(job)
    }

    /// Removes jobs of code that is gone: written in the code once, and not in this program.
    /// Returns them.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn remove_orphans(&self) -> Result<Vec<JobRecord>, Error> {
        let mut removed = Vec::new();
        for job in self.get_jobs().await? {
            let is_known = self
                .registry()
                .jobs()
                .iter()
                .any(|known| job.id == known.id);
            if job.is_static() && !is_known {
                let (port, _) = self.find(job.id.as_str()).await?;
                let edited = port.store().remove(job.id.as_str(), self.now()).await;
                if let Some(edited) = edited.map_err(|error| store_error(&port, error))? {
                    self.report_drops(&edited.dropped);
                    self.publish(|| EventKind::JobRemoved(job.id.clone()));
                    removed.push(edited.job);
                }
            }
        }
        Ok(removed)
    }

    /// Pauses a job: it keeps its place and does not fire. Stays over restarts.
    ///
    /// # Errors
    /// [`Error::JobNotFound`].
    pub async fn pause_job(&self, id: &str) -> Result<JobRecord, Error> {
        self.pause_job_with_note(id, "").await
    }

    /// Pauses a job and says why.
    ///
    /// # Errors
    /// [`Error::JobNotFound`].
    pub async fn pause_job_with_note(&self, id: &str, note: &str) -> Result<JobRecord, Error> {
        let job = self
            .edit(
                id,
                Box::new(|job| {
                    job.pause(note.into());
                    Vec::new()
                }),
            )
            .await?;
        tracing::info!(job_id = %job.id, note, "job paused");
        self.publish(|| EventKind::JobPaused(job.id.clone()));
        Ok(job)
    }

    /// Resumes a job: what came due while it was paused is dropped, not replayed.
    ///
    /// # Errors
    /// [`Error::JobNotFound`].
    pub async fn resume_job(&self, id: &str) -> Result<JobRecord, Error> {
        let now = self.now();
        let job = self
            .edit(
                id,
                Box::new(move |job| job.resume(now).into_iter().collect()),
            )
            .await?;
        tracing::info!(job_id = %job.id, "job resumed");
        self.publish(|| EventKind::JobResumed(job.id.clone()));
        Ok(job)
    }

    /// Gives a job another trigger; it counts from now, and what was pending is dropped.
    ///
    /// A job that is written in the code keeps it until the code changes.
    ///
    /// # Errors
    /// [`Error::JobNotFound`], [`Error::Trigger`], [`Error::NeverFires`].
    pub async fn reschedule_job(&self, id: &str, trigger: Trigger) -> Result<JobRecord, Error> {
        self.modify_job(id, JobPatch::new().trigger(trigger)).await
    }

    /// Changes trigger, arguments or policies of a job; what has started goes on as it was.
    ///
    /// # Errors
    /// As [`add_job`](Self::add_job), and [`Error::JobNotFound`]. A job cannot move to another store.
    pub async fn modify_job(&self, id: &str, patch: JobPatch) -> Result<JobRecord, Error> {
        let (_, old) = self.find(id).await?;
        let now = self.now();
        let (trigger, policies) = self.with_rules(|rules| {
            let task = rules.task(id, &old.task)?;
            if let Some(arguments) = &patch.arguments {
                check_arguments(id, task, arguments)?;
            }
            let based_on_old = Rules {
                defaults: &old.policies,
                ..rules
            };
            let policies = based_on_old.policies(id, task, &[&patch.policies])?;
            if policies.store != old.policies.store {
                return Err(Error::Policy {
                    job: id.to_owned(),
                    source: crate::error::PolicyError::new(
                        "store",
                        &*policies.store,
                        "a job cannot move: remove it and add it to the other store",
                    ),
                });
            }
            let trigger = patch
                .trigger
                .as_ref()
                .map(|trigger| {
                    let trigger = trigger.with_anchor_of(&old.trigger);
                    rules.trigger(id, &trigger, &policies.store)
                })
                .transpose()?;
            Ok((trigger, Arc::new(policies)))
        })?;
        let arguments = patch.arguments;
        let job = self
            .edit(
                id,
                Box::new(move |job| {
                    job.edited = job.is_static();
                    if let Some(arguments) = &arguments {
                        job.arguments = arguments.clone();
                    }
                    job.set_policies(policies.clone());
                    trigger
                        .clone()
                        .and_then(|trigger| job.reschedule(trigger, now))
                        .into_iter()
                        .collect()
                }),
            )
            .await?;
        tracing::info!(job_id = %job.id, trigger = %job.trigger, "job changed");
        self.publish(|| EventKind::JobChanged(job.id.clone()));
        Ok(job)
    }

    /// Returns a job; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn get_job(&self, id: &str) -> Result<Option<JobRecord>, Error> {
        match self.find(id).await {
            Ok((_, job)) => Ok(Some(job)),
            Err(Error::JobNotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns all jobs, in the order of their ids.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn get_jobs(&self) -> Result<Vec<JobRecord>, Error> {
        const PAGE: usize = 10_000;
        let mut jobs: Vec<JobRecord> = Vec::new();
        for port in self.0.stores.values() {
            let mut after = None;
            loop {
                let query = JobQuery {
                    order: JobOrder::Id {
                        after: after.take(),
                    },
                    limit: PAGE,
                };
                let page = port
                    .store()
                    .list(&query)
                    .await
                    .map_err(|error| store_error(port, error))?;
                let is_last = page.len() < PAGE;
                after = page.last().map(|job| job.id.clone());
                jobs.extend(page);
                if is_last {
                    break;
                }
            }
        }
        jobs.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Ok(jobs)
    }

    /// Runs a job now, besides its fire times: under its limit and overlap policy, also while it is
    /// paused. Its next fire time stays.
    ///
    /// # Errors
    /// [`Error::JobNotFound`].
    pub async fn run_job_now(&self, id: &str) -> Result<RunNow, Error> {
        self.run_as(id, RunKind::Manual).await
    }

    pub(super) async fn run_as(&self, id: &str, kind: RunKind) -> Result<RunNow, Error> {
        self.check_running()?;
        let (port, _) = self.find(id).await?;
        let now = self.now();
        let run_id = self.run_ids().next(now);
        let answer = port
            .store()
            .run_now(id, kind, run_id, !self.0.is_client, now)
            .await;
        let answer = answer
            .map_err(|error| store_error(&port, error))?
            .ok_or_else(|| self.not_found(id))?;
        self.report_drops(&answer.dropped);
        port.send(|inbox| {
            inbox.manual.extend(answer.start);
            inbox.cancel.extend(answer.cancel);
        });
        Ok(match answer.decision {
            ManualDecision::Start => RunNow::Started(run_id),
            ManualDecision::Queue { .. } => {
                if let Ok(job_id) = JobId::new(id) {
                    self.publish(|| EventKind::Queued { job_id, run_id });
                }
                RunNow::Queued(run_id)
            }
            ManualDecision::Refuse(reason) => RunNow::Refused(reason),
        })
    }

    /// Asks a live run to stop: its context's token is cancelled, and an async run that has not ended
    /// after five seconds is dropped.
    ///
    /// # Errors
    /// [`Error::RunNotFound`] when the run is not live.
    pub async fn cancel_run(&self, run: RunId) -> Result<(), Error> {
        let filter = RunFilter::new()
            .state(crate::run::RunState::Running)
            .limit(usize::MAX);
        for port in self.0.stores.values() {
            let live = port
                .store()
                .runs(&filter)
                .await
                .map_err(|error| store_error(port, error))?;
            if live.iter().any(|live| live.id == run) {
                port.send(|inbox| inbox.cancel.push(run));
                return Ok(());
            }
        }
        Err(Error::RunNotFound { run })
    }

    /// Lists runs, newest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, Error> {
        let mut runs = Vec::new();
        for port in self.0.stores.values() {
            runs.extend(
                port.store()
                    .runs(filter)
                    .await
                    .map_err(|error| store_error(port, error))?,
            );
        }
        runs.sort_unstable_by_key(|run| std::cmp::Reverse(run.id));
        runs.truncate(filter.page_size());
        Ok(runs)
    }

    /// Lists fire times that were not run and why, newest first; of one job, or of all.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn dropped(&self, job: Option<&str>, limit: usize) -> Result<Vec<Dropped>, Error> {
        let mut dropped = Vec::new();
        for port in self.0.stores.values() {
            let part = port.store().dropped(job, limit).await;
            dropped.extend(part.map_err(|error| store_error(port, error))?);
        }
        dropped.sort_by_key(|one| std::cmp::Reverse(one.decided_at));
        dropped.truncate(limit);
        Ok(dropped)
    }

    /// Changes one stored job and tells of what that drops.
    async fn edit(&self, id: &str, edit: Edit<'_>) -> Result<JobRecord, Error> {
        let (port, _) = self.find(id).await?;
        let edited = port.store().edit(id, edit, self.now()).await;
        let Edited { job, dropped } = edited
            .map_err(|error| store_error(&port, error))?
            .ok_or_else(|| self.not_found(id))?;
        self.report_drops(&dropped);
        port.wake();
        Ok(job)
    }

    fn prepare(&self, rules: &Rules<'_>, job: Job) -> Result<NewJob, Error> {
        let id: Arc<str> = job
            .id
            .clone()
            .unwrap_or_else(|| format!("{}-{}", job.task, self.run_ids().next(rules.now)).into());
        if let Some(problem) = job.argument_error {
            return Err(Error::Arguments {
                job: id.to_string(),
                problem,
            });
        }
        let trigger = job.finished_trigger(&id)?;
        let prepared = rules.prepare(&id, &job.task, &job.arguments, &trigger, &[&job.policies])?;
        let missing = crate::registry::missing_data(prepared.task, self.data());
        if let Some(missing) = missing.first().filter(|_| !self.0.is_client) {
            return Err(Error::Arguments {
                job: id.to_string(),
                problem: missing.to_string(),
            });
        }
        let mut record = JobRecord::new(
            prepared.id,
            self.task_name(prepared.task.name),
            job.arguments,
            prepared.trigger,
            self.0.policies.share(prepared.policies),
            Origin::Dynamic,
            rules.now,
        );
        record.paused = job.paused;
        Ok(NewJob {
            record,
            replace_existing: job.replace_existing,
        })
    }

    /// The name of a task, in one allocation for all its jobs.
    fn task_name(&self, name: &'static str) -> Arc<str> {
        let shared = self.claimable().tasks.get(name);
        shared.cloned().unwrap_or_else(|| name.into())
    }

    fn with_rules<T>(&self, check: impl FnOnce(Rules<'_>) -> T) -> T {
        let stores = self
            .0
            .stores
            .iter()
            .map(|(name, port)| (name.clone(), port.store().is_persistent()))
            .collect();
        let executors: Vec<Arc<str>> = self.0.executors.keys().cloned().collect();
        check(Rules {
            registry: self.registry(),
            zone: self.0.zone,
            defaults: &self.0.defaults,
            stores: &stores,
            executors: &executors,
            now: self.now(),
        })
    }

    /// An id belongs to one job over all stores.
    async fn check_other_stores(&self, records: &[JobRecord]) -> Result<(), Error> {
        if self.0.stores.len() < 2 {
            return Ok(());
        }
        for record in records {
            for (name, port) in &self.0.stores {
                if **name == *record.policies.store {
                    continue;
                }
                let other = port.store().get(record.id.as_str()).await;
                if other.map_err(|error| store_error(port, error))?.is_some() {
                    return Err(Error::JobExists {
                        job: record.id.to_string(),
                    });
                }
            }
        }
        Ok(())
    }

    fn port(&self, job: &JobRecord) -> Result<&Arc<StorePort>, Error> {
        self.0
            .stores
            .get(&*job.policies.store)
            .ok_or(Error::Stopped)
    }

    pub(super) async fn find(&self, id: &str) -> Result<(Arc<StorePort>, JobRecord), Error> {
        for port in self.0.stores.values() {
            if let Some(job) = port
                .store()
                .get(id)
                .await
                .map_err(|error| store_error(port, error))?
            {
                return Ok((port.clone(), job));
            }
        }
        Err(self.not_found(id))
    }

    fn not_found(&self, id: &str) -> Error {
        Error::JobNotFound {
            job: id.chars().take(255).collect(),
            suggestion: self.registry().nearest_job(id),
        }
    }

    fn is_static(&self, id: &JobId, problem: &'static str) -> Error {
        let place = self.registry().jobs().iter().find(|job| *id == job.id);
        Error::StaticJob {
            job: id.to_string(),
            location: place.map_or_else(
                || "an unknown place".to_owned(),
                |job| job.location.to_string(),
            ),
            problem,
        }
    }

    fn check_running(&self) -> Result<(), Error> {
        if self.0.stopping.load(std::sync::atomic::Ordering::Acquire) {
            return Err(Error::Stopped);
        }
        Ok(())
    }
}

pub(super) fn store_error(port: &StorePort, error: StoreError) -> Error {
    Error::Store {
        store: port.name().to_string(),
        source: error.into_source(),
    }
}
