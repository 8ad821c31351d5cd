//! Ids and names: 1 to 255 printable bytes. The bounds are those of `scheduler_core::JobId`; a test compares what the
//! two accept.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Expr, ExprMacro, LitStr};

use super::entry::{Entry, Value};
use super::keys::Key;
use crate::errors::Errors;

/// Longest id or name, in bytes.
const MAX_BYTES: usize = 255;

/// An id or a name as it was written.
#[derive(Clone)]
pub(crate) enum Name {
    Text(LitStr),
    /// A constant, or a macro that expands to a text, such as `stringify!($name)`: checked by the compiler, since its
    /// text is not known here.
    Constant(Expr),
}

impl Name {
    /// Parses an id or a name, and checks it if its text is known.
    pub(super) fn read(key: &Key, entry: &Entry, errors: &Errors) -> Option<Self> {
        match &entry.value {
            Value::Expr(value) if is_constant(value) => Some(Self::Constant(value.clone())),
            _ => {
                let text = entry.text(key, errors)?;
                check(key.name, &text, errors);
                Some(Self::Text(text))
            }
        }
    }

    /// Returns the written form, which is equal for two names that are certainly equal.
    pub(crate) fn written(&self) -> String {
        match self {
            // Regardless of the style of its quotes.
            Self::Text(text) => format!("{:?}", text.value()),
            Self::Constant(value) => value.to_token_stream().to_string(),
        }
    }
}

impl ToTokens for Name {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Text(text) => text.to_tokens(tokens),
            Self::Constant(value) => value.to_tokens(tokens),
        }
    }
}

/// Returns `true` if an expression may be a text at compile time: a constant, which is written in capitals, or a
/// macro other than those that make a `String`.
fn is_constant(value: &Expr) -> bool {
    match value {
        Expr::Path(path) => path.path.segments.last().is_some_and(|segment| {
            let name = segment.ident.to_string();
            name.contains(|c: char| c.is_uppercase()) && !name.contains(|c: char| c.is_lowercase())
        }),
        Expr::Macro(ExprMacro { mac, .. }) => !mac.path.is_ident("format"),
        _ => false,
    }
}

/// Reports why a text cannot be an id or a name.
pub(crate) fn check(what: &str, text: &LitStr, errors: &Errors) {
    let value = text.value();
    if value.is_empty() {
        errors.on(
            text,
            format!("`{what}` is empty: give 1 to {MAX_BYTES} bytes"),
        );
    } else if value.len() > MAX_BYTES {
        errors.on(
            text,
            format!(
                "`{what}` has {} bytes: give at most {MAX_BYTES}",
                value.len()
            ),
        );
    } else if let Some(character) = value.chars().find(|c| c.is_control()) {
        errors.on(
            text,
            format!("`{what}` contains {character:?}, which cannot be printed: leave it out"),
        );
    }
}
