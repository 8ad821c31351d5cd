//! Steps that do not divide what they are steps of.

use crate::cron::Cron;
use crate::cron::field::Field;
use crate::describe::DayRule;

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
fn text_of(cron: &Cron, field: Field) -> Option<&str> {
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
