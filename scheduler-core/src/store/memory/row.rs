//! A job as this store keeps it, kept small because there may be millions of them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use scheduler_triggers::Trigger;

use crate::definition_hash::DefinitionHash;
use crate::id::{JobId, RunId};
use crate::job_filter::JobState;
use crate::job_record::{JobRecord, Origin};
use crate::plan::{JobView, NextFire, Occupancy};
use crate::policy::Policies;
use crate::run::{Run, RunKind};
use crate::store::{Claimable, JobQuery};
use crate::task::arguments::Arguments;

/// A job and the number of its live runs.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: JobId,
    task: Arc<str>,
    arguments: Arguments,
    trigger: Trigger,
    pub(super) policies: Arc<Policies>,
    pub(super) watermark: DateTime<Utc>,
    /// The next fire time, if there is one.
    nominal: DateTime<Utc>,
    /// When the next fire time starts, in microseconds.
    at: i64,
    created_at: i64,
    /// Data that most jobs do not have.
    rare: Option<Box<Rare>>,
    pub(super) occupancy: Occupancy,
}

/// The value for a fire time that never comes.
const NEVER: i64 = i64::MAX;

#[derive(Debug, Default, PartialEq)]
struct Rare {
    definition: Option<DefinitionHash>,
    replaced: Option<Box<DefinitionHash>>,
    edited: bool,
    paused: Option<Box<str>>,
}

impl Row {
    pub(super) fn new(job: JobRecord, occupancy: Occupancy) -> Self {
        let JobRecord {
            id,
            task,
            arguments,
            trigger,
            policies,
            origin,
            edited,
            paused,
            watermark,
            next,
            created_at,
            replaced,
        } = job;
        let definition = match origin {
            Origin::Dynamic => None,
            Origin::Static(definition) => Some(definition),
        };
        let rare = Rare {
            definition,
            replaced,
            edited,
            paused,
        };
        let mut row = Self {
            id,
            task,
            arguments,
            trigger,
            policies,
            watermark,
            nominal: watermark,
            at: NEVER,
            created_at: created_at.timestamp_micros(),
            rare: (rare != Rare::default()).then(|| Box::new(rare)),
            occupancy,
        };
        row.set_next(next);
        row
    }

    /// Replaces the job with another version. Live runs keep their slots.
    pub(super) fn set_job(&mut self, job: JobRecord) {
        *self = Self::new(job, self.occupancy);
    }

    pub(super) fn job(&self) -> JobRecord {
        let origin = match self.rare.as_ref().and_then(|rare| rare.definition) {
            Some(definition) => Origin::Static(definition),
            None => Origin::Dynamic,
        };
        JobRecord {
            next: self.next(),
            edited: self.rare.as_ref().is_some_and(|rare| rare.edited),
            paused: self.rare.as_ref().and_then(|rare| rare.paused.clone()),
            replaced: self.rare.as_ref().and_then(|rare| rare.replaced.clone()),
            ..JobRecord::restored(
                self.id.clone(),
                self.task.clone(),
                self.arguments.clone(),
                (self.trigger.clone(), self.watermark),
                self.policies.clone(),
                origin,
                DateTime::from_timestamp_micros(self.created_at).unwrap_or(self.watermark),
            )
        }
    }

    pub(super) fn set_next(&mut self, next: Option<NextFire>) {
        match next {
            Some(next) => (self.nominal, self.at) = (next.nominal, next.at.timestamp_micros()),
            None => self.at = NEVER,
        }
    }

    fn next(&self) -> Option<NextFire> {
        if self.is_finished() {
            return None;
        }
        let nominal = self.nominal;
        let at = if nominal.timestamp_micros() == self.at {
            nominal
        } else {
            DateTime::from_timestamp_micros(self.at)?
        };
        Some(NextFire { nominal, at })
    }

    pub(super) fn is_finished(&self) -> bool {
        self.at == NEVER
    }

    pub(super) fn is_static(&self) -> bool {
        self.rare
            .as_ref()
            .is_some_and(|rare| rare.definition.is_some())
    }

    pub(super) fn is_paused(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.paused.is_some())
    }

    /// Returns `true` if the query selects this job.
    pub(super) fn is_listed(&self, query: &JobQuery) -> bool {
        let state = JobState::of(self.is_paused(), !self.is_finished());
        query.selects(self.id.as_str(), &self.task, state, self.is_static())
    }

    pub(super) fn pause(&mut self, note: Box<str>) {
        self.rare.get_or_insert_default().paused = Some(note);
    }

    /// Returns when the job starts next, in microseconds, or `None` if it is paused or its trigger has ended.
    pub(super) fn next_run_time(&self) -> Option<i64> {
        (!self.is_paused() && !self.is_finished()).then_some(self.at)
    }

    /// Returns what a decision about the job depends on.
    #[inline]
    pub(super) fn view(&self) -> JobView<'_> {
        JobView {
            id: &self.id,
            task: &self.task,
            arguments: &self.arguments,
            trigger: &self.trigger,
            policies: &self.policies,
            is_static: self.is_static(),
            is_paused: self.is_paused(),
            watermark: self.watermark,
            next: self.next(),
            occupancy: self.occupancy,
            was_claimed: None,
        }
    }

    pub(super) fn is_allowed(&self, claimable: &Claimable) -> bool {
        claimable.has(&self.task, self.is_static().then_some(&self.id))
    }

    /// Returns the record of a queued run of this job.
    pub(super) fn queued_run(
        &self,
        run_id: RunId,
        kind: RunKind,
        scheduled_for: DateTime<Utc>,
    ) -> Run {
        let (id, task) = (self.id.clone(), self.task.clone());
        Run::queued(run_id, id, task, kind, scheduled_for)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_fits_two_cache_lines_and_loses_nothing() {
        assert!(
            size_of::<Option<Row>>() <= 128,
            "{}",
            size_of::<Option<Row>>()
        );
        let now = DateTime::UNIX_EPOCH;
        let mut job = JobRecord::new(
            JobId::new("job").unwrap(),
            "task".into(),
            Arguments::new(),
            Trigger::cron("0 * * * *").unwrap(),
            Arc::new(Policies {
                jitter: std::time::Duration::from_secs(60),
                ..Policies::default()
            }),
            Origin::Dynamic,
            now,
        );
        job.recompute_next();
        let back = |job: &JobRecord| Row::new(job.clone(), Occupancy::default()).job();
        assert_eq!(back(&job), job);
        job.paused = Some("holiday".into());
        job.edited = true;
        job.next = None;
        let hash = DefinitionHash {
            trigger: 1,
            rest: 2,
            written: Some(3),
        };
        job.origin = Origin::Static(hash);
        job.replaced = Some(Box::new(hash));
        assert_eq!(back(&job), job);
    }
}
