//! Ids and names: texts, and constants that the compiler checks.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::span::{ends, respanned};
use crate::attr::Name;
use crate::valid::Definition;

/// Returns the task's name, in the scope of [`item`].
pub(super) fn of_task(definition: &Definition) -> TokenStream {
    match &definition.name {
        Name::Text(text) => text.to_token_stream(),
        Name::Constant(_) => quote!(__SCHEDULER_NAME),
    }
}

/// Generates what [`of_task`] needs: a constant occurs only once, so that a mistake in it is reported once.
pub(super) fn item(p: &TokenStream, definition: &Definition) -> TokenStream {
    match &definition.name {
        Name::Text(_) => TokenStream::new(),
        name @ Name::Constant(_) => {
            let checked = checked(p, "name", name);
            quote!(const __SCHEDULER_NAME: &str = #checked;)
        }
    }
}

/// Returns an id or a name, checked by the compiler if the macro could not check it.
pub(super) fn checked(p: &TokenStream, what: &str, name: &Name) -> TokenStream {
    match name {
        Name::Text(text) => text.to_token_stream(),
        Name::Constant(value) => {
            let (first, last) = ends(&value.to_token_stream());
            let path = respanned(p, first);
            let checked = format_ident!("checked_{what}", span = last);
            let argument = quote_spanned!(last=> (#value));
            quote!(#path::#checked #argument)
        }
    }
}
