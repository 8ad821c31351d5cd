//! `job_type = CleanupJob`: another name for the type with the function `job`, which is otherwise named like the
//! task's function.

use syn::{Expr, ExprLit, Ident, Lit};

use super::entry::Entry;
use super::keys::Key;
use crate::errors::Errors;

/// Parses the name of a type.
pub(super) fn read(key: &Key, entry: &Entry, errors: &Errors) -> Option<Ident> {
    let value = entry.expression(key, errors)?;
    if let Expr::Path(path) = value
        && let Some(name) = path.path.get_ident()
    {
        return Some(name.clone());
    }
    let write = match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => text.parse::<Ident>().ok(),
        Expr::Path(path) => path.path.segments.last().map(|last| last.ident.clone()),
        _ => None,
    };
    let message = "`job_type` takes a name for the type that makes jobs of this task";
    errors.on(
        value,
        match write {
            Some(name) => format!("{message}: write `job_type = {name}`"),
            None => format!("{message}, as in `{}`", key.sample),
        },
    );
    None
}
