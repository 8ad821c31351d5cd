//! `or(…)` and `and(…)`: triggers made of triggers.

use scheduler_triggers::Trigger;

use super::modifier::Modifiers;
use super::{TRIGGERS, one};
use crate::attr::entry::{self, Entry, Value};
use crate::attr::keys::{Key, Keys};
use crate::attr::told;
use crate::errors::Errors;

const KEYS: Keys = Keys {
    owner: "this list of triggers",
    all: &[
        Key::new("interval", "interval = \"5m\""),
        Key::new("cron", "cron = \"0 6 * * *\""),
        Key::new(
            "calendar_interval",
            "calendar_interval(months = 1, time = \"02:30\")",
        ),
        Key::new("date", "date = \"2026-12-31T23:59:00Z\""),
        Key::new("or", "or(cron = \"0 6 * * *\", cron = \"30 18 * * *\")"),
        Key::new("and", "and(cron = \"0 6 * * *\", cron = \"* * 1 * *\")"),
    ],
    inside_job: true,
    habits: &[
        (
            "timezone",
            "each trigger has its own: write `cron(\"0 6 * * *\", timezone = \"Europe/Berlin\")`",
        ),
        (
            "start",
            "each trigger has its own: write `interval(\"5m\", start = \"2026-01-01T00:00:00Z\")`",
        ),
        (
            "start_date",
            "each trigger has its own: write `interval(\"5m\", start_date = \"2026-01-01T00:00:00Z\")`",
        ),
        (
            "end",
            "each trigger has its own: write `interval(\"5m\", end = \"2026-12-31T00:00:00Z\")`",
        ),
        (
            "end_date",
            "each trigger has its own: write `interval(\"5m\", end_date = \"2026-12-31T00:00:00Z\")`",
        ),
        (
            "gap",
            "each trigger has its own: write `cron(\"0 6 * * *\", gap = \"skip\")`",
        ),
        (
            "fold",
            "each trigger has its own: write `cron(\"0 6 * * *\", fold = \"both\")`",
        ),
    ],
};

pub(super) fn read(
    key: &Key,
    entry: &Entry,
    beside: Modifiers,
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
        let advice = super::guess(&quote::quote!(#literal).to_string());
        errors.on(literal, format!("this value has no key: {advice}"));
    }
    // A trigger may stand here more than once, so each entry is sorted by itself.
    let triggers: Vec<Option<Trigger>> = list
        .keyed
        .into_iter()
        .map(|entry| {
            let (key, entry) = KEYS.sort(vec![entry], errors).take_all(&TRIGGERS).pop()?;
            one(key, &entry, Modifiers::none(), errors)
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
        .map_err(|error| errors.on(entry.tokens(), told::sentence(&error)))
        .ok()
}
