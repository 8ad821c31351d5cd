//! Rewriting a cron text whose day and weekday must both match as fields, for clarity.

use crate::cron::Cron;
use crate::cron::days::{ALL_DAYS, ALL_WEEKDAYS};
use crate::cron::field::{Field, WEEKDAYS};
use crate::cron::keyword::push;
use crate::describe::shape::Shape;
use crate::kind::as_kind;
use crate::trigger::Trigger;
use crate::warnings::steps::text_of;
use crate::zone::Zone;

/// Returns the text form by field that fires at the same times, with the options; `None` if days are named in ways that
/// it does not support.
pub(crate) fn by_field(cron: &Cron) -> Option<String> {
    if cron.either {
        return None;
    }
    let mut text = String::new();
    for field in Field::ALL {
        let value = match field {
            Field::Day => days(cron.days),
            Field::DayOfWeek => weekdays(cron.weekdays),
            // Fields that are left out below the least significant one are at their minimum.
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
    same_times(cron, &text)
}

/// Returns the text of a cron trigger's fields as a trigger with the options of another one, if it fires at the same
/// times as that one.
pub(crate) fn same_times(cron: &Cron, fields: &str) -> Option<String> {
    let read: Trigger = format!("cron {fields}").parse().ok()?;
    let read = Cron {
        zone: cron.zone,
        bounds: cron.bounds.clone(),
        gap: cron.gap,
        fold: cron.fold,
        ..as_kind::<Cron>(read.kind_of())?.clone()
    };
    let times = |cron: &Cron| {
        let days = (cron.days, cron.months, cron.weekdays, cron.either);
        let special = cron.special.clone();
        (days, special, cron.hours, cron.minutes, cron.seconds)
    };
    let rules = |cron: &Cron| (cron.effective_gap(), cron.effective_fold());
    let never_changes = |zone: Zone| zone.offsets().is_some_and(|offsets| offsets.len() == 1);
    let same_rules = rules(cron) == rules(&read) || cron.zone.is_some_and(never_changes);
    (times(cron) == times(&read) && same_rules).then(|| Trigger::new(read).to_string())
}

fn days(bits: u32) -> String {
    if bits == ALL_DAYS {
        return "*".to_owned();
    }
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

/// Returns the names of weekdays, Monday first.
fn weekdays(bits: u8) -> String {
    if bits == ALL_WEEKDAYS {
        return "*".to_owned();
    }
    let days = [1, 2, 3, 4, 5, 6, 0].into_iter();
    let named = days.filter(|day| bits >> day & 1 == 1);
    let names: Vec<_> = named.filter_map(|day| WEEKDAYS.get(day).copied()).collect();
    names.join(",")
}
