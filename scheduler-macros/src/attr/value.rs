//! Typed values: each reader says what was found, what is taken, and gives a line to paste.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Expr, ExprLit, ExprUnary, Lit, LitStr, UnOp};

use super::entry::{Entry, Value, glued};
use super::keys::Key;
use crate::errors::Errors;

impl Entry {
    /// Everything of the entry, for mistakes that lie on no smaller part.
    pub(crate) fn tokens(&self) -> TokenStream {
        let key = &self.key;
        match &self.value {
            Value::Missing => quote!(#key),
            Value::Expr(value) => quote!(#key = #value),
            Value::List(group) => quote!(#key #group),
        }
    }

    /// A text in quotes.
    pub(crate) fn text(&self, key: &Key, errors: &Errors) -> Option<LitStr> {
        let (name, sample) = (self.name(), key.sample);
        match self.expression(key, errors)? {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => {
                if text.suffix().is_empty() {
                    return Some(text.clone());
                }
                errors.on(
                    text,
                    format!(
                        "`{name}` takes a text without the suffix `{}`",
                        text.suffix()
                    ),
                );
            }
            Expr::Lit(ExprLit {
                lit: Lit::Int(number),
                ..
            }) if !number.suffix().is_empty() => {
                errors.on(
                    number,
                    format!("`{name}` takes a text in quotes: write `{name} = \"{number}\"`"),
                );
            }
            Expr::Lit(literal) => errors.on(
                literal,
                format!("`{name}` takes a text in quotes, as in `{sample}`"),
            ),
            other => not_literal(&name, other, key, errors),
        }
        None
    }

    /// A whole number from 0 to `u32::MAX`, without quotes.
    pub(crate) fn count(&self, key: &Key, errors: &Errors) -> Option<u32> {
        let (name, sample) = (self.name(), key.sample);
        match self.expression(key, errors)? {
            Expr::Lit(ExprLit {
                lit: Lit::Int(number),
                ..
            }) => {
                if !matches!(
                    number.suffix(),
                    "" | "u32" | "i32" | "usize" | "u8" | "u16" | "u64"
                ) {
                    errors.on(
                        number,
                        format!(
                            "`{name}` counts, it has no unit `{}`: write `{sample}`",
                            number.suffix()
                        ),
                    );
                    return None;
                }
                match number.base10_digits().parse::<u32>() {
                    Ok(count) => return Some(count),
                    Err(_) => errors.on(
                        number,
                        format!(
                            "{} is too large for `{name}`, which takes 0-{}",
                            number.base10_digits(),
                            u32::MAX
                        ),
                    ),
                }
            }
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => {
                let write = match text.value().trim().parse::<u32>() {
                    Ok(count) => format!("{name} = {count}"),
                    Err(_) => sample.to_owned(),
                };
                errors.on(
                    text,
                    format!("`{name}` takes a number without quotes: write `{write}`"),
                );
            }
            Expr::Unary(ExprUnary {
                op: UnOp::Neg(_),
                expr,
                ..
            }) if matches!(**expr, Expr::Lit(_)) => {
                let value = self.tokens_of_value();
                errors.on(
                    &value,
                    format!("`{name}` cannot be negative, as in `{sample}`"),
                );
            }
            Expr::Lit(literal) => errors.on(
                literal,
                format!("`{name}` takes a whole number, as in `{sample}`"),
            ),
            other => not_literal(&name, other, key, errors),
        }
        None
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, key: &Key, errors: &Errors) -> Option<bool> {
        let name = self.name();
        match self.expression(key, errors)? {
            Expr::Lit(ExprLit {
                lit: Lit::Bool(flag),
                ..
            }) => return Some(flag.value),
            Expr::Lit(literal) => errors.on(
                literal,
                format!(
                    "`{name}` takes `true` or `false` without quotes: write `{}`",
                    key.sample
                ),
            ),
            other => not_literal(&name, other, key, errors),
        }
        None
    }

    /// The expression after `=`.
    pub(crate) fn expression(&self, key: &Key, errors: &Errors) -> Option<&Expr> {
        let (name, sample) = (self.name(), key.sample);
        match &self.value {
            Value::Expr(Expr::Group(group)) => Some(&group.expr),
            Value::Expr(value) => Some(value),
            Value::Missing => {
                errors.on(
                    &self.key,
                    format!("`{name}` has no value: write `{sample}`"),
                );
                None
            }
            Value::List(_) => {
                errors.on(
                    self.tokens(),
                    format!("`{name}` takes its value after `=`: write `{sample}`"),
                );
                None
            }
        }
    }

    fn tokens_of_value(&self) -> TokenStream {
        match &self.value {
            Value::Expr(value) => value.to_token_stream(),
            Value::List(group) => group.to_token_stream(),
            Value::Missing => self.key.to_token_stream(),
        }
    }
}

fn not_literal(name: &str, value: &Expr, key: &Key, errors: &Errors) {
    let text = glued(&value.to_token_stream());
    // `mon-fri` and `latest` were meant as texts; a call or a constant cannot be known here.
    let plain = matches!(value, Expr::Binary(_) | Expr::Path(_) | Expr::Range(_))
        && !text.contains("::")
        && !text.chars().any(|c| c.is_ascii_uppercase());
    errors.on(
        value,
        if plain && key.sample.contains('"') {
            format!("`{name}` takes a text in quotes: write `{name} = \"{text}\"`")
        } else {
            format!(
                "`{name}` takes a literal, because it is checked while compiling: write `{}`",
                key.sample
            )
        },
    );
}
