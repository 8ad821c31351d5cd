//! Steps that do not divide their range, that end early, or that only name one value.

use crate::cron::Cron;
use crate::cron::field::{Field, WEEKDAYS};
use crate::describe::DayRule;
use crate::describe::wording::{joined, weekday_name};
use crate::warnings::by_field::{by_field, same_times};

/// An item that is a range or has a step, with its bounds.
pub(crate) struct Step<'a> {
    pub(crate) item: &'a str,
    pub(crate) low: u32,
    /// Beyond the last value of the field if the range wraps around.
    pub(crate) high: u32,
    pub(crate) by: u32,
    /// Its index among the items of the field.
    at: usize,
    /// `true` if it begins at a value and has no end of its own.
    is_open: bool,
}

impl Step<'_> {
    /// The first item of a field decides how day and weekday are combined.
    fn is_star(&self) -> bool {
        self.at == 0 && self.item.starts_with(['*', '?'])
    }
}

fn steps(cron: &Cron, field: Field) -> impl Iterator<Item = Step<'_>> {
    ranges(cron, field).filter(|range| range.item.contains('/'))
}

/// Returns the items of a field that are more than one value.
pub(crate) fn ranges(cron: &Cron, field: Field) -> impl Iterator<Item = Step<'_>> {
    let items = text_of(cron, field)
        .into_iter()
        .flat_map(|text| text.split(','));
    items
        .enumerate()
        .filter_map(move |(at, item)| read_range(field, at, item))
}

fn read_range(field: Field, at: usize, item: &str) -> Option<Step<'_>> {
    let value = |text: &str| text.parse().ok().or_else(|| field.value_of(text));
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    let (low, high) = match range.split_once('-') {
        _ if matches!(range, "*" | "?") => (field.min(), field.max()),
        Some((first, last)) => (value(first)?, value(last)?),
        // The second Sunday of a week, which no day follows.
        None if field == Field::DayOfWeek && range == "7" => (0, 0),
        None => (value(range)?, field.max()),
    };
    Some(Step {
        item,
        low,
        high: if high < low {
            high + field.size()
        } else {
            high
        },
        by: step.map_or(Some(1), |step| step.parse().ok())?,
        at,
        is_open: range.bytes().all(|byte| byte.is_ascii_alphanumeric()),
    })
}

/// Items that name only one value, though they are written as steps.
pub(crate) struct Beyond {
    pub(crate) warnings: Vec<String>,
    /// `true` if one of the warnings says that day and weekday must both match.
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
            let whole = || by_field(cron).filter(|_| of_days);
            let mut warning = format!("`{}` in {} only ever names {word}", step.item, field.name());
            if step.is_star() && of_days && must_match_both {
                found.names_both = true;
                warning.push_str(
                    ", and begins with `*`, so that day and weekday must both match, as in crontab",
                );
                if let Some(text) = whole() {
                    warning.extend([": `", &text, "` says so"]);
                }
            } else if with_item(cron, field, &step, &value).is_some() {
                warning.extend([": `", &value, "` says so"]);
            } else if let Some(text) = whole() {
                warning.extend([": `", &text, "` says so"]);
            }
            found.warnings.push(warning);
        }
    }
    found
}

/// Returns the trigger with another item instead of this one, if it fires at the same times.
fn with_item(cron: &Cron, field: Field, step: &Step<'_>, value: &str) -> Option<String> {
    let text = text_of(cron, field)?;
    let items = text.split(',').enumerate();
    let items: Vec<_> = items
        .map(|(at, item)| if at == step.at { value } else { item })
        .collect();
    let items = items.join(",");
    let name = field.name();
    let words = cron.text.split_ascii_whitespace().enumerate();
    let words: Vec<_> = words
        .map(|(at, word)| match place_of(cron, field) {
            None if word.strip_prefix(name) == Some(&format!("={text}")) => {
                format!("{name}={items}")
            }
            Some(place) if at == place => items.clone(),
            _ => word.to_owned(),
        })
        .collect();
    same_times(cron, &words.join(" "))
}

/// Returns a warning about steps from a weekday on, which end with Saturday and so leave out a Sunday in step.
pub(crate) fn without_sunday(cron: &Cron) -> Option<String> {
    if cron.weekdays & 1 == 1 {
        return None; // Sunday is named elsewhere in the list.
    }
    let step = steps(cron, Field::DayOfWeek).find(|step| {
        // A step that only names one day has its own warning.
        let goes_on = step.by <= step.high - step.low;
        step.is_open && step.low > 0 && goes_on && (7 - step.low).is_multiple_of(step.by)
    })?;
    let days = (step.low..=step.high).step_by(step.by as usize);
    let days: Vec<_> = days.map(weekday_name).collect();
    Some(format!(
        "`{}` in day_of_week ends with Saturday: it names {}, not Sunday",
        step.item,
        joined(&days, "and")
    ))
}

/// Returns one sentence per field whose last step has a different length.
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
    // The warning that it ends before Sunday says more.
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
        // `10-40/10` has an explicit end.
        _ => base.parse().ok().filter(|first| *first <= field.max())?,
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

/// Returns an interval with the same frequency, if nothing else restricts the trigger.
fn as_interval(cron: &Cron, field: Field, step: u32) -> Option<String> {
    let rule = DayRule::of(cron);
    let free = rule.by_day.is_none()
        && rule.by_weekday.is_none()
        && cron.months.count_ones() == 12
        && cron.special.is_none()
        && cron.bounds.is_none();
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

/// Returns `true` if some value is followed by the next one, where the first value follows the last.
fn has_neighbours(bits: u64, size: u32) -> bool {
    (0..size).any(|value| bits >> value & 1 == 1 && bits >> ((value + 1) % size) & 1 == 1)
}

/// Returns the field as written; `None` if it was left out.
pub(crate) fn text_of(cron: &Cron, field: Field) -> Option<&str> {
    let mut words = cron.text.split_ascii_whitespace();
    if cron.keyword {
        return words.find_map(|word| word.strip_prefix(field.name())?.strip_prefix('='));
    }
    words.nth(place_of(cron, field)?)
}

/// Returns the index of a field in an expression.
fn place_of(cron: &Cron, field: Field) -> Option<usize> {
    if cron.keyword {
        return None;
    }
    // If there are more than five fields, the first one is for seconds.
    let seconds = usize::from(cron.text.split_ascii_whitespace().count() > 5);
    Some(match field {
        Field::Second if seconds == 0 => return None,
        Field::Second => 0,
        Field::Minute => seconds,
        Field::Hour => seconds + 1,
        Field::Day => seconds + 2,
        Field::Month => seconds + 3,
        Field::DayOfWeek => seconds + 4,
        Field::Year if seconds == 1 => 6,
        Field::Year | Field::Week => return None,
    })
}
