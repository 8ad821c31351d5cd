//! Closed sets of keys: unknown and duplicate ones are found here, once for all.

use super::entry::{Entry, Value};
use crate::errors::Errors;
use crate::suggest;

/// A key, and how it is written.
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// Another name for it.
    pub(crate) also: Option<&'static str>,
    /// A line to paste.
    pub(crate) sample: &'static str,
}

impl Key {
    pub(crate) const fn new(name: &'static str, sample: &'static str) -> Self {
        Self {
            name,
            also: None,
            sample,
        }
    }

    pub(crate) const fn or(name: &'static str, also: &'static str, sample: &'static str) -> Self {
        Self {
            name,
            also: Some(also),
            sample,
        }
    }

    fn is(&self, name: &str) -> bool {
        self.name == name || self.also == Some(name)
    }
}

/// The keys of one list.
pub(crate) struct Keys {
    /// Whose list it is, as the user wrote it.
    pub(crate) owner: &'static str,
    /// All keys.
    pub(crate) all: &'static [Key],
    /// Whether it stands inside the list of a job, whose keys may have slipped into it.
    pub(crate) inside_job: bool,
    /// Words that users of other schedulers try, and what to write.
    pub(crate) habits: &'static [(&'static str, &'static str)],
}

/// Entries under known keys, each at most once.
pub(crate) struct Given {
    entries: Vec<(&'static Key, Entry)>,
    /// What unknown keys were probably meant as.
    meant: Vec<String>,
}

impl Keys {
    /// Sorts entries under their keys. An unknown or repeated key is told and left out.
    pub(crate) fn sort(&self, entries: Vec<Entry>, errors: &Errors) -> Given {
        let mut given: Vec<(&'static Key, Entry)> = Vec::new();
        let mut meant = Vec::new();
        for entry in entries {
            let name = entry.name();
            let Some(key) = self.all.iter().find(|key| key.is(&name)) else {
                errors.at(entry.key.span(), self.unknown(&name, &entry));
                meant.push(self.meant(&name));
                continue;
            };
            if let Some((_, earlier)) = given.iter().find(|(other, _)| other.name == key.name) {
                let earlier = earlier.name();
                errors.at(
                    entry.key.span(),
                    if earlier == name {
                        format!("`{name}` is given twice: remove one")
                    } else {
                        format!("`{name}` is another name for `{earlier}`, which is given already: remove one")
                    },
                );
                continue;
            }
            given.push((key, entry));
        }
        Given {
            entries: given,
            meant,
        }
    }

    /// The advice for an unknown key, or the key nearest to it.
    fn meant(&self, name: &str) -> String {
        match self.habits.iter().find(|(habit, _)| *habit == name) {
            Some((_, write)) => (*write).to_owned(),
            None => suggest::nearest(name, self.all.iter().map(|key| key.name))
                .unwrap_or_default()
                .to_owned(),
        }
    }

    fn unknown(&self, name: &str, entry: &Entry) -> String {
        let owner = self.owner;
        if let Some((_, write)) = self.habits.iter().find(|(habit, _)| *habit == name) {
            return format!("{owner} has no key `{name}`; {write}");
        }
        if self.inside_job && super::job::is_setting(name) {
            return format!(
                "{owner} has no key `{name}`, which belongs to the job: write it beside the trigger, not inside"
            );
        }
        let names = self
            .all
            .iter()
            .flat_map(|key| [Some(key.name), key.also])
            .flatten();
        // A key without value is often a value whose key was forgotten; no near miss helps then.
        let meant = match entry.value {
            Value::Missing if name.len() < 3 => String::new(),
            _ => suggest::did_you_mean(name, names),
        };
        format!("{owner} has no key `{name}`{meant}\n{}", self.list())
    }

    /// All keys, in lines of a readable length.
    pub(crate) fn list(&self) -> String {
        let mut lines = vec!["keys are".to_owned()];
        for (index, key) in self.all.iter().enumerate() {
            let comma = if index + 1 < self.all.len() { "," } else { "" };
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

    /// Takes the entries of several keys, in the order they were written.
    pub(crate) fn take_all(&mut self, names: &[&str]) -> Vec<(&'static Key, Entry)> {
        let (taken, left) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition(|(key, _)| names.contains(&key.name));
        self.entries = left;
        taken
    }

    /// Whether one of these is given.
    pub(crate) fn has_any(&self, names: &[&str]) -> bool {
        self.entries
            .iter()
            .any(|(key, _)| names.contains(&key.name))
    }

    /// Whether an unknown key, told already, was probably meant as one of these.
    pub(crate) fn meant_any(&self, names: &[&str]) -> bool {
        let advised = |text: &String, name: &str| {
            text == name
                || text.contains(&format!("`{name} = "))
                || text.contains(&format!("`{name}("))
        };
        self.meant
            .iter()
            .any(|text| names.iter().any(|name| advised(text, name)))
    }
}
