//! What a trigger means, in plain English.
//!
//! All is read off the sets of values that the search uses, never off the text that was written:
//! what is said is what happens. What would take more words than the expression itself is left
//! to the text form.

pub(crate) mod cron;
mod dates;
pub(crate) mod options;
pub(crate) mod shape;
mod times;
pub(crate) mod wording;

use crate::trigger::Trigger;

pub(crate) use dates::DayRule;

impl Trigger {
    /// Says in plain English when the trigger fires; where that would be longer than the
    /// expression is clear, gives its text form. Never empty.
    ///
    /// The words may change from version to version: keep the text form, show this one.
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
