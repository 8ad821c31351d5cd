//! The possible mistakes in one item of a cron field, each with its remedy.

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
    if item.text.starts_with('/') {
        return item
            .error(format!("`{}` has nothing before its step", item.text))
            .write(format!("*{}", item.text));
    }
    item.error(format!("`{}` names no value", item.text))
        .allow(item.allowed())
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
    // The value after the last one: alone it means the first value, but not at the end of a range.
    match (item.field, text) {
        (Field::Hour, "24") | (Field::Minute | Field::Second, "60") if item.text == text => {
            error.meant(Some("0"))
        }
        // All values: from the first to one beyond the last.
        (Field::Hour, "24") | (Field::Minute | Field::Second, "60")
            if item.text.starts_with("0-") =>
        {
            error.meant(Some(item.field.max().to_string()))
        }
        _ => error,
    }
}

pub(crate) fn unknown(item: &Item<'_>, text: &str, span: Range<usize>) -> TriggerError {
    let name = item.field.name();
    let (written, text) = (text, &*text.to_ascii_lowercase());
    let error = TriggerError::new(format!(
        "`{written}` is not a value of {name}, which takes {}",
        item.allowed()
    ))
    .in_field(name)
    .at(span)
    .allow(item.allowed());
    if text == "?" {
        return TriggerError::new(format!(
            "`?` stands for one of the day fields that the other makes up for, not for {name}"
        ))
        .in_field(name)
        .at(error.span().unwrap_or_default())
        // In six fields of EventBridge, a day is in the position of this dialect's hour or month.
        .meant((!matches!(item.field, Field::Hour | Field::Month)).then_some("*"));
    }
    if text.starts_with('!') {
        return TriggerError::new(format!(
            "`{written}` of {name} leaves a value out, which is not taken: name those that are left, such as \
             `mon,tue,thu,fri`"
        ))
        .in_field(name)
        .at(error.span().unwrap_or_default());
    }
    let last_of = text
        .strip_prefix('l')
        .filter(|day| item.field.value_of(day).is_some());
    if let (Field::DayOfWeek, Some(day)) = (item.field, last_of) {
        return error.meant(Some(format!("{day}L")));
    }
    if item.field == Field::Day && text == "last" {
        return error.meant(Some("L"));
    }
    let other = |message: String| {
        TriggerError::new(message)
            .in_field(name)
            .at(error.span().unwrap_or_default())
    };
    let elsewhere = [Field::Month, Field::DayOfWeek]
        .into_iter()
        .find(|field| *field != item.field && field.value_of(text).is_some());
    if let Some(right) = elsewhere {
        return other(format!(
            "`{written}` belongs in the field {}, not in {name}",
            right.name()
        ));
    }
    if item.field.is_of_day() && text.contains(':') {
        return other(format!(
            "`{written}` is a time of day, whose minute and hour are fields of their own"
        ));
    }
    if let Some(short) = item.field.short_for(text) {
        return error.meant(Some(short));
    }
    if let Some(near) = suggest::only_nearest(text, item.field.names().iter().copied()) {
        return error.meant(Some(near));
    }
    if text.ends_with('w') || text.ends_with('l') || text.contains('#') {
        return other(format!(
            "`{written}` cannot stand in {name}: `L`, `L-3` and `15W` name days, `friL` and `fri#2` \
             weekdays"
        ));
    }
    let meant = value_with_unit(item.field, text);
    error.meant(meant.map(|value| value.to_string()))
}

/// `5pm` of hour, `30s` of second, `1st` of day.
fn value_with_unit(field: Field, text: &str) -> Option<u32> {
    let number = leading_number(text)?;
    let value: u32 = number.parse().ok()?;
    let value = match (field, &text[number.len()..]) {
        (Field::Hour, "am") if (1..=12).contains(&value) => value % 12,
        (Field::Hour, "pm") if (1..=12).contains(&value) => value % 12 + 12,
        (Field::Hour, "h")
        | (Field::Minute, "m" | "min")
        | (Field::Second, "s" | "sec")
        | (Field::Day, "st" | "nd" | "rd" | "th") => value,
        _ => return None,
    };
    (field.min()..=field.max())
        .contains(&value)
        .then_some(value)
}

/// Returns the error for a reversed range of years; all other fields wrap around.
pub(crate) fn reversed(item: &Item<'_>, length: usize, low: u32, high: u32) -> TriggerError {
    item.error(format!(
        "the range `{}` of {} runs backwards",
        &item.text[..length],
        item.field.name()
    ))
    .meant(Some(format!("{high}-{low}{}", &item.text[length..])))
}

pub(crate) fn open_range(item: &Item<'_>) -> TriggerError {
    let error = item
        .error(format!(
            "`{}` is not a range: both ends must be given",
            item.text
        ))
        .allow(item.allowed());
    if item.field == Field::Day && item.text == "-1" {
        return error.meant(Some("L"));
    }
    match item.text.strip_suffix('-') {
        // For some the week ends on Saturday, for others on Sunday.
        Some(first) if !first.is_empty() && item.field != Field::DayOfWeek => {
            let last = match item.field.names().last() {
                Some(name) if number_of(first).is_none() => (*name).to_owned(),
                _ => item.field.max().to_string(),
            };
            error.meant(Some(format!("{first}-{last}")))
        }
        _ => error,
    }
}

fn number_of(text: &str) -> Option<u32> {
    text.parse().ok()
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

/// Returns the error for a step that is longer than the period after which its field starts over.
pub(crate) fn large_step(item: &Item<'_>, span: Range<usize>, step: u32, low: u32) -> TriggerError {
    let (field, size) = (item.field, item.field.size());
    let (seconds, anew) = match field {
        Field::Second => (1, "minute"),
        Field::Minute => (60, "hour"),
        _ => (3_600, "day"),
    };
    let error = TriggerError::new(format!(
        "the step {step} in `{}` of {} is longer than the {size} {}s after which it begins anew, so \
         it would only ever name {low}, every {anew}",
        item.text,
        field.name(),
        field.name(),
    ))
    .in_field(field.name())
    .at(span)
    .allow(format!("1-{size}"));
    if low > 0 {
        return error;
    }
    let every = Duration::from_secs(u64::from(step) * seconds);
    error.write_whole(format!("every {}", format_duration(every)))
}

pub(crate) fn large_year_step(
    item: &Item<'_>,
    span: Range<usize>,
    step: u32,
    low: u32,
    high: u32,
) -> TriggerError {
    TriggerError::new(format!(
        "the step {step} in `{}` of year is larger than its range {low}-{high}, so it would only \
         ever name {low}",
        item.text
    ))
    .in_field(item.field.name())
    .at(span)
    .allow(format!("1-{}", (high - low).max(1)))
}

pub(crate) fn signed_step(item: &Item<'_>, text: &str, span: Range<usize>) -> TriggerError {
    TriggerError::new(format!(
        "the step `{text}` of {} has a sign",
        item.field.name()
    ))
    .in_field(item.field.name())
    .at(span)
    .meant(Some(text.trim_start_matches('+')))
}

pub(crate) fn bad_step(item: &Item<'_>, text: &str, span: Range<usize>) -> TriggerError {
    let text = &*text.to_ascii_lowercase();
    let field = item.field;
    let error = TriggerError::new(format!(
        "the step `{text}` of {} is not a number",
        field.name()
    ))
    .in_field(field.name())
    .at(span);
    let Some(number) = leading_number(text) else {
        return error;
    };
    let range = item.text.split('/').next().unwrap_or("*");
    let unit = &text[number.len()..];
    let home = match unit {
        "s" | "sec" => Field::Second,
        "m" | "min" => Field::Minute,
        "h" => Field::Hour,
        "d" => Field::Day,
        _ => return error,
    };
    if home == field {
        // The span covers only the step.
        return error.meant(Some(number));
    }
    let error = TriggerError::new(format!(
        "the step `{text}` names a unit, but the unit is that of the field, here {}",
        field.name()
    ))
    .in_field(field.name())
    .at(error.span().unwrap_or_default());
    // Days are not always 24 hours long.
    if range == "*" && home.is_of_day() && field.is_of_day() {
        error.write_whole(format!("every {number}{}", &unit[..1]))
    } else {
        error
    }
}

/// Names the weekdays that the numbers mean in each numbering.
pub(crate) fn weekday_number(item: &Item<'_>, text: &str, span: Range<usize>) -> TriggerError {
    let range = item.text.split('/').next().unwrap_or(item.text);
    let (number, span) = if item.text.contains('/') || range == text {
        (text, span)
    } else {
        (range, item.at..item.at + item.text.len())
    };
    let names = |shift: usize| -> Option<String> {
        let names = number.split('-').map(|number| {
            let day = number.parse::<usize>().ok().filter(|day| *day < 7)?;
            WEEKDAYS.get((day + shift) % 7).copied()
        });
        names
            .collect::<Option<Vec<_>>>()
            .map(|names| names.join("-"))
    };
    let mut message = format!(
        "`{number}` is a weekday number, which APScheduler counts from Monday and crontab from \
         Sunday"
    );
    if let (Some(from_monday), Some(from_sunday)) = (names(1), names(0)) {
        message.extend([
            ": name the days, `",
            &from_monday,
            "` as APScheduler counts, `",
            &from_sunday,
            "` as crontab does",
        ]);
    }
    TriggerError::new(message)
        .in_field(item.field.name())
        .at(span)
        .allow(item.allowed())
}

pub(crate) fn weekday_step(item: &Item<'_>) -> TriggerError {
    item.error(format!(
        "`{}` steps through weekdays, which APScheduler counts from Monday and crontab from \
         Sunday: name the days, such as `mon,wed,fri`",
        item.text
    ))
    .allow(item.allowed())
}

pub(crate) fn bad_days_before_last(item: &Item<'_>, count: &str) -> TriggerError {
    let error = item
        .error(format!(
            "`{}` counts days back from the last of the month, of which there are 1 to 30: `L-3` is \
             three days before it",
            item.text
        ))
        .allow("L-1 to L-30");
    match (count, item.text.ends_with(['w', 'W'])) {
        ("0", false) => error.meant(Some("L")),
        ("0", true) => error.meant(Some("LW")),
        _ => error,
    }
}

pub(crate) fn lone_last(item: &Item<'_>) -> TriggerError {
    item.error(
        "`L` alone is not a weekday: Quartz means Saturday by it, which is `sat`; the last Friday of a \
         month is `friL`, its last day is `L` in the field day",
    )
}

pub(crate) fn bad_nth(item: &Item<'_>, nth: &str, span: Range<usize>) -> TriggerError {
    let error = TriggerError::new(format!(
        "`{nth}` in `{}` is out of range: a weekday occurs up to 5 times in a month",
        item.text
    ))
    .in_field(item.field.name())
    .allow("1-5");
    match (item.text.split_once('#'), &*nth.to_ascii_lowercase()) {
        (Some((day, _)), "l" | "-1" | "last") => error
            .at(item.at..item.at + item.text.len())
            .meant(Some(format!("{day}L"))),
        _ => error.at(span),
    }
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
    TriggerError::new(format!("`{nth}` in `{}` is not a count", item.text))
        .in_field(item.field.name())
        .at(item.at..item.at + nth.len())
        .allow(NTH.join(", "))
        .meant(
            by_number
                .or(by_word)
                .or_else(|| suggest::only_nearest(nth, NTH)),
        )
}

pub(crate) fn unknown_weekday(item: &Item<'_>, weekday: &str, span: Range<usize>) -> TriggerError {
    let weekday = &*weekday.to_ascii_lowercase();
    let near = Field::DayOfWeek
        .short_for(weekday)
        .or_else(|| suggest::only_nearest(weekday, WEEKDAYS));
    let words = item.text.to_ascii_lowercase();
    if let Some("workday" | "weekday") = words.strip_prefix("last ").map(str::trim) {
        return item
            .error(format!("`{}` is not written like that", item.text))
            .meant(Some("LW"));
    }
    TriggerError::new(format!("`{weekday}` in `{}` is not a weekday", item.text))
        .in_field(item.field.name())
        .at(span)
        .allow("mon-sun")
        .meant(near)
}

/// Returns the error for a text that is not a field, if it is valid elsewhere, such as a crontab habit.
pub(crate) fn foreign(field: Field, dialect: Dialect, text: &str) -> Option<TriggerError> {
    let error = |message: String| {
        TriggerError::new(message)
            .in_field(field.name())
            .at(0..text.len())
    };
    let lower = text.to_ascii_lowercase();
    if lower == "h" || lower.starts_with("h/") || lower.starts_with("h(") {
        return Some(
            error(format!(
                "`{text}` is Jenkins' hash, for which a job has the option `jitter`"
            ))
            .meant(without_hash(field, &lower)),
        );
    }
    if text.contains('~') {
        let first = text.split(['~', ',']).next().unwrap_or_default();
        let least = field.min().to_string();
        let meant = match first {
            "" => Some(least),
            first if text.matches(['~', ',', '/']).count() == 1 => Some(first.to_owned()),
            _ => None,
        };
        return Some(
            error(format!(
                "`{text}` is a random range, for which a job has the option `jitter`"
            ))
            .meant(meant),
        );
    }
    if dialect == Dialect::Keyword && text.trim().is_empty() {
        return Some(error(format!(
            "{} is empty: leave it out, or write `*` for any value",
            field.name()
        )));
    }
    None
}

/// Replaces the hash in `H`, `H/15`, `H(0-29)` and `H(0-29)/10` by its first value.
fn without_hash(field: Field, text: &str) -> Option<String> {
    let rest = text.strip_prefix('h')?;
    if rest.is_empty() {
        return Some(field.min().to_string());
    }
    if let Some(step) = rest.strip_prefix('/') {
        return number_of(step).map(|step| format!("*/{step}"));
    }
    let (range, rest) = rest.strip_prefix('(')?.split_once(')')?;
    match rest.strip_prefix('/') {
        Some(step) => number_of(step).map(|step| format!("{range}/{step}")),
        None if rest.is_empty() => range.split('-').next().map(str::to_owned),
        None => None,
    }
}

fn leading_number(text: &str) -> Option<&str> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit())?;
    (end > 0).then(|| &text[..end])
}
