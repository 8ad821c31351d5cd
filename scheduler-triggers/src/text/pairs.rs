//! The `key=value` pairs of the text form: fields, counts and options.

use crate::error::TriggerError;
use crate::kind::KindSpec;
use crate::options::KEYS;
use crate::suggest;
use crate::text::words::Word;
use crate::trigger::Trigger;

/// A key and its value.
pub(crate) type Pair<'a> = (Word<'a>, Word<'a>);

/// Splits pairs into the fields of a kind and the options.
pub(crate) fn split_pairs<'a>(
    kind: &KindSpec,
    pairs: &[Pair<'a>],
) -> Result<(Vec<Pair<'a>>, Vec<Pair<'a>>), TriggerError> {
    // The field that may follow the word is not a pair.
    let fields = || {
        let fields = kind.fields.iter().copied();
        fields.filter(|field| Some(*field) != kind.after_word)
    };
    let (mut own, mut options): (Vec<Pair<'_>>, Vec<Pair<'_>>) = (Vec::new(), Vec::new());
    for (key, value) in pairs {
        if KEYS.contains(&key.text) {
            options.push((*key, *value));
        } else if !fields().any(|field| field == key.text) {
            return Err(unknown_key(
                *key,
                fields().chain(kind.options.iter().copied()),
            ));
        } else if own.iter().any(|(earlier, _)| earlier.text == key.text) {
            return Err(twice(*key));
        } else {
            own.push((*key, *value));
        }
    }
    Ok((own, options))
}

/// Moves each error into the value of the field that it is about.
pub(crate) fn place(error: &TriggerError, pairs: &[Pair<'_>]) -> TriggerError {
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

/// Applies the options; the zone last, since an interval takes one only for its bounds.
pub(crate) fn apply_options(
    mut trigger: Trigger,
    pairs: &[Pair<'_>],
) -> Result<Trigger, TriggerError> {
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

fn unknown_key(key: Word<'_>, names: impl Iterator<Item = &'static str>) -> TriggerError {
    suggest::among(
        format!("`{}` is not a field or option here", key.text),
        key.text,
        names,
    )
    .at(key.range())
}

fn twice(key: Word<'_>) -> TriggerError {
    TriggerError::new(format!("`{}` is given twice", key.text)).at(key.range())
}
