//! Typed values: each reader says what was found, what is taken, and gives a line to paste.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Expr, ExprLit, ExprUnary, Lit, LitInt, LitStr, UnOp};

use super::entry::{Entry, Value, as_text};
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
            }) => match count_of(number, &name, sample) {
                Ok(count) => return Some(count),
                Err(message) => errors.on(number, message),
            },
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
                    format!("`{name}` cannot be negative: write `{sample}`"),
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
            other => errors.on(
                other,
                format!(
                    "`{name}` takes `true` or `false`, because it is checked while compiling: write `{}`",
                    key.sample
                ),
            ),
        }
        None
    }

    /// The expression after `=`.
    pub(crate) fn expression(&self, key: &Key, errors: &Errors) -> Option<&Expr> {
        let (name, sample) = (self.name(), key.sample);
        match &self.value {
            Value::Expr(value) => Some(value),
            Value::Missing => {
                errors.on(
                    &self.key,
                    format!("`{name}` has no value: write `{sample}`"),
                );
                None
            }
            Value::List(group) => {
                let write = match syn::parse2::<Lit>(group.stream()) {
                    Ok(_) => format!("{name} = {}", group.stream()),
                    Err(_) => sample.to_owned(),
                };
                errors.on(
                    self.tokens(),
                    format!("`{name}` takes its value after `=`: write `{write}`"),
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

/// The count that a number without a sign stands for, or what is wrong with it.
fn count_of(number: &LitInt, name: &str, sample: &str) -> Result<u32, String> {
    if !is_plain(number) {
        let unit = number.suffix();
        return Err(format!(
            "`{name}` counts, it has no unit `{unit}`: write `{sample}`"
        ));
    }
    let digits = number.base10_digits();
    digits.parse().map_err(|_| {
        let most = u32::MAX;
        format!("{digits} is too large for `{name}`, which takes 0-{most}")
    })
}

/// Whether a number has no unit: none of its own, or one of Rust's types.
pub(super) fn is_plain(number: &LitInt) -> bool {
    matches!(
        number.suffix(),
        "" | "u32" | "i32" | "usize" | "u8" | "u16" | "u64"
    )
}

/// The one text among the literals without a key.
pub(super) fn one_text(key: &Key, entry: &Entry, bare: &[Lit], errors: &Errors) -> Option<LitStr> {
    match bare {
        [Lit::Str(text)] => Some(text.clone()),
        [] => {
            errors.on(
                &entry.key,
                format!("`{}` has no text: write `{}`", key.name, key.sample),
            );
            None
        }
        [Lit::Str(_), second, ..] => {
            errors.on(
                second,
                format!("`{}` takes one text: remove this one", key.name),
            );
            None
        }
        [other, ..] => {
            errors.on(
                other,
                format!(
                    "`{}` takes a text in quotes, as in `{}`",
                    key.name, key.sample
                ),
            );
            None
        }
    }
}

fn not_literal(name: &str, value: &Expr, key: &Key, errors: &Errors) {
    let text = as_text(&value.to_token_stream());
    // `mon-fri`, `latest` and `queue(5)` were meant as texts; a constant cannot be known here.
    let plain = matches!(
        value,
        Expr::Binary(_) | Expr::Path(_) | Expr::Range(_) | Expr::Call(_)
    ) && !text.contains([':', '"'])
        && !text.chars().any(|c| c.is_ascii_uppercase());
    let listed = matches!(value, Expr::Paren(_) | Expr::Block(_) | Expr::Tuple(_));
    let negative = matches!(value, Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)));
    errors.on(
        value,
        if negative {
            format!("`{name}` cannot be negative: write `{}`", key.sample)
        } else if plain && key.is_text {
            format!("`{name}` takes a text in quotes: write `{name} = \"{text}\"`")
        } else if name == "cron" && listed {
            "the fields of `cron` follow it in parentheses: write `cron(hour = 6, minute = 0)`"
                .to_owned()
        } else {
            format!(
                "`{name}` takes a literal, because it is checked while compiling: write `{}`",
                key.sample
            )
        },
    );
}
