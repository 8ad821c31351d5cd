//! A run as a row.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use scheduler_core::plan::{AfterBody, CancelledRun, Occupancy, QueuedView};
use scheduler_core::{Attempt, JobId, Policies, Run, RunId, RunKind, RunState};

use crate::instant::from_micros;
use crate::record_problem::RecordProblem;

/// `slot`: holds no slot.
pub(crate) const ENDED: i16 = 0;
/// `slot`: waits for a slot.
pub(crate) const WAITS: i16 = 1;
/// `slot`: holds a slot.
pub(crate) const HOLDS: i16 = 2;

/// A held run whose attempt is still running; see [`HELD`].
const ATTEMPT_GOES_ON: i16 = 1;
/// A held run whose attempt has ended and is followed by another one when its body returns.
const BODY_BEFORE_RETRY: i16 = 2;
/// A held run that has ended, but whose body has not returned.
const BODY_AFTER_END: i16 = 4;

/// The three ways in which a node holds a run, as far as an end depends on it, each with its bit. Only the database
/// knows which one applies: a change lists those for which it was decided, and is not written for the others.
pub(crate) const HELD: [(Option<AfterBody>, i16); 3] = [
    (None, ATTEMPT_GOES_ON),
    (Some(AfterBody::Retry), BODY_BEFORE_RETRY),
    (Some(AfterBody::End), BODY_AFTER_END),
];

/// The columns of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RunRow {
    pub(crate) id: u128,
    pub(crate) job_id: String,
    pub(crate) task: String,
    pub(crate) kind: i16,
    pub(crate) scheduled_for: i64,
    pub(crate) state: i16,
    pub(crate) slot: i16,
    pub(crate) node: Option<i64>,
    /// Only in lists of runs.
    pub(crate) node_name: Option<String>,
    pub(crate) attempt: i32,
    pub(crate) failures: i32,
    pub(crate) lost: i32,
    pub(crate) cancel_requested: bool,
    pub(crate) started_at: Option<i64>,
    pub(crate) finished_at: Option<i64>,
    /// In microseconds.
    pub(crate) lateness: Option<i64>,
    pub(crate) error: Option<String>,
    pub(crate) value: Option<String>,
    /// A JSON array of [`Attempt`]s.
    pub(crate) earlier_attempts: Option<String>,
}

impl RunRow {
    pub(crate) fn kind(&self) -> Result<RunKind, RecordProblem> {
        RunKind::from_code(self.kind).ok_or(RecordProblem::Kind(self.kind))
    }

    /// Reads the parts that a decision about a queued run needs, or returns what is wrong with its record.
    pub(crate) fn queued(&self) -> Result<QueuedView, RecordProblem> {
        let scheduled_for = from_micros(self.scheduled_for)?;
        let run = QueuedView::new(RunId::from_u128(self.id), self.kind()?, scheduled_for);
        Ok(run.tried(count(self.attempt), count(self.failures)))
    }

    /// Describes a run that is cancelled after `attempts` attempts; `None` if its record cannot be read.
    pub(crate) fn cancelled(&self, attempts: u32) -> Option<CancelledRun> {
        let run = self.queued().ok()?;
        let job = JobId::new(&*self.job_id).ok()?;
        let (kind, scheduled_for) = (run.kind, run.scheduled_for);
        Some(CancelledRun::new(
            job,
            run.run_id,
            kind,
            scheduled_for,
            attempts,
        ))
    }

    /// Reads only the last of the earlier attempts: a newer version may have written the others.
    pub(crate) fn last_attempt(&self) -> Option<Attempt> {
        let json = self.earlier_attempts.as_deref()?;
        let mut attempts: Vec<serde_json::Value> = serde_json::from_str(json).ok()?;
        serde_json::from_value(attempts.pop()?).ok()
    }

    /// Reads a run, or returns what is wrong with its record.
    pub(crate) fn read(self) -> Result<Run, RecordProblem> {
        let kind = self.kind()?;
        let state = RunState::from_code(self.state).ok_or(RecordProblem::State(self.state))?;
        let at = |micros: Option<i64>| micros.map(from_micros).transpose();
        let mut run = Run::queued(
            RunId::from_u128(self.id),
            JobId::new(self.job_id).map_err(RecordProblem::job_id)?,
            self.task.into(),
            kind,
            from_micros(self.scheduled_for)?,
        );
        run.state = state;
        run.node = self.node_name.map(Arc::from);
        run.attempt = count(self.attempt);
        if self.slot != WAITS {
            run.started_at = at(self.started_at)?;
        }
        run.finished_at = at(self.finished_at)?;
        run.lateness = self
            .lateness
            .map(|micros| Duration::from_micros(micros.unsigned_abs()));
        run.error = self.error.map(String::into_boxed_str);
        run.value = self.value.map(String::into_boxed_str);
        if let Some(json) = &self.earlier_attempts {
            run.earlier_attempts =
                serde_json::from_str(json).map_err(RecordProblem::EarlierAttempts)?;
        }
        Ok(run)
    }
}

/// Returns a number of attempts as it is stored.
pub(crate) fn attempt_code(attempt: u32) -> i32 {
    i32::try_from(attempt).unwrap_or(i32::MAX)
}

/// Returns a number of attempts from its stored form.
pub(crate) fn count(code: i32) -> u32 {
    u32::try_from(code).unwrap_or(0)
}

/// A run to insert, either live on a node or queued.
#[derive(Debug)]
pub(crate) struct NewRun<'a> {
    pub(crate) id: u128,
    pub(crate) job_id: &'a str,
    pub(crate) task: &'a str,
    pub(crate) kind: i16,
    pub(crate) scheduled_for: i64,
    /// The node that holds it: then the run has `state` 1, `slot` 2 and `attempt` 1. Otherwise it has `state` 0, `slot`
    /// 1 and `attempt` 0.
    pub(crate) node: Option<i64>,
    /// When it started, if it has.
    pub(crate) started_at: Option<i64>,
}

/// A job whose open runs are counted, with the id below which none is open.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(feature = "postgres"),
    allow(dead_code, reason = "PostgreSQL alone reads all of it")
)]
pub(crate) struct OpenFrom<'a> {
    pub(crate) job_id: &'a str,
    pub(crate) open_from: Option<u128>,
}

/// Returns the smallest id of a run created at this instant: ids begin with their milliseconds.
pub(crate) fn first_run_id(at: DateTime<Utc>) -> u128 {
    u128::from(at.timestamp_millis().max(0).unsigned_abs()) << 80
}

/// A job whose fire times after the watermark may already have runs.
#[derive(Debug)]
pub(crate) struct ClaimedAfter<'a> {
    pub(crate) job_id: &'a str,
    pub(crate) watermark: i64,
    /// A lower bound of the ids of those runs: a fire time is never claimed before it has come.
    pub(crate) first_run: u128,
}

/// How many runs of a job are live and queued.
#[derive(Debug, PartialEq)]
pub(crate) struct OpenRuns {
    pub(crate) job_id: String,
    pub(crate) live: i64,
    pub(crate) queued: i64,
    /// The lowest id of these runs; `None` in a database that finds them without a bound.
    pub(crate) oldest: Option<u128>,
}

impl OpenRuns {
    pub(crate) fn occupancy(&self) -> Occupancy {
        let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        Occupancy::new(count(self.live), count(self.queued))
    }
}

/// Returns what replaces a name in a statement: the code of a state, of a kind, of a run's relation to a slot or of how
/// it is held, or a condition.
///
/// `readable` is the condition for queued runs that this version can read: the others wait for a newer version and do
/// not block the runs behind them. `exempt` is the condition for queued runs that no pause
/// [holds](scheduler_core::plan::JobView::holds). Together with `default_max_instances` it restricts what is read, so
/// that a claim does not lock jobs of which nothing can start; the plan makes the decisions.
pub(crate) fn code(name: &str) -> Option<String> {
    let code = match name {
        "queued" => RunState::Queued.code(),
        "running" => RunState::Running.code(),
        "failed" => RunState::Failed.code(),
        "cancelled" => RunState::Cancelled.code(),
        "scheduled" => RunKind::Scheduled.code(),
        "none" => ENDED,
        "waits" => WAITS,
        "holds" => HOLDS,
        "attempt_goes_on" => ATTEMPT_GOES_ON,
        "body_before_retry" => BODY_BEFORE_RETRY,
        "body_after_end" => BODY_AFTER_END,
        "exempt" => {
            let scheduled = RunKind::Scheduled.code();
            return Some(format!("(kind <> {scheduled} OR attempt > 0)"));
        }
        // Defaults are not stored.
        "default_max_instances" => return Some(Policies::default().max_instances.to_string()),
        "readable" => {
            let kinds: Vec<String> = (0..=i16::MAX)
                .take_while(|code| RunKind::from_code(*code).is_some())
                .map(|code| code.to_string())
                .collect();
            let queued = RunState::Queued.code();
            return Some(format!(
                "state = {queued} AND kind IN ({})",
                kinds.join(", ")
            ));
        }
        _ => return None,
    };
    Some(code.to_string())
}

/// A queued run that becomes live.
#[derive(Debug)]
pub(crate) struct StartRow {
    pub(crate) id: u128,
    /// Its new attempt.
    pub(crate) attempt: i32,
}

/// Which queued runs of a job to read; see [`QueueHead`](scheduler_core::plan::QueueHead).
#[derive(Debug)]
pub(crate) struct HeadRow<'a> {
    pub(crate) job_id: &'a str,
    pub(crate) limit: i64,
    pub(crate) skips_held: bool,
}

/// The end of a run, under the attempt that ended it.
#[derive(Debug)]
pub(crate) struct EndRow<'a> {
    pub(crate) id: u128,
    pub(crate) attempt: i32,
    /// The ways in which the run may be held: bits of [`HELD`].
    pub(crate) held: i16,
    pub(crate) state: i16,
    /// `true` if a thread is still working on it.
    pub(crate) holds_slot: bool,
    pub(crate) started_at: i64,
    pub(crate) finished_at: i64,
    /// Stored only if there is none yet: it belongs to the first attempt.
    pub(crate) lateness: i64,
    pub(crate) error: Option<&'a str>,
    pub(crate) value: Option<&'a str>,
}

/// A failed attempt that is followed by another one.
#[derive(Debug)]
pub(crate) struct RetryRow {
    pub(crate) id: u128,
    pub(crate) attempt: i32,
    /// The ways in which the run may be held: bits of [`HELD`].
    pub(crate) held: i16,
    /// Its next attempt.
    pub(crate) next_attempt: i32,
    /// How many failures the change adds.
    pub(crate) failures: i32,
    pub(crate) started_at: i64,
    pub(crate) lateness: i64,
    /// An [`Attempt`] as JSON, to be appended.
    pub(crate) earlier: String,
}

/// The return of the body of an attempt.
#[derive(Debug)]
pub(crate) struct BodyRow {
    pub(crate) id: u128,
    pub(crate) attempt: i32,
    /// The ways in which the run may be held: bits of [`HELD`].
    pub(crate) held: i16,
    /// Its next attempt.
    pub(crate) next_attempt: i32,
    /// `true` if its next attempt holds the slot.
    pub(crate) holds_slot: bool,
}

/// The new state of a run that its node releases, or whose node is gone.
#[derive(Debug)]
pub(crate) struct RequeueRow {
    pub(crate) id: u128,
    /// The node that holds it, under this attempt and in this state: otherwise the run is left unchanged.
    pub(crate) held_by: Option<i64>,
    pub(crate) held_attempt: i32,
    pub(crate) held_state: i16,
    /// Its new attempt.
    pub(crate) attempt: i32,
    /// Its new state: 0 if it waits for its next attempt.
    pub(crate) state: i16,
    /// 1 if it is queued, 0 if it has ended.
    pub(crate) slot: i16,
    /// How often it has been lost so far.
    pub(crate) lost: i32,
    /// Written if it is given.
    pub(crate) finished_at: Option<i64>,
    /// Written if it is given.
    pub(crate) error: Option<String>,
    /// The JSON array, with the lost attempt appended.
    pub(crate) earlier_attempts: Option<String>,
}

impl RequeueRow {
    /// Frees the slot of a run without any other change.
    pub(crate) fn ended(run: &RunRow) -> Self {
        Self {
            id: run.id,
            held_by: run.node,
            held_attempt: run.attempt,
            held_state: run.state,
            attempt: run.attempt,
            state: run.state,
            slot: ENDED,
            lost: run.lost,
            finished_at: run.finished_at,
            error: run.error.clone(),
            earlier_attempts: run.earlier_attempts.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_queued_run_is_readable() {
        for kind in [RunKind::Scheduled, RunKind::Manual, RunKind::Startup] {
            assert!((0..3).contains(&kind.code()), "{kind:?}");
        }
        assert_eq!(code("readable").unwrap(), "state = 0 AND kind IN (0, 1, 2)");
    }
}
