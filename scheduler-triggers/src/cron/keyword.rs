//! The keyword form of cron: one text per field.

use std::fmt;

use crate::cron::Cron;
use crate::cron::build::{Fields, never};
use crate::cron::days::Special;
use crate::cron::field::Field;
use crate::cron::item::{Dialect, Values};
use crate::error::TriggerError;
use crate::trigger::Trigger;

/// Builds a cron trigger field by field, as in `APScheduler`.
///
/// Fields that are left out are `*` above the least significant one that is given, and their minimum below it; `week`
/// and `day_of_week` are always `*`. All fields must match.
///
/// ```
/// use scheduler_triggers::Trigger;
///
/// let trigger = Trigger::cron_fields().day_of_week("mon-fri").hour(6).build()?;
/// assert_eq!(trigger.to_string(), "cron day_of_week=mon-fri hour=6");
/// # Ok::<(), scheduler_triggers::TriggerError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "call `build` to get a trigger"]
pub struct CronFields {
    texts: [Option<String>; 8],
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident => $field:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(self, value: impl fmt::Display) -> Self {
            self.set(Field::$field, value.to_string())
        }
    )*};
}

impl CronFields {
    setters! {
        /// Sets the years, 1970 to 2099.
        ///
        /// ```
        /// scheduler_triggers::Trigger::cron_fields().year("2027-2029").build().unwrap();
        /// ```
        year => Year;
        /// Sets the months, as numbers or names.
        ///
        /// ```
        /// scheduler_triggers::Trigger::cron_fields().month("jan-mar").build().unwrap();
        /// ```
        month => Month;
        /// Sets the days: numbers, `last`, `2nd tue`, `last fri`.
        ///
        /// ```
        /// scheduler_triggers::Trigger::cron_fields().day("last fri").build().unwrap();
        /// ```
        day => Day;
        /// Sets the ISO weeks, 1 to 53.
        ///
        /// ```
        /// scheduler_triggers::Trigger::cron_fields().week("*/2").build().unwrap();
        /// ```
        week => Week;
        /// Sets the weekdays, by name.
        ///
        /// ```
        /// scheduler_triggers::Trigger::cron_fields().day_of_week("mon-fri").build().unwrap();
        /// ```
        day_of_week => DayOfWeek;
        /// Sets the hours.
        ///
        /// ```
        /// scheduler_triggers::Trigger::cron_fields().hour("*/2").build().unwrap();
        /// ```
        hour => Hour;
        /// Sets the minutes.
        ///
        /// ```
        /// scheduler_triggers::Trigger::cron_fields().minute(30).build().unwrap();
        /// ```
        minute => Minute;
        /// Sets the seconds.
        ///
        /// ```
        /// scheduler_triggers::Trigger::cron_fields().second("*/15").build().unwrap();
        /// ```
        second => Second;
    }

    pub(crate) fn set(mut self, field: Field, text: String) -> Self {
        self.texts[field as usize] = Some(text);
        self
    }

    fn is_set(&self, field: Field) -> bool {
        self.texts[field as usize].is_some()
    }

    /// Builds the trigger.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let error = Trigger::cron_fields().day_of_week("1-5").build().unwrap_err();
    /// assert_eq!(error.field(), Some("day_of_week"));
    /// ```
    ///
    /// # Errors
    /// Reports every unreadable field, or that the trigger could never fire. Spans count from the start of the field's
    /// text.
    pub fn build(&self) -> Result<Trigger, TriggerError> {
        Ok(Trigger::new(self.cron()?))
    }

    fn cron(&self) -> Result<Cron, TriggerError> {
        let Some(least) = Field::ALL
            .into_iter()
            .rev()
            .find(|field| self.is_set(*field))
        else {
            return Err(
                TriggerError::new("a cron trigger needs at least one field").example("hour = 6")
            );
        };
        let mut errors = None;
        let (mut special, mut text) = (Special::NONE, String::new());
        let mut written = ["*"; 8];
        let values = Field::ALL.map(|field| {
            let Some(given) = self.texts[field as usize].as_deref() else {
                return left_out(field, least);
            };
            written[field as usize] = given;
            let mut spelling = String::with_capacity(given.len());
            match Values::parse(field, Dialect::Keyword, given, &mut special, &mut spelling) {
                Ok(values) => {
                    push(&mut text, field, &spelling);
                    values
                }
                Err(error) => {
                    errors = Some(error.in_text(given).after(errors.take()));
                    Values::NOTHING
                }
            }
        });
        if let Some(errors) = errors {
            let given = Field::ALL.into_iter().filter(|field| self.is_set(*field));
            return Err(match given.count() {
                1 => errors,
                _ => errors.without_whole(),
            });
        }
        let cron = Cron::from(Fields {
            values,
            special,
            keyword: true,
            text,
        });
        if cron.can_fire() {
            Ok(cron)
        } else {
            Err(never(&cron, written))
        }
    }
}

fn left_out(field: Field, least: Field) -> Values {
    match field {
        Field::Week | Field::DayOfWeek => Values::all(field),
        _ if field < least => Values::all(field),
        _ => Values::least(field),
    }
}

/// Appends `field=value` to the text form of a trigger's fields.
pub(crate) fn push(text: &mut String, field: Field, value: &str) {
    let space = if text.is_empty() { "" } else { " " };
    let quote = if value.contains(' ') { "'" } else { "" };
    text.extend([space, field.name(), "=", quote, value, quote]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cron(fields: &CronFields) -> Cron {
        fields.cron().unwrap()
    }

    #[test]
    fn fields_left_out_are_star_above_and_minimum_below() {
        let weekly = cron(&Trigger::cron_fields().week(7));
        assert_eq!((weekly.hours, weekly.minutes, weekly.seconds), (1, 1, 1));
        assert_eq!((weekly.days, weekly.weekdays), (u32::MAX - 1, 0x7f));
        let monthly = cron(&Trigger::cron_fields().month("mar"));
        assert_eq!((monthly.days, monthly.weekdays), (0b10, 0x7f));
        let minutely = cron(&Trigger::cron_fields().minute("*/5"));
        assert_eq!(minutely.hours.count_ones(), 24);
        assert!(minutely.frequency);
    }

    #[test]
    fn all_fields_must_match() {
        assert!(!cron(&Trigger::cron_fields().day(13).day_of_week("fri")).either);
    }

    #[test]
    fn impossible_weeks_are_refused() {
        let error = Trigger::cron_fields()
            .week(30)
            .month(1)
            .build()
            .unwrap_err();
        assert_eq!(error.field(), Some("week"));
        assert!(CronFields::default().build().is_err());
    }
}
