//! Reading the text form, and its shorthands.

use std::str::FromStr;

use crate::error::TriggerError;
use crate::kind::{Build, Fields, KindSpec};
use crate::kinds::KINDS;
use crate::kinds::children::MAX_DEPTH;
use crate::kinds::cron::cron_of;
use crate::kinds::interval::every_of;
use crate::suggest;
use crate::text::duration::looks_like_duration;
use crate::text::foreign;
use crate::text::pairs::{Pair, apply_options, place, split_pairs};
use crate::text::words::{Token, Word, tokens};
use crate::trigger::Trigger;

/// Words that are cron nicknames with an `@` in front.
const PLAIN: [(&str, &str); 7] = [
    ("hourly", "@hourly"),
    ("daily", "@daily"),
    ("midnight", "@midnight"),
    ("weekly", "@weekly"),
    ("monthly", "@monthly"),
    ("yearly", "@yearly"),
    ("annually", "@annually"),
];

/// Longer texts are rejected without reading them.
const MAX_TEXT: usize = 65_536;

impl FromStr for Trigger {
    type Err = TriggerError;

    /// Reads the text form. A plain duration, a plain cron expression, a nickname such as `@daily`, and a plain RFC
    /// 3339 instant are also accepted.
    fn from_str(text: &str) -> Result<Self, TriggerError> {
        if text.len() > MAX_TEXT {
            return Err(TriggerError::new(format!(
                "the text of a trigger has up to {MAX_TEXT} bytes, not {}",
                text.len()
            )));
        }
        parse(text, 0).map_err(|error| {
            let error = foreign::meant(text).unwrap_or(error);
            let whole = 0..text.len();
            let error = error.at(whole.clone()).whole_of(&whole).in_text(text);
            error.checked(text, errors_in)
        })
    }
}

/// Returns the number of errors in a text.
pub(crate) fn errors_in(text: &str) -> usize {
    parse(text, 0).err().map_or(0, |error| error.all().count())
}

/// Returns `true` if a text is a trigger. Unlike `FromStr`, does not compute advice, which itself tries texts.
pub(crate) fn reads(text: &str) -> bool {
    parse(text, 0).is_ok()
}

fn parse(text: &str, depth: usize) -> Result<Trigger, TriggerError> {
    let blanks = text.len() - text.trim_start().len();
    let trimmed = text.trim();
    for kind in KINDS {
        if let Build::Triggers(build) = kind.build
            && let Some(rest) = trimmed.strip_prefix(kind.word)
            && rest.trim_start().starts_with('(')
        {
            let at = blanks + trimmed.len() - rest.trim_start().len();
            return list(&trimmed[at - blanks..], depth)
                .map_err(|error| error.shift(at))
                .and_then(build);
        }
    }
    leaf(trimmed).map_err(|error| error.shift(blanks))
}

/// Reads `(a; b; c)`.
fn list(text: &str, depth: usize) -> Result<Vec<Trigger>, TriggerError> {
    if depth >= MAX_DEPTH {
        return Err(TriggerError::new(format!(
            "`and` and `or` are nested more than {MAX_DEPTH} deep"
        )));
    }
    let (mut open, mut from) = (0_usize, 1);
    let mut quote = None;
    let mut children = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(mark), _) => quote = (byte != mark).then_some(mark),
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(') => open += 1,
            (None, b')' | b';') if open == 1 => {
                let part = &text[from..at];
                let child = parse(part, depth + 1).map_err(|error| commas(part).unwrap_or(error));
                let within = from..at;
                let whole = 0..part.len();
                children.push(child.map_err(|error| {
                    error.at(whole.clone()).whole_of(&whole).shift(within.start)
                })?);
                from = at + 1;
                if byte == b')' {
                    let rest = &text[from..];
                    if rest.trim().is_empty() {
                        return Ok(children);
                    }
                    return Err(TriggerError::new(format!(
                        "`{}` stands after the closing parenthesis; give options to the triggers \
                         inside",
                        rest.trim()
                    ))
                    .at(from..text.len()));
                }
            }
            (None, b')') => open = open.saturating_sub(1),
            _ => {}
        }
    }
    Err(TriggerError::new("the parenthesis is never closed").at(0..1))
}

/// Returns an error if a text that was read as one trigger is several, separated by commas.
fn commas(text: &str) -> Option<TriggerError> {
    let comma = text.find(',')?;
    text.split(',')
        .all(|part| leaf(part.trim()).is_ok())
        .then(|| {
            TriggerError::new("the triggers inside are separated by `;`, not by `,`")
                .at(comma..comma + 1)
                .meant(Some(";"))
        })
}

fn leaf(text: &str) -> Result<Trigger, TriggerError> {
    if text.is_empty() {
        return Err(TriggerError::new("the trigger is empty").example("every 5m"));
    }
    let tokens = tokens(text)?;
    let bare: Vec<Word<'_>> = tokens
        .iter()
        .filter_map(|token| match token {
            Token::Bare(word) => Some(*word),
            Token::Pair(..) => None,
        })
        .collect();
    let pairs: Vec<Pair<'_>> = tokens
        .iter()
        .filter_map(|token| match token {
            Token::Pair(key, value) => Some((*key, *value)),
            Token::Bare(_) => None,
        })
        .collect();
    let body = body(text, &tokens, &bare)?;
    let Some(first) = bare.first() else {
        return Err(without_kind(text, &pairs));
    };
    let kind = KINDS.iter().find(|kind| kind.word == first.text);
    match kind.map(|kind| (kind, &kind.build)) {
        Some((kind, Build::Fields(build))) => {
            let rest = rest(text, first, &body);
            leaf_of_kind(kind, *build, *first, rest, &pairs)
        }
        _ => apply_options(short(&body)?, &pairs),
    }
}

/// Reads the part after the word of a kind: the value of one field, or its fields as pairs.
fn leaf_of_kind(
    kind: &'static KindSpec,
    build: fn(&Fields<'_>) -> Result<Trigger, TriggerError>,
    first: Word<'_>,
    rest: Option<Word<'_>>,
    pairs: &[Pair<'_>],
) -> Result<Trigger, TriggerError> {
    let mut fields = Fields::default();
    if let Some(rest) = rest {
        let Some(field) = kind.after_word else {
            let word = rest
                .text
                .split_ascii_whitespace()
                .next()
                .unwrap_or(rest.text);
            return Err(TriggerError::new(format!(
                "`{word}` does not belong to {}, which is written in pairs",
                kind.title
            ))
            .at(rest.at..rest.at + word.len())
            .example(kind.example));
        };
        fields.add(field, rest.text);
        // Advice for the whole part is a trigger, so it also replaces the word.
        let whole = first.at..rest.at + rest.text.len();
        let trigger = build(&fields).map_err(|error| {
            let error = error.at(0..rest.text.len()).shift(rest.at);
            error.whole_from(&whole)
        })?;
        return apply_options(trigger, pairs);
    }
    let (own, options) = split_pairs(kind, pairs)?;
    if own.is_empty() && kind.after_word.is_some() {
        return Err(
            TriggerError::new(format!("nothing follows `{}`", kind.word))
                .at(first.range())
                .example(kind.example),
        );
    }
    for (key, value) in &own {
        fields.add(key.text, value.text);
    }
    let trigger = build(&fields).map_err(|error| place(&error, &own))?;
    apply_options(trigger, &options)
}

/// Returns the part before the options.
fn body<'a>(
    text: &'a str,
    tokens: &[Token<'a>],
    bare: &[Word<'a>],
) -> Result<Word<'a>, TriggerError> {
    let end = bare.last().map_or(0, |word| word.at + word.text.len());
    let early = tokens.iter().find_map(|token| match token {
        Token::Pair(key, _) if key.at < end => Some(*key),
        _ => None,
    });
    if let Some(key) = early.filter(|key| key.text.is_empty()) {
        return Err(
            TriggerError::new("`=` has no key before it; leave no blanks around it")
                .at(key.at..key.at + 1),
        );
    }
    if let Some(key) = early {
        return Err(early_option(text, key));
    }
    Ok(Word {
        at: 0,
        text: &text[..end],
    })
}

/// Returns the error for an option before the trigger, where crontabs have their zone.
#[cold]
fn early_option(text: &str, key: Word<'_>) -> TriggerError {
    let error = TriggerError::new(format!(
        "the option `{}` stands before the end of the trigger; options come last",
        key.text
    ))
    .at(key.range());
    let Some((option, rest)) = text.split_once(' ').filter(|_| key.at == 0) else {
        return error;
    };
    let value = option.get(key.text.len()..).unwrap_or_default();
    let name = match key.text {
        "TZ" | "CRON_TZ" => "timezone",
        name => name,
    };
    // If there are more options in front, there is no advice.
    let written = format!("{} {name}{value}", rest.trim());
    if !rest.contains('=') && reads(&written) {
        error.write_whole(written)
    } else {
        error
    }
}

/// Returns the part between the first word and the options.
fn rest<'a>(text: &'a str, first: &Word<'a>, body: &Word<'a>) -> Option<Word<'a>> {
    let from = first.at + first.text.len();
    let part = &text[from..body.text.len()];
    let blanks = part.len() - part.trim_start().len();
    (!part.trim().is_empty()).then(|| Word {
        at: from + blanks,
        text: part.trim(),
    })
}

fn read(
    constructor: fn(&str) -> Result<Trigger, TriggerError>,
    word: Word<'_>,
) -> Result<Trigger, TriggerError> {
    constructor(word.text).map_err(|error| error.at(0..word.text.len()).shift(word.at))
}

/// Reads a text without a leading word.
fn short(body: &Word<'_>) -> Result<Trigger, TriggerError> {
    let text = body.text;
    if let Some(every) = text.strip_prefix("@every ") {
        let at = text.len() - every.len();
        return read(every_of, Word { at, text: every });
    }
    let count = text.split_ascii_whitespace().count();
    let bytes = text.as_bytes();
    if looks_like_duration(text) {
        return read(every_of, *body);
    }
    if bytes.get(4) == Some(&b'-') && bytes.iter().take(4).all(u8::is_ascii_digit) {
        return read(Trigger::at, *body);
    }
    let first = text.split_ascii_whitespace().next().unwrap_or(text);
    // A single letter is a mistake in a cron field, such as Jenkins' `H`.
    let word = first.len() > 1 && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    if text.starts_with('@') || (count >= 5 && !word) {
        return read(cron_of, *body);
    }
    if let Some((_, nickname)) = PLAIN.iter().find(|(plain, _)| *plain == text) {
        return Err(
            TriggerError::new(format!("`{text}` alone begins no trigger"))
                .at(0..text.len())
                .meant(Some(*nickname)),
        );
    }
    let first = first.split('(').next().unwrap_or(first);
    let kind = KINDS.iter().find(|kind| kind.word == first);
    let message = match kind.map(|kind| &kind.build) {
        Some(Build::Triggers(_)) => format!("`{first}` has its triggers in parentheses"),
        Some(Build::Fields(_)) => format!("`{first}` takes no parentheses"),
        None => format!("`{first}` begins no trigger"),
    };
    let error = TriggerError::new(message)
        .at(0..first.len())
        .allow(KINDS.map(|kind| kind.word).join(", "));
    let near = suggest::only_nearest(first, KINDS.map(|kind| kind.word));
    Err(match near {
        Some(near) => error.meant(Some(near)),
        None if bytes
            .first()
            .is_some_and(|b| b.is_ascii_digit() || *b == b'*') =>
        {
            // `5 minuts` is a duration, `0 6` is not.
            let fields = text.split_ascii_whitespace().skip(1);
            let mut fields = fields.map(|word| word.starts_with(|c: char| !c.is_alphabetic()));
            let is_cron = count >= 3 || fields.next() == Some(true);
            let constructor = if is_cron { cron_of } else { every_of };
            return read(constructor, *body);
        }
        None => error.example("every 5m` or `cron 0 6 * * *"),
    })
}

/// Returns the error for a text that consists of pairs, the first of which may be a field of one kind.
fn without_kind(text: &str, pairs: &[Pair<'_>]) -> TriggerError {
    let error = TriggerError::new("the trigger does not say which kind it is");
    let key = pairs.first().map(|(key, _)| key.text);
    let kind = KINDS.iter().find(|kind| {
        let mut fields = kind.fields.iter();
        matches!(kind.build, Build::Fields(_)) && fields.any(|field| Some(*field) == key)
    });
    let written = match kind {
        Some(kind) if kind.after_word == key => pairs.first().map(|(_, value)| {
            let rest = &text[value.at + value.text.len()..];
            format!(
                "{} {}{}",
                kind.word,
                value.text,
                rest.trim_start_matches(['\'', '"'])
            )
        }),
        Some(kind) => Some(format!("{} {text}", kind.word)),
        None => None,
    };
    match written.filter(|written| reads(written)) {
        Some(written) => error.write_whole(written),
        None => error.example("every 5m` or `cron 0 6 * * *"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_one_canonical_form() {
        for (text, canonical) in [
            ("5m", "every 5m"),
            ("every 90m", "every 1h 30m"),
            ("0 6 * * MON-FRI", "cron 0 6 * * mon-fri"),
            ("@daily", "cron 0 0 * * *"),
            ("@every 5m", "every 5m"),
            ("cron 0 0 L * fril", "cron 0 0 L * friL"),
            ("cron hour=6 day='2nd TUE'", "cron day='2nd tue' hour=6"),
            ("2026-12-31T23:59:00Z", "at 2026-12-31T23:59:00Z"),
            (
                "at 2026-12-31 23:59 timezone=Asia/Tokyo",
                "at 2026-12-31T23:59:00 timezone=Asia/Tokyo",
            ),
            ("at now", "at now"),
            (
                "calendar time=02:30 months=1 start_date=2026-01-31",
                "calendar months=1 time=02:30:00 start=2026-01-31",
            ),
            (
                "0 6 * * * fold=both gap=skip end=2027-01-01 timezone=Asia/Shanghai",
                "cron 0 6 * * * timezone=Asia/Shanghai end=2027-01-01 gap=skip fold=both",
            ),
            (
                "or(5m;and( 0 6 * * * ; @daily timezone=UTC ))",
                "or(every 5m; and(cron 0 6 * * *; cron 0 0 * * * timezone=UTC))",
            ),
            (
                "every 1h timezone=Asia/Tokyo start='2026-01-01 00:30'",
                "every 1h timezone=Asia/Tokyo start=2026-01-01T00:30:00",
            ),
        ] {
            let trigger: Trigger = text.parse().unwrap_or_else(|error| panic!("{error:#}"));
            assert_eq!(trigger.to_string(), canonical);
            assert_eq!(canonical.parse::<Trigger>().as_ref(), Ok(&trigger));
        }
    }

    #[test]
    fn errors_point_into_the_whole_text() {
        for (text, wrong) in [
            ("cron 0 25 * * *", "25"),
            ("or(5m; cron 0 6 * * mno)", "mno"),
            (" and(0 6 * * *; cron hour=6 minute=99)", "99"),
            ("0 6 * * * timezone=Asia/Shangai", "Asia/Shangai"),
            ("0 6 * * * timezon=Asia/Shanghai", "timezon"),
            ("evry 5m", "evry"),
            ("every 5 minuts", "5 minuts"),
            ("every 5m timezone=UTC", "UTC"),
            ("at 2026-13-01", "2026-13-01"),
            ("calendar months=x", "x"),
            ("calendar month=1", "month"),
            ("cron hours=6", "hours"),
            ("cron hour=6 hour=7", "hour"),
            ("cron hour=6 end=2026-01-01 end_date=2026-01-01", "end_date"),
            ("0 6 * * * gap=nxt", "nxt"),
        ] {
            let error = text.parse::<Trigger>().unwrap_err();
            let span = error.span().unwrap();
            let expected = text.rfind(wrong).unwrap();
            assert_eq!(span, expected..expected + wrong.len(), "{error:#}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "", "and()", "and(5m", "or(5m))", "x", "cron", "every", "day='x", "()", "and",
        ] {
            assert!(text.parse::<Trigger>().is_err(), "{text}");
        }
        let deep = format!("{}5m{}", "or(".repeat(5_000), ")".repeat(5_000));
        assert!(deep.parse::<Trigger>().is_err());
    }
}
