//! Restrictions on the signature of a task.

use std::iter::Peekable;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree, token_stream};
use quote::{ToTokens, quote};
use syn::{ReturnType, Safety, Type};

use crate::errors::Errors;
use crate::item::{Function, find};

/// Returns `true` if the function is certainly inside an `impl` or a trait; without `self` or `Self`, a macro cannot
/// know.
pub(crate) fn inside_impl(function: &Function) -> bool {
    function.sig.receiver().is_some() || self_type(function).is_some()
}

fn self_type(function: &Function) -> Option<TokenTree> {
    let sig = &function.sig;
    find(quote!(#sig), "Self").or_else(|| outer_self(function.body.clone().into()))
}

/// Finds the `Self` of an `impl` around the function, but not the `Self` of an item inside the body, or one in the
/// input of a macro, where it may mean anything.
fn outer_self(tokens: TokenStream) -> Option<TokenTree> {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Ident(word) if word == "Self" => return Some(token),
            TokenTree::Ident(word) if opens_item(&word.to_string(), &mut tokens) => {
                skip_item(&mut tokens);
            }
            TokenTree::Ident(word) => skip_macro_input(word, &mut tokens),
            TokenTree::Group(group) => {
                if let Some(found) = outer_self(group.stream()) {
                    return Some(found);
                }
            }
            _ => {}
        }
    }
    None
}

/// Returns `true` if the word begins an item with its own `Self`.
fn opens_item(word: &str, rest: &mut Peekable<token_stream::IntoIter>) -> bool {
    match word {
        "impl" | "trait" | "struct" | "enum" => true,
        // An ordinary word, unless a name follows.
        "union" => matches!(rest.peek(), Some(TokenTree::Ident(_))),
        _ => false,
    }
}

/// Skips an item to the end of its braces, or to its semicolon. Braces between angle brackets are constants in its
/// header.
fn skip_item(tokens: &mut Peekable<token_stream::IntoIter>) {
    let (mut depth, mut arrow) = (0_usize, false);
    for token in tokens {
        let is_dash = matches!(&token, TokenTree::Punct(sign) if sign.as_char() == '-');
        match &token {
            TokenTree::Punct(sign) if sign.as_char() == '<' => depth += 1,
            TokenTree::Punct(sign) if sign.as_char() == '>' && !arrow => {
                depth = depth.saturating_sub(1);
            }
            TokenTree::Punct(sign) if sign.as_char() == ';' && depth == 0 => return,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && depth == 0 => {
                return;
            }
            _ => {}
        }
        arrow = is_dash;
    }
}

/// Skips a macro's input if the preceding word was the macro's name.
fn skip_macro_input(word: &Ident, tokens: &mut Peekable<token_stream::IntoIter>) {
    let is_mark =
        |token: &TokenTree| matches!(token, TokenTree::Punct(sign) if sign.as_char() == '!');
    // `if !(…)` and `return !(…)` are not macro calls.
    let is_keyword = syn::parse2::<Ident>(word.to_token_stream()).is_err();
    let mut ahead = tokens.clone();
    if is_keyword || !ahead.next().is_some_and(|token| is_mark(&token)) {
        return;
    }
    let group = match ahead.next() {
        Some(TokenTree::Ident(_)) if word == "macro_rules" => ahead.next(),
        other => other,
    };
    if matches!(group, Some(TokenTree::Group(_))) {
        *tokens = ahead;
    }
}

pub(super) fn check(function: &Function, errors: &Errors) {
    let sig = &function.sig;
    if let Some(receiver) = sig.receiver() {
        errors.on(
            receiver,
            "a task is a function that stands by itself, so it cannot take `self`: move it out of the `impl`, and take what it needs as `Data<T>`",
        );
    } else if let Some(token) = self_type(function) {
        errors.on(
            token,
            "a task is a function that stands by itself, so it knows no `Self`: move it out of the `impl`, and write the type's name",
        );
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.on(
            token,
            "the scheduler calls a task by itself, so it cannot be `unsafe`: put the `unsafe` block inside",
        );
    }
    let test = function.attrs.iter().find(|attr| {
        let last = attr.path().segments.last();
        last.is_some_and(|last| last.ident == "test")
    });
    if let Some(test) = test {
        errors.on(
            test,
            "a task is not a test: remove this, and write a test that calls the function",
        );
    }
    let main = function.attrs.iter().find(|attr| {
        let last = attr.path().segments.last();
        last.is_some_and(|last| last.ident == "main")
    });
    if let Some(main) = main {
        errors.on(
            main,
            "a task runs on the scheduler's runtime, so it starts none: remove this attribute",
        );
    }
    if let Some(variadic) = &sig.variadic {
        errors.on(
            variadic,
            "a task takes named parameters, so it cannot be variadic",
        );
    }
    if !sig.generics.params.is_empty() {
        errors.on(
            &sig.generics.params,
            "a task is found by its name alone, so it cannot be generic: write the types out, and call a generic function from it",
        );
    } else if let Some(clause) = &sig.generics.where_clause {
        errors.on(
            clause,
            "a task is not generic, so it has no `where` clause: remove it",
        );
    }
    if let ReturnType::Type(_, ty) = &sig.output {
        output(ty, sig.asyncness.is_some(), errors);
    }
}

fn output(ty: &Type, is_async: bool, errors: &Errors) {
    if let Type::Never(_) = ty {
        errors.on(
            ty,
            "a task that never returns would hold its slot for ever: return `()`, and let the schedule repeat it",
        );
    } else if !is_async
        && ["dyn", "Future"]
            .iter()
            .all(|word| find(ty.to_token_stream(), word).is_some())
    {
        errors.on(ty, "a task that returns a future is written as `async fn`, with the future's output as its return type");
    } else if let Some(token) = find(ty.to_token_stream(), "impl") {
        let text = ty.to_token_stream().to_string();
        if !is_async && text.contains("Future") {
            errors.on(ty, "a task that returns a future is written as `async fn`, with the future's output as its return type");
        } else {
            errors.at(
                token.span(),
                "what a task returns is recorded by its type, so it cannot be `impl Trait`: name the type, or return `()`",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(body: &str) -> bool {
        outer_self(body.parse().unwrap()).is_some()
    }

    #[test]
    fn a_self_of_an_item_in_the_body_is_not_that_of_an_impl_around_it() {
        for body in [
            "{ struct S; impl S { fn new() -> Self { Self } } S::new() }",
            "{ impl<const N: usize> A<{ N }> for [u8; N] where [(); { N }]: B { type C = Self; } }",
            "{ impl<F: Fn() -> u8> A for F { fn a(&self) -> &Self { self } } }",
            "{ trait T: Into<Self> + Sized { fn a() -> Self; } }",
            "{ enum E { A(Box<Self>), B } struct P(Option<Box<Self>>); }",
            "{ union U { a: u8, b: [*const Self; 1] } }",
            "{ fn inner() { impl X { const A: Self = Self; } } }",
            "{ mod m { pub struct S; impl S { pub fn new() -> Self { Self } } } }",
            "{ if true { impl X { fn a(self) -> Self { self } } } }",
            "{ macro_rules! m { ($t:ty) => { impl $t { fn a() -> Self {} } } } }",
            "{ let tokens = quote!(Self::new()); }",
        ] {
            assert!(!finds(body), "{body}");
        }
    }

    #[test]
    fn a_self_outside_of_such_an_item_is_that_of_an_impl_around_it() {
        for body in [
            "{ Self::helper() }",
            "{ struct S; Self::helper() }",
            "{ impl X { fn a() -> Self { Self } } let a: Self = b; }",
            "{ if a != b { Self::helper() } }",
            "{ if !a { Self::helper() } }",
            "{ if !(Self::A) { b() } }",
            "{ let union = 1; f(union, Self::helper()) }",
            "{ enum E { A } Self::A }",
        ] {
            assert!(finds(body), "{body}");
        }
    }
}
