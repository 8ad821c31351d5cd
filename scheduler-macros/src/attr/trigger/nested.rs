//! `or(…)` and `and(…)`: triggers that consist of triggers.

use scheduler_triggers::Trigger;

use super::guess::guess;
use super::options::TriggerOptions;
use crate::attr::entry::{self, Entry, Value};
use crate::attr::habit::{Answer, Habit};
use crate::attr::job::accepts;
use crate::attr::job_keys::{SETTINGS, TRIGGERS};
use crate::attr::keys::{Key, Keys};
use crate::attr::trigger_error::{Form, sentence};
use crate::attr::trigger_words;
use crate::attr::written;
use crate::errors::Errors;

const KEYS: Keys = Keys {
    owner: "this list of triggers",
    groups: &[TRIGGERS],
    around: SETTINGS,
    habits: &[
        Habit::new(
            &[
                "timezone",
                "start",
                "start_date",
                "end",
                "end_date",
                "gap",
                "fold",
            ],
            Answer::Note(
                "each trigger has its own: move it inside of their parentheses, behind the text",
            ),
        ),
        Habit::new(
            &["any", "any_of", "one_of", "either"],
            Answer::Together("or", trigger_words::any),
        ),
        Habit::new(
            &["all", "all_of", "both"],
            Answer::Together("and", trigger_words::all),
        ),
        Habit::of_all(
            trigger_words::is_trigger_word,
            Answer::Together("interval", trigger_words::trigger),
        ),
    ],
    triggers: TRIGGERS,
    check: Some(accepts),
};

/// Parses one trigger of the list, which may itself be a list.
type ReadTrigger = fn(&Key, &Entry, TriggerOptions, &Errors) -> Option<Trigger>;

pub(super) fn read(
    key: &Key,
    entry: &Entry,
    beside: TriggerOptions,
    read_one: ReadTrigger,
    errors: &Errors,
) -> Option<Trigger> {
    let name = key.name;
    let Value::List(group) = &entry.value else {
        errors.on(
            entry.tokens(),
            format!(
                "`{name}` takes its triggers in parentheses: write `{}`",
                key.sample
            ),
        );
        return None;
    };
    beside.only(
        &[],
        &format!("belongs inside, to each trigger of `{name}(…)`: write `cron(\"0 6 * * *\", timezone = \"Europe/Berlin\")` there"),
        errors,
    );
    let before = errors.count();
    let list = entry::entries(group.stream(), errors);
    for literal in &list.bare {
        let advice = guess(&quote::quote!(#literal).to_string());
        errors.on(literal, format!("this value has no key: {advice}"));
    }
    let free = list.keyed.iter().find_map(|entry| {
        let is_interval = entry.name() == "interval";
        is_interval.then(|| entry.given().and_then(written::text))?
    });
    // A trigger may occur more than once here, so each entry is sorted separately.
    let triggers: Vec<Option<Trigger>> = list
        .keyed
        .into_iter()
        .map(|entry| {
            let (key, entry) = KEYS.sort(vec![entry], errors).take_all(TRIGGERS).pop()?;
            read_one(key, &entry, TriggerOptions::none(), errors)
        })
        .collect();
    let triggers: Vec<Trigger> = triggers.into_iter().collect::<Option<_>>()?;
    if triggers.len() < 2 && errors.count() == before {
        errors.on(
            entry.tokens(),
            format!(
                "`{name}` joins two triggers or more: write `{}`",
                key.sample
            ),
        );
    }
    if errors.count() > before {
        return None;
    }
    let joined = if name == "or" {
        Trigger::or(triggers)
    } else {
        Trigger::and(triggers)
    };
    joined
        .map_err(|error| {
            let sentence = sentence(&error, Form::Text);
            let with_start =
                |text| sentence.replace("interval(\"…\"", &format!("interval(\"{text}\""));
            errors.on(
                entry.tokens(),
                free.map_or_else(|| sentence.clone(), with_start),
            );
        })
        .ok()
}
