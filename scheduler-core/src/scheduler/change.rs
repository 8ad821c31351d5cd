//! Pausing, changing and removing jobs.

use chrono::{DateTime, Utc};
use scheduler_triggers::{Effort, Trigger};

use super::Scheduler;
use super::edit::Change;
use super::find::{done, store_error};
use super::prepare::Rules;
use crate::error::{Error, PolicyError};
use crate::event::EventKind;
use crate::job_patch::JobPatch;
use crate::job_record::JobRecord;
use crate::reconcile::in_place_of;
use crate::revision::Revision;
use crate::skipped::SkipReason;
use crate::store::Edited;

impl Scheduler {
    /// Pauses a job: it stays stored but does not fire, on any node, until it is resumed.
    ///
    /// A pause survives restarts and changes of the job's code. Runs that have started continue, and
    /// [`run_job_now`](Self::run_job_now) still works.
    ///
    /// # Errors
    /// Returns [`Error::JobNotFound`] if there is no such job.
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

    /// Pauses a job with a note that gives the reason, stored in [`JobRecord::paused`].
    ///
    /// A job that is already paused gets the new note.
    ///
    /// # Errors
    /// Returns [`Error::JobNotFound`] if there is no such job.
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
        self.pause_seen(id, note, None).await
    }

    /// Pauses a job that is as the caller has seen it.
    pub(super) async fn pause_seen(
        &self,
        id: &str,
        note: &str,
        seen: Option<Revision>,
    ) -> Result<JobRecord, Error> {
        let mut stale = Ok(());
        let pause = |job: &mut JobRecord, _| {
            stale = check_seen(job, seen);
            if stale.is_ok() {
                job.pause(note.into());
            }
            Vec::new()
        };
        let job = self.edit(id, pause).await?;
        stale?;
        tracing::info!(job_id = %job.id, note, "job paused");
        self.0.publish(|| EventKind::JobPaused(job.id.clone()));
        Ok(job)
    }

    /// Resumes a job. Fire times that came due while it was paused are skipped, not replayed.
    ///
    /// # Errors
    /// Returns [`Error::JobNotFound`] if there is no such job.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use scheduler_core::prelude::*;
    /// use scheduler_core::testing::VirtualClock;
    /// use scheduler_core::{SkipReason, SkippedFilter};
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
    /// let page = scheduler.list_skipped(&SkippedFilter::new().job("feeds")).await?;
    /// let skipped = page.items;
    /// assert_eq!(skipped[0].reason, SkipReason::Paused);
    /// assert_eq!(skipped[0].count, 3); // 00:00, 01:00 and 02:00
    /// # Ok(())
    /// # }
    /// ```
    pub async fn resume_job(&self, id: &str) -> Result<JobRecord, Error> {
        self.resume_seen(id, None).await
    }

    /// Resumes a job that is as the caller has seen it.
    pub(super) async fn resume_seen(
        &self,
        id: &str,
        seen: Option<Revision>,
    ) -> Result<JobRecord, Error> {
        let resume = move |_: &Self, job: &JobRecord, now: DateTime<Utc>, effort: &mut Effort| {
            check_seen(job, seen)?;
            let mut change = Change::of(job);
            if job.paused.is_some() {
                change.job().paused = None;
                change.go_on_from(now, SkipReason::Paused);
                find_times(&mut change, effort)?;
            }
            Ok(change)
        };
        let job = self.change(id, resume).await?;
        tracing::info!(job_id = %job.id, "job resumed");
        self.0.publish(|| EventKind::JobResumed(job.id.clone()));
        if job.is_finished() {
            self.0.publish(|| EventKind::JobFinished(job.id.clone()));
        }
        Ok(job)
    }

    /// Replaces the trigger of a job. The new trigger counts from now, and pending fire times are skipped.
    ///
    /// If the job already has this trigger, its fire times stay unchanged. A changed interval continues from the
    /// starting point of the previous one.
    ///
    /// A job defined in code keeps the new trigger until the code changes.
    ///
    /// # Errors
    /// Returns [`Error::JobNotFound`], [`Error::Trigger`], [`Error::NeverFires`] or [`Error::CostlyTrigger`], or
    /// [`Error::ChangedMeanwhile`] if others repeatedly change the job at the same time.
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

    /// Changes the trigger, arguments or policies of a job. Runs that have started are not affected.
    ///
    /// A change to a job defined in code lasts until its code changes, and such a job is marked as
    /// [`edited`](JobRecord::edited).
    ///
    /// # Errors
    /// Returns the errors of [`add_job`](Self::add_job), [`Error::JobNotFound`], [`Error::ChangedMeanwhile`] if
    /// others repeatedly change the job at the same time, or [`Error::StaleRevision`] if the job is not at the
    /// revision on which the patch [is based](JobPatch::if_revision). A job cannot move to another store.
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
        // Computed for the job as it is stored, and again if that was changed meanwhile, so that of two simultaneous
        // changes neither is lost.
        let modify = move |scheduler: &Self, job: &JobRecord, now, effort: &mut Effort| {
            scheduler.with_rules(|rules| scheduler.apply(&rules, &patch, job, now, effort))
        };
        let job = self.change(id, modify).await?;
        tracing::info!(job_id = %job.id, trigger = %job.trigger, "job changed");
        self.0.publish(|| EventKind::JobChanged(job.id.clone()));
        Ok(job)
    }

    /// Removes a job and returns its last state. Queued fire times are skipped, and runs that have started continue.
    ///
    /// # Errors
    /// Returns [`Error::JobNotFound`] if there is no such job, or [`Error::StaticJob`] for a job defined in code,
    /// because it would return at the next start: pause it instead.
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
        self.remove_seen(id, None).await
    }

    /// Removes a job that is as the caller has seen it.
    pub(super) async fn remove_seen(
        &self,
        id: &str,
        seen: Option<Revision>,
    ) -> Result<JobRecord, Error> {
        let (port, job) = self.find(id).await?;
        if job.is_static() && self.0.registry().job(id).is_some() {
            return Err(self.is_static(
                &job.id,
                "it would be back at the next start: pause it instead",
            ));
        }
        self.0.measure_clock(&port).await;
        let removed = port.reach()?.remove(id, seen, port.now()).await;
        let removed = removed.map_err(|error| store_error(&port, error))?;
        let Edited {
            job,
            skipped,
            cancelled,
        } = done(id, seen, removed)?;
        self.0.report_skipped(&skipped);
        self.0.report_cancelled(&cancelled);
        tracing::debug!(job_id = %job.id, "job removed");
        self.0.publish(|| EventKind::JobRemoved(job.id.clone()));
        Ok(job)
    }

    /// Removes jobs whose code is gone: they were once defined in code, but are not in this program.
    ///
    /// Returns the removed jobs. This does not happen at start, because the old and the new program both run during a
    /// rolling deployment: call it once the old one is gone.
    ///
    /// # Errors
    /// Returns [`Error::Store`] if a store fails.
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
            if job.is_static() && self.0.registry().job(job.id.as_str()).is_none() {
                let (port, _) = self.find(job.id.as_str()).await?;
                self.0.measure_clock(&port).await;
                let store = port.reach()?;
                let answer = store.remove(job.id.as_str(), None, port.now()).await;
                let answer = answer.map_err(|error| store_error(&port, error))?;
                if let Some(edited) = answer.done() {
                    self.0.report_skipped(&edited.skipped);
                    self.0.report_cancelled(&edited.cancelled);
                    self.0.publish(|| EventKind::JobRemoved(job.id.clone()));
                    removed.push(edited.job);
                }
            }
        }
        Ok(removed)
    }

    /// Computes the result of applying a patch to a job.
    fn apply(
        &self,
        rules: &Rules<'_>,
        patch: &JobPatch,
        job: &JobRecord,
        now: DateTime<Utc>,
        effort: &mut Effort,
    ) -> Result<Change, Error> {
        let id = job.id.as_str();
        check_seen(job, patch.revision)?;
        let task = rules.task(id, &job.task)?;
        if let Some(arguments) = &patch.arguments {
            rules.check_arguments(id, task, arguments)?;
        }
        let policies = rules.policies(id, task, &job.policies, &[&patch.policies])?;
        if policies.store != job.policies.store {
            let problem = "a job cannot move: remove it and add it to the other store";
            let source = PolicyError::new("store", &*policies.store, problem);
            return Err(Error::Policy {
                job: id.to_owned(),
                source,
            });
        }
        let trigger = match &patch.trigger {
            // Unchanged, and still to fire, so its fire times are kept.
            Some(trigger)
                if !job.is_finished() && trigger.resolves_to(&job.trigger, rules.zone) =>
            {
                None
            }
            Some(trigger) => {
                let trigger = in_place_of(trigger, &job.trigger, (now, rules.zone));
                Some(rules.trigger(id, &trigger, &policies.store, effort)?)
            }
            None => None,
        };
        let mut change = Change::of(job);
        let changed = change.job();
        changed.edited = job.is_static();
        if let Some(arguments) = &patch.arguments {
            changed.arguments = arguments.clone();
        }
        changed.policies = self.0.policies.share(policies);
        if let Some(trigger) = trigger {
            changed.trigger = trigger;
            let reason = match job.paused {
                Some(_) => SkipReason::Paused,
                None => SkipReason::Superseded,
            };
            change.go_on_from(now, reason);
        }
        find_times(&mut change, effort)?;
        Ok(change)
    }
}

/// Refuses a change of a job that is not as the caller has seen it.
fn check_seen(job: &JobRecord, seen: Option<Revision>) -> Result<(), Error> {
    match seen.filter(|_| !job.is_as_seen(seen)) {
        Some(expected) => Err(Error::stale(job.clone(), expected)),
        None => Ok(()),
    }
}

/// Finds the fire times that a change leads to, or says what they cost.
fn find_times(change: &mut Change, effort: &mut Effort) -> Result<(), Error> {
    let found = change.find_times(effort);
    let job = change.job();
    found.map_err(|cut_off| Error::costly(job.id.as_str(), &job.trigger, cut_off))
}
