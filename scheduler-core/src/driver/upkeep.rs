//! Carries out the secondary duties of a driver, each in its own task alongside the claims.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::duties::{Duties, Ended};
use super::publish::report_unreadable;
use crate::clock::{monotonic_now, sleep};
use crate::engine::Engine;
use crate::engine::port::StorePort;
use crate::event::EventKind;
use crate::health::Duty;
use crate::metrics;
use crate::run::{RunFilter, RunState};
use crate::store::{Repaired, RunRef, StoreError, TakenOver};

/// The maximum number of queued runs that are listed in order to count them.
const COUNTED: usize = 1_000;

/// See the module documentation.
#[derive(Debug)]
pub(super) struct Upkeep {
    pub(super) duties: Duties,
    at_work: Option<AtWork>,
    /// If `true`, a heartbeat has requested the next repair.
    is_repair_asked_for: bool,
    /// When a repair requested by a heartbeat last found nothing to do: the problem is beyond it, such as a record
    /// that cannot be read.
    repaired_in_vain: Option<Instant>,
}

/// How long after such a repair a heartbeat may request the next one.
const REPAIR_AGAIN: Duration = Duration::from_secs(60);

/// A duty whose store call has not been answered yet. Dropping it abandons the call.
#[derive(Debug)]
pub(super) struct AtWork {
    duty: Duty,
    answer: JoinHandle<Result<Answer, StoreError>>,
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.answer.abort();
    }
}

#[derive(Debug)]
enum Answer {
    TookOver(TakenOver),
    Repaired(Repaired),
    Pruned { more: bool },
    Counted(usize),
}

impl Upkeep {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            duties: Duties::new(now),
            at_work: None,
            is_repair_asked_for: false,
            repaired_in_vain: None,
        }
    }

    /// Requests a repair on behalf of a heartbeat.
    pub(super) fn want_repair(&mut self, now: Instant) {
        self.is_repair_asked_for = true;
        let in_vain = self.repaired_in_vain.map(|at| at + REPAIR_AGAIN);
        self.duties
            .want(Duty::Repair, in_vain.map_or(now, |at| at.max(now)));
    }

    /// Abandons the running duty and starts no more.
    pub(super) fn give_up(&mut self) {
        self.at_work = None;
    }

    /// Takes the running duty, to wait for it alongside other events.
    pub(super) fn take(&mut self) -> Option<AtWork> {
        self.at_work.take()
    }

    /// Puts a duty back that was not answered meanwhile.
    pub(super) fn put_back(&mut self, at_work: Option<AtWork>) {
        if self.at_work.is_none() {
            self.at_work = at_work;
        }
    }
}

/// A duty that has ended, and how.
pub(super) struct Report {
    duty: Duty,
    result: Result<Answer, StoreError>,
}

/// Waits for the running duty, or forever if there is none.
pub(super) async fn ended(at_work: &mut Option<AtWork>) -> Report {
    let Some(work) = at_work.as_mut() else {
        return std::future::pending().await;
    };
    let result = match (&mut work.answer).await {
        Ok(result) => result,
        Err(error) => Err(StoreError::new(error)),
    };
    let duty = work.duty;
    *at_work = None;
    Report { duty, result }
}

async fn carry_out(
    duty: Duty,
    port: Arc<StorePort>,
    now: DateTime<Utc>,
) -> Result<Answer, StoreError> {
    let (store, patience) = (port.store(), port.membership().patience());
    let call = async {
        Ok(match duty {
            Duty::TakeOver => Answer::TookOver(store.take_over(now).await?),
            Duty::Repair => Answer::Repaired(store.repair(now).await?),
            Duty::Retention => Answer::Pruned {
                more: store.prune(now).await?,
            },
            Duty::QueueDepth => {
                let queued = RunFilter::new().state(RunState::Queued).limit(COUNTED);
                Answer::Counted(store.list_runs(&queued).await?.len())
            }
        })
    };
    tokio::select! {
        answer = call => answer,
        () = sleep(patience) => Err(StoreError::new("no answer")),
    }
}

impl Upkeep {
    /// Starts the duty that is due, if any.
    pub(super) fn start_duty(&mut self, engine: &Engine, port: &Arc<StorePort>, is_busy: bool) {
        let now = monotonic_now();
        let Some(duty) = self.duties.start(now, is_busy) else {
            return;
        };
        if duty == Duty::Retention {
            engine.trim_executors();
        }
        let answer = tokio::spawn(carry_out(duty, port.clone(), port.now()));
        self.at_work = Some(AtWork { duty, answer });
    }

    /// Publishes the result of a duty, or why it failed. Returns `true` if there may be something to claim now.
    pub(super) fn end_duty(&mut self, engine: &Engine, port: &StorePort, report: Report) -> bool {
        let Report { duty, result } = report;
        let (ended, is_changed) = match result {
            Ok(answer) => self.publish_answer(engine, port, answer),
            Err(error) => {
                duty_failed(engine, port, duty, &error);
                (Ended::Failed, false)
            }
        };
        if self.duties.end(duty, ended, monotonic_now()) {
            let store = port.name().clone();
            tracing::info!(%store, %duty, "a secondary duty succeeds again");
            port.duty_succeeded(duty);
            engine.publish(|| EventKind::DutyRecovered { store, duty });
        }
        is_changed
    }

    fn publish_answer(
        &mut self,
        engine: &Engine,
        port: &StorePort,
        answer: Answer,
    ) -> (Ended, bool) {
        match answer {
            Answer::TookOver(taken) => {
                let is_changed = taken != TakenOver::default();
                publish_taken_over(engine, port, taken);
                (Ended::Done, is_changed)
            }
            Answer::Repaired(repaired) => {
                let is_changed = repaired != Repaired::default();
                let was_asked_for = std::mem::take(&mut self.is_repair_asked_for);
                let is_in_vain = was_asked_for && !is_changed;
                self.repaired_in_vain = is_in_vain.then(monotonic_now);
                publish_repaired(engine, port, repaired);
                (Ended::Done, is_changed)
            }
            Answer::Pruned { more: true } => (Ended::More, false),
            Answer::Pruned { more: false } => (Ended::Done, false),
            Answer::Counted(queued) => {
                metrics::queue_depth(port.name(), queued);
                (Ended::Done, false)
            }
        }
    }
}

fn publish_taken_over(engine: &Engine, port: &StorePort, taken: TakenOver) {
    for RunRef { job_id, run_id } in taken.again {
        tracing::warn!(%job_id, %run_id, "the run was lost with its node and is tried again");
        engine.publish(|| EventKind::TakenOver { job_id, run_id });
    }
    for RunRef { job_id, run_id } in taken.lost {
        tracing::error!(%job_id, %run_id, "the run was lost with its node");
        metrics::run_lost();
        engine.publish(|| EventKind::Lost { job_id, run_id });
    }
    engine.report_cancelled(&taken.cancelled);
    for unreadable in taken.unreadable {
        report_unreadable(engine, port, unreadable);
    }
}

fn publish_repaired(engine: &Engine, port: &StorePort, repaired: Repaired) {
    if repaired.zones > 0 {
        tracing::info!(jobs = repaired.zones, zone_data = %scheduler_triggers::tz_version(), "next fire times were recomputed");
    }
    if let Some(first) = repaired.watermarks.first() {
        let others = match repaired.watermarks.len() {
            1 => String::new(),
            count => format!(" and {} others", count - 1),
        };
        engine.warn(format!(
            "fire times of job `{first}`{others} had been decided up to an instant ahead of the clock; from now on they are decided as usual"
        ));
    }
    for job_id in repaired.watermarks {
        tracing::warn!(%job_id, "the job's watermark was ahead of the clock and was set to now");
        engine.publish(|| EventKind::WatermarkReset(job_id));
    }
    for unreadable in repaired.unreadable {
        report_unreadable(engine, port, unreadable);
    }
}

fn duty_failed(engine: &Engine, port: &StorePort, duty: Duty, error: &StoreError) {
    let (store, text): (_, Arc<str>) = (port.name().clone(), error.to_string().into());
    tracing::warn!(%store, %duty, error = %text, "a secondary duty failed and is tried again within a minute");
    port.duty_failed(duty, port.now(), text.clone());
    engine.publish(|| EventKind::DutyFailed {
        store,
        duty,
        error: text,
    });
}
