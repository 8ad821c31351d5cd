//! Words of other schedulers that form a trigger together: `hours = 1, minutes = 30` is `interval = "1h 30m"`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use scheduler_triggers::{Trigger, parse_duration};
use syn::{Expr, ExprArray, ExprCall, ExprLit, ExprRange, Lit, RangeLimits};

use super::entry::{self, Entry, Value, as_text};
use super::habit::Words;
use super::written::{self, snake};
use crate::errors::Errors;

/// Units of elapsed time.
const UNITS: [(&str, &str); 11] = [
    ("milliseconds", "ms"),
    ("millis", "ms"),
    ("seconds", "s"),
    ("secs", "s"),
    ("sec", "s"),
    ("minutes", "m"),
    ("mins", "m"),
    ("hours", "h"),
    ("hrs", "h"),
    ("days", "d"),
    ("weeks", "w"),
];

/// Other words for elapsed time, with their units.
const ELAPSED: [(&str, &str); 16] = [
    ("interval_ms", "ms"),
    ("interval_seconds", "s"),
    ("interval_secs", "s"),
    ("interval_minutes", "m"),
    ("interval_hours", "h"),
    ("every_seconds", "s"),
    ("every_minutes", "m"),
    ("every_hours", "h"),
    ("every_days", "d"),
    ("period", "s"),
    ("every", "s"),
    ("fixed_rate", "ms"),
    ("fixed_delay", "ms"),
    ("repeat_interval", "ms"),
    ("on_unit_active_sec", "s"),
    ("on_unit_inactive_sec", "s"),
];

/// APScheduler's triggers, with their kinds.
const KINDS: [(&str, &str); 4] = [
    ("interval_trigger", "interval"),
    ("cron_trigger", "cron"),
    ("date_trigger", "date"),
    ("calendar_interval_trigger", "calendar_interval"),
];

/// Days of the week.
const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// Words for calendar steps.
const STEPS: [&str; 2] = ["months", "years"];

/// Words for fields of a cron expression, with the field's name.
const FIELDS: [(&str, &str); 14] = [
    ("year", "year"),
    ("month", "month"),
    ("month_of_year", "month"),
    ("day", "day"),
    ("day_of_month", "day"),
    ("week", "week"),
    ("day_of_week", "day_of_week"),
    ("days_of_week", "day_of_week"),
    ("weekday", "day_of_week"),
    ("weekdays", "day_of_week"),
    ("dow", "day_of_week"),
    ("hour", "hour"),
    ("minute", "minute"),
    ("second", "second"),
];

/// Words for a single instant.
const DATES: [&str; 8] = [
    "run_date",
    "run_at",
    "scheduled_at",
    "schedule_at",
    "eta",
    "once",
    "datetime",
    "at_date",
];

/// Words for a time of day, or for an instant.
const TIMES: [&str; 4] = ["at", "time", "at_time", "time_of_day"];

/// Words whose meaning depends on the value.
const TEXTS: [&str; 15] = [
    "on_calendar",
    "schedule_expression",
    "schedule_interval",
    "schedule",
    "trigger",
    "cron_expression",
    "cron_schedule",
    "cron_expr",
    "expression",
    "expr",
    "crontab",
    "spec",
    "run_every",
    "repeat",
    "rate",
];

/// Words that are a schedule on their own, with their crontab names.
const NICKNAMES: [(&str, &str); 13] = [
    ("daily_at", "@daily"),
    ("hourly", "@hourly"),
    ("daily", "@daily"),
    ("midnight", "@daily"),
    ("weekly", "@weekly"),
    ("monthly", "@monthly"),
    ("yearly", "@yearly"),
    ("annually", "@yearly"),
    ("every_hour", "@hourly"),
    ("every_day", "@daily"),
    ("every_week", "@weekly"),
    ("every_minute", "* * * * *"),
    ("minutely", "* * * * *"),
];

/// Returns `true` for any word in this file, in the naming style of any language: `fixedRate` is `fixed_rate`.
pub(crate) fn is_trigger_word(entry: &Entry) -> bool {
    let word = snake(&entry.name());
    let word = word.as_str();
    if word == "when" {
        // A condition, unless the value is certainly a time.
        let text = entry.given().and_then(written::text);
        return text.is_some_and(|text| written::trigger(&text, true).is_some());
    }
    WEEKDAYS.contains(&word)
        || KINDS.iter().any(|(other, _)| *other == word)
        || repeated(word).is_some()
        || unit_of(word).is_some()
        || FIELDS.iter().any(|(other, _)| *other == word)
        || NICKNAMES.iter().any(|(other, _)| *other == word)
        || [&STEPS[..], &DATES[..], &TIMES[..], &TEXTS[..]]
            .concat()
            .contains(&word)
}

/// Returns the crontab name of a word.
pub(crate) fn nickname(word: &str) -> Option<&'static str> {
    NICKNAMES
        .iter()
        .find(|(other, _)| *other == word)
        .map(|(_, nickname)| *nickname)
}

/// Returns `true` if the word is a duration whose name does not contain a unit.
pub(crate) fn has_no_unit(word: &str) -> bool {
    [
        "period",
        "every",
        "fixed_rate",
        "fixed_delay",
        "repeat_interval",
    ]
    .contains(&snake(word).as_str())
}

/// Reads words like `every_five_minutes` as an expression that fires on round minutes and hours.
fn repeated(word: &str) -> Option<String> {
    const NUMBERS: [(&str, u32); 7] = [
        ("two", 2),
        ("three", 3),
        ("four", 4),
        ("five", 5),
        ("ten", 10),
        ("fifteen", 15),
        ("thirty", 30),
    ];
    let (number, unit) = word.strip_prefix("every_")?.split_once('_')?;
    let (_, number) = NUMBERS.iter().find(|(name, _)| *name == number)?;
    match unit {
        "minutes" => Some(format!("*/{number} * * * *")),
        "hours" if 24 % number == 0 => Some(format!("0 */{number} * * *")),
        _ => None,
    }
}

/// Converts `any(…)` to `or(…)`.
pub(crate) fn any(words: &Words<'_>) -> Option<String> {
    joined("or", words)
}

/// Converts `all(…)` to `and(…)`.
pub(crate) fn all(words: &Words<'_>) -> Option<String> {
    joined("and", words)
}

fn joined(key: &str, words: &Words<'_>) -> Option<String> {
    let [entry] = words.entries.as_slice() else {
        return None;
    };
    let Value::List(group) = &entry.value else {
        return None;
    };
    let inside = as_text(&group.stream()).replace(" ,", ",");
    Some(format!("{key}({inside})"))
}

/// Returns the trigger that the words form with one that is given: `interval = "1h", minutes = 30`.
pub(crate) fn combined(given: &Entry, words: &Words<'_>) -> Option<String> {
    let value = given.given()?;
    let text = written::text(value)?;
    let all: Vec<Word> = words
        .entries
        .iter()
        .map(|entry| word(entry))
        .collect::<Option<_>>()?;
    let one_time = match all.as_slice() {
        [one] if TIMES.contains(&one.name.as_str()) => one
            .value
            .as_ref()
            .and_then(written::text)
            .and_then(|time| written::time_of_day(&time)),
        _ => None,
    };
    match (given.name().as_str(), one_time) {
        ("interval", Some((hour, minute, 0))) => {
            let length = parse_duration(&text).ok()?.as_secs();
            let days = length / 86_400;
            (days > 0 && length % 86_400 == 0).then(|| {
                format!("calendar_interval(days = {days}, time = \"{hour:02}:{minute:02}\")")
            })
        }
        ("interval", None) => {
            let mut parts = vec![(value, "s")];
            for word in &all {
                let plain = UNITS.iter().find(|(name, _)| *name == word.name);
                match (
                    plain,
                    word.value
                        .as_ref()
                        .filter(|value| written::integer(value).is_some()),
                ) {
                    (Some((_, unit)), Some(value)) => parts.push((value, unit)),
                    _ => return every_within(&text, &all),
                }
            }
            Some(format!("interval = \"{}\"", written::sum(&parts)?))
        }
        ("date", Some((hour, minute, second))) if text.trim().len() == 10 => {
            let time = match second {
                0 => format!("{hour:02}:{minute:02}"),
                _ => format!("{hour:02}:{minute:02}:{second:02}"),
            };
            one_instant(&format!("{}T{time}", text.trim()), words.has_zone)
        }
        _ => None,
    }
}

/// Returns an expression that fires at this interval of minutes, in the hours and on the days that the words name.
fn every_within(length: &str, words: &[Word]) -> Option<String> {
    let seconds = parse_duration(length).ok()?.as_secs();
    let minutes = seconds / 60;
    let mut parts = ["*", "*", "*", "*", "*"].map(str::to_owned);
    parts[0] = match (seconds % 60, minutes) {
        (0, 1) => "*".to_owned(),
        (0, 60) => "0".to_owned(),
        (0, 2..60) if 60 % minutes == 0 => format!("*/{minutes}"),
        _ => return None,
    };
    for Word { name, value } in words {
        let field = match name.as_str() {
            "hours" => "hour",
            name => field_of(name)?,
        };
        let index = ["hour", "day", "month", "day_of_week"]
            .iter()
            .position(|other| *other == field)?;
        let value = value.as_ref()?;
        // `hours = 9` is additional time, not an hour.
        if name == "hours" && written::integer(value).is_some() {
            return None;
        }
        parts[index + 1] = field_text(value)?.trim_matches('"').replace(' ', "");
    }
    Some(format!("cron = \"{}\"", parts.join(" ")))
}

/// One word and its value, which is `None` if it has none.
struct Word {
    name: String,
    value: Option<Expr>,
}

/// Returns the trigger that the words form.
pub(crate) fn trigger(words: &Words<'_>) -> Option<String> {
    let kind = words.kind.as_deref();
    if let [entry] = words.entries.as_slice()
        && let Value::List(group) = &entry.value
    {
        return of_list(&snake(&entry.name()), group.stream(), words);
    }
    let all: Vec<Word> = words
        .entries
        .iter()
        .map(|entry| word(entry))
        .collect::<Option<_>>()?;
    let has = |names: &[&str]| all.iter().any(|word| names.contains(&word.name.as_str()));
    if kind == Some("calendar_interval") || has(&STEPS) {
        return calendar(&all);
    }
    if all.iter().all(|word| field_of(&word.name).is_some()) && !all.is_empty() {
        return cron(&all, kind == Some("cron"));
    }
    let times = [&TIMES[..], &DATES[..]].concat();
    if all.len() == 2
        && has(&times)
        && let [unit, time] = sorted(&all, &times)
    {
        return at_time(unit, time);
    }
    if all.iter().all(|word| unit_of(&word.name).is_some()) {
        return elapsed(&all);
    }
    match all.as_slice() {
        [one] => alone(one, words.has_zone),
        _ => None,
    }
}

fn word(entry: &Entry) -> Option<Word> {
    let value = match &entry.value {
        Value::Expr(value) => Some(value.clone()),
        Value::Missing => None,
        Value::List(_) => return None,
    };
    Some(Word {
        name: snake(&entry.name()),
        value,
    })
}

/// Returns two words, first the one that is not a time of day.
fn sorted<'a>(all: &'a [Word], times: &[&str]) -> [&'a Word; 2] {
    if times.contains(&all[0].name.as_str()) {
        [&all[1], &all[0]]
    } else {
        [&all[0], &all[1]]
    }
}

fn unit_of(word: &str) -> Option<&'static str> {
    UNITS
        .iter()
        .chain(&ELAPSED)
        .find(|(other, _)| *other == word)
        .map(|(_, unit)| *unit)
}

fn field_of(word: &str) -> Option<&'static str> {
    FIELDS
        .iter()
        .find(|(other, _)| *other == word)
        .map(|(_, field)| *field)
}

fn elapsed(all: &[Word]) -> Option<String> {
    if let [one] = all
        && one.name == "every"
        && let Some(text) = one.value.as_ref().and_then(written::text)
    {
        if written::time_of_day(&text).is_some() {
            return None;
        }
        return written::trigger(&format!("every {text}"), false)
            .or_else(|| written::trigger(&text, false));
    }
    let parts: Option<Vec<(&Expr, &str)>> = all
        .iter()
        .map(|word| Some((word.value.as_ref()?, unit_of(&word.name)?)))
        .collect();
    Some(format!("interval = \"{}\"", written::sum(&parts?)?))
}

/// Reads `months = 1, days = 2`, with the time of day as `at`, or as `hour` and `minute`.
fn calendar(all: &[Word]) -> Option<String> {
    let mut parts = Vec::new();
    let mut time = [None; 3];
    for Word { name, value } in all {
        let value = value.as_ref()?;
        match name.as_str() {
            "years" | "months" | "weeks" | "days" => {
                parts.push(format!("{name} = {}", written::integer(value)?));
            }
            "hour" => time[0] = Some(written::integer(value)?),
            "minute" => time[1] = Some(written::integer(value)?),
            "second" => time[2] = Some(written::integer(value)?),
            name if TIMES.contains(&name) => {
                let (hour, minute, second) = written::time_of_day(&written::text(value)?)?;
                time = [hour, minute, second].map(|part| Some(u64::from(part)));
            }
            _ => return None,
        }
    }
    if time != [None; 3] {
        let [hour, minute, second] = time.map(Option::unwrap_or_default);
        parts.push(if second == 0 {
            format!("time = \"{hour:02}:{minute:02}\"")
        } else {
            format!("time = \"{hour:02}:{minute:02}:{second:02}\"")
        });
    }
    Some(format!("calendar_interval({})", parts.join(", ")))
}

/// Reads `days = 1, at = "10:30"`, and `daily, at = "10:30"`.
fn at_time(unit: &Word, time: &Word) -> Option<String> {
    let at = written::time_of_day(&written::text(time.value.as_ref()?)?)?;
    let is_daily = matches!(unit.name.as_str(), "daily" | "every_day");
    let every_day = unit.name == "every"
        && unit
            .value
            .as_ref()
            .and_then(written::text)
            .is_some_and(|text| matches!(text.trim(), "day" | "1 day" | "1d" | "24h"));
    if is_daily || every_day {
        return Some(written::daily_at(at));
    }
    if WEEKDAYS.contains(&unit.name.as_str()) && unit.value.is_none() {
        let (hour, minute, second) = at;
        let weekday = &unit.name[..3];
        return (second == 0).then(|| format!("cron = \"{minute} {hour} * * {weekday}\""));
    }
    let is_step = matches!(unit.name.as_str(), "days" | "weeks");
    let (hour, minute, second) = at;
    let count = is_step.then(|| written::integer(unit.value.as_ref()?))??;
    (second == 0).then(|| {
        format!(
            "calendar_interval({} = {count}, time = \"{hour:02}:{minute:02}\")",
            unit.name
        )
    })
}

/// Reads the fields of `cron(…)`. If `by_apscheduler`, weekdays are numbered from Monday.
fn cron(all: &[Word], by_apscheduler: bool) -> Option<String> {
    let fields: Option<Vec<String>> = all
        .iter()
        .map(|word| {
            let field = field_of(&word.name)?;
            let value = field_text(word.value.as_ref()?)?;
            let value = match (field, value.trim_matches('"')) {
                ("day_of_week", text) if by_apscheduler && is_numbers(text) => {
                    format!("\"{}\"", named_weekdays(text)?)
                }
                _ => value,
            };
            Some(format!("{field} = {value}"))
        })
        .collect();
    Some(format!("cron({})", fields?.join(", ")))
}

fn is_numbers(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || ",- ".contains(c))
}

/// Converts weekdays that are numbered from Monday to names.
fn named_weekdays(text: &str) -> Option<String> {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let name = |number: &str| NAMES.get(number.trim().parse::<usize>().ok()?).copied();
    let items: Option<Vec<String>> = text
        .split(',')
        .map(|item| match item.split_once('-') {
            Some((first, last)) => Some(format!("{}-{}", name(first)?, name(last)?)),
            None => name(item).map(str::to_owned),
        })
        .collect();
    Some(items?.join(","))
}

fn field_text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Int(_) | Lit::Str(_),
            ..
        }) => written::literal(value),
        other => several(other).map(|text| format!("\"{text}\"")),
    }
}

/// Converts `6..8`, `6..=8` and `[6, 8]` to a cron field. Rust's `6..8` ends before 8.
pub(crate) fn several(value: &Expr) -> Option<String> {
    match value {
        Expr::Range(ExprRange {
            start: Some(start),
            limits: RangeLimits::HalfOpen(_),
            end: Some(end),
            ..
        }) => {
            let (first, end) = (written::integer(start)?, written::integer(end)?);
            let last = end.checked_sub(1).filter(|last| *last >= first)?;
            Some(format!("{first}-{last}"))
        }
        Expr::Range(ExprRange {
            start: Some(start),
            end: Some(end),
            ..
        }) => Some(format!("{}-{}", item(start)?, item(end)?)),
        Expr::Array(ExprArray { elems, .. }) => {
            let values: Option<Vec<String>> = elems.iter().map(item).collect();
            Some(values?.join(","))
        }
        _ => None,
    }
}

/// Reads one value of a cron field: a number, a text, or a name such as `mon`.
fn item(value: &Expr) -> Option<String> {
    match value {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        other => written::integer(other)
            .map(|number| number.to_string())
            .or_else(|| written::text(other)),
    }
}

/// Reads a word that is a trigger on its own.
fn alone(word: &Word, has_zone: bool) -> Option<String> {
    let name = word.name.as_str();
    let text = word.value.as_ref().and_then(written::text);
    if let Some(cron) = repeated(name) {
        return word.value.is_none().then(|| format!("cron = \"{cron}\""));
    }
    if WEEKDAYS.contains(&name) {
        return None;
    }
    if name == "weekly"
        && let Some(weekday) = &text
    {
        let cron = format!("0 0 * * {weekday}");
        return Trigger::cron(&cron)
            .is_ok()
            .then(|| format!("cron = \"{cron}\""));
    }
    if let Some((_, nickname)) = NICKNAMES.iter().find(|(other, _)| *other == name) {
        return match (&word.value, text) {
            (None, _) => Some(format!("cron = \"{nickname}\"")),
            (_, Some(text)) if *nickname == "@daily" => {
                written::time_of_day(&text).map(written::daily_at)
            }
            (Some(value), None) if written::flag(value) == Some(true) => {
                Some(format!("cron = \"{nickname}\""))
            }
            _ => None,
        };
    }
    if DATES.contains(&name) || TIMES.contains(&name) {
        let date = text.or_else(|| datetime(word.value.as_ref()?));
        return one_instant(&date?, has_zone);
    }
    if let Some(Expr::Call(call)) = &word.value
        && let Expr::Path(function) = &*call.func
        && function.path.is_ident("crontab")
    {
        return crontab(&call.args.iter().collect::<Vec<_>>());
    }
    match (&text, &word.value) {
        // As a value of these words, `00:05` is just as likely to be a duration.
        (Some(text), _)
            if written::time_of_day(text).is_some()
                && matches!(name, "run_every" | "repeat" | "rate") =>
        {
            None
        }
        (Some(text), _) => written::trigger(text, has_zone),
        // Celery's schedules are in seconds.
        (None, Some(value)) if matches!(name, "schedule" | "run_every" | "repeat" | "rate") => {
            Some(format!("interval = \"{}\"", written::duration(value, "s")?))
        }
        _ => None,
    }
}

/// Reads an instant; without an offset or a zone, there are two ways to write it.
fn one_instant(text: &str, has_zone: bool) -> Option<String> {
    if let Some(time) = written::time_of_day(text) {
        return Some(written::daily_at(time));
    }
    written::date(text, has_zone).or_else(|| {
        let full = match text.trim().len() {
            10 => format!("{}T00:00:00", text.trim()),
            _ => text.trim().to_owned(),
        };
        let utc = written::date(&format!("{full}Z"), false)?;
        Some(format!(
            "{utc}` for UTC, or `date = \"{text}\"` beside its `timezone"
        ))
    })
}

/// Reads Python's `datetime(2026, 12, 31, 23, 59)`.
fn datetime(value: &Expr) -> Option<String> {
    let Expr::Call(ExprCall { func, args, .. }) = value else {
        return None;
    };
    let is_datetime =
        matches!(&**func, Expr::Path(path) if path.path.segments.last()?.ident == "datetime");
    let numbers: Option<Vec<u64>> = args.iter().map(written::integer).collect();
    let numbers = numbers.filter(|numbers| is_datetime && (3..=6).contains(&numbers.len()))?;
    let part = |index: usize| numbers.get(index).copied().unwrap_or_default();
    Some(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        part(0),
        part(1),
        part(2),
        part(3),
        part(4),
        part(5)
    ))
}

/// Reads `every(minutes = 5)`, `crontab(hour = 7)`, `daily(at = "10:30")`.
fn of_list(name: &str, tokens: TokenStream, words: &Words<'_>) -> Option<String> {
    let kind = KINDS
        .iter()
        .find(|(other, _)| *other == name)
        .map(|(_, kind)| (*kind).to_owned());
    if name == "rate" {
        // EventBridge's `rate(5 minutes)`
        return written::trigger(&format!("every {}", as_text(&tokens)), false);
    }
    let errors = Errors::default();
    let list = entry::entries(tokens, &errors);
    errors.finish().ok()?;
    if let [Lit::Str(text)] = list.bare.as_slice()
        && list.keyed.is_empty()
    {
        let value = Expr::Lit(ExprLit {
            attrs: Vec::new(),
            lit: Lit::Str(text.clone()),
        });
        let word = Word {
            name: name.to_owned(),
            value: Some(value),
        };
        return if unit_of(name).is_some() {
            elapsed(&[word])
        } else {
            alone(&word, words.has_zone)
        };
    }
    if let [Lit::Int(_)] = list.bare.as_slice()
        && let [
            Entry {
                key,
                value: Value::Missing,
            },
        ] = list.keyed.as_slice()
    {
        // `every(5, minutes)`
        let value = Expr::Lit(ExprLit {
            attrs: Vec::new(),
            lit: list.bare.into_iter().next()?,
        });
        return elapsed(&[Word {
            name: snake(&key.to_string()),
            value: Some(value),
        }]);
    }
    if !list.bare.is_empty() {
        return None;
    }
    if name == "crontab" {
        let fields: Option<Vec<Word>> = list.keyed.iter().map(word).collect();
        return crontab_fields(&fields?);
    }
    if NICKNAMES.iter().any(|(other, _)| *other == name)
        && let [one] = list.keyed.as_slice()
    {
        let nickname = Word {
            name: name.to_owned(),
            value: None,
        };
        return at_time(&nickname, &word(one)?);
    }
    let inside = Words {
        entries: list.keyed.iter().collect(),
        unclear: words.unclear,
        has_zone: words.has_zone,
        kind: kind.or_else(|| words.kind.clone()),
    };
    let known = list.keyed.iter().all(is_trigger_word);
    known.then(|| trigger(&inside))?
}

/// Reads Celery's `crontab(minute = 0, hour = 7)`, written as a value: Rust parses each `=` as an assignment.
fn crontab(arguments: &[&Expr]) -> Option<String> {
    let fields: Option<Vec<Word>> = arguments
        .iter()
        .map(|argument| {
            let Expr::Assign(assign) = argument else {
                return None;
            };
            Some(Word {
                name: assign.left.to_token_stream().to_string(),
                value: Some((*assign.right).clone()),
            })
        })
        .collect();
    crontab_fields(&fields?)
}

/// Celery's fields are `*` by default, and weekdays are numbered from Sunday.
fn crontab_fields(fields: &[Word]) -> Option<String> {
    let mut parts = ["*", "*", "*", "*", "*"].map(str::to_owned);
    for Word { name, value } in fields {
        let index = ["minute", "hour", "day", "month", "day_of_week"]
            .iter()
            .position(|field| Some(*field) == field_of(name))?;
        let value = value.as_ref()?;
        let text = field_text(value).unwrap_or_else(|| as_text(&value.to_token_stream()));
        parts[index] = text.trim_matches('"').replace(' ', "");
    }
    Some(format!("cron = \"{}\"", parts.join(" ")))
}
