//! The arguments of calls that set a job's trigger: texts, and the values they represent.

use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use scheduler_triggers::{Fold, Gap, Trigger, TriggerError, Zone};

#[cfg(doc)]
use crate::job::Job;

/// The argument of [`Job::cron`]: a cron text, or a schedule of the `cron` crate (feature `cron`).
pub trait IntoCron {
    #[doc(hidden)]
    fn into_cron(self) -> Result<Trigger, TriggerError>;
}

impl IntoCron for &str {
    fn into_cron(self) -> Result<Trigger, TriggerError> {
        Trigger::cron(self)
    }
}

impl IntoCron for &String {
    fn into_cron(self) -> Result<Trigger, TriggerError> {
        self.as_str().into_cron()
    }
}

impl IntoCron for String {
    fn into_cron(self) -> Result<Trigger, TriggerError> {
        self.as_str().into_cron()
    }
}

#[cfg(feature = "cron")]
impl IntoCron for cron::Schedule {
    fn into_cron(self) -> Result<Trigger, TriggerError> {
        Ok(Trigger::from(self))
    }
}

/// The argument of [`Job::interval`]: a text such as `"1h 30m"`, or a [`Duration`].
pub trait IntoInterval {
    #[doc(hidden)]
    fn into_interval(self) -> Result<Trigger, TriggerError>;
}

impl IntoInterval for &str {
    fn into_interval(self) -> Result<Trigger, TriggerError> {
        Trigger::every(self)
    }
}

impl IntoInterval for &String {
    fn into_interval(self) -> Result<Trigger, TriggerError> {
        self.as_str().into_interval()
    }
}

impl IntoInterval for String {
    fn into_interval(self) -> Result<Trigger, TriggerError> {
        self.as_str().into_interval()
    }
}

impl IntoInterval for Duration {
    fn into_interval(self) -> Result<Trigger, TriggerError> {
        Trigger::interval(self)
    }
}

/// The argument of [`Job::start`] and [`Job::end`]: an RFC 3339 text, a wall-clock text or a [`DateTime`].
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
        self.as_str().into_bound()
    }
}

impl IntoBound for String {
    fn into_bound(self) -> String {
        self.as_str().into_bound()
    }
}

impl<Z: TimeZone> IntoBound for DateTime<Z> {
    fn into_bound(self) -> String {
        self.to_utc().to_rfc3339()
    }
}

/// The argument of [`Job::date`]: an RFC 3339 text, or a [`DateTime`] in any time zone.
pub trait IntoDate {
    #[doc(hidden)]
    fn into_date(self) -> Result<Trigger, TriggerError>;
}

impl IntoDate for &str {
    fn into_date(self) -> Result<Trigger, TriggerError> {
        Trigger::at(self)
    }
}

impl IntoDate for &String {
    fn into_date(self) -> Result<Trigger, TriggerError> {
        self.as_str().into_date()
    }
}

impl IntoDate for String {
    fn into_date(self) -> Result<Trigger, TriggerError> {
        self.as_str().into_date()
    }
}

impl<Z: TimeZone> IntoDate for DateTime<Z> {
    fn into_date(self) -> Result<Trigger, TriggerError> {
        Ok(Trigger::date(self.with_timezone(&Utc)))
    }
}

/// The argument of [`Job::timezone`], [`Job::gap`] and [`Job::fold`]: the value itself, or its text as in an
/// attribute.
pub trait IntoTriggerOption<T> {
    #[doc(hidden)]
    fn into_option(self) -> String;
}

impl<T> IntoTriggerOption<T> for &str {
    fn into_option(self) -> String {
        self.to_owned()
    }
}

impl<T> IntoTriggerOption<T> for &String {
    fn into_option(self) -> String {
        self.clone()
    }
}

impl<T> IntoTriggerOption<T> for String {
    fn into_option(self) -> String {
        self
    }
}

impl IntoTriggerOption<Self> for Zone {
    fn into_option(self) -> String {
        self.to_string()
    }
}

impl IntoTriggerOption<Self> for Gap {
    fn into_option(self) -> String {
        self.to_string()
    }
}

impl IntoTriggerOption<Self> for Fold {
    fn into_option(self) -> String {
        self.to_string()
    }
}
