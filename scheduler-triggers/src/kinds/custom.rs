//! Triggers of the user's own.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::TriggerError;
use crate::zone::Zone;

/// A trigger written by a user.
///
/// It must be a pure function of the instant: no state, no clock. It can be kept in memory only,
/// since it has no text form.
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use scheduler_triggers::{CustomTrigger, Trigger};
///
/// /// Whole multiples of 90 seconds since the epoch.
/// #[derive(Debug)]
/// struct EveryNinetySeconds;
///
/// impl CustomTrigger for EveryNinetySeconds {
///     fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
///         DateTime::from_timestamp((after.timestamp() / 90 + 1) * 90, 0)
///     }
///
///     fn describe(&self) -> String {
///         "every 90 s of the epoch".to_owned()
///     }
/// }
///
/// let trigger = Trigger::custom(EveryNinetySeconds);
/// let next = trigger.next_after(DateTime::UNIX_EPOCH).unwrap();
/// assert_eq!(next - DateTime::UNIX_EPOCH, TimeDelta::seconds(90));
/// ```
///
/// One that asks another trigger passes [`resolve`](Self::resolve) on. Otherwise an interval inside it
/// counts from the epoch instead of from when the job is added, and times of day are in UTC.
pub trait CustomTrigger: Send + Sync + fmt::Debug {
    /// Gives the first fire time after an instant; an answer that is not after it ends the
    /// trigger.
    fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>>;

    /// Fills in what is left open until a job is added: the trigger that takes the place of this one;
    /// `None`, the default, when nothing is.
    ///
    /// # Errors
    /// As [`Trigger::resolve`](crate::Trigger::resolve).
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use chrono::{DateTime, TimeDelta, Timelike, Utc};
    /// use scheduler_triggers::{CustomTrigger, Trigger, TriggerError, Zone};
    ///
    /// /// The fire times of another trigger in the mornings.
    /// #[derive(Debug)]
    /// struct Mornings(Trigger);
    ///
    /// impl CustomTrigger for Mornings {
    ///     fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    ///         self.0.upcoming(after).find(|at| at.hour() < 12)
    ///     }
    ///
    ///     fn resolve(
    ///         &self,
    ///         now: DateTime<Utc>,
    ///         default_zone: Zone,
    ///     ) -> Result<Option<Arc<dyn CustomTrigger>>, TriggerError> {
    ///         Ok(Some(Arc::new(Self(self.0.resolve(now, default_zone)?))))
    ///     }
    /// }
    ///
    /// let now: DateTime<Utc> = "2026-01-01T09:10:00Z".parse()?;
    /// let mornings = Trigger::custom(Mornings(Trigger::every("90m")?)).resolve(now, Zone::UTC)?;
    /// // Counted from `now`, as an interval that is added is.
    /// assert_eq!(mornings.next_after(now), Some(now + TimeDelta::minutes(90)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn resolve(
        &self,
        _now: DateTime<Utc>,
        _default_zone: Zone,
    ) -> Result<Option<Arc<dyn CustomTrigger>>, TriggerError> {
        Ok(None)
    }

    /// Describes the trigger to a reader.
    fn describe(&self) -> String {
        format!("{self:?}")
    }
}
