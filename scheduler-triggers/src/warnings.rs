//! What somebody who has just written a trigger would want to know.
//!
//! Every look ahead is one of the bounded searches, and there is a fixed number of them.

mod changes;
mod days;
mod steps;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use crate::kinds::calendar_interval::Calendar;
use crate::cron::Cron;
use crate::kinds::date::Date;
use crate::describe::spell_duration;
use crate::describe::wording::{date_and_time, date_of, time_of};
use crate::effort::Effort;
use crate::moment::from_micros;
use crate::trigger::{Kind, Trigger};
use crate::zone::Zone;

/// So many at most: those of the parts of an `or` add up.
const MOST: usize = 20;
/// How far ahead an end is worth a word, in microseconds.
const SOON: i64 = 30 * 86_400 * 1_000_000;
/// How many fire times are looked at to tell how often it fires.
const SAMPLE: i64 = 10;
/// Steps of the searches for all warnings of a trigger, unless a budget is given.
const EFFORT: u64 = 1_000_000;
/// What the look at one part of an `or` costs: at some 60 dates around two changes of clocks.
const LOOK: u64 = 100;
/// Fires closer together than this, in microseconds, are often a mistake.
const OFTEN: i64 = 10 * 1_000_000;

impl Trigger {
    /// What somebody who has just written this trigger would want to know, one sentence each: that
    /// it names no instant after `now`, meets a clock change within the next 400 days, needs days
    /// that some months lack, and the like. Empty where nothing surprises.
    ///
    /// The words may change from version to version. The work is bounded: where a budget of a million
    /// steps is used up, the warnings found so far are returned.
    ///
    /// ```
    /// use chrono::{DateTime, Utc};
    /// use scheduler_triggers::Trigger;
    ///
    /// let now: DateTime<Utc> = "2026-11-24T12:00:00Z".parse()?;
    /// let nightly: Trigger = "cron 30 2 * * * timezone=Europe/Berlin".parse()?;
    /// assert_eq!(
    ///     nightly.warnings(now)[0],
    ///     "on 28 March 2027 02:30 does not exist in Europe/Berlin: it runs at 03:00 instead"
    /// );
    ///
    /// let working: Trigger = "cron 0 9 * * mon-fri timezone=Europe/Berlin".parse()?;
    /// assert!(working.warnings(now).is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn warnings(&self, now: DateTime<Utc>) -> Vec<String> {
        self.warnings_within(now, &mut Effort::steps(EFFORT))
    }

    /// As [`warnings`](Self::warnings), with a budget of steps: where it is used up, the warnings found
    /// so far.
    ///
    /// ```
    /// use chrono::{DateTime, Utc};
    /// use scheduler_triggers::{Effort, Trigger};
    ///
    /// let now: DateTime<Utc> = "2026-11-24T12:00:00Z".parse()?;
    /// let often: Trigger = "every 1s".parse()?;
    /// assert_eq!(often.warnings_within(now, &mut Effort::steps(1_000)), often.warnings(now));
    /// assert!(often.warnings_within(now, &mut Effort::steps(3)).is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn warnings_within(&self, now: DateTime<Utc>, effort: &mut Effort) -> Vec<String> {
        // Whatever is left open: a start, a first date, the zone.
        let filled = self.resolve(now, Zone::UTC);
        let trigger = filled.as_ref().unwrap_or(self);
        let micros = now.timestamp_micros();
        // What fires at once fires now.
        let Some(next) = trigger.search(micros.saturating_sub(1), effort) else {
            if effort.is_exhausted() {
                return Vec::new();
            }
            let mut text = never(trigger, micros);
            if matches!(self.0, Kind::And(_)) && !self.is_resolved() {
                text.push_str(", with UTC as the zone of what names none");
            }
            return vec![text];
        };
        let mut warnings = Vec::new();
        warnings.extend(too_often(trigger, next, effort));
        self.of_parts(now, &mut warnings, effort);
        if effort.may_go_on() {
            warnings.extend(ends_soon(trigger, micros));
        }
        warnings.truncate(MOST);
        warnings
    }

    fn of_parts(&self, now: DateTime<Utc>, warnings: &mut Vec<String>, effort: &mut Effort) {
        if warnings.len() >= MOST || !effort.may_go_on() {
            return;
        }
        effort.charge(LOOK);
        let found = match &self.0 {
            Kind::Cron(cron) => of_cron(cron, now),
            Kind::Calendar(calendar) => {
                // The first date may be left to the moment at which it is added.
                let filled = self.resolve(now, Zone::UTC);
                let calendar = match filled.as_ref().map(|filled| &filled.0) {
                    Ok(Kind::Calendar(filled)) => of_calendar(filled, now),
                    _ => of_calendar(calendar, now),
                };
                let zoneless = self.zone().is_none().then(no_zone);
                zoneless.into_iter().chain(calendar).collect()
            }
            Kind::Date(date) => of_date(date, now),
            Kind::Or(children) => {
                for child in children.iter() {
                    child.of_parts(now, warnings, effort);
                }
                return;
            }
            // What holds for a part of an `and` need not hold for what the parts share.
            Kind::And(children) => match &**children {
                [only] => return only.of_parts(now, warnings, effort),
                _ => return,
            },
            Kind::Interval(_) | Kind::Custom(_) => return,
        };
        for warning in found {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    }
}

fn of_cron(cron: &Cron, now: DateTime<Utc>) -> Vec<String> {
    let next = cron.next(now.timestamp_micros(), &mut 0);
    if next.is_none() {
        return Vec::new();
    }
    let zoneless = cron.zone.is_none() && cron.hours.count_ones() < 24;
    let mut warnings: Vec<_> = zoneless.then(no_zone).into_iter().collect();
    warnings.extend(days::both(cron));
    warnings.extend(days::missing_in_cron(cron, next));
    warnings.extend(steps::uneven(cron));
    if !cron.frequency {
        warnings.extend(changes::of_cron(cron, now.timestamp()));
    }
    warnings
}

fn of_calendar(calendar: &Calendar, now: DateTime<Utc>) -> Vec<String> {
    let mut warnings = Vec::new();
    let next = calendar.next(now.timestamp_micros(), &mut 0);
    warnings.extend(days::missing_in_calendar(calendar, next));
    warnings.extend(changes::of_calendar(calendar, now.timestamp()));
    warnings
}

fn of_date(date: &Date, now: DateTime<Utc>) -> Vec<String> {
    let Some(at) = date.at.filter(|at| at.needs_zone()) else {
        return Vec::new();
    };
    if date.micros.is_some_and(|at| at < now.timestamp_micros()) {
        return Vec::new();
    }
    match date.zone {
        None => vec![no_zone()],
        Some(zone) => changes::of_date(at.rough(), zone).into_iter().collect(),
    }
}

fn no_zone() -> String {
    "no time zone is named: the time of day is that of the scheduler's zone, which is UTC unless \
     set otherwise"
        .to_owned()
}

fn never(trigger: &Trigger, now: i64) -> String {
    match (&trigger.0, end_of(trigger)) {
        (Kind::Date(date), _) if date.micros.is_some_and(|at| at < now) => {
            let at = date.micros.unwrap_or(now);
            format!("{} has passed: it never runs", in_words(at, date.zone))
        }
        (_, Some(end)) if end < now => format!(
            "it ended on {}: it does not run any more",
            in_words(end, trigger.zone())
        ),
        (Kind::And(_), _) => {
            "no instant was found that all of its triggers name: it does not run".to_owned()
        }
        _ => format!(
            "it names no instant after {}: it does not run",
            in_words(now, None)
        ),
    }
}

/// Judged by the stretch that the next few fire times take.
fn too_often(trigger: &Trigger, next: i64, effort: &mut Effort) -> Option<String> {
    let mut last = next;
    let mut gaps = Vec::new();
    for _ in 0..SAMPLE {
        let following = trigger.search(last, effort)?;
        gaps.push(following - last);
        last = following;
    }
    let passed = last - next;
    if passed >= SAMPLE * OFTEN {
        return None;
    }
    let spell = |micros: i64| {
        spell_duration(std::time::Duration::from_micros(
            u64::try_from(micros).unwrap_or_default(),
        ))
    };
    let mut text = match gaps.first() {
        Some(gap) if gaps.iter().all(|other| other == gap) => format!(
            "it runs every {}: that is {} runs an hour, each with a record of its own",
            spell(*gap),
            thousands(3_600_000_000 / gap)
        ),
        _ => format!("it runs {} times within {}", SAMPLE + 1, spell(passed)),
    };
    if let Kind::Cron(cron) = &trigger.0
        && !cron.keyword
        && cron.seconds.count_ones() == 60
    {
        text.push_str("; the first field is the second: `0` there is once a minute");
    }
    Some(text)
}

fn thousands(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn ends_soon(trigger: &Trigger, now: i64) -> Option<String> {
    let end = end_of(trigger).filter(|end| (now..now.saturating_add(SOON)).contains(end))?;
    let zone = trigger.zone();
    match &trigger.0 {
        // Found by bisection, which would be many searches for those made of others.
        Kind::And(_) | Kind::Or(_) => Some(format!("it ends on {}", in_words(end, zone))),
        _ => {
            let before = from_micros(now) - TimeDelta::microseconds(1);
            let last = trigger.latest_in(before, from_micros(end))?;
            Some(format!(
                "it ends soon: the last run is on {}",
                in_words(last.timestamp_micros(), zone)
            ))
        }
    }
}

/// The last instant, in microseconds, at which the bounds let it fire; `None` without one.
fn end_of(trigger: &Trigger) -> Option<i64> {
    match &trigger.0 {
        Kind::And(children) => children.iter().filter_map(end_of).min(),
        Kind::Or(children) => {
            let ends: Option<Vec<_>> = children.iter().map(end_of).collect();
            ends?.into_iter().max()
        }
        _ => trigger.end_instant().map(|end| end.timestamp_micros()),
    }
}

/// An instant as the clocks of a zone show it; UTC where there is none.
fn in_words(micros: i64, zone: Option<Zone>) -> String {
    let zone = zone.unwrap_or(Zone::UTC);
    let seconds = micros.div_euclid(1_000_000);
    let Some(offsets) = zone.offsets().filter(|_| zone != Zone::UTC) else {
        return format!("{} UTC", date_and_time(from_micros(micros).naive_utc()));
    };
    let offset = offsets.segment(offsets.locate(seconds)).offset;
    let wall: NaiveDateTime = from_micros(micros.saturating_add(offset * 1_000_000)).naive_utc();
    format!("{} at {} in {zone}", date_of(wall), time_of(wall))
}

#[cfg(test)]
mod tests;
