//! A cron text whose day and weekday must both match, written field by field, where that is plain.

use crate::cron::Cron;
use crate::cron::days::Special;
use crate::cron::field::{Field, WEEKDAYS};
use crate::cron::keyword::push;
use crate::describe::shape::Shape;
use crate::trigger::Trigger;
use crate::warnings::steps::text_of;

/// The text form by field that fires at the same times; `None` where days are named in ways that it
/// does not have.
pub(crate) fn by_field(cron: &Cron) -> Option<String> {
    let special = cron.special.as_deref().unwrap_or(&Special::NONE);
    let without_days = Special {
        years: special.years,
        ..Special::NONE
    };
    if cron.either || *special != without_days {
        return None;
    }
    let mut text = String::new();
    for field in Field::ALL {
        let value = match field {
            Field::Day => days(cron.days),
            Field::DayOfWeek => weekdays(cron.weekdays),
            // What is left out below the least field is its minimum.
            _ => text_of(cron, field).unwrap_or("*").to_owned(),
        };
        let is_least = match field {
            Field::Minute => value == "0" && cron.seconds == 1,
            Field::Second => cron.seconds == 1,
            _ => value == "*",
        };
        if !is_least {
            push(&mut text, field, &value);
        }
    }
    let text = format!("cron {text}");
    let read = text.parse::<Trigger>().ok()?;
    let same = |from| {
        let times = |trigger: &Trigger| trigger.upcoming(from).take(8).collect::<Vec<_>>();
        times(&read) == times(&Trigger::new(cron.clone()))
    };
    same(chrono::DateTime::UNIX_EPOCH).then_some(text)
}

fn days(bits: u32) -> String {
    let runs = Shape::of(u64::from(bits), 1, 31).runs(0, None);
    let parts = runs.iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    });
    parts.collect::<Vec<_>>().join(",")
}

/// The names of weekdays, Monday first.
pub(crate) fn weekdays(bits: u8) -> String {
    let days = [1, 2, 3, 4, 5, 6, 0].into_iter();
    let named = days.filter(|day| bits >> day & 1 == 1);
    let names: Vec<_> = named.filter_map(|day| WEEKDAYS.get(day).copied()).collect();
    names.join(",")
}
