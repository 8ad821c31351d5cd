//! The same wall-clock time every so many years, months, weeks and days.

pub(crate) mod builder;

use std::fmt::{self, Write};

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use crate::bounds::{Bound, Bounds, end_first};
use crate::civil::{
    DAY, END_OF_YEARS, FIRST_YEAR, LAST_YEAR, date_from_days, days_from_date, days_in_month,
};
use crate::definition_text::write_frozen_time;
use crate::describe::options::{describe_bounds, describe_clock_changes, describe_zone};
use crate::describe::wording::{
    clock, counted, date_of, joined, month_name, ordinal, weekday_name,
};
use crate::effort::Effort;
use crate::error::TriggerError;
use crate::kinds::{Build, FieldValue, Fields, KindSpec, TriggerKind, as_kind};
use crate::moment::When;
use crate::options::Options;
use crate::trigger::Trigger;
use crate::warnings;
use crate::zone::Zone;
use crate::zone::clock_change::{Fold, Gap, next_instant};

use builder::format_time;
pub(crate) use builder::parse_time;

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
            TriggerError::new(format!("`{text}` is no number of {name}"))
                .in_field(name)
                .write("1")
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

/// The dates follow from the first: add years and months, keeping the day of the month, until
/// the date exists; then add weeks and days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Calendar {
    pub(crate) years: u32,
    pub(crate) months: u32,
    pub(crate) weeks: u32,
    pub(crate) days: u32,
    /// Second of the day.
    pub(crate) time: Option<u32>,
    pub(crate) start: Option<NaiveDate>,
    pub(crate) bounds: Bounds,
    pub(crate) gap: Option<Gap>,
    pub(crate) fold: Option<Fold>,
    pub(crate) zone: Option<Zone>,
}

impl Trigger {
    /// Begins a trigger for the same wall-clock time every so many calendar days or months.
    ///
    /// ```
    /// use scheduler_triggers::Trigger;
    /// let trigger = Trigger::calendar_interval().months(1).time("02:30").build()?;
    /// # Ok::<(), scheduler_triggers::TriggerError>(())
    /// ```
    pub fn calendar_interval() -> builder::CalendarInterval {
        builder::CalendarInterval::default()
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
                return Err(TriggerError::new(format!(
                    "`{at}` is no date; a calendar interval starts on one, at its own time"
                ))
                .in_field("start")
                .write(at.rough().date().to_string()));
            }
            (Bound::End, _) => self.bounds = self.bounds.with(bound, at, self.zone)?,
        }
        match (self.start, self.bounds.end) {
            // Zones differ by a day at most: only what is wrong in all of them is wrong.
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

    /// The start of its first date.
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
            // West of Greenwich the epoch itself is a moment of 1969.
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
        // The first date may be left to the moment at which it is added.
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

impl Calendar {
    /// Says on which day all dates lie; empty where they share none.
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

    fn next_micros(&self, after: i64, steps: &mut u64) -> Option<i64> {
        let seconds = after
            .max(self.bounds.from.saturating_sub(1))
            .div_euclid(1_000_000);
        let zone = self.zone.unwrap_or(Zone::UTC);
        let next = next_instant(
            zone.offsets()?,
            self.gap.unwrap_or(Gap::Next),
            self.fold.unwrap_or(Fold::First),
            seconds,
            |from| self.first_local(from, steps),
        )?;
        let micros = next * 1_000_000;
        (micros <= self.bounds.until).then_some(micros)
    }

    /// The first date of the chain, at its time, at or after a local second.
    pub(crate) fn first_local(&self, from: i64, steps: &mut u64) -> Option<i64> {
        // Without a first date the chain begins with the epoch.
        let start = self.start.map_or(0, day_number);
        let time = i64::from(self.time.unwrap_or(0));
        // Rounded up: on the day of `from` itself the time may have passed.
        let earliest = (from - time + DAY - 1).div_euclid(DAY);
        let day = if earliest <= start {
            start
        } else {
            self.first_day(start, earliest, steps)?
        };
        let last_day = match self.bounds.end {
            Some(When::Date(end)) => day_number(end),
            _ => END_OF_YEARS / DAY - 1,
        };
        (day <= last_day).then_some(day * DAY + time)
    }

    /// The first day of the chain that is not before `least`, which lies after `start`.
    fn first_day(&self, start: i64, least: i64, steps: &mut u64) -> Option<i64> {
        let months = i64::from(self.years) * 12 + i64::from(self.months);
        let days = i64::from(self.weeks) * 7 + i64::from(self.days);
        if months == 0 {
            let count = (least - start + days - 1) / days;
            return count.checked_mul(days)?.checked_add(start);
        }
        let (least_month, least_day) = month_and_day(least);
        let (mut month, mut day) = month_and_day(start);
        if days == 0 {
            // The day of the month stays, so most of the chain can be leapt over.
            let leap = ((least_month - month - 1).max(0) / months) * months;
            month += leap;
            if leap > 0 && day <= length(month) && (month, day) >= (least_month, least_day) {
                return Some(day_of(month, day));
            }
        }
        while month <= LAST_MONTH {
            loop {
                *steps += 1;
                month += months;
                if month > LAST_MONTH {
                    return None;
                }
                if day <= length(month) {
                    break;
                }
            }
            // Carried over month by month: most of the chain is only passed by.
            day += days;
            while day > length(month) && month <= LAST_MONTH {
                *steps += 1;
                day -= length(month);
                month += 1;
            }
            if (month, day) >= (least_month, least_day) {
                return (month <= LAST_MONTH).then(|| day_of(month, day));
            }
        }
        None
    }
}

fn day_number(date: NaiveDate) -> i64 {
    days_from_date(date.year(), date.month(), date.day())
}

/// Months count from January of the first year.
const LAST_MONTH: i64 = (LAST_YEAR - FIRST_YEAR) as i64 * 12 + 11;

fn month_and_day(day: i64) -> (i64, i64) {
    let (year, month, day) = date_from_days(day);
    let number = i64::from(year - FIRST_YEAR) * 12 + i64::from(month) - 1;
    (number, i64::from(day))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // months and days are small
fn split(month: i64) -> (i32, u32) {
    ((month / 12) as i32 + FIRST_YEAR, (month % 12) as u32 + 1)
}

fn length(month: i64) -> i64 {
    let (year, month) = split(month);
    i64::from(days_in_month(year, month))
}

fn day_of(month: i64, day: i64) -> i64 {
    let (year, month) = split(month);
    days_from_date(year, month, 1) + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(years: u32, months: u32, weeks: u32, days: u32, start: &str) -> Calendar {
        Calendar {
            years,
            months,
            weeks,
            days,
            time: None,
            start: Some(start.parse().unwrap()),
            bounds: Bounds::NONE,
            gap: None,
            fold: None,
            zone: None,
        }
    }

    fn dates(calendar: &Calendar, after: &str) -> Vec<String> {
        let after: NaiveDate = after.parse().unwrap();
        let mut at = day_number(after) * DAY * 1_000_000;
        std::iter::from_fn(|| {
            at = calendar.next_micros(at, &mut 0)?;
            Some(crate::moment::from_micros(at).date_naive().to_string())
        })
        .take(4)
        .collect()
    }

    #[test]
    fn months_without_the_day_are_passed_by() {
        let monthly = calendar(0, 1, 0, 0, "2026-01-31");
        assert_eq!(
            dates(&monthly, "2026-01-31"),
            ["2026-03-31", "2026-05-31", "2026-07-31", "2026-08-31"]
        );
        assert_eq!(dates(&monthly, "2031-06-30")[0], "2031-07-31");
        let leap = calendar(1, 0, 0, 0, "2024-02-29");
        assert_eq!(
            dates(&leap, "2024-02-29")[..2],
            ["2028-02-29", "2032-02-29"]
        );
    }

    #[test]
    fn each_month_that_is_passed_by_is_a_step() {
        let after = day_number("2026-03-08".parse().unwrap()) * DAY;
        for days in [1, 60, 400, 20_000] {
            let rare = calendar(0, 1, 0, days, "1970-01-31");
            let mut steps = 0;
            let next = rare.first_local(after, &mut steps).unwrap();
            let (month, _) = month_and_day(next.div_euclid(DAY));
            assert!(
                (month - 25..=month).contains(&i64::try_from(steps).unwrap()),
                "{days}: {steps} of {month}"
            );
        }
    }

    #[test]
    fn days_are_added_after_months() {
        let mixed = calendar(0, 1, 0, 1, "2026-01-30");
        assert_eq!(
            dates(&mixed, "2026-01-30"),
            ["2026-03-31", "2026-06-01", "2026-07-02", "2026-08-03"]
        );
    }

    #[test]
    fn whole_days_are_arithmetic() {
        let ten = calendar(0, 0, 1, 3, "2026-03-08");
        assert_eq!(dates(&ten, "2026-04-04")[..2], ["2026-04-07", "2026-04-17"]);
        assert_eq!(dates(&ten, "2020-01-01")[0], "2026-03-08");
    }
}
