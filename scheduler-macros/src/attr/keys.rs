//! Closed sets of keys: unknown and repeated keys of every list are found here.

use super::entry::{Entry, Value};
use super::habit::{Habit, Words};
use super::{trigger_words, unit, written};
use crate::errors::Errors;
use crate::suggest;

/// A key, with a sample.
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// An alternative name.
    pub(crate) also: Option<&'static str>,
    /// A line to paste.
    pub(crate) sample: &'static str,
    /// If `true`, its value is usually a text, which is written in quotes.
    pub(crate) is_text: bool,
}

impl Key {
    /// Creates a key whose value is usually not a text.
    pub(crate) const fn new(name: &'static str, sample: &'static str) -> Self {
        Self {
            name,
            also: None,
            sample,
            is_text: false,
        }
    }

    /// Creates a key whose value is usually a text.
    pub(crate) const fn text(name: &'static str, sample: &'static str) -> Self {
        Self {
            is_text: true,
            ..Self::new(name, sample)
        }
    }

    /// Adds an alternative name to the key.
    pub(crate) const fn or(self, also: &'static str) -> Self {
        Self {
            also: Some(also),
            ..self
        }
    }

    /// Returns `true` if one of these keys has the same name.
    fn is_in(&self, keys: &[Self]) -> bool {
        keys.iter().any(|key| key.name == self.name)
    }

    /// Returns `true` if it has this name or alternative name.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name || self.also == Some(name)
    }
}

/// The keys of one list.
pub(crate) struct Keys {
    /// The owner of the list, as the user wrote it.
    pub(crate) owner: &'static str,
    /// All keys, in groups.
    pub(crate) groups: &'static [&'static [Key]],
    /// Keys of the surrounding job, in groups, which may have been put into this list by mistake.
    pub(crate) around: &'static [&'static [Key]],
    /// Words that users of other schedulers may try.
    pub(crate) habits: &'static [Habit],
    /// The keys of the list that are triggers.
    pub(crate) triggers: &'static [Key],
    /// Returns `true` if the list accepts an entry; called before the entry is suggested.
    pub(crate) check: Option<fn(&str) -> bool>,
}

/// Entries with known keys, each at most once.
pub(crate) struct Given {
    entries: Vec<(&'static Key, Entry)>,
    meant: MeantKeys,
}

impl Keys {
    /// Sorts entries under their keys. Reports unknown and repeated keys, and leaves them out.
    pub(crate) fn sort(&self, entries: Vec<Entry>, errors: &Errors) -> Given {
        let mut given: Vec<(&'static Key, Entry)> = Vec::new();
        let mut unknown = Vec::new();
        for entry in entries {
            let name = entry.name();
            let Some(key) = self.all().find(|key| key.is(&name)) else {
                unknown.push(entry);
                continue;
            };
            if let Some((_, earlier)) = given.iter().find(|(other, _)| other.name == key.name) {
                let texts = [earlier, &entry].map(|entry| entry.given().and_then(written::text));
                let either = match texts {
                    [Some(first), Some(second)] if key.is_in(self.triggers) => {
                        written::either(key.name, &[first, second])
                    }
                    _ => None,
                };
                let earlier = earlier.name();
                errors.at(
                    entry.key.span(),
                    if let Some(either) = either {
                        format!("`{name}` is given twice: remove one, or write `{either}`")
                    } else if earlier == name {
                        format!("`{name}` is given twice: remove one")
                    } else {
                        format!("`{name}` is another name for `{earlier}`, which is given already: remove one")
                    },
                );
                continue;
            }
            given.push((key, entry));
        }
        let meant = self.report(&unknown, &given, errors);
        Given {
            entries: given,
            meant,
        }
    }

    fn all(&self) -> impl Iterator<Item = &'static Key> {
        self.groups.iter().copied().flatten()
    }

    /// Reports keys that the list does not have; those of the same habit are reported together. Returns the keys that
    /// were probably meant.
    fn report(
        &self,
        unknown: &[Entry],
        given: &[(&'static Key, Entry)],
        errors: &Errors,
    ) -> MeantKeys {
        let mut meant = MeantKeys::default();
        let mut reported: Vec<&'static Habit> = Vec::new();
        let unclear = unknown.iter().any(|entry| self.is_unclear(entry));
        for entry in unknown {
            let name = entry.name();
            if let Some(habit) = self.habits.iter().find(|habit| habit.has(entry)) {
                if reported.iter().any(|other| std::ptr::eq(*other, habit)) {
                    continue;
                }
                reported.push(habit);
                meant.keys.extend(habit.key());
                let entries = unknown.iter().filter(|entry| habit.has(entry));
                let words = Words {
                    entries: entries.collect(),
                    unclear,
                    has_zone: given.iter().any(|(key, _)| key.name == "timezone")
                        || unknown.iter().any(|entry| is_zone(&entry.name())),
                    kind: None,
                };
                let span = entry.key.span();
                errors.at(span, self.advice(habit, &words, given));
                continue;
            }
            let near = self.near(&name, entry);
            match near {
                Some((_, key)) => meant.keys.push(key.name),
                None => meant.any |= !self.is_around(&name),
            }
            self.report_unknown(entry, near, errors);
        }
        meant
    }

    /// Returns `true` if a word is unknown, so that it may change the meaning of the words next to it.
    fn is_unclear(&self, entry: &Entry) -> bool {
        let name = entry.name();
        let is_known = self.is_around(&name) || self.habits.iter().any(|habit| habit.has(entry));
        unit::is_unit(entry) || !(is_known || self.near(&name, entry).is_some())
    }

    /// Returns the advice about the words of a habit.
    fn advice(&self, habit: &Habit, words: &Words<'_>, given: &[(&'static Key, Entry)]) -> String {
        let owner = self.owner;
        let names: Vec<String> = words
            .entries
            .iter()
            .map(|entry| format!("`{}`", entry.name()))
            .collect();
        let problem = match names.as_slice() {
            [one] => format!("{owner} has no key {one}"),
            [first @ .., last] => format!("{owner} has no keys {} and {last}", first.join(", ")),
            [] => return String::new(),
        };
        if habit.key() == Some("timezone")
            && given.iter().any(|(key, _)| key.name == "interval")
            && !given
                .iter()
                .any(|(key, _)| matches!(key.name, "start" | "end"))
        {
            return format!(
                "{problem}, and an interval counts elapsed time, so it has no time zone: leave it out, or use `cron`"
            );
        }
        if let Some(note) = habit.note(words) {
            return format!("{problem}; {note}");
        }
        let key = habit.key().unwrap_or_default();
        let is_trigger = self.triggers.iter().any(|trigger| trigger.name == key);
        let mut all = given.iter();
        let other = all.find(|(other, _)| {
            other.name == key
                || (is_trigger && self.triggers.iter().any(|one| one.name == other.name))
        });
        if let Some((other, _)) = other
            && !is_trigger
        {
            return format!(
                "{problem}, and `{}` is given already: remove one",
                other.name
            );
        }
        let entry = match other {
            _ if is_trigger && words.unclear => None,
            Some((_, other)) => trigger_words::combined(other, words),
            None => habit.entry(words),
        };
        match entry {
            Some(entry) if self.accepts(&entry, words.has_zone) => {
                format!("{problem}; write `{entry}`")
            }
            _ if other.is_some() => {
                let other = other.map(|(key, _)| key.name).unwrap_or_default();
                let they = if names.len() == 1 { "it" } else { "they" };
                format!("{problem}, and {they} cannot be combined with `{other}`")
            }
            _ if is_trigger => {
                let samples: Vec<String> = self
                    .triggers
                    .iter()
                    .map(|key| format!("`{}`", key.sample))
                    .collect();
                format!(
                    "{problem}; a trigger is written as {}",
                    in_words(&samples[..samples.len().min(4)])
                )
            }
            _ => match self.all().find(|other| other.name == key) {
                Some(known) => format!("{problem}; here it is `{key}`, as in `{}`", known.sample),
                None => problem,
            },
        }
    }

    /// Returns `true` if a suggested entry would be accepted. If a sentence suggests several, only the first is
    /// checked.
    fn accepts(&self, entry: &str, has_zone: bool) -> bool {
        let first = entry.split('`').next().unwrap_or_default();
        let in_zone = format!("{first}, timezone = \"UTC\"");
        self.check
            .is_none_or(|check| check(first) || (has_zone && check(&in_zone)))
    }

    /// Returns the key of which a name is a misspelling.
    fn near(&self, name: &str, entry: &Entry) -> Option<(&'static str, &'static Key)> {
        // A key without a value is often a value without its key; a similar key does not help then.
        if self.is_around(name) || (matches!(entry.value, Value::Missing) && name.len() < 3) {
            return None;
        }
        let names = self.all().flat_map(|key| [Some(key.name), key.also]);
        let written = suggest::nearest(name, names.flatten())?;
        Some((written, self.all().find(|key| key.is(written))?))
    }

    fn is_around(&self, name: &str) -> bool {
        let mut keys = self.around.iter().copied().flatten();
        keys.any(|key| key.is(name))
    }

    fn report_unknown(
        &self,
        entry: &Entry,
        near: Option<(&'static str, &'static Key)>,
        errors: &Errors,
    ) {
        let (owner, name) = (self.owner, entry.name());
        let problem = format!("{owner} has no key `{name}`");
        let message = if self.is_around(&name) {
            format!("{problem}, which belongs to the job: write it beside the trigger, not inside")
        } else if let Some((written, _)) = near {
            format!("{problem}{}", suggest::did_you_mean(written))
        } else if errors.lists_first_time(owner) {
            format!("{problem}\n{}", self.list())
        } else {
            problem
        };
        errors.at(entry.key.span(), message);
    }

    /// Lists all keys, in lines of a readable length.
    pub(crate) fn list(&self) -> String {
        let mut lines = vec!["keys are".to_owned()];
        let mut keys = self.all().peekable();
        while let Some(key) = keys.next() {
            let comma = if keys.peek().is_some() { "," } else { "" };
            let word = format!(" `{}`{comma}", key.name);
            match lines.last_mut() {
                Some(line) if line.len() + word.len() <= 90 => line.push_str(&word),
                _ => lines.push(format!(" {word}")),
            }
        }
        lines.join("\n")
    }
}

impl Given {
    /// Takes the entry of a key.
    pub(crate) fn take(&mut self, name: &str) -> Option<(&'static Key, Entry)> {
        let index = self.entries.iter().position(|(key, _)| key.name == name)?;
        Some(self.entries.remove(index))
    }

    /// Takes the entries of several keys, in the order in which they were written.
    pub(crate) fn take_all(&mut self, keys: &[Key]) -> Vec<(&'static Key, Entry)> {
        let (taken, left) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition(|(key, _)| key.is_in(keys));
        self.entries = left;
        taken
    }

    /// Returns `true` if one of these is given.
    pub(crate) fn has_any(&self, keys: &[Key]) -> bool {
        self.entries.iter().any(|(key, _)| key.is_in(keys))
    }

    /// Returns `true` if unknown keys, which were already reported, were meant as this one.
    pub(crate) fn meant(&self, key: &str) -> bool {
        self.meant.keys.contains(&key)
    }

    /// Returns `true` if an unknown key, which was already reported, may have been meant as one of these.
    pub(crate) fn meant_any(&self, keys: &[Key]) -> bool {
        let mut keys = keys.iter();
        self.meant.any || keys.any(|key| self.meant.keys.contains(&key.name))
    }
}

/// The keys that were probably meant by unknown ones.
#[derive(Default)]
struct MeantKeys {
    keys: Vec<&'static str>,
    /// If `true`, one of them may have been meant as any key.
    any: bool,
}

fn is_zone(name: &str) -> bool {
    matches!(name, "tz" | "zone" | "time_zone" | "timeZone" | "tzinfo")
}

/// Formats a list as `a, b or c`.
fn in_words(all: &[String]) -> String {
    match all {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        all => all.concat(),
    }
}

#[cfg(test)]
impl Keys {
    /// Asserts that each habit's key is in the list.
    pub(crate) fn check_habits(&self) {
        for name in self.habits.iter().filter_map(Habit::key) {
            assert!(self.all().any(|key| key.name == name), "`{name}`");
        }
    }
}
