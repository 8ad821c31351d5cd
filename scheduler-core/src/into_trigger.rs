//! What the calls that set a job's trigger take: texts, and the values they stand for.

use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use scheduler_triggers::{Trigger, TriggerError};

#[cfg(doc)]
use crate::job::Job;

/// What [`Job::cron`] takes: a cron text, or a schedule of the `cron` crate (feature `cron`).
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

/// What [`Job::interval`] takes: a text such as `"1h 30m"`, or a [`Duration`].
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

/// What [`Job::date`] takes: an RFC 3339 text, or a [`DateTime`] of any time zone.
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
