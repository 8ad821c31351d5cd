//! `paused = true`, or `paused = "why"`: a job that does not fire until it is resumed.

use syn::{Expr, ExprLit, Lit};

use super::entry::Entry;
use super::keys::Key;
use crate::errors::Errors;

/// Parses the note: empty if there is none, `None` for a job that is not paused.
pub(super) fn read(key: &Key, entry: &Entry, errors: &Errors) -> Option<String> {
    match entry.expression(key, errors)? {
        Expr::Lit(ExprLit {
            lit: Lit::Bool(flag),
            ..
        }) => flag.value.then(String::new),
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) if text.value().trim().is_empty() => {
            errors.on(
                text,
                "the note of `paused` is empty: write `paused = true`, or say why",
            );
            None
        }
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) if !matches!(text.value().as_str(), "true" | "false") => {
            entry.text(key, errors).map(|text| text.value())
        }
        Expr::Lit(ExprLit {
            lit: Lit::Str(flag),
            ..
        }) => {
            errors.on(
                flag,
                format!(
                    "`paused` takes `true`, or a note that says why: write `paused = {}`",
                    flag.value()
                ),
            );
            None
        }
        other => {
            errors.on(
                other,
                "`paused` takes `true`, or a note that says why: write `paused = true` or `paused = \"waits for approval\"`",
            );
            None
        }
    }
}
