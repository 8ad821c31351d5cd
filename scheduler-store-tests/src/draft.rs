//! Drafts of the jobs that cases add.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use scheduler_core::reconcile::StaticJob;
use scheduler_core::triggers::{Trigger, Zone};
use scheduler_core::{
    Arguments, JobId, JobRecord, Origin, Policies, PolicyPatch, SkipReason, SkippedTimes,
};

use crate::failure::{Done, Stop};
use crate::stage::at;

/// A job to be added: by default it fires every minute and was added at the start.
#[derive(Clone)]
pub(crate) struct Draft {
    id: String,
    task: &'static str,
    pub(crate) trigger: String,
    arguments: Arguments,
    policies: Policies,
    added: DateTime<Utc>,
}

pub(crate) fn job(id: &str) -> Draft {
    Draft {
        id: id.to_owned(),
        task: "task",
        trigger: "every 1m".to_owned(),
        arguments: Arguments::new(),
        policies: Policies::default(),
        added: at(0),
    }
}

impl Draft {
    pub(crate) fn task(mut self, task: &'static str) -> Self {
        self.task = task;
        self
    }

    pub(crate) fn trigger(mut self, trigger: impl Into<String>) -> Self {
        self.trigger = trigger.into();
        self
    }

    pub(crate) fn arguments(mut self, arguments: Arguments) -> Self {
        self.arguments = arguments;
        self
    }

    pub(crate) fn policies(mut self, set: impl FnOnce(&mut Policies)) -> Self {
        set(&mut self.policies);
        self
    }

    pub(crate) fn added(mut self, now: DateTime<Utc>) -> Self {
        self.added = now;
        self
    }

    pub(crate) fn record(self) -> Done<JobRecord> {
        let trigger: Trigger = self.trigger.parse()?;
        let mut record = JobRecord::new(
            JobId::new(self.id)?,
            self.task.into(),
            self.arguments,
            trigger.resolve(self.added, Zone::UTC)?,
            Arc::new(self.policies),
            Origin::Dynamic,
            self.added,
        );
        record.recompute_next();
        Ok(record)
    }

    /// Returns the same job as a static definition.
    pub(crate) fn definition(self) -> Done<StaticJob> {
        let trigger = self.trigger.parse()?;
        let definition = StaticJob::written(
            JobId::new(self.id)?,
            self.task,
            &self.arguments,
            (&trigger, Zone::UTC),
            &every(&self.policies)?,
        );
        definition.map_err(Stop::failed)
    }
}

/// Returns a patch that sets every policy.
fn every(policies: &Policies) -> Done<PolicyPatch> {
    Ok(serde_json::from_value(serde_json::to_value(policies)?)?)
}

/// Resumes a job as the scheduler does: fire times that passed while it was paused are skipped.
pub(crate) fn resume(job: &mut JobRecord, now: DateTime<Utc>) -> Option<SkippedTimes> {
    let skipped = job.pending(now, SkipReason::Paused);
    job.paused.take()?;
    job.watermark = now.max(job.watermark);
    job.recompute_next();
    skipped
}

/// Gives a job another trigger that counts from `now`.
pub(crate) fn reschedule(job: &mut JobRecord, trigger: Trigger, now: DateTime<Utc>) {
    job.trigger = trigger;
    job.watermark = now.max(job.watermark);
    job.recompute_next();
}
