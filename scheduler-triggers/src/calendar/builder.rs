//! The builder of calendar intervals.

use std::fmt;

use crate::bounds::Bounds;
use crate::calendar::Calendar;
use crate::error::TriggerError;
use crate::moment::Moment;
use crate::text::time_of_day::parse_time;
use crate::trigger::Trigger;

/// Builds a trigger that fires at the same wall-clock time every given number of calendar days.
///
/// Years and months are added first, keeping the day of the month, until the date exists; then
/// weeks and days.
///
/// ```
/// use scheduler_triggers::Trigger;
///
/// let trigger = Trigger::calendar_interval()
///     .months(1)
///     .time("02:30")
///     .start_date("2026-01-31")
///     .build()?;
/// assert_eq!(trigger.to_string(), "calendar months=1 time=02:30:00 start=2026-01-31");
/// # Ok::<(), scheduler_triggers::TriggerError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "call `build` to get a trigger"]
pub struct CalendarInterval {
    years: u32,
    months: u32,
    weeks: u32,
    days: u32,
    time: Option<String>,
    start: Option<String>,
    end: Option<String>,
}

impl CalendarInterval {
    /// Sets the years between two dates.
    ///
    /// ```
    /// scheduler_triggers::Trigger::calendar_interval().years(1).build().unwrap();
    /// ```
    pub fn years(mut self, years: u32) -> Self {
        self.years = years;
        self
    }

    /// Sets the months between two dates.
    ///
    /// ```
    /// scheduler_triggers::Trigger::calendar_interval().months(1).build().unwrap();
    /// ```
    pub fn months(mut self, months: u32) -> Self {
        self.months = months;
        self
    }

    /// Sets the weeks between two dates.
    ///
    /// ```
    /// scheduler_triggers::Trigger::calendar_interval().weeks(2).build().unwrap();
    /// ```
    pub fn weeks(mut self, weeks: u32) -> Self {
        self.weeks = weeks;
        self
    }

    /// Sets the days between two dates.
    ///
    /// ```
    /// scheduler_triggers::Trigger::calendar_interval().days(10).build().unwrap();
    /// ```
    pub fn days(mut self, days: u32) -> Self {
        self.days = days;
        self
    }

    /// Sets the time of day, `HH:MM` or `HH:MM:SS` (default: midnight).
    ///
    /// ```
    /// scheduler_triggers::Trigger::calendar_interval().days(1).time("02:30").build().unwrap();
    /// ```
    pub fn time(mut self, time: impl fmt::Display) -> Self {
        self.time = Some(time.to_string());
        self
    }

    /// Sets the first date (default: the day on which the job is added).
    ///
    /// ```
    /// let weekly = scheduler_triggers::Trigger::calendar_interval().weeks(1);
    /// weekly.start_date("2026-01-05").build().unwrap();
    /// ```
    pub fn start_date(mut self, date: impl fmt::Display) -> Self {
        self.start = Some(date.to_string());
        self
    }

    /// Sets the last date, inclusive.
    ///
    /// ```
    /// let weekly = scheduler_triggers::Trigger::calendar_interval().weeks(1);
    /// weekly.end_date("2026-12-31").build().unwrap();
    /// ```
    pub fn end_date(mut self, date: impl fmt::Display) -> Self {
        self.end = Some(date.to_string());
        self
    }

    /// Builds the trigger.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// assert!(Trigger::calendar_interval().build().is_err());
    /// ```
    ///
    /// # Errors
    /// If all four counts are 0, or a time or date cannot be read.
    pub fn build(&self) -> Result<Trigger, TriggerError> {
        let counts = [self.years, self.months, self.weeks, self.days];
        if counts == [0; 4] {
            return Err(TriggerError::new(
                "a calendar interval needs years, months, weeks or days",
            )
            .example("months=1"));
        }
        if let Some(count) = counts.into_iter().find(|count| *count > 60_000) {
            return Err(TriggerError::new(format!(
                "`{count}` leads beyond the years that a trigger covers"
            ))
            .allow("up to 60000"));
        }
        let mut trigger = Trigger::new(Calendar {
            years: self.years,
            months: self.months,
            weeks: self.weeks,
            days: self.days,
            time: self.time.as_deref().map(parse_time).transpose()?,
            start: None,
            bounds: Bounds::NONE,
            gap: None,
            fold: None,
            zone: None,
        });
        if let Some(start) = &self.start {
            trigger = trigger.start(Moment::from(start.as_str()))?;
        }
        if let Some(end) = &self.end {
            trigger = trigger.end(Moment::from(end.as_str()))?;
        }
        Ok(trigger)
    }
}
