//! The same wall-clock time every given number of years, months, weeks and days.
//!
//! This file has the parts that all kinds have; the folder `calendar/` contains its builder and the search.

use std::fmt::{self, Write};

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};

use crate::bounds::{Bound, Bounds, end_first};
use crate::calendar::Calendar;
use crate::calendar::builder::CalendarInterval;
use crate::definition_text::write_frozen_time;
use crate::describe::options::{describe_bounds, describe_clock_changes, describe_zone};
use crate::describe::wording::{
    clock, counted, date_of, joined, month_name, ordinal, weekday_name,
};
use crate::effort::Effort;
use crate::error::TriggerError;
use crate::kind::{Build, FieldValue, Fields, KindSpec, TriggerKind, as_kind};
use crate::moment::When;
use crate::options::Options;
use crate::text::time_of_day::format_time;
use crate::trigger::Trigger;
use crate::warnings;
use crate::zone::Zone;
use crate::zone::gap_fold::{Fold, Gap};

pub(super) static SPEC: KindSpec = KindSpec {
    name: "calendar_interval",
    word: "calendar",
    title: "a calendar interval",
    example: "calendar months=1 time=02:30",
    after_word: None,
    fields: &["years", "months", "weeks", "days"],
    options: &["time", "timezone", "start_date", "end_date", "gap", "fold"],
    build: Build::Fields(build),
};

fn build(fields: &Fields<'_>) -> Result<Trigger, TriggerError> {
    let count = |name: &'static str| match fields.get(name) {
        None => Ok(0),
        Some(text) => text.parse().map_err(|_| {
            TriggerError::new(format!("`{text}` is not a number of {name}"))
                .in_field(name)
                .example("1")
        }),
    };
    Trigger::calendar_interval()
        .years(count("years")?)
        .months(count("months")?)
        .weeks(count("weeks")?)
        .days(count("days")?)
        .build()
}

/// The last day that every month has.
const IN_EVERY_MONTH: u32 = 28;

impl Trigger {
    /// Starts building a trigger for the same wall-clock time every given number of calendar days or months.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::calendar_interval().months(1).time("02:30").build()?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn calendar_interval() -> CalendarInterval {
        CalendarInterval::default()
    }
}

impl TriggerKind for Calendar {
    fn spec(&self) -> &'static KindSpec {
        &SPEC
    }

    fn next(&self, after: i64, effort: &mut Effort) -> Option<i64> {
        let mut months = 0;
        let next = self.next_micros(after, &mut months);
        effort.charge(months);
        next
    }

    fn options(&self) -> Options {
        Options {
            zone: self.zone,
            bounds: self.bounds,
            gap: self.gap,
            fold: self.fold,
        }
    }

    fn set_zone(&mut self, zone: Zone) -> Result<(), TriggerError> {
        let Bounds { start, end, .. } = self.bounds;
        self.bounds = Bounds::new(start, end, zone)?;
        self.zone = Some(zone);
        Ok(())
    }

    fn set_bound(&mut self, bound: Bound, at: When) -> Result<(), TriggerError> {
        match (bound, at) {
            (Bound::Start, When::Date(start)) => self.start = Some(start),
            (Bound::Start, _) => {
                return Err(start_with_time(at));
            }
            (Bound::End, _) => self.bounds = self.bounds.with(bound, at, self.zone)?,
        }
        match (self.start, self.bounds.end) {
            // Zones differ by at most a day: only an error in all of them is certain.
            (Some(start), Some(end))
                if (start - end.rough().date()).num_days() > i64::from(!end.needs_zone()) =>
            {
                Err(end_first(start, end))
            }
            _ => Ok(()),
        }
    }

    fn set_gap(&mut self, gap: Gap) -> Result<(), TriggerError> {
        self.gap = Some(gap);
        Ok(())
    }

    fn set_fold(&mut self, fold: Fold) -> Result<(), TriggerError> {
        self.fold = Some(fold);
        Ok(())
    }

    fn set_time(&mut self, second_of_day: u32) -> Result<(), TriggerError> {
        self.time = Some(second_of_day);
        Ok(())
    }

    /// Returns the start of its first date.
    fn start(&self) -> Option<i64> {
        let zone = self.zone.unwrap_or(Zone::UTC);
        Some(When::Date(self.start?).first_micros(zone))
    }

    fn resolve(&mut self, now: DateTime<Utc>, default_zone: Zone) -> Result<(), TriggerError> {
        if self.zone.is_none() {
            self.set_zone(default_zone)?;
        }
        self.time.get_or_insert(0);
        if self.start.is_none() {
            let zone = self.zone.unwrap_or(Zone::UTC);
            let seconds = now.timestamp();
            let offset = zone
                .offsets()
                .map_or(0, |offsets| offsets.segment(offsets.locate(seconds)).offset);
            let today = DateTime::from_timestamp(seconds + offset, 0).unwrap_or(now);
            // West of Greenwich the epoch itself is in 1969.
            let today = today.date_naive().max(NaiveDate::default());
            When::Date(today).checked_first_fire("start")?;
            self.start = Some(today);
        }
        Ok(())
    }

    fn is_resolved(&self) -> bool {
        self.zone.is_some() && self.start.is_some() && self.time.is_some()
    }

    fn fill_from(&mut self, resolved: &dyn TriggerKind) {
        let resolved = as_kind::<Self>(resolved);
        self.start = self.start.or(resolved.and_then(|resolved| resolved.start));
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("calendar")?;
        for (name, count) in self.counts() {
            if count > 0 {
                write!(f, " {name}={count}")?;
            }
        }
        if let Some(time) = self.time {
            write!(f, " time={}", format_time(time))?;
        }
        match self.start {
            Some(start) => write!(f, " start={start}"),
            None => Ok(()),
        }
    }

    fn fields(&self) -> Vec<(&'static str, FieldValue<'_>)> {
        let mut fields = Vec::new();
        for (name, count) in self.counts() {
            if count > 0 {
                fields.push((name, FieldValue::Number(count)));
            }
        }
        if let Some(time) = self.time {
            fields.push(("time", FieldValue::Text(format_time(time))));
        }
        if let Some(start) = self.start {
            fields.push(("start_date", FieldValue::Text(start.to_string())));
        }
        fields
    }

    fn write_definition(&self, text: &mut String) {
        text.push_str("calendar");
        for (name, count) in self.counts() {
            if count > 0 {
                let _ = write!(text, " {name}={count}");
            }
        }
        if let Some(time) = self.time {
            text.push_str(" time=");
            write_frozen_time(text, time);
        }
        if let Some(start) = self.start {
            let _ = write!(text, " start={}", start.format("%Y-%m-%d"));
        }
    }

    fn describe(&self) -> String {
        let counts: Vec<_> = self
            .counts()
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| counted(count, name.trim_end_matches('s')))
            .collect();
        let mut text = format!("every {}", joined(&counts, "and"));
        if let Some(start) = self.start {
            text.push_str(&self.describe_day(start));
        }
        let second = self.time.unwrap_or(0);
        text.push_str(" at ");
        text.push_str(&clock(second / 3600, second / 60 % 60, second % 60));
        match self.zone {
            Some(Zone::UTC) => text.push_str(", UTC"),
            Some(zone) => text.push_str(&describe_zone(zone)),
            None => {}
        }
        if let Some(start) = self.start {
            text.push_str(", from ");
            text.push_str(&date_of(start.into()));
        }
        text.push_str(&describe_bounds(&Bounds {
            start: None,
            ..self.bounds
        }));
        text.push_str(&describe_clock_changes(
            self.gap.unwrap_or(Gap::Next),
            self.fold.unwrap_or(Fold::First),
            false,
        ));
        text
    }

    fn warnings(&self, now: DateTime<Utc>) -> Vec<String> {
        // The first date may be left open until the trigger is added.
        let mut filled = self.clone();
        let filled = match filled.resolve(now, Zone::UTC) {
            Ok(()) => &filled,
            Err(_) => self,
        };
        let mut warnings = Vec::new();
        if self.zone.is_none() {
            warnings.push(warnings::no_zone());
        }
        let next = filled.next_micros(now.timestamp_micros(), &mut 0);
        warnings.extend(warnings::days::missing_in_calendar(filled, next));
        warnings.extend(warnings::changes::of_calendar(filled, now.timestamp()));
        warnings
    }
}

/// Returns the error for a start with a time: which date was meant, and where the time belongs.
fn start_with_time(at: When) -> TriggerError {
    let time = at.rough().time();
    let message =
        format!("`{at}` is not a date; a calendar interval starts on one, at its own time");
    match at {
        // The date at the written offset is no longer known.
        When::Instant(_) => TriggerError::new(message),
        _ if time == NaiveTime::MIN => TriggerError::new(message),
        _ => TriggerError::new(format!("{message}, which is `time` and may be {time}")),
    }
    .in_field("start")
    .meant(at.needs_zone().then(|| at.rough().date().to_string()))
}

impl Calendar {
    /// Returns the day that all dates share, as text; empty if they share none.
    fn describe_day(&self, start: NaiveDate) -> String {
        let day = start.day();
        let sometimes = |lacking: bool| if lacking { " where there is one" } else { "" };
        match self.counts().map(|(_, count)| count > 0) {
            [_, true, false, false] => format!(
                " on the {}{}",
                ordinal(day),
                sometimes(day > IN_EVERY_MONTH)
            ),
            [true, false, false, false] => format!(
                " on {day} {}{}",
                month_name(start.month()),
                sometimes((start.month(), day) == (2, 29))
            ),
            [false, false, true, false] => {
                let weekday = start.weekday().num_days_from_sunday();
                format!(" on {}", weekday_name(weekday))
            }
            _ => String::new(),
        }
    }

    fn counts(&self) -> [(&'static str, u32); 4] {
        [
            ("years", self.years),
            ("months", self.months),
            ("weeks", self.weeks),
            ("days", self.days),
        ]
    }
}
