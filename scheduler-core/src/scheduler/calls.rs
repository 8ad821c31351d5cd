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

/// What [`run_job_now`](Scheduler::run_job_now) answers, with the id to look the run up by.
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

/// Changes of a job, for [`modify_job`](Scheduler::modify_job); what is left out stays as it is.
///
/// Has a JSON form, which is what an HTTP API takes.
///
/// ```
/// use scheduler_core::{JobPatch, PolicyPatch, Trigger};
///
/// let patch = JobPatch::new()
///     .trigger(Trigger::every("30m")?)
///     .policies(PolicyPatch::new().max_instances(2));
/// let same: JobPatch =
///     serde_json::from_str(r#"{"trigger": "every 30m", "policies": {"max_instances": 2}}"#)?;
/// assert_eq!(patch, same);
/// # Ok::<(), Box<dyn std::error::Error>>(())
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
    /// Makes a patch that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the trigger; it counts from now, and what was pending is dropped as `superseded`.
    #[must_use]
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        self.trigger = Some(trigger);
        self
    }

    /// Replaces all arguments; the task's parameters are checked against them when it is applied.
    #[must_use]
    pub fn arguments(mut self, arguments: impl Into<Arguments>) -> Self {
        self.arguments = Some(arguments.into());
        self
    }

    /// Lays policies over those of the job. A second call takes the place of the first.
    #[must_use]
    pub fn policies(mut self, policies: PolicyPatch) -> Self {
        self.policies = policies;
        self
    }
}

impl Scheduler {
    /// Adds a job and returns it as it is stored: resolved trigger, every policy decided.
    ///
    /// # Errors
    /// Everything that is wrong with it: an unknown task, arguments that do not fit, a trigger that
    /// cannot be read or never fires, policies that contradict each other, an unknown executor or
    /// store, or an id that is taken ([`Error::JobExists`], unless
    /// [`replace_existing`](Job::replace_existing)). [`Error::Stopped`] once the scheduler stops.
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

    /// Adds jobs, all or none, in one transaction: far faster than one by one.
    ///
    /// # Errors
    /// As [`add_job`](Self::add_job), for the first job that cannot be added; then none is. Jobs of
    /// different stores are added store by store.
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

    /// Removes a job and returns it as it was: what waits is dropped, runs that have started go on.
    ///
    /// # Errors
    /// [`Error::JobNotFound`]; [`Error::StaticJob`] for a job that is written in the code, because
    /// it would be back at the next start: pause it instead.
    ///
    /// ```
    /// use scheduler_core::Error;
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn watch_order(order: u64) {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// scheduler.add_job(watch_order::job(7).id("order-7").interval("1m")).await?;
    /// scheduler.remove_job("order-7").await?;
    /// let again = scheduler.remove_job("order-7").await;
    /// assert!(matches!(again, Err(Error::JobNotFound { .. })));
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// Returns what it removed. Not done at start, because during a rolling deploy the old and the
    /// new program both run: call it once the old one is gone.
    ///
    /// # Errors
    /// [`Error::Store`].
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[scheduled_job(interval = "1h", id = "rotate_keys")]
    /// async fn rotate_keys() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// let scheduler = Scheduler::builder().only(["rotate_keys"]).start().await?;
    /// // The job is still in the code: nothing is removed.
    /// assert!(scheduler.remove_orphans().await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
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

    /// Pauses a job: it keeps its place and does not fire, on any node, until it is resumed.
    ///
    /// Stays over restarts and over changes of its code. Runs that have started go on, and
    /// [`run_job_now`](Self::run_job_now) still works.
    ///
    /// # Errors
    /// [`Error::JobNotFound`].
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn publish_digest() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// scheduler.add_job(publish_digest::job().id("digest").interval("1h")).await?;
    /// let job = scheduler.pause_job("digest").await?;
    /// assert!(job.paused.is_some() && job.next_run_time().is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn pause_job(&self, id: &str) -> Result<JobRecord, Error> {
        self.pause_job_with_note(id, "").await
    }

    /// Pauses a job and says why; the note is kept with it, in [`JobRecord::paused`].
    ///
    /// A job that is paused already gets the new note.
    ///
    /// # Errors
    /// [`Error::JobNotFound`].
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn charge_cards() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// scheduler.add_job(charge_cards::job().id("charge").interval("1h")).await?;
    /// let job = scheduler.pause_job_with_note("charge", "provider is down").await?;
    /// assert_eq!(job.paused.as_deref(), Some("provider is down"));
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use scheduler_core::DropReason;
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// #[task]
    /// async fn fetch_feeds() {}
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// # let builder = Scheduler::builder().clock(clock.clone()).without_static_jobs();
    /// # let scheduler = builder.start().await?;
    /// scheduler.add_job(fetch_feeds::job().id("feeds").cron("0 * * * *")).await?;
    /// scheduler.pause_job("feeds").await?;
    /// clock.advance(TimeDelta::minutes(150)).await;
    ///
    /// let job = scheduler.resume_job("feeds").await?;
    /// assert_eq!(job.next_run_time(), Some("2026-01-01T03:00:00Z".parse()?));
    /// let dropped = scheduler.dropped(Some("feeds"), 1).await?;
    /// assert_eq!(dropped[0].reason, DropReason::Paused);
    /// assert_eq!(dropped[0].count, 3); // 00:00, 01:00 and 02:00
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// #[task]
    /// async fn take_snapshot() {}
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// # let builder = Scheduler::builder().clock(clock).without_static_jobs();
    /// # let scheduler = builder.start().await?;
    /// scheduler.add_job(take_snapshot::job().id("snapshot").interval("1h")).await?;
    /// let job = scheduler.reschedule_job("snapshot", Trigger::cron("30 4 * * *")?).await?;
    /// assert_eq!(job.next_run_time(), Some("2026-01-01T04:30:00Z".parse()?));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn reschedule_job(&self, id: &str, trigger: Trigger) -> Result<JobRecord, Error> {
        self.modify_job(id, JobPatch::new().trigger(trigger)).await
    }

    /// Changes trigger, arguments or policies of a job; what has started goes on as it was.
    ///
    /// A change to a job that is written in the code holds until its code changes, and such a job
    /// shows [`edited`](JobRecord::edited).
    ///
    /// # Errors
    /// As [`add_job`](Self::add_job), and [`Error::JobNotFound`]. A job cannot move to another
    /// store.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::{JobPatch, PolicyPatch};
    ///
    /// #[task]
    /// async fn import_orders() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// scheduler.add_job(import_orders::job().id("orders").interval("1h")).await?;
    /// let slower = PolicyPatch::new().timeout(Duration::from_secs(600));
    /// let job = scheduler.modify_job("orders", JobPatch::new().policies(slower)).await?;
    /// assert_eq!(job.policies.timeout, Some(Duration::from_secs(600)));
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn scan_uploads() {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// scheduler.add_job(scan_uploads::job().id("scan").interval("1h")).await?;
    /// let job = scheduler.get_job("scan").await?;
    /// assert_eq!(job.map(|job| job.task), Some("scan_uploads".into()));
    /// assert!(scheduler.get_job("scam").await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_job(&self, id: &str) -> Result<Option<JobRecord>, Error> {
        match self.find(id).await {
            Ok((_, job)) => Ok(Some(job)),
            Err(Error::JobNotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns all jobs of all stores, in the order of their ids.
    ///
    /// # Errors
    /// [`Error::Store`].
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    ///
    /// #[task]
    /// async fn ping_region(region: String) {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// for region in ["us", "eu"] {
    ///     scheduler.add_job(ping_region::job(region.into()).id(region).interval("1m")).await?;
    /// }
    /// let ids: Vec<_> = scheduler.get_jobs().await?.into_iter().map(|job| job.id).collect();
    /// assert_eq!(ids, ["eu", "us"]);
    /// # Ok(())
    /// # }
    /// ```
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

    /// Runs a job now, besides its fire times: its next fire time stays.
    ///
    /// Obeys the job's `max_instances` and `overlap`, and works also while the job is paused.
    ///
    /// # Errors
    /// [`Error::JobNotFound`], [`Error::Stopped`].
    ///
    /// ```
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::{RefusedReason, RunNow};
    ///
    /// #[task]
    /// async fn full_backup(ctx: JobContext) {
    ///     ctx.cancelled().await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), scheduler_core::Error> {
    /// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
    /// scheduler.add_job(full_backup::job().id("backup").cron("0 2 * * sun")).await?;
    /// assert!(matches!(scheduler.run_job_now("backup").await?, RunNow::Started(_)));
    /// // `max_instances` is 1 and `overlap` is `skip`, unless said otherwise.
    /// let second = scheduler.run_job_now("backup").await?;
    /// assert_eq!(second, RunNow::Refused(RefusedReason::Overlap));
    /// # Ok(())
    /// # }
    /// ```
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

    /// Asks a live run to stop: its context's token is cancelled.
    ///
    /// An async run that has not ended after five seconds is dropped at its next await. A sync task
    /// must look at [`is_cancelled`](crate::JobContext::is_cancelled) itself.
    ///
    /// # Errors
    /// [`Error::RunNotFound`] when the run is not live.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    /// use scheduler_core::{RunFilter, RunNow, RunState};
    ///
    /// #[task]
    /// async fn transcode() {
    ///     std::future::pending::<()>().await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// # let builder = Scheduler::builder().clock(clock.clone()).without_static_jobs();
    /// # let scheduler = builder.start().await?;
    /// scheduler.add_job(transcode::job().id("video").interval("1h")).await?;
    /// if let RunNow::Started(run) = scheduler.run_job_now("video").await? {
    ///     scheduler.cancel_run(run).await?;
    /// }
    /// clock.advance(TimeDelta::seconds(6)).await;
    /// assert_eq!(scheduler.runs(&RunFilter::new()).await?[0].state, RunState::Cancelled);
    /// # Ok(())
    /// # }
    /// ```
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

    /// Lists runs, newest first; at most 100 unless the filter says otherwise.
    ///
    /// # Errors
    /// [`Error::Store`].
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    /// use scheduler_core::{RunFilter, RunState};
    ///
    /// #[task]
    /// async fn count_users() -> u32 {
    ///     3
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// # let builder = Scheduler::builder().clock(clock.clone()).without_static_jobs();
    /// # let scheduler = builder.start().await?;
    /// scheduler.add_job(count_users::job().id("users").interval("1h")).await?;
    /// clock.advance(TimeDelta::hours(2)).await;
    ///
    /// let runs = scheduler.runs(&RunFilter::new().job("users").state(RunState::Succeeded)).await?;
    /// assert_eq!(runs.len(), 2);
    /// assert_eq!(runs[0].value.as_deref(), Some("3")); // what the task returned, as JSON
    /// # Ok(())
    /// # }
    /// ```
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
    /// At most `limit` records, each of which may stand for many fire times.
    ///
    /// # Errors
    /// [`Error::Store`].
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use chrono::TimeDelta;
    /// use scheduler_core::DropReason;
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    ///
    /// #[task]
    /// async fn crawl() {
    ///     tokio::time::sleep(Duration::from_secs(90)).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
    /// # let builder = Scheduler::builder().clock(clock.clone()).without_static_jobs();
    /// # let scheduler = builder.start().await?;
    /// // A run takes longer than the interval, and one at once is allowed.
    /// scheduler.add_job(crawl::job().id("crawl").interval("1m")).await?;
    /// clock.advance(TimeDelta::minutes(2)).await;
    /// let dropped = scheduler.dropped(Some("crawl"), 10).await?;
    /// assert_eq!(dropped[0].reason, DropReason::Overlap);
    /// # Ok(())
    /// # }
    /// ```
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
