//! Spans of the output: where errors and lints are shown, and whose code they count as.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;

/// A span that is shown at `span` but counts as the macro's own, so that lints on written code
/// (`non_camel_case_types`, `dead_code`, clippy's) leave it alone.
pub(super) fn shown_at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// A name at its own place, as the macro's own.
pub(super) fn own_name(name: &Ident) -> Ident {
    let (plain, span) = (name.unraw(), shown_at(name.span()));
    // A keyword of this crate's edition, but not of every user's.
    if plain == *name && plain != "gen" {
        format_ident!("{}", plain, span = span)
    } else {
        Ident::new_raw(&plain.to_string(), span)
    }
}

/// The name of a local variable of the output, which nothing that the user wrote can see.
pub(super) fn own_local(name: &Ident) -> Ident {
    let mut local = own_name(name);
    local.set_span(Span::mixed_site().located_at(name.span()));
    local
}

/// The same tokens at another place.
pub(super) fn respanned(tokens: &TokenStream, span: Span) -> TokenStream {
    let at = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    tokens.clone().into_iter().map(at).collect()
}

/// Where a run of tokens begins and ends, as spans of the macro's own.
pub(super) fn ends(tokens: &TokenStream) -> (Span, Span) {
    let mut spans = tokens.clone().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    let last = spans.last().unwrap_or(first);
    (shown_at(first), shown_at(last))
}

/// The place of `span` in the source, which `line!` reads off its own tokens.
pub(super) fn location(p: &TokenStream, span: Span) -> TokenStream {
    let line = quote_spanned!(span=> ::core::line!());
    quote! {
        #p::SourceLocation {
            package: #p::or_empty(::core::option_env!("CARGO_PKG_NAME")),
            module: ::core::module_path!(),
            file: ::core::file!(),
            line: #line,
        }
    }
}
