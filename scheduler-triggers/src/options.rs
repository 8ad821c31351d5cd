//! The options of a trigger: zone, start, end, gap, fold.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::bounds::{Bounds, end_first};
use crate::kinds::calendar_interval::Calendar;
use crate::kinds::calendar_interval::builder::parse_time;
use crate::zone::clock_change::{Fold, Gap};
use crate::cron::Cron;
use crate::kinds::date::Date;
use crate::error::TriggerError;
use crate::moment::{Moment, When, from_micros};
use crate::suggest;
use crate::trigger::{Kind, Trigger};
use crate::zone::Zone;

pub(crate) const KEYS: [&str; 8] = [
    "timezone",
    "start",
    "start_date",
    "end",
    "end_date",
    "gap",
    "fold",
    "time",
];

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
    /// When the trigger has no wall-clock time: an interval or a date that is given as an instant.
    pub fn timezone(mut self, zone: impl Into<Zone>) -> Result<Self, TriggerError> {
        self.set_zone(zone.into())?;
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
    /// When there is no such zone, or the trigger has no wall-clock time.
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
    /// When it cannot be read, lies after the end, or the trigger has no start.
    pub fn start(mut self, start: impl Into<Moment>) -> Result<Self, TriggerError> {
        let start = start.into().read("start")?;
        self.set_bound("start", start)?;
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
    /// When it cannot be read, lies before the start, or the trigger has no end.
    pub fn end(mut self, end: impl Into<Moment>) -> Result<Self, TriggerError> {
        let end = end.into().read("end")?;
        self.set_bound("end", end)?;
        Ok(self)
    }

    /// Sets what becomes of fire times that do not exist when clocks go forward.
    ///
    /// ```
    /// use scheduler_triggers::{Gap, Trigger};
    /// let trigger = Trigger::cron("30 2 * * *")?.gap(Gap::Skip)?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// When the trigger has no wall-clock time.
    pub fn gap(mut self, gap: Gap) -> Result<Self, TriggerError> {
        match &mut self.0 {
            Kind::Cron(cron) => Arc::make_mut(cron).gap = Some(gap),
            Kind::Calendar(calendar) => Arc::make_mut(calendar).gap = Some(gap),
            _ => return Err(self.has_no("gap")),
        }
        Ok(self)
    }

    /// Sets what becomes of fire times that occur twice when clocks go back.
    ///
    /// ```
    /// use scheduler_triggers::{Fold, Trigger};
    /// let trigger = Trigger::cron("30 2 * * *")?.fold(Fold::Both)?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// When the trigger has no wall-clock time.
    pub fn fold(mut self, fold: Fold) -> Result<Self, TriggerError> {
        match &mut self.0 {
            Kind::Cron(cron) => Arc::make_mut(cron).fold = Some(fold),
            Kind::Calendar(calendar) => Arc::make_mut(calendar).fold = Some(fold),
            _ => return Err(self.has_no("fold")),
        }
        Ok(self)
    }

    /// Sets an option by its name: `timezone`, `start` or `start_date`, `end` or `end_date`,
    /// `gap`, `fold`, or `time` of a calendar interval.
    ///
    /// Give `start` and `end` before `timezone`: an interval takes a zone only for them.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::cron("@daily")?.with("timezone", "Asia/Shanghai")?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    ///
    /// # Errors
    /// When there is no such option, the trigger does not have it, or the value cannot be read.
    /// Spans count within the value.
    pub fn with(self, key: &str, value: &str) -> Result<Self, TriggerError> {
        let set = match key {
            "timezone" => self.timezone_name(value),
            "start" | "start_date" => self.start(value),
            "end" | "end_date" => self.end(value),
            "gap" => value.parse().and_then(|gap| self.gap(gap)),
            "fold" => value.parse().and_then(|fold| self.fold(fold)),
            "time" => self.with_time(value),
            _ => Err(suggest::among(
                format!("`{key}` is no option of a trigger"),
                key,
                KEYS.into_iter(),
            )),
        };
        set.map_err(|error| error.at(0..value.len()).in_text(value))
    }

    fn with_time(mut self, value: &str) -> Result<Self, TriggerError> {
        let time = parse_time(value)?;
        match &mut self.0 {
            Kind::Calendar(calendar) => Arc::make_mut(calendar).time = Some(time),
            _ => return Err(self.has_no("time")),
        }
        Ok(self)
    }

    /// The first instant at which it may fire; for a calendar interval the start of its first
    /// date.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// assert_eq!(Trigger::every("1h").unwrap().start_instant(), None);
    /// ```
    pub fn start_instant(&self) -> Option<DateTime<Utc>> {
        let micros = if let Kind::Calendar(calendar) = &self.0 {
            let zone = calendar.zone.unwrap_or(Zone::UTC);
            When::Date(calendar.start?).first_micros(zone)
        } else {
            let bounds = self.bounds()?;
            bounds.start?;
            bounds.from
        };
        Some(from_micros(micros))
    }

    /// The last instant at which it may fire.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::cron("@daily")?.end("2026-12-31T00:00:00Z")?;
    /// assert_eq!(trigger.end_instant().unwrap().to_rfc3339(), "2026-12-31T00:00:00+00:00");
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn end_instant(&self) -> Option<DateTime<Utc>> {
        let bounds = self.bounds()?;
        bounds.end?;
        Some(from_micros(bounds.until))
    }

    pub(crate) fn bounds(&self) -> Option<Bounds> {
        match &self.0 {
            Kind::Interval(interval) => Some(interval.bounds()),
            Kind::Cron(cron) => cron.bounds.as_deref().copied(),
            Kind::Calendar(calendar) => Some(calendar.bounds),
            _ => None,
        }
    }

    pub(crate) fn set_zone(&mut self, zone: Zone) -> Result<(), TriggerError> {
        match &mut self.0 {
            Kind::Interval(interval) if interval.bounds().needs_zone() => {
                let Bounds { start, end, .. } = interval.bounds();
                let bounds = Bounds::new(start, end, zone)?;
                *interval = Arc::new(interval.within(bounds, Some(zone)));
            }
            Kind::Cron(cron) => {
                let Bounds { start, end, .. } =
                    cron.bounds.as_deref().copied().unwrap_or(Bounds::NONE);
                let bounds = Bounds::new(start, end, zone)?;
                set_cron(Arc::make_mut(cron), bounds, Some(zone))?;
            }
            Kind::Calendar(calendar) => {
                let Bounds { start, end, .. } = calendar.bounds;
                let bounds = Bounds::new(start, end, zone)?;
                let calendar = Arc::make_mut(calendar);
                (calendar.zone, calendar.bounds) = (Some(zone), bounds);
            }
            Kind::Date(date) if date.at.is_none_or(When::needs_zone) => {
                *date = Arc::new(Date::new(date.at, Some(zone)));
            }
            _ => return Err(self.needs_no_zone()),
        }
        Ok(())
    }

    pub(crate) fn set_bound(&mut self, key: &'static str, when: When) -> Result<(), TriggerError> {
        let is_start = key == "start";
        let change = |bounds: Bounds, zone: Option<Zone>| {
            let (start, end) = if is_start {
                (Some(when), bounds.end)
            } else {
                (bounds.start, Some(when))
            };
            Bounds::new(start, end, zone.unwrap_or(Zone::UTC))
        };
        match &mut self.0 {
            Kind::Interval(interval) => {
                let zone = interval.zone();
                let bounds = change(interval.bounds(), zone)?;
                *interval = Arc::new(interval.within(bounds, zone));
            }
            Kind::Cron(cron) => {
                let old = cron.bounds.as_deref().copied().unwrap_or(Bounds::NONE);
                let bounds = change(old, cron.zone)?;
                let zone = cron.zone;
                set_cron(Arc::make_mut(cron), bounds, zone)?;
            }
            Kind::Calendar(calendar) if is_start => {
                let When::Date(start) = when else {
                    return Err(TriggerError::new(format!(
                        "`{when}` is no date; a calendar interval starts on one, at its own time"
                    ))
                    .in_field("start")
                    .write(when.rough().date().to_string()));
                };
                let calendar = Arc::make_mut(calendar);
                calendar.start = Some(start);
                check_dates(calendar)?;
            }
            Kind::Calendar(calendar) => {
                let bounds = change(calendar.bounds, calendar.zone)?;
                let calendar = Arc::make_mut(calendar);
                calendar.bounds = bounds;
                check_dates(calendar)?;
            }
            _ => return Err(self.has_no(key)),
        }
        Ok(())
    }

    fn has_no(&self, key: &'static str) -> TriggerError {
        let error = TriggerError::new(match &self.0 {
            Kind::And(_) | Kind::Or(_) => format!(
                "`{}` has no {key} of its own; give it to the triggers inside",
                self.kind()
            ),
            Kind::Interval(_) => format!(
                "an interval has no {key}: it counts elapsed time, which no clock change touches"
            ),
            Kind::Date(_) => format!("a date has no {key}: it fires once"),
            _ => format!("a trigger of type {} has no {key}", self.kind()),
        });
        error.in_field(key)
    }

    fn needs_no_zone(&self) -> TriggerError {
        let error = TriggerError::new(match &self.0 {
            Kind::Interval(_) => {
                "an interval counts elapsed time and has no time zone; only a start or end \
                 without an offset needs one"
            }
            Kind::Date(_) => "the date already has an offset, so a time zone would change nothing",
            Kind::And(_) | Kind::Or(_) => {
                "`and` and `or` have no time zone of their own; give it to the triggers inside"
            }
            _ => "a custom trigger has no time zone",
        });
        error.in_field("timezone")
    }
}

/// Puts bounds and zone into place, unless that leaves nothing to fire.
fn set_cron(cron: &mut Cron, bounds: Bounds, zone: Option<Zone>) -> Result<(), TriggerError> {
    cron.zone = zone;
    cron.bounds = (bounds != Bounds::NONE).then(|| Box::new(bounds));
    if cron.can_fire() {
        return Ok(());
    }
    let key = if bounds.end.is_some() { "end" } else { "start" };
    Err(TriggerError::new(format!(
        "`{}` never fires between its start and its end",
        cron.text
    ))
    .in_field(key))
}

fn check_dates(calendar: &Calendar) -> Result<(), TriggerError> {
    match (calendar.start, calendar.bounds.end) {
        // Zones differ by a day at most: only what is wrong in all of them is wrong.
        (Some(start), Some(end)) if (start - end.rough().date()).num_days() > margin(end) => {
            Err(end_first(start, end))
        }
        _ => Ok(()),
    }
}

fn margin(end: When) -> i64 {
    i64::from(!end.needs_zone())
}
