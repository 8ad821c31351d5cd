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
/// Units are `ms`, `s`, `m` (minutes), `h`, `d` (24 hours) and `w`, or their names in full;
/// parts are added up.
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
/// Says which part is no number, has no unit or an unknown one, or is too large.
pub fn parse_duration(text: &str) -> Result<Duration, TriggerError> {
    let (mut micros, mut is_empty) = (0_u64, true);
    for part in parts(text) {
        let value = part.micros(text).map_err(|error| error.in_text(text))?;
        micros = micros.checked_add(value).ok_or_else(|| too_long(text))?;
        is_empty = false;
    }
    if is_empty {
        return Err(TriggerError::new("the duration is empty")
            .at(0..text.len())
            .write("5m")
            .in_text(text));
    }
    Ok(Duration::from_micros(micros))
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
        // Weeks only when they say it all: `10d` reads better than `1w 3d`.
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

/// Whether every part is a number with letters after it, so that the text means a duration.
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

/// Cuts the text into (number, unit) pairs; blanks may stand before, between and after.
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

/// What a byte belongs to.
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
    fn micros(&self, text: &str) -> Result<u64, TriggerError> {
        let number = &text[self.number.clone()];
        let unit = &text[self.unit.clone()];
        let whole = self.number.start..self.unit.end.max(self.number.end);
        if number.is_empty() {
            return Err(self.no_number(unit));
        }
        let Ok(count) = number.parse::<u64>() else {
            return Err(bad_number(number, unit, self.number.clone(), whole));
        };
        if unit.is_empty() {
            return Err(
                TriggerError::new(format!("`{number}` needs a unit: {ALLOWED}"))
                    .at(self.number.clone())
                    .allow(ALLOWED)
                    .write(format!("{number}s")),
            );
        }
        let size = unit_size(unit).ok_or_else(|| unknown_unit(number, unit, self.unit.clone()))?;
        count
            .checked_mul(size)
            .ok_or_else(|| too_long(&text[whole.clone()]).without_span().at(whole))
    }

    fn no_number(&self, unit: &str) -> TriggerError {
        let error = TriggerError::new(format!("`{unit}` has no number before it"))
            .at(self.unit.clone())
            .allow(ALLOWED);
        if unit.starts_with(['P', 'p']) {
            return TriggerError::new(format!(
                "`{unit}` looks like an ISO 8601 duration, which is not taken"
            ))
            .at(self.unit.clone())
            .write("1h 30m");
        }
        match unit_size(unit) {
            Some(_) => error.write(format!("1{unit}")),
            None => error.write("5m"),
        }
    }
}

fn unit_size(unit: &str) -> Option<u64> {
    // Short units are taken in lower case only: `M` would be a month to some and a minute to others.
    let size_of = |short: &str| {
        let unit = UNITS.iter().find(|(name, _)| *name == short);
        unit.map(|(_, size)| *size)
    };
    size_of(unit).or_else(|| {
        let mut long = LONG.iter();
        let (_, short) = long.find(|(long, _)| long.eq_ignore_ascii_case(unit))?;
        size_of(short)
    })
}

fn unknown_unit(number: &str, unit: &str, span: Range<usize>) -> TriggerError {
    let error = TriggerError::new(format!("`{unit}` is no unit of time, which are {ALLOWED}"))
        .at(span)
        .allow(ALLOWED);
    let lower = unit.to_ascii_lowercase();
    if matches!(
        lower.as_str(),
        "mo" | "month" | "months" | "y" | "year" | "years"
    ) {
        return TriggerError::new(format!(
            "`{unit}` has no fixed length; use a calendar interval for months and years"
        ))
        .at(error.span().unwrap_or(0..0))
        .write("calendar months=1");
    }
    if unit_size(&lower).is_some() {
        return error.meant(Some(format!("{number}{lower}")));
    }
    // Plurals first: `minuts` is as near to `minute` as to `minutes`.
    let plurals = LONG.iter().rev().map(|(long, _)| *long);
    match suggest::nearest(&lower, plurals) {
        Some(near) => error.meant(Some(format!("{number} {near}"))),
        None => error,
    }
}

fn bad_number(number: &str, unit: &str, span: Range<usize>, whole: Range<usize>) -> TriggerError {
    if let Some(rest) = number.strip_prefix('-') {
        return TriggerError::new(format!("`{number}` is negative; a duration is not"))
            .at(span)
            .meant(Some(format!("{rest}{unit}")));
    }
    let fraction = number.parse::<f64>().ok().filter(|value| value.is_finite());
    let error = TriggerError::new(format!("`{number}` is not a whole number")).at(whole);
    match (fraction, unit_size(&unit.to_ascii_lowercase())) {
        (Some(value), Some(size)) => {
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

/// The longest duration that has a text.
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
            ("", "5m"),
            ("PT5M", "1h 30m"),
            ("1 month", "calendar months=1"),
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
