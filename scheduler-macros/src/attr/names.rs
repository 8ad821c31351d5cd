//! Ids and names: 1 to 255 bytes that can be printed. The same bounds as `scheduler_core::JobId`
//! keeps; a test compares what the two take.

use syn::LitStr;

use crate::errors::Errors;

/// Longest id or name, in bytes.
const MAX_BYTES: usize = 255;

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
