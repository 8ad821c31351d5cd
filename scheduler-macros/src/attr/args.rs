//! `args(user_id = 42, text = "x")`: the values for a job's arguments.

use proc_macro2::Span;
use syn::{Expr, Ident};

use super::entry::{self, Entry, Value};
use super::keys::Key;
use crate::errors::Errors;

/// The values that a job gives to its task's parameters.
pub(crate) struct Args {
    /// The word `args` itself.
    pub(crate) span: Span,
    /// Names and values in the order in which they were written; each name once.
    pub(crate) values: Vec<(Ident, Expr)>,
    /// If `true`, a mistake in it was already reported, so a value that seems to be missing may have been written.
    pub(crate) lost: bool,
}

impl Args {
    pub(crate) fn read(key: &Key, entry: &Entry, errors: &Errors) -> Self {
        let before = errors.count();
        let span = entry.key.span();
        let Value::List(group) = &entry.value else {
            errors.on(
                entry.tokens(),
                format!(
                    "`args` takes its values in parentheses, each with the name of its parameter, as in `{}`",
                    key.sample
                ),
            );
            return Self {
                span,
                values: Vec::new(),
                lost: true,
            };
        };
        let list = entry::entries(group.stream(), errors);
        for literal in &list.bare {
            errors.on(
                literal,
                "an argument is given by name, because it is stored under it: write `name = value`",
            );
        }
        let mut values: Vec<(Ident, Expr)> = Vec::new();
        for Entry { key, value } in list.keyed {
            if values.iter().any(|(name, _)| *name == key) {
                errors.on(&key, format!("`{key}` is given twice: remove one"));
                continue;
            }
            match value {
                Value::Expr(value) => values.push((key, value)),
                Value::Missing | Value::List(_) => {
                    errors.on(
                        &key,
                        format!("the argument `{key}` has no value: write `{key} = …`"),
                    );
                }
            }
        }
        Self {
            span,
            values,
            lost: errors.count() > before,
        }
    }
}
