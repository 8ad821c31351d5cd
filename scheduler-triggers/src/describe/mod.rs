//! What a trigger means, in plain English.
//!
//! All is read off the sets of values that the search uses, never off the text that was written:
//! what is said is what happens. What would take more words than the expression itself is left
//! to the text form.

mod calendar;
mod dates;
mod options;
mod shape;
mod times;
pub(crate) mod wording;

use std::time::Duration;

use crate::cron::Cron;
use crate::kinds::date::Date;
use crate::kinds::interval::Interval;
use crate::moment::When;
use crate::trigger::{Kind, Trigger};
use crate::zone::Zone;

pub(crate) use dates::DayRule;

use options::{bounds, clock_changes, zone};
use wording::{date_of, time_of};

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
        match &self.0 {
            Kind::Interval(interval) => describe_interval(interval),
            Kind::Cron(cron) => describe_cron(cron).unwrap_or_else(|| self.to_string()),
            Kind::Calendar(calendar) => calendar::describe(calendar),
            Kind::Date(date) => describe_date(date),
            Kind::And(children) => {
                let both = if children.len() == 2 { "both" } else { "all" };
                describe_list(&format!("only when {both}"), children)
            }
            Kind::Or(children) => describe_list("the earliest of", children),
            Kind::Custom(custom) => {
                let text = custom.describe();
                if text.trim().is_empty() {
                    self.to_string()
                } else {
                    text
                }
            }
        }
    }
}

fn describe_list(lead: &str, children: &[Trigger]) -> String {
    if let [only] = children {
        return only.describe();
    }
    let parts: Vec<_> = children
        .iter()
        .map(|child| match &child.0 {
            Kind::And(inner) | Kind::Or(inner) if inner.len() > 1 => {
                format!("({})", child.describe())
            }
            _ => child.describe(),
        })
        .collect();
    format!("{lead}: {}", parts.join("; "))
}

fn describe_interval(interval: &Interval) -> String {
    let every = u64::try_from(interval.every).unwrap_or_default();
    let mut text = format!("every {}", spell_duration(Duration::from_micros(every)));
    text.push_str(&bounds(&interval.bounds()));
    if let Some(name) = interval.zone() {
        text.push_str(&zone(name));
    }
    text
}

/// `minute`, `5 minutes`, `1 hour 30 minutes`.
pub(crate) fn spell_duration(duration: Duration) -> String {
    const UNITS: [(&str, u128); 6] = [
        ("day", 86_400_000_000),
        ("hour", 3_600_000_000),
        ("minute", 60_000_000),
        ("second", 1_000_000),
        ("millisecond", 1_000),
        ("microsecond", 1),
    ];
    let mut rest = duration.as_micros();
    let mut parts = Vec::new();
    for (unit, size) in UNITS {
        if rest >= size {
            parts.push((rest / size, unit));
            rest %= size;
        }
    }
    if let [(1, unit)] = parts.as_slice() {
        return (*unit).to_owned();
    }
    let words: Vec<_> = parts
        .into_iter()
        .map(|(count, unit)| match count {
            1 => format!("1 {unit}"),
            _ => format!("{count} {unit}s"),
        })
        .collect();
    words.join(" ")
}

fn describe_date(date: &Date) -> String {
    let Some(at) = date.at else {
        return "once, as soon as it is added".to_owned();
    };
    let wall = at.rough();
    let zone = match (at, date.zone) {
        (When::Instant(_), _) | (_, Some(Zone::UTC)) => " UTC".to_owned(),
        (_, Some(name)) => zone(name),
        (_, None) => String::new(),
    };
    format!(
        "once, on {} {} at {}{zone}",
        wall.format("%A"),
        date_of(wall),
        time_of(wall)
    )
}

fn describe_cron(cron: &Cron) -> Option<String> {
    if [
        cron.seconds,
        cron.minutes,
        cron.hours.into(),
        cron.months.into(),
    ]
    .contains(&0)
    {
        return None;
    }
    let times = times::times(cron)?;
    let dates = dates::dates(cron)?;
    let mut text = match (&dates.every, times.is_list) {
        (Some(every), true) => format!("{every}{} {}", dates.within, times.text),
        (None, true) if !dates.is_weekdays => {
            format!("{}{} {}", dates.on, dates.within, times.text)
        }
        _ if dates.on.is_empty() => format!("{}{}", times.text, dates.within),
        // A clause that ends with a comma waits for the time.
        _ => format!("{} {}{}", times.text, dates.on, dates.within)
            .trim_end_matches(',')
            .to_owned(),
    };
    let whole = dates.every.as_deref() == Some("every day")
        && dates.within.is_empty()
        && cron.hours.count_ones() == 24;
    match cron.zone {
        // All hours of all days are the same wherever one is, if the clocks never change.
        Some(Zone::UTC) if whole => {}
        Some(Zone::UTC) => text.push_str(", UTC"),
        Some(name) => text.push_str(&zone(name)),
        None => {}
    }
    if let Some(given) = cron.bounds.as_deref() {
        text.push_str(&bounds(given));
    }
    text.push_str(&clock_changes(
        cron.effective_gap(),
        cron.effective_fold(),
        times.is_frequency,
    ));
    Some(text)
}

#[cfg(test)]
mod tests;
