//! The meaning of a trigger, in plain English.
//!
//! Everything is derived from the sets of values that the search uses, never from the written text, so a description
//! matches the behaviour. Where it would be longer than the expression itself, the text form is used.

pub(crate) mod cron;
mod dates;
pub(crate) mod options;
pub(crate) mod shape;
mod times;
pub(crate) mod wording;

use crate::trigger::Trigger;

pub(crate) use dates::DayRule;

impl Trigger {
    /// Describes in plain English when the trigger fires; if that would be harder to understand than the expression,
    /// returns its text form. Never empty.
    ///
    /// The wording may change from version to version: store the text form, display this one.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    ///
    /// let trigger: Trigger = "cron 0 9 * * mon-fri timezone=Europe/Berlin".parse()?;
    /// assert_eq!(
    ///     trigger.describe(),
    ///     "every weekday (Monday to Friday) at 09:00 in Europe/Berlin"
    /// );
    /// assert_eq!(Trigger::every("90m")?.describe(), "every 1 hour 30 minutes");
    /// assert_eq!(
    ///     Trigger::cron("30 23 L * *")?.describe(),
    ///     "on the last day of each month at 23:30"
    /// );
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn describe(&self) -> String {
        self.kind_of().describe()
    }
}

#[cfg(test)]
mod tests;
