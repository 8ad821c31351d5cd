//! `cron = "0 6 * * *"`, `cron("0 6 * * *", timezone = "…")` and `cron(hour = 6, …)`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use scheduler_triggers::{Trigger, TriggerError};
use syn::{Expr, ExprLit, Lit, LitStr};

use super::modifier::Modifiers;
use super::plain::{finish, one_text};
use crate::attr::entry::{self, Entry, Value};
use crate::attr::keys::{Given, Key, Keys};
use crate::attr::told::{self, trigger_error};
use crate::attr::value::is_plain;
use crate::errors::Errors;

const FIELDS: [&str; 8] = [
    "year",
    "month",
    "day",
    "week",
    "day_of_week",
    "hour",
    "minute",
    "second",
];

const KEYS: Keys = Keys {
    owner: "`cron(…)`",
    all: &[
        Key::new("year", "year = \"2026-2030\""),
        Key::new("month", "month = \"jan-mar\""),
        Key::new("day", "day = \"last\""),
        Key::new("week", "week = \"*/2\""),
        Key::new("day_of_week", "day_of_week = \"mon-fri\""),
        Key::new("hour", "hour = 6"),
        Key::new("minute", "minute = \"*/15\""),
        Key::new("second", "second = 30"),
        Key::new("timezone", "timezone = \"Europe/Berlin\""),
        Key::or("start", "start_date", "start = \"2026-01-01T00:00:00Z\""),
        Key::or("end", "end_date", "end = \"2026-12-31T23:59:59Z\""),
        Key::new("gap", "gap = \"skip\""),
        Key::new("fold", "fold = \"both\""),
    ],
    inside_job: true,
    habits: &[
        ("weekday", "write `day_of_week = \"mon-fri\"`"),
        ("dow", "write `day_of_week = \"mon-fri\"`"),
        ("tz", "write `timezone = \"Europe/Berlin\"`"),
        ("expr", "write `cron = \"0 6 * * *\"`"),
    ],
};

pub(super) fn read(
    key: &Key,
    entry: &Entry,
    beside: Modifiers,
    errors: &Errors,
) -> Option<Trigger> {
    let Value::List(group) = &entry.value else {
        return text(entry.text(key, errors).as_ref(), beside, errors);
    };
    let before = errors.count();
    let list = entry::entries(group.stream(), errors);
    let mut given = KEYS.sort(list.keyed, errors);
    let modifiers = beside.join(Modifiers::take(&mut given), errors);
    let has_text = list
        .bare
        .iter()
        .any(|literal| matches!(literal, Lit::Str(_)));
    if !has_text && given.has_any(&FIELDS) {
        for value in &list.bare {
            errors.on(
                value,
                "this value has no field; several values of a field are one text, as in `hour = \"6,18\"`",
            );
        }
    }
    if list.bare.is_empty() || (!has_text && given.has_any(&FIELDS)) {
        let trigger = fields(entry, &mut given, before, errors);
        return finish(trigger, modifiers, errors);
    }
    for (field, entry) in given.take_all(&FIELDS) {
        errors.on(
            entry.tokens(),
            format!("a cron text has its fields inside: leave out `{}`, or write all of it as `cron({} = …, …)`", field.name, field.name),
        );
    }
    text(
        one_text(key, entry, &list.bare, errors).as_ref(),
        modifiers,
        errors,
    )
}

fn text(text: Option<&LitStr>, modifiers: Modifiers, errors: &Errors) -> Option<Trigger> {
    let trigger = text.and_then(|text| {
        Trigger::cron(&text.value())
            .map_err(|error| trigger_error(text, &error, 0, errors))
            .ok()
    });
    finish(trigger, modifiers, errors)
}

/// A field's value, and the literal it came from.
struct Field {
    name: &'static str,
    text: String,
    literal: TokenStream,
    quoted: Option<LitStr>,
}

fn fields(entry: &Entry, given: &mut Given, before: usize, errors: &Errors) -> Option<Trigger> {
    let entries = given.take_all(&FIELDS);
    if entries.is_empty() {
        // Every field was misspelt, and told, or there are none.
        if errors.count() == before {
            errors.on(
                entry.tokens(),
                "`cron(…)` needs at least one field: write `cron(hour = 6, minute = 0)`",
            );
        }
        return None;
    }
    let fields: Vec<Field> = entries
        .iter()
        .filter_map(|(key, entry)| field(key, entry, errors))
        .collect();
    if fields.is_empty() {
        return None;
    }
    let builder = fields
        .iter()
        .fold(Trigger::cron_fields(), |builder, field| {
            let text = &field.text;
            match field.name {
                "year" => builder.year(text),
                "month" => builder.month(text),
                "day" => builder.day(text),
                "week" => builder.week(text),
                "day_of_week" => builder.day_of_week(text),
                "hour" => builder.hour(text),
                "minute" => builder.minute(text),
                _ => builder.second(text),
            }
        });
    match builder.build() {
        Ok(trigger) => (fields.len() == entries.len()).then_some(trigger),
        Err(error) => {
            error
                .all()
                .for_each(|error| tell(error, &fields, entry, errors));
            None
        }
    }
}

fn field(key: &'static Key, entry: &Entry, errors: &Errors) -> Option<Field> {
    let value = entry.expression(key, errors)?;
    if let Expr::Lit(ExprLit {
        lit: Lit::Int(number),
        ..
    }) = value
        && is_plain(number)
    {
        return Some(Field {
            name: key.name,
            text: number.base10_digits().to_owned(),
            literal: number.to_token_stream(),
            quoted: None,
        });
    }
    if let Some(text) = several(value) {
        let name = key.name;
        errors.on(
            value,
            format!("`{name}` takes several values as one text: write `{name} = \"{text}\"`"),
        );
        return None;
    }
    let text = entry.text(key, errors)?;
    Some(Field {
        name: key.name,
        text: text.value(),
        literal: text.to_token_stream(),
        quoted: Some(text),
    })
}

/// `6..8`, `6..=8` and `[6, 8]` as a cron field says it.
fn several(value: &Expr) -> Option<String> {
    let number = |value: &Expr| match value {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => Some(number.base10_digits().to_owned()),
        _ => None,
    };
    match value {
        Expr::Range(range) => Some(format!(
            "{}-{}",
            number(range.start.as_deref()?)?,
            number(range.end.as_deref()?)?
        )),
        Expr::Array(array) => {
            let values: Option<Vec<String>> = array.elems.iter().map(number).collect();
            Some(values?.join(","))
        }
        _ => None,
    }
}

fn tell(error: &TriggerError, fields: &[Field], entry: &Entry, errors: &Errors) {
    match fields
        .iter()
        .find(|field| error.field() == Some(field.name))
    {
        Some(Field {
            quoted: Some(text), ..
        }) => {
            errors.on(text, by_keyword(&told::in_text(error, &text.value(), 0)));
        }
        Some(field) => errors.on(&field.literal, by_keyword(&told::sentence(error))),
        None => errors.on(entry.tokens(), told::sentence(error)),
    }
}

/// The keyword form has a word where the text form has a letter.
fn by_keyword(told: &str) -> String {
    told.replace("write `L`", "write `day = \"last\"` for the last day")
}
