//! Closed sets of keys: unknown and duplicate ones are found here, for every list.

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
    /// `true` if its usual value is a text, which is written in quotes.
    pub(crate) is_text: bool,
}

impl Key {
    /// A key whose usual value is not a text.
    pub(crate) const fn new(name: &'static str, sample: &'static str) -> Self {
        Self {
            name,
            also: None,
            sample,
            is_text: false,
        }
    }

    /// A key whose usual value is a text.
    pub(crate) const fn text(name: &'static str, sample: &'static str) -> Self {
        Self {
            is_text: true,
            ..Self::new(name, sample)
        }
    }

    /// The same key with another name for it.
    pub(crate) const fn or(self, also: &'static str) -> Self {
        Self {
            also: Some(also),
            ..self
        }
    }

    /// Returns `true` if one of these has its name.
    fn is_in(&self, keys: &[Self]) -> bool {
        keys.iter().any(|key| key.name == self.name)
    }

    fn is(&self, name: &str) -> bool {
        self.name == name || self.also == Some(name)
    }
}

/// A word that users of other schedulers write where a key belongs.
pub(crate) struct Habit {
    word: &'static str,
    /// The key of the list that the word stands for, if it has one.
    key: Option<&'static str>,
    /// What to write instead.
    advice: &'static str,
}

impl Habit {
    /// A word for a key of the list.
    pub(crate) const fn of(word: &'static str, key: &'static str, advice: &'static str) -> Self {
        Self {
            word,
            key: Some(key),
            advice,
        }
    }

    /// A word for something that the list has no key for.
    pub(crate) const fn other(word: &'static str, advice: &'static str) -> Self {
        Self {
            word,
            key: None,
            advice,
        }
    }
}

/// The keys of one list.
pub(crate) struct Keys {
    /// Whose list it is, as the user wrote it.
    pub(crate) owner: &'static str,
    /// All keys, in groups.
    pub(crate) groups: &'static [&'static [Key]],
    /// Keys of the job around this list, in groups, which may have slipped into it.
    pub(crate) around: &'static [&'static [Key]],
    /// Words that users of other schedulers try.
    pub(crate) habits: &'static [Habit],
}

/// Entries under known keys, each at most once.
pub(crate) struct Given {
    entries: Vec<(&'static Key, Entry)>,
    /// The keys that unknown ones were probably meant as.
    meant: Vec<&'static str>,
}

impl Keys {
    /// Sorts entries under their keys. Reports unknown and repeated keys, and leaves them out.
    pub(crate) fn sort(&self, entries: Vec<Entry>, errors: &Errors) -> Given {
        let mut given: Vec<(&'static Key, Entry)> = Vec::new();
        let mut meant_keys = Vec::new();
        for entry in entries {
            let name = entry.name();
            let Some(key) = self.all().find(|key| key.is(&name)) else {
                let meant = self.meant(&name);
                errors.at(entry.key.span(), self.unknown(&name, &entry, &meant));
                meant_keys.extend(meant.key());
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
            meant: meant_keys,
        }
    }

    fn all(&self) -> impl Iterator<Item = &'static Key> {
        self.groups.iter().copied().flatten()
    }

    /// Finds what an unknown key was probably meant as.
    fn meant(&self, name: &str) -> Meant {
        if let Some(habit) = self.habits.iter().find(|habit| habit.word == name) {
            return Meant::Habit(habit);
        }
        if self
            .around
            .iter()
            .copied()
            .flatten()
            .any(|key| key.is(name))
        {
            return Meant::Around;
        }
        let names = || self.all().flat_map(|key| [Some(key.name), key.also]);
        let near = suggest::nearest(name, names().flatten());
        near.and_then(|near| Some((near, self.all().find(|key| key.is(near))?)))
            .map_or(Meant::Unknown, |(written, key)| Meant::Near {
                written,
                key,
            })
    }

    fn unknown(&self, name: &str, entry: &Entry, meant: &Meant) -> String {
        let owner = self.owner;
        let near = match meant {
            Meant::Habit(Habit { advice, .. }) => {
                return format!("{owner} has no key `{name}`; {advice}");
            }
            Meant::Around => {
                return format!(
                    "{owner} has no key `{name}`, which belongs to the job: write it beside the trigger, not inside"
                );
            }
            // A key without value is often a value whose key was forgotten; no near miss helps then.
            Meant::Near { .. } if matches!(entry.value, Value::Missing) && name.len() < 3 => {
                String::new()
            }
            Meant::Near { written, .. } => suggest::did_you_mean(written),
            Meant::Unknown => String::new(),
        };
        format!("{owner} has no key `{name}`{near}\n{}", self.list())
    }

    /// All keys, in lines of a readable length.
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

    /// Takes the entries of several keys, in the order they were written.
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

    /// Returns `true` if an unknown key, reported already, was probably meant as one of these.
    pub(crate) fn meant_any(&self, keys: &[Key]) -> bool {
        let mut keys = keys.iter();
        keys.any(|key| self.meant.contains(&key.name))
    }
}

#[cfg(test)]
impl Keys {
    /// Checks that each habit's key is in the list, and that its advice is about that key.
    pub(crate) fn check_habits(&self) {
        for habit in self.habits {
            let Some(name) = habit.key else { continue };
            let (word, advice) = (habit.word, habit.advice);
            assert!(self.all().any(|key| key.name == name), "{word}: `{name}`");
            let advised = [format!("`{name} = "), format!("`{name}(")];
            assert!(
                advised.iter().any(|start| advice.contains(start)),
                "{word} stands for `{name}`: {advice}"
            );
        }
    }
}

/// What an unknown key was probably meant as.
enum Meant {
    Habit(&'static Habit),
    /// A key of the job around the list.
    Around,
    /// A slip of the pen.
    Near {
        /// The name that is nearest: the key's, or the other one that it has.
        written: &'static str,
        key: &'static Key,
    },
    Unknown,
}

impl Meant {
    /// The key of the list.
    fn key(&self) -> Option<&'static str> {
        match self {
            Self::Habit(habit) => habit.key,
            Self::Near { key, .. } => Some(key.name),
            Self::Around | Self::Unknown => None,
        }
    }
}
