//! The mistakes that one item of a cron field can hold, each with its cure.

use std::ops::Range;
use std::time::Duration;

use crate::cron::field::{Field, WEEKDAYS};
use crate::cron::item::{Dialect, Item, NTH};
use crate::error::TriggerError;
use crate::suggest;
use crate::text::duration::format_duration;

pub(crate) fn empty(item: &Item<'_>) -> TriggerError {
    if item.text.is_empty() {
        return item.error(format!(
            "an item of {} is empty: a comma too many?",
            item.field.name()
        ));
    }
    item.error(format!("`{}` has nothing before its step", item.text))
        .write(format!("*{}", item.text))
}

pub(crate) fn out_of_range(item: &Item<'_>, text: &str, span: Range<usize>) -> TriggerError {
    let name = item.field.name();
    let error = TriggerError::new(format!(
        "`{text}` is out of range for {name}, which takes {}",
        item.allowed()
    ))
    .in_field(name)
    .at(span)
    .allow(item.allowed());
    match (item.field, text) {
        (Field::Hour, "24") | (Field::Minute | Field::Second, "60") => error.meant(Some("0")),
        _ => error,
    }
}

pub(crate) fn unknown(item: &Item<'_>, text: &str, span: Range<usize>) -> TriggerError {
    let name = item.field.name();
    let (written, text) = (text, &*text.to_ascii_lowercase());
    let error = TriggerError::new(format!(
        "`{written}` is no value of {name}, which takes {}",
        item.allowed()
    ))
    .in_field(name)
    .at(span)
    .allow(item.allowed());
    let elsewhere = [Field::Month, Field::DayOfWeek]
        .into_iter()
        .find(|field| *field != item.field && field.value_of(text).is_some());
    if let Some(right) = elsewhere {
        return TriggerError::new(format!(
            "`{written}` belongs in the field {}, not in {name}",
            right.name()
        ))
        .in_field(name)
        .at(error.span().unwrap_or_default());
    }
    if let Some(short) = item.field.short_for(text) {
        return error.meant(Some(short));
    }
    if let Some(near) = suggest::nearest(text, item.field.names().iter().copied()) {
        return error.meant(Some(near));
    }
    if text.ends_with('w') || text.ends_with('l') || text.contains('#') {
        return TriggerError::new(format!(
            "`{written}` cannot stand in {name}: `L` and `15W` name days, `friL` and `fri#2` weekdays"
        ))
        .in_field(name)
        .at(error.span().unwrap_or_default());
    }
    match leading_number(text) {
        Some(number) => error.meant(Some(number)),
        None => error,
    }
}

pub(crate) fn reversed(item: &Item<'_>, length: usize, low: u32, high: u32) -> TriggerError {
    let field = item.field;
    let part = |from: u32, to: u32| {
        if from == to {
            from.to_string()
        } else {
            format!("{from}-{to}")
        }
    };
    item.error(format!(
        "the range `{}` of {} runs backwards",
        &item.text[..length],
        field.name()
    ))
    .meant(Some(match field {
        Field::Year | Field::Week => format!("{high}-{low}"),
        _ => format!("{},{}", part(low, field.max()), part(field.min(), high)),
    }))
}

pub(crate) fn open_range(item: &Item<'_>) -> TriggerError {
    item.error(format!(
        "`{}` is no range: both ends must be given",
        item.text
    ))
    .allow(item.allowed())
    .write(format!("{}-{}", item.field.min(), item.field.max()))
}

pub(crate) fn zero_step(item: &Item<'_>, span: Range<usize>) -> TriggerError {
    TriggerError::new(format!(
        "the step in `{}` of {} is 0 and would never move on",
        item.text,
        item.field.name()
    ))
    .in_field(item.field.name())
    .at(span)
    .allow("1 or more")
}

pub(crate) fn large_step(
    item: &Item<'_>,
    span: Range<usize>,
    step: u32,
    low: u32,
    high: u32,
) -> TriggerError {
    let error = TriggerError::new(format!(
        "the step {step} in `{}` of {} is larger than its range {low}-{high}, \
         so it would only ever name {low}",
        item.text,
        item.field.name(),
    ))
    .in_field(item.field.name())
    .at(span)
    .allow(format!("1-{}", (high - low).max(1)));
    if item.field == Field::Minute && step > 60 && item.text.starts_with('*') {
        let every = format_duration(Duration::from_secs(u64::from(step) * 60));
        return error.write(format!("every {every}"));
    }
    error.meant(Some(low.to_string()))
}

pub(crate) fn signed_step(item: &Item<'_>, text: &str, span: Range<usize>) -> TriggerError {
    TriggerError::new(format!(
        "the step `{text}` of {} has a sign",
        item.field.name()
    ))
    .in_field(item.field.name())
    .at(span)
    .meant(Some(item.text.replace("/+", "/")))
}

pub(crate) fn bad_step(item: &Item<'_>, text: &str, span: Range<usize>) -> TriggerError {
    let text = &*text.to_ascii_lowercase();
    let error = TriggerError::new(format!(
        "the step `{text}` of {} is not a number",
        item.field.name()
    ))
    .in_field(item.field.name())
    .at(span);
    let Some(number) = leading_number(text) else {
        return error.write(format!("{}/5", item.text.split('/').next().unwrap_or("*")));
    };
    let range = item.text.split('/').next().unwrap_or("*");
    let unit = &text[number.len()..];
    let home = match unit {
        "s" | "sec" => Field::Second,
        "m" | "min" => Field::Minute,
        "h" => Field::Hour,
        "d" => Field::Day,
        _ => item.field,
    };
    if home == item.field {
        return error.meant(Some(format!("{range}/{number}")));
    }
    TriggerError::new(format!(
        "the step `{text}` names a unit, but the unit is that of the field, here {}",
        item.field.name()
    ))
    .in_field(item.field.name())
    .at(error.span().unwrap_or_default())
    .write(format!("every {text}"))
}

pub(crate) fn weekday_number(item: &Item<'_>, text: &str, span: Range<usize>) -> TriggerError {
    // A suggestion that replaces the whole range needs the span of the whole range.
    let span = if item.text.contains('/') {
        span
    } else {
        item.at..item.at + item.text.len()
    };
    let error = TriggerError::new(format!(
        "`{}` is a weekday number, which APScheduler counts from Monday and crontab from \
         Sunday",
        if item.text.contains('/') {
            text
        } else {
            item.text
        }
    ))
    .in_field(item.field.name())
    .at(span)
    .allow(item.allowed());
    // The crontab meaning, since that is what numbers mean here elsewhere; of a range, all of it.
    let names: Option<Vec<_>> = item
        .text
        .split('-')
        .map(|number| {
            let day = number.parse::<usize>().ok().filter(|day| *day <= 7)?;
            WEEKDAYS.get(day % 7).copied()
        })
        .collect();
    match names {
        Some(names) => error.write(names.join("-")),
        None => error,
    }
}

pub(crate) fn weekday_step(item: &Item<'_>) -> TriggerError {
    item.error(format!(
        "`{}` steps through weekdays, which APScheduler counts from Monday and crontab from \
         Sunday; name the days",
        item.text
    ))
    .allow(item.allowed())
    .write("mon,wed,fri")
}

pub(crate) fn days_before_last(item: &Item<'_>) -> TriggerError {
    item.error(format!(
        "`{}` (days before the last) is Quartz's and not known here",
        item.text
    ))
    .write("L")
}

pub(crate) fn lone_last(item: &Item<'_>) -> TriggerError {
    item.error("`L` alone is no weekday: Quartz means Saturday by it, others the last day")
        .write("sat")
}

pub(crate) fn bad_nth(item: &Item<'_>, nth: &str, span: Range<usize>) -> TriggerError {
    let nth = nth.to_ascii_lowercase();
    TriggerError::new(format!(
        "`{nth}` in `{}` is out of range: a weekday occurs up to 5 times in a month",
        item.text
    ))
    .in_field(item.field.name())
    .at(span)
    .allow("1-5")
}

pub(crate) fn unknown_nth(item: &Item<'_>, nth: &str) -> TriggerError {
    let nth = &*nth.to_ascii_lowercase();
    let by_number = nth
        .bytes()
        .next()
        .filter(|digit| (b'1'..=b'5').contains(digit))
        .and_then(|digit| NTH.get(usize::from(digit - b'1')).copied());
    let by_word = ["first", "second", "third", "fourth", "fifth"]
        .iter()
        .position(|word| *word == nth)
        .and_then(|index| NTH.get(index).copied());
    TriggerError::new(format!("`{nth}` in `{}` is no count", item.text))
        .in_field(item.field.name())
        .at(item.at..item.at + nth.len())
        .allow(NTH.join(", "))
        .meant(by_number.or(by_word).or_else(|| suggest::nearest(nth, NTH)))
}

pub(crate) fn unknown_weekday(item: &Item<'_>, weekday: &str, span: Range<usize>) -> TriggerError {
    let weekday = &*weekday.to_ascii_lowercase();
    let near = Field::DayOfWeek
        .short_for(weekday)
        .or_else(|| suggest::nearest(weekday, WEEKDAYS));
    TriggerError::new(format!("`{weekday}` in `{}` is no weekday", item.text))
        .in_field(item.field.name())
        .at(span)
        .allow("mon-sun")
        .meant(near)
}

/// What a text that is no field at all may have been, such as a crontab habit.
pub(crate) fn foreign(field: Field, dialect: Dialect, text: &str) -> Option<TriggerError> {
    let error = |message: String| {
        TriggerError::new(message)
            .in_field(field.name())
            .at(0..text.len())
    };
    if text.eq_ignore_ascii_case("h") || text.starts_with("H/") || text.starts_with("H(") {
        return Some(
            error(format!(
                "`{text}` is Jenkins' hash, for which a job has the option `jitter`"
            ))
            .write("0"),
        );
    }
    if text == "~" || text.contains('~') {
        return Some(
            error(format!(
                "`{text}` is a random range, for which a job has the option `jitter`"
            ))
            .write("0"),
        );
    }
    if dialect == Dialect::Keyword && text.trim().is_empty() {
        return Some(error(format!("{} is empty", field.name())).write("*"));
    }
    None
}

fn leading_number(text: &str) -> Option<&str> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit())?;
    (end > 0).then(|| &text[..end])
}
