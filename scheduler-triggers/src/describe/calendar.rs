//! A calendar interval in words.

use chrono::{Datelike, NaiveDate};

use crate::bounds::Bounds;
use crate::kinds::calendar_interval::Calendar;
use crate::zone::clock_change::{Fold, Gap};
use crate::describe::options::{bounds, clock_changes, zone};
use crate::describe::wording::{
    clock, counted, date_of, joined, month_name, ordinal, weekday_name,
};
use crate::zone::Zone;

/// The last day that every month has.
const IN_EVERY_MONTH: u32 = 28;

pub(super) fn describe(calendar: &Calendar) -> String {
    let counts: Vec<_> = calendar
        .counts()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| counted(count, name.trim_end_matches('s')))
        .collect();
    let mut text = format!("every {}", joined(&counts, "and"));
    if let Some(start) = calendar.start {
        text.push_str(&day_of(calendar, start));
    }
    let second = calendar.time.unwrap_or(0);
    text.push_str(" at ");
    text.push_str(&clock(second / 3600, second / 60 % 60, second % 60));
    match calendar.zone {
        Some(Zone::UTC) => text.push_str(", UTC"),
        Some(name) => text.push_str(&zone(name)),
        None => {}
    }
    if let Some(start) = calendar.start {
        text.push_str(", from ");
        text.push_str(&date_of(start.into()));
    }
    text.push_str(&bounds(&Bounds {
        start: None,
        ..calendar.bounds
    }));
    text.push_str(&clock_changes(
        calendar.gap.unwrap_or(Gap::Next),
        calendar.fold.unwrap_or(Fold::First),
        false,
    ));
    text
}

/// The day that all dates share; empty where they share none.
fn day_of(calendar: &Calendar, start: NaiveDate) -> String {
    let day = start.day();
    let sometimes = |lacking: bool| if lacking { " where there is one" } else { "" };
    match calendar.counts().map(|(_, count)| count > 0) {
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
