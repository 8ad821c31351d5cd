//! Warnings for the author of a trigger.
//!
//! All searches are bounded, and their number is fixed.

pub(crate) mod by_field;
pub(crate) mod changes;
pub(crate) mod days;
pub(crate) mod elsewhere;
pub(crate) mod periods;
pub(crate) mod steps;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use crate::describe::wording::{date_and_time, date_of, spell_duration, time_of};
use crate::effort::Effort;
use crate::moment::from_micros;
use crate::trigger::Trigger;
use crate::zone::{Zone, abbreviations};

/// The maximum number of warnings: those of the parts of an `or` add up.
const MOST: usize = 20;
/// How far ahead an end is mentioned, in microseconds.
const SOON: i64 = 30 * 86_400 * 1_000_000;
/// The number of fire times from which the frequency is estimated.
const SAMPLE: i64 = 10;
/// The default budget, in steps, of the searches for all warnings of a trigger.
const EFFORT: u64 = 1_000_000;
/// The cost of checking one part of an `or`: some 60 dates around two clock changes.
const LOOK: u64 = 100;
/// Fires that are closer together than this, in microseconds, are often a mistake.
const OFTEN: i64 = 10 * 1_000_000;

impl Trigger {
    /// Returns properties that may surprise the author of this trigger, one sentence each: for example, that it has no
    /// fire time after `now`, is affected by a clock change within the next 400 days, or needs days that some months
    /// lack. Empty if there are none.
    ///
    /// The wording may change from version to version. The work is bounded: if a budget of a million steps is used up,
    /// the warnings found so far are returned.
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

    /// As [`warnings`](Self::warnings), with a budget of steps: if it is used up, returns the warnings found so far.
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
        // Parts that may be left open: a start, a first date, the zone.
        let filled = self.resolve(now, Zone::UTC);
        let trigger = filled.as_ref().unwrap_or(self);
        let micros = now.timestamp_micros();
        // A trigger that fires immediately fires at `now`.
        let Some(next) = trigger.search(micros.saturating_sub(1), effort) else {
            if effort.is_exhausted() {
                return Vec::new();
            }
            let mut text = never(trigger, micros);
            if self.kind() == "and" && !self.is_resolved() {
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
        for child in self.kind_of().independent_children() {
            child.of_parts(now, warnings, effort);
        }
        let kind = self.kind_of();
        let zone = kind.zone().filter(|_| kind.children().is_empty());
        let about_zone = zone.and_then(abbreviations::warning);
        for warning in about_zone.into_iter().chain(kind.warnings(now)) {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    }
}

pub(crate) fn no_zone() -> String {
    "no time zone is named: the time of day is that of the scheduler's zone, which is UTC unless \
     set otherwise"
        .to_owned()
}

fn never(trigger: &Trigger, now: i64) -> String {
    let kind = trigger.kind_of();
    match kind.end() {
        Some(end) if end < now => format!(
            "it ended on {}: it no longer runs",
            in_words(end, kind.zone())
        ),
        _ => kind.why_never(now).unwrap_or_else(|| {
            let now = in_words(now, None);
            format!("it names no instant after {now}: it does not run")
        }),
    }
}

/// Estimated from the time that the next few fire times take.
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
    if let Some(hint) = trigger.kind_of().often_hint() {
        text.push_str("; ");
        text.push_str(hint);
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
    let kind = trigger.kind_of();
    let end = kind
        .end()
        .filter(|end| (now..now.saturating_add(SOON)).contains(end))?;
    // The last fire time is found by bisection, which would need many searches for triggers made of others.
    if !kind.children().is_empty() {
        return Some(format!("it ends on {}", in_words(end, kind.zone())));
    }
    let before = from_micros(now) - TimeDelta::microseconds(1);
    let last = trigger.latest_in(before, from_micros(end))?;
    Some(format!(
        "it ends soon: the last run is on {}",
        in_words(last.timestamp_micros(), kind.zone())
    ))
}

/// Returns an instant in the local time of a zone; in UTC if there is no zone.
pub(crate) fn in_words(micros: i64, zone: Option<Zone>) -> String {
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
