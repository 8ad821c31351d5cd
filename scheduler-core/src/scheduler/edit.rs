//! Changing a stored job: trigger searches are done first, and the store's transaction only applies the results.

use chrono::{DateTime, TimeDelta, Utc};
use scheduler_triggers::{Effort, Exhausted};

use super::Scheduler;
use super::find::store_error;
use crate::effort::{FIRE_TIME, REQUEST};
use crate::error::Error;
use crate::job_record::JobRecord;
use crate::plan::NextFire;
use crate::skipped::{SkipReason, SkippedTimes};
use crate::store::{Edit, Edited};

/// How often a change is recomputed because the job was changed meanwhile.
const TRIES: u32 = 10;

/// The number of fire times held ready for a job whose own fire times are claimed meanwhile.
const READY: usize = 64;

/// How far ahead they extend. Writing a change takes less time.
const READY_FOR: TimeDelta = TimeDelta::minutes(1);

/// A change to a job, computed for the job as it was read.
#[derive(Debug, Clone)]
pub(super) struct Change {
    seen: JobRecord,
    changed: JobRecord,
    skipped: Vec<SkippedTimes>,
    /// `None` if the watermark and next fire time stay unchanged.
    times: Option<Times>,
}

/// The schedule with which a changed job continues.
#[derive(Debug, Clone)]
struct Times {
    watermark: DateTime<Utc>,
    /// The first fire times after the watermark.
    fires: Vec<NextFire>,
    /// If `true`, there are no others.
    are_all: bool,
}

impl Change {
    /// Begins with an unchanged job.
    pub(super) fn of(seen: &JobRecord) -> Self {
        Self {
            seen: seen.clone(),
            changed: seen.clone(),
            skipped: Vec::new(),
            times: None,
        }
    }

    /// Returns the resulting job, to be changed, except for its watermark and next fire time.
    pub(super) fn job(&mut self) -> &mut JobRecord {
        &mut self.changed
    }

    /// Makes the job continue from `now`, and skips its pending fire times.
    pub(super) fn go_on_from(&mut self, now: DateTime<Utc>, reason: SkipReason) {
        if now > self.seen.watermark {
            self.skipped.extend(self.seen.pending(now, reason));
        }
        self.changed.watermark = now.max(self.seen.watermark);
    }

    /// Finds the fire times that result from the change.
    pub(super) fn find_times(&mut self, effort: &mut Effort) -> Result<(), Exhausted> {
        let (seen, job) = (&self.seen, &self.changed);
        let stay = seen.trigger == job.trigger
            && seen.policies.jitter == job.policies.jitter
            && seen.watermark == job.watermark;
        if stay {
            return Ok(());
        }
        let mut fires = Vec::new();
        let mut are_all = false;
        let mut after = job.watermark;
        while fires.len() < READY {
            match effort.at_most(FIRE_TIME, |effort| job.fire_after(after, effort)) {
                Ok(Some(fire)) => {
                    fires.push(fire);
                    after = fire.nominal;
                }
                Ok(None) => {
                    are_all = true;
                    break;
                }
                Err(cut_off) if fires.is_empty() => return Err(cut_off),
                Err(_) => break,
            }
            if after > job.watermark + READY_FOR {
                break;
            }
        }
        self.times = Some(Times {
            watermark: job.watermark,
            fires,
            are_all,
        });
        Ok(())
    }

    /// Applies the change to the stored job. Returns the fire times skipped by it, or `None` if the job is no longer
    /// the one for which the change was computed.
    fn put_into(&self, job: &mut JobRecord) -> Option<Vec<SkippedTimes>> {
        let has_moved = (job.watermark, job.next) != (self.seen.watermark, self.seen.next);
        let mut changed = self.changed.clone();
        (changed.watermark, changed.next) = (job.watermark, job.next);
        if has_moved {
            let times_aside = JobRecord {
                watermark: job.watermark,
                next: job.next,
                ..self.seen.clone()
            };
            // Some or all of the pending fire times were claimed meanwhile.
            if times_aside != *job || !self.skipped.is_empty() {
                return None;
            }
        } else if self.seen != *job {
            return None;
        }
        if let Some(times) = &self.times {
            changed.watermark = times.watermark.max(job.watermark);
            let mut fires = times.fires.iter();
            changed.next = fires.find(|fire| fire.nominal > changed.watermark).copied();
            if changed.next.is_none() && !times.are_all {
                return None;
            }
        }
        *job = changed;
        Some(self.skipped.clone())
    }
}

impl Scheduler {
    /// Changes one stored job as `decide` determines, at this instant in the time of its store. `decide` may search,
    /// outside the runtime if that takes long, and is called again with the current job if that was changed
    /// meanwhile.
    pub(super) async fn change(
        &self,
        id: &str,
        decide: impl Fn(&Scheduler, &JobRecord, DateTime<Utc>, &mut Effort) -> Result<Change, Error>
        + Clone
        + Send
        + 'static,
    ) -> Result<JobRecord, Error> {
        for _ in 0..TRIES {
            let (port, seen) = self.find(id).await?;
            self.0.measure_clock(&port).await;
            let now = port.now();
            let (scheduler, decide) = (self.clone(), decide.clone());
            let search = move |effort: &mut Effort| decide(&scheduler, &seen, now, effort);
            let change = self.search(REQUEST, search).await?;
            let mut fits = false;
            let edit: Edit<'_> = Box::new(|job| {
                let skipped = change.put_into(job);
                fits = skipped.is_some();
                skipped.unwrap_or_default()
            });
            let edited = port.reach()?.edit(id, edit, now).await;
            let edited = edited
                .map_err(|error| store_error(&port, error))?
                .ok_or_else(|| Self::not_found(id))?;
            if fits {
                return Ok(self.publish_edited(&port, edited));
            }
        }
        Err(Error::ChangedMeanwhile {
            job: id.to_owned(),
            tries: TRIES,
        })
    }

    /// Changes one stored job, at this instant in the time of its store, and reports the fire times skipped by it.
    /// The change must not search.
    pub(super) async fn edit(
        &self,
        id: &str,
        mut change: impl FnMut(&mut JobRecord, DateTime<Utc>) -> Vec<SkippedTimes> + Send,
    ) -> Result<JobRecord, Error> {
        let (port, _) = self.find(id).await?;
        self.0.measure_clock(&port).await;
        let now = port.now();
        let edit: Edit<'_> = Box::new(move |job| change(job, now));
        let edited = port.reach()?.edit(id, edit, now).await;
        let edited = edited
            .map_err(|error| store_error(&port, error))?
            .ok_or_else(|| Self::not_found(id))?;
        Ok(self.publish_edited(&port, edited))
    }

    fn publish_edited(&self, port: &crate::engine::port::StorePort, edited: Edited) -> JobRecord {
        self.0.report_skipped(&edited.skipped);
        port.wake();
        edited.job
    }
}
