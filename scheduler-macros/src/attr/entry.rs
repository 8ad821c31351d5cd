//! `key = value` and `key(…)`, parsed with error recovery: one bad entry does not hide the next.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Lit, Token};

use super::job::takes_text;
use super::written;
use crate::errors::Errors;

/// One entry of an attribute's list.
pub(crate) struct Entry {
    pub(crate) key: Ident,
    pub(crate) value: Value,
}

/// What follows a key.
pub(crate) enum Value {
    /// Nothing: `key`.
    Missing,
    /// `key = expr`.
    Expr(Expr),
    /// `key(…)`.
    List(Group),
}

impl Entry {
    /// Returns the key's name, without `r#`.
    pub(crate) fn name(&self) -> String {
        self.key.unraw().to_string()
    }
}

/// The entries of a list.
#[derive(Default)]
pub(crate) struct Entries {
    /// Literals without a key.
    pub(crate) bare: Vec<Lit>,
    /// Entries with a key.
    pub(crate) keyed: Vec<Entry>,
    /// If `true`, a part was reported as unreadable, so an entry that seems to be missing may have been written.
    pub(crate) lost: bool,
}

enum Piece {
    Bare(Lit),
    Keyed(Entry),
}

/// Parses a list of entries; unreadable parts are reported and skipped up to the next comma.
pub(crate) fn entries(tokens: TokenStream, errors: &Errors) -> Entries {
    let mut all = Entries::default();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            match piece(input) {
                Ok(Piece::Bare(literal)) => all.bare.push(literal),
                Ok(Piece::Keyed(entry)) => all.keyed.push(entry),
                Err(error) => {
                    errors.push(error);
                    rest_of_entry(input);
                    all.lost = true;
                }
            }
            if input.peek(Token![;]) {
                errors.push(input.error("entries are separated by commas: write `,` here"));
                input.parse::<Token![;]>()?;
                continue;
            }
            if !input.is_empty() && !input.peek(Token![,]) {
                surplus(input, errors, &mut all);
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        errors.push(error);
    }
    all
}

fn piece(input: ParseStream<'_>) -> syn::Result<Piece> {
    if input.peek(Lit) && !input.peek(syn::LitBool) {
        return input.parse().map(Piece::Bare);
    }
    if input.peek(Token![,]) {
        return Err(input.error("expected a key before this comma"));
    }
    let key = input.call(Ident::parse_any).map_err(|error| {
        syn::Error::new(error.span(), "expected a key, as in `id = \"cleanup\"`")
    })?;
    let value = value(&key, input)?;
    Ok(Piece::Keyed(Entry { key, value }))
}

fn value(key: &Ident, input: ParseStream<'_>) -> syn::Result<Value> {
    if let Some(sign) = other_sign(input)? {
        return Err(syn::Error::new_spanned(
            &sign,
            format!("expected `=` between `{key}` and its value, found `{sign}`"),
        ));
    }
    if let Some(equals) = input.parse::<Option<Token![=]>>()? {
        if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new(
                equals.span,
                format!("`{key}` has no value after the `=`"),
            ));
        }
        return expression(key, input).map(Value::Expr);
    }
    match input.fork().parse::<TokenTree>() {
        Ok(TokenTree::Group(group)) if group.delimiter() != Delimiter::None => {
            input.parse::<TokenTree>()?;
            if group.delimiter() == Delimiter::Parenthesis {
                Ok(Value::List(group))
            } else {
                Err(syn::Error::new(
                    group.span_open(),
                    format!("`{key}` takes its entries in parentheses: `{key}(…)`"),
                ))
            }
        }
        _ => Ok(Value::Missing),
    }
}

/// Parses an operator that other languages use in the position of `=`.
fn other_sign(input: ParseStream<'_>) -> syn::Result<Option<TokenStream>> {
    Ok(Some(if input.peek(Token![==]) {
        input.parse::<Token![==]>()?.into_token_stream()
    } else if input.peek(Token![=>]) {
        input.parse::<Token![=>]>()?.into_token_stream()
    } else if input.peek(Token![:]) {
        input.parse::<Token![:]>()?.into_token_stream()
    } else {
        return Ok(None);
    }))
}

/// Parses a value. A text without its quotes (`hour = */5`) is not an expression, and is reported as such.
fn expression(key: &Ident, input: ParseStream<'_>) -> syn::Result<Expr> {
    let ahead = input.fork();
    if ahead.parse::<Expr>().is_ok() {
        return input.parse().map(without_group);
    }
    let rest = rest_of_entry(input);
    let text = as_text(&rest);
    let quoted = if takes_text(&key.to_string(), &text) {
        format!("; a text is written in quotes: `{key} = \"{text}\"`")
    } else {
        String::new()
    };
    Err(syn::Error::new_spanned(
        rest,
        format!("the value of `{key}` is not a Rust expression{quoted}"),
    ))
}

/// Removes the group around a value that a `macro_rules!` passes on (`$value:expr`).
fn without_group(value: Expr) -> Expr {
    match value {
        Expr::Group(group) => without_group(*group.expr),
        other => other,
    }
}

/// Reports the tokens between a complete entry and the next comma, and skips them.
fn surplus(input: ParseStream<'_>, errors: &Errors, all: &mut Entries) {
    let span = input.span();
    let rest = rest_of_entry(input);
    let mut tokens = rest.clone().into_iter();
    let is_key = matches!(tokens.next(), Some(TokenTree::Ident(_)))
        && matches!(&tokens.next(), Some(TokenTree::Punct(sign)) if sign.as_char() == '=');
    all.lost = true;
    if is_key {
        errors.at(span, "expected a comma before this key");
        return;
    }
    match all.keyed.pop() {
        // A text without quotes, whose first part was parsed as the value.
        Some(Entry {
            key,
            value: Value::Expr(value),
        }) if !has_text(&quote!(#value #rest))
            && takes_text(&key.to_string(), &as_text(&quote!(#value #rest))) =>
        {
            let text = as_text(&quote!(#value #rest));
            errors.on(
                quote!(#value #rest),
                format!("`{key}` takes a text in quotes: write `{key} = \"{text}\"`"),
            );
        }
        entry => match entry.and_then(|entry| unquoted(&entry, &rest)) {
            Some(written) => errors.on(
                rest,
                format!("a trigger is a text in quotes under its key: write `{written}`"),
            ),
            None => errors.on(
                rest,
                "expected a comma, or nothing more, after the entry before this",
            ),
        },
    }
}

/// Returns the trigger that an entry and the words after it form, as in `every 5 minutes`.
fn unquoted(entry: &Entry, rest: &TokenStream) -> Option<String> {
    let words = match &entry.value {
        Value::Missing => {
            let key = &entry.key;
            quote!(#key #rest)
        }
        Value::Expr(value) => quote!(#value #rest),
        Value::List(_) => return None,
    };
    written::trigger(&as_text(&words), false)
}

/// Takes everything up to the next comma, or a separator written in place of one.
fn rest_of_entry(input: ParseStream<'_>) -> TokenStream {
    let mut rest = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) && !input.peek(Token![;]) {
        let Ok(token) = input.parse::<TokenTree>() else {
            break;
        };
        rest.extend([token]);
    }
    rest
}

fn has_text(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(
        |token| matches!(token, TokenTree::Literal(literal) if literal.to_string().contains('"')),
    )
}

/// Returns the text that was meant if the quotes were left out: `mon - fri` is `mon-fri`, `* / 5 *` is `*/5 *`.
pub(crate) fn as_text(tokens: &TokenStream) -> String {
    let binds = |text: &str| text.ends_with(['/', '-', '#', '@', ':', '.']);
    let mut text = String::new();
    for token in tokens.clone() {
        let word = match &token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                format!("({})", as_text(&group.stream()))
            }
            other => other.to_string(),
        };
        if !(text.is_empty() || binds(&text) || binds(&word) || word.starts_with('(')) {
            text.push(' ');
        }
        text.push_str(&word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_without_quotes_are_spaced_as_they_were_meant() {
        for text in [
            "0 */5 * * mon-fri",
            "* * * * *",
            "1h 30m",
            "1s..1m",
            "Europe/Berlin",
            "queue(5)",
            "@daily",
        ] {
            assert_eq!(as_text(&text.parse().unwrap()), text);
        }
    }
}
