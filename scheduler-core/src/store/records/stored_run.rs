//! A run as it is stored: its record, and the state that the record does not show.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::job_record::JobRecord;
use crate::node::NodeId;
use crate::plan::{AfterBody, ClaimedRun, LiveView, QueuedView, RecordedView};
use crate::run::{Attempt, Run, RunKind, RunState};
use crate::store::End;

/// A run as a [`RecordStore`](super::RecordStore) keeps it: the record that users see, and the other state that
/// decisions about it depend on.
///
/// A run is *queued* while it waits for a slot, and *live* while it holds one. A blocking function that exceeds its
/// timeout keeps running on its thread, and its run keeps the slot although it has ended as `TimedOut`: so a run is
/// live as long as it has a [`holder`](Self::holder), whatever its state.
///
/// ```
/// use chrono::DateTime;
/// use scheduler_core::store::records::StoredRun;
/// use scheduler_core::{JobId, Run, RunId, RunKind};
///
/// let (id, job) = (RunId::from_u128(1), JobId::new("import")?);
/// let at = DateTime::UNIX_EPOCH;
/// let stored = StoredRun::new(Run::queued(id, job, "import".into(), RunKind::Scheduled, at));
/// let json = serde_json::to_string(&stored)?;
/// assert_eq!(serde_json::from_str::<StoredRun>(&json)?, stored);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredRun {
    /// The record that users see. For a live run, `attempt` is the current one; for a queued run, it counts the
    /// attempts already made.
    pub run: Run,
    /// The node on which the run is live, or `None` if it holds no slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<NodeId>,
    /// The node that held the run last and no longer does. It may repeat a report whose answer was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_holder: Option<NodeId>,
    /// The number of failed attempts.
    #[serde(default)]
    pub failures: u32,
    /// How often the run was lost with its node.
    #[serde(default)]
    pub lost: u32,
    /// What follows when the function of an attempt returns whose end was already recorded.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "after_body")]
    pub after_body: Option<AfterBody>,
    /// If `true`, its cancellation was requested.
    #[serde(default)]
    pub is_cancellation_requested: bool,
}

impl StoredRun {
    /// Creates a run that no node holds and that has not failed. The fields are public.
    pub fn new(run: Run) -> Self {
        Self {
            run,
            holder: None,
            last_holder: None,
            failures: 0,
            lost: 0,
            after_body: None,
            is_cancellation_requested: false,
        }
    }

    /// Creates a run of this job that was not started yet.
    pub(super) fn queued(run: &ClaimedRun, job: &JobRecord) -> Self {
        let (id, kind, at) = (run.run_id, run.kind, run.scheduled_for);
        Self::new(Run::queued(id, job.id.clone(), job.task.clone(), kind, at))
    }

    pub(super) fn is_queued(&self) -> bool {
        self.run.state == RunState::Queued
    }

    /// Returns `true` if the run is queued or live.
    pub(super) fn is_open(&self) -> bool {
        self.holder.is_some() || !self.run.state.is_final()
    }

    /// Returns the fire time that no other run of the job may have.
    pub(super) fn fire_time(&self) -> Option<DateTime<Utc>> {
        (self.run.kind == RunKind::Scheduled).then_some(self.run.scheduled_for)
    }

    pub(super) fn queued_view(&self) -> QueuedView {
        QueuedView {
            run_id: self.run.id,
            kind: self.run.kind,
            scheduled_for: self.run.scheduled_for,
            attempts: self.run.attempt,
            failures: self.failures,
        }
    }

    pub(super) fn live_view(&self) -> LiveView {
        LiveView {
            attempt: self.run.attempt,
            failures: self.failures,
            after_body: self.after_body,
        }
    }

    pub(super) fn recorded_view(&self) -> RecordedView {
        let last = self.run.earlier_attempts.last();
        RecordedView {
            attempt: self.run.attempt,
            state: self.run.state,
            is_live: self.holder.is_some(),
            finished_at: self.run.finished_at,
            last_attempt: last.map(|last| (last.attempt, last.finished_at)),
        }
    }

    pub(super) fn start(&mut self, claimed: &ClaimedRun, node: NodeId, now: DateTime<Utc>) {
        self.run.state = RunState::Running;
        self.run.attempt = claimed.attempt;
        self.run.started_at = Some(now);
        self.failures = claimed.failures;
        self.holder = Some(node);
        self.last_holder = None;
    }

    pub(super) fn continue_as(&mut self, next: LiveView) {
        self.run.attempt = next.attempt;
        self.failures = next.failures;
        self.after_body = next.after_body;
    }

    /// Returns the run to the queue, with this number of attempts already made.
    pub(super) fn queue_again(&mut self, attempts: u32) {
        self.run.state = RunState::Queued;
        self.run.attempt = attempts;
        self.run.started_at = None;
        self.free();
    }

    /// Frees the run's slot.
    pub(super) fn free(&mut self) {
        self.last_holder = self.holder.take().or(self.last_holder);
        self.after_body = None;
        self.is_cancellation_requested = false;
    }

    /// Ends the run in this state. It keeps its slot until that is freed.
    pub(super) fn end(&mut self, state: RunState, at: DateTime<Utc>, error: Option<Box<str>>) {
        self.run.state = state;
        self.run.finished_at = Some(at);
        self.run.error = error;
        self.is_cancellation_requested = false;
    }

    /// Records the end of an attempt: that of the run in this state, or of an attempt that is followed by another.
    pub(super) fn record_end(&mut self, attempt: u32, end: End, final_state: Option<RunState>) {
        let End::Attempt(end) = end else {
            return;
        };
        self.run.started_at = Some(end.started_at);
        self.run.lateness.get_or_insert(end.lateness);
        if let Some(state) = final_state {
            self.end(state, end.finished_at, end.error);
            self.run.value = end.value;
        } else {
            let times = (end.started_at, end.finished_at);
            self.add_attempt(Attempt::new(attempt, times, end.state, end.error));
        }
    }

    /// Adds an earlier attempt. Only the last ones are kept.
    pub(super) fn add_attempt(&mut self, attempt: Attempt) {
        let earlier = &mut self.run.earlier_attempts;
        earlier.push(attempt);
        let over = earlier.len().saturating_sub(Attempt::KEPT);
        earlier.drain(..over);
    }
}

/// The text form of [`AfterBody`].
mod after_body {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::AfterBody;

    #[derive(Serialize, Deserialize)]
    #[serde(remote = "AfterBody", rename_all = "snake_case")]
    enum Text {
        Retry,
        End,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Written(#[serde(with = "Text")] AfterBody);

    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "serde calls it so"
    )]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<AfterBody>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(Written).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<AfterBody>, D::Error> {
        let written = Option::<Written>::deserialize(deserializer)?;
        Ok(written.map(|written| written.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{JobId, RunId};

    #[test]
    fn after_body_is_stored_as_text() {
        let (id, job) = (RunId::from_u128(7), JobId::new("job").unwrap());
        let run = Run::queued(
            id,
            job,
            "task".into(),
            RunKind::Manual,
            DateTime::UNIX_EPOCH,
        );
        for (after_body, text) in [
            (Some(AfterBody::Retry), Some("retry")),
            (Some(AfterBody::End), Some("end")),
            (None, None),
        ] {
            let mut stored = StoredRun::new(run.clone());
            stored.after_body = after_body;
            let json = serde_json::to_value(&stored).unwrap();
            let written = json.get("after_body").and_then(|text| text.as_str());
            assert_eq!(written, text);
            assert_eq!(serde_json::from_value::<StoredRun>(json).unwrap(), stored);
        }
    }
}
