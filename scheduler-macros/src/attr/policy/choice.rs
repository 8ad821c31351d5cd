//! Policies that are one word of a few: `coalesce` and `overlap`.

use syn::{Expr, ExprLit, Lit, LitStr};

use crate::attr::entry::{Entry, Value};
use crate::attr::keys::Key;
use crate::errors::Errors;
use crate::suggest;

/// Greatest number in `all(n)` and `queue(n)`.
const MAX_COUNT: u32 = 10_000;
/// What `all` means without a number.
const ALL_DEFAULT: u32 = 100;
/// What `queue` means without a number.
const QUEUE_DEFAULT: u32 = 1;

/// Mirrors `scheduler_core::Coalesce`.
#[derive(Debug, PartialEq)]
pub(crate) enum Coalesce {
    Latest,
    Earliest,
    All(u32),
}

/// Mirrors `scheduler_core::Overlap`.
#[derive(Debug, PartialEq)]
pub(crate) enum Overlap {
    Skip,
    Queue(u32),
    CancelRunning,
}

pub(super) fn coalesce(key: &Key, entry: &Entry, errors: &Errors) -> Option<Coalesce> {
    if let Value::Expr(Expr::Lit(ExprLit {
        lit: Lit::Bool(flag),
        ..
    })) = &entry.value
    {
        errors.on(
            flag,
            "`coalesce` names what is run of several fire times: write `coalesce = \"latest\"` for one of them, `coalesce = \"all\"` for each",
        );
        return None;
    }
    let text = entry.text(key, errors)?;
    choice(
        key,
        &text,
        parse_coalesce(&text.value()),
        "`latest`, `earliest`, `all`, or `all(n)` with n from 1 to 10000",
        &["latest", "earliest", "all"],
        errors,
    )
}

pub(super) fn overlap(key: &Key, entry: &Entry, errors: &Errors) -> Option<Overlap> {
    let text = entry.text(key, errors)?;
    choice(
        key,
        &text,
        parse_overlap(&text.value()),
        "`skip`, `queue`, `queue(n)` with n from 1 to 10000, or `cancel_running`",
        &["skip", "queue", "cancel_running"],
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

fn counted(text: &str, word: &str) -> Option<u32> {
    let count = text
        .strip_prefix(word)?
        .strip_prefix('(')?
        .strip_suffix(')')?;
    let count = count.trim().parse().ok()?;
    (1..=MAX_COUNT).contains(&count).then_some(count)
}

fn parse_coalesce(text: &str) -> Option<Coalesce> {
    match text.trim() {
        "latest" => Some(Coalesce::Latest),
        "earliest" => Some(Coalesce::Earliest),
        "all" => Some(Coalesce::All(ALL_DEFAULT)),
        other => counted(other, "all").map(Coalesce::All),
    }
}

fn parse_overlap(text: &str) -> Option<Overlap> {
    match text.trim() {
        "skip" => Some(Overlap::Skip),
        "queue" => Some(Overlap::Queue(QUEUE_DEFAULT)),
        "cancel_running" => Some(Overlap::CancelRunning),
        other => counted(other, "queue").map(Overlap::Queue),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_parentheses_have_bounds() {
        assert_eq!(parse_coalesce("all(20)"), Some(Coalesce::All(20)));
        assert_eq!(parse_coalesce(" all "), Some(Coalesce::All(100)));
        assert_eq!(parse_coalesce("all(0)"), None);
        assert_eq!(parse_overlap("queue( 5 )"), Some(Overlap::Queue(5)));
        assert_eq!(parse_overlap("queue(10001)"), None);
    }
}
