//! Spans of the output: where errors and lints are shown, and whose code they belong to.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;

/// Returns a span that is shown at `span` but belongs to the macro, so that lints for user code
/// (`non_camel_case_types`, `dead_code`, clippy's) ignore it.
pub(super) fn shown_at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// Returns a name at its own position that belongs to the macro.
pub(super) fn own_name(name: &Ident) -> Ident {
    let (plain, span) = (name.unraw(), shown_at(name.span()));
    // A keyword in this crate's edition, but not in every user's.
    if plain == *name && plain != "gen" {
        format_ident!("{}", plain, span = span)
    } else {
        Ident::new_raw(&plain.to_string(), span)
    }
}

/// Returns the name of a local variable of the output that user code cannot refer to.
pub(super) fn own_local(name: &Ident) -> Ident {
    let mut local = own_name(name);
    local.set_span(Span::mixed_site().located_at(name.span()));
    local
}

/// Returns the same tokens with another span.
pub(super) fn respanned(tokens: &TokenStream, span: Span) -> TokenStream {
    let at = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    tokens.clone().into_iter().map(at).collect()
}

/// Returns the first and the last position of the tokens, as spans that belong to the macro.
pub(super) fn ends(tokens: &TokenStream) -> (Span, Span) {
    let mut spans = tokens.clone().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    let last = spans.last().unwrap_or(first);
    (shown_at(first), shown_at(last))
}

/// Generates the source location of `span`, which `line!` takes from its own tokens.
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
