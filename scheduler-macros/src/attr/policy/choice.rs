//! Policies whose value is one of a few words: `coalesce` and `overlap`.

use scheduler_triggers::policies::{Coalesce, Overlap};
use syn::LitStr;

use crate::attr::entry::{Entry, Value};
use crate::attr::job_habits;
use crate::attr::keys::Key;
use crate::attr::written;
use crate::errors::Errors;
use crate::suggest;

pub(super) fn coalesce(key: &Key, entry: &Entry, errors: &Errors) -> Option<Coalesce> {
    if let Value::Expr(value) = &entry.value
        && let Some(one) = written::flag(value)
    {
        let (word, meaning) = if one {
            ("latest", "one of several missed fire times")
        } else {
            ("all", "each of several missed fire times")
        };
        errors.on(
            value,
            format!("`coalesce` names what is run: write `coalesce = \"{word}\"` for {meaning}"),
        );
        return None;
    }
    let text = entry.text(key, errors)?;
    choice(
        key,
        &text,
        text.value().parse().ok(),
        Coalesce::FORMS,
        &Coalesce::WORDS,
        errors,
    )
}

pub(super) fn overlap(key: &Key, entry: &Entry, errors: &Errors) -> Option<Overlap> {
    let text = entry.text(key, errors)?;
    let written = text.value();
    if let Some(meant) = job_habits::overlap(&written) {
        errors.on(
            &text,
            format!("`overlap` cannot be `{written}`: write `overlap = \"{meant}\"`"),
        );
        return None;
    }
    if matches!(
        written.to_lowercase().as_str(),
        "allow" | "parallel" | "concurrent"
    ) {
        errors.on(
            &text,
            format!("`overlap` cannot be `{written}`: several runs at once are `max_instances = 2` or more"),
        );
        return None;
    }
    choice(
        key,
        &text,
        text.value().parse().ok(),
        Overlap::FORMS,
        &Overlap::WORDS,
        errors,
    )
}

fn choice<T>(
    key: &Key,
    text: &LitStr,
    value: Option<T>,
    allowed: &str,
    words: &[&str],
    errors: &Errors,
) -> Option<T> {
    if value.is_none() {
        let written = text.value();
        let word = written.split('(').next().unwrap_or_default().trim();
        let near = match suggest::nearest(word, words.iter().copied()) {
            Some(near) if near != word => suggest::did_you_mean(near),
            _ => String::new(),
        };
        errors.on(
            text,
            format!(
                "`{}` cannot be `{written}`{near}\nwrite {allowed}",
                key.name
            ),
        );
    }
    value
}
