//! Trigger options, which are allowed for any trigger: its time zone, its bounds, and the effect of clock changes.

use scheduler_triggers::Trigger;
use syn::LitStr;

use crate::attr::entry::Entry;
use crate::attr::job_keys::TRIGGER_OPTIONS;
use crate::attr::keys::{Given, Key};
use crate::attr::trigger_error;
use crate::errors::Errors;

/// In the order in which they are applied: bounds may be local times of the zone.
const ORDER: [&str; 5] = ["timezone", "gap", "fold", "start", "end"];

/// Entries next to a trigger, or inside its parentheses.
pub(super) struct TriggerOptions(Vec<(&'static Key, Entry)>);

impl TriggerOptions {
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn take(given: &mut Given) -> Self {
        Self(given.take_all(TRIGGER_OPTIONS))
    }

    /// Merges the options inside the parentheses with those outside.
    pub(super) fn join(mut self, inside: Self, errors: &Errors) -> Self {
        for (key, entry) in inside.0 {
            if self.0.iter().any(|(other, _)| other.name == key.name) {
                let name = entry.name();
                errors.on(
                    &entry.key,
                    format!("`{name}` is given twice, inside and beside the trigger: remove one"),
                );
            } else {
                self.0.push((key, entry));
            }
        }
        self
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key.name == name)
    }

    /// Reports and removes options that have no meaning for this kind of trigger.
    pub(super) fn only(mut self, names: &[&str], why: &str, errors: &Errors) -> Self {
        self.0.retain(|(key, entry)| {
            let fits = names.contains(&key.name);
            if !fits {
                let name = entry.name();
                errors.on(&entry.key, format!("`{name}` {why}"));
            }
            fits
        });
        self
    }

    /// Reports and removes one option.
    pub(super) fn refuse(&mut self, name: &str, why: &str, errors: &Errors) {
        self.0.retain(|(key, entry)| {
            if key.name == name {
                errors.on(entry.tokens(), why);
            }
            key.name != name
        });
    }

    /// Applies the options, even without a trigger, so that their own mistakes are reported too.
    pub(super) fn apply_to(self, trigger: Option<Trigger>, errors: &Errors) -> Option<Trigger> {
        if trigger.is_none() {
            // Any trigger that accepts every option is suitable for the check.
            let any = Trigger::cron("* * * * *").ok()?;
            self.apply(any, errors);
            return None;
        }
        self.apply(trigger?, errors)
    }

    fn apply(self, trigger: Trigger, errors: &Errors) -> Option<Trigger> {
        let mut texts: Vec<(&'static str, LitStr)> = ORDER
            .iter()
            .filter_map(|name| self.0.iter().find(|(key, _)| key.name == *name))
            .filter_map(|(key, entry)| Some((key.name, entry.text(key, errors)?)))
            .collect();
        if trigger.kind() == "interval" {
            // An interval accepts a zone only if it has a bound that needs one. Bounds that are instants must come
            // after the zone, or they would be compared in the wrong zone.
            texts.sort_by_key(|(name, text)| match *name {
                "timezone" => 1,
                _ if has_offset(&text.value()) => 2,
                _ => 0,
            });
        }
        let mut trigger = trigger;
        let mut good = texts.len() == self.0.len();
        for (name, text) in texts {
            match trigger.clone().with(name, &text.value()) {
                Ok(changed) => trigger = changed,
                Err(error) => {
                    trigger_error::report(&text, &error, 0, errors);
                    good = false;
                }
            }
        }
        good.then_some(trigger)
    }
}

/// Returns `true` if a time's text ends in `Z` or an offset, or is `now`, and so names an instant.
pub(super) fn has_offset(text: &str) -> bool {
    let text = text.trim();
    let time = text.get("2026-12-31".len()..).unwrap_or_default();
    text == "now" || time.contains(['Z', 'z', '+', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_seen_behind_the_date_only() {
        for text in [
            "2026-12-31T23:59:00Z",
            "2026-12-31 23:59+01:00",
            "2026-12-31T23:59:00-05:00",
            "now",
        ] {
            assert!(has_offset(text), "{text}");
        }
        for text in ["2026-12-31T23:59:00", "2026-12-31", "2026-12-31 23:59"] {
            assert!(!has_offset(text), "{text}");
        }
    }
}
