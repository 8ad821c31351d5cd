//! `cron = "0 6 * * *"`, `cron("0 6 * * *", timezone = "…")` and `cron(hour = 6, …)`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use scheduler_triggers::{Trigger, TriggerError};
use syn::{Expr, ExprLit, Lit, LitStr};

use super::options::TriggerOptions;
use crate::attr::entry::{self, Entry, Value, as_text};
use crate::attr::habit::{Answer, Habit};
use crate::attr::job::takes_text;
use crate::attr::job_keys::{SETTINGS, TRIGGER_OPTIONS};
use crate::attr::keys::{Given, Key, Keys};
use crate::attr::trigger_error::{self, Form, in_text, sentence};
use crate::attr::trigger_words::several;
use crate::attr::value::one_text;
use crate::attr::written::{self, is_plain};
use crate::errors::Errors;

const FIELDS: &[Key] = &[
    Key::text("year", "year = \"2026-2030\""),
    Key::text("month", "month = \"jan-mar\""),
    Key::text("day", "day = \"last\""),
    Key::text("week", "week = \"*/2\""),
    Key::text("day_of_week", "day_of_week = \"mon-fri\""),
    Key::new("hour", "hour = 6"),
    Key::text("minute", "minute = \"*/15\""),
    Key::new("second", "second = 30"),
];

const KEYS: Keys = Keys {
    owner: "`cron(…)`",
    groups: &[FIELDS, TRIGGER_OPTIONS],
    around: SETTINGS,
    habits: &[
        Habit::new(
            &["weekday", "weekdays", "dow", "days_of_week"],
            Answer::Key("day_of_week"),
        ),
        Habit::new(&["day_of_month", "dom"], Answer::Key("day")),
        Habit::new(&["month_of_year"], Answer::Key("month")),
        Habit::new(&["tz", "zone", "time_zone"], Answer::Zone),
        Habit::new(
            &["expr", "expression", "schedule"],
            Answer::Note("a cron text stands without a key, as in `cron(\"0 6 * * *\")`"),
        ),
    ],
    triggers: &[],
    check: None,
};

pub(super) fn read(
    key: &Key,
    entry: &Entry,
    beside: TriggerOptions,
    errors: &Errors,
) -> Option<Trigger> {
    let Value::List(group) = &entry.value else {
        return text(entry.text(key, errors).as_ref(), beside, errors);
    };
    // EventBridge's form, without quotes.
    if let Some(written) = written::trigger(&format!("cron({})", as_text(&group.stream())), false) {
        errors.on(
            entry.tokens(),
            format!("a cron expression is a text in quotes: write `{written}`"),
        );
        return beside.apply_to(None, errors);
    }
    let before = errors.count();
    let list = entry::entries(group.stream(), errors);
    let mut given = KEYS.sort(list.keyed, errors);
    let options = beside.join(TriggerOptions::take(&mut given), errors);
    let has_text = list
        .bare
        .iter()
        .any(|literal| matches!(literal, Lit::Str(_)));
    if !has_text && given.has_any(FIELDS) {
        for value in &list.bare {
            errors.on(
                value,
                "this value has no field; several values of a field are one text, as in `hour = \"6,18\"`",
            );
        }
    }
    if list.bare.is_empty() || (!has_text && given.has_any(FIELDS)) {
        let trigger = fields(entry, &mut given, before, errors);
        return options.apply_to(trigger, errors);
    }
    for (field, entry) in given.take_all(FIELDS) {
        errors.on(
            entry.tokens(),
            format!("a cron text has its fields inside: leave out `{}`, or write all of it as `cron({} = …, …)`", field.name, field.name),
        );
    }
    text(
        one_text(key, entry, &list.bare, errors).as_ref(),
        options,
        errors,
    )
}

fn text(text: Option<&LitStr>, options: TriggerOptions, errors: &Errors) -> Option<Trigger> {
    let trigger = text.and_then(|text| {
        Trigger::cron(&text.value())
            .map_err(|error| trigger_error::report_unless_other(text, &error, "cron", errors))
            .ok()
    });
    options.apply_to(trigger, errors)
}

/// A field's value, and its literal.
struct Field {
    name: &'static str,
    text: String,
    literal: TokenStream,
    quoted: Option<LitStr>,
}

fn fields(entry: &Entry, given: &mut Given, before: usize, errors: &Errors) -> Option<Trigger> {
    let entries = given.take_all(FIELDS);
    if entries.is_empty() {
        // Either every field was misspelt and reported, or there are none.
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
                .for_each(|error| report(error, &fields, entry, errors));
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
    let name = key.name;
    if let Some(text) = several(value)
        && takes_text(name, &text)
    {
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

fn report(error: &TriggerError, fields: &[Field], entry: &Entry, errors: &Errors) {
    let at = |field: &&Field| error.field() == Some(field.name);
    match fields.iter().find(at) {
        Some(Field {
            quoted: Some(text), ..
        }) => errors.on(text, in_text(error, Form::Fields, &text.value(), 0)),
        Some(field) => errors.on(&field.literal, sentence(error, Form::Fields)),
        None => errors.on(entry.tokens(), sentence(error, Form::Fields)),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn habits_name_the_keys_that_they_advise() {
        super::KEYS.check_habits();
    }
}
