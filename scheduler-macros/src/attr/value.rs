//! Typed values: each error says what was found and what is accepted, with a line to paste.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, ExprUnary, Lit, LitInt, LitStr, UnOp};

use super::entry::{Entry, Value, as_text};
use super::job;
use super::keys::Key;
use super::written;
use crate::errors::Errors;

impl Entry {
    /// Returns all tokens of the entry, for mistakes that no smaller part causes.
    pub(crate) fn tokens(&self) -> TokenStream {
        let key = &self.key;
        match &self.value {
            Value::Missing => quote!(#key),
            Value::Expr(value) => quote!(#key = #value),
            Value::List(group) => quote!(#key #group),
        }
    }

    /// Returns the entry as it was written.
    pub(crate) fn written(&self) -> String {
        as_text(&self.tokens())
            .replace(" ,", ",")
            .replace(" (", "(")
    }

    /// Reads a text in quotes.
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
            }) if !number.suffix().is_empty() => errors.on(
                number,
                if job::takes_text(key.name, &number.to_string()) {
                    format!("`{name}` takes a text in quotes: write `{name} = \"{number}\"`")
                } else {
                    format!("`{name}` takes a text in quotes, as in `{sample}`")
                },
            ),
            Expr::Lit(literal) => errors.on(
                literal,
                format!("`{name}` takes a text in quotes, as in `{sample}`"),
            ),
            other => not_literal(&name, other, key, errors),
        }
        None
    }

    /// Reads a whole number from 0 to `u32::MAX`, without quotes.
    pub(crate) fn count(&self, key: &Key, errors: &Errors) -> Option<u32> {
        let (name, sample) = (self.name(), key.sample);
        match self.expression(key, errors)? {
            Expr::Lit(ExprLit {
                lit: Lit::Int(number),
                ..
            }) => match count_of(number, &name) {
                Ok(count) => return Some(count),
                Err(message) => errors.on(number, message),
            },
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => {
                let how = match text.value().trim().parse::<u32>() {
                    Ok(count) => format!(": write `{name} = {count}`"),
                    Err(_) => format!(", as in `{sample}`"),
                };
                errors.on(text, format!("`{name}` takes a number without quotes{how}"));
            }
            Expr::Unary(ExprUnary {
                op: UnOp::Neg(_),
                expr,
                ..
            }) if matches!(**expr, Expr::Lit(_)) => {
                let value = self.tokens_of_value();
                errors.on(
                    &value,
                    format!("`{name}` cannot be negative: it counts from 0, as in `{sample}`"),
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

    /// Reads `true` or `false`.
    pub(crate) fn flag(&self, key: &Key, errors: &Errors) -> Option<bool> {
        let name = self.name();
        let value = self.expression(key, errors)?;
        if let Expr::Lit(ExprLit {
            lit: Lit::Bool(flag),
            ..
        }) = value
        {
            return Some(flag.value);
        }
        errors.on(
            value,
            match written::flag(value) {
                Some(flag) => format!("`{name}` takes `true` or `false`: write `{name} = {flag}`"),
                None if matches!(value, Expr::Lit(_)) => {
                    format!("`{name}` takes `true` or `false`, as in `{}`", key.sample)
                }
                None => format!(
                    "`{name}` takes `true` or `false`, because it is checked while compiling{}",
                    way_out(&name)
                ),
            },
        );
        None
    }

    /// Returns the expression after `=`.
    pub(crate) fn expression(&self, key: &Key, errors: &Errors) -> Option<&Expr> {
        let (name, sample) = (self.name(), key.sample);
        match &self.value {
            Value::Expr(value) => Some(value),
            Value::Missing => {
                // Only for a flag is it certain which value was meant.
                let how = if sample.ends_with("= true") {
                    ": write"
                } else {
                    ", as in"
                };
                errors.on(&self.key, format!("`{name}` has no value{how} `{sample}`"));
                None
            }
            Value::List(group) => {
                let how = match syn::parse2::<Lit>(group.stream()) {
                    Ok(_) => format!(": write `{name} = {}`", group.stream()),
                    Err(_) => format!(", as in `{sample}`"),
                };
                errors.on(
                    self.tokens(),
                    format!("`{name}` takes its value after `=`{how}"),
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

/// Reads a text that is a duration; for any other form of a duration, the text is suggested.
pub(crate) fn duration_text(key: &Key, entry: &Entry, errors: &Errors) -> Option<LitStr> {
    let value = match &entry.value {
        Value::Expr(value) if written::text(value).is_none() => value,
        _ => return entry.text(key, errors),
    };
    let name = key.name;
    let as_backoff = (name == "backoff")
        .then(|| written::backoff(value))
        .flatten();
    let Some(duration) = as_backoff.or_else(|| written::duration(value, "s")) else {
        return entry.text(key, errors);
    };
    if !job::accepts(&format!("{name} = \"{duration}\"")) {
        // An error in the text is reported right away.
        return Some(LitStr::new(&duration, value.span()));
    }
    errors.on(
        value,
        if written::integer(value).is_some() {
            format!(
                "`{name}` takes a duration with a unit: write `{name} = \"{duration}\"` for seconds"
            )
        } else {
            format!("`{name}` takes a duration as a text: write `{name} = \"{duration}\"`")
        },
    );
    None
}

/// Returns the count that a number without a sign represents, or what is wrong with it.
fn count_of(number: &LitInt, name: &str) -> Result<u32, String> {
    if !written::is_plain(number) {
        let unit = number.suffix();
        return Err(format!(
            "`{name}` counts, it has no unit `{unit}`: write `{name} = {}`",
            number.base10_digits()
        ));
    }
    let digits = number.base10_digits();
    digits.parse().map_err(|_| {
        let most = u32::MAX;
        format!("{digits} is too large for `{name}`, which takes 0-{most}")
    })
}

/// Returns the only text among the literals without a key.
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
            let texts: Option<Vec<String>> = bare.iter().map(text_of).collect();
            let how = match texts.and_then(|texts| written::either(key.name, &texts)) {
                Some(either) => format!("write `{either}`"),
                None => "remove this one".to_owned(),
            };
            errors.on(second, format!("`{}` takes one text: {how}", key.name));
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

fn text_of(literal: &Lit) -> Option<String> {
    match literal {
        Lit::Str(text) => Some(text.value()),
        _ => None,
    }
}

fn not_literal(name: &str, value: &Expr, key: &Key, errors: &Errors) {
    let text = as_text(&value.to_token_stream());
    // `mon-fri`, `latest` and `queue(5)` were meant as texts; the value of a constant is unknown here.
    let plain = matches!(
        value,
        Expr::Binary(_) | Expr::Path(_) | Expr::Range(_) | Expr::Call(_)
    ) && !text.contains([':', '"'])
        && !text.chars().any(|c| c.is_ascii_uppercase())
        && job::takes_text(key.name, &text);
    let listed = match value {
        Expr::Paren(paren) => Some(as_text(&paren.expr.to_token_stream())),
        Expr::Tuple(tuple) => Some(as_text(&tuple.elems.to_token_stream()).replace(" ,", ",")),
        _ => None,
    };
    let either = match value {
        Expr::Array(array) => {
            let texts: Option<Vec<String>> = array.elems.iter().map(written::text).collect();
            texts.and_then(|texts| written::either(name, &texts))
        }
        _ => None,
    };
    let negative = matches!(value, Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)));
    errors.on(
        value,
        match (name, listed, either) {
            _ if negative => format!("`{name}` cannot be negative, as in `{}`", key.sample),
            _ if plain && key.is_text => {
                format!("`{name}` takes a text in quotes: write `{name} = \"{text}\"`")
            }
            (_, _, Some(either)) => format!("`{name}` takes one text: write `{either}`"),
            ("cron", Some(fields), None) => {
                format!("the fields of `cron` follow it in parentheses: write `cron({fields})`")
            }
            ("timezone", ..) if written::zone(value).is_some() => format!(
                "`timezone` takes a text in quotes: write `timezone = \"{}\"`",
                written::zone(value).unwrap_or_default()
            ),
            ("id" | "name", ..) => format!(
                "`{name}` takes a text, a constant, or a macro that gives one, such as `concat!(…)`, because it is known while compiling"
            ),
            _ => format!(
                "`{name}` takes a literal, as in `{}`, because it is checked while compiling{}",
                key.sample,
                way_out(name)
            ),
        },
    );
}

/// Returns the advice for a value that is only known later.
fn way_out(name: &str) -> &'static str {
    match name {
        "crate" | "args" | "default" => "",
        _ => {
            "\nfor a value from elsewhere, change the job with `Scheduler::builder().overrides(…)`, or make it at run time with `#[task]` and `add_job`"
        }
    }
}
