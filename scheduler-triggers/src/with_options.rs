//! Setting and reading the options of a trigger.

use chrono::{DateTime, Utc};

use crate::bounds::Bound;
use crate::error::TriggerError;
use crate::moment::{Moment, from_micros};
use crate::suggest;
use crate::text::time_of_day::parse_time;
use crate::trigger::Trigger;
use crate::zone::Zone;
use crate::zone::gap_fold::{Fold, Gap};

impl Trigger {
    /// Sets the time zone.
    ///
    /// ```
    /// use scheduler_triggers::{Trigger, Zone};
    /// let trigger = Trigger::cron("0 6 * * *")?.timezone(Zone::UTC)?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// If the trigger has no wall-clock time: an interval, or a date that is given as an instant.
    pub fn timezone(mut self, zone: impl Into<Zone>) -> Result<Self, TriggerError> {
        let zone = zone.into();
        self.edit(|kind| kind.set_zone(zone))?;
        Ok(self)
    }

    /// Sets the time zone by its IANA name.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let error = Trigger::cron("@daily")?.timezone_name("Asia/Shangai").unwrap_err();
    /// assert_eq!(error.suggestion(), Some("Asia/Shanghai"));
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such zone, or the trigger has no wall-clock time.
    pub fn timezone_name(self, name: &str) -> Result<Self, TriggerError> {
        self.timezone(name.parse::<Zone>()?)
    }

    /// Sets the first instant at which it may fire, inclusive; an interval counts from it.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let hourly = Trigger::every("1h")?.start("2026-01-01T00:30:00Z")?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// If it cannot be read, is after the end, or the trigger cannot have a start.
    pub fn start(mut self, start: impl Into<Moment>) -> Result<Self, TriggerError> {
        let start = start.into().read("start")?;
        self.edit(|kind| kind.set_bound(Bound::Start, start))?;
        Ok(self)
    }

    /// Sets the last instant at which it may fire, inclusive; a date means that whole day.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::cron("@daily")?.end("2026-12-31")?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// If it cannot be read, is before the start, or the trigger cannot have an end.
    pub fn end(mut self, end: impl Into<Moment>) -> Result<Self, TriggerError> {
        let end = end.into().read("end")?;
        self.edit(|kind| kind.set_bound(Bound::End, end))?;
        Ok(self)
    }

    /// Sets how fire times are handled that do not exist because clocks go forward.
    ///
    /// ```
    /// use scheduler_triggers::{Gap, Trigger};
    /// let trigger = Trigger::cron("30 2 * * *")?.gap(Gap::Skip)?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// If the trigger has no wall-clock time.
    pub fn gap(mut self, gap: Gap) -> Result<Self, TriggerError> {
        self.edit(|kind| kind.set_gap(gap))?;
        Ok(self)
    }

    /// Sets how fire times are handled that occur twice because clocks go back.
    ///
    /// ```
    /// use scheduler_triggers::{Fold, Trigger};
    /// let trigger = Trigger::cron("30 2 * * *")?.fold(Fold::Both)?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// If the trigger has no wall-clock time.
    pub fn fold(mut self, fold: Fold) -> Result<Self, TriggerError> {
        self.edit(|kind| kind.set_fold(fold))?;
        Ok(self)
    }

    /// Sets an option by its name: `timezone`, `start` or `start_date`, `end` or `end_date`,
    /// `gap`, `fold`, or `time` of a calendar interval.
    ///
    /// Set `start` and `end` before `timezone`: an interval takes a zone only for them.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::cron("@daily")?.with("timezone", "Asia/Shanghai")?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such option, the trigger does not have it, or the value cannot be read. Spans count from the
    /// start of the value.
    pub fn with(self, key: &str, value: &str) -> Result<Self, TriggerError> {
        let set = match key {
            "timezone" => self.timezone_name(value),
            "start" | "start_date" => self.start(value),
            "end" | "end_date" => self.end(value),
            "gap" => value.parse().and_then(|gap| self.gap(gap)),
            "fold" => value.parse().and_then(|fold| self.fold(fold)),
            "time" => self.with_time(value),
            _ => Err(self.unknown_option(key)),
        };
        set.map_err(|error| error.at(0..value.len()).in_text(value))
    }

    #[cold]
    fn unknown_option(&self, key: &str) -> TriggerError {
        let spec = self.kind_of().spec();
        let time = spec.fields.iter().copied().filter(|field| *field == "time");
        suggest::among(
            format!("`{key}` is not an option of a trigger"),
            key,
            spec.options.iter().copied().chain(time),
        )
    }

    fn with_time(mut self, value: &str) -> Result<Self, TriggerError> {
        let time = parse_time(value)?;
        self.edit(|kind| kind.set_time(time))?;
        Ok(self)
    }

    /// Returns the time zone; for `and` and `or` the one that all their triggers share.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::cron("@daily")?.timezone_name("Asia/Shanghai")?;
    /// assert_eq!(trigger.zone().unwrap().name(), "Asia/Shanghai");
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn zone(&self) -> Option<Zone> {
        self.kind_of().zone()
    }

    /// Returns the first instant at which it may fire; for a calendar interval the start of its first date.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::every("1h").unwrap().start_instant(), None);
    /// ```
    pub fn start_instant(&self) -> Option<DateTime<Utc>> {
        self.kind_of().start().map(from_micros)
    }

    /// Returns the last instant at which it may fire.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::cron("@daily")?.end("2026-12-31T00:00:00Z")?;
    /// assert_eq!(trigger.end_instant().unwrap().to_rfc3339(), "2026-12-31T00:00:00+00:00");
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn end_instant(&self) -> Option<DateTime<Utc>> {
        let bounds = self.kind_of().options().bounds;
        bounds.end.map(|_| from_micros(bounds.until))
    }
}
