//! Triggers of the user's own.

use std::fmt;

use chrono::{DateTime, Utc};

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
pub trait CustomTrigger: Send + Sync + fmt::Debug {
    /// Gives the first fire time after an instant; an answer that is not after it ends the
    /// trigger.
    fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>>;

    /// Describes the trigger to a reader.
    fn describe(&self) -> String {
        format!("{self:?}")
    }
}
