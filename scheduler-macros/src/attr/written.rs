//! Converts what was written for a word of another scheduler to the form used here. Nothing is guessed: an unreadable
//! value results in `None`.

use std::time::Duration;

use quote::ToTokens;
use scheduler_triggers::policies::Backoff;
use scheduler_triggers::{Trigger, ZONE_NAMES, format_duration, parse_duration};
use syn::{BinOp, Expr, ExprBinary, ExprCall, ExprLit, ExprMethodCall, ExprRange, Lit, LitInt};

use super::entry::as_text;
use super::{job, trigger_words};

/// Units of durations, by the beginning of their names; the longest beginnings come first.
const UNITS: [(&str, &str, u64); 6] = [
    ("milli", "ms", 1_000),
    ("min", "m", 60_000_000),
    ("sec", "s", 1_000_000),
    ("hour", "h", 3_600_000_000),
    ("day", "d", 86_400_000_000),
    ("week", "w", 604_800_000_000),
];

/// Converts a name to Rust's naming style.
pub(crate) fn snake(word: &str) -> String {
    let mut name = String::new();
    let mut after_small = false;
    for c in word.chars() {
        if c.is_uppercase() && after_small {
            name.push('_');
        }
        after_small = c.is_lowercase();
        name.extend(c.to_lowercase());
    }
    match name.strip_suffix("_string") {
        Some(rest) if rest.starts_with("fixed_") => rest.to_owned(),
        _ => name,
    }
}

/// Reads a whole number: a literal, in quotes or not, or a sum or product of such numbers.
pub(crate) fn integer(value: &Expr) -> Option<u64> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) if is_plain(number) => number.base10_parse().ok(),
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => text.value().trim().parse().ok(),
        Expr::Paren(paren) => integer(&paren.expr),
        Expr::Binary(ExprBinary {
            left, op, right, ..
        }) => {
            let (left, right) = (integer(left)?, integer(right)?);
            match op {
                BinOp::Mul(_) => left.checked_mul(right),
                BinOp::Add(_) => left.checked_add(right),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Returns `true` if a number has no unit: either no suffix, or the suffix of a Rust type.
pub(crate) fn is_plain(number: &LitInt) -> bool {
    matches!(
        number.suffix(),
        "" | "u32" | "i32" | "usize" | "u8" | "u16" | "u64"
    )
}

/// Reads a text in quotes.
pub(crate) fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

/// Reads `true` or `false`, in the notation of any language.
pub(crate) fn flag(value: &Expr) -> Option<bool> {
    let word = match value {
        Expr::Lit(ExprLit {
            lit: Lit::Bool(flag),
            ..
        }) => return Some(flag.value),
        Expr::Path(path) => path.path.get_ident()?.to_string(),
        other => text(other).or_else(|| integer(other).map(|number| number.to_string()))?,
    };
    match word.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Returns a literal, the only kind of value that is certain to have the same meaning in another position.
pub(crate) fn literal(value: &Expr) -> Option<String> {
    matches!(value, Expr::Lit(_)).then(|| as_text(&value.to_token_stream()))
}

/// Returns a duration's text: `30` and `"30"` are in `unit`, everything else has its own unit.
pub(crate) fn duration(value: &Expr, unit: &str) -> Option<String> {
    if let Some(number) = integer(value) {
        return Some(format!("{number}{unit}"));
    }
    if let Some(text) = text(value) {
        return duration_of_text(&text);
    }
    let micros = match value {
        Expr::Lit(ExprLit {
            lit: Lit::Float(number),
            ..
        }) => decimal_micros(number.base10_digits(), micros_of(unit)?)?,
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => return duration_of_text(&number.to_string()),
        Expr::Call(call) => micros_of_call(call)?,
        Expr::MethodCall(call) => micros_of_method(call)?,
        _ => return None,
    };
    Some(format_duration(Duration::from_micros(micros)))
}

/// Returns a text that is a duration, after correcting a slip if there is one.
fn duration_of_text(text: &str) -> Option<String> {
    match parse_duration(text) {
        Ok(_) => Some(text.trim().to_owned()),
        Err(error) => {
            let meant = error.suggestion()?;
            parse_duration(meant).is_ok().then(|| meant.to_owned())
        }
    }
}

/// Reads a backoff that is a range of seconds: `1..60`.
pub(crate) fn backoff(value: &Expr) -> Option<String> {
    let Expr::Range(ExprRange { start, end, .. }) = value else {
        return None;
    };
    let first = duration(start.as_deref()?, "s")?;
    let text = format!("{first}..{}", duration(end.as_deref()?, "s")?);
    Backoff::read(&text).is_ok().then_some(text)
}

/// Returns the unit that a word names: `seconds`, `"weeks"`, `TimeUnit::MINUTES`.
pub(crate) fn unit(value: &Expr) -> Option<&'static str> {
    let word = match value {
        Expr::Path(path) => path.path.segments.last()?.ident.to_string(),
        other => text(other)?,
    };
    let word = word.trim().to_lowercase();
    UNITS
        .iter()
        .find(|(long, short, _)| {
            let rest = word.strip_prefix(long);
            word == *short
                || rest.is_some_and(|rest| {
                    ["", "s", "ute", "utes", "ond", "onds", "second", "seconds"].contains(&rest)
                })
        })
        .map(|(_, short, _)| *short)
}

fn micros_of(unit: &str) -> Option<u64> {
    UNITS
        .iter()
        .find(|(_, short, _)| *short == unit)
        .map(|(_, _, micros)| *micros)
}

/// Returns the microseconds of a unit's name, such as `from_secs` or `minutes`.
fn micros_of_name(name: &str) -> Option<u64> {
    let name = name.trim_start_matches("from_").trim_start_matches("try_");
    let is = |(long, ..): &&(&str, &str, u64)| name.starts_with(long);
    let found = UNITS.iter().find(is)?;
    let whole = !name.contains("_f");
    whole.then_some(found.2)
}

/// Reads `Duration::from_secs(30)`, `TimeDelta::minutes(5)`.
fn micros_of_call(call: &ExprCall) -> Option<u64> {
    let Expr::Path(function) = &*call.func else {
        return None;
    };
    let name = function.path.segments.last()?.ident.to_string();
    let mut arguments = call.args.iter();
    let number = integer(arguments.next()?)?;
    if arguments.next().is_some() {
        return None;
    }
    number.checked_mul(micros_of_name(&name)?)
}

/// Reads `5.minutes()`.
fn micros_of_method(call: &ExprMethodCall) -> Option<u64> {
    if !call.args.is_empty() {
        return None;
    }
    integer(&call.receiver)?.checked_mul(micros_of_name(&call.method.to_string())?)
}

/// Converts a decimal such as `0.5` of a unit, if that is a whole number of microseconds.
fn decimal_micros(digits: &str, unit: u64) -> Option<u64> {
    let (whole, part) = digits.split_once('.')?;
    let scale = 10_u64.checked_pow(u32::try_from(part.len()).ok()?)?;
    let number = |text: &str| match text {
        "" => Some(0),
        text => text.parse::<u64>().ok(),
    };
    let scaled = number(whole)?
        .checked_mul(scale)?
        .checked_add(number(part)?)?
        .checked_mul(unit)?;
    scaled.is_multiple_of(scale).then_some(scaled / scale)
}

/// Returns the sum of durations, each with a number and a unit.
pub(crate) fn sum(parts: &[(&Expr, &str)]) -> Option<String> {
    if let [(value, unit)] = parts {
        return duration(value, unit);
    }
    let mut total = Duration::ZERO;
    for (value, unit) in parts {
        total = total.checked_add(parse_duration(&duration(value, unit)?).ok()?)?;
    }
    Some(format_duration(total))
}

/// Reads a time of day as `(hour, minute, second)`: `10:30`, `10:30:15`, `10:30pm`.
pub(crate) fn time_of_day(text: &str) -> Option<(u32, u32, u32)> {
    let text = text.trim().to_lowercase();
    let (digits, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(rest), _) => (rest.trim(), Some(0)),
        (_, Some(rest)) => (rest.trim(), Some(12)),
        _ => (text.as_str(), None),
    };
    let mut parts = digits.split(':').map(str::parse::<u32>);
    let hour = parts.next()?.ok()?;
    let minute = parts.next()?.ok()?;
    let second = parts.next().map_or(Some(0), Result::ok)?;
    let hour = match half {
        None => hour,
        Some(_) if hour == 0 || hour > 12 => return None,
        Some(half) => hour % 12 + half,
    };
    let fits = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
    fits.then_some((hour, minute, second))
}

/// Returns a trigger that fires every day at this time.
pub(crate) fn daily_at((hour, minute, second): (u32, u32, u32)) -> String {
    if second == 0 {
        format!("cron = \"{minute} {hour} * * *\"")
    } else {
        format!("cron(hour = {hour}, minute = {minute}, second = {second})")
    }
}

/// Returns a date as a trigger: as it was written if it names an instant, either by itself or with a time zone.
pub(crate) fn date(text: &str, has_zone: bool) -> Option<String> {
    let offset = |text: &str| {
        let time = text.get("2026-12-31".len()..).unwrap_or_default();
        time.contains(['Z', 'z', '+', '-'])
    };
    Trigger::at(text).ok()?;
    (has_zone || offset(text)).then(|| format!("date = \"{text}\""))
}

/// Returns the trigger that a text describes, as an entry of an attribute. It understands `every 5 minutes`,
/// `daily at 10:30`, and every text that triggers can parse.
pub(crate) fn trigger(text: &str, has_zone: bool) -> Option<String> {
    let text = text.trim();
    let lower = text.to_lowercase();
    let (after_every, named) = match lower
        .strip_prefix("@every ")
        .or_else(|| lower.strip_prefix("every "))
    {
        Some(rest) => (rest.trim(), true),
        None => (lower.as_str(), false),
    };
    if let Some(nickname) = trigger_words::nickname(&lower) {
        return Some(format!("cron = \"{nickname}\""));
    }
    if let Some(inner) = lower
        .strip_prefix("cron(")
        .or_else(|| lower.strip_prefix("rate("))
        .and_then(|rest| rest.strip_suffix(')'))
    {
        // EventBridge's `cron` has six fields, the last of which is the year.
        if inner.split_whitespace().count() == 5 && Trigger::cron(inner).is_ok() {
            return Some(format!("cron = \"{inner}\""));
        }
        return trigger(lower.parse::<Trigger>().err()?.suggestion()?, has_zone);
    }
    for prefix in ["day at ", "daily at ", "daily ", "at "] {
        if let Some(time) = after_every.strip_prefix(prefix).and_then(time_of_day) {
            return Some(daily_at(time));
        }
    }
    if let Some(time) = time_of_day(after_every) {
        return Some(daily_at(time));
    }
    if named {
        let one = format!("1 {after_every}");
        let length = [after_every, &one];
        return length
            .into_iter()
            .find(|length| Trigger::every(length).is_ok())
            .map(|length| format!("interval = \"{length}\""));
    }
    if Trigger::cron(text).is_ok() {
        return Some(format!("cron = \"{text}\""));
    }
    if Trigger::every(text).is_ok() {
        return Some(format!("interval = \"{text}\""));
    }
    date(text, has_zone)
}

/// Splits a cron expression from the time zone in its text: `0 9 * * * Europe/Berlin`,
/// `CRON_TZ=Europe/Berlin 0 9 * * *`.
pub(crate) fn zone_apart(text: &str) -> Option<(String, String)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (first, after) = words.split_first()?;
    let (last, before) = words.split_last()?;
    [(first, after), (last, before)]
        .into_iter()
        .find_map(|(word, rest)| {
            let name = match word.split_once('=') {
                Some((key, name)) => {
                    let keys = ["tz", "cron_tz", "timezone"];
                    keys.contains(&key.to_lowercase().as_str())
                        .then_some(name)?
                }
                None => word,
            };
            let rest = rest.join(" ");
            Trigger::cron(&rest).ok()?;
            Some((rest, zone_name(name)?))
        })
}

/// Joins several texts of one kind of trigger into one entry.
pub(crate) fn either(key: &str, texts: &[String]) -> Option<String> {
    let parts: Vec<String> = texts
        .iter()
        .map(|text| format!("{key} = {text:?}"))
        .collect();
    let entry = format!("or({})", parts.join(", "));
    let differ = (1..texts.len()).all(|index| !texts[..index].contains(&texts[index]));
    (texts.len() > 1 && differ && job::accepts(&entry)).then_some(entry)
}

fn zone_name(name: &str) -> Option<String> {
    ZONE_NAMES
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .map(|known| (*known).to_owned())
}

/// Returns a time zone's name, also for a constant such as `Tz::Europe__Berlin`.
pub(crate) fn zone(value: &Expr) -> Option<String> {
    let name = match value {
        Expr::Path(path) => path
            .path
            .segments
            .last()?
            .ident
            .to_string()
            .replace("__", "/"),
        other => text(other)?,
    };
    zone_name(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expr(text: &str) -> Expr {
        syn::parse_str(text).unwrap()
    }

    #[test]
    fn durations_are_those_that_were_written() {
        for (value, unit, expected) in [
            ("10", "s", "10s"),
            ("5 * 60", "s", "300s"),
            ("\"30\"", "m", "30m"),
            ("\"90 minutes\"", "s", "90 minutes"),
            ("\"5 minuts\"", "s", "5 minutes"),
            ("\"PT5M\"", "ms", "5m"),
            ("0.5", "s", "500ms"),
            ("1.5", "h", "1h 30m"),
            ("30s", "s", "30s"),
            ("Duration::from_secs(90)", "s", "1m 30s"),
            ("std::time::Duration::from_millis(1500)", "s", "1s 500ms"),
            ("chrono::TimeDelta::minutes(5)", "s", "5m"),
            ("5.minutes()", "s", "5m"),
            ("2.hours()", "s", "2h"),
        ] {
            let found = duration(&expr(value), unit);
            assert_eq!(found.as_deref(), Some(expected), "{value}");
        }
        for value in [
            "EVERY",
            "\"soon\"",
            "every()",
            "Duration::from_secs_f64(0.5)",
            "-1",
        ] {
            assert_eq!(duration(&expr(value), "s"), None, "{value}");
        }
        let (one, thirty) = (expr("1"), expr("30"));
        let sum = sum(&[(&one, "h"), (&thirty, "m")]);
        assert_eq!(sum.as_deref(), Some("1h 30m"));
    }

    #[test]
    fn triggers_are_those_that_were_written() {
        for (text, expected) in [
            ("every 5 minutes", "interval = \"5 minutes\""),
            ("every day", "interval = \"1 day\""),
            ("@every 90s", "interval = \"90s\""),
            ("daily at 10:30", "cron = \"30 10 * * *\""),
            ("every day at 10:30pm", "cron = \"30 22 * * *\""),
            ("12:05 am", "cron = \"5 0 * * *\""),
            ("0 6 * * *", "cron = \"0 6 * * *\""),
            ("@daily", "cron = \"@daily\""),
            ("5m", "interval = \"5m\""),
            ("2026-12-31T23:59:00Z", "date = \"2026-12-31T23:59:00Z\""),
        ] {
            assert_eq!(trigger(text, false).as_deref(), Some(expected), "{text}");
        }
        for text in ["every now and then", "2026-12-31T23:59:00", "soon", "25:00"] {
            assert_eq!(trigger(text, false), None, "{text}");
        }
        assert!(trigger("2026-12-31T23:59:00", true).is_some());
    }

    #[test]
    fn zones_keep_their_names() {
        assert_eq!(zone(&expr("\"asia/tokyo\"")).as_deref(), Some("Asia/Tokyo"));
        assert_eq!(
            zone(&expr("Tz::Europe__Berlin")).as_deref(),
            Some("Europe/Berlin")
        );
        assert_eq!(zone(&expr("\"Berlin\"")), None);
    }

    #[test]
    fn flags_are_read_in_any_language() {
        for (text, expected) in [
            ("True", Some(true)),
            ("\"no\"", Some(false)),
            ("1", Some(true)),
            ("false", Some(false)),
            ("maybe", None),
        ] {
            assert_eq!(flag(&expr(text)), expected, "{text}");
        }
    }
}
