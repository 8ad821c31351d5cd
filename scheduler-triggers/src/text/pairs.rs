//! The `key=value` pairs of the text form: fields, counts and options.

use crate::cron::keyword::CronFields;
use crate::error::TriggerError;
use crate::cron::field::Field;
use crate::options::KEYS;
use crate::suggest;
use crate::trigger::Trigger;
use crate::text::words::Word;

const COUNTS: [&str; 4] = ["years", "months", "weeks", "days"];

/// A key and its value.
pub(crate) type Pair<'a> = (Word<'a>, Word<'a>);

pub(crate) fn cron_fields(pairs: &[Pair<'_>]) -> Result<Trigger, TriggerError> {
    let mut fields = CronFields::default();
    let mut others = Vec::new();
    for (key, value) in pairs {
        match Field::from_name(key.text) {
            Some(field) if fields.is_set(field) => return Err(twice(*key)),
            Some(field) => fields = fields.set(field, value.text.to_owned()),
            None if KEYS.contains(&key.text) => others.push((*key, *value)),
            None => return Err(unknown_key(*key, Field::ALL.map(Field::name))),
        }
    }
    let trigger = fields.build().map_err(|error| place(&error, pairs))?;
    options(trigger, &others)
}

/// Moves each error into the value of the field that it is about.
fn place(error: &TriggerError, pairs: &[Pair<'_>]) -> TriggerError {
    let placed = error.all().map(|error| {
        let mut single = error.alone();
        if let Some((_, value)) = pairs
            .iter()
            .find(|(key, _)| Some(key.text) == error.field())
        {
            single = single.at(0..value.text.len()).shift(value.at);
        }
        single
    });
    placed
        .reduce(|earlier, error| error.after(Some(earlier)))
        .unwrap_or_else(|| error.clone())
}

pub(crate) fn calendar(pairs: &[Pair<'_>]) -> Result<Trigger, TriggerError> {
    let mut builder = Trigger::calendar_interval();
    let mut others = Vec::new();
    for (index, (key, value)) in pairs.iter().enumerate() {
        if KEYS.contains(&key.text) {
            others.push((*key, *value));
            continue;
        }
        if !COUNTS.contains(&key.text) {
            return Err(unknown_key(*key, COUNTS));
        }
        if pairs[..index]
            .iter()
            .any(|(earlier, _)| earlier.text == key.text)
        {
            return Err(twice(*key));
        }
        let count = value.text.parse().map_err(|_| {
            TriggerError::new(format!("`{}` is no number of {}", value.text, key.text))
                .at(value.range())
                .write(format!("{}=1", key.text))
        })?;
        builder = match key.text {
            "years" => builder.years(count),
            "months" => builder.months(count),
            "weeks" => builder.weeks(count),
            _ => builder.days(count),
        };
    }
    options(builder.build()?, &others)
}

/// Applies the options; the zone last, since an interval takes one only for its bounds.
pub(crate) fn options(mut trigger: Trigger, pairs: &[Pair<'_>]) -> Result<Trigger, TriggerError> {
    let zone_last = |zone: bool| {
        pairs
            .iter()
            .filter(move |(key, _)| (key.text == "timezone") == zone)
    };
    for (index, (key, _)) in pairs.iter().enumerate() {
        let name = |key: &str| key.trim_end_matches("_date").to_owned();
        if pairs[..index]
            .iter()
            .any(|(earlier, _)| name(earlier.text) == name(key.text))
        {
            return Err(twice(*key));
        }
    }
    for (key, value) in zone_last(false).chain(zone_last(true)) {
        trigger = trigger.with(key.text, value.text).map_err(|error| {
            if error.field().is_none() {
                // The key itself is unknown.
                return error.without_span().at(key.range());
            }
            error.shift(value.at)
        })?;
    }
    Ok(trigger)
}

fn unknown_key<const N: usize>(key: Word<'_>, own: [&'static str; N]) -> TriggerError {
    let names = own.into_iter().chain(KEYS);
    suggest::among(
        format!("`{}` is no field or option here", key.text),
        key.text,
        names,
    )
    .at(key.range())
}

fn twice(key: Word<'_>) -> TriggerError {
    TriggerError::new(format!("`{}` is given twice", key.text)).at(key.range())
}
