//! A cron trigger in words.

use crate::cron::Cron;
use crate::describe::options::{describe_bounds, describe_clock_changes, describe_zone};
use crate::describe::{dates, times};
use crate::zone::Zone;

/// Describes the trigger; `None` if that would be longer than the expression.
pub(crate) fn describe(cron: &Cron) -> Option<String> {
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
        // A clause that ends with a comma is followed by the time.
        _ => format!("{} {}{}", times.text, dates.on, dates.within)
            .trim_end_matches(',')
            .to_owned(),
    };
    let whole = dates.every.as_deref() == Some("every day")
        && dates.within.is_empty()
        && cron.hours.count_ones() == 24;
    match cron.zone {
        // All hours of all days are the same everywhere, if the clocks never change.
        Some(Zone::UTC) if whole => {}
        Some(Zone::UTC) => text.push_str(", UTC"),
        Some(zone) => text.push_str(&describe_zone(zone)),
        None => {}
    }
    if let Some(given) = cron.bounds.as_deref() {
        text.push_str(&describe_bounds(given));
    }
    text.push_str(&describe_clock_changes(
        cron.effective_gap(),
        cron.effective_fold(),
        times.is_frequency,
    ));
    Some(text)
}
