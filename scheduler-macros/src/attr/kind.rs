//! APScheduler's form, in which the kind of trigger is a value: `("interval", minutes = 5)`.

use proc_macro2::Span;
use syn::{Expr, Lit, LitStr};

use super::entry::{Entries, Entry};
use super::habit::Words;
use super::job::accepts;
use super::trigger_words;
use super::written;
use crate::errors::Errors;

const KINDS: [&str; 4] = ["interval", "cron", "date", "calendar_interval"];

/// Takes a kind that was written as a value, together with the words that form the trigger, and reports them as one
/// mistake. Returns `true` if there was one.
pub(super) fn take(list: &mut Entries, errors: &Errors) -> bool {
    let Some((kind, span)) = positional(list).or_else(|| keyed(list)) else {
        return false;
    };
    let is_part = |entry: &Entry| trigger_words::is_trigger_word(entry);
    let (words, rest) = std::mem::take(&mut list.keyed)
        .into_iter()
        .partition(is_part);
    list.keyed = rest;
    let words: Vec<Entry> = words;
    let text = match list.bare.first() {
        Some(Lit::Str(text)) if words.is_empty() => Some(text.clone()),
        _ => None,
    };
    if text.is_some() {
        list.bare.remove(0);
    }
    let entry = written_as(&kind, &words, text.as_ref(), list);
    errors.at(
        span,
        match entry.filter(|entry| {
            accepts(entry.split('`').next().unwrap_or_default()) || list_has_zone(list)
        }) {
            Some(entry) => format!("the kind of trigger is its key: write `{entry}`"),
            None => format!("the kind of trigger is its key, as in {}", sample(&kind)),
        },
    );
    true
}

fn list_has_zone(list: &Entries) -> bool {
    let zones = ["timezone", "tz", "time_zone", "zone"];
    list.keyed
        .iter()
        .any(|entry| zones.contains(&entry.name().as_str()))
}

fn written_as(
    kind: &str,
    words: &[Entry],
    text: Option<&LitStr>,
    list: &Entries,
) -> Option<String> {
    if let Some(text) = text {
        return Some(format!("{kind} = \"{}\"", text.value()));
    }
    trigger_words::trigger(&Words {
        entries: words.iter().collect(),
        unclear: false,
        has_zone: list_has_zone(list),
        kind: Some(kind.to_owned()),
    })
}

fn sample(kind: &str) -> &'static str {
    match kind {
        "interval" => "`interval = \"5m\"`",
        "cron" => "`cron = \"0 6 * * *\"` or `cron(hour = 6, minute = 0)`",
        "date" => "`date = \"2026-12-31T23:59:00Z\"`",
        _ => "`calendar_interval(months = 1, time = \"02:30\")`",
    }
}

/// Takes `"interval"` without a key.
fn positional(list: &mut Entries) -> Option<(String, Span)> {
    let index = list.bare.iter().position(
        |literal| matches!(literal, Lit::Str(text) if KINDS.contains(&text.value().as_str())),
    )?;
    match list.bare.remove(index) {
        Lit::Str(text) => Some((text.value(), text.span())),
        _ => None,
    }
}

/// Takes `trigger = "interval"`.
fn keyed(list: &mut Entries) -> Option<(String, Span)> {
    let kind = |entry: &Entry| {
        let text = entry.given().and_then(written::text)?;
        (entry.name() == "trigger" && KINDS.contains(&text.as_str())).then_some(text)
    };
    let index = list.keyed.iter().position(|entry| kind(entry).is_some())?;
    let entry = list.keyed.remove(index);
    let text = entry
        .given()
        .and_then(|value: &Expr| written::text(value))?;
    Some((text, entry.key.span()))
}
