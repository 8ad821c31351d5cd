//! The annotated function; its body stays raw tokens, so that even an unfinished body expands.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Signature, Token, Visibility};

/// A function with an unparsed body.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: TokenTree,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis: Visibility = input.parse()?;
        if let Some(kind) = other_item(input) {
            return Err(input.error(format!(
                "expected a function, found {kind}: a task is an `async fn` or an `fn`"
            )));
        }
        let sig: Signature = input.parse()?;
        if input.peek(Token![;]) {
            return Err(syn::Error::new_spanned(
                &sig.ident,
                format!(
                    "the function `{}` has no body: a task is a function that stands by itself",
                    sig.ident
                ),
            ));
        }
        let body = braces(input.parse()?)?;
        if !input.is_empty() {
            return Err(input.error("expected nothing after the function"));
        }
        Ok(Self {
            attrs,
            vis,
            sig,
            body,
        })
    }
}

/// Returns the body; a `macro_rules!` passes a `$body:block` on in a group.
fn braces(body: TokenTree) -> syn::Result<TokenTree> {
    if let TokenTree::Group(group) = &body {
        let mut inside = group.stream().into_iter();
        match (group.delimiter(), inside.next(), inside.next()) {
            (Delimiter::Brace, ..) => return Ok(body),
            (Delimiter::None, Some(only), None) => return braces(only),
            _ => {}
        }
    }
    Err(syn::Error::new(
        body.span(),
        "expected the function's body, in braces",
    ))
}

/// Returns the kind of an item that is not a function, or `None` if it may be one.
fn other_item(input: ParseStream<'_>) -> Option<&'static str> {
    let kinds: [(bool, &'static str); 14] = [
        (input.peek(Token![struct]), "a struct"),
        (input.peek(Token![enum]), "an enum"),
        (
            input.peek(Token![union]) && input.peek2(syn::Ident),
            "a union",
        ),
        (input.peek(Token![mod]), "a module"),
        (input.peek(Token![trait]), "a trait"),
        (input.peek(Token![impl]), "an impl block"),
        (input.peek(Token![use]), "a `use`"),
        (input.peek(Token![static]), "a static"),
        (input.peek(Token![type]), "a type alias"),
        (input.peek(Token![let]), "a `let`"),
        (
            input.peek(Token![const]) && (input.peek2(syn::Ident) || input.peek2(Token![_])),
            "a constant",
        ),
        (
            input.peek(Token![extern]) && input.peek2(Token![crate]),
            "an `extern crate`",
        ),
        (is_extern_block(input), "an `extern` block"),
        (
            input.peek(syn::Ident) && input.peek2(Token![!]),
            "a macro call",
        ),
    ];
    kinds
        .into_iter()
        .find(|(found, _)| *found)
        .map(|(_, kind)| kind)
}

fn is_extern_block(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    let _ = ahead.parse::<Option<Token![unsafe]>>();
    ahead.parse::<syn::Abi>().is_ok() && ahead.peek(syn::token::Brace)
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append_all(&self.attrs);
        self.vis.to_tokens(tokens);
        self.sig.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        syn::parse_str::<Function>(text)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn a_half_written_body_is_still_a_function() {
        let function: Function = syn::parse_str("pub(crate) async fn f(a: u8) { ctx. }").unwrap();
        assert_eq!(function.sig.ident, "f");
        assert!(
            function
                .to_token_stream()
                .to_string()
                .ends_with("{ ctx . }")
        );
    }

    #[test]
    fn other_items_are_named() {
        assert!(error("struct S;").contains("found a struct"));
        assert!(error("const X: u8 = 1;").contains("found a constant"));
        assert!(error("pub mod m {}").contains("found a module"));
        assert!(error("fn f();").contains("has no body"));
        assert_eq!(error("const fn f() {}"), "");
        assert_eq!(error("const async fn f() {}"), "");
    }
}
