//! A job to be added: a task, arguments, a trigger and policies, under an id.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use scheduler_triggers::{Fold, Gap, Trigger, TriggerError, Zone};
use serde::Serialize;

use crate::error::Error;
use crate::policy::{Backoff, Coalesce, Overlap, PolicyPatch};
use crate::task::arguments::Arguments;

/// A job to be added with [`Scheduler::add_job`](crate::Scheduler::add_job).
///
/// Usually made by the task itself, so that the compiler checks the arguments:
///
/// ```
/// use scheduler_core::prelude::*;
///
/// #[task]
/// async fn send_reminder(user_id: i64, text: String) {}
///
/// let job = send_reminder::job(42, "stand-up".into())
///     .id("reminder-42")
///     .cron("45 8 * * mon-fri")
///     .timezone(Tz::Europe__Berlin);
/// # let _ = job;
/// ```
///
/// or by name, as an HTTP handler does:
///
/// ```
/// # use scheduler_core::prelude::*;
/// let job = Job::new("send_reminder")
///     .argument("user_id", 42)
///     .argument("text", "stand-up")
///     .interval("1h");
/// # let _ = job;
/// ```
///
/// Mistakes in triggers and arguments are told by `add_job`, so that the calls can be chained.
#[derive(Debug, Clone)]
pub struct Job {
    pub(crate) task: Cow<'static, str>,
    pub(crate) id: Option<Arc<str>>,
    pub(crate) arguments: Arguments,
    pub(crate) argument_error: Option<String>,
    pub(crate) trigger: Option<Result<Trigger, TriggerError>>,
    modifiers: Vec<(&'static str, String)>,
    pub(crate) policies: PolicyPatch,
    pub(crate) replace_existing: bool,
    pub(crate) paused: Option<Box<str>>,
}

impl Job {
    /// Starts a job of the task with this name.
    pub fn new(task: impl Into<Cow<'static, str>>) -> Self {
        Self {
            task: task.into(),
            id: None,
            arguments: Arguments::new(),
            argument_error: None,
            trigger: None,
            modifiers: Vec::new(),
            policies: PolicyPatch::default(),
            replace_existing: false,
            paused: None,
        }
    }

    /// Sets the id; without one, the job gets the task's name and a unique number.
    #[must_use]
    pub fn id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Adds one argument by name.
    #[must_use]
    pub fn argument(mut self, name: &str, value: impl Serialize) -> Self {
        match self.arguments.clone().with(name, value) {
            Ok(arguments) => self.arguments = arguments,
            Err(error) => {
                self.argument_error.get_or_insert(format!(
                    "argument `{name}` cannot be written as JSON: {error}"
                ));
            }
        }
        self
    }

    /// Replaces all arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: impl Into<Arguments>) -> Self {
        self.arguments = arguments.into();
        self.argument_error = None;
        self
    }

    /// Sets any trigger.
    #[must_use]
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        self.trigger = Some(Ok(trigger));
        self
    }

    /// Fires at each match of a cron text such as `"0 6 * * mon-fri"`, or of a schedule of the
    /// `cron` crate.
    #[must_use]
    pub fn cron(mut self, expression: impl IntoCron) -> Self {
        self.trigger = Some(expression.into_cron());
        self
    }

    /// Fires each time so much has passed: `"1h 30m"` or a [`Duration`].
    #[must_use]
    pub fn interval(mut self, every: impl IntoInterval) -> Self {
        self.trigger = Some(every.into_interval());
        self
    }

    /// Fires once: an RFC 3339 text or a [`DateTime`].
    #[must_use]
    pub fn date(mut self, at: impl IntoDate) -> Self {
        self.trigger = Some(at.into_date());
        self
    }

    /// Sets the trigger's time zone (the scheduler's unless given).
    #[must_use]
    pub fn timezone(self, zone: impl Into<Zone>) -> Self {
        let zone: Zone = zone.into();
        self.modifier("timezone", zone.to_string())
    }

    /// Fires only at or after this: RFC 3339, or a wall-clock time of the trigger's zone.
    #[must_use]
    pub fn start(self, start: impl IntoBound) -> Self {
        self.modifier("start", start.into_bound())
    }

    /// Fires only at or before this: RFC 3339, or a wall-clock time of the trigger's zone.
    #[must_use]
    pub fn end(self, end: impl IntoBound) -> Self {
        self.modifier("end", end.into_bound())
    }

    /// Chooses what a wall-clock time that does not exist on a day means.
    #[must_use]
    pub fn gap(self, gap: Gap) -> Self {
        self.modifier("gap", gap.to_string())
    }

    /// Chooses what a wall-clock time that occurs twice on a day means.
    #[must_use]
    pub fn fold(self, fold: Fold) -> Self {
        self.modifier("fold", fold.to_string())
    }

    fn modifier(mut self, key: &'static str, value: String) -> Self {
        self.modifiers.push((key, value));
        self
    }

    /// Lays more policies over those set so far (see [`PolicyPatch`]).
    #[must_use]
    pub fn policies(mut self, change: impl FnOnce(PolicyPatch) -> PolicyPatch) -> Self {
        self.policies = change(self.policies);
        self
    }

    /// See [`PolicyPatch::misfire_grace_time`].
    #[must_use]
    pub fn misfire_grace_time(self, grace: impl Into<Option<Duration>>) -> Self {
        self.policies(|policies| policies.misfire_grace_time(grace))
    }

    /// See [`PolicyPatch::coalesce`].
    #[must_use]
    pub fn coalesce(self, coalesce: Coalesce) -> Self {
        self.policies(|policies| policies.coalesce(coalesce))
    }

    /// See [`PolicyPatch::max_instances`].
    #[must_use]
    pub fn max_instances(self, count: u32) -> Self {
        self.policies(|policies| policies.max_instances(count))
    }

    /// See [`PolicyPatch::overlap`].
    #[must_use]
    pub fn overlap(self, overlap: Overlap) -> Self {
        self.policies(|policies| policies.overlap(overlap))
    }

    /// See [`PolicyPatch::timeout`].
    #[must_use]
    pub fn timeout(self, timeout: impl Into<Option<Duration>>) -> Self {
        self.policies(|policies| policies.timeout(timeout))
    }

    /// See [`PolicyPatch::retries`].
    #[must_use]
    pub fn retries(self, count: u32) -> Self {
        self.policies(|policies| policies.retries(count))
    }

    /// See [`PolicyPatch::backoff`].
    #[must_use]
    pub fn backoff(self, backoff: Backoff) -> Self {
        self.policies(|policies| policies.backoff(backoff))
    }

    /// See [`PolicyPatch::jitter`].
    #[must_use]
    pub fn jitter(self, jitter: Duration) -> Self {
        self.policies(|policies| policies.jitter(jitter))
    }

    /// See [`PolicyPatch::at_most_once`].
    #[must_use]
    pub fn at_most_once(self, at_most_once: bool) -> Self {
        self.policies(|policies| policies.at_most_once(at_most_once))
    }

    /// See [`PolicyPatch::executor`].
    #[must_use]
    pub fn executor(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.policies(|policies| policies.executor(name))
    }

    /// See [`PolicyPatch::store`].
    #[must_use]
    pub fn store(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.policies(|policies| policies.store(name))
    }

    /// See [`PolicyPatch::run_on_start`].
    #[must_use]
    pub fn run_on_start(self, run: bool) -> Self {
        self.policies(|policies| policies.run_on_start(run))
    }

    /// Replaces a job that is there under the same id, instead of refusing.
    #[must_use]
    pub fn replace_existing(mut self, replace: bool) -> Self {
        self.replace_existing = replace;
        self
    }

    /// Adds the job paused, with a note that says why.
    #[must_use]
    pub fn paused(mut self, note: impl Into<Box<str>>) -> Self {
        self.paused = Some(note.into());
        self
    }

    /// The trigger with its zone, bounds and clock-change rules.
    pub(crate) fn finished_trigger(&self, name: &str) -> Result<Trigger, Error> {
        let trigger = self.trigger.clone().ok_or_else(|| Error::NoTrigger {
            job: name.to_owned(),
        })?;
        self.modifiers
            .iter()
            .fold(trigger, |trigger, (key, value)| trigger?.with(key, value))
            .map_err(|source| Error::Trigger {
                job: name.to_owned(),
                source,
            })
    }
}

/// What [`Job::cron`] takes.
pub trait IntoCron {
    #[doc(hidden)]
    fn into_cron(self) -> Result<Trigger, TriggerError>;
}

impl IntoCron for &str {
    fn into_cron(self) -> Result<Trigger, TriggerError> {
        Trigger::cron(self)
    }
}

impl IntoCron for String {
    fn into_cron(self) -> Result<Trigger, TriggerError> {
        Trigger::cron(&self)
    }
}

#[cfg(feature = "cron")]
impl IntoCron for cron::Schedule {
    fn into_cron(self) -> Result<Trigger, TriggerError> {
        Ok(Trigger::from(self))
    }
}

/// What [`Job::interval`] takes.
pub trait IntoInterval {
    #[doc(hidden)]
    fn into_interval(self) -> Result<Trigger, TriggerError>;
}

impl IntoInterval for &str {
    fn into_interval(self) -> Result<Trigger, TriggerError> {
        Trigger::every(self)
    }
}

impl IntoInterval for Duration {
    fn into_interval(self) -> Result<Trigger, TriggerError> {
        Trigger::interval(self)
    }
}

/// What [`Job::start`] and [`Job::end`] take: an RFC 3339 text, a wall-clock text or a [`DateTime`].
pub trait IntoBound {
    #[doc(hidden)]
    fn into_bound(self) -> String;
}

impl IntoBound for &str {
    fn into_bound(self) -> String {
        self.to_owned()
    }
}

impl IntoBound for &String {
    fn into_bound(self) -> String {
        self.clone()
    }
}

impl<Z: TimeZone> IntoBound for DateTime<Z> {
    fn into_bound(self) -> String {
        self.to_utc().to_rfc3339()
    }
}

/// What [`Job::date`] takes.
pub trait IntoDate {
    #[doc(hidden)]
    fn into_date(self) -> Result<Trigger, TriggerError>;
}

impl IntoDate for &str {
    fn into_date(self) -> Result<Trigger, TriggerError> {
        Trigger::at(self)
    }
}

impl<Z: TimeZone> IntoDate for DateTime<Z> {
    fn into_date(self) -> Result<Trigger, TriggerError> {
        Ok(Trigger::date(self.with_timezone(&Utc)))
    }
}
