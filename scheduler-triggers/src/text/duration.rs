//! Durations as text: `90m`, `1h 30m`, `250ms`.

use std::ops::Range;
use std::time::Duration;

use crate::error::TriggerError;
use crate::suggest;

const UNITS: [(&str, u64); 7] = [
    ("us", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("m", 60_000_000),
    ("h", 3_600_000_000),
    ("d", 86_400_000_000),
    ("w", 604_800_000_000),
];

const LONG: [(&str, &str); 20] = [
    ("microsecond", "us"),
    ("microseconds", "us"),
    ("millisecond", "ms"),
    ("milliseconds", "ms"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("hr", "h"),
    ("hrs", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("week", "w"),
    ("weeks", "w"),
];

const ALLOWED: &str = "ms, s, m, h, d, w";

/// Reads a duration such as `90m`, `1h 30m` or `250ms`.
///
/// Units are `ms`, `s`, `m` (minutes), `h`, `d` (24 hours) and `w`, or their full names; the parts are added, and each
/// unit may occur once.
///
/// ```
/// use std::time::Duration;
/// use scheduler_triggers::parse_duration;
///
/// assert_eq!(parse_duration("1h 30m"), Ok(Duration::from_secs(5400)));
/// assert_eq!(parse_duration("2 weeks"), Ok(Duration::from_secs(14 * 86_400)));
/// assert_eq!(parse_duration("5 minuts").unwrap_err().suggestion(), Some("5 minutes"));
/// ```
///
/// # Errors
/// Names the part that is not a number, has no unit, an unknown or a repeated one, or is too large.
pub fn parse_duration(text: &str) -> Result<Duration, TriggerError> {
    if let Some(micros) = short_micros(text) {
        return Ok(Duration::from_micros(micros));
    }
    let (mut micros, mut units) = (0_u64, 0_u8);
    for part in parts(text) {
        let (value, unit) = part.micros(text).map_err(|error| error.in_text(text))?;
        if units >> unit & 1 == 1 {
            return Err(part.twice(text).in_text(text));
        }
        units |= 1 << unit;
        micros = micros.checked_add(value).ok_or_else(|| too_long(text))?;
    }
    if units == 0 {
        return Err(TriggerError::new("the duration is empty")
            .at(0..text.len())
            .example("5m")
            .in_text(text));
    }
    Ok(Duration::from_micros(micros))
}

/// Fast path for nearly every duration: a few digits and a unit of one letter. `None` means that it does not apply.
fn short_micros(text: &str) -> Option<u64> {
    let (unit, digits) = text.as_bytes().split_last()?;
    let (_, size) = UNITS.iter().find(|(name, _)| name.as_bytes() == [*unit])?;
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let mut count = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        count = count * 10 + u64::from(digit);
    }
    count.checked_mul(*size)
}

/// Writes a duration so that [`parse_duration`] reads it back, to the microsecond.
///
/// ```
/// use std::time::Duration;
/// use scheduler_triggers::format_duration;
///
/// assert_eq!(format_duration(Duration::from_secs(5400)), "1h 30m");
/// assert_eq!(format_duration(Duration::from_secs(7 * 86_400)), "1w");
/// assert_eq!(format_duration(Duration::ZERO), "0s");
/// ```
pub fn format_duration(duration: Duration) -> String {
    let mut rest = duration.as_micros();
    let mut parts = Vec::new();
    for (unit, size) in UNITS.iter().rev() {
        let size = u128::from(*size);
        // Weeks only without a remainder: `10d` reads better than `1w 3d`.
        if rest < size || (*unit == "w" && !rest.is_multiple_of(size)) {
            continue;
        }
        parts.push(format!("{}{unit}", rest / size));
        rest %= size;
    }
    if parts.is_empty() {
        parts.push("0s".to_owned());
    }
    parts.join(" ")
}

/// Returns `true` if every part is a number followed by letters, so the text is meant as a duration.
pub(crate) fn looks_like_duration(text: &str) -> bool {
    let mut parts = parts(text).peekable();
    parts.peek().is_some()
        && parts.all(|part| {
            let unit = &text[part.unit.clone()];
            let number = &text[part.number.clone()];
            !number.is_empty()
                && !unit.is_empty()
                && unit.bytes().all(|b| b.is_ascii_alphabetic())
                && number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        })
}

struct Part {
    number: Range<usize>,
    unit: Range<usize>,
}

/// Splits the text into (number, unit) pairs; there may be blanks before, between and after them.
fn parts(text: &str) -> impl Iterator<Item = Part> {
    let bytes = text.as_bytes();
    let run = |from: usize, kind: Kind| {
        let other = bytes[from..].iter().position(|byte| kind_of(*byte) != kind);
        other.map_or(bytes.len(), |length| from + length)
    };
    let mut at = run(0, Kind::Blank);
    std::iter::from_fn(move || {
        if at == bytes.len() {
            return None;
        }
        let number = at..run(at, Kind::Number);
        let gap = run(number.end, Kind::Blank);
        let unit = gap..run(gap, Kind::Unit);
        at = run(unit.end, Kind::Blank);
        Some(Part { number, unit })
    })
}

/// The kind of a byte.
#[derive(PartialEq)]
enum Kind {
    Blank,
    Number,
    Unit,
}

fn kind_of(byte: u8) -> Kind {
    match byte {
        b'0'..=b'9' | b'.' | b'-' | b'+' | b'_' => Kind::Number,
        _ if byte.is_ascii_whitespace() => Kind::Blank,
        _ => Kind::Unit,
    }
}

impl Part {
    /// Returns the microseconds, and the index of the unit in [`UNITS`].
    fn micros(&self, text: &str) -> Result<(u64, usize), TriggerError> {
        let number = &text[self.number.clone()];
        let unit = &text[self.unit.clone()];
        let whole = self.number.start..self.unit.end.max(self.number.end);
        if number.is_empty() {
            return Err(self.no_number(text, unit));
        }
        let Ok(count) = number.parse::<u64>() else {
            return Err(bad_number(number, unit, whole));
        };
        if unit.is_empty() {
            let error = TriggerError::new(format!("`{number}` needs a unit: {ALLOWED}"))
                .at(self.number.clone())
                .allow(ALLOWED);
            // In `1h 30`, these are hardly seconds.
            let is_alone = number == text.trim();
            return Err(if is_alone {
                error.write(format!("{number}s"))
            } else {
                error
            });
        }
        let (place, size) = unit_of(unit)
            .ok_or_else(|| unknown_unit(number, unit, self.unit.clone(), whole.clone()))?;
        let micros = count
            .checked_mul(size)
            .ok_or_else(|| too_long(&text[whole.clone()]).without_span().at(whole))?;
        Ok((micros, place))
    }

    #[cold]
    fn twice(&self, text: &str) -> TriggerError {
        let unit = &text[self.unit.clone()];
        TriggerError::new(format!("`{}` gives the unit `{unit}` twice", text.trim()))
            .at(self.number.start..self.unit.end)
    }

    fn no_number(&self, text: &str, unit: &str) -> TriggerError {
        if text.trim().starts_with(['P', 'p']) && self.unit.start == first_of(text) {
            let error = TriggerError::new(format!(
                "`{}` looks like an ISO 8601 duration, which is not accepted",
                text.trim()
            ))
            .at(0..text.len());
            return match iso_duration(text.trim()) {
                Some(duration) => error.write(format_duration(duration)),
                None => error,
            };
        }
        let error = TriggerError::new(format!("`{unit}` has no number before it"))
            .at(self.unit.clone())
            .allow(ALLOWED);
        match unit_of(unit) {
            Some(_) if self.unit.end == text.trim_end().len() => error.write(format!("1{unit}")),
            Some(_) => error,
            None => error.example("5m"),
        }
    }
}

/// Returns the number of blanks before the text.
fn first_of(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// `P1DT12H`, `PT90M`; months and years have no fixed length.
fn iso_duration(text: &str) -> Option<Duration> {
    let (days, times) = text[1..].split_once(['T', 't']).unwrap_or((&text[1..], ""));
    let mut written = String::new();
    for (part, units) in [(days, "wd"), (times, "hms")] {
        for part in part.split_inclusive(|letter: char| letter.is_ascii_alphabetic()) {
            let unit = part.chars().last()?.to_ascii_lowercase();
            if !units.contains(unit) {
                return None;
            }
            written.push_str(&part.to_ascii_lowercase());
        }
    }
    parse_duration(&written).ok()
}

/// Returns the trigger for an ISO 8601 duration.
pub(crate) fn from_iso(text: &str) -> Option<String> {
    let count = text.strip_prefix(['P', 'p'])?;
    let digits = count.trim_end_matches(['M', 'm', 'Y', 'y']);
    let whole = digits.len() + 1 == count.len() && digits.parse::<u32>().is_ok();
    match count.chars().last()?.to_ascii_lowercase() {
        'm' if whole => Some(format!("calendar months={digits}")),
        'y' if whole => Some(format!("calendar years={digits}")),
        _ => Some(format!("every {}", format_duration(iso_duration(text)?))),
    }
}

/// Returns the index of a unit in [`UNITS`], and its microseconds.
fn unit_of(unit: &str) -> Option<(usize, u64)> {
    // Short units only in lower case: `M` is a month to some and a minute to others.
    let place_of = |short: &str| UNITS.iter().position(|(name, _)| *name == short);
    let place = place_of(unit).or_else(|| {
        let mut long = LONG.iter();
        let (_, short) = long.find(|(long, _)| long.eq_ignore_ascii_case(unit))?;
        place_of(short)
    })?;
    UNITS.get(place).map(|(_, size)| (place, *size))
}

fn unknown_unit(number: &str, unit: &str, span: Range<usize>, whole: Range<usize>) -> TriggerError {
    let error = TriggerError::new(format!(
        "`{unit}` is not a unit of time; the units are {ALLOWED}"
    ))
    .at(span)
    .allow(ALLOWED);
    let lower = unit.to_ascii_lowercase();
    if calendar_unit(&lower).is_some() {
        return TriggerError::new(format!("`{unit}` has no fixed length"))
            .at(error.span().unwrap_or(0..0))
            .allow(ALLOWED);
    }
    // The following advice replaces the number as well.
    let error = error.without_span().at(whole);
    if unit_of(&lower).is_some() {
        return error.meant(Some(format!("{number}{lower}")));
    }
    // Plurals first: `minuts` is as close to `minute` as to `minutes`.
    let plurals = LONG.iter().rev().map(|(long, _)| *long);
    match suggest::nearest(&lower, plurals) {
        Some(near) => error.meant(Some(format!("{number} {near}"))),
        None => error,
    }
}

/// Returns the field of a calendar interval for a unit without a fixed length.
fn calendar_unit(lower: &str) -> Option<&'static str> {
    match lower {
        "mo" | "mon" | "month" | "months" => Some("months"),
        "y" | "yr" | "yrs" | "year" | "years" => Some("years"),
        _ => None,
    }
}

/// Returns the calendar interval that `3 months` or `1 year` means.
pub(crate) fn as_calendar(text: &str) -> Option<String> {
    let mut parts = parts(text);
    let part = parts.next().filter(|_| parts.next().is_none())?;
    let field = calendar_unit(&text[part.unit].to_ascii_lowercase())?;
    let count: u32 = text[part.number].parse().ok()?;
    Some(format!("calendar {field}={count}"))
}

fn bad_number(number: &str, unit: &str, whole: Range<usize>) -> TriggerError {
    if let Some(rest) = number.strip_prefix('-') {
        let error =
            TriggerError::new(format!("`{number}` is negative; a duration is not")).at(whole);
        let is_duration = rest.parse::<u64>().is_ok() && unit_of(unit).is_some();
        return error.meant(is_duration.then(|| format!("{rest}{unit}")));
    }
    let fraction = number.parse::<f64>().ok().filter(|value| value.is_finite());
    let error = TriggerError::new(format!("`{number}` is not a whole number")).at(whole);
    match (fraction, unit_of(&unit.to_ascii_lowercase())) {
        (Some(value), Some((_, size))) => {
            #[allow(clippy::cast_precision_loss)]
            let seconds = value * size as f64 / 1e6;
            match Duration::try_from_secs_f64(seconds) {
                Ok(duration) => error.write(format_duration(duration)),
                Err(_) => error,
            }
        }
        _ => error,
    }
}

/// The longest duration with a text form.
pub(crate) const LONGEST: Duration = Duration::from_micros(u64::MAX);

#[cold]
fn too_long(text: &str) -> TriggerError {
    let (written, longest) = (text.trim(), format_duration(LONGEST));
    TriggerError::new(format!(
        "`{written}` is longer than `{longest}`, the longest duration: write a shorter one"
    ))
    .at(0..text.len())
    .in_text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_durations_are_read_like_all_others() {
        for number in [
            "0",
            "1",
            "07",
            "90",
            "123456789",
            "1234567890",
            "1.5",
            "-1",
            "+1",
            "",
        ] {
            for (unit, _) in UNITS {
                let text = format!("{number}{unit}");
                // A blank at the end avoids the fast path.
                let slow = parse_duration(&format!("{text} "));
                assert_eq!(parse_duration(&text).ok(), slow.ok(), "{text}");
                if let Some(micros) = short_micros(&text) {
                    assert_eq!(
                        parse_duration(&text).ok(),
                        Some(Duration::from_micros(micros))
                    );
                }
            }
        }
    }

    #[test]
    fn reads_every_unit() {
        for (text, micros) in [
            ("1us", 1),
            ("250ms", 250_000),
            ("5 s", 5_000_000),
            ("90m", 5_400_000_000),
            ("1h30m", 5_400_000_000),
            (" 1h 30 minutes ", 5_400_000_000),
            ("1d", 86_400_000_000),
            ("2w", 1_209_600_000_000),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_micros(micros)),
                "{text}"
            );
        }
    }

    #[test]
    fn proposes_what_was_meant() {
        for (text, suggestion) in [
            ("5", "5s"),
            ("5M", "5m"),
            ("5 minuts", "5 minutes"),
            ("1.5h", "1h 30m"),
            ("-5m", "5m"),
            ("h", "1h"),
            ("PT5M", "5m"),
            ("P2DT12H", "2d 12h"),
        ] {
            let error = parse_duration(text).unwrap_err();
            assert_eq!(error.suggestion(), Some(suggestion), "{text}: {error}");
        }
        assert!(parse_duration("99999999999999999999w").is_err());
        let error = parse_duration("9999999999999999w").unwrap_err().to_string();
        assert!(
            error.contains("`9999999999999999w` is longer than `213503982d 8h 1m 49s 551ms 615us`"),
            "{error}"
        );
    }

    #[test]
    fn formats_what_it_reads() {
        for text in [
            "0s",
            "1h 30m",
            "250ms",
            "10d",
            "1w",
            "1d 1us",
            "1h 1ms 500us",
        ] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
    }
}
