//! Manual runs, and cancelling runs.

use super::Scheduler;
use super::find::{done, store_error};
use crate::engine::port::{AskedFor, StorePort};
use crate::error::Error;
use crate::event::EventKind;
use crate::id::{JobId, RunId};
use crate::job_record::JobRecord;
use crate::plan::{ManualDecision, RefusedReason};
use crate::revision::Revision;
use crate::run::RunKind;
use crate::skipped::{SkipReason, SkippedTimes};
use crate::store::{CancelAnswer, CancelledRun, JobAnswer, ManualRequest, ManualRun};

/// The answer of [`run_job_now`](Scheduler::run_job_now), with the id for looking up the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunNow {
    /// The run starts.
    Started(RunId),
    /// The run is queued for a slot.
    Queued(RunId),
    /// There is no free slot.
    Refused(RefusedReason),
}

impl Scheduler {
    /// Runs a job now, in addition to its fire times. Its next fire time does not change.
    ///
    /// Respects the job's `max_instances` and `overlap`, and also works while the job is paused: fire times that were
    /// queued before the pause keep waiting for its end.
    ///
    /// # Errors
    /// Returns [`Error::JobNotFound`] if there is no such job, or [`Error::Stopped`] if the scheduler has stopped.
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
        self.run_as(id, RunKind::Manual, None).await
    }

    /// Requests the additional run of a job with `run_on_start`. If it finds no slot, or the job is paused, that is
    /// recorded as for any fire time.
    pub(super) async fn run_at_start(&self, id: &str) -> Result<(), Error> {
        let (_, job) = self.find(id).await?;
        let reason = if job.paused.is_some() {
            SkipReason::Paused
        } else {
            match self.run_as(id, RunKind::Startup, None).await? {
                RunNow::Refused(RefusedReason::QueueFull) => SkipReason::QueueFull,
                RunNow::Refused(RefusedReason::Overlap) => SkipReason::Overlap,
                RunNow::Started(_) | RunNow::Queued(_) => return Ok(()),
            }
        };
        self.edit(id, move |_, now| vec![SkippedTimes::one(reason, now)])
            .await?;
        Ok(())
    }

    /// Requests a run from the store, and makes sure that a run whose answer is lost is released.
    async fn ask_for_run<'a>(
        &self,
        port: &'a StorePort,
        mut request: ManualRequest<'_>,
    ) -> Result<(AskedFor<'a>, JobAnswer<ManualRun>), Error> {
        let store = port.reach()?;
        loop {
            // Registered first, so that the driver does not take the run for an unknown one.
            let call = AskedFor::new(port, request.run_id);
            match store.run_now(&request).await {
                Ok(answer) => return Ok((call, answer)),
                // This node has just lost its lease; any node may start the run.
                Err(error) if error.is_fenced() && request.holder.is_some() => {
                    request.holder = None;
                }
                Err(error) => return Err(store_error(port, error)),
            }
        }
    }

    /// Returns `true` if this node can run the job, or `false` if another node of the store has to.
    fn can_run(&self, port: &StorePort, id: &str, job: &JobRecord) -> Result<bool, Error> {
        if self.0.is_client {
            return Ok(false);
        }
        let task = self.with_rules(|rules| rules.runnable(id, job))?;
        match self.check_data(id, task) {
            Err(_) if port.store().is_persistent() => Ok(false),
            complete => complete.map(|()| true),
        }
    }

    pub(super) async fn run_as(
        &self,
        id: &str,
        kind: RunKind,
        seen: Option<Revision>,
    ) -> Result<RunNow, Error> {
        self.check_running()?;
        let (port, job) = self.find(id).await?;
        let is_here = self.can_run(&port, id, &job)?;
        self.0.measure_clock(&port).await;
        let now = port.now();
        let run_id = self.0.run_ids().next(now);
        let request = ManualRequest {
            job: id,
            kind,
            run_id,
            holder: port.node().filter(|_| is_here),
            seen,
            now,
        };
        let (call, answer) = self.ask_for_run(&port, request).await?;
        let answer = match done(id, seen, answer) {
            Ok(answer) => answer,
            Err(refused) => {
                call.settle();
                return Err(refused);
            }
        };
        self.0.report_skipped(&answer.skipped);
        self.0.report_cancelled(&answer.cancelled);
        port.wake();
        let started = request.holder.zip(answer.start);
        let refused = started.and_then(|(node, run)| Some((node, port.start(node, run).err()?)));
        call.settle();
        if let Some((node, run)) = refused {
            // The scheduler has stopped meanwhile, so the run waits for the next one.
            let runs = vec![run.run_id];
            let released = port.store().release(node, runs, port.now()).await;
            let cancelled = released.map_err(|error| store_error(&port, error))?;
            self.0.report_cancelled(&cancelled);
            return Ok(RunNow::Queued(run_id));
        }
        Ok(match answer.decision {
            ManualDecision::Start => RunNow::Started(run_id),
            ManualDecision::Queue { .. } => {
                if let Ok(job_id) = JobId::new(id) {
                    self.0.publish(|| EventKind::Queued { job_id, run_id });
                }
                RunNow::Queued(run_id)
            }
            ManualDecision::Refuse(reason) => RunNow::Refused(reason),
        })
    }

    /// Cancels a run. The cancellation shows in its context; a queued run ends at once.
    ///
    /// An async run that has not ended after five seconds is dropped at its next await. A sync task has to check
    /// [`is_cancelled`](crate::JobContext::is_cancelled) itself.
    ///
    /// # Errors
    /// Returns [`Error::RunNotFound`] if the run has already ended or never existed.
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
    /// assert_eq!(scheduler.list_runs(&RunFilter::new()).await?.items[0].state, RunState::Cancelled);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn cancel_run(&self, run: RunId) -> Result<(), Error> {
        let mut failure = None;
        for port in self.0.stores.values() {
            self.0.measure_clock(port).await;
            let store = match port.reach() {
                Ok(store) => store,
                Err(error) => {
                    failure = Some(error);
                    continue;
                }
            };
            match store.cancel(run, port.now()).await {
                Err(error) => {
                    failure = Some(store_error(port, error));
                    continue;
                }
                Ok(CancelAnswer::Live) => port.wake(),
                Ok(CancelAnswer::Ended(ended)) => {
                    self.0.report_cancelled(&[CancelledRun::of(&ended)]);
                }
                Ok(CancelAnswer::Unknown) => continue,
            }
            return Ok(());
        }
        Err(failure.unwrap_or(Error::RunNotFound { run }))
    }
}
