//! Bringing a stored job in line with the code.
//!
//! For authors of stores. When a scheduler starts, it passes each store the jobs defined in code ([`StaticJob`]),
//! with overrides and defaults applied. In one transaction, the store reads the record with the same id, calls
//! [`reconcile`], and writes the record that is returned, if any.
//!
//! | stored | in the code | becomes |
//! | --- | --- | --- |
//! | nothing | any | [`Change::Added`]: fires from now on, or is paused if the code says so |
//! | static, same hash | unchanged | [`Change::Unchanged`]: the stored next fire time stays, so that what was missed while the program was down is handled by policy |
//! | static, other trigger | changed | [`Change::Rescheduled`]: counts from now; what was pending is skipped as `superseded` |
//! | static, other policies, arguments or task | changed | [`Change::Updated`]: fire times stay |
//! | dynamic | any | [`Change::TakenByDynamic`]: nothing is written, and the scheduler does not start |
//!
//! The hashes of what is explicitly specified are compared, never the stored trigger. So the edits of an operator at
//! run time survive restarts until the code changes: an edited trigger until the trigger changes in the code, and
//! edited policies and arguments until the task, its arguments or its policies do. The hashes cover the task, its
//! arguments, the trigger, and each policy that the attribute, [`Builder::defaults`](crate::Builder::defaults) or an
//! override names, so a changed override or builder default takes effect like changed code. The defaults of this
//! library are not covered: another version of it may have more policies, other defaults or other wording for a
//! trigger, and no job appears changed. A job that was not edited gets the new default. A pause survives every
//! change, and so does resuming a job that the code adds paused. A job that was removed from the code is not passed
//! to the store, and is kept.
//!
//! # Example
//!
//! The same job, started three times over one store, the last time with another trigger:
//!
//! ```
//! use scheduler_core::prelude::*;
//! use scheduler_core::testing::VirtualClock;
//! use scheduler_core::{JobOverride, MemoryStore, Overrides};
//!
//! #[scheduled_job(interval = "1h", id = "expire_trials")]
//! async fn expire_trials() {}
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = VirtualClock::at("2026-01-01T00:00:00Z")?;
//! let store = MemoryStore::new();
//! let changed = JobOverride::new().trigger(Trigger::cron("0 12 * * *")?);
//! for (overrides, next) in [
//!     (Overrides::new(), "2026-01-01T01:00:00Z"), // added
//!     (Overrides::new(), "2026-01-01T01:00:00Z"), // unchanged, although it is 00:20 by now
//!     (Overrides::new().job("expire_trials", changed), "2026-01-01T12:00:00Z"), // rescheduled
//! ] {
//!     let scheduler = Scheduler::builder()
//!         .store(store.clone())
//!         .overrides(overrides)
//!         .only(["expire_trials"])
//!         .clock(clock.clone())
//!         .start()
//!         .await?;
//!     let job = scheduler.get_job("expire_trials").await?.ok_or("no such job")?;
//!     assert_eq!(job.next_run_time(), Some(next.parse()?));
//!     scheduler.shutdown(Shutdown::wait()).await;
//!     clock.advance(chrono::TimeDelta::minutes(20)).await;
//! }
//! # Ok(())
//! # }
//! ```

use std::sync::Arc;

use chrono::{DateTime, Utc};
use scheduler_triggers::{Effort, Trigger, Zone};
use serde_json::{Map, Value};

use crate::definition_hash::{DefinitionHash, Written, was_default};
use crate::effort::FIRE_TIME;
use crate::error::PolicyError;
use crate::id::JobId;
use crate::job_record::{JobRecord, Origin};
use crate::plan::{NextFire, too_costly};
use crate::policy::{Policies, PolicyPatch};
use crate::skipped::{SkipReason, Skipped, SkippedTimes};
use crate::task::arguments::Arguments;

/// A job defined in code, with overrides and defaults applied, ready to be stored.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StaticJob {
    /// Its id.
    pub id: JobId,
    /// Its task.
    pub task: Arc<str>,
    /// Its arguments.
    pub arguments: Arguments,
    /// Its trigger as specified in code.
    pub trigger: Trigger,
    /// The time zone for triggers that name none.
    pub zone: Zone,
    /// Its policies.
    pub policies: Arc<Policies>,
    /// The note of a job that is added paused. It does not affect a job that is already stored, so it is not part of
    /// the hashes.
    pub paused: Option<Box<str>>,
    /// The hashes of what is explicitly specified.
    pub hash: DefinitionHash,
    first: Option<First>,
}

/// The first fire time of a definition that is added at an instant.
#[derive(Debug, Clone, Copy)]
struct First {
    now: DateTime<Utc>,
    next: Option<NextFire>,
}

impl StaticJob {
    /// Creates a definition from what is specified, with the resulting policies.
    pub(crate) fn new(
        id: JobId,
        written: Written<'_>,
        policies: Arc<Policies>,
        paused: Option<Box<str>>,
    ) -> Self {
        Self {
            id,
            task: written.task.into(),
            arguments: written.arguments.clone(),
            trigger: written.trigger.clone(),
            zone: written.zone,
            policies,
            paused,
            hash: written.hash(),
            first: None,
        }
    }

    /// Creates the definition of an async task whose code names these policies, with the library's defaults for the
    /// others. Schedulers create theirs from the attribute; this is for tests of stores.
    ///
    /// # Errors
    /// Returns an error if the policies contradict each other.
    pub fn written(
        id: JobId,
        task: &str,
        arguments: &Arguments,
        (trigger, zone): (&Trigger, Zone),
        policies: &PolicyPatch,
    ) -> Result<Self, PolicyError> {
        let written = Written {
            trigger,
            zone,
            task,
            is_sync: false,
            arguments,
            policies: &policies.written(),
        };
        let policies = policies.over(&Policies::default())?;
        Ok(Self::new(id, written, Arc::new(policies), None))
    }

    /// Searches for the first fire time of a job that is added or rescheduled now, so that no store has to do so in
    /// its transaction.
    pub(crate) fn find_first(&mut self, now: DateTime<Utc>) {
        let mut job = self.new_job(now);
        let found = job.find_next(&mut Effort::steps(FIRE_TIME));
        self.first = found.is_ok().then_some(First {
            now,
            next: job.next,
        });
    }

    /// Returns the job that this defines, added now, without its next fire time.
    fn new_job(&self, now: DateTime<Utc>) -> JobRecord {
        // A trigger that cannot be resolved was refused when the scheduler started.
        let trigger = self.trigger.resolve(now, self.zone);
        JobRecord::new(
            self.id.clone(),
            self.task.clone(),
            self.arguments.clone(),
            trigger.unwrap_or_else(|_| self.trigger.clone()),
            self.policies.clone(),
            Origin::Static(self.hash),
            now,
        )
    }
}

/// What happened to a job defined in code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The job is new.
    Added,
    /// The code is unchanged, and the stored next fire time is kept. A record is still returned if the stored one
    /// lacks hashes of this version.
    Unchanged,
    /// Its trigger was changed in the code and counts from now.
    Rescheduled,
    /// Its policies, arguments or task were changed in the code.
    Updated,
    /// A job added at run time has this id.
    TakenByDynamic,
}

/// The answer of a store for one job defined in code.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reconciled {
    /// The job.
    pub id: JobId,
    /// What happened to it.
    pub change: Change,
    /// Pending fire times that are superseded.
    pub skipped: Vec<Skipped>,
    /// If `true`, this restores the definition that the stored one had replaced: two versions of the program
    /// alternate, and each start undoes the other's change.
    pub flips: bool,
}

impl Reconciled {
    /// Creates the answer of a store that leaves a job unchanged because its record cannot be read.
    pub fn left_alone(id: JobId) -> Self {
        Self {
            id,
            change: Change::Unchanged,
            skipped: Vec::new(),
            flips: false,
        }
    }
}

/// Decides how the definition in code changes the stored job. Contains the record to write, if any.
///
/// The hashes of what is explicitly specified are compared, never the stored trigger: run-time edits are kept until
/// the code changes. The [module](self) has the cases and an example.
pub fn reconcile(
    existing: Option<&JobRecord>,
    definition: StaticJob,
    now: DateTime<Utc>,
) -> (Option<JobRecord>, Reconciled) {
    let answer = |change, skipped| Reconciled {
        id: definition.id.clone(),
        change,
        skipped,
        flips: false,
    };
    let Some(stored) = existing else {
        let added = added(&definition, now);
        return (Some(added), answer(Change::Added, Vec::new()));
    };
    let Origin::Static(stored_hash) = stored.origin else {
        return (None, answer(Change::TakenByDynamic, Vec::new()));
    };
    let hash = definition.hash;
    let is_same_trigger = hash.has_trigger_of(&stored_hash);
    if is_same_trigger && hash.has_rest_of(&stored_hash) {
        let job = unchanged(stored, &definition, now);
        let is_new = job != *stored;
        return (is_new.then_some(job), answer(Change::Unchanged, Vec::new()));
    }
    let mut job = updated(stored, stored_hash, &definition);
    // An operator may already have set this trigger, or the same one with another name for its time zone.
    let is_in_force = || {
        let written = &definition.trigger;
        !stored.is_finished() && written.resolves_to(&stored.trigger, definition.zone)
    };
    let (change, skipped, first) = if is_same_trigger || is_in_force() {
        (Change::Updated, None, None)
    } else {
        let first = reschedule(&mut job, &definition, now);
        (Change::Rescheduled, pending(stored, now), first)
    };
    let is_same = job.trigger == stored.trigger && job.policies.jitter == stored.policies.jitter;
    if !is_same || job.watermark != stored.watermark {
        find_next(&mut job, first, now);
    }
    let skipped = skipped
        .into_iter()
        .map(|times| Skipped::new(definition.id.clone(), times, now))
        .collect();
    let answer = Reconciled {
        flips: flips(stored, hash),
        ..answer(change, skipped)
    };
    (Some(job), answer)
}

fn added(definition: &StaticJob, now: DateTime<Utc>) -> JobRecord {
    let mut job = definition.new_job(now);
    find_next(&mut job, definition.first, now);
    job.paused = job.paused.or(definition.paused.clone());
    job
}

/// Returns the record of a job whose code is unchanged. Policies that were not edited follow the library's defaults.
fn unchanged(stored: &JobRecord, definition: &StaticJob, now: DateTime<Utc>) -> JobRecord {
    let mut job = stored.clone();
    job.origin = Origin::Static(definition.hash);
    if !job.edited && job.policies != definition.policies {
        // A node of the first schema version forgets that a job is edited when its trigger changes in the code, even
        // in a row that this version has written before.
        job.edited = is_edit(&job.policies, &definition.policies, &Policies::default());
    }
    if !job.edited && job.policies != definition.policies {
        job.policies = definition.policies.clone();
        if job.policies.jitter != stored.policies.jitter {
            find_next(&mut job, None, now);
        }
    }
    job
}

/// Returns the record of a job whose code has changed, still with the stored trigger and fire times.
fn updated(stored: &JobRecord, stored_hash: DefinitionHash, definition: &StaticJob) -> JobRecord {
    let hash = definition.hash;
    let is_same_rest = hash.has_rest_of(&stored_hash);
    let mut job = stored.clone();
    job.origin = Origin::Static(hash);
    // Nodes of the first schema version do not distinguish definitions that differ only in `written`, so such a
    // definition is not remembered as the replaced one.
    if (hash.trigger, hash.rest) != (stored_hash.trigger, stored_hash.rest) {
        job.replaced = Some(Box::new(DefinitionHash {
            written: None,
            ..stored_hash
        }));
    }
    // An operator's edits of policies and arguments survive a change of the trigger.
    job.edited &= is_same_rest
        && (job.policies != definition.policies || job.arguments != definition.arguments);
    if !is_same_rest {
        job.task = definition.task.clone();
        job.arguments = definition.arguments.clone();
        job.policies = definition.policies.clone();
    }
    job
}

/// Sets the definition's trigger on a stored job, counted from now. Returns the first fire time found for the
/// definition if it also applies to this trigger.
fn reschedule(job: &mut JobRecord, definition: &StaticJob, now: DateTime<Utc>) -> Option<First> {
    let written = &definition.trigger;
    let changed = in_place_of(written, &job.trigger, (now, definition.zone));
    let first = definition.first.filter(|_| changed == *written);
    // A trigger that cannot be resolved was refused when the scheduler started.
    let resolved = changed.resolve(now, definition.zone);
    job.trigger = resolved.unwrap_or(changed);
    job.watermark = now.max(job.watermark);
    first
}

/// Returns `true` if the definition is the one that the stored one had replaced.
fn flips(stored: &JobRecord, hash: DefinitionHash) -> bool {
    let replaced = stored.replaced.as_deref();
    replaced.is_some_and(|before| hash.has_trigger_of(before) && hash.has_rest_of(before))
}

/// Returns `true` if the stored policies of a job whose code is unchanged were edited.
///
/// Stores do not save defaults, so a policy that was stored with the default of an earlier version is read with the
/// default of this one. Every other difference is an edit.
fn is_edit(stored: &Policies, written: &Policies, defaults: &Policies) -> bool {
    let (stored, written, defaults) = (fields(stored), fields(written), fields(defaults));
    written.iter().any(|(key, value)| {
        let found = stored.get(key);
        let is_default = || found == defaults.get(key) && was_default(key, value);
        found != Some(value) && !is_default()
    })
}

fn fields(policies: &Policies) -> Map<String, Value> {
    match serde_json::to_value(policies) {
        Ok(Value::Object(fields)) => fields,
        // Policies consist of numbers, names and durations, which JSON can always represent.
        _ => Map::new(),
    }
}

/// Returns the pending fire times of a job that is rescheduled now.
fn pending(job: &JobRecord, now: DateTime<Utc>) -> Option<SkippedTimes> {
    if now <= job.watermark {
        return None;
    }
    job.pending(now, SkipReason::Superseded)
}

/// Sets the next fire time: the one found before, if it is still ahead of the job. A job whose search takes too much
/// work is paused, with a note that says so.
fn find_next(job: &mut JobRecord, first: Option<First>, now: DateTime<Utc>) {
    let known = first
        .filter(|first| first.now == now)
        .filter(|first| first.next.is_none_or(|next| next.nominal > job.watermark));
    if let Some(first) = known {
        job.next = first.next;
    } else if let Err(cut_off) = job.find_next(&mut Effort::steps(FIRE_TIME)) {
        job.next = None;
        job.paused.get_or_insert_with(|| too_costly(cut_off).into());
    }
}

/// Returns the trigger that replaces another, not resolved yet. A changed `every` continues from the instants of the
/// old one, unless the first of them is so far ahead that it would begin later than a new one.
pub(crate) fn in_place_of(
    new: &Trigger,
    old: &Trigger,
    (now, zone): (DateTime<Utc>, Zone),
) -> Trigger {
    let anchored = new.with_anchor_of(old);
    if anchored == *new {
        return anchored;
    }
    // An interval: its fire times are pure arithmetic.
    let first = |trigger: &Trigger| trigger.resolve(now, zone).ok()?.next_after(now);
    match (first(&anchored), first(new)) {
        (Some(kept), Some(fresh)) if kept > fresh => new.clone(),
        _ => anchored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retries(retries: u32) -> Policies {
        Policies {
            retries,
            ..Policies::default()
        }
    }

    #[test]
    fn difference_not_explained_by_another_default_is_an_edit() {
        // From a version of this library with other defaults.
        let defaults = retries(5);
        for (stored, written, expected) in [
            (8, 0, true),
            (8, 3, true),
            // An operator has set the default, which is not stored.
            (5, 3, true),
            // Stored as 0, which was once the default and is not stored.
            (5, 0, false),
        ] {
            let found = is_edit(&retries(stored), &retries(written), &defaults);
            assert_eq!(found, expected, "{stored}, written {written}");
        }
    }
}
