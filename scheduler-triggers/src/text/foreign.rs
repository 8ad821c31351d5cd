//! Texts in the syntax of other programs whose meaning is clear.

use crate::cron::dialect::from_eventbridge;
use crate::cron::field::Field;
use crate::error::TriggerError;
use crate::kind::Build;
use crate::kinds::KINDS;
use crate::text::duration::from_iso;
use crate::text::parse::reads;
use crate::text::time_of_day::parse_time;
use crate::zone::Zone;

/// Complete texts, in lower case.
const WORDS: [(&str, &str); 3] = [
    ("noon", "0 12 * * *"),
    ("quarterly", "0 0 1 */3 *"),
    ("minutely", "* * * * *"),
];

/// Characters that look like characters of a trigger.
const ALIKE: [(char, &str); 14] = [
    ('\u{2010}', "-"),
    ('\u{2011}', "-"),
    ('\u{2012}', "-"),
    ('\u{2013}', "-"),
    ('\u{2014}', "-"),
    ('\u{2212}', "-"),
    ('\u{2217}', "*"),
    ('\u{ff0a}', "*"),
    ('\u{ff0c}', ","),
    ('\u{ff0f}', "/"),
    ('\u{a0}', " "),
    ('\u{3000}', " "),
    ('\u{200b}', ""),
    ('\u{feff}', ""),
];

/// Returns the error for a rejected text that other programs accept, if its translation can be read.
#[cold]
pub(crate) fn meant(text: &str) -> Option<TriggerError> {
    looks_alike(text, |text| usize::from(!reads(text)))
        .or_else(|| unix_time(text.trim()))
        .or_else(|| {
            FORMS.iter().find_map(|form| {
                let (message, written) = form(text.trim())?;
                let error = TriggerError::new(message).write_whole(&*written);
                (written != text && reads(&written)).then_some(error)
            })
        })
}

/// Returns what is wrong with a text, and its replacement.
type Form = fn(&str) -> Option<(String, String)>;

const FORMS: [Form; 11] = [
    parentheses,
    in_quotes,
    words,
    after_the_end,
    several,
    colon,
    until,
    iso_duration,
    zone_at_the_end,
    zone_in_brackets,
    upper_case,
];

/// Finds a character that only looks like a valid one, or is invisible.
#[cold]
pub(crate) fn looks_alike(text: &str, errors_in: impl Fn(&str) -> usize) -> Option<TriggerError> {
    let known = |char: char| ALIKE.iter().find(|(other, _)| *other == char);
    let (at, (char, plain)) = text
        .char_indices()
        .find_map(|(at, char)| Some((at, known(char)?)))?;
    let written: String = text
        .chars()
        .map(|char| known(char).map_or_else(|| char.to_string(), |(_, plain)| (*plain).to_owned()))
        .collect();
    let message = match *plain {
        "" => format!(
            "it contains the invisible character U+{:04X}",
            u32::from(*char)
        ),
        " " => format!(
            "the character U+{:04X} looks like a space but is not one",
            u32::from(*char)
        ),
        plain => format!(
            "`{char}` (U+{:04X}) looks like `{plain}` but is a different character",
            u32::from(*char)
        ),
    };
    let error = TriggerError::new(message).at(at..at + char.len_utf8());
    (errors_in(&written) == 0).then(|| error.write_whole(written.trim()))
}

/// A plain number, which may be seconds since 1970.
fn unix_time(text: &str) -> Option<TriggerError> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) || text.len() < 5 {
        return None;
    }
    let error = TriggerError::new(format!("`{text}` is only a number, not a trigger"));
    let seconds = text.parse().ok().filter(|_| (9..=10).contains(&text.len()));
    let at = seconds.and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    Some(
        match at.map(|at| at.format("at %Y-%m-%dT%H:%M:%SZ").to_string()) {
            Some(written) => TriggerError::new(format!(
                "`{text}` is only a number, not a trigger; as seconds since 1970 it is a date"
            ))
            .write_whole(written),
            None => error,
        },
    )
}

/// `every(5m)`, and `cron(…)`, `rate(…)` and `at(…)`, the expressions of `EventBridge`.
fn parentheses(text: &str) -> Option<(String, String)> {
    let (word, rest) = text.split_once('(')?;
    let (inner, options) = rest.rsplit_once(')')?;
    let (word, inner) = (word.trim(), inner.trim());
    let words: Vec<_> = inner.split_ascii_whitespace().collect();
    let of_eventbridge = match word {
        "rate" => Some(format!("every {inner}")),
        "cron" => from_eventbridge(&words),
        _ => None,
    };
    if let Some(written) = of_eventbridge {
        let message = format!("`{word}(…)` is the form of Amazon EventBridge");
        return Some((message, format!("{written}{options}")));
    }
    let kind = KINDS.iter().find(|kind| kind.word == word)?;
    matches!(kind.build, Build::Fields(_)).then(|| {
        (
            format!("`{word}` takes no parentheses"),
            format!("{word} {inner}{options}"),
        )
    })
}

fn in_quotes(text: &str) -> Option<(String, String)> {
    let inner = ['"', '\'', '`'].iter().find_map(|quote| {
        let inner = text.strip_prefix(*quote)?.strip_suffix(*quote)?;
        (!inner.contains(*quote)).then_some(inner)
    })?;
    Some((
        "the text contains its own quotes".to_owned(),
        inner.trim().to_owned(),
    ))
}

/// `every monday`, `daily at 17:00`, `interval 5m`.
fn words(text: &str) -> Option<(String, String)> {
    let lower = text.to_ascii_lowercase();
    let words: Vec<_> = lower.split_ascii_whitespace().collect();
    let written = match words[..] {
        [word] => {
            let (_, written) = WORDS.iter().find(|(known, _)| *known == word)?;
            (*written).to_owned()
        }
        ["every", day] => {
            let name = Field::DayOfWeek.value_of(day).map(|_| day);
            format!(
                "0 0 * * {}",
                name.or_else(|| Field::DayOfWeek.named_in_full(day))?
            )
        }
        ["daily" | "@daily", "at", time] => {
            let second = parse_time(time).ok().filter(|second| second % 60 == 0)?;
            format!("{} {} * * *", second / 60 % 60, second / 3600)
        }
        ["interval", ..] => format!("every{}", &text["interval".len()..]),
        _ => return None,
    };
    Some((format!("`{text}` is not a trigger in this form"), written))
}

/// A `;` or a comment.
fn after_the_end(text: &str) -> Option<(String, String)> {
    if let Some(written) = text.strip_suffix(';') {
        return Some((
            "a trigger does not end with `;`".to_owned(),
            written.trim().to_owned(),
        ));
    }
    let (written, comment) = text.split_once(" #")?;
    // `fri #2` is the second Friday with a space too many.
    if comment.starts_with(|char: char| char.is_ascii_digit()) {
        return None;
    }
    Some((
        "a trigger cannot contain a comment".to_owned(),
        written.trim().to_owned(),
    ))
}

/// Several triggers, any of which should fire.
fn several(text: &str) -> Option<(String, String)> {
    let list = |word: &str, parts: &str| {
        let parts: Vec<_> = parts.split(['|', ';']).map(str::trim).collect();
        let message = format!("several triggers are written as `{word}(…; …)`");
        (parts.len() > 1).then(|| (message, format!("{word}({})", parts.join("; "))))
    };
    match text.split_once(' ') {
        _ if text.contains('(') => None,
        Some((word @ ("or" | "and"), parts)) => list(word, parts),
        _ => list("or", text),
    }
}

/// `cron: 0 6 * * *`
fn colon(text: &str) -> Option<(String, String)> {
    let (word, rest) = text.split_once(':')?;
    let kind = KINDS.iter().find(|kind| kind.word == word)?;
    Some((
        format!("`{word}` is not followed by `:`"),
        format!("{} {}", kind.word, rest.trim()),
    ))
}

fn until(text: &str) -> Option<(String, String)> {
    let (trigger, end) = text.split_once(" until ")?;
    let written = format!("{trigger} end={}", end.trim());
    Some(("`until` is the option `end`".to_owned(), written))
}

/// `PT15M` and `P1M`
fn iso_duration(text: &str) -> Option<(String, String)> {
    let message = format!("`{text}` looks like an ISO 8601 duration, which is not accepted");
    Some((message, from_iso(text)?))
}

/// `at 2026-12-24T18:00 Europe/Berlin`
fn zone_at_the_end(text: &str) -> Option<(String, String)> {
    let (trigger, zone) = text.rsplit_once(' ')?;
    zone.parse::<Zone>().ok()?;
    let written = format!("{} timezone={zone}", trigger.trim());
    Some((
        "a time zone is the option `timezone`, not a word at the end".to_owned(),
        written,
    ))
}

/// `2026-12-31T23:59:00+01:00[Europe/Berlin]`, if the offset is that of the zone.
fn zone_in_brackets(text: &str) -> Option<(String, String)> {
    let (instant, zone) = text.strip_suffix(']')?.split_once('[')?;
    let end = instant.rfind(['+', '-', 'Z', 'z'])?;
    let wall = format!(
        "{} timezone={zone}",
        instant.get(..end).filter(|wall| wall.contains(':'))?
    );
    let first = |text: &str| {
        text.parse::<crate::Trigger>()
            .ok()?
            .next_after(chrono::DateTime::UNIX_EPOCH)
    };
    let message = format!("a time zone is the option `timezone`, not `[{zone}]`");
    (first(instant)? == first(&wall)?).then_some((message, wall))
}

/// `OR(…)`, `CRON …`
fn upper_case(text: &str) -> Option<(String, String)> {
    let end = text.find(|char: char| !char.is_ascii_alphabetic())?;
    let (word, rest) = text.split_at(end);
    let lower = word.to_ascii_lowercase();
    KINDS.iter().find(|kind| kind.word == lower)?;
    Some((
        format!("`{word}` is written in lowercase"),
        format!("{lower}{rest}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_of_a_weekday_after_a_space_is_not_a_comment() {
        assert_eq!(after_the_end("0 9 * * fri #2"), None);
        let (_, written) = after_the_end("0 9 * * fri # weekly").unwrap();
        assert_eq!(written, "0 9 * * fri");
    }
}
