//! Steps that do not divide what they are steps of, that end early, or that name one value alone.

use crate::cron::Cron;
use crate::cron::field::{Field, WEEKDAYS};
use crate::describe::DayRule;
use crate::describe::wording::{joined, weekday_name};
use crate::warnings::by_field::by_field;

/// An item with a step: the values that it steps over.
struct Step<'a> {
    item: &'a str,
    low: u32,
    high: u32,
    by: u32,
    /// It begins at a value and has no end of its own.
    is_open: bool,
    /// It is the first of the field, and begins with `*`.
    is_star: bool,
}

fn steps(cron: &Cron, field: Field) -> Vec<Step<'_>> {
    let items = text_of(cron, field)
        .into_iter()
        .flat_map(|text| text.split(','));
    let read = items
        .enumerate()
        .map(|(at, item)| read_step(field, at, item));
    read.flatten().collect()
}

fn read_step(field: Field, at: usize, item: &str) -> Option<Step<'_>> {
    let value = |text: &str| text.parse().ok().or_else(|| field.value_of(text));
    let (range, step) = item.split_once('/')?;
    let is_star = matches!(range, "*" | "?");
    let (low, high) = match range.split_once('-') {
        _ if is_star => (field.min(), field.max()),
        Some((first, last)) => (value(first)?, value(last)?),
        None => (value(range)?, field.max().max(value(range)?)),
    };
    Some(Step {
        item,
        low,
        high: if high < low {
            high + field.size()
        } else {
            high
        },
        by: step.parse().ok()?,
        is_open: !is_star && !range.contains('-'),
        is_star: is_star && at == 0,
    })
}

/// What only one value is named by, though it is written as steps.
pub(crate) struct Beyond {
    pub(crate) warnings: Vec<String>,
    /// One of them says that day and weekday must both match.
    pub(crate) names_both: bool,
}

pub(crate) fn beyond(cron: &Cron) -> Beyond {
    let rule = DayRule::of(cron);
    let must_match_both =
        !cron.keyword && !rule.either && rule.by_day.is_some() && rule.by_weekday.is_some();
    let mut found = Beyond {
        warnings: Vec::new(),
        names_both: false,
    };
    for field in Field::ALL {
        for step in steps(cron, field) {
            if step.by <= (step.high - step.low).max(1) {
                continue;
            }
            let (value, word) = match field {
                Field::DayOfWeek => (
                    WEEKDAYS[(step.low % 7) as usize].to_owned(),
                    weekday_name(step.low),
                ),
                _ => (step.low.to_string(), step.low.to_string()),
            };
            let of_days = matches!(field, Field::Day | Field::DayOfWeek);
            let mut warning = format!("`{}` in {} only ever names {word}", step.item, field.name());
            if step.is_star && of_days && must_match_both {
                found.names_both = true;
                warning.push_str(
                    ", and begins with `*`, so that day and weekday must both match, as in crontab",
                );
                if let Some(text) = by_field(cron) {
                    warning.extend([": `", &text, "` says so"]);
                }
            } else {
                warning.extend([": `", &value, "` says so"]);
            }
            found.warnings.push(warning);
        }
    }
    found
}

/// Steps from a weekday on, which end with Saturday and so leave out a Sunday that they would reach.
pub(crate) fn without_sunday(cron: &Cron) -> Option<String> {
    let steps = steps(cron, Field::DayOfWeek).into_iter();
    let mut early = steps.filter(|step| {
        let to_sunday = 7_u32.saturating_sub(step.low);
        step.is_open && step.low > 0 && to_sunday > 0 && to_sunday.is_multiple_of(step.by)
    });
    let step = early.next().filter(|step| step.by > 0)?;
    let days = (step.low..=step.high).step_by(step.by as usize);
    let days: Vec<_> = days.map(weekday_name).collect();
    Some(format!(
        "`{}` in day_of_week ends with Saturday: it names {}, not Sunday",
        step.item,
        joined(&days, "and")
    ))
}

/// One sentence per field whose step has another length where the field begins anew.
pub(crate) fn uneven(cron: &Cron) -> Vec<String> {
    [
        Field::Second,
        Field::Minute,
        Field::Hour,
        Field::Day,
        Field::DayOfWeek,
        Field::Month,
    ]
    .into_iter()
    // That it ends before Sunday says more.
    .filter(|field| *field != Field::DayOfWeek || without_sunday(cron).is_none())
    .filter_map(|field| uneven_field(cron, field))
    .collect()
}

fn uneven_field(cron: &Cron, field: Field) -> Option<String> {
    let text = text_of(cron, field)?;
    let (base, step) = text.split_once('/')?;
    let step: u32 = step.parse().ok().filter(|step| *step > 1)?;
    let first = match base {
        "*" => field.min(),
        // `10-40/10` says itself where it ends.
        _ => base.parse().ok()?,
    };
    let last = first + (field.max() - first) / step * step;
    let rest = field.max() - field.min() + 1 - last + first;
    let goes_on = match field {
        Field::Second => has_neighbours(cron.minutes, 60),
        Field::Minute => has_neighbours(u64::from(cron.hours), 24),
        Field::Hour => {
            let rule = DayRule::of(cron);
            rule.by_day.is_none()
                && rule
                    .by_weekday
                    .is_none_or(|(weekdays, _)| has_neighbours(u64::from(weekdays), 7))
        }
        _ => true,
    };
    if !goes_on || (rest == step && field != Field::Day) || last == first {
        return None;
    }
    let (anew, unit) = match field {
        Field::Second => ("minute", "second"),
        Field::Minute => ("hour", "minute"),
        Field::Hour => ("day", "hour"),
        Field::Month => ("year", "month"),
        Field::DayOfWeek => {
            return Some(format!(
                "`{text}` in {} begins anew every week: the last step of a week is not {step} \
                 days long",
                field.name()
            ));
        }
        _ => {
            return Some(format!(
                "`{text}` in {} begins anew every month: the last step of a month is not always \
                 {step} days long",
                field.name()
            ));
        }
    };
    let plural = if rest == 1 { "" } else { "s" };
    let is = if rest == 1 { "is" } else { "are" };
    let mut warning = format!(
        "`{text}` in {} begins anew every {anew}: from {last} to {first} {is} {rest} \
         {unit}{plural}, not {step}",
        field.name()
    );
    if let Some(interval) = as_interval(cron, field, step) {
        warning.extend(["; `", &interval, "` keeps the distance"]);
    }
    Some(warning)
}

/// The interval that runs every so often, where nothing else restricts the trigger.
fn as_interval(cron: &Cron, field: Field, step: u32) -> Option<String> {
    let rule = DayRule::of(cron);
    let free = rule.by_day.is_none()
        && rule.by_weekday.is_none()
        && cron.months.count_ones() == 12
        && cron.special.is_none();
    let (minutes, hours) = (cron.minutes.count_ones(), cron.hours.count_ones());
    match field {
        Field::Second if free && minutes == 60 && hours == 24 => Some(format!("every {step}s")),
        Field::Minute if free && hours == 24 && cron.seconds.is_power_of_two() => {
            Some(format!("every {step}m"))
        }
        Field::Hour if free && minutes == 1 && cron.seconds.is_power_of_two() => {
            Some(format!("every {step}h"))
        }
        _ => None,
    }
}

/// Whether some value is followed by the next one, the first coming after the last.
fn has_neighbours(bits: u64, size: u32) -> bool {
    (0..size).any(|value| bits >> value & 1 == 1 && bits >> ((value + 1) % size) & 1 == 1)
}

/// The field as it was written; `None` where it was left out.
pub(crate) fn text_of(cron: &Cron, field: Field) -> Option<&str> {
    let mut words = cron.text.split_ascii_whitespace();
    if cron.keyword {
        return words.find_map(|word| word.strip_prefix(field.name())?.strip_prefix('='));
    }
    // Seconds stand in front of the five fields if there are more.
    let seconds = usize::from(words.clone().count() > 5);
    let index = match field {
        Field::Second if seconds == 0 => return None,
        Field::Second => 0,
        Field::Minute => seconds,
        Field::Hour => seconds + 1,
        Field::Day => seconds + 2,
        Field::Month => seconds + 3,
        Field::DayOfWeek => seconds + 4,
        _ => return None,
    };
    words.nth(index)
}
