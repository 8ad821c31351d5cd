//! Logs, metrics and events about runs and records.

use std::sync::Arc;

use super::elapsed::between;
use super::runs::RecordedEnd;
use crate::engine::Engine;
use crate::engine::port::StorePort;
use crate::event::{EventKind, RunEvent};
use crate::metrics;
use crate::plan::Verdict;
use crate::run::RunState;
use crate::store::{BrokenTrigger, ClaimedRun, Unreadable};

pub(super) fn run_event(run: &ClaimedRun) -> RunEvent {
    RunEvent {
        job_id: run.job_id.clone(),
        run_id: run.run_id,
        kind: run.kind,
        attempt: run.attempt,
        scheduled_for: run.scheduled_for,
    }
}

/// Publishes how an attempt ended, once the store has recorded it.
#[inline]
pub(super) fn publish_end(engine: &Engine, end: RecordedEnd) {
    let RecordedEnd {
        run,
        started_at,
        finished_at,
        outcome,
        verdict,
        body_runs,
        was_waiting,
    } = end;
    let run = &run.run;
    if run.attempt == 1 && !was_waiting {
        metrics::run_started(&run.task, between(run.due_at, started_at));
    }
    let state = outcome.state();
    let text = || outcome.error().map_or_else(Arc::default, Arc::<str>::from);
    if let Verdict::Retry(delay) = verdict {
        engine.publish(|| EventKind::Retrying {
            run: run_event(run),
            error: text(),
            delay,
        });
        return;
    }
    metrics::run_ended(&run.task, state, between(started_at, finished_at));
    match state {
        RunState::Succeeded => engine.publish(|| EventKind::Succeeded {
            run: run_event(run),
            duration: between(started_at, finished_at),
        }),
        RunState::TimedOut => engine.publish(|| EventKind::TimedOut {
            run: run_event(run),
            timeout: run.policies.timeout.unwrap_or_default(),
            body_runs,
        }),
        RunState::Cancelled => {
            // Attempts that an executor carried out are logged in their span.
            if was_waiting {
                tracing::info!(job_id = %run.job_id, run_id = %run.run_id, attempt = run.attempt, "cancelled before its next attempt");
            }
            engine.publish(|| EventKind::Cancelled(run_event(run)));
        }
        _ => engine.publish(|| EventKind::Failed {
            run: run_event(run),
            error: text(),
        }),
    }
}

/// Publishes that an outcome arrived when this node no longer held the run.
pub(super) fn publish_late(engine: &Engine, run: &ClaimedRun) {
    let (job_id, run_id) = (run.job_id.clone(), run.run_id);
    tracing::warn!(%job_id, %run_id, attempt = run.attempt, "the run had been taken over; its outcome was not recorded");
    engine.publish(|| EventKind::LateOutcome { job_id, run_id });
}

/// Reports that a record cannot be read. Stores report each one once.
pub(super) fn report_unreadable(engine: &Engine, port: &StorePort, unreadable: Unreadable) {
    let Unreadable { id, problem } = unreadable;
    tracing::error!(job_id = %id, problem, "the record cannot be read and is left alone");
    engine.warn(format!(
        "the record of `{id}` in store `{}` cannot be read and is left alone: {problem}",
        port.name()
    ));
    engine.publish(|| EventKind::Unreadable {
        store: port.name().clone(),
        record: id.into(),
        problem: problem.into(),
    });
}

/// Reports that a job was paused because its trigger cannot be evaluated.
pub(super) fn report_paused(engine: &Engine, broken: BrokenTrigger) {
    let BrokenTrigger { job_id, problem } = broken;
    tracing::error!(%job_id, problem, "the job was paused");
    engine.warn(format!("job `{job_id}` was paused: {problem}"));
    engine.publish(|| EventKind::JobPaused(job_id));
}
